//! The command that makes an order.

use std::sync::Arc;

use bank_files::pain001::{self, is_sepa};
use engine::errand::Errands;
use engine::{Asks, Attempt, AuditEvent, Book, Command, Decision, set};
use sha2::{Digest as _, Sha256};

use super::file::{today, transfer, written};
use super::shelf::{BankOrderShelf, NewOrder};
use super::{BANK_TRANSFER, BankOrder, BankOrderId, end_to_end_id, message_id};
use crate::bank_accounts::{BankAccount, BankAccountId, BankAccountShelf};
use crate::overdue::{self, overdue_at};
use crate::{Operation, OperationId, Providers, Shelf};

/// Number of days ahead for which an order may be made.
const MAX_DAYS_AHEAD: i32 = 365;
/// Greatest sum of an order: 18 digits.
const MAX_SUM: i64 = 999_999_999_999_999_999;

/// Makes an order of payouts that wait. It has those of the first one's currency and scheme, because a file has one of
/// each. The others still wait.
#[derive(Debug, Clone)]
pub struct MakeBankOrder {
    /// Name of the provider.
    pub provider: String,
    /// The payouts that wait, oldest first, each with its bank account. One that does not wait any more is left out.
    pub waiting: Vec<(OperationId, BankAccountId)>,
    /// The day on which the bank shall pay, in days since 1970; today if it is `None`.
    pub requested_on: Option<i32>,
    /// The providers of the settings.
    pub providers: Arc<Providers>,
}

/// Why no order was made: the first broken rule, in the order of the variants.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrderRefusal {
    /// There is no bank-file provider of this name.
    #[error("there is no bank-file provider of this name")]
    NoProvider,
    /// The day is in the past, or too far ahead.
    #[error("the day must be today or one of the next {MAX_DAYS_AHEAD} days")]
    WrongDay,
    /// No payout waits.
    #[error("no payout waits for an order of this provider")]
    NothingWaits,
    /// The file cannot be written.
    #[error("{0}")]
    NotWritten(pain001::Refusal),
}

impl OrderRefusal {
    /// The code of the rule, for the audit log.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoProvider => "no_provider",
            Self::WrongDay => "wrong_day",
            Self::NothingWaits => "nothing_waits",
            Self::NotWritten(_) => "not_payable_by_bank",
        }
    }
}

impl Command for MakeBankOrder {
    type Done = BankOrder;
    type Refusal = OrderRefusal;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(needs) = asks.of::<Shelf>() {
            needs
                .operations
                .extend(self.waiting.iter().map(|(id, _)| *id));
        }
        if let Some(errands) = asks.of::<Errands>() {
            let names = self
                .waiting
                .iter()
                .map(|(id, _)| (BANK_TRANSFER, id.bytes()));
            errands.extend(names);
        }
        if let Some(wanted) = asks.of::<BankAccountShelf>() {
            wanted
                .accounts
                .extend(self.waiting.iter().map(|(_, account)| *account));
        }
    }

    fn weight(&self) -> usize {
        self.waiting.len()
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<BankOrder>, OrderRefusal> {
        let now = book.now();
        let provider = self.providers.named(&self.provider);
        let own = provider.and_then(|provider| provider.bank.clone());
        let own = own.ok_or(OrderRefusal::NoProvider)?;
        let today = today(now);
        let requested_on = self.requested_on.unwrap_or(today);
        if !(today..=today.saturating_add(MAX_DAYS_AHEAD)).contains(&requested_on) {
            return Err(OrderRefusal::WrongDay);
        }
        let waiting = self.still_waiting(book);
        let scheme = |(operation, account): &(Operation, BankAccount)| {
            let currency = operation.money.currency;
            (currency, is_sepa(&own.debtor.iban, &account.iban, currency))
        };
        let Some(first) = waiting.first().map(scheme) else {
            return Err(OrderRefusal::NothingWaits);
        };
        let mut alike = Vec::new();
        let mut sum = 0_i64;
        for one in waiting.into_iter().filter(|one| scheme(one) == first) {
            // A file's sum has at most 18 digits. The others are in the next order.
            let next = sum.saturating_add(one.0.money.amount.get());
            if next > MAX_SUM && !alike.is_empty() {
                break;
            }
            sum = next;
            alike.push(one);
        }
        let id = BankOrderId::from_bytes(book.next_id());
        let transfers = alike.iter().map(|(operation, account)| {
            transfer(end_to_end_id(operation.id), operation.money, account)
        });
        let file = written(
            &own,
            message_id(id),
            (now, requested_on),
            transfers.collect(),
        );
        let file = file.map_err(OrderRefusal::NotWritten)?.file;
        let order = BankOrder {
            id,
            provider: self.provider.clone(),
            currency: first.0,
            sum,
            transfers: i32::try_from(alike.len()).unwrap_or(i32::MAX),
            requested_on,
            created_at: now,
        };
        let operations: Vec<OperationId> =
            alike.iter().map(|(operation, _)| operation.id).collect();
        let errands = book.shelf_mut::<Errands>().0;
        for operation in &operations {
            errands.end((BANK_TRANSFER, operation.bytes()));
        }
        let days = self.providers.overdue_days();
        for (operation, _) in &alike {
            let due_at = overdue_at(operation, requested_on, days);
            overdue::expect(book, operation.id, due_at);
        }
        record(book, &order, &file);
        let orders = book.shelf_mut::<BankOrderShelf>().0;
        orders.add(NewOrder {
            order: order.clone(),
            file,
            operations,
        });
        Ok(Decision::now(order))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "bank_order.create",
            kind: "provider",
            id: self.provider.clone(),
        }
    }
}

impl MakeBankOrder {
    /// The payouts that no other order has taken meanwhile, with their accounts.
    fn still_waiting(&self, book: &Book) -> Vec<(Operation, BankAccount)> {
        let errands = book.shelf::<Errands>();
        let waits = |id: &OperationId| {
            let errand = errands.get((BANK_TRANSFER, id.bytes()));
            errand.is_some_and(|errand| errand.place == self.provider)
        };
        let found = self.waiting.iter().filter_map(|(id, account)| {
            let operation = book.shelf::<Shelf>().operation(id);
            let operation = operation.filter(|known| known.is_unfinished() && waits(id))?;
            let account = book.shelf::<BankAccountShelf>().account(account)?;
            Some((operation.clone(), account.clone()))
        });
        found.collect()
    }
}

/// Adds the audit record of an order. It has the hash of the file, so that a file that was changed on its way can be
/// told from the one that was made here.
fn record(book: &mut Book, order: &BankOrder, file: &[u8]) {
    let (id, sum, transfers) = (
        order.id.to_string(),
        order.sum.to_string(),
        order.transfers.to_string(),
    );
    let hash = hex::encode(Sha256::digest(file));
    book.record(&AuditEvent::done(
        "bank_order.created",
        ("bank_order", &id),
        &[
            set("provider", &order.provider),
            set("transfers", &transfers),
            set("sum", &sum),
            set("currency", order.currency.code()),
            set("file_sha256", &hash),
        ],
    ));
}
