//! The ledger's steps through its tables: the same on both databases, with locks and without.

use ledger::tables::{Needs, load, save};
use ledger::{
    AccountClass, AccountId, Amounts, Heading, Kind, Limits, Metadata, NewAccount, NewFulfilment,
    NewRelease, NewReversal, NewTransaction, Pending, Posting, Shelf, TransactionId, check,
    close_period, expire, freeze, fulfil, open, post, reverse, set_limits, set_metadata, unfreeze,
    void,
};
use money::{Amount, Currency, MinorUnits};
use store::bulk::Writes;
use store::find::Lock;
use store::{AnyConnection, DatabaseUrl, Error, Ids, Store, TenantId, Timestamp};
use tests::{Database, on_both_databases};

const TENANT: TenantId = TenantId(1);
const NOW: Timestamp = Timestamp::from_micros(1_000);
const LATER: Timestamp = Timestamp::from_micros(2_000);

struct Book {
    connection: AnyConnection,
    ids: Ids,
    lock: Lock,
}

impl Book {
    fn id(&mut self) -> [u8; 16] {
        self.ids.next(NOW)
    }

    fn heading(&mut self, now: Timestamp) -> Heading {
        Heading::plain(TransactionId::from_bytes(self.id()), Kind::Transfer, now)
    }

    /// Loads, decides and saves, as a batch does.
    fn batch<T>(&mut self, needs: Needs, decide: impl FnOnce(&mut Shelf) -> T) -> T {
        let is_begun = self.lock == Lock::Rows || self.connection.has_one_writer();
        if is_begun {
            store::begin_write(&mut self.connection).expect("begun");
        }
        let mut shelf = load(&mut self.connection, TENANT, needs, self.lock).expect("loaded");
        let decided = decide(&mut shelf);
        self.save(&shelf).expect("saved");
        if is_begun {
            store::commit(&mut self.connection).expect("committed");
        }
        decided
    }

    fn save(&mut self, shelf: &Shelf) -> Result<(), Error> {
        let mut writes = Writes::default();
        save(&mut writes, TENANT, shelf);
        writes.run(&mut self.connection)
    }

    /// The decision of a batch that reads now, and is saved after other batches.
    fn stale(&mut self, needs: Needs) -> Shelf {
        load(&mut self.connection, TENANT, needs, Lock::Nothing).expect("loaded")
    }

    fn conflicts(&mut self, shelf: &Shelf) {
        store::begin_write(&mut self.connection).expect("begun");
        let saved = self.save(shelf);
        assert!(matches!(saved, Err(Error::Conflict(_))), "{saved:?}");
        store::rollback(&mut self.connection).expect("rolled back");
    }
}

fn about(transaction: TransactionId) -> Needs {
    Needs {
        transactions: vec![transaction],
        ..Needs::default()
    }
}

fn amount(minor_units: i64) -> Amount {
    Amount::new(minor_units).expect("positive")
}

fn eur() -> Currency {
    Currency::from_code("EUR").expect("known")
}

fn account(code: &str, class: AccountClass, limits: Limits) -> NewAccount {
    NewAccount {
        code: ledger::AccountCode::trusted(code),
        name: ledger::AccountName::trusted(code),
        currency: eur(),
        class,
        limits,
        metadata: Metadata::from_json(r#"{"a":"b"}"#).ok(),
    }
}

on_both_databases!(each_step_of_a_transaction_is_written_and_what_is_stale_is_a_conflict);
async fn each_step_of_a_transaction_is_written_and_what_is_stale_is_a_conflict(database: Database) {
    let url = DatabaseUrl::parse(database.url()).expect("a URL");
    let store = Store::open(&url).expect("the migrations are applied");
    database.execute_raw("INSERT INTO tenant (created_at, tenant_id, name) VALUES (0, 1, 'one')");
    let mut book = Book {
        connection: store.writer().expect("a connection"),
        ids: Ids::seeded(1),
        lock: Lock::Nothing,
    };
    for lock in [Lock::Nothing, Lock::Rows] {
        book.lock = lock;
        walk(&mut book, &format!("{lock:?}"));
    }
    let checks = [
        check::postings_balance,
        check::counters_add_up,
        check::totals_are_equal,
        check::remainders_add_up,
    ];
    for check in checks {
        let examined = check(&mut book.connection, TENANT, &mut |_| ()).expect("it holds");
        assert!(examined > 0);
    }
    database.execute_raw("UPDATE account SET revision = revision + 1");
}

fn walk(book: &mut Book, name: &str) {
    let accounts @ [source, wallet] = [(); 2].map(|()| AccountId::from_bytes(book.id()));
    let all = || Needs {
        accounts: accounts.to_vec(),
        period: true,
        ..Needs::default()
    };
    let moved = |book: &mut Book, debit, credit, minor_units| {
        let posting = Posting {
            debit,
            credit,
            amount: amount(minor_units),
            currency: eur(),
        };
        let id = TransactionId::from_bytes(book.id());
        NewTransaction::plain(id, Kind::Transfer, vec![posting], NOW)
    };

    // An account may be opened and posted to by one statement.
    let funding = moved(book, source, wallet, 100);
    let funded = book.batch(Needs::default(), |shelf| {
        let equity = account(
            &format!("equity:{name}"),
            AccountClass::Equity,
            Limits::NONE,
        );
        open(shelf, source, equity, NOW).expect("opened");
        let code = format!("liabilities:{name}");
        let liability = account(&code, AccountClass::Liability, Limits::NO_OVERDRAFT);
        open(shelf, wallet, liability, NOW).expect("opened");
        post(shelf, funding).expect("posted").id
    });

    // Two pending transactions: one is fulfilled in parts, one voided; a third expires.
    let mut promised = Vec::new();
    for _ in 0..3 {
        let mut new = moved(book, wallet, source, 30);
        new.pending = Some(Pending {
            expires_at: Some(LATER),
        });
        new.metadata = Metadata::from_json(r#"{"order":"17"}"#).ok();
        promised.push(book.batch(all(), |shelf| post(shelf, new).expect("promised").id));
    }
    let fulfilled = end(book, &promised);
    undo(book, fulfilled);
    let of = funded;
    let (heading, amounts) = (book.heading(NOW), Some(vec![(0, amount(1))]));
    let reversal = NewReversal {
        heading,
        of,
        amounts: amounts.into(),
        conditions: Vec::new(),
    };
    book.batch(about(of), |shelf| {
        reverse(shelf, reversal).expect("reversed")
    });

    revise(book, &all, wallet, &moved);
    let shelf = book.stale(all());
    let account = shelf.account(&wallet).expect("loaded");
    assert_eq!(account.posted(), MinorUnits::new(100 - 20 + 10 - 1 + 1 + 2));
    assert_eq!(account.available(), account.posted());
    assert_eq!((account.version, account.revision), (14, 4));
}

/// The first of three pending transactions is fulfilled in two parts, the second voided, and the third expires. Returns
/// the last posting.
fn end(book: &mut Book, promised: &[TransactionId]) -> TransactionId {
    let mut stale = book.stale(about(promised[0]));
    let fulfilment = |book: &mut Book, last| NewFulfilment {
        heading: book.heading(NOW),
        pending: promised[0],
        amounts: Some(vec![(0, amount(10))]),
        last,
        exceed: false,
        conditions: Vec::new(),
    };
    let part = fulfilment(book, false);
    book.batch(about(promised[0]), |shelf| {
        fulfil(shelf, part).expect("posted")
    });
    let late = fulfilment(book, false);
    fulfil(&mut stale, late).expect("as it was");
    book.conflicts(&stale);
    let last = fulfilment(book, true);
    let fulfilled = book.batch(about(promised[0]), |shelf| {
        fulfil(shelf, last).expect("posted")
    });
    let (heading, pending) = (book.heading(NOW), promised[1]);
    let release = NewRelease {
        heading,
        pending,
        conditions: Vec::new(),
    };
    book.batch(about(pending), |shelf| {
        void(shelf, release).expect("voided")
    });
    let (heading, pending) = (book.heading(LATER), promised[2]);
    let release = NewRelease {
        heading,
        pending,
        conditions: Vec::new(),
    };
    book.batch(about(pending), |shelf| {
        expire(shelf, release).expect("expired")
    });
    fulfilled.id
}

/// Reverses a transaction in two parts; the second finds the first.
fn undo(book: &mut Book, of: TransactionId) {
    for part in [4, 6] {
        let reversal = NewReversal {
            heading: book.heading(NOW),
            of,
            amounts: Amounts::OfPostings(vec![(0, amount(part))]),
            conditions: Vec::new(),
        };
        let mut stale = book.stale(about(of));
        let late = reversal.clone();
        book.batch(about(of), |shelf| {
            reverse(shelf, reversal).expect("reversed")
        });
        let late = NewReversal {
            heading: book.heading(NOW),
            amounts: Amounts::OfPostings(vec![(0, amount(1))]),
            ..late
        };
        if reverse(&mut stale, late).is_ok() {
            book.conflicts(&stale);
        }
    }
}

/// An account is frozen, given other limits, opened again; a period is closed. A batch that has not seen this posts
/// nothing.
fn revise(
    book: &mut Book,
    all: &impl Fn() -> Needs,
    wallet: AccountId,
    moved: &impl Fn(&mut Book, AccountId, AccountId, i64) -> NewTransaction,
) {
    let source = all().accounts[0];
    let mut stale = book.stale(all());
    let with_it = moved(book, source, wallet, 1);
    book.batch(all(), |shelf| {
        post(shelf, with_it).expect("posted");
        freeze(shelf, wallet).expect("frozen");
        let limits = Limits::new(Some(MinorUnits::ZERO), Some(MinorUnits::new(500)), None);
        set_limits(shelf, wallet, limits.expect("good limits")).expect("set");
        set_metadata(shelf, wallet, None).expect("set");
    });
    let late = moved(book, source, wallet, 1);
    post(&mut stale, late).expect("as it was");
    book.conflicts(&stale);
    book.batch(all(), |shelf| unfreeze(shelf, wallet).map(|_account| ()))
        .expect("open again");

    let mut backdated = moved(book, source, wallet, 2);
    backdated.effective_at = Timestamp::from_micros(990);
    let mut stale = book.stale(all());
    post(&mut stale, backdated.clone()).expect("as it was");
    let closed_before = stale.closed_before(NOW).map_or(500, |at| at.micros() + 1);
    let closed_before = Timestamp::from_micros(closed_before.max(500));
    book.batch(all(), |shelf| close_period(shelf, closed_before, NOW))
        .expect("closed");
    book.conflicts(&stale);
    book.batch(all(), |shelf| post(shelf, backdated))
        .expect("posted");
}
