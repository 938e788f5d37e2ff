//! The rules for making and confirming a payment: the first of the three phases.

use money::{Currency, Day, Money};
use store::{Ids, Timestamp};
use text::{Identifier, Token};

use crate::state::{OperationEvent, OperationState, PaymentEvent, PaymentState};
use crate::{NoProvider, Operation, OperationId, Providers, Shelf};

store::typed_id!(
    /// A payment's id: `pay_…`.
    PaymentId,
    "pay"
);

/// The merchant's own reference for a payer.
pub type Customer = Identifier<255>;
/// A payment method: a token of the provider. A card number is put into this field most easily, so it must not
/// have one anywhere. It must not have control characters, because a provider repeats it in its answers.
pub type PaymentMethod = Token<255>;

/// A merchant's demand for money. Amounts are minor units of `money.currency`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// Its id.
    pub id: PaymentId,
    /// The amount that is demanded.
    pub money: Money,
    /// The state of the payment.
    pub state: PaymentState,
    /// The authorized amount.
    pub authorized: i64,
    /// The captured amount.
    pub captured: i64,
    /// The refunded amount.
    pub refunded: i64,
    /// The merchant's own reference for the payer.
    pub customer: Option<String>,
    /// The payment method: a token of the provider.
    pub payment_method: Option<String>,
    /// The reason for which the last attempt was declined.
    pub decline_code: Option<String>,
    /// The key of the request that last confirmed the payment, or made it. The reply to that request waits for
    /// the outcome.
    pub idempotency_key: String,
    /// Number of changes.
    pub version: i64,
    /// Time at which the payment was made.
    pub created_at: Timestamp,
    /// Time of the last change.
    pub updated_at: Timestamp,
}

/// The payment that a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPayment {
    /// The amount.
    pub money: Money,
    /// The merchant's own reference for the payer.
    pub customer: Option<Customer>,
    /// The payment method: a token of the provider.
    pub payment_method: Option<PaymentMethod>,
    /// True if the payment goes to the provider at once.
    pub confirm: bool,
}

/// Why a payment was not confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConfirmError {
    /// The payment does not exist, or belongs to another tenant.
    #[error("there is no such payment")]
    NotFound,
    /// The state of the payment does not allow a confirmation.
    #[error("a payment that is {state} cannot be confirmed")]
    WrongState {
        /// The state of the payment.
        state: &'static str,
    },
    /// The currency was withdrawn.
    #[error("{currency} was withdrawn on {since}: no payment is made in it any more")]
    CurrencyWithdrawn {
        /// The currency.
        currency: Currency,
        /// The first day without this currency.
        since: Day,
    },
    /// The payment has no payment method.
    #[error("the payment has no payment method")]
    NoPaymentMethod,
    /// There are providers, and none of them takes the payment.
    #[error(transparent)]
    NoProvider(#[from] NoProvider),
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
            Self::NoProvider(_) => "no_provider",
        }
    }
}

/// Makes a payment, and with `confirm` its first operation.
///
/// # Errors
/// [`ConfirmError`] if the currency was withdrawn, or if the payment is to be confirmed and has no payment
/// method, or no provider takes it. Nothing is made then.
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
    // After this point nothing may fail.
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

/// Submits a payment's next operation. The operation keeps the provider that is chosen now.
///
/// # Errors
/// [`ConfirmError`] names the rule; the shelf is then unchanged.
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
    // A declined method is not tried again unless the request names it.
    let method = match from {
        PaymentState::RequiresPaymentMethod => payment_method,
        PaymentState::RequiresConfirmation
        | PaymentState::Processing
        | PaymentState::Succeeded
        | PaymentState::Canceled => payment_method.or(payment.payment_method.take()),
    };
    let method = method.ok_or(ConfirmError::NoPaymentMethod)?;
    let provider = providers.choose(payment.money.currency, &method)?;
    // After this point nothing may fail.
    let operation_id = OperationId::from_bytes(ids.next(now));
    let operation = Operation {
        id: operation_id,
        payment: id,
        attempt: shelf.attempts_of(&id).saturating_add(1),
        money: payment.money,
        state: OperationState::Submitted,
        provider: provider.name.clone(),
        // The key is stored before the first call, so that the provider recognises every later call as the same
        // operation.
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
