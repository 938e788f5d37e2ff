//! The recipes of `docs/ledger.md`, exactly as in the document. Each runs on SQLite in memory and leaves books in
//! which every invariant holds.

use std::error::Error;

use diesel::RunQueryDsl;
use ledger::tables::{Needs, load, save};
use ledger::{
    AccountClass, AccountId, Amounts, Heading, Kind, Leg, Limits, NewAccount, NewExchange,
    NewFulfilment, NewReversal, NewTransaction, Pending, Quote, Rate, RateSource, Refusal, Shelf,
    TransactionId, check, close_period, exchange, fulfil, open, post, reverse,
};
use money::{Amount, Currency, Rounding, allocate};
use store::bulk::Writes;
use store::find::Lock;
use store::{AnyConnection, Ids, TenantId, Timestamp};

use crate::given::{amount, posting};

type Ran = Result<(), Box<dyn Error>>;

const TENANT: TenantId = TenantId(1);
const DAY: i64 = 86_400;

/// A shop's books, in memory.
struct Books {
    connection: AnyConnection,
    ids: Ids,
    now: Timestamp,
    accounts: Vec<AccountId>,
    transactions: Vec<TransactionId>,
}

impl Books {
    fn opened() -> Self {
        let mut connection = store::in_memory().unwrap();
        diesel::sql_query("INSERT INTO tenant (created_at, tenant_id, name) VALUES (0, 1, 'acme')")
            .execute(&mut connection)
            .unwrap();
        Self {
            connection,
            ids: Ids::seeded(1),
            now: Timestamp::from_micros(0).plus_seconds(100 * DAY),
            accounts: Vec::new(),
            transactions: Vec::new(),
        }
    }

    /// Opens an account; its class is the first level of the code.
    fn open(&mut self, code: &str, currency: &str, limits: Limits) -> AccountId {
        let root = code.split(':').next().unwrap();
        let class = AccountClass::ALL.into_iter().find(|c| c.root() == root);
        let new = NewAccount {
            code: ledger::AccountCode::trusted(code),
            name: ledger::AccountName::trusted(code),
            currency: Currency::from_code(currency).unwrap(),
            class: class.unwrap(),
            limits,
            metadata: None,
        };
        let (id, now) = (AccountId::from_bytes(self.ids.next(self.now)), self.now);
        self.decide(|shelf| open(shelf, id, new, now).map(|_| ()))
            .unwrap();
        self.accounts.push(id);
        id
    }

    /// One batch: loads everything, decides something, and commits what was done.
    fn decide<T>(&mut self, decide: impl FnOnce(&mut Shelf) -> T) -> T {
        let needs = Needs {
            accounts: self.accounts.clone(),
            transactions: self.transactions.clone(),
            period: true,
            ..Needs::default()
        };
        store::begin_write(&mut self.connection).unwrap();
        let mut shelf = load(&mut self.connection, TENANT, needs, Lock::Rows).unwrap();
        let decided = decide(&mut shelf);
        let mut writes = Writes::default();
        save(&mut writes, TENANT, &shelf);
        writes.run(&mut self.connection).unwrap();
        store::commit(&mut self.connection).unwrap();
        self.transactions
            .extend(shelf.posted().iter().map(|posted| posted.id));
        decided
    }

    fn id(&mut self) -> TransactionId {
        TransactionId::from_bytes(self.ids.next(self.now))
    }

    fn account(&mut self, id: AccountId) -> ledger::Account {
        let found = ledger::account(&mut self.connection, TENANT, id);
        found.unwrap().unwrap()
    }

    fn posted(&mut self, id: AccountId) -> i64 {
        self.account(id).posted().get()
    }

    fn available(&mut self, id: AccountId) -> i64 {
        self.account(id).available().get()
    }

    /// Checks every invariant.
    fn hold(mut self) {
        for check in [
            check::postings_balance,
            check::counters_add_up,
            check::totals_are_equal,
            check::remainders_add_up,
            check::exchanges_follow,
        ] {
            check(&mut self.connection, TENANT, &mut |_| ()).unwrap();
        }
    }
}

#[test]
fn a_fee_is_a_second_posting() -> Ran {
    let mut books = Books::opened();
    // recipe
    let clearing = books.open("assets:clearing", "EUR", Limits::NONE);
    let merchant = books.open("liabilities:merchants:42", "EUR", Limits::NO_OVERDRAFT);
    let fees = books.open("income:fees", "EUR", Limits::NONE);

    // The payer paid 100.00: the merchant is owed 97.10, and 2.90 is ours.
    let postings = vec![
        posting(clearing, merchant, 9_710),
        posting(clearing, fees, 290),
    ];
    let sale = NewTransaction::plain(books.id(), Kind::parse("sale")?, postings, books.now);
    books.decide(|shelf| post(shelf, sale))?;

    assert_eq!(books.posted(clearing), 10_000);
    assert_eq!(books.posted(merchant), 9_710);
    assert_eq!(books.posted(fees), 290);
    // end
    books.hold();
    Ok(())
}

#[test]
fn a_split_adds_up_to_the_whole() -> Ran {
    let mut books = Books::opened();
    // recipe
    let clearing = books.open("assets:clearing", "EUR", Limits::NONE);
    let sellers = ["ann", "bob", "eve"].map(|name| {
        let code = format!("liabilities:sellers:{name}");
        books.open(&code, "EUR", Limits::NO_OVERDRAFT)
    });

    // 100.00 in three equal parts: the odd cent goes to one of them instead of getting lost.
    let parts = allocate(Amount::new(10_000)?, &[1, 1, 1])?;
    let postings = sellers.iter().zip(parts);
    let postings = postings.map(|(seller, part)| posting(clearing, *seller, part));
    let sale = NewTransaction::plain(
        books.id(),
        Kind::parse("sale")?,
        postings.collect(),
        books.now,
    );
    books.decide(|shelf| post(shelf, sale))?;

    assert_eq!(books.posted(clearing), 10_000);
    assert_eq!(
        sellers.map(|seller| books.posted(seller)),
        [3_334, 3_333, 3_333]
    );
    // end
    books.hold();
    Ok(())
}

#[test]
fn a_hold_is_captured_in_part_and_the_rest_released() -> Ran {
    let mut books = Books::opened();
    // recipe
    let source = books.open("equity:opening", "EUR", Limits::NONE);
    let wallet = books.open("liabilities:wallets:ann", "EUR", Limits::NO_OVERDRAFT);
    let hotel = books.open("liabilities:merchants:hotel", "EUR", Limits::NO_OVERDRAFT);
    let funds = vec![posting(source, wallet, 5_000)];
    let funds = NewTransaction::plain(books.id(), Kind::Transfer, funds, books.now);
    books.decide(|shelf| post(shelf, funds))?;

    // 40.00 are held for the hotel for a week. They are still there, but no longer available.
    let stay = vec![posting(wallet, hotel, 4_000)];
    let mut stay = NewTransaction::plain(books.id(), Kind::parse("stay")?, stay, books.now);
    let expires_at = Some(books.now.plus_seconds(7 * DAY));
    stay.pending = Some(Pending { expires_at });
    let pending = books.decide(|shelf| post(shelf, stay))?.id;
    assert_eq!(
        (books.posted(wallet), books.available(wallet)),
        (5_000, 1_000)
    );

    // The bill is 25.00. This is the last part, so the rest is released.
    let bill = NewFulfilment {
        heading: Heading::plain(books.id(), Kind::parse("stay")?, books.now),
        pending,
        amounts: Some(vec![(0, Amount::new(2_500)?)]),
        last: true,
        exceed: false,
        conditions: Vec::new(),
    };
    books.decide(|shelf| fulfil(shelf, bill))?;
    assert_eq!(
        (books.posted(wallet), books.available(wallet)),
        (2_500, 2_500)
    );
    assert_eq!(books.posted(hotel), 2_500);
    // end
    books.hold();
    Ok(())
}

#[test]
fn a_refund_never_exceeds_what_was_posted() -> Ran {
    let mut books = Books::opened();
    // recipe
    let clearing = books.open("assets:clearing", "EUR", Limits::NONE);
    let merchant = books.open("liabilities:merchants:42", "EUR", Limits::NO_OVERDRAFT);
    let fees = books.open("income:fees", "EUR", Limits::NONE);
    let postings = vec![
        posting(clearing, merchant, 9_710),
        posting(clearing, fees, 290),
    ];
    let sale = NewTransaction::plain(books.id(), Kind::parse("sale")?, postings, books.now);
    let of = books.decide(|shelf| post(shelf, sale))?.id;

    // 50.00 go back to the payer, all of them from the merchant: posting 0. The fee stays.
    let mut refund = |amounts: Option<i64>| {
        let new = NewReversal {
            heading: Heading::plain(books.id(), Kind::parse("refund").unwrap(), books.now),
            of,
            amounts: amounts.map(|units| vec![(0, amount(units))]).into(),
            conditions: Vec::new(),
        };
        books.decide(|shelf| reverse(shelf, new)).map(|_| ())
    };
    refund(Some(5_000))?;

    // Of 97.10 there are 47.10 left, and not a cent more.
    let refused = refund(Some(4_711));
    assert!(matches!(
        refused,
        Err(Refusal::ExceedsPosted {
            remaining: 4_710,
            ..
        })
    ));

    // The rest of both postings. Then nothing is left.
    refund(None)?;
    assert!(matches!(refund(None), Err(Refusal::Reversed)));
    assert_eq!(books.posted(clearing), 0);
    assert_eq!((books.posted(merchant), books.posted(fees)), (0, 0));
    // end
    books.hold();
    Ok(())
}

#[test]
fn an_exchange_goes_through_the_liquidity_accounts() -> Ran {
    let mut books = Books::opened();
    // recipe
    let source = books.open("equity:opening", "EUR", Limits::NONE);
    let euro = books.open("liabilities:wallets:ann:eur", "EUR", Limits::NO_OVERDRAFT);
    let dollar = books.open("liabilities:wallets:ann:usd", "USD", Limits::NO_OVERDRAFT);
    let sold_to = books.open("liabilities:liquidity:eur", "EUR", Limits::NONE);
    let bought_from = books.open("liabilities:liquidity:usd", "USD", Limits::NONE);
    let funds = vec![posting(source, euro, 10_000)];
    let funds = NewTransaction::plain(books.id(), Kind::Transfer, funds, books.now);
    books.decide(|shelf| post(shelf, funds))?;

    // Ann sells 100.00 euro at 1.08425: 108.425 dollars, which is not a whole number of cents.
    let new = NewExchange {
        heading: Heading::plain(books.id(), Kind::Exchange, books.now),
        from: euro,
        to: dollar,
        sold_to,
        bought_from,
        amount: Amount::new(10_000)?,
        given: Leg::Sold,
        quote: Quote {
            rate: Rate::parse("1.08425")?,
            rounding: Rounding::HalfEven,
            source: RateSource::parse("ECB reference rates")?,
            quoted_at: books.now,
        },
        conditions: Vec::new(),
    };
    let of = books.decide(|shelf| exchange(shelf, new))?.id;

    assert_eq!((books.posted(euro), books.posted(dollar)), (0, 10_842));
    // Our position: 100.00 euro long, 108.42 dollars short.
    assert_eq!(books.posted(sold_to), 10_000);
    assert_eq!(books.posted(bought_from), -10_842);

    // A third of it is reversed: with 33.33 euro go 36.13 dollars (36.1363…, rounded down).
    let mut undo = |amounts| {
        let kind = Kind::parse("reversal").unwrap();
        let new = NewReversal {
            heading: Heading::plain(books.id(), kind, books.now),
            of,
            amounts,
            conditions: Vec::new(),
        };
        books.decide(|shelf| reverse(shelf, new)).map(|_| ())
    };
    undo(Amounts::OfLeg(Leg::Sold, Amount::new(3_333)?))?;
    // One side alone is refused. Reversing the rest of both sides completes the reversal.
    let alone = Amounts::OfPostings(vec![(0, Amount::new(1)?)]);
    assert!(matches!(undo(alone), Err(Refusal::LegAlone)));
    undo(Amounts::Rest)?;
    assert_eq!((books.posted(euro), books.posted(dollar)), (10_000, 0));
    // end
    books.hold();
    Ok(())
}

#[test]
fn a_correction_is_written_today_even_if_the_period_is_closed() -> Ran {
    let mut books = Books::opened();
    // recipe
    let bank = books.open("assets:bank", "EUR", Limits::NONE);
    let rent = books.open("expenses:rent", "EUR", Limits::NONE);
    let power = books.open("expenses:power", "EUR", Limits::NONE);

    // The power bill was booked as rent, and then the month was closed.
    let bill = vec![posting(rent, bank, 6_000)];
    let bill = NewTransaction::plain(books.id(), Kind::parse("bill")?, bill, books.now);
    let (of, then) = (bill.id, bill.effective_at);
    books.decide(|shelf| post(shelf, bill))?;
    books.now = books.now.plus_seconds(30 * DAY);
    let now = books.now;
    books.decide(|shelf| close_period(shelf, now, now))?;

    // Nothing can be added to the closed month.
    let right = vec![posting(power, bank, 6_000)];
    let mut right = NewTransaction::plain(books.id(), Kind::parse("bill")?, right, now);
    right.effective_at = then;
    let refused = books.decide(|shelf| post(shelf, right.clone()));
    assert!(matches!(refused, Err(Refusal::PeriodClosed { .. })));

    // Today the wrong bill is reversed and the right one posted, in one commit: both or neither.
    right.effective_at = now;
    let undo = NewReversal {
        heading: Heading::plain(books.id(), Kind::parse("correction")?, now),
        of,
        amounts: Amounts::Rest,
        conditions: Vec::new(),
    };
    books.decide(|shelf| -> Result<(), Box<dyn Error>> {
        reverse(shelf, undo)?;
        post(shelf, right)?;
        Ok(())
    })?;
    assert_eq!((books.posted(rent), books.posted(power)), (0, 6_000));
    assert_eq!(books.posted(bank), -6_000);
    // end
    books.hold();
    Ok(())
}

/// The lines between the two marks, without their indentation.
fn recipes() -> Vec<String> {
    let source = include_str!("recipes.rs");
    let parts = source.split("    // recipe\n").skip(1);
    let bodies = parts.filter_map(|part| part.split_once("    // end\n"));
    let plain = |(body, _): (&str, &str)| {
        body.lines()
            .map(|line| format!("{}\n", line.strip_prefix("    ").unwrap_or(line)))
            .collect()
    };
    bodies.map(plain).collect()
}

#[test]
fn the_page_shows_the_recipes_that_run() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/ledger.md");
    let page = std::fs::read_to_string(path).unwrap_or_default();
    let blocks = page.split("```rust\n").skip(1);
    let shown: Vec<&str> = blocks
        .filter_map(|block| block.split("```\n").next())
        .collect();
    let run = recipes();
    assert_eq!(run.len(), 6);
    for (shown, run) in shown.iter().zip(&run) {
        assert!(shown == run, "docs/ledger.md should show:\n{run}");
    }
    assert_eq!(shown.len(), run.len());
}
