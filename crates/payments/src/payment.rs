//! A payment, and the rules for making and confirming one: the first of the three phases.

use ledger::Metadata;
use money::{Amount, Currency, Money};
use store::{Ids, Timestamp};
use text::{Identifier, Text, Token};

use crate::customers::{CustomerId, SavedMethodId};
use crate::state::{OperationEvent, OperationState, PaymentEvent, PaymentState};
use crate::terms::{CaptureTerms, TermsShelf};
use crate::{NoProvider, Operation, OperationId, OperationKind, Provider, Providers};
use crate::{Refusal, Shelf, refusal};

store::typed_id!(
    /// A payment's id: `pay_…`.
    PaymentId,
    "pay"
);

/// The merchant's own name for a payment or a customer; unique per tenant.
pub type ExternalId = Identifier<255>;
/// A description for people.
pub type Description = Text<500>;
/// A payment method: a token of the provider. A card number is put into this field most easily, so it must not
/// have one anywhere. It must not have control characters, because a provider repeats it in its answers.
pub type PaymentMethod = Token<255>;

/// When the money is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CaptureMethod {
    /// With the authorization.
    Automatic,
    /// Later, when the merchant asks for it.
    Manual,
}

impl CaptureMethod {
    /// Every method.
    pub const ALL: [Self; 2] = [Self::Automatic, Self::Manual];

    /// The name, as it is stored and shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Automatic => "automatic",
            Self::Manual => "manual",
        }
    }

    /// The method with this stored name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }
}

/// A merchant's demand for money. Amounts are minor units of `money.currency`.
///
/// The authorized amount has four parts: captured, capturable, released, and the part in flight. Each commit that
/// uses a part moves it, so two requests can never use the same money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// Its id.
    pub id: PaymentId,
    /// The amount that is demanded.
    pub money: Money,
    /// When the money is taken.
    pub capture_method: CaptureMethod,
    /// The state of the payment.
    pub state: PaymentState,
    /// The authorized amount.
    pub authorized: i64,
    /// The part of it that can still be captured or voided.
    pub capturable: i64,
    /// The part of it that was captured.
    pub captured: i64,
    /// The part of it that will never be captured.
    pub released: i64,
    /// The amount of increments whose outcome is not known.
    pub incrementing: i64,
    /// The amount of refunds that have not failed, those without an outcome among them.
    pub refunded: i64,
    /// The part of the captured amount that is disputed and was not refunded, of disputes that were not won.
    pub disputed: i64,
    /// The merchant's own name for the payment.
    pub external_id: Option<String>,
    /// A description for people.
    pub description: Option<String>,
    /// The metadata that the merchant keeps with it.
    pub metadata: Option<Metadata>,
    /// The payer.
    pub customer: Option<CustomerId>,
    /// The payment method: a token of the provider.
    pub payment_method: Option<String>,
    /// The saved payment method that the token is from.
    pub saved_method: Option<SavedMethodId>,
    /// The reason for which the last attempt was declined.
    pub decline_code: Option<String>,
    /// Where the payer must go, while the payment waits for the payer.
    pub action_url: Option<String>,
    /// The provider of the last attempt.
    pub provider: Option<String>,
    /// The provider's reference of the charge that has succeeded.
    pub charge_ref: Option<String>,
    /// Number of conversations with a provider.
    pub attempts: i32,
    /// Number of operations.
    pub operations: i32,
    /// When what is left of the authorization is given up.
    pub capture_before: Option<Timestamp>,
    /// The key of the request that made the payment; empty if it had none.
    pub idempotency_key: String,
    /// Number of the present version, from 1. Each change makes the next one.
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
    /// When the money is taken.
    pub capture_method: CaptureMethod,
    /// The merchant's own name for the payment.
    pub external_id: Option<ExternalId>,
    /// A description for people.
    pub description: Option<Description>,
    /// The metadata that the merchant keeps with it.
    pub metadata: Option<Metadata>,
    /// The payer.
    pub customer: Option<CustomerId>,
    /// The payment method.
    pub payment_method: Option<ChosenMethod>,
    /// True if the payment goes to the provider at once.
    pub confirm: bool,
}

/// A payment method with which a payment goes to a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChosenMethod {
    /// The provider's token.
    pub token: String,
    /// The saved payment method that the token is from.
    pub saved: Option<SavedMethodId>,
    /// The provider that the token belongs to, if that is known. It gets the payment, whatever the rules choose.
    pub provider: Option<String>,
}

impl From<PaymentMethod> for ChosenMethod {
    fn from(token: PaymentMethod) -> Self {
        Self {
            token: token.into(),
            saved: None,
            provider: None,
        }
    }
}

impl ChosenMethod {
    /// The provider that a payment in this currency goes to.
    fn provider<'p>(
        &self,
        providers: &'p Providers,
        currency: Currency,
    ) -> Result<&'p Provider, NoProvider> {
        match &self.provider {
            Some(name) => providers.choose_named(name, currency, &self.token),
            None => {
                let provider = providers.choose(currency, &self.token)?;
                // A bank is not asked for money.
                match provider.bank {
                    None => Ok(provider),
                    Some(_) => Err(NoProvider::Method(currency)),
                }
            }
        }
    }
}

/// An operation that a rule is about to submit.
pub(crate) struct NewOperation {
    pub(crate) kind: OperationKind,
    pub(crate) amount: Amount,
    /// The part of the authorization that it takes.
    pub(crate) reserved: i64,
    pub(crate) provider: String,
    /// The charge that it is about.
    pub(crate) charge_ref: Option<String>,
    pub(crate) payment_method: String,
    /// The fee, and when the money is available; `None` if nothing is captured.
    pub(crate) terms: Option<CaptureTerms>,
    pub(crate) reason: Option<String>,
    pub(crate) idempotency_key: String,
}

impl Payment {
    /// The part of the authorization that is being captured or voided, and whose outcome is not known.
    #[must_use]
    pub const fn in_flight(&self) -> i64 {
        let ended = self.captured.saturating_add(self.released);
        let rest = self.authorized.saturating_sub(self.capturable);
        rest.saturating_sub(ended)
    }

    /// The amount that can still be refunded.
    #[must_use]
    pub const fn refundable(&self) -> i64 {
        let captured = self.captured.saturating_sub(self.refunded);
        captured.saturating_sub(self.disputed)
    }

    /// The moves that are legal now, as participles.
    #[must_use]
    pub fn moves(&self) -> Vec<&'static str> {
        let mut moves = refusal::moves(self.state).to_vec();
        if self.refundable() > 0 {
            moves.push(refusal::REFUNDED);
        }
        moves
    }

    /// The event that brings the state into line with the amounts of the authorization; `None` if the state fits.
    pub(crate) const fn event_of_amounts(&self) -> Option<PaymentEvent> {
        use PaymentState as S;
        match self.state {
            S::Processing if self.capturable > 0 => Some(PaymentEvent::Reopened),
            S::Processing if self.in_flight() > 0 => None,
            S::Processing if self.captured > 0 => Some(PaymentEvent::Captured),
            S::Processing => Some(PaymentEvent::Voided),
            S::RequiresCapture if self.capturable > 0 => None,
            S::RequiresCapture => Some(PaymentEvent::Closing),
            S::RequiresPaymentMethod
            | S::RequiresConfirmation
            | S::RequiresAction
            | S::Succeeded
            | S::Canceled => None,
        }
    }
}

/// Makes a payment, and with `confirm` its first operation.
///
/// # Errors
/// [`Refusal`] if the currency was withdrawn, or if the payment is to be confirmed and has no payment method, or no
/// provider takes it. Nothing is made then.
pub fn create(
    shelf: &mut Shelf,
    new: NewPayment,
    idempotency_key: &str,
    (providers, terms): (&Providers, &TermsShelf),
    ids: &mut Ids,
    now: Timestamp,
) -> Result<(Payment, Option<Operation>), Refusal> {
    check_currency(new.money.currency, now)?;
    let external_id = new.external_id.map(String::from);
    if let Some(by) = external_id.as_ref().and_then(|id| shelf.payment_named(id)) {
        return Err(Refusal::ExternalIdTaken { by });
    }
    if new.confirm {
        let method = new.payment_method.as_ref();
        let method = method.ok_or(Refusal::NoPaymentMethod)?;
        method.provider(providers, new.money.currency)?;
    }
    // After this point nothing may fail.
    let state = match new.payment_method {
        None => PaymentState::RequiresPaymentMethod,
        Some(_) => PaymentState::RequiresConfirmation,
    };
    let payment = Payment {
        id: PaymentId::from_bytes(ids.next(now)),
        money: new.money,
        capture_method: new.capture_method,
        state,
        authorized: 0,
        capturable: 0,
        captured: 0,
        released: 0,
        incrementing: 0,
        refunded: 0,
        disputed: 0,
        external_id,
        description: new.description.map(String::from),
        metadata: new.metadata,
        customer: new.customer,
        saved_method: new.payment_method.as_ref().and_then(|method| method.saved),
        payment_method: new
            .payment_method
            .as_ref()
            .map(|method| method.token.clone()),
        decline_code: None,
        action_url: None,
        provider: None,
        charge_ref: None,
        attempts: 0,
        operations: 0,
        capture_before: None,
        idempotency_key: idempotency_key.to_owned(),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let id = payment.id;
    shelf.put_new_payment(payment.clone());
    if new.confirm {
        let known = (providers, terms);
        let method = new.payment_method;
        let confirmed = confirm(shelf, id, method, idempotency_key, known, ids, now)?;
        let (mut payment, operation) = confirmed;
        // It was made and confirmed by one command, so this is its first version.
        payment.version = 1;
        shelf.put_payment(payment.clone());
        return Ok((payment, Some(operation)));
    }
    Ok((payment, None))
}

/// Submits the operation with which a payment's next attempt begins. The operation keeps the provider that is chosen
/// now.
///
/// # Errors
/// [`Refusal`] names the rule; the shelf is then unchanged.
pub fn confirm(
    shelf: &mut Shelf,
    id: PaymentId,
    payment_method: Option<ChosenMethod>,
    idempotency_key: &str,
    (providers, terms): (&Providers, &TermsShelf),
    ids: &mut Ids,
    now: Timestamp,
) -> Result<(Payment, Operation), Refusal> {
    let mut payment = shelf.payment(&id).ok_or(Refusal::NotFound)?.clone();
    let from = payment.state;
    let to = from.on(PaymentEvent::Confirmed);
    let to = to.map_err(|_illegal| Refusal::wrong_state(refusal::CONFIRMED, &payment))?;
    check_currency(payment.money.currency, now)?;
    // A declined method is not tried again unless the request names it.
    let method = match from {
        PaymentState::RequiresPaymentMethod => payment_method,
        PaymentState::RequiresConfirmation
        | PaymentState::RequiresAction
        | PaymentState::Processing
        | PaymentState::RequiresCapture
        | PaymentState::Succeeded
        | PaymentState::Canceled => payment_method.or_else(|| {
            Some(ChosenMethod {
                token: payment.payment_method.take()?,
                saved: payment.saved_method,
                provider: None,
            })
        }),
    };
    let method = method.ok_or(Refusal::NoPaymentMethod)?;
    let provider = method.provider(providers, payment.money.currency)?;
    // After this point nothing may fail.
    let new = NewOperation {
        kind: match payment.capture_method {
            CaptureMethod::Automatic => OperationKind::Charge,
            CaptureMethod::Manual => OperationKind::Authorize,
        },
        amount: payment.money.amount,
        reserved: 0,
        provider: provider.name.clone(),
        charge_ref: None,
        terms: match payment.capture_method {
            CaptureMethod::Automatic => Some(terms.of(payment.money, &method.token)),
            CaptureMethod::Manual => None,
        },
        payment_method: method.token.clone(),
        reason: None,
        idempotency_key: idempotency_key.to_owned(),
    };
    payment.attempts = payment.attempts.saturating_add(1);
    let operation = submit(shelf, &mut payment, new, ids, now);
    shelf.record("payment", id.bytes(), from.name(), to.name(), now);
    payment.state = to;
    payment.provider = Some(provider.name.clone());
    payment.capture_before = match payment.capture_method {
        CaptureMethod::Automatic => None,
        CaptureMethod::Manual => Some(now.plus_millis(provider.authorization_millis)),
    };
    payment.payment_method = Some(method.token);
    payment.saved_method = method.saved;
    payment.decline_code = None;
    shelf.change_payment(&mut payment, now);
    Ok((payment, operation))
}

/// Adds an operation that goes to its provider after the commit. The caller stores the payment.
pub(crate) fn submit(
    shelf: &mut Shelf,
    payment: &mut Payment,
    new: NewOperation,
    ids: &mut Ids,
    now: Timestamp,
) -> Operation {
    let mut operation = add(shelf, payment, new, ids, now);
    shelf.step_operation(&mut operation, OperationEvent::Submitted, now);
    operation
}

/// Adds an operation that does not go to its provider yet. The caller stores the payment.
pub(crate) fn add(
    shelf: &mut Shelf,
    payment: &mut Payment,
    new: NewOperation,
    ids: &mut Ids,
    now: Timestamp,
) -> Operation {
    payment.operations = payment.operations.saturating_add(1);
    let id = OperationId::from_bytes(ids.next(now));
    let operation = Operation {
        id,
        subject: payment.id.bytes(),
        ordinal: payment.operations,
        attempt: payment.attempts,
        kind: new.kind,
        source: None,
        money: Money {
            amount: new.amount,
            currency: payment.money.currency,
        },
        reserved: new.reserved,
        fee: new.terms.as_ref().map_or(0, |terms| terms.fee),
        terms: new.terms.as_ref().and_then(|terms| terms.version),
        delay: new.terms.as_ref().map(|terms| terms.delay),
        available_on: None,
        unreleased: 0,
        made_available: 0,
        from_pending: 0,
        unallocated: 0,
        allocated: 0,
        given_back: 0,
        gives_back: None,
        state: OperationState::Created,
        provider: new.provider,
        // The key is stored before the first call, so that the provider recognises every later call as the same
        // operation.
        provider_key: shelf.provider_key(id),
        provider_ref: None,
        charge_ref: new.charge_ref,
        decline_code: None,
        payment_method: new.payment_method,
        reason: new.reason,
        description: None,
        metadata: None,
        idempotency_key: new.idempotency_key,
        version: 1,
        created_at: now,
    };
    shelf.put_new_operation(operation.clone());
    operation
}

/// Submits an operation on the charge of a payment, and stores the payment, whose amounts the caller has changed.
pub(crate) fn submit_on_charge(
    shelf: &mut Shelf,
    mut payment: Payment,
    new: OnCharge,
    ids: &mut Ids,
    now: Timestamp,
) -> (Payment, Operation) {
    let new = NewOperation {
        kind: new.kind,
        amount: new.amount,
        reserved: new.reserved,
        provider: payment.provider.clone().unwrap_or_default(),
        charge_ref: payment.charge_ref.clone(),
        payment_method: payment.payment_method.clone().unwrap_or_default(),
        terms: new.terms,
        reason: new.reason,
        idempotency_key: new.idempotency_key,
    };
    let operation = submit(shelf, &mut payment, new, ids, now);
    shelf.follow_amounts(&mut payment, now);
    shelf.change_payment(&mut payment, now);
    (payment, operation)
}

/// An operation on the charge of a payment.
pub(crate) struct OnCharge {
    pub(crate) kind: OperationKind,
    pub(crate) amount: Amount,
    pub(crate) reserved: i64,
    pub(crate) terms: Option<CaptureTerms>,
    pub(crate) reason: Option<String>,
    pub(crate) idempotency_key: String,
}

fn check_currency(currency: Currency, now: Timestamp) -> Result<(), Refusal> {
    match ledger::withdrawn(currency, now) {
        Some(since) => Err(Refusal::CurrencyWithdrawn { currency, since }),
        None => Ok(()),
    }
}
