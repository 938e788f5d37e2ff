//! The balances that a request leaves on the accounts: one rule for all answers of payments.
//!
//! An answer lists the accounts of all that its operation (or its reserve, release or exception) has posted so far,
//! each with its balance and version as the books have them when the answer is made. The answer is made and saved in
//! the commit of the outcome, and the rows are locked by it, so a repetition has the same bytes, and each balance is one
//! that the account really had. An object that is read has no such list, and a refusal has none either: what it took is
//! back where it came from.

use edge::reply;
use engine::Reply;
use ledger::Account;
use serde::Serialize;
use utoipa::ToSchema;

use crate::Operation;
use crate::postings::accounts::SOURCE;
use crate::postings::{Posted, PostingSet, sets_of};
use crate::shapes::*;

/// The accounts that a request has touched, as it left them, in the order in which its postings name them.
#[derive(Debug, Clone, Default)]
pub struct BalancesAfter(Vec<Account>);

impl BalancesAfter {
    /// A request that has moved no money.
    pub(crate) const NONE: Self = Self(Vec::new());

    /// The accounts of all that an operation has posted.
    pub(crate) fn by_operation(books: &ledger::Shelf, operation: &Operation) -> Self {
        Self::by(books, operation, &sets_of(operation))
    }

    /// The accounts of these sets. A line of nothing was not posted.
    pub(crate) fn by(books: &ledger::Shelf, of: &impl Posted, sets: &[PostingSet]) -> Self {
        let lines = sets.iter().flat_map(|set| set.lines);
        let lines = lines.filter(|(_, _, share)| of.share(*share) > 0);
        let roles = lines.flat_map(|(debit, credit, _)| [debit, credit]);
        let mut ids: Vec<ledger::AccountId> = Vec::new();
        for role in roles {
            let id = match of.source() {
                Some(source) if *role == &SOURCE => Some(source),
                Some(_) | None => books.id_of(&role.code(of.currency())),
            };
            ids.extend(id.filter(|id| !ids.contains(id)));
        }
        Self(
            ids.iter()
                .filter_map(|id| books.account(id))
                .cloned()
                .collect(),
        )
    }
}

/// The balance of an account right after the request.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountAfter {
    /// `acc_…`
    #[schema(value_type = AccountId)]
    pub account: String,
    /// The code of the account.
    #[schema(value_type = AccountCode)]
    pub code: String,
    /// ISO 4217 code.
    #[schema(value_type = IsoCurrencyCode)]
    pub currency: String,
    /// The posted balance, in minor units on the account's normal side.
    #[schema(value_type = MinorUnits)]
    pub posted: i64,
    /// The number of entries that the account then had.
    #[schema(value_type = Count)]
    pub version: i64,
}

impl AccountAfter {
    fn of(account: &Account) -> Self {
        Self {
            account: account.id.to_string(),
            code: account.code.clone(),
            currency: account.currency.code().to_owned(),
            posted: account.posted().get(),
            version: account.version,
        }
    }
}

/// An object in the answers to requests that move money.
pub(crate) trait Moved: Serialize {
    /// The place of the balances in it.
    fn balances_after(&mut self) -> &mut Option<Vec<AccountAfter>>;
}

/// Implements [`Moved`] for an object by its field `balances_after`.
macro_rules! moved {
    ($object:ty) => {
        impl $crate::balances_after::Moved for $object {
            fn balances_after(&mut self) -> &mut Option<Vec<AccountAfter>> {
                &mut self.balances_after
            }
        }
    };
}

pub(crate) use moved;

/// The answer to a request that moves money: the object, and the balances after it.
pub(crate) fn answer(status: u16, mut object: impl Moved, after: &BalancesAfter) -> Reply {
    let shown = after.0.iter().map(AccountAfter::of);
    *object.balances_after() = Some(shown.collect());
    reply::json(status, &object)
}
