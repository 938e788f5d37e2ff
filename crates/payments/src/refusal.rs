//! Why a payment does not go the way that a request asks for.

use money::{Currency, Day};

use crate::customers::{CustomerId, Movement, Standing};
use crate::payouts::state::PayoutState;
use crate::{NoProvider, PaymentId, PaymentState};

/// Why nothing was done: the first broken rule, in the order of the variants.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The payment does not exist, or belongs to another tenant.
    #[error("there is no such payment")]
    NotFound,
    /// The customer does not exist, or belongs to another tenant.
    #[error("there is no such customer")]
    NoCustomer,
    /// The saved payment method does not exist, or the customer of the payment does not have it.
    #[error("the customer of the payment has no such payment method")]
    NoSavedMethod,
    /// Another payment has the external id.
    #[error("another payment has this external id")]
    ExternalIdTaken {
        /// That payment.
        by: PaymentId,
    },
    /// The state of the payment does not allow the move.
    #[error("a payment that is {state} cannot be {asked}; {}", allowed(moves))]
    WrongState {
        /// The move that was asked for, as a participle: `captured`.
        asked: &'static str,
        /// The state of the payment.
        state: &'static str,
        /// The moves that it allows, as participles.
        moves: Vec<&'static str>,
    },
    /// Another operation on the authorization has no outcome yet, and the move needs all that is left of it.
    #[error("another operation on this authorization has no outcome yet; ask again later")]
    InFlight,
    /// The state of the dispute, or of its evidence, does not allow that evidence is written or sent.
    #[error("the evidence for this dispute cannot be written or sent any more: it is {state}")]
    DisputeState {
        /// The state: `won`, `lost`, `overdue`, `submitting` or `submitted`.
        state: &'static str,
    },
    /// The state of the payout does not allow that it is canceled.
    #[error("a payout that is {} cannot be canceled{}", state.name(), why(*state))]
    PayoutState {
        /// The state.
        state: PayoutState,
    },
    /// Nothing was written that could be sent.
    #[error("no evidence was written for this dispute")]
    NoEvidence,
    /// More was asked for than is left.
    #[error("{}", too_much(*asked, *left))]
    TooMuch {
        /// The amount that was asked for, in minor units.
        asked: i64,
        /// The amount that is left, in minor units.
        left: i64,
    },
    /// The authorized amount would be too large to be counted.
    #[error("the authorized amount would be larger than 2^63 - 1")]
    Overflow,
    /// No late money of the operation is left to decide on.
    #[error("no money is left that was taken after the operation had failed")]
    NothingUnallocated,
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
    /// The account that should pay is no wallet: it is not a liability, or it is an account of payments themselves.
    #[error("this account is no wallet: only a liability that payments do not use can pay out")]
    NoWallet,
    /// The bank account does not exist, or belongs to another tenant.
    #[error("there is no such bank account")]
    NoBankAccount,
    /// The bank account is closed.
    #[error("the bank account is closed: it gets no further payout")]
    BankAccountClosed,
    /// A file for the bank cannot have the payout.
    #[error("{}", .0.about_one())]
    NotPayableByBank(bank_files::pain001::Refusal),
    /// No provider pays to this destination.
    #[error("no provider pays {0} to this destination")]
    NoPayoutProvider(Currency),
    /// There are providers, and none of them takes the payment.
    #[error(transparent)]
    NoProvider(#[from] NoProvider),
    /// The standing of the customer does not allow it.
    #[error("the customer is {}, so no {} is made for them", standing.name(), movement.name())]
    CustomerMayNot {
        /// The customer.
        customer: CustomerId,
        /// The standing.
        standing: Standing,
        /// What was asked for.
        movement: Movement,
    },
    /// The books refused the postings.
    #[error("the ledger refused: {0}")]
    Ledger(ledger::Refusal),
}

impl Refusal {
    /// The code of the rule, for the audit log.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::NoCustomer => "customer_not_found",
            Self::NoSavedMethod => "payment_method_not_found",
            Self::ExternalIdTaken { .. } => "external_id_taken",
            Self::WrongState { .. } | Self::InFlight => "payment_state_conflict",
            Self::DisputeState { .. } => "dispute_state_conflict",
            Self::PayoutState { .. } => "payout_state_conflict",
            Self::NoEvidence => "evidence_required",
            Self::TooMuch { .. } => "exceeds_remaining",
            Self::Overflow => "amount_too_large",
            Self::NothingUnallocated => "nothing_unallocated",
            Self::CurrencyWithdrawn { .. } => "currency_withdrawn",
            Self::NoPaymentMethod => "payment_method_required",
            Self::NoWallet => "no_wallet",
            Self::NoBankAccount => "bank_account_not_found",
            Self::BankAccountClosed => "bank_account_closed",
            Self::NotPayableByBank(_) => "not_payable_by_bank",
            Self::NoProvider(_) | Self::NoPayoutProvider(_) => "no_provider",
            Self::CustomerMayNot { .. } => "customer_may_not",
            Self::Ledger(_) => "refused_by_the_ledger",
        }
    }

    /// The refusal of a move that the state of the payment does not allow.
    pub(crate) fn wrong_state(asked: &'static str, payment: &crate::Payment) -> Self {
        Self::WrongState {
            asked,
            state: payment.state.name(),
            moves: payment.moves(),
        }
    }
}

/// What was asked for beside what is left.
fn too_much(asked: i64, left: i64) -> String {
    match left {
        0 => "nothing is left".to_owned(),
        left => format!("{asked} was asked for, and {left} is left"),
    }
}

/// Why a payout in this state cannot be canceled, as the end of a sentence.
const fn why(state: PayoutState) -> &'static str {
    match state {
        PayoutState::Processing => ": the provider or the bank may have it",
        PayoutState::RequiresApproval
        | PayoutState::Paid
        | PayoutState::Failed
        | PayoutState::Canceled => " any more",
    }
}

/// The moves that a state allows, as the end of a sentence.
fn allowed(moves: &[&'static str]) -> String {
    match moves {
        [] => "nothing can be done with it".to_owned(),
        moves => format!("it can be {}", moves.join(", ")),
    }
}

/// The moves that a request may ask for, as participles.
pub(crate) const CONFIRMED: &str = "confirmed";
pub(crate) const CAPTURED: &str = "captured";
pub(crate) const INCREMENTED: &str = "incremented";
pub(crate) const CANCELED: &str = "canceled";
pub(crate) const REFUNDED: &str = "refunded";

/// The moves that a state allows, apart from refunds.
pub(crate) const fn moves(state: PaymentState) -> &'static [&'static str] {
    match state {
        PaymentState::RequiresPaymentMethod | PaymentState::RequiresConfirmation => {
            &[CONFIRMED, CANCELED]
        }
        PaymentState::RequiresCapture => &[CAPTURED, INCREMENTED, CANCELED],
        PaymentState::RequiresAction
        | PaymentState::Processing
        | PaymentState::Succeeded
        | PaymentState::Canceled => &[],
    }
}

/// True if a payment in this state may ask the payer for money: it can be confirmed, or incremented.
pub(crate) const fn may_ask_for_money(state: PaymentState) -> bool {
    match state {
        PaymentState::RequiresPaymentMethod
        | PaymentState::RequiresConfirmation
        | PaymentState::RequiresCapture => true,
        PaymentState::RequiresAction
        | PaymentState::Processing
        | PaymentState::Succeeded
        | PaymentState::Canceled => false,
    }
}
