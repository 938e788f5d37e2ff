//! Making a payment and confirming it: the first of the three phases.

use money::{Currency, Day, Money};
use store::{Ids, Timestamp};
use text::{Identifier, Token};

use crate::state::{OperationEvent, OperationState, PaymentEvent, PaymentState};
use crate::{Operation, OperationId, Providers, Shelf, Unserved};

store::typed_id!(
    /// A payment's id: `pay_…`.
    PaymentId,
    "pay"
);

/// The merchant's own reference for a payer.
pub type Customer = Identifier<255>;
/// A provider's token for how a payer pays. It is the field into which a card number is put most easily, so
/// none may stand anywhere in it; and no control character, because a provider repeats it in its answers.
pub type PaymentMethod = Token<255>;

/// What the merchant wants. Amounts are minor units of `money.currency`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// Its id.
    pub id: PaymentId,
    /// How much is wanted.
    pub money: Money,
    /// Where it stands.
    pub state: PaymentState,
    /// What the provider has promised.
    pub authorized: i64,
    /// What was taken.
    pub captured: i64,
    /// What was given back.
    pub refunded: i64,
    /// The merchant's own reference for the payer.
    pub customer: Option<String>,
    /// The provider's token for how the payer pays.
    pub payment_method: Option<String>,
    /// Why the last attempt was declined.
    pub decline_code: Option<String>,
    /// The key of the request that last confirmed it (or made it): its reply waits for the outcome.
    pub idempotency_key: String,
    /// Counts its changes.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPayment {
    /// How much.
    pub money: Money,
    /// The merchant's own reference for the payer.
    pub customer: Option<Customer>,
    /// The provider's token for how the payer pays.
    pub payment_method: Option<PaymentMethod>,
    /// Whether to go on to the provider at once.
    pub confirm: bool,
}

/// Why a payment was not confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConfirmError {
    /// No such payment, or another tenant's.
    #[error("there is no such payment")]
    NotFound,
    /// It is past the point where it can be confirmed.
    #[error("a payment that is {state} cannot be confirmed")]
    WrongState {
        /// Where it stands.
        state: &'static str,
    },
    /// Nobody pays in a currency that there is no more.
    #[error("{currency} was withdrawn on {since}: no payment is made in it any more")]
    CurrencyWithdrawn {
        /// The currency.
        currency: Currency,
        /// The first day without it.
        since: Day,
    },
    /// Without one there is nothing to confirm.
    #[error("the payment has no payment method")]
    NoPaymentMethod,
    /// There are providers, and none of them takes it.
    #[error(transparent)]
    Unserved(#[from] Unserved),
}

impl ConfirmError {
    /// The code of the rule, for the audit log.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::WrongState { .. } => "payment_state_conflict",
            Self::CurrencyWithdrawn { .. } => "currency_withdrawn",
            Self::NoPaymentMethod => "payment_method_required",
            Self::Unserved(_) => "no_provider",
        }
    }
}

/// Makes a payment, and with `confirm` its first operation.
///
/// # Errors
/// [`ConfirmError`] if there is no such currency any more, or if it is to be confirmed and lacks a payment
/// method or a provider that takes it; nothing is made then.
pub fn create(
    shelf: &mut Shelf,
    new: NewPayment,
    idempotency_key: &str,
    providers: &Providers,
    ids: &mut Ids,
    now: Timestamp,
) -> Result<Payment, ConfirmError> {
    check_currency(new.money.currency, now)?;
    if new.confirm {
        let method = new.payment_method.as_ref();
        let method = method.ok_or(ConfirmError::NoPaymentMethod)?;
        providers.choose(new.money.currency, method.as_str())?;
    }
    // After this point it must succeed.
    let state = match new.payment_method {
        None => PaymentState::RequiresPaymentMethod,
        Some(_) => PaymentState::RequiresConfirmation,
    };
    let payment = Payment {
        id: PaymentId::from_bytes(ids.next(now)),
        money: new.money,
        state,
        authorized: 0,
        captured: 0,
        refunded: 0,
        customer: new.customer.map(String::from),
        payment_method: new.payment_method.map(String::from),
        decline_code: None,
        idempotency_key: idempotency_key.to_owned(),
        version: 0,
        created_at: now,
        updated_at: now,
    };
    let id = payment.id;
    shelf.put_new_payment(payment.clone());
    if new.confirm {
        return confirm(shelf, id, None, idempotency_key, providers, ids, now);
    }
    Ok(payment)
}

/// Submits a payment's next operation. The provider that it goes to stays with it.
///
/// # Errors
/// [`ConfirmError`] names the rule; the shelf is then as it was.
pub fn confirm(
    shelf: &mut Shelf,
    id: PaymentId,
    payment_method: Option<PaymentMethod>,
    idempotency_key: &str,
    providers: &Providers,
    ids: &mut Ids,
    now: Timestamp,
) -> Result<Payment, ConfirmError> {
    let mut payment = shelf.payment(&id).ok_or(ConfirmError::NotFound)?.clone();
    let from = payment.state;
    let to = from.on(PaymentEvent::Confirmed);
    let to = to.map_err(|illegal| ConfirmError::WrongState {
        state: illegal.state,
    })?;
    check_currency(payment.money.currency, now)?;
    let payment_method = payment_method.map(String::from);
    // A declined method is not tried again unasked: the payer has to offer one.
    let method = match from {
        PaymentState::RequiresPaymentMethod => payment_method,
        PaymentState::RequiresConfirmation
        | PaymentState::Processing
        | PaymentState::Succeeded
        | PaymentState::Canceled => payment_method.or(payment.payment_method.take()),
    };
    let method = method.ok_or(ConfirmError::NoPaymentMethod)?;
    let provider = providers.choose(payment.money.currency, &method)?;
    // After this point it must succeed.
    let operation_id = OperationId::from_bytes(ids.next(now));
    let operation = Operation {
        id: operation_id,
        payment: id,
        attempt: shelf.attempts_of(&id).saturating_add(1),
        money: payment.money,
        state: OperationState::Submitted,
        provider: provider.name.clone(),
        // Stored before the first call, so that every later call is recognised as the same.
        provider_key: operation_id.to_string(),
        provider_ref: None,
        decline_code: None,
        payment_method: method.clone(),
        created_at: now,
    };
    let created = OperationState::Created;
    debug_assert_eq!(
        created.on(OperationEvent::Submitted),
        Ok(OperationState::Submitted)
    );
    shelf.record(
        "operation",
        operation_id.bytes(),
        created.name(),
        operation.state.name(),
        now,
    );
    shelf.record("payment", id.bytes(), from.name(), to.name(), now);
    shelf.put_new_operation(operation);
    payment.state = to;
    payment.payment_method = Some(method);
    payment.decline_code = None;
    payment.idempotency_key = idempotency_key.to_owned();
    payment.updated_at = now;
    shelf.put_payment(payment.clone());
    Ok(payment)
}

fn check_currency(currency: Currency, now: Timestamp) -> Result<(), ConfirmError> {
    match ledger::withdrawn(currency, now) {
        Some(since) => Err(ConfirmError::CurrencyWithdrawn { currency, since }),
        None => Ok(()),
    }
}
