//! The ledger's rules under random commands, and the order of its refusals.

use std::collections::BTreeMap;

use ledger::{Account, AccountClass, AccountId, Limits, Posting, post};
use proptest::prelude::*;

use crate::given::{Books, eur, posting, units};

/// The expected state of an account: the plain sums of all posted entries.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Sums {
    debits: i128,
    credits: i128,
    entries: i64,
}

fn amounts() -> impl Strategy<Value = i64> {
    prop_oneof![4 => 1..500_i64, 1 => (i64::MAX - 3)..=i64::MAX]
}

proptest! {
    #[test]
    fn whatever_is_posted_the_books_balance_and_a_refusal_changes_nothing(
        accounts in prop::collection::vec((any::<bool>(), prop::option::of(-100..100_i64)), 2..6),
        commands in prop::collection::vec(
            prop::collection::vec((0..6_usize, 0..6_usize, amounts()), 0..4), 1..40),
    ) {
        let mut books = Books::empty();
        let accounts: Vec<AccountId> = accounts
            .into_iter()
            .map(|(debit, floor)| {
                let class = if debit { AccountClass::Asset } else { AccountClass::Liability };
                let limits = floor.map_or(Limits::NONE, |floor| Limits::at_least(units(floor)));
                books.account(class, limits, eur())
            })
            .collect();
        let mut model: BTreeMap<AccountId, Sums> = BTreeMap::new();
        for command in commands {
            let postings: Vec<Posting> = command
                .iter()
                .map(|(d, c, amount)| {
                    posting(accounts[d % accounts.len()], accounts[c % accounts.len()], *amount)
                })
                .collect();
            let before: Vec<Account> =
                accounts.iter().map(|id| books.shelf.account(id).unwrap().clone()).collect();
            let new = books.transaction(postings.clone());
            match post(&mut books.shelf, new) {
                Err(_rule) => {
                    let after: Vec<Account> =
                        accounts.iter().map(|id| books.shelf.account(id).unwrap().clone()).collect();
                    prop_assert_eq!(before, after);
                }
                Ok(posted) => {
                    prop_assert_eq!(posted.postings.len(), postings.len());
                    for p in posted.postings {
                        let sums = model.entry(p.posting.debit).or_default();
                        sums.debits += i128::from(p.posting.amount.get());
                        sums.entries += 1;
                        prop_assert_eq!(p.debit_version, sums.entries);
                        let sums = model.entry(p.posting.credit).or_default();
                        sums.credits += i128::from(p.posting.amount.get());
                        sums.entries += 1;
                        prop_assert_eq!(p.credit_version, sums.entries);
                    }
                    for (id, before) in accounts.iter().zip(&before) {
                        let after = books.shelf.account(id).unwrap();
                        if let Some(floor) = after.limits.floor() {
                            let lowered = after.available() < before.available();
                            prop_assert!(!lowered || after.available() >= floor);
                        }
                    }
                }
            }
        }
        let (mut debits, mut credits) = (0_i128, 0_i128);
        for id in &accounts {
            let account = books.shelf.account(id).unwrap();
            let sums = model.remove(id).unwrap_or_default();
            prop_assert_eq!(i128::from(account.debits_posted), sums.debits);
            prop_assert_eq!(i128::from(account.credits_posted), sums.credits);
            prop_assert_eq!(account.version, sums.entries);
            debits += sums.debits;
            credits += sums.credits;
        }
        prop_assert_eq!(debits, credits);
    }
}

#[test]
fn a_floor_counts_after_the_whole_transaction() {
    let mut books = Books::empty();
    let source = books.wallet(Limits::NONE);
    let through = books.wallet(Limits::NO_OVERDRAFT);
    let end = books.wallet(Limits::NO_OVERDRAFT);
    let postings = vec![posting(through, end, 10), posting(source, through, 10)];
    let new = books.transaction(postings);
    let posted = post(&mut books.shelf, new).unwrap();
    assert_eq!(posted.postings[0].debit_balance, units(-10));
    assert_eq!(posted.postings[1].credit_balance, units(0));
}
