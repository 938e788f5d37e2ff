//! Readers that several routes share: what a field of a request may be, with its shape.

use edge::Reader;
use edge::strict_json::{BrokenRule, amount, id, moment};
use ledger::{AccountId, TransactionId};
use money::Amount;
use store::Timestamp;

use crate::wire::texts;

/// Reads the id of an account.
pub(crate) fn account() -> impl Reader<Out = AccountId> {
    id(texts::AccountId::SHAPE).map(AccountId::from_bytes)
}

/// Reads the id of a transaction.
pub(crate) fn transaction() -> impl Reader<Out = TransactionId> {
    id(texts::TransactionId::SHAPE).map(TransactionId::from_bytes)
}

/// Reads an amount of money.
pub(crate) fn positive() -> impl Reader<Out = Amount> {
    let wrong = |rule: money::AmountError| BrokenRule::new("amount_not_positive", &rule);
    amount(texts::Amount::SHAPE).checked(move |units| Amount::new(units).map_err(wrong))
}

/// Reads a moment in any zone.
pub(crate) fn any_moment() -> impl Reader<Out = Timestamp> {
    moment(texts::NewMoment::SHAPE)
}
