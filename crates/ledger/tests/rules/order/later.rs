//! The order in which the later steps of a transaction are refused.

use super::{Breaks, World, prove, world};
use crate::given::{
    Books, EARLIER, LATER, NOW, WITHOUT_KUNA, ahead, amount, hrk, posting, units, usd,
};
use ledger::{
    AccountClass, AccountId, Amounts, Condition, Demand, Hold, Leg, Limits, NewExchange,
    NewFulfilment, NewRelease, NewReversal, Posting, Promise, Quote, Rate, RateSource,
    RecordedPosting, TransactionId, exchange, expire, fulfil, order, reverse, set_limits, void,
};
use money::Rounding;

fn nowhere() -> TransactionId {
    TransactionId::from_bytes([9; 16])
}

fn pending(books: &mut Books, [from, to, other, last]: &[AccountId; 4]) -> TransactionId {
    let postings = vec![posting(*from, *to, 10), posting(*other, *last, 10)];
    books.pend(postings, Some(LATER))
}

/// An exchange of 10 euro cents for 3 dollar cents.
fn exchanged(books: &mut Books) -> TransactionId {
    let [from, sold_to] = [(); 2].map(|()| books.wallet(Limits::NONE));
    let [to, bought_from] =
        [(); 2].map(|()| books.account(AccountClass::Liability, Limits::NONE, usd()));
    let new = NewExchange {
        heading: books.heading(NOW),
        from,
        to,
        sold_to,
        bought_from,
        amount: amount(10),
        given: Leg::Sold,
        quote: Quote {
            rate: Rate::parse("0.3").unwrap(),
            rounding: Rounding::HalfEven,
            source: RateSource::trusted("a bank"),
            quoted_at: NOW,
        },
        conditions: Vec::new(),
    };
    exchange(&mut books.shelf, new).unwrap().id
}

/// Names one minor unit more than posting 0 holds.
fn exceed(world: &mut World<NewFulfilment>) {
    world.asked.exceed = true;
    world.asked.amounts = Some(vec![(0, amount(11))]);
}

fn exceed_the_floor(world: &mut World<NewFulfilment>) {
    let limits = Limits::at_least(units(-21));
    set_limits(&mut world.books.shelf, world.from, limits).unwrap();
    exceed(world);
}

fn exceed_the_ceiling(world: &mut World<NewFulfilment>) {
    let limits = Limits::new(None, Some(units(21)), None).unwrap();
    set_limits(&mut world.books.shelf, world.to, limits).unwrap();
    exceed(world);
}

#[test]
fn a_fulfilment_is_refused_by_the_first_broken_rule() {
    type Asked = World<NewFulfilment>;
    fn part(world: &mut Asked, ordinal: i16, minor_units: i64) {
        let parts = world.asked.amounts.get_or_insert_default();
        parts.push((ordinal, amount(minor_units)));
    }
    fn demand(world: &mut Asked, account: AccountId, demand: Demand) {
        world.asked.conditions.push(Condition { account, demand });
    }
    let rules: &[Breaks<Asked>] = &[
        ("external_id_taken", |w| {
            w.asked.heading.external_id = Some("taken".to_owned())
        }),
        ("no_amounts", |w| w.asked.amounts = Some(Vec::new())),
        ("posting_named_twice", |w| {
            part(w, 1, 1);
            part(w, 1, 2);
        }),
        ("effective_in_the_future", |w| {
            w.asked.heading.effective_at = ahead(2_000)
        }),
        ("transaction_not_found", |w| w.asked.pending = nowhere()),
        ("posting_not_found", |w| part(w, 2, 1)),
        ("not_pending", |w| w.asked.pending = w.posted),
        ("ended", |w| {
            let heading = w.books.heading(NOW);
            let all = NewFulfilment {
                heading,
                ..w.asked.clone()
            };
            fulfil(&mut w.books.shelf, all).unwrap();
        }),
        ("expired", |w| w.asked.heading.recorded_at = LATER),
        ("exceeds_pending", |w| part(w, 0, 11)),
        ("condition_elsewhere", |w| {
            demand(w, AccountId::from_bytes([9; 16]), Demand::AtVersion(1))
        }),
        ("account_frozen", World::freeze),
        ("account_closed", World::close),
        ("period_closed", |w| w.asked.heading.effective_at = EARLIER),
        ("version_mismatch", |w| {
            demand(w, w.from, Demand::AtVersion(1))
        }),
        ("balance_overflow", World::exhaust),
        ("currency_withdrawn", |w| {
            let kuna = hrk();
            for id in [w.from, w.to] {
                w.change(id, |account| account.currency = kuna);
            }
            let held = w.books.shelf.recorded(&w.asked.pending).unwrap();
            let postings = held.1.iter().map(|posted| RecordedPosting {
                posting: Posting {
                    currency: kuna,
                    ..posted.posting
                },
                ..*posted
            });
            let for_ever = |hold| Hold {
                expires_at: None,
                ..hold
            };
            let holds = w.books.shelf.holds(&w.asked.pending).into_iter();
            let promise = Promise {
                transaction: w.asked.pending,
                postings: postings.take(1).collect(),
                holds: holds.map(for_ever).collect(),
            };
            w.books.shelf.put_promise(promise);
            let heading = &mut w.asked.heading;
            (heading.effective_at, heading.recorded_at) = (WITHOUT_KUNA, WITHOUT_KUNA);
        }),
        ("insufficient_funds", exceed_the_floor),
        ("ceiling_exceeded", exceed_the_ceiling),
        ("condition_failed", |w| {
            demand(w, w.to, Demand::AvailableAtLeast(units(1_000_000)))
        }),
    ];
    let apart = [
        ("no_amounts", "posting_named_twice"),
        ("not_pending", "ended"),
    ];
    prove(
        order::FULFIL,
        || {
            world(|books, _, accounts| NewFulfilment {
                pending: pending(books, accounts),
                heading: books.heading(NOW),
                amounts: None,
                last: false,
                exceed: false,
                conditions: Vec::new(),
            })
        },
        rules,
        &apart,
        |mut w| {
            fulfil(&mut w.books.shelf, w.asked)
                .err()
                .map(|error| error.code())
        },
    );
}

#[test]
fn a_release_is_refused_by_the_first_broken_rule() {
    type Asked = World<NewRelease>;
    fn demand(world: &mut Asked, account: AccountId, demand: Demand) {
        world.asked.conditions.push(Condition { account, demand });
    }
    let rules: &[Breaks<Asked>] = &[
        ("external_id_taken", |w| {
            w.asked.heading.external_id = Some("taken".to_owned())
        }),
        ("effective_in_the_future", |w| {
            w.asked.heading.effective_at = ahead(2_000)
        }),
        ("transaction_not_found", |w| w.asked.pending = nowhere()),
        ("not_pending", |w| w.asked.pending = w.posted),
        ("ended", |w| {
            let heading = w.books.heading(NOW);
            let (pending, amounts) = (w.asked.pending, None);
            let all = NewFulfilment {
                heading,
                pending,
                amounts,
                last: true,
                exceed: false,
                conditions: Vec::new(),
            };
            fulfil(&mut w.books.shelf, all).unwrap();
        }),
        ("expired", |w| w.asked.heading.recorded_at = LATER),
        ("not_expired", |w| w.asked.heading.recorded_at = NOW),
        ("condition_elsewhere", |w| {
            demand(w, AccountId::from_bytes([9; 16]), Demand::AtVersion(1))
        }),
        ("period_closed", |w| w.asked.heading.effective_at = EARLIER),
        ("version_mismatch", |w| {
            demand(w, w.from, Demand::AtVersion(1))
        }),
        ("balance_overflow", World::exhaust),
        ("condition_failed", |w| {
            demand(w, w.to, Demand::AvailableAtLeast(units(1_000_000)))
        }),
    ];
    let apart = [
        ("transaction_not_found", "not_pending"),
        ("not_pending", "ended"),
    ];
    let without = |left_out: &str| {
        let order = order::RELEASE.iter().filter(|(code, _)| *code != left_out);
        let rules = rules.iter().filter(|(code, _)| *code != left_out);
        let order: Vec<(&'static str, &'static str)> = order.copied().collect();
        let rules: Vec<Breaks<Asked>> = rules.copied().collect();
        (order, rules)
    };
    let (order, rules_of_void) = without("not_expired");
    prove(
        &order,
        || {
            world(|books, _, accounts| NewRelease {
                pending: pending(books, accounts),
                heading: books.heading(NOW),
                conditions: Vec::new(),
            })
        },
        &rules_of_void,
        &apart,
        |mut w| {
            void(&mut w.books.shelf, w.asked)
                .err()
                .map(|error| error.code())
        },
    );
    let (order, rules_of_expiry) = without("expired");
    prove(
        &order,
        || {
            world(|books, _, accounts| NewRelease {
                pending: pending(books, accounts),
                heading: books.heading(LATER),
                conditions: Vec::new(),
            })
        },
        &rules_of_expiry,
        &apart,
        |mut w| {
            expire(&mut w.books.shelf, w.asked)
                .err()
                .map(|error| error.code())
        },
    );
}

/// Names an amount of one more posting.
fn part(world: &mut World<NewReversal>, ordinal: i16, minor_units: i64) {
    match &mut world.asked.amounts {
        Amounts::OfPostings(parts) => parts.push((ordinal, amount(minor_units))),
        Amounts::Rest | Amounts::OfLeg(..) => {
            let parts = vec![(ordinal, amount(minor_units))];
            world.asked.amounts = Amounts::OfPostings(parts);
        }
    }
}

#[test]
fn a_reversal_is_refused_by_the_first_broken_rule() {
    type Asked = World<NewReversal>;
    fn demand(world: &mut Asked, account: AccountId, demand: Demand) {
        world.asked.conditions.push(Condition { account, demand });
    }
    let rules: &[Breaks<Asked>] = &[
        ("external_id_taken", |w| {
            w.asked.heading.external_id = Some("taken".to_owned())
        }),
        ("no_amounts", |w| {
            w.asked.amounts = Amounts::OfPostings(Vec::new())
        }),
        ("posting_named_twice", |w| {
            part(w, 1, 1);
            part(w, 1, 2);
        }),
        ("effective_in_the_future", |w| {
            w.asked.heading.effective_at = ahead(2_000)
        }),
        ("transaction_not_found", |w| w.asked.of = nowhere()),
        ("posting_not_found", |w| part(w, 2, 1)),
        ("not_reversible", |w| {
            let accounts = [w.from, w.to, w.others.0, w.others.1];
            w.asked.of = pending(&mut w.books, &accounts);
        }),
        ("not_an_exchange", |w| {
            w.asked.amounts = Amounts::OfLeg(Leg::Sold, amount(1))
        }),
        ("leg_alone", |w| {
            w.asked.of = exchanged(&mut w.books);
            part(w, 0, 5);
        }),
        ("reversed", |w| {
            let heading = w.books.heading(NOW);
            let all = NewReversal {
                heading,
                amounts: Amounts::Rest,
                ..w.asked.clone()
            };
            reverse(&mut w.books.shelf, all).unwrap();
        }),
        ("exceeds_posted", |w| part(w, 0, 11)),
        ("amount_too_small", |w| {
            w.asked.of = exchanged(&mut w.books);
            w.asked.amounts = Amounts::OfLeg(Leg::Sold, amount(1));
        }),
        ("not_in_proportion", |w| {
            w.asked.of = exchanged(&mut w.books);
            part(w, 0, 5);
            part(w, 1, 3);
        }),
        ("condition_elsewhere", |w| {
            demand(w, AccountId::from_bytes([9; 16]), Demand::AtVersion(1))
        }),
        ("account_frozen", World::freeze),
        ("account_closed", World::close),
        ("period_closed", |w| w.asked.heading.effective_at = EARLIER),
        ("version_mismatch", |w| {
            demand(w, w.from, Demand::AtVersion(1))
        }),
        ("balance_overflow", World::exhaust),
        ("insufficient_funds", |w| {
            let limits = Limits::at_least(units(5));
            set_limits(&mut w.books.shelf, w.others.1, limits).unwrap();
        }),
        ("ceiling_exceeded", |w| {
            let limits = Limits::new(None, Some(units(-5)), None).unwrap();
            set_limits(&mut w.books.shelf, w.from, limits).unwrap();
        }),
        ("condition_failed", |w| {
            demand(w, w.to, Demand::AvailableAtLeast(units(1_000_000)))
        }),
    ];
    let apart = [
        ("no_amounts", "posting_named_twice"),
        ("not_an_exchange", "leg_alone"),
        ("exceeds_posted", "amount_too_small"),
        ("amount_too_small", "not_in_proportion"),
    ];
    prove(
        order::REVERSE,
        || {
            world(|books, posted, _| NewReversal {
                heading: books.heading(NOW),
                of: posted,
                amounts: Amounts::Rest,
                conditions: Vec::new(),
            })
        },
        rules,
        &apart,
        |mut w| {
            reverse(&mut w.books.shelf, w.asked)
                .err()
                .map(|error| error.code())
        },
    );
}
