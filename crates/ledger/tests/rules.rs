//! The ledger's rules under random commands, and the order of its refusals.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may stop at the first surprise"
)]

use std::collections::BTreeMap;

use ledger::{
    Account, AccountClass, AccountId, Kind, Limits, NewAccount, NewTransaction, NormalSide,
    PostError, Posting, Shelf, TransactionId, open, post,
};
use money::{Amount, Currency, MinorUnits};
use proptest::prelude::*;
use store::{Ids, Timestamp};

const NOW: Timestamp = Timestamp::from_micros(0);

fn eur() -> Currency {
    Currency::from_code("EUR").unwrap()
}

fn account(shelf: &mut Shelf, ids: &mut Ids, side: NormalSide, floor: Option<i64>) -> AccountId {
    account_in(shelf, ids, side, floor, eur())
}

fn account_in(
    shelf: &mut Shelf,
    ids: &mut Ids,
    normal_side: NormalSide,
    floor: Option<i64>,
    currency: Currency,
) -> AccountId {
    let id = AccountId::from_bytes(ids.next(NOW));
    let floor = floor.map(MinorUnits::new);
    let new = NewAccount {
        code: id.to_string(),
        name: String::new(),
        currency,
        class: AccountClass::of("", normal_side),
        limits: floor.map_or(Limits::NONE, Limits::at_least),
        metadata: None,
    };
    open(shelf, id, new, NOW).unwrap().id
}

fn transaction(ids: &mut Ids, postings: Vec<Posting>) -> NewTransaction {
    let id = TransactionId::from_bytes(ids.next(NOW));
    NewTransaction::plain(id, Kind::Transfer, postings, NOW)
}

fn posting(debit: AccountId, credit: AccountId, amount: i64) -> Posting {
    Posting {
        debit,
        credit,
        amount: Amount::new(amount).unwrap(),
        currency: eur(),
    }
}

/// What an account must look like if every posted entry is simply added up.
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
        let (mut shelf, mut ids) = (Shelf::default(), Ids::seeded(1));
        let accounts: Vec<AccountId> = accounts
            .into_iter()
            .map(|(debit, floor)| {
                let side = if debit { NormalSide::Debit } else { NormalSide::Credit };
                account(&mut shelf, &mut ids, side, floor)
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
                accounts.iter().map(|id| shelf.account(id).unwrap().clone()).collect();
            match post(&mut shelf, transaction(&mut ids, postings.clone())) {
                Err(_rule) => {
                    let after: Vec<Account> =
                        accounts.iter().map(|id| shelf.account(id).unwrap().clone()).collect();
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
                        let after = shelf.account(id).unwrap();
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
            let account = shelf.account(id).unwrap();
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

/// Each row breaks its own rule and every later one: the earliest must be named.
#[test]
fn the_first_broken_rule_in_documented_order_is_named() {
    let (mut shelf, mut ids) = (Shelf::default(), Ids::seeded(2));
    let usd = Currency::from_code("USD").unwrap();
    let wallet = account(&mut shelf, &mut ids, NormalSide::Credit, Some(0));
    let other = account(&mut shelf, &mut ids, NormalSide::Credit, Some(0));
    let dollars = account_in(&mut shelf, &mut ids, NormalSide::Credit, Some(0), usd);
    let full = account(&mut shelf, &mut ids, NormalSide::Credit, None);
    let source = account(&mut shelf, &mut ids, NormalSide::Credit, None);
    post(
        &mut shelf,
        transaction(&mut ids, vec![posting(source, full, i64::MAX)]),
    )
    .unwrap();
    let nowhere = AccountId::from_bytes([7; 16]);

    let till = account(&mut shelf, &mut ids, NormalSide::Credit, None);
    let mut named = transaction(&mut ids, vec![posting(till, wallet, 1)]);
    named.external_id = Some("taken".to_owned());
    let taken_by = post(&mut shelf, named).unwrap().id;

    let poor = posting(other, wallet, 5);
    let overflow = posting(wallet, full, 5);
    let mismatch = posting(wallet, dollars, 5);
    let missing = posting(wallet, nowhere, 5);
    let same = posting(wallet, wallet, 5);
    let mut refuse = |postings: Vec<Posting>, external_id: Option<&str>| {
        let mut asked = transaction(&mut ids, postings);
        asked.external_id = external_id.map(str::to_owned);
        post(&mut shelf, asked).unwrap_err()
    };
    let taken = Some("taken");
    assert_eq!(
        refuse(vec![], taken),
        PostError::ExternalIdTaken { by: taken_by }
    );
    assert_eq!(refuse(vec![], None), PostError::NoPostings);
    assert_eq!(
        refuse(vec![missing, same], None),
        PostError::SameAccount { posting: 1 }
    );
    assert_eq!(
        refuse(vec![mismatch, missing], None),
        PostError::AccountNotFound {
            posting: 1,
            account: nowhere
        }
    );
    assert_eq!(
        refuse(vec![overflow, mismatch], None),
        PostError::CurrencyMismatch {
            posting: 1,
            account: dollars,
            holds: usd,
            asked: eur()
        }
    );
    assert_eq!(
        refuse(vec![poor, overflow], None),
        PostError::Overflow { account: full }
    );
    assert_eq!(
        refuse(vec![poor], None),
        PostError::InsufficientFunds {
            account: other,
            available: 0,
            floor: 0
        }
    );
}

#[test]
fn a_floor_counts_after_the_whole_transaction() {
    let (mut shelf, mut ids) = (Shelf::default(), Ids::seeded(3));
    let source = account(&mut shelf, &mut ids, NormalSide::Credit, None);
    let through = account(&mut shelf, &mut ids, NormalSide::Credit, Some(0));
    let end = account(&mut shelf, &mut ids, NormalSide::Credit, Some(0));
    let postings = vec![posting(through, end, 10), posting(source, through, 10)];
    let posted = post(&mut shelf, transaction(&mut ids, postings)).unwrap();
    assert_eq!(posted.postings[0].debit_balance, MinorUnits::new(-10));
    assert_eq!(posted.postings[1].credit_balance, MinorUnits::ZERO);
}
