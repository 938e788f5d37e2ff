//! The edges of the range of an `i64`: counters that are nearly full, and limits that are the least and the greatest
//! numbers. The decisions are compared with wider integers.

use ledger::{
    Account, AccountClass, AccountId, Limits, LimitsError, NewFulfilment, NewRelease, NewReversal,
    NewTransaction, NormalSide, Pending, Posting, Refusal, fulfil, post, reverse, void,
};
use money::MinorUnits;
use proptest::prelude::*;

use crate::given::{Books, NOW, amount, eur, posting, units};

const MAX: i128 = (1 << 63) - 1;

/// One side of an account: posted, pending, released.
type Side = [i128; 3];

fn natural() -> impl Strategy<Value = i64> {
    prop_oneof![
        3 => 0..=3_i64,
        3 => (i64::MAX - 3)..=i64::MAX,
        1 => (i64::MAX / 2 - 1)..=(i64::MAX / 2 + 2),
        1 => 0..=i64::MAX,
    ]
}

fn whole() -> impl Strategy<Value = i64> {
    prop_oneof![
        2 => -3..=3_i64,
        1 => (i64::MAX - 3)..=i64::MAX,
        1 => i64::MIN..=(i64::MIN + 3),
        1 => any::<i64>(),
    ]
}

/// Counters as postings could have left them: posted plus outstanding amounts fit into an `i64`.
fn side() -> impl Strategy<Value = [i64; 3]> {
    (natural(), natural(), natural()).prop_map(|(posted, outstanding, released)| {
        let outstanding = outstanding.min(i64::MAX - posted);
        let released = released.min(i64::MAX - outstanding);
        [posted, outstanding + released, released]
    })
}

fn limits() -> impl Strategy<Value = Limits> {
    let some = || prop::option::weighted(0.6, whole());
    let line = prop::option::of(natural());
    (some(), some(), line).prop_map(|(floor, ceiling, line)| {
        let some = |number: Option<i64>| number.map(units);
        // Limits that are not valid belong to another test.
        Limits::new(some(floor), some(ceiling), some(line)).unwrap_or(Limits::NONE)
    })
}

#[derive(Debug, Clone)]
struct Given {
    class: AccountClass,
    limits: Limits,
    debits: [i64; 3],
    credits: [i64; 3],
}

fn given() -> impl Strategy<Value = Given> {
    let class = prop::sample::select(&AccountClass::ALL[..]);
    (class, limits(), side(), side()).prop_map(|(class, limits, debits, credits)| Given {
        class,
        limits,
        debits,
        credits,
    })
}

fn opened(books: &mut Books, given: &Given) -> AccountId {
    let id = books.account(given.class, given.limits, eur());
    let mut account = books.shelf.account(&id).unwrap().clone();
    let [posted, pending, released] = given.debits;
    (account.debits_posted, account.debits_pending) = (posted, pending);
    account.debits_released = released;
    let [posted, pending, released] = given.credits;
    (account.credits_posted, account.credits_pending) = (posted, pending);
    account.credits_released = released;
    books.shelf.put_remembered(account);
    id
}

/// The counters, the debit side first.
fn sides(account: &Account) -> [Side; 2] {
    let debits = [
        account.debits_posted,
        account.debits_pending,
        account.debits_released,
    ];
    let credits = [
        account.credits_posted,
        account.credits_pending,
        account.credits_released,
    ];
    [debits.map(i128::from), credits.map(i128::from)]
}

/// The available and the possible balance.
fn balances(account: &Account, [debits, credits]: [Side; 2]) -> (i128, i128) {
    let all = |[posted, pending, released]: Side| posted + pending - released;
    let (own, other) = match account.normal_side {
        NormalSide::Debit => (debits, credits),
        NormalSide::Credit => (credits, debits),
    };
    (own[0] - all(other), all(own) - other[0])
}

/// The expected decision: the broken rule, or the counters after the step.
fn expected(
    accounts: &[Account],
    postings: &[Posting],
    is_pending: bool,
) -> Result<Vec<[Side; 2]>, &'static str> {
    let mut counters: Vec<[Side; 2]> = accounts.iter().map(sides).collect();
    for posting in postings {
        for (id, side) in [(posting.debit, 0), (posting.credit, 1)] {
            let place = accounts.iter().position(|account| account.id == id);
            let side = &mut counters[place.unwrap()][side];
            side[usize::from(is_pending)] += i128::from(posting.amount.get());
            let is_full = side.iter().any(|counter| *counter > MAX);
            if is_full || side[0] + side[1] - side[2] > MAX {
                return Err("balance_overflow");
            }
        }
    }
    let moved = accounts.iter().zip(&counters);
    let moved = moved.map(|(account, after)| {
        let before = balances(account, sides(account));
        (account.limits, before, balances(account, *after))
    });
    let moved: Vec<_> = moved.collect();
    let wide = |number: Option<MinorUnits>| number.map(|number| i128::from(number.get()));
    let is_low = moved.iter().any(|(limits, before, after)| {
        let line = wide(limits.credit_line()).unwrap_or(0);
        let least = wide(limits.floor()).map(|floor| floor - line);
        after.0 < before.0 && least.is_some_and(|least| after.0 < least)
    });
    let is_high = moved.iter().any(|(limits, before, after)| {
        after.1 > before.1 && wide(limits.ceiling()).is_some_and(|most| after.1 > most)
    });
    match (is_low, is_high) {
        (true, _) => Err("insufficient_funds"),
        (false, true) => Err("ceiling_exceeded"),
        (false, false) => Ok(counters),
    }
}

proptest! {
    #[test]
    fn limits_are_refused_where_wider_integers_refuse_them(
        floor in prop::option::of(whole()),
        ceiling in prop::option::of(whole()),
        line in prop::option::of(whole()),
    ) {
        let some = |number: Option<i64>| number.map(units);
        let made = Limits::new(some(floor), some(ceiling), some(line));
        let least = floor.map(|floor| i128::from(floor) - i128::from(line.unwrap_or(0)));
        let is_crossed = least.zip(ceiling).is_some_and(|(least, most)| i128::from(most) < least);
        if line.is_some_and(|line| line < 0) {
            prop_assert_eq!(made, Err(LimitsError::NegativeCreditLine));
        } else if is_crossed {
            prop_assert_eq!(made, Err(LimitsError::CeilingBelowFloor));
        } else {
            // No balance is below the least i64.
            let least = least.map(|least| least.max(i128::from(i64::MIN)));
            let told = made.unwrap().least();
            prop_assert_eq!(told.map(|least| i128::from(least.get())), least);
        }
    }

    #[test]
    fn a_posting_at_the_edges_is_decided_as_wider_integers_decide_it(
        given in prop::collection::vec(given(), 3),
        moved in prop::collection::vec((0..3_usize, 1..3_usize, natural()), 1..4),
        is_pending in any::<bool>(),
    ) {
        let mut books = Books::empty();
        let ids: Vec<AccountId> = given.iter().map(|given| opened(&mut books, given)).collect();
        let postings = moved.into_iter().map(|(debit, further, minor_units)| {
            posting(ids[debit], ids[(debit + further) % 3], minor_units.max(1))
        });
        let postings: Vec<Posting> = postings.collect();
        let all = |books: &Books| -> Vec<Account> {
            ids.iter().map(|id| books.shelf.account(id).unwrap().clone()).collect()
        };
        let before = all(&books);
        let mut new: NewTransaction = books.transaction(postings.clone());
        new.pending = is_pending.then_some(Pending { expires_at: None });
        let posted = post(&mut books.shelf, new);
        match (posted, expected(&before, &postings, is_pending)) {
            (Err(rule), Err(code)) => {
                prop_assert_eq!(rule.code(), code);
                prop_assert_eq!(all(&books), before);
            }
            (Ok(posted), Ok(counters)) => {
                prop_assert_eq!(posted.postings.len(), postings.len());
                for (account, counters) in all(&books).iter().zip(counters) {
                    prop_assert_eq!(sides(account), counters);
                    let told = (account.available(), account.possible());
                    let told = (i128::from(told.0.get()), i128::from(told.1.get()));
                    prop_assert_eq!(told, balances(account, counters));
                }
            }
            (posted, expected) => {
                let posted = posted.map(|posted| posted.postings);
                prop_assert!(false, "{:?}, not {:?}", posted, expected);
            }
        }
    }

    /// A hold that was accepted can be fulfilled or voided, however full the counters are.
    #[test]
    fn what_is_promised_at_the_edges_can_be_posted_and_voided(
        given in prop::collection::vec(given(), 2),
        minor_units in natural(),
        is_kept in any::<bool>(),
    ) {
        let mut books = Books::empty();
        let ids: Vec<AccountId> = given.iter().map(|given| opened(&mut books, given)).collect();
        let mut new = books.transaction(vec![posting(ids[0], ids[1], minor_units.max(1))]);
        new.pending = Some(Pending { expires_at: None });
        let Ok(promised) = post(&mut books.shelf, new) else { return Ok(()) };
        let heading = books.heading(NOW);
        let pending = promised.id;
        let code = if is_kept {
            let new = NewFulfilment { heading, pending, amounts: None, last: true, exceed: false, conditions: Vec::new() };
            fulfil(&mut books.shelf, new).map_err(|rule| rule.code())
        } else {
            void(&mut books.shelf, NewRelease { heading, pending, conditions: Vec::new() }).map_err(|rule| rule.code())
        };
        prop_assert_eq!(code.map(|done| done.postings.len()), Ok(1));
        for id in ids {
            let account = books.shelf.account(&id).unwrap();
            for [posted, pending, released] in sides(account) {
                prop_assert!(released <= pending && posted <= MAX);
            }
        }
    }
}

#[test]
fn a_reversal_that_would_fill_a_counter_is_refused_by_its_own_rule_and_changes_nothing() {
    let mut books = Books::empty();
    let [one, other] = [(); 2].map(|()| books.wallet(Limits::NONE));
    let of = books.post(vec![posting(one, other, i64::MAX)]);
    // In the other direction there is room for exactly this amount.
    books.post(vec![posting(other, one, 1)]);
    let both = |books: &Books| [one, other].map(|id| books.shelf.account(&id).unwrap().clone());
    let before = both(&books);
    let undo = |books: &mut Books, part: i64| {
        let heading = books.heading(NOW);
        let amounts = Some(vec![(0, amount(part))]);
        let new = NewReversal {
            heading,
            of,
            amounts: amounts.into(),
            conditions: Vec::new(),
        };
        reverse(&mut books.shelf, new).map_err(|rule| rule.code())
    };
    assert_eq!(undo(&mut books, i64::MAX).unwrap_err(), "balance_overflow");
    assert_eq!(both(&books), before);
    undo(&mut books, i64::MAX - 1).unwrap();
    assert_eq!(undo(&mut books, 1).unwrap_err(), "balance_overflow");
}

#[test]
fn the_last_number_of_an_entry_is_the_largest_there_is() {
    let mut books = Books::empty();
    let [one, other] = [(); 2].map(|()| books.wallet(Limits::NONE));
    let mut account = books.shelf.account(&one).unwrap().clone();
    account.version = i64::MAX - 1;
    books.shelf.put_remembered(account);
    books.post(vec![posting(one, other, 1)]);
    let new = books.transaction(vec![posting(one, other, 1)]);
    let refused = post(&mut books.shelf, new).unwrap_err();
    assert_eq!(refused, Refusal::Overflow { account: one });
    assert_eq!(books.shelf.account(&other).unwrap().version, 1);
}
