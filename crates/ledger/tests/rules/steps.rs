//! Random sequences of steps. Whatever is held, posted, fulfilled, voided, expired or reversed, the counters grow,
//! nothing is released that was not pending, no balance falls below its floor, and everything balances.

use crate::given::{Books, amount, posting, units};
use ledger::{
    Account, AccountId, Condition, Demand, HoldStatus, Limits, NewFulfilment, NewRelease,
    NewReversal, Part, Pending, Phase, RecordedTransaction, Refusal, Shelf, Step, TransactionId,
    close, expire, freeze, fulfil, post, reverse, set_limits, unfreeze, void,
};
use proptest::prelude::*;
use store::Timestamp;

/// A command to try. Accounts and transactions are chosen by number among those that exist; the credited
/// account by its distance from the debited one.
#[derive(Debug, Clone)]
enum Command {
    Post(Vec<(usize, usize, i64)>),
    Pend(Vec<(usize, usize, i64)>, Option<i64>),
    Fulfil(usize, Option<(i16, i64)>, bool),
    Void(usize),
    Expire(usize),
    Reverse(usize, Option<(i16, i64)>),
    Wait(i64),
}

fn commands() -> impl Strategy<Value = Command> {
    let moved = prop_oneof![30 => 1..200_i64, 1 => (i64::MAX - 2)..=i64::MAX];
    let moved = || prop::collection::vec((0..5_usize, 1..5_usize, moved.clone()), 1..4);
    let part = || prop::option::of((0..4_i16, 1..150_i64));
    prop_oneof![
        2 => moved().prop_map(Command::Post),
        3 => (moved(), prop::option::of(1..8_i64))
            .prop_map(|(moved, life)| Command::Pend(moved, life)),
        3 => (any::<usize>(), part(), any::<bool>())
            .prop_map(|(which, part, last)| Command::Fulfil(which, part, last)),
        1 => any::<usize>().prop_map(Command::Void),
        2 => any::<usize>().prop_map(Command::Expire),
        2 => (any::<usize>(), part()).prop_map(|(which, part)| Command::Reverse(which, part)),
        2 => (1..10_i64).prop_map(Command::Wait),
    ]
}

struct Run {
    books: Books,
    accounts: Vec<AccountId>,
    now: i64,
    made: Vec<TransactionId>,
    pending: Vec<TransactionId>,
}

impl Run {
    fn carry_out(&mut self, command: &Command) -> Option<RecordedTransaction> {
        let now = Timestamp::from_micros(self.now);
        let mut heading = self.books.heading(now);
        heading.effective_at = now;
        let shelf = &mut self.books.shelf;
        let parts = |part: &Option<(i16, i64)>| -> Option<Vec<Part>> {
            part.map(|(ordinal, minor_units)| vec![(ordinal, amount(minor_units))])
        };
        let chosen = |among: &[TransactionId], which: usize| {
            let nobody = TransactionId::from_bytes([0; 16]);
            let place = which.checked_rem(among.len());
            place.map_or(nobody, |place| among[place])
        };
        let pending = |which: &usize| chosen(&self.pending, *which);
        let release = |which: &usize| NewRelease {
            heading: heading.clone(),
            pending: pending(which),
            conditions: Vec::new(),
        };
        match command {
            Command::Post(moved) => self.post(moved, None),
            Command::Pend(moved, life) => {
                let expires_at = life.map(|life| Timestamp::from_micros(self.now + life));
                self.post(moved, Some(Pending { expires_at }))
            }
            Command::Fulfil(which, part, last) => {
                let new = NewFulfilment {
                    heading: heading.clone(),
                    pending: pending(which),
                    amounts: parts(part),
                    last: *last,
                    exceed: false,
                    conditions: Vec::new(),
                };
                fulfil(shelf, new).ok()
            }
            Command::Void(which) => void(shelf, release(which)).ok(),
            Command::Expire(which) => expire(shelf, release(which)).ok(),
            Command::Reverse(which, part) => {
                let of = chosen(&self.made, *which);
                let amounts = parts(part);
                reverse(
                    shelf,
                    NewReversal {
                        heading,
                        of,
                        amounts: amounts.into(),
                        conditions: Vec::new(),
                    },
                )
                .ok()
            }
            Command::Wait(micros) => {
                self.now += micros;
                None
            }
        }
    }

    fn post(
        &mut self,
        moved: &[(usize, usize, i64)],
        pending: Option<Pending>,
    ) -> Option<RecordedTransaction> {
        let of = |place: usize| self.accounts[place % self.accounts.len()];
        let postings = moved.iter().map(|(debit, further, minor_units)| {
            posting(of(*debit), of(debit + further), *minor_units)
        });
        let mut new = self.books.transaction(postings.collect());
        let now = Timestamp::from_micros(self.now);
        (new.pending, new.effective_at, new.recorded_at) = (pending, now, now);
        post(&mut self.books.shelf, new).ok()
    }

    fn account(&self, id: &AccountId) -> Account {
        self.books.shelf.account(id).unwrap().clone()
    }

    fn all(&self) -> Vec<Account> {
        self.accounts.iter().map(|id| self.account(id)).collect()
    }
}

fn counters(account: &Account) -> [i64; 7] {
    [
        account.debits_pending,
        account.debits_posted,
        account.debits_released,
        account.credits_pending,
        account.credits_posted,
        account.credits_released,
        account.version,
    ]
}

/// The amounts that all pending transactions still hold, by side of an account.
fn held(shelf: &Shelf, pending: &[TransactionId], id: &AccountId) -> (i128, i128) {
    let (mut debits, mut credits) = (0, 0);
    for transaction in pending {
        let (_, postings) = shelf.recorded(transaction).unwrap();
        for (posted, hold) in postings.iter().zip(shelf.holds(transaction)) {
            let remaining = i128::from(hold.remaining());
            assert_eq!(posted.ordinal, hold.ordinal);
            assert_eq!(hold.status == HoldStatus::Pending, remaining > 0);
            assert!(hold.posted >= 0 && hold.released >= 0 && remaining >= 0);
            debits += if posted.posting.debit == *id {
                remaining
            } else {
                0
            };
            credits += if posted.posting.credit == *id {
                remaining
            } else {
                0
            };
        }
    }
    (debits, credits)
}

fn equal(accounts: &[Account], side: fn(&Account) -> i64, other: fn(&Account) -> i64) -> bool {
    let sum = |counter: fn(&Account) -> i64| -> i128 {
        accounts
            .iter()
            .map(|account| i128::from(counter(account)))
            .sum()
    };
    sum(side) == sum(other)
}

proptest! {
    #[test]
    fn whatever_steps_are_taken_the_books_hold(
        limits in prop::collection::vec(
            (prop::option::of(-500..0_i64), prop::option::of(200..900_i64)), 5),
        commands in prop::collection::vec(commands(), 1..60),
    ) {
        let mut books = Books::empty();
        let accounts = limits.into_iter().map(|(floor, ceiling)| {
            books.wallet(Limits::new(floor.map(units), ceiling.map(units), Some(units(10))).unwrap())
        });
        let accounts: Vec<AccountId> = accounts.collect();
        let mut run = Run { books, accounts, now: 1_000, made: Vec::new(), pending: Vec::new() };
        for command in commands {
            let before = run.all();
            let Some(posted) = run.carry_out(&command) else {
                prop_assert_eq!(before, run.all(), "a refusal changed something: {:?}", command);
                continue;
            };
            prop_assert!(!posted.postings.is_empty());
            run.made.push(posted.id);
            if posted.step == Step::Pending {
                run.pending.push(posted.id);
            }
            let after = run.all();
            for (before, after) in before.iter().zip(&after) {
                for (was, is) in counters(before).into_iter().zip(counters(after)) {
                    prop_assert!(was <= is && is >= 0);
                }
                prop_assert!(after.debits_released <= after.debits_pending);
                prop_assert!(after.credits_released <= after.credits_pending);
                let outstanding = (
                    i128::from(after.outstanding_debits()),
                    i128::from(after.outstanding_credits()),
                );
                prop_assert_eq!(outstanding, held(&run.books.shelf, &run.pending, &after.id));
                let (least, most) = (after.limits.least(), after.limits.ceiling());
                let lowered = after.available() < before.available();
                let raised = after.possible() > before.possible();
                prop_assert!(!lowered || least.is_none_or(|least| after.available() >= least));
                prop_assert!(!raised || most.is_none_or(|most| after.possible() <= most));
                let once_promised = matches!(posted.step, Step::Fulfilment | Step::Void | Step::Expiry);
                prop_assert!(!once_promised || !(lowered || raised));
                prop_assert!(after.available() <= after.posted() && after.posted() <= after.possible());
            }
            prop_assert!(equal(&after, |a| a.debits_posted, |a| a.credits_posted));
            prop_assert!(equal(&after, |a| a.debits_pending, |a| a.credits_pending));
            prop_assert!(equal(&after, |a| a.debits_released, |a| a.credits_released));
        }
    }
}

/// Two wallets; of the 100 in the first, an amount is held for the second.
fn promise(
    minor_units: i64,
    expires_at: Option<Timestamp>,
) -> (Books, AccountId, AccountId, TransactionId) {
    let mut books = Books::empty();
    let source = books.wallet(Limits::NONE);
    let ann = books.wallet(Limits::NO_OVERDRAFT);
    let bob = books.wallet(Limits::NO_OVERDRAFT);
    books.post(vec![posting(source, ann, 100)]);
    let pending = books.pend(vec![posting(ann, bob, minor_units)], expires_at);
    (books, ann, bob, pending)
}

impl Books {
    fn fulfil(
        &mut self,
        pending: TransactionId,
        part: Option<i64>,
        last: bool,
    ) -> Result<RecordedTransaction, Refusal> {
        let heading = self.heading(crate::given::NOW);
        let amounts = part.map(|part| vec![(0, amount(part))]);
        fulfil(
            &mut self.shelf,
            NewFulfilment {
                heading,
                pending,
                amounts,
                last,
                exceed: false,
                conditions: Vec::new(),
            },
        )
    }

    fn undo(
        &mut self,
        of: TransactionId,
        ordinal: i16,
        part: Option<i64>,
    ) -> Result<RecordedTransaction, Refusal> {
        let heading = self.heading(crate::given::NOW);
        let amounts = part.map(|part| vec![(ordinal, amount(part))]);
        reverse(
            &mut self.shelf,
            NewReversal {
                heading,
                of,
                amounts: amounts.into(),
                conditions: Vec::new(),
            },
        )
    }

    fn balances(&self, id: AccountId) -> (i64, i64, i64, i64) {
        let account = self.shelf.account(&id).unwrap();
        let (posted, pending) = (account.posted(), account.pending());
        let (available, possible) = (account.available(), account.possible());
        (posted.get(), pending.get(), available.get(), possible.get())
    }
}

#[test]
fn what_is_promised_is_posted_in_parts_and_the_last_one_releases_the_rest() {
    let (mut books, ann, bob, pending) = promise(60, None);
    assert_eq!(books.balances(ann), (100, 40, 40, 100));
    assert_eq!(books.balances(bob), (0, 60, 0, 60));

    books.fulfil(pending, Some(20), false).unwrap();
    assert_eq!(books.balances(ann), (80, 40, 40, 80));
    assert_eq!(books.balances(bob), (20, 60, 20, 60));
    let refused = books.fulfil(pending, Some(41), false);
    assert_eq!(
        refused.unwrap_err(),
        Refusal::ExceedsPending {
            ordinal: 0,
            remaining: 40
        }
    );

    let last = books.fulfil(pending, Some(10), true).unwrap();
    let phases: Vec<(i16, Phase, i64)> = last
        .postings
        .iter()
        .map(|p| (p.ordinal, p.phase, p.posting.amount.get()))
        .collect();
    assert_eq!(
        phases,
        [(0, Phase::Fulfilled, 10), (100, Phase::Released, 30)]
    );
    assert_eq!(books.balances(ann), (70, 70, 70, 70));
    assert_eq!(books.balances(bob), (30, 30, 30, 30));
    let how = HoldStatus::Posted;
    assert_eq!(
        books.fulfil(pending, None, false).unwrap_err(),
        Refusal::Ended { how }
    );
}

impl Books {
    /// Posts the given amounts of these postings, whatever they hold.
    fn exceed(
        &mut self,
        pending: TransactionId,
        parts: &[(i16, i64)],
        last: bool,
    ) -> Result<Vec<(i16, Phase, i64)>, Refusal> {
        let parts = parts
            .iter()
            .map(|(ordinal, part)| (*ordinal, amount(*part)));
        let new = NewFulfilment {
            heading: self.heading(crate::given::NOW),
            pending,
            amounts: Some(parts.collect()),
            last,
            exceed: true,
            conditions: Vec::new(),
        };
        let posted = fulfil(&mut self.shelf, new)?.postings;
        let told = posted.iter();
        Ok(told
            .map(|p| (p.ordinal, p.phase, p.posting.amount.get()))
            .collect())
    }
}

#[test]
fn what_exceeds_a_hold_is_posted_beside_it_as_far_as_the_limits_allow() {
    // Ann has 100; 60 of them are held for Bob.
    let (mut books, ann, bob, pending) = promise(60, None);
    let before = books.shelf.clone();
    let refused = books.exceed(pending, &[(0, 101)], false);
    let (available, floor) = (40, 0);
    assert_eq!(
        refused,
        Err(Refusal::InsufficientFunds {
            account: ann,
            available,
            floor
        })
    );
    set_limits(
        &mut books.shelf,
        bob,
        Limits::new(None, Some(units(79)), None).unwrap(),
    )
    .unwrap();
    let refused = books.exceed(pending, &[(0, 80)], false);
    let (possible, ceiling) = (60, 79);
    assert_eq!(
        refused,
        Err(Refusal::CeilingExceeded {
            account: bob,
            possible,
            ceiling
        })
    );
    assert_eq!(books.shelf.holds(&pending)[0].remaining(), 60);
    books.shelf = before;

    let told = books.exceed(pending, &[(0, 80)], false);
    let expected = vec![(0, Phase::Fulfilled, 60), (200, Phase::Posted, 20)];
    assert_eq!(told, Ok(expected));
    assert_eq!(books.balances(ann), (20, 20, 20, 20));
    assert_eq!(books.balances(bob), (80, 80, 80, 80));
    let hold = books.shelf.holds(&pending)[0];
    assert_eq!((hold.posted, hold.released), (60, 0));
    assert_eq!(hold.status, HoldStatus::Posted);
    // The pending transaction has ended, so nothing is allowed, whatever is requested.
    let how = HoldStatus::Posted;
    let refused = books.exceed(pending, &[(0, 1)], false);
    assert_eq!(refused, Err(Refusal::Ended { how }));
}

#[test]
fn no_more_than_is_held_is_exceeding_and_the_rest_may_be_released_with_it() {
    let mut books = Books::empty();
    let [ann, bob, eve, joe] = [(); 4].map(|()| books.wallet(Limits::NONE));
    let two = || vec![posting(ann, bob, 10), posting(eve, joe, 10)];
    let pending = books.pend(two(), None);
    let told = books.exceed(pending, &[(1, 4)], false);
    assert_eq!(told, Ok(vec![(1, Phase::Fulfilled, 4)]));
    let told = books.exceed(pending, &[(1, 15)], true);
    let expected = vec![
        (1, Phase::Fulfilled, 6),
        (100, Phase::Released, 10),
        (201, Phase::Posted, 9),
    ];
    assert_eq!(told, Ok(expected));
    assert_eq!(books.balances(joe), (19, 19, 19, 19));
    assert_eq!(books.balances(bob), (0, 0, 0, 0));

    // One posting holds nothing any more, while another one does.
    let pending = books.pend(two(), None);
    books.exceed(pending, &[(0, 10)], false).unwrap();
    let told = books.exceed(pending, &[(0, 3)], false);
    assert_eq!(told, Ok(vec![(200, Phase::Posted, 3)]));
    // The excess moves its accounts, so they must be open.
    freeze(&mut books.shelf, ann).unwrap();
    let refused = books.exceed(pending, &[(0, 1)], false);
    assert_eq!(refused, Err(Refusal::AccountFrozen { account: ann }));
}

#[test]
fn what_exceeded_a_hold_is_reversed_with_it_or_alone() {
    let (mut books, ann, _, pending) = promise(60, None);
    let new = NewFulfilment {
        heading: books.heading(crate::given::NOW),
        pending,
        amounts: Some(vec![(0, amount(80))]),
        last: false,
        exceed: true,
        conditions: Vec::new(),
    };
    let posted = fulfil(&mut books.shelf, new).unwrap().id;
    let refused = books.undo(posted, 200, Some(21)).unwrap_err();
    let (ordinal, remaining) = (200, 20);
    assert_eq!(refused, Refusal::ExceedsPosted { ordinal, remaining });
    books.undo(posted, 200, Some(5)).unwrap();
    assert_eq!(books.balances(ann), (25, 25, 25, 25));
    let rest = books.undo(posted, 0, None).unwrap().postings;
    let rest: Vec<(i16, i64)> = rest
        .iter()
        .map(|p| (p.ordinal, p.posting.amount.get()))
        .collect();
    assert_eq!(rest, [(0, 60), (200, 15)]);
    assert_eq!(books.balances(ann), (100, 100, 100, 100));
}

#[test]
fn what_was_promised_is_not_available_twice() {
    let (mut books, ann, bob, _) = promise(60, None);
    let new = books.transaction(vec![posting(ann, bob, 41)]);
    let refused = post(&mut books.shelf, new).unwrap_err();
    assert_eq!(
        refused,
        Refusal::InsufficientFunds {
            account: ann,
            available: 40,
            floor: 0
        }
    );
}

#[test]
fn a_frozen_account_lets_nothing_be_posted_but_what_it_holds_be_voided() {
    let (mut books, ann, _, pending) = promise(60, None);
    freeze(&mut books.shelf, ann).unwrap();
    let refused = books.fulfil(pending, None, false).unwrap_err();
    assert_eq!(refused, Refusal::AccountFrozen { account: ann });
    assert!(
        close(&mut books.shelf, ann).is_err(),
        "something is pending"
    );
    let heading = books.heading(crate::given::NOW);
    void(
        &mut books.shelf,
        NewRelease {
            heading,
            pending,
            conditions: Vec::new(),
        },
    )
    .unwrap();
    assert_eq!(books.balances(ann), (100, 100, 100, 100));
    assert_eq!(books.shelf.holds(&pending)[0].status, HoldStatus::Voided);
    unfreeze(&mut books.shelf, ann).unwrap();
    assert_eq!(books.shelf.account(&ann).unwrap().revision, 2);
}

#[test]
fn a_fulfilment_is_reversed_in_parts_and_never_over_what_was_posted() {
    let (mut books, ann, bob, pending) = promise(60, None);
    let fulfilled = books.fulfil(pending, Some(50), true).unwrap();
    let first = books.undo(fulfilled.id, 0, Some(20)).unwrap();
    assert_eq!(
        (first.step, first.about),
        (Step::Reversal, Some(fulfilled.id))
    );
    let refused = books.undo(fulfilled.id, 0, Some(31)).unwrap_err();
    assert_eq!(
        refused,
        Refusal::ExceedsPosted {
            ordinal: 0,
            remaining: 30
        }
    );
    // The amount that the fulfilment released was never posted.
    let refused = books.undo(fulfilled.id, 100, Some(1)).unwrap_err();
    let (ordinal, step) = (100, Step::Reversal);
    assert_eq!(refused, Refusal::PostingNotFound { ordinal, step });
    books.undo(fulfilled.id, 0, None).unwrap();
    assert_eq!(
        books.undo(fulfilled.id, 0, None).unwrap_err(),
        Refusal::Reversed
    );
    assert_eq!(
        books.undo(first.id, 0, None).unwrap_err(),
        Refusal::NotReversible { step }
    );
    assert_eq!(books.balances(ann), (100, 100, 100, 100));
    assert_eq!(books.balances(bob), (0, 0, 0, 0));
}

/// The reply follows the stored order, so a repeated request gets the same reply.
#[test]
fn a_reversal_is_told_in_the_order_of_the_postings_whichever_part_was_named_first() {
    let (mut books, ann, bob, _) = promise(60, None);
    let of = books.post(vec![posting(ann, bob, 20), posting(ann, bob, 10)]);
    let heading = books.heading(crate::given::NOW);
    let amounts = Some(vec![(1, amount(10)), (0, amount(5))]);
    let new = NewReversal {
        heading,
        of,
        amounts: amounts.into(),
        conditions: Vec::new(),
    };
    let told = reverse(&mut books.shelf, new).unwrap().postings;
    let told: Vec<(i16, i64)> = told.iter().map(|p| (p.ordinal, p.debit_version)).collect();
    assert_eq!(told, [(0, 5), (1, 4)]);
}

#[test]
fn what_has_expired_is_not_posted_even_before_it_is_swept_up() {
    let (mut books, ann, _, pending) = promise(60, Some(crate::given::LATER));
    let expires_at = crate::given::LATER;
    let heading = books.heading(expires_at);
    let (amounts, last) = (None, false);
    let new = NewFulfilment {
        heading,
        pending,
        amounts,
        last,
        exceed: false,
        conditions: Vec::new(),
    };
    let refused = fulfil(&mut books.shelf, new).unwrap_err();
    assert_eq!(refused, Refusal::Expired { expires_at });
    let heading = books.heading(expires_at);
    expire(
        &mut books.shelf,
        NewRelease {
            heading,
            pending,
            conditions: Vec::new(),
        },
    )
    .unwrap();
    assert_eq!(books.balances(ann), (100, 100, 100, 100));
    assert_eq!(books.shelf.holds(&pending)[0].status, HoldStatus::Expired);
}

#[test]
fn a_condition_of_a_part_is_about_what_that_part_moves() {
    let mut books = Books::empty();
    let [ann, bob, eve, joe] = [(); 4].map(|()| books.wallet(Limits::NONE));
    let pending = books.pend(vec![posting(ann, bob, 10), posting(eve, joe, 10)], None);
    let demand = Demand::AvailableAtLeast(units(-10));
    let mut part = |account, last| {
        let new = NewFulfilment {
            heading: books.heading(crate::given::NOW),
            pending,
            amounts: Some(vec![(0, amount(5))]),
            last,
            exceed: false,
            conditions: vec![Condition { account, demand }],
        };
        fulfil(&mut books.shelf, new).map(|_posted| ())
    };
    let (condition, step) = (0, Step::Fulfilment);
    let refused = Refusal::ConditionElsewhere { condition, step };
    assert_eq!(part(joe, false), Err(refused));
    assert_eq!(part(ann, false), Ok(()));
    // The last part moves the amount that it releases.
    assert_eq!(part(joe, true), Ok(()));
}
