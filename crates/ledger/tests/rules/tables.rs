//! The tables: the result of a batch is read again, a row that was changed in the meantime is a conflict, and the
//! checks name rows that no rule would have written.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use ledger::tables::{Needs, load, save};
use ledger::{
    AccountClass, AccountId, Heading, HoldStatus, Kind, Limits, Metadata, NewAccount, NewAsset,
    NewFulfilment, NewRelease, NewReversal, NewTransaction, Pending, RecordedTransaction, Shelf,
    TransactionId, check, close_period, describe, expire, freeze, fulfil, open, post, register,
    reverse, set_limits, set_metadata, void,
};
use money::Currency;
use store::bulk::Writes;
use store::find::Lock;
use store::{AnyConnection, CheckError, DatabaseUrl, Error, Ids, Store, TenantId, Timestamp};

use crate::given::{EARLIER, LATER, NOW, amount, eur, posting, units};

pub(crate) const TENANT: TenantId = TenantId(1);

/// A database with a tenant, and three accounts: one without limits, two without overdraft.
pub(crate) struct Book {
    folder: tempfile::TempDir,
    pub(crate) store: Store,
    pub(crate) ids: Ids,
    accounts: [AccountId; 3],
}

impl Book {
    pub(crate) fn opened() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&DatabaseUrl::Sqlite(folder.path().join("florin.db"))).unwrap();
        let mut ids = Ids::seeded(1);
        let accounts = [(); 3].map(|()| AccountId::from_bytes(ids.next(NOW)));
        let book = Self {
            folder,
            store,
            ids,
            accounts,
        };
        book.tamper("INSERT INTO tenant (created_at, tenant_id, name) VALUES (0, 1, 'acme')");
        let named = [
            ("equity:source", AccountClass::Equity, Limits::NONE),
            (
                "liabilities:ann",
                AccountClass::Liability,
                Limits::NO_OVERDRAFT,
            ),
            (
                "liabilities:bob",
                AccountClass::Liability,
                Limits::NO_OVERDRAFT,
            ),
        ];
        book.batch(Needs::default(), |shelf| {
            for (id, (code, class, limits)) in accounts.into_iter().zip(named) {
                let new = NewAccount {
                    code: ledger::AccountCode::trusted(code),
                    name: ledger::AccountName::trusted(code),
                    currency: eur(),
                    class,
                    limits,
                    metadata: None,
                };
                open(shelf, id, new, NOW).unwrap();
            }
        });
        book
    }

    /// Loads, decides and saves in one commit.
    pub(crate) fn batch<T>(&self, needs: Needs, decide: impl FnOnce(&mut Shelf) -> T) -> T {
        let shelf = self.load(needs);
        let (decided, saved) = self.save(shelf, decide);
        saved.unwrap();
        decided
    }

    fn load(&self, needs: Needs) -> Shelf {
        let mut connection = self.store.writer().unwrap();
        load(&mut connection, TENANT, needs, Lock::Nothing).unwrap()
    }

    fn save<T>(
        &self,
        mut shelf: Shelf,
        decide: impl FnOnce(&mut Shelf) -> T,
    ) -> (T, Result<(), Error>) {
        let decided = decide(&mut shelf);
        let mut connection = self.store.writer().unwrap();
        let mut writes = Writes::default();
        save(&mut writes, TENANT, &shelf);
        store::begin_write(&mut connection).unwrap();
        let saved = writes.run(&mut connection);
        match saved {
            Ok(()) => store::commit(&mut connection).unwrap(),
            Err(_) => store::rollback(&mut connection).unwrap(),
        }
        (decided, saved)
    }

    pub(crate) fn accounts(&self) -> Needs {
        Needs {
            accounts: self.accounts.to_vec(),
            ..Needs::default()
        }
    }

    pub(crate) fn about(transaction: TransactionId) -> Needs {
        Needs {
            transactions: vec![transaction],
            ..Needs::default()
        }
    }

    fn heading(&mut self, now: Timestamp) -> Heading {
        let id = TransactionId::from_bytes(self.ids.next(now));
        Heading::plain(id, Kind::Transfer, now)
    }

    fn transaction(&mut self, from: usize, to: usize, minor_units: i64) -> NewTransaction {
        let (from, to) = (self.accounts[from], self.accounts[to]);
        let id = TransactionId::from_bytes(self.ids.next(NOW));
        let postings = vec![posting(from, to, minor_units)];
        NewTransaction::plain(id, Kind::Transfer, postings, NOW)
    }

    fn post(&mut self, from: usize, to: usize, minor_units: i64) -> RecordedTransaction {
        let new = self.transaction(from, to, minor_units);
        self.batch(self.accounts(), |shelf| post(shelf, new))
            .unwrap()
    }

    fn pend(&mut self, from: usize, to: usize, minor_units: i64) -> TransactionId {
        self.pend_until(Some(LATER), from, to, minor_units)
    }

    fn pend_until(
        &mut self,
        expires_at: Option<Timestamp>,
        from: usize,
        to: usize,
        minor_units: i64,
    ) -> TransactionId {
        let mut new = self.transaction(from, to, minor_units);
        new.pending = Some(Pending { expires_at });
        self.batch(self.accounts(), |shelf| post(shelf, new))
            .unwrap()
            .id
    }

    fn fulfilment(&mut self, pending: TransactionId, part: i64, last: bool) -> NewFulfilment {
        NewFulfilment {
            heading: self.heading(NOW),
            pending,
            amounts: Some(vec![(0, amount(part))]),
            last,
            exceed: false,
            conditions: Vec::new(),
        }
    }

    fn fulfil(&mut self, pending: TransactionId, part: i64, last: bool) -> RecordedTransaction {
        let new = self.fulfilment(pending, part, last);
        self.batch(Self::about(pending), |shelf| fulfil(shelf, new))
            .unwrap()
    }

    fn reverse(&mut self, of: TransactionId, part: i64) -> RecordedTransaction {
        let heading = self.heading(NOW);
        let amounts = Some(vec![(0, amount(part))]);
        let new = NewReversal {
            heading,
            of,
            amounts: amounts.into(),
            conditions: Vec::new(),
        };
        self.batch(Self::about(of), |shelf| reverse(shelf, new))
            .unwrap()
    }

    fn connection(&self) -> SqliteConnection {
        let path = self.folder.path().join("florin.db");
        let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        connection
            .batch_execute("PRAGMA ignore_check_constraints = ON")
            .unwrap();
        connection
    }

    /// Changes rows while the triggers are removed.
    pub(crate) fn tamper(&self, sql: &str) {
        #[derive(QueryableByName)]
        struct Trigger {
            #[diesel(sql_type = diesel::sql_types::Text)]
            name: String,
        }
        let mut connection = self.connection();
        let triggers: Vec<Trigger> =
            diesel::sql_query("SELECT name FROM sqlite_master WHERE type = 'trigger'")
                .load(&mut connection)
                .unwrap();
        connection.batch_execute("BEGIN").unwrap();
        for trigger in triggers {
            let drop = format!("DROP TRIGGER {}", trigger.name);
            connection.batch_execute(&drop).unwrap();
        }
        let changed = diesel::sql_query(sql).execute(&mut connection).unwrap();
        assert!(changed > 0, "nothing was planted: {sql}");
        connection.batch_execute("COMMIT").unwrap();
    }

    pub(crate) fn check(&self) -> Result<u64, String> {
        type Check =
            fn(&mut AnyConnection, TenantId, &mut dyn FnMut(u64)) -> Result<u64, CheckError>;
        let checks: [(&str, Check); 6] = [
            ("L1", check::postings_balance),
            ("L2", check::counters_add_up),
            ("L3", check::totals_are_equal),
            ("L5", check::remainders_add_up),
            ("L6", check::exchanges_follow),
            ("L8", check::assets_are_registered),
        ];
        let mut connection = self.store.writer().unwrap();
        let mut examined = 0;
        for (name, check) in checks {
            examined += check(&mut connection, TENANT, &mut |_| ())
                .map_err(|error| format!("{name} {error}"))?;
        }
        Ok(examined)
    }
}

/// A book that contains every step.
fn written() -> (Book, TransactionId, RecordedTransaction) {
    let mut book = Book::opened();
    let funded = book.post(0, 1, 1_000);
    let pending = book.pend(1, 2, 100);
    let first = book.fulfil(pending, 30, false);
    book.fulfil(pending, 20, true);
    let voided = book.pend(1, 2, 7);
    let heading = book.heading(NOW);
    let new = NewRelease {
        heading,
        pending: voided,
        conditions: Vec::new(),
    };
    book.batch(Book::about(voided), |shelf| void(shelf, new))
        .unwrap();
    let forgotten = book.pend(1, 2, 8);
    let heading = book.heading(LATER);
    let new = NewRelease {
        heading,
        pending: forgotten,
        conditions: Vec::new(),
    };
    book.batch(Book::about(forgotten), |shelf| expire(shelf, new))
        .unwrap();
    book.pend(1, 2, 9);
    book.reverse(funded.id, 100);
    book.reverse(funded.id, 50);
    book.reverse(first.id, 30);
    (book, pending, first)
}

#[test]
fn every_step_is_found_again_and_the_checks_hold() {
    let (book, pending, first) = written();
    assert_eq!(book.check(), Ok(13 + (26 + 3) + 3 + 12));
    let [_, ann, bob] = book.accounts;
    let shelf = book.load(book.accounts());
    let balances = |id| {
        let account = shelf.account(&id).unwrap();
        (
            account.posted().get(),
            account.available().get(),
            account.possible().get(),
        )
    };
    assert_eq!(balances(ann), (830, 821, 830));
    assert_eq!(balances(bob), (20, 20, 29));
    let mut connection = book.store.writer().unwrap();
    let promised = ledger::posted(&mut connection, TENANT, &[pending]).unwrap();
    assert_eq!(promised[0].expires_at, Some(LATER));
    let holds = ledger::holds(&mut connection, TENANT, &promised[0]).unwrap();
    let hold = holds[0];
    assert_eq!(
        (hold.posted, hold.released, hold.status),
        (50, 50, HoldStatus::Posted)
    );
    let corrections = ledger::corrections(&mut connection, TENANT, first.id).unwrap();
    assert_eq!((corrections[0].amount, corrections[0].reversed), (30, 30));
    let found = ledger::posted(&mut connection, TENANT, &[first.id]).unwrap();
    assert_eq!(found[0].postings, first.postings);
    assert_eq!((found[0].step, found[0].about), (first.step, Some(pending)));
}

/// An account of foreign books, in a custom asset.
fn points(exponent: u8) -> NewAccount {
    NewAccount {
        code: ledger::AccountCode::trusted("liabilities:points"),
        name: ledger::AccountName::trusted("Points"),
        currency: Currency::custom("POINTS", exponent).unwrap(),
        class: AccountClass::Liability,
        limits: Limits::NONE,
        metadata: None,
    }
}

#[test]
fn an_asset_is_found_again_and_its_accounts_too() {
    let mut book = Book::opened();
    let id = AccountId::from_bytes(book.ids.next(NOW));
    // The asset is registered in one commit with its first account.
    book.batch(Needs::default(), |shelf| {
        let name = Some(ledger::AssetName::trusted("Loyalty"));
        register(shelf, NewAsset::new("POINTS", 0, name).unwrap(), NOW).unwrap();
        open(shelf, id, points(0), NOW).unwrap();
    });
    let named = || Needs {
        assets: vec!["POINTS".to_owned(), "NOBODY".to_owned()],
        ..Needs::default()
    };
    let shelf = book.load(named());
    let found = shelf.asset("POINTS").unwrap().clone();
    assert_eq!(
        (found.currency, &*found.name),
        (points(0).currency, "Loyalty")
    );
    assert_eq!((found.created_at, shelf.asset("NOBODY")), (NOW, None));
    assert!(shelf.registered().is_empty(), "it is not written again");
    let mut connection = book.store.writer().unwrap();
    let kept = ledger::account(&mut connection, TENANT, id)
        .unwrap()
        .unwrap();
    assert_eq!(kept.currency, found.currency);
    let one = ledger::asset(&mut connection, TENANT, "POINTS").unwrap();
    assert_eq!(one, Some(found.clone()));
    let mut list = |after| ledger::assets(&mut connection, TENANT, after, 10).unwrap();
    assert_eq!(list(None), [found]);
    assert_eq!(list(Some("POINTS")), []);
    assert_eq!(book.check(), Ok(4 + 4 + 2));
}

#[test]
fn an_asset_that_was_registered_meanwhile_is_a_conflict() {
    let book = Book::opened();
    let ask = |exponent| {
        move |shelf: &mut Shelf| {
            register(shelf, NewAsset::new("POINTS", exponent, None).unwrap(), NOW)
        }
    };
    let stale = book.load(Needs::default());
    book.batch(Needs::default(), ask(0)).unwrap();
    let (decided, saved) = book.save(stale, ask(2));
    assert!(decided.is_ok());
    assert!(matches!(saved, Err(Error::Conflict(_))), "{saved:?}");
}

#[test]
fn an_account_in_an_asset_that_is_not_registered_is_found() {
    let mut book = Book::opened();
    book.batch(Needs::default(), |shelf| {
        register(shelf, NewAsset::new("POINTS", 0, None).unwrap(), NOW).unwrap();
    });
    let id = AccountId::from_bytes(book.ids.next(NOW));
    let shelf = book.load(Needs {
        assets: vec!["POINTS".to_owned()],
        ..Needs::default()
    });
    let (opened, saved) = book.save(shelf, |shelf| open(shelf, id, points(0), NOW).is_ok());
    saved.unwrap();
    assert!(opened);
    assert_eq!(book.check(), Ok(4 + 4 + 2));

    for (plant, said) in [
        (
            "UPDATE asset SET exponent = 2",
            "it holds POINTS/0, which is not registered",
        ),
        (
            "UPDATE account SET currency = 'OTHER/0' WHERE code = 'liabilities:points'",
            "it holds OTHER/0, which is not registered",
        ),
        (
            "UPDATE asset SET code = 'EUR'",
            "asset \"EUR\": the code is one of ISO 4217",
        ),
        (
            "UPDATE asset SET code = 'POINTS', exponent = 300",
            "asset \"POINTS\": an asset has at most 18 decimal places",
        ),
    ] {
        book.tamper(plant);
        let found = book.check().unwrap_err();
        assert!(found.starts_with("L8") && found.contains(said), "{found}");
    }
}

#[test]
fn what_exceeded_a_hold_is_found_again_and_stands_in_its_place() {
    let mut book = Book::opened();
    book.post(0, 1, 1_000);
    let pending = book.pend(1, 2, 100);
    let mut new = book.fulfilment(pending, 130, false);
    new.exceed = true;
    let posted = book.batch(Book::about(pending), |shelf| fulfil(shelf, new));
    let posted = posted.unwrap();
    assert!(book.check().is_ok());
    let mut connection = book.store.writer().unwrap();
    let found = ledger::posted(&mut connection, TENANT, &[posted.id]).unwrap();
    assert_eq!(found[0].postings, posted.postings);
    for (from, to, invariant, said) in [
        (200, 1, "L1", "posting"),
        (1, 100, "L1", "posting"),
        (100, 201, "L5", "which is no such one"),
    ] {
        book.tamper(&format!(
            "UPDATE posting SET ordinal = {to} WHERE ordinal = {from} AND phase = 2"
        ));
        let found = book.check().unwrap_err();
        assert!(
            found.starts_with(invariant) && found.contains(said),
            "{to}: {found}"
        );
    }
}

#[test]
fn metadata_that_was_set_meanwhile_is_a_conflict_and_what_was_recorded_stays() {
    let mut book = Book::opened();
    let id = book.post(0, 1, 1_000).id;
    let needs = || Needs {
        described: vec![id],
        ..Needs::default()
    };
    let texts = |json: &str| Metadata::from_json(json).ok();
    for (revision, json) in [(1, r#"{"a":"1","b":"2"}"#), (2, r#"{"b":"2","c":"3"}"#)] {
        let stale = book.load(needs());
        let told = book.batch(needs(), |shelf| describe(shelf, id, texts(json), NOW));
        let told = told.unwrap();
        assert_eq!(
            (told.revision, told.posted.metadata),
            (revision, texts(json))
        );
        let (decided, saved) = book.save(stale, |shelf| describe(shelf, id, None, NOW));
        assert!(decided.is_ok());
        assert!(matches!(saved, Err(Error::Conflict(_))), "{saved:?}");
    }
    let mut connection = book.store.writer().unwrap();
    let recorded = ledger::posted(&mut connection, TENANT, &[id]).unwrap();
    assert_eq!(recorded[0].metadata, None);
    let now = ledger::with_current_metadata(&mut connection, TENANT, recorded).unwrap();
    assert_eq!(now[0].metadata, texts(r#"{"b":"2","c":"3"}"#));
    let agree = check::asides_agree(&mut connection, TENANT, &mut |_| ());
    assert!(agree.is_ok(), "{agree:?}");
    // A transaction that does not exist has no postings.
    let nobody = TransactionId::from_bytes([9; 16]);
    let mut shelf = book.load(needs());
    let refused = describe(&mut shelf, nobody, None, NOW).unwrap_err();
    assert_eq!(refused.code(), "transaction_not_found");
    for plant in [
        "DELETE FROM transaction_metadata WHERE key = 'c'",
        "UPDATE current_metadata SET metadata = NULL",
        "DELETE FROM current_metadata",
    ] {
        book.tamper(plant);
        let found = check::asides_agree(&mut connection, TENANT, &mut |_| ());
        assert!(matches!(found, Err(CheckError::Broken { .. })), "{plant}");
    }
}

#[test]
fn a_hold_that_was_moved_meanwhile_is_a_conflict() {
    let mut book = Book::opened();
    book.post(0, 1, 1_000);
    // A hold that never expires has a row only after something was done about it.
    for expires_at in [Some(LATER), None] {
        let pending = book.pend_until(expires_at, 1, 2, 100);
        for part in [50, 30] {
            let stale = book.load(Book::about(pending));
            book.fulfil(pending, part, false);
            let new = book.fulfilment(pending, 20, false);
            let (decided, saved) = book.save(stale, |shelf| fulfil(shelf, new));
            assert!(decided.is_ok());
            assert!(matches!(saved, Err(Error::Conflict(_))), "{saved:?}");
        }
    }
}

#[test]
fn a_posting_that_was_reversed_meanwhile_is_a_conflict() {
    let mut book = Book::opened();
    let posted = book.post(0, 1, 100);
    for seen in [60, 20] {
        let stale = book.load(Book::about(posted.id));
        book.reverse(posted.id, seen);
        let heading = book.heading(NOW);
        let (of, amounts) = (posted.id, Some(vec![(0, amount(10))]));
        let new = NewReversal {
            heading,
            of,
            amounts: amounts.into(),
            conditions: Vec::new(),
        };
        let (decided, saved) = book.save(stale, |shelf| reverse(shelf, new));
        assert!(decided.is_ok());
        assert!(matches!(saved, Err(Error::Conflict(_))), "{saved:?}");
    }
}

#[test]
fn an_account_that_was_frozen_or_limited_meanwhile_is_a_conflict() {
    let mut book = Book::opened();
    book.post(0, 1, 1_000);
    let ann = book.accounts[1];
    let changes: [fn(&mut Shelf, AccountId); 3] = [
        |shelf, id| {
            let limits = Limits::new(Some(units(0)), None, Some(units(5))).unwrap();
            set_limits(shelf, id, limits).unwrap();
        },
        |shelf, id| {
            let kept = Metadata::from_json(r#"{"tier":"gold"}"#).unwrap();
            set_metadata(shelf, id, Some(kept)).unwrap();
        },
        |shelf, id| {
            freeze(shelf, id).unwrap();
        },
    ];
    for change in changes {
        let stale = book.load(book.accounts());
        book.batch(book.accounts(), |shelf| change(shelf, ann));
        let new = book.transaction(1, 2, 1);
        let (decided, saved) = book.save(stale, |shelf| post(shelf, new));
        assert!(decided.is_ok());
        assert!(matches!(saved, Err(Error::Conflict(_))), "{saved:?}");
    }
    let shelf = book.load(book.accounts());
    let account = shelf.account(&ann).unwrap();
    assert_eq!((account.revision, account.version), (3, 1));
    assert_eq!(account.limits.least(), Some(units(-5)));
    assert_eq!(
        account.metadata.as_ref().unwrap().as_json(),
        r#"{"tier":"gold"}"#
    );
}

#[test]
fn an_account_is_posted_to_and_revised_in_one_batch() {
    let mut book = Book::opened();
    let new = book.transaction(0, 1, 10);
    let ann = book.accounts[1];
    book.batch(book.accounts(), |shelf| {
        post(shelf, new).unwrap();
        freeze(shelf, ann).unwrap();
    });
    let shelf = book.load(book.accounts());
    let account = shelf.account(&ann).unwrap();
    assert_eq!(
        (account.revision, account.version, account.posted()),
        (1, 1, units(10))
    );
    book.check().unwrap();
}

#[test]
fn a_period_that_was_closed_meanwhile_is_a_conflict() {
    let mut book = Book::opened();
    let with_period = |book: &Book| Needs {
        period: true,
        ..book.accounts()
    };
    // The second time there is a row already.
    for closed_before in [700, 800] {
        let closed_before = Timestamp::from_micros(closed_before);
        let stale = book.load(with_period(&book));
        book.batch(with_period(&book), |shelf| {
            close_period(shelf, closed_before, NOW)
        })
        .unwrap();
        let mut new = book.transaction(0, 1, 1);
        new.effective_at = Timestamp::from_micros(900);
        let (decided, saved) = book.save(stale, |shelf| post(shelf, new.clone()));
        assert!(decided.is_ok());
        assert!(matches!(saved, Err(Error::Conflict(_))), "{saved:?}");
        book.batch(with_period(&book), |shelf| post(shelf, new))
            .unwrap();
    }
    let mut new = book.transaction(0, 1, 1);
    new.effective_at = EARLIER;
    let refused = book.batch(with_period(&book), |shelf| post(shelf, new.clone()));
    assert_eq!(refused.unwrap_err().code(), "period_closed");
    // A batch that has not read the period treats the whole past as closed.
    new.effective_at = Timestamp::from_micros(999);
    let refused = book.batch(book.accounts(), |shelf| post(shelf, new));
    assert_eq!(refused.unwrap_err().code(), "period_closed");
    let mut connection = book.store.writer().unwrap();
    let closed = ledger::closed_before(&mut connection, TENANT).unwrap();
    assert_eq!(closed, Some(Timestamp::from_micros(800)));
}

#[test]
fn each_planted_violation_is_named() {
    let planted = [
        (
            "UPDATE hold SET posted = 51 WHERE amount = 100",
            "L5",
            "states 51 posted",
        ),
        (
            "UPDATE hold SET status = 4 WHERE amount = 7",
            "L5",
            "its hold is expired",
        ),
        (
            "UPDATE hold SET status = 2 WHERE amount = 9",
            "L5",
            "its hold is posted",
        ),
        (
            "UPDATE hold SET amount = 10 WHERE amount = 9",
            "L5",
            "10 is held, it moves 9",
        ),
        (
            "DELETE FROM hold WHERE amount = 9",
            "L5",
            "nothing states what of it is held",
        ),
        (
            "UPDATE hold SET ordinal = 3 WHERE amount = 9",
            "L5",
            "nothing states what of it is held",
        ),
        (
            "UPDATE hold SET expires_at = 1 WHERE amount = 9",
            "L5",
            "at another time",
        ),
        (
            "INSERT INTO hold SELECT 1, 0, 0, NULL, 1, 0, 1, randomblob(16) FROM tenant",
            "L5",
            "nothing is pending",
        ),
        (
            "UPDATE correction SET reversed = 149 WHERE amount = 1000",
            "L5",
            "149 counts as reversed",
        ),
        (
            "DELETE FROM correction WHERE amount = 30",
            "L5",
            "0 counts as reversed",
        ),
        (
            "INSERT INTO correction SELECT 1, 1, 1, 0, randomblob(16) FROM tenant",
            "L5",
            "nothing is posted",
        ),
        (
            "UPDATE ledger_transaction SET about = (SELECT min(id) FROM ledger_transaction WHERE step = 2) WHERE step = 4",
            "L5",
            "which is no such one",
        ),
        (
            "UPDATE posting SET phase = 4, ordinal = 100 WHERE amount = 1000",
            "L1",
            "it is released",
        ),
        (
            "UPDATE posting SET ordinal = 1 WHERE amount = 1000",
            "L1",
            "posting 0 is missing",
        ),
        (
            "UPDATE posting SET ordinal = 5 WHERE phase = 4",
            "L1",
            "posting",
        ),
        (
            "UPDATE account SET debits_released = debits_released - 1 WHERE code LIKE '%ann'",
            "L2",
            "debits_released",
        ),
        (
            "UPDATE account SET credits_pending = credits_pending + 1 WHERE code LIKE '%bob'",
            "L2",
            "credits_pending",
        ),
    ];
    for (sql, name, said) in planted {
        let (book, ..) = written();
        book.check().unwrap();
        book.tamper(sql);
        let found = book.check().unwrap_err();
        assert!(
            found.starts_with(name) && found.contains(said),
            "{sql}: {found}"
        );
    }
}
