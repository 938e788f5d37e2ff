//! Currency exchange: the amounts follow from the rate, the position is the balance of the liquidity accounts, the
//! refusals have their order, and recorded exchanges are read again and checked.

use ledger::tables::Needs;
use ledger::{
    AccountClass, AccountId, AccountStatus, Amounts, Condition, Demand, Exchange, Kind, Leg,
    Limits, NewAccount, NewExchange, NewReversal, Posting, Quote, Rate, Refusal, Shelf,
    TransactionId, close_period, exchange, freeze, open, order, post, reverse, set_limits,
};
use money::{Currency, Rounding};
use store::Timestamp;

use crate::given::{Books, EARLIER, NOW, WITHOUT_KUNA, ahead, amount, eur, hrk, units, usd};
use crate::order::{Breaks, prove};
use crate::tables::{Book, TENANT};

fn quote(rate: &str, rounding: Rounding) -> Quote {
    Quote {
        rate: Rate::parse(rate).unwrap(),
        rounding,
        source: ledger::RateSource::trusted("ECB reference rates"),
        quoted_at: EARLIER,
    }
}

/// Books with a wallet of 1,000.00 euro, an empty one in dollars, and liquidity in both.
struct World {
    books: Books,
    asked: NewExchange,
}

fn world() -> World {
    let mut books = Books::empty();
    let mut wallet = |currency, limits| books.account(AccountClass::Liability, limits, currency);
    let (from, to) = (
        wallet(eur(), Limits::NO_OVERDRAFT),
        wallet(usd(), Limits::NO_OVERDRAFT),
    );
    let (sold_to, bought_from) = (wallet(eur(), Limits::NONE), wallet(usd(), Limits::NONE));
    let fund = Posting {
        debit: sold_to,
        credit: from,
        amount: amount(100_000),
        currency: eur(),
    };
    let mut funded = books.transaction(vec![fund]);
    funded.external_id = Some("taken".to_owned());
    post(&mut books.shelf, funded).unwrap();
    close_period(&mut books.shelf, Timestamp::from_micros(900), NOW).unwrap();
    let mut heading = books.heading(NOW);
    heading.kind = Kind::Exchange;
    let asked = NewExchange {
        heading,
        from,
        to,
        sold_to,
        bought_from,
        amount: amount(10_000),
        given: Leg::Sold,
        quote: quote("1.08425", Rounding::HalfEven),
        conditions: Vec::new(),
    };
    World { books, asked }
}

impl World {
    fn change(&mut self, id: AccountId, change: impl FnOnce(&mut ledger::Account)) {
        let mut account = self.books.shelf.account(&id).unwrap().clone();
        change(&mut account);
        self.books.shelf.put_remembered(account);
    }

    fn account(&mut self, class: AccountClass, currency: Currency) -> AccountId {
        self.books.account(class, Limits::NONE, currency)
    }

    /// Posted balances: of `from`, of `to`, and of the two liquidity accounts.
    fn balances(&self) -> [i64; 4] {
        let asked = &self.asked;
        let all = [asked.from, asked.to, asked.sold_to, asked.bought_from];
        all.map(|id| self.books.shelf.account(&id).unwrap().posted().get())
    }

    fn exchange(&mut self) -> Result<TransactionId, Refusal> {
        exchange(&mut self.books.shelf, self.asked.clone()).map(|posted| posted.id)
    }
}

#[test]
fn both_legs_are_posted_and_the_position_stands_on_the_liquidity_accounts() {
    let mut w = world();
    assert_eq!(w.balances(), [100_000, 0, -100_000, 0]);
    w.exchange().unwrap();
    // 108.425 dollars lie in the middle and are rounded to the even cent.
    assert_eq!(w.balances(), [90_000, 10_842, -90_000, -10_842]);
    assert_eq!(w.books.shelf.exchanges().len(), 1);
    let made = &w.books.shelf.exchanges()[0];
    assert_eq!((made.sold, made.bought), (amount(10_000), amount(10_842)));
    assert_eq!(made.quote, w.asked.quote);
}

#[test]
fn what_is_bought_can_be_given_instead() {
    let mut w = world();
    (w.asked.amount, w.asked.given) = (amount(10_842), Leg::Bought);
    w.asked.quote.rounding = Rounding::Up;
    w.exchange().unwrap();
    // 99.9953… euro are rounded up.
    assert_eq!(w.balances(), [90_000, 10_842, -90_000, -10_842]);
}

#[test]
fn accounts_on_the_debit_side_fall_and_grow_just_so() {
    let mut w = world();
    (w.asked.from, w.asked.to) = (
        w.account(AccountClass::Asset, eur()),
        w.account(AccountClass::Asset, usd()),
    );
    w.asked.quote.rounding = Rounding::HalfUp;
    w.exchange().unwrap();
    assert_eq!(w.balances(), [-10_000, 10_843, -110_000, 10_843]);
}

impl World {
    fn undo(&mut self, of: TransactionId, amounts: Amounts) -> Result<Vec<i64>, Refusal> {
        let heading = self.books.heading(NOW);
        let new = NewReversal {
            heading,
            of,
            amounts,
            conditions: Vec::new(),
        };
        let posted = reverse(&mut self.books.shelf, new)?;
        let moved = posted.postings.iter();
        Ok(moved.map(|p| p.posting.amount.get()).collect())
    }
}

fn legs(sold: i64, bought: i64) -> Amounts {
    Amounts::OfPostings(vec![
        (Leg::Sold.ordinal(), amount(sold)),
        (Leg::Bought.ordinal(), amount(bought)),
    ])
}

#[test]
fn an_exchange_is_reversed_in_shares_of_both_sides_that_add_up() {
    let mut w = world();
    let before = w.balances();
    let of = w.exchange().unwrap();
    let leg = |leg, units| Amounts::OfLeg(leg, amount(units));
    for (amounts, moved) in [
        // Of 100.00 euro for 108.42 dollars: 36.1363… is rounded down. The second share is what is missing to 72.2727….
        (leg(Leg::Sold, 3_333), [3_333, 3_613]),
        (leg(Leg::Sold, 3_333), [3_333, 3_614]),
        (leg(Leg::Bought, 1), [0, 0]),
        // 72.28 dollars give 66.6666… euro: nothing is missing to 66.66. 73.27 dollars give 67.5797… euro.
        (leg(Leg::Bought, 100), [91, 100]),
        (legs(100, 108), [100, 108]),
        (legs(3_143, 3_407), [3_143, 3_407]),
    ] {
        if moved == [0, 0] {
            let refused = w.undo(of, amounts).unwrap_err();
            assert_eq!(refused, Refusal::ShareTooSmall { leg: Leg::Bought });
        } else {
            assert_eq!(w.undo(of, amounts), Ok(moved.to_vec()));
        }
    }
    let again = w.undo(of, Amounts::Rest).unwrap_err();
    assert!(matches!(again, Refusal::Reversed));
    assert_eq!(w.balances(), before);
}

#[test]
fn one_side_of_an_exchange_is_not_reversed_alone_nor_in_another_proportion() {
    let mut w = world();
    let before = w.balances();
    let of = w.exchange().unwrap();
    for (ordinal, units) in [(0, 1), (0, 10_000), (1, 10_842)] {
        let alone = Amounts::OfPostings(vec![(ordinal, amount(units))]);
        assert_eq!(w.undo(of, alone), Err(Refusal::LegAlone));
    }
    for (sold, bought, follows) in [(4_000, 4_338, 4_336), (10_000, 1, 10_842), (1, 10_842, 1)] {
        let refused = Refusal::NotInProportion { bought: follows };
        assert_eq!(w.undo(of, legs(sold, bought)), Err(refused));
    }
    let more = Refusal::ExceedsLeg {
        leg: Leg::Bought,
        remaining: 10_842,
    };
    let much = Amounts::OfLeg(Leg::Bought, amount(10_843));
    assert_eq!(w.undo(of, much), Err(more));
    let rest = w.undo(of, Amounts::Rest);
    assert_eq!(rest, Ok(vec![10_000, 10_842]));
    assert_eq!(w.balances(), before);
    let transfer = w.books.post(vec![Posting {
        debit: w.asked.from,
        credit: w.asked.sold_to,
        amount: amount(1),
        currency: eur(),
    }]);
    let leg = Leg::Sold;
    let refused = w.undo(transfer, Amounts::OfLeg(leg, amount(1)));
    assert_eq!(refused, Err(Refusal::NotAnExchange { leg }));
}

#[test]
fn a_refused_exchange_leaves_everything_as_it_was() {
    let mut w = world();
    w.asked.amount = amount(100_001);
    let before = w.balances();
    let refused = w.exchange().unwrap_err();
    assert!(matches!(
        refused,
        Refusal::InsufficientFunds {
            available: 100_000,
            ..
        }
    ));
    assert_eq!(w.balances(), before);
    assert_eq!(w.books.shelf.exchanges(), []);
}

const RULES: &[Breaks<World>] = &[
    ("external_id_taken", |w| {
        w.asked.heading.external_id = Some("taken".to_owned());
    }),
    ("same_account", |w| w.asked.sold_to = w.asked.from),
    ("condition_elsewhere", |w| {
        let account = w.account(AccountClass::Asset, eur());
        let demand = Demand::AtVersion(0);
        w.asked.conditions.push(Condition { account, demand });
    }),
    ("effective_in_the_future", |w| {
        w.asked.heading.effective_at = ahead(1);
    }),
    ("account_not_found", |w| {
        w.asked.bought_from = AccountId::from_bytes([9; 16]);
    }),
    ("currency_mismatch", |w| {
        w.asked.sold_to = w.account(AccountClass::Asset, usd());
    }),
    ("same_currency", |w| {
        w.asked.to = w.account(AccountClass::Liability, eur());
        w.asked.bought_from = w.account(AccountClass::Liability, eur());
    }),
    ("sides_differ", |w| {
        let held = w.books.shelf.account(&w.asked.to).unwrap().currency;
        w.asked.to = w.account(AccountClass::Asset, held);
    }),
    ("amount_too_small", |w| {
        w.asked.quote = quote("0.000001", Rounding::Down);
    }),
    ("amount_too_large", |w| {
        w.asked.quote = quote("999999999999999999", Rounding::Down);
    }),
    ("account_frozen", |w| {
        freeze(&mut w.books.shelf, w.asked.from).unwrap();
    }),
    ("account_closed", |w| {
        w.change(w.asked.to, |account| account.status = AccountStatus::Closed);
    }),
    ("period_closed", |w| w.asked.heading.effective_at = EARLIER),
    ("version_mismatch", |w| {
        let (account, demand) = (w.asked.from, Demand::AtVersion(7));
        w.asked.conditions.push(Condition { account, demand });
    }),
    ("balance_overflow", |w| {
        w.change(w.asked.to, |account| account.version = i64::MAX);
    }),
    ("currency_withdrawn", |w| {
        for id in [w.asked.to, w.asked.bought_from] {
            w.change(id, |account| account.currency = hrk());
        }
        let heading = &mut w.asked.heading;
        (heading.effective_at, heading.recorded_at) = (WITHOUT_KUNA, WITHOUT_KUNA);
    }),
    ("insufficient_funds", |w| {
        let limits = Limits::at_least(units(95_000));
        set_limits(&mut w.books.shelf, w.asked.from, limits).unwrap();
    }),
    ("ceiling_exceeded", |w| {
        let limits = Limits::new(None, Some(units(10_000)), None).unwrap();
        set_limits(&mut w.books.shelf, w.asked.to, limits).unwrap();
    }),
    ("condition_failed", |w| {
        let demand = Demand::AvailableAtLeast(units(90_001));
        let account = w.asked.from;
        w.asked.conditions.push(Condition { account, demand });
    }),
];

#[test]
fn an_exchange_is_refused_by_the_first_broken_rule() {
    let apart = [("amount_too_small", "amount_too_large")];
    prove(order::EXCHANGE, world, RULES, &apart, |mut w| {
        w.exchange().err().map(|error| error.code())
    });
}

/// A book on a database, with one exchange in it.
fn exchanged() -> (Book, TransactionId, Exchange) {
    let mut book = Book::opened();
    let accounts = [eur(), usd(), eur(), usd()]
        .map(|currency| (AccountId::from_bytes(book.ids.next(NOW)), currency));
    book.batch(Needs::default(), |shelf: &mut Shelf| {
        for (id, currency) in accounts {
            let new = NewAccount {
                code: ledger::AccountCode::trusted(format!("assets:{id}")),
                name: ledger::AccountName::trusted(""),
                currency,
                class: AccountClass::Asset,
                limits: Limits::NONE,
                metadata: None,
            };
            open(shelf, id, new, NOW).unwrap();
        }
    });
    let [from, to, sold_to, bought_from] = accounts.map(|(id, _)| id);
    let id = TransactionId::from_bytes(book.ids.next(NOW));
    let new = NewExchange {
        heading: ledger::Heading::plain(id, Kind::Exchange, NOW),
        from,
        to,
        sold_to,
        bought_from,
        amount: amount(10_000),
        given: Leg::Sold,
        quote: quote("1.08425", Rounding::Down),
        conditions: Vec::new(),
    };
    let needs = Needs {
        accounts: vec![from, to, sold_to, bought_from],
        ..Needs::default()
    };
    let made = book.batch(needs, |shelf| {
        exchange(shelf, new).unwrap();
        shelf.exchanges()[0].clone()
    });
    (book, id, made)
}

#[test]
fn an_exchange_is_found_again_as_it_was_made() {
    let (book, id, made) = exchanged();
    book.check().unwrap();
    let mut connection = book.store.writer().unwrap();
    let found = ledger::exchanges(&mut connection, TENANT, &[id, id]).unwrap();
    assert_eq!(found, [made]);
    let posted = ledger::posted(&mut connection, TENANT, &[id]).unwrap();
    assert_eq!(
        (posted[0].kind, posted[0].postings.len()),
        (Kind::Exchange, 2)
    );
}

#[test]
fn an_exchange_that_was_reversed_is_still_one() {
    let (mut book, of, _) = exchanged();
    let id = TransactionId::from_bytes(book.ids.next(NOW));
    let new = NewReversal {
        heading: ledger::Heading::plain(id, Kind::Transfer, NOW),
        of,
        amounts: Amounts::Rest,
        conditions: Vec::new(),
    };
    book.batch(Book::about(of), |shelf| reverse(shelf, new))
        .unwrap();
    book.check().unwrap();
}

#[test]
fn each_planted_violation_of_an_exchange_is_named() {
    for (sql, said) in [
        ("UPDATE exchange SET bought = 10843", "10843 is recorded"),
        ("UPDATE exchange SET sold = 9999", "9999 is recorded"),
        (
            "UPDATE exchange SET rate = '1.0844'",
            "does not follow from 1.0844",
        ),
        ("UPDATE exchange SET rounding = 'up'", "rounded up"),
        ("UPDATE exchange SET given = 2", "does not follow"),
        ("UPDATE exchange SET rate = 'one'", "bad rate"),
        ("UPDATE exchange SET rounding = 'none'", "bad rounding"),
        (
            "UPDATE exchange SET transaction_id = randomblob(16)",
            "with 0 postings",
        ),
        ("DELETE FROM exchange", "its terms are not there"),
    ] {
        let (book, ..) = exchanged();
        book.tamper(sql);
        let found = book.check().unwrap_err();
        assert!(
            found.starts_with("L6") && found.contains(said),
            "{sql}: {found}"
        );
    }
}
