//! Balances as of a moment, statements, totals and searches, compared with a plain replay of the same books. A third of
//! the entries happened before they were recorded, or shortly after.

mod clocks;
mod http;
mod measured;
mod standstill;
mod tenants;

use ledger::tables::{Needs, load, save};
use ledger::{
    Account, AccountClass, AccountId, By, Heading, Kind, Limits, Metadata, NewAccount, NewReversal,
    NewTransaction, Posting, RecordedTransaction, Scope, Search, Span, Statement, TransactionId,
    balance_at, check, open, post, reverse, search, standings, statement, totals,
};
use money::{Amount, Currency};
use store::bulk::Writes;
use store::find::Lock;
use store::{AnyConnection, DatabaseUrl, Ids, Store, TenantId, Timestamp};
use tests::{Database, on_both_databases};

const TENANT: TenantId = TenantId(1);
const START: i64 = 1_763_776_800_000_000;
const DAY: i64 = 86_400_000_000;

/// Random numbers that are the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn within(&mut self, from: i64, to: i64) -> i64 {
        let span = u64::try_from(to - from).expect("a span");
        from + i64::try_from(self.below(span)).expect("small")
    }

    fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        let length = u64::try_from(of.len()).expect("small");
        of[usize::try_from(self.below(length)).expect("small")]
    }
}

/// An entry as a replay sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ToldEntry {
    account: AccountId,
    version: i64,
    effective: i64,
    recorded: i64,
    credit: i64,
}

impl ToldEntry {
    fn at(&self, by: By) -> i64 {
        match by {
            By::Recorded => self.recorded,
            By::Effective => self.effective,
        }
    }
}

struct Book {
    tenant: TenantId,
    connection: AnyConnection,
    ids: Ids,
    chance: Chance,
    now: i64,
    accounts: Vec<AccountId>,
    told: Vec<ToldEntry>,
    posted: Vec<RecordedTransaction>,
}

impl Book {
    fn batch(&mut self, needs: Needs, decide: impl FnOnce(&mut ledger::Shelf)) {
        store::begin_write(&mut self.connection).expect("begun");
        let mut shelf = load(&mut self.connection, self.tenant, needs, Lock::Rows).expect("loaded");
        decide(&mut shelf);
        let mut writes = Writes::default();
        save(&mut writes, self.tenant, &shelf);
        writes.run(&mut self.connection).expect("saved");
        store::commit(&mut self.connection).expect("committed");
        for posted in shelf.posted() {
            self.tell(posted);
        }
    }

    fn tell(&mut self, posted: &RecordedTransaction) {
        for entry in posted
            .postings
            .iter()
            .filter(|entry| entry.phase.is_final())
        {
            let amount = entry.posting.amount.get();
            let sides = [
                (entry.posting.debit, entry.debit_version, -amount),
                (entry.posting.credit, entry.credit_version, amount),
            ];
            for (account, version, credit) in sides {
                self.told.push(ToldEntry {
                    account,
                    version,
                    effective: posted.effective_at.micros(),
                    recorded: posted.recorded_at.micros(),
                    credit,
                });
            }
        }
        self.posted.push(posted.clone());
    }

    fn id(&mut self) -> [u8; 16] {
        self.ids.next(Timestamp::from_micros(self.now))
    }

    fn open(&mut self, codes: &[&str]) {
        for code in codes {
            let id = AccountId::from_bytes(self.id());
            let class = AccountClass::Liability;
            let new = NewAccount {
                code: ledger::AccountCode::trusted(*code),
                name: ledger::AccountName::trusted(*code),
                currency: Currency::from_code("EUR").expect("known"),
                class,
                limits: Limits::NONE,
                metadata: None,
            };
            let now = Timestamp::from_micros(self.now);
            self.batch(Needs::default(), |shelf| {
                open(shelf, id, new, now).expect("opened");
            });
            self.accounts.push(id);
        }
    }

    /// A random effective time: mostly now, or else shortly or long before or shortly after, often at the same moments.
    fn effective(&mut self) -> i64 {
        match self.chance.below(9) {
            0 => self.now - self.chance.within(1, 400),
            1 => START - DAY * self.chance.within(0, 40),
            2 => self.now + self.chance.within(1, 300_000_001),
            _ => self.now,
        }
    }

    fn draft(&mut self) -> NewTransaction {
        let id = TransactionId::from_bytes(self.id());
        let mut postings = Vec::new();
        for _ in 0..=self.chance.below(2) {
            let accounts = self.accounts.clone();
            let (debit, credit) = (self.chance.one_of(&accounts), self.chance.one_of(&accounts));
            if debit != credit {
                postings.push(Posting {
                    debit,
                    credit,
                    amount: Amount::new(self.chance.within(1, 1_000)).expect("positive"),
                    currency: Currency::from_code("EUR").expect("known"),
                });
            }
        }
        let kind = self.chance.one_of(&["transfer", "fee"]);
        let now = Timestamp::from_micros(self.now);
        let mut new = NewTransaction::plain(id, Kind::parse(kind).expect("a kind"), postings, now);
        new.effective_at = Timestamp::from_micros(self.effective());
        if self.chance.below(3) == 0 {
            let order = format!(r#"{{"order":"{}"}}"#, self.chance.below(5));
            new.metadata = Metadata::from_json(&order).ok();
        }
        new
    }

    /// One commit of a few transactions; sometimes one of them is reversed in the next commit.
    fn commit(&mut self) {
        self.now += self.chance.one_of(&[0, 1, 300, 70_000, DAY / 3]);
        let drafts: Vec<NewTransaction> =
            (0..=self.chance.below(3)).map(|_| self.draft()).collect();
        let needs = Needs {
            accounts: self.accounts.clone(),
            period: true,
            ..Needs::default()
        };
        self.batch(needs, |shelf| {
            for draft in drafts {
                let _refused = post(shelf, draft);
            }
        });
        let last = self.posted.last().map(|posted| (posted.id, posted.about));
        if let Some((of, None)) = last
            && self.chance.below(6) == 0
        {
            let id = TransactionId::from_bytes(self.id());
            let now = Timestamp::from_micros(self.now);
            let mut heading = Heading::plain(id, Kind::Transfer, now);
            heading.effective_at = Timestamp::from_micros(self.effective());
            let needs = Needs {
                transactions: vec![of],
                period: true,
                ..Needs::default()
            };
            let amounts = None;
            let new = NewReversal {
                heading,
                of,
                amounts: amounts.into(),
                conditions: Vec::new(),
            };
            self.batch(needs, |shelf| {
                reverse(shelf, new).expect("undone");
            });
        }
    }

    /// A moment at which something may have just changed.
    fn moment(&mut self) -> i64 {
        let told = self
            .chance
            .below(u64::try_from(self.told.len()).expect("small"));
        let told = &self.told[usize::try_from(told).expect("small")];
        let (effective, recorded) = (told.effective, told.recorded);
        let near = self.chance.one_of(&[effective, recorded, recorded]);
        near + self.chance.one_of(&[-1, 0, 0, 1, 255, -65_536])
    }

    fn replayed(&self, account: AccountId, by: By, until: i64) -> i64 {
        let entries = self.told.iter().filter(|told| told.account == account);
        entries
            .filter(|told| told.at(by) <= until)
            .map(|told| told.credit)
            .sum()
    }
}

fn account(connection: &mut AnyConnection, id: AccountId) -> Account {
    let found = ledger::account(connection, TENANT, id).expect("answered");
    found.expect("there")
}

fn written(database: &Database, seed: u64, commits: u32) -> (Store, Book) {
    let url = DatabaseUrl::parse(database.url()).expect("a URL");
    let store = Store::open(&url).expect("the migrations are applied");
    let book = written_for(database, &store, TENANT, seed, commits);
    (store, book)
}

fn written_for(
    database: &Database,
    store: &Store,
    tenant: TenantId,
    seed: u64,
    commits: u32,
) -> Book {
    let tenant_row = format!(
        "INSERT INTO tenant (created_at, tenant_id, name) VALUES (0, {0}, 'tenant {0}')",
        tenant.0
    );
    database.execute_raw(&tenant_row);
    let mut book = Book {
        tenant,
        connection: store.writer().expect("a connection"),
        ids: Ids::seeded(seed),
        chance: Chance(seed),
        now: START,
        accounts: Vec::new(),
        told: Vec::new(),
        posted: Vec::new(),
    };
    book.open(&["a", "a:b", "a:B", "a:b:c", "a_b", "ab"]);
    for _ in 0..commits {
        book.commit();
    }
    book
}

on_both_databases!(a_balance_as_of_any_moment_is_what_a_replay_says);
async fn a_balance_as_of_any_moment_is_what_a_replay_says(database: Database) {
    let (store, mut book) = written(&database, 7, 120);
    let displaced = book
        .told
        .iter()
        .filter(|told| told.effective != told.recorded);
    assert!(displaced.count() > 60);
    for _ in 0..150 {
        let moment = book.moment();
        let accounts = book.accounts.clone();
        let id = book.chance.one_of(&accounts);
        for by in [By::Recorded, By::Effective] {
            let at = Timestamp::from_micros(moment);
            let found = store.read(|connection| {
                let account = account(connection, id);
                balance_at(connection, TENANT, &account, at, by)
            });
            let expected = book.replayed(id, by, moment);
            assert_eq!(found.expect("answered").get(), expected, "{by:?} {moment}");
        }
    }
    let checks = [check::counters_add_up, check::asides_agree];
    for check in checks {
        let examined = check(&mut book.connection, TENANT, &mut |_| ()).expect("it holds");
        assert!(examined > 0);
    }
}

on_both_databases!(a_statement_read_in_pages_is_what_a_replay_says);
async fn a_statement_read_in_pages_is_what_a_replay_says(database: Database) {
    let (store, mut book) = written(&database, 11, 80);
    for round in 0..40 {
        let accounts = book.accounts.clone();
        let id = book.chance.one_of(&accounts);
        let (one, other) = (book.moment(), book.moment());
        let (from, to) = (one.min(other), one.max(other));
        let by = if round % 2 == 0 {
            By::Recorded
        } else {
            By::Effective
        };
        let span = Span {
            from: Timestamp::from_micros(from),
            to: Timestamp::from_micros(to),
            by,
        };
        let mut lines = Vec::new();
        let mut after = None;
        loop {
            let page: Statement = store
                .read(|connection| {
                    let account = account(connection, id);
                    statement(connection, TENANT, &account, span, after, 3)
                })
                .expect("answered");
            assert_eq!(
                page.opening.get(),
                book.replayed(id, by, from - 1),
                "{span:?}"
            );
            assert_eq!(
                page.closing.get(),
                book.replayed(id, by, to - 1),
                "{span:?}"
            );
            assert!(page.lines.len() <= 3);
            lines.extend(page.lines);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let mut expected: Vec<&ToldEntry> = book
            .told
            .iter()
            .filter(|told| told.account == id && (from..to).contains(&told.at(by)))
            .collect();
        expected.sort_by_key(|told| (told.at(by), told.version));
        let mut balance = book.replayed(id, by, from - 1);
        let expected: Vec<(i64, i64)> = expected
            .into_iter()
            .map(|told| {
                balance += told.credit;
                (told.version, balance)
            })
            .collect();
        let found: Vec<(i64, i64)> = lines
            .iter()
            .map(|line| (line.version, line.balance.get()))
            .collect();
        assert_eq!(found, expected, "{span:?}");
    }
}

on_both_databases!(totals_and_searches_find_what_is_there);
async fn totals_and_searches_find_what_is_there(database: Database) {
    let (store, mut book) = written(&database, 13, 60);
    // Each subtree has its own accounts, and none that only begin with the same letters.
    let scopes: [(Option<&str>, &[usize]); 5] = [
        (None, &[0, 1, 2, 3, 4, 5]),
        (Some("a"), &[0, 1, 2, 3]),
        (Some("a:b"), &[1, 3]),
        (Some("a:b:c"), &[3]),
        (Some("b"), &[]),
    ];
    for (subtree, places) in scopes {
        let moment = book.moment();
        let as_of = (Timestamp::from_micros(moment), By::Effective);
        let scope = Scope {
            subtree: subtree.map(str::to_owned),
            as_of: Some(as_of),
        };
        let read = |after, limit| {
            store.read(|connection| standings(connection, TENANT, &scope, after, limit))
        };
        let all = read(None, 10).expect("answered");
        let totals = store.read(|connection| totals(connection, TENANT, &scope));
        let totals = totals.expect("answered");
        let units = |place: &usize| book.replayed(book.accounts[*place], By::Effective, moment);
        let credits: i64 = places.iter().map(units).filter(|units| *units > 0).sum();
        let debits: i64 = places.iter().map(units).filter(|units| *units < 0).sum();
        let found = totals.first().map_or((0, 0, 0), |total| {
            (total.accounts, total.debits, total.credits)
        });
        let number = u64::try_from(places.len()).expect("small");
        assert_eq!(found, (number, i128::from(-debits), i128::from(credits)));
        let codes: Vec<&str> = all.iter().map(|of| of.account.code.as_str()).collect();
        if subtree.is_none() {
            assert_eq!(codes, ["a", "a:B", "a:b", "a:b:c", "a_b", "ab"]);
            assert_eq!(found.1, found.2, "debits are credits");
            let rest = read(Some("a:b"), 2).expect("answered");
            assert_eq!(rest[..], all[3..5]);
        }
    }
    searches(&store, &book);
}

fn searches(store: &Store, book: &Book) {
    let wallet = book.accounts[3];
    let (from, to) = (START + 1, book.now - DAY);
    let kind = Kind::parse("fee").expect("a kind");
    let order = (
        "order".to_owned(),
        ledger::MetadataMatch::Text("3".to_owned()),
    );
    let on = |posted: &RecordedTransaction, accounts: &[AccountId]| {
        let mut entries = posted.postings.iter().map(|entry| entry.posting);
        entries.any(|of| accounts.contains(&of.debit) || accounts.contains(&of.credit))
    };
    type Holds<'a> = Box<dyn Fn(&RecordedTransaction) -> bool + 'a>;
    let cases: Vec<(Search, Holds<'_>)> = vec![
        (Search::default(), Box::new(|_| true)),
        (
            Search {
                account: Some(wallet),
                ..Search::default()
            },
            Box::new(|posted| on(posted, &[wallet])),
        ),
        (
            Search {
                subtree: Some("a:b".to_owned()),
                ..Search::default()
            },
            Box::new(|posted| on(posted, &[book.accounts[1], wallet])),
        ),
        (
            Search {
                kind: Some(kind),
                ..Search::default()
            },
            Box::new(|posted| posted.kind == kind),
        ),
        (
            Search {
                from: Some(Timestamp::from_micros(from)),
                to: Some(Timestamp::from_micros(to)),
                ..Search::default()
            },
            Box::new(|posted| (from..to).contains(&posted.recorded_at.micros())),
        ),
        (
            Search {
                metadata: vec![order],
                ..Search::default()
            },
            Box::new(|posted| {
                let metadata = posted.metadata.as_ref().map(Metadata::as_json);
                metadata == Some(r#"{"order":"3"}"#)
            }),
        ),
        (
            Search {
                amount_min: Some(400),
                amount_max: Some(600),
                ..Search::default()
            },
            Box::new(|posted| {
                let mut amounts = posted
                    .postings
                    .iter()
                    .map(|entry| entry.posting.amount.get());
                amounts.any(|amount| (400..=600).contains(&amount))
            }),
        ),
    ];
    for (wanted, holds) in cases {
        let mut expected: Vec<TransactionId> = book
            .posted
            .iter()
            .filter(|posted| holds(posted))
            .map(|posted| posted.id)
            .collect();
        expected.sort_by(|one, other| other.cmp(one));
        assert!(!expected.is_empty(), "{wanted:?}");
        let (mut found, mut after): (Vec<TransactionId>, _) = (Vec::new(), None);
        loop {
            let page = store
                .ask(|connection| search(connection, TENANT, &wanted, after, 7))
                .expect("answered");
            found.extend(page.transactions.iter().map(|posted| posted.id));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(found, expected, "{wanted:?}");
    }
}
