//! Payouts: money leaves for a bank account, from the merchant's available money or from a wallet.
//!
//! A payout is made from money that is there: the books refuse more, in the commit that makes it. Above a limit, a
//! second person has to approve it first ([`crate::approvals`]). A payout that the provider refuses goes back to
//! where it came from. One that comes back after it was paid stays paid; its return is an operation of its own.

mod cancel;
pub(crate) mod codes;
mod http;
pub(crate) mod outcome;
pub(crate) mod payout;
pub(crate) mod rows;
pub mod show;
pub(crate) mod state;

use std::sync::Arc;

use books::Books;
use edge::Capability;
use engine::{Asks, Attempt, AuditEvent, Book, Command, Decision, Keep, digest, set};
use ledger::{AccountId, Metadata};
use money::Money;

pub use cancel::CancelPayout;
pub use payout::{Payout, PayoutId};
pub use state::{PayoutEvent, PayoutState};

use payout::operation_of;

use crate::approvals::{self, Action, ApprovalId, ApprovalLimits};
use crate::balances_after::BalancesAfter;
use crate::bank_accounts::{BankAccountId, BankAccountShelf};
use crate::bank_orders::{self, OwnAccount};
use crate::customers::{self, CustomerId, CustomerShelf, Movement};
use crate::provider_key::provider_key;
use crate::state::OperationEvent;
use crate::{Operation, OperationId, Providers, Refusal, Shelf, begun, opened, postings};

/// The routes and codes, for the edge.
pub const CAPABILITY: Capability = Capability {
    routes: http::routes,
    codes: codes::ALL,
};

/// Makes a payout.
#[derive(Debug, Clone)]
pub struct CreatePayout {
    /// The amount.
    pub money: Money,
    /// The account that pays; `None`: the merchant's available money.
    pub source: Option<AccountId>,
    /// The customer who is paid, if it is one.
    pub customer: Option<CustomerId>,
    /// The destination: a token of the provider for a bank account.
    pub destination: String,
    /// The tenant's own words.
    pub description: Option<String>,
    /// The tenant's metadata.
    pub metadata: Option<Metadata>,
    /// Idempotency key of the request; empty if it has none.
    pub key: String,
    /// The person who asks for it: the label of their key.
    pub by: String,
    /// The amounts above which a second person has to approve.
    pub limits: Arc<ApprovalLimits>,
    /// The providers. One of them gets the payout.
    pub providers: Arc<Providers>,
}

/// A payout after a command, and the operation that the command has submitted, if there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BegunPayout {
    /// The payout.
    pub payout: Payout,
    /// The operation.
    pub operation: Option<Operation>,
}

impl begun::Submits for BegunPayout {
    fn operation(&self) -> Option<OperationId> {
        self.operation.as_ref().map(|operation| operation.id)
    }
}

impl Command for CreatePayout {
    type Done = BegunPayout;
    type Refusal = Refusal;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(needs) = asks.of::<Books>() {
            postings::name(needs, &[postings::PAYOUT_MADE], self.money.currency);
            needs.accounts.extend(self.source);
        }
        if let Some(wanted) = asks.of::<BankAccountShelf>() {
            wanted
                .accounts
                .extend(self.destination.parse::<BankAccountId>().ok());
        }
        if let Some(wanted) = asks.of::<CustomerShelf>() {
            wanted.moves_for(self.customer);
        }
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<BegunPayout>, Refusal> {
        let now = book.now();
        let currency = self.money.currency;
        if let Some(id) = &self.customer {
            let customers = book.shelf::<CustomerShelf>();
            customers.customer(id).ok_or(Refusal::NoCustomer)?;
        }
        let provider = self.providers.choose(currency, &self.destination);
        let provider = provider.map_err(|_none| Refusal::NoPayoutProvider(currency))?;
        let own = provider.bank.as_deref();
        own.map_or(Ok(()), |own| self.payable_by_bank(own, book))?;
        let payer = self
            .source
            .and_then(|id| book.shelf::<Books>().account(&id));
        if payer.is_some_and(|account| !postings::is_wallet(account)) {
            return Err(Refusal::NoWallet);
        }
        let needs_approval = self.limits.needs_approval(self.money);
        let approval = needs_approval.then(|| ApprovalId::from_bytes(book.next_id()));
        let mut payout = Payout {
            id: PayoutId::from_bytes(book.next_id()),
            money: self.money,
            source: self.source,
            customer: self.customer,
            destination: self.destination.clone(),
            description: self.description.clone(),
            metadata: self.metadata.clone(),
            state: if needs_approval {
                PayoutState::RequiresApproval
            } else {
                PayoutState::Processing
            },
            provider: provider.name.clone(),
            approval,
            decline_code: None,
            is_returned: false,
            operations: 0,
            idempotency_key: self.key.clone(),
            version: 1,
            created_at: now,
            updated_at: now,
        };
        book.shelf_mut::<Shelf>().0.put_new_payout(payout.clone());
        let id = payout.id.to_string();
        let amount = self.money.amount.get().to_string();
        let mut delta = vec![
            set("amount", &amount),
            set("currency", currency.code()),
            set("destination", &self.destination),
            set("status", payout.state.name()),
        ];
        let customer = self.customer.map(|id| id.to_string());
        delta.extend(customer.iter().map(|id| set("customer", id)));
        let metadata = self.metadata.as_ref();
        let metadata = metadata.map(|metadata| digest(Some(metadata.as_json())));
        delta.extend(metadata.iter().map(|digest| set("metadata", digest)));
        if let Some(approval) = approval {
            customers::may(book, self.customer, Movement::Payout)?;
            let text = approval.to_string();
            delta.push(set("approval", &text));
            book.record(&AuditEvent::done(
                "payout.proposed",
                ("payout", &id),
                &delta,
            ));
            let subject = payout.id.bytes();
            approvals::propose(book, approval, Action::Payout, subject, &self.by);
            return Ok(Decision::now(BegunPayout {
                payout,
                operation: None,
            }));
        }
        let made = make(book, &mut payout, &self.key);
        let (operation, transaction) = made.map_err(Refusal::Ledger)?;
        customers::may(book, self.customer, Movement::Payout)?;
        // It was made and submitted by one command, so this is its first version.
        payout.version = 1;
        book.shelf_mut::<Shelf>().0.put_payout(payout.clone());
        delta.push(set("transaction", &transaction));
        book.record(&AuditEvent::done("payout.created", ("payout", &id), &delta));
        begun::send(book, &operation, &self.providers);
        Ok(Decision {
            done: BegunPayout {
                payout,
                operation: Some(operation),
            },
            keep: Keep::Later(id),
        })
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "payout.create",
            kind: "payout",
            id: String::new(),
        }
    }
}

impl CreatePayout {
    /// Checks that a bank-file provider can pay to the destination.
    fn payable_by_bank(&self, own: &OwnAccount, book: &Book) -> Result<(), Refusal> {
        let id = self.destination.parse::<BankAccountId>();
        let id = id.map_err(|_other| Refusal::NoBankAccount)?;
        let account = book.shelf::<BankAccountShelf>().account(&id);
        let account = account.ok_or(Refusal::NoBankAccount)?;
        if account.closed_at.is_some() {
            return Err(Refusal::BankAccountClosed);
        }
        let checked = bank_orders::check(own, self.money, account, book.now());
        checked.map_err(Refusal::NotPayableByBank)
    }
}

/// Takes the money of a payout, and submits its operation. Returns the operation, and the id of the transaction. If
/// the books refuse, nothing changes.
fn make(
    book: &mut Book,
    payout: &mut Payout,
    idempotency_key: &str,
) -> Result<(Operation, String), ledger::Refusal> {
    let made = book.try_part(|book| {
        let now = book.now();
        let mut payout = payout.clone();
        let mut operation = operation_of(&payout, OperationId::from_bytes(book.next_id()), now);
        operation.provider_key = provider_key(book.tenant().id, operation.id);
        idempotency_key.clone_into(&mut operation.idempotency_key);
        opened::recorded(book, |book| {
            let (shelf, books, ids) = book.shelves_mut::<Shelf, Books>();
            shelf.put_new_operation(operation.clone());
            shelf.step_operation(&mut operation, OperationEvent::Submitted, now);
            payout.operations = operation.ordinal;
            shelf.change_payout(&mut payout, now);
            postings::post(books, &operation, postings::PAYOUT_MADE, ids, now)
        })?;
        let transaction = book.shelf::<Books>().posted().last();
        let transaction = transaction.map(|posted| posted.id.to_string());
        Ok((payout, operation, transaction.unwrap_or_default()))
    });
    let (made, operation, transaction) = made?;
    *payout = made;
    Ok((operation, transaction))
}

/// A payout was approved: it is made now. Says what this has left on the accounts. If it is
/// refused, the caller undoes everything.
pub(crate) fn approved(
    book: &mut Book,
    id: PayoutId,
    providers: &Providers,
) -> Result<BalancesAfter, Refusal> {
    let Some(mut payout) = book.shelf::<Shelf>().payout(&id).cloned() else {
        return Ok(BalancesAfter::NONE);
    };
    let now = book.now();
    let shelf = book.shelf_mut::<Shelf>().0;
    shelf.step_payout(&mut payout, PayoutEvent::Approved, now);
    let made = make(book, &mut payout, "");
    let (operation, transaction) = made.map_err(Refusal::Ledger)?;
    customers::may(book, payout.customer, Movement::Payout)?;
    let text = id.to_string();
    let delta = [
        engine::changed(
            "status",
            PayoutState::RequiresApproval.name(),
            payout.state.name(),
        ),
        set("transaction", &transaction),
    ];
    book.record(&AuditEvent::done(
        "payout.approved",
        ("payout", &text),
        &delta,
    ));
    begun::send(book, &operation, providers);
    Ok(BalancesAfter::by_operation(
        book.shelf::<Books>(),
        &operation,
    ))
}

/// A payout that waits for an approval is given up: it was rejected or canceled, or nobody has decided in time. No
/// money was taken yet.
pub(crate) fn dropped(book: &mut Book, mut payout: Payout, event: PayoutEvent) -> Payout {
    let now = book.now();
    let shelf = book.shelf_mut::<Shelf>().0;
    shelf.step_payout(&mut payout, event, now);
    shelf.change_payout(&mut payout, now);
    let text = payout.id.to_string();
    let before = PayoutState::RequiresApproval.name();
    let delta = [engine::changed("status", before, payout.state.name())];
    book.record(&AuditEvent::done(
        "payout.canceled",
        ("payout", &text),
        &delta,
    ));
    payout
}
