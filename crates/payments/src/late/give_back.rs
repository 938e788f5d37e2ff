//! The command that gives late money back to the payer.

use std::sync::Arc;

use books::Books;
use engine::{Asks, Attempt, AuditEvent, Book, Command, Decision, set};
use money::Amount;

use crate::payment::{NewOperation, add};
use crate::refunds::RefundId;
use crate::state::OperationEvent;
use crate::{
    Begun, Operation, OperationId, OperationKind, Payment, Providers, Refusal, Shelf, begun,
    opened, postings,
};

/// Gives the late money of an operation back to the payer.
#[derive(Debug, Clone)]
pub struct GiveBack {
    /// The operation that had failed.
    pub operation: OperationId,
    /// The reason.
    pub reason: Option<String>,
    /// Idempotency key of the request; empty if it has none.
    pub key: String,
    /// The providers.
    pub providers: Arc<Providers>,
}

impl Command for GiveBack {
    type Done = Begun;
    type Refusal = Refusal;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(needs) = asks.of::<Shelf>() {
            needs.operations.push(self.operation);
        }
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<Begun>, Refusal> {
        let (payment, refund) = give_back(book, self.operation, self.reason.clone(), &self.key)?;
        let id = RefundId::of(refund.id).to_string();
        Ok(begun::decision(
            book,
            (payment, refund),
            &self.providers,
            id,
        ))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "operation.give_back",
            kind: "operation",
            id: self.operation.to_string(),
        }
    }
}

/// Makes the refund of all late money of an operation about which nobody has decided, and submits it. The caller sends
/// it. If it is refused, nothing changes.
pub(super) fn give_back(
    book: &mut Book,
    late: OperationId,
    reason: Option<String>,
    idempotency_key: &str,
) -> Result<(Payment, Operation), Refusal> {
    let now = book.now();
    let shelf = book.shelf::<Shelf>();
    let mut late = shelf.operation(&late).ok_or(Refusal::NotFound)?.clone();
    let payment = shelf.payment(&late.payment()).ok_or(Refusal::NotFound)?;
    let mut payment = payment.clone();
    let amount = Amount::new(late.undecided());
    let amount = amount.map_err(|_nothing| Refusal::NothingUnallocated)?;
    let new = NewOperation {
        kind: OperationKind::Refund,
        amount,
        reserved: 0,
        provider: late.provider.clone(),
        charge_ref: late.charge_ref.clone().or(late.provider_ref.clone()),
        terms: None,
        payment_method: late.payment_method.clone(),
        reason,
        idempotency_key: idempotency_key.to_owned(),
    };
    let made = book.try_part(|book| {
        let refund = opened::recorded(book, |book| {
            let (shelf, books, ids) = book.shelves_mut::<Shelf, Books>();
            let mut refund = add(shelf, &mut payment, new, ids, now);
            refund.gives_back = Some(late.id);
            refund.attempt = late.attempt;
            postings::post(books, &refund, postings::LATE_REFUND_MADE, ids, now)?;
            shelf.step_operation(&mut refund, OperationEvent::Submitted, now);
            late.given_back = late.given_back.saturating_add(amount.get());
            shelf.change_operation(&mut late);
            shelf.change_payment(&mut payment, now);
            Ok(refund)
        })?;
        Ok((payment, refund))
    });
    let (payment, refund) = made.map_err(Refusal::Ledger)?;
    let transaction = book.shelf::<Books>().posted().last();
    let transaction = transaction.map(|posted| posted.id.to_string());
    let (id, of_payment) = (
        RefundId::of(refund.id).to_string(),
        refund.payment().to_string(),
    );
    let (amount, gives_back) = (amount.get().to_string(), late.id.to_string());
    let mut delta = vec![
        set("amount", &amount),
        set("currency", refund.money.currency.code()),
        set("payment", &of_payment),
        set("gives_back", &gives_back),
    ];
    delta.extend(transaction.iter().map(|id| set("transaction", id)));
    book.record(&AuditEvent {
        reason: refund.reason.as_deref(),
        cause: Some(&gives_back),
        ..AuditEvent::done("refund.created", ("refund", &id), &delta)
    });
    Ok((payment, refund))
}
