//! Searches, compared with a look at every transaction: each filter, and any filters together.

use std::collections::{BTreeMap, BTreeSet};

use ledger::tables::{Needs, load, save};
use ledger::{
    AccountClass, AccountId, Heading, HoldStatus, Kind, Limits, MAX_READ, Metadata, MetadataMatch,
    NewAccount, NewFulfilment, NewRelease, NewTransaction, Pending, Posting, RecordedTransaction,
    Search, Shelf, Step, TransactionId, ended, expire, fulfil, holds, open, post, search, void,
};
use money::{Amount, Currency};
use store::bulk::Writes;
use store::find::Lock;
use store::{AnyConnection, DatabaseUrl, Ids, Store, TenantId, Timestamp};
use tests::{Database, on_both_databases};

const TENANT: TenantId = TenantId(1);
const START: i64 = 1_763_776_800_000_000;
const SECOND: i64 = 1_000_000;
/// Codes, and currencies. The second account lies beside the subtree of the first, not below it.
const ACCOUNTS: [(&str, &str); 7] = [
    ("a", "EUR"),
    ("a-b", "EUR"),
    ("a:b", "EUR"),
    ("a:b:c", "EUR"),
    ("b", "EUR"),
    ("u", "USD"),
    ("u:v", "USD"),
];

/// Random numbers that are the same each time (Knuth's MMIX generator).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        let (factor, summand) = (6_364_136_223_846_793_005, 1_442_695_040_888_963_407);
        self.0 = self.0.wrapping_mul(factor).wrapping_add(summand);
        usize::try_from(self.0 >> 33).expect("31 bits") % bound
    }

    fn within(&mut self, from: i64, to: i64) -> i64 {
        let span = usize::try_from(to - from).expect("a span");
        from + i64::try_from(self.below(span)).expect("small")
    }

    fn one_of<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }

    fn maybe<T>(&mut self, one_in: usize, made: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.below(one_in) == 0).then(|| made(self))
    }
}

struct Book {
    connection: AnyConnection,
    ids: Ids,
    chance: Chance,
    now: i64,
    accounts: Vec<AccountId>,
    posted: Vec<RecordedTransaction>,
}

impl Book {
    fn begun(database: &Database, store: &Store) -> Self {
        database.execute_raw(
            "INSERT INTO tenant (created_at, tenant_id, name) VALUES (0, 1, 'tenant 1')",
        );
        let mut book = Self {
            connection: store.writer().expect("a connection"),
            ids: Ids::seeded(3),
            chance: Chance(7),
            now: START,
            accounts: Vec::new(),
            posted: Vec::new(),
        };
        let now = Timestamp::from_micros(START);
        let ids: Vec<AccountId> = ACCOUNTS
            .iter()
            .map(|_| AccountId::from_bytes(book.ids.next(now)))
            .collect();
        book.batch(Needs::default(), |shelf| {
            for (id, (code, currency)) in ids.iter().zip(ACCOUNTS) {
                let new = NewAccount {
                    code: ledger::AccountCode::parse(code).expect("a code"),
                    name: ledger::AccountName::parse(code).expect("a name"),
                    currency: Currency::from_code(currency).expect("known"),
                    class: AccountClass::Liability,
                    limits: Limits::NONE,
                    metadata: None,
                };
                open(shelf, *id, new, now).expect("opened");
            }
        });
        book.accounts = ids;
        book
    }

    fn batch(&mut self, needs: Needs, decide: impl FnOnce(&mut Shelf)) {
        store::begin_write(&mut self.connection).expect("begun");
        let mut shelf = load(&mut self.connection, TENANT, needs, Lock::Rows).expect("loaded");
        decide(&mut shelf);
        let mut writes = Writes::default();
        save(&mut writes, TENANT, &shelf);
        writes.run(&mut self.connection).expect("saved");
        store::commit(&mut self.connection).expect("committed");
        self.posted.extend(shelf.posted().iter().cloned());
    }

    fn needs(&self, transactions: Vec<TransactionId>) -> Needs {
        Needs {
            accounts: self.accounts.clone(),
            transactions,
            period: true,
            ..Needs::default()
        }
    }

    fn moment(&self) -> Timestamp {
        Timestamp::from_micros(self.now)
    }

    /// Posts this number of equal transactions, in one commit.
    fn alike(&mut self, kind: &str, number: usize) {
        self.now += SECOND;
        let drafts: Vec<NewTransaction> = (0..number)
            .map(|_| {
                let mut new = self.draft(kind);
                new.postings = vec![self.posting(0, 4, 5, "EUR")];
                new.metadata = Metadata::from_json(r#"{"all":"alike"}"#).ok();
                new
            })
            .collect();
        self.post(drafts);
    }

    fn post(&mut self, drafts: Vec<NewTransaction>) {
        let needs = self.needs(Vec::new());
        self.batch(needs, |shelf| {
            for draft in drafts {
                post(shelf, draft).expect("posted");
            }
        });
    }

    fn draft(&mut self, kind: &str) -> NewTransaction {
        let id = TransactionId::from_bytes(self.ids.next(Timestamp::from_micros(self.now)));
        let kind = Kind::parse(kind).expect("a kind");
        NewTransaction::plain(id, kind, Vec::new(), self.moment())
    }

    fn posting(&self, debit: usize, credit: usize, amount: i64, currency: &str) -> Posting {
        Posting {
            debit: self.accounts[debit],
            credit: self.accounts[credit],
            amount: Amount::new(amount).expect("positive"),
            currency: Currency::from_code(currency).expect("known"),
        }
    }

    /// Posts a few transactions that differ in everything, and then ends the pending ones among them.
    fn various(&mut self) {
        self.now += self.chance.one_of(&[1, 300, 999, 70_000, SECOND]);
        let number = 1 + self.chance.below(4);
        let drafts: Vec<NewTransaction> = (0..number).map(|_| self.any()).collect();
        let promised = drafts.iter().filter(|draft| draft.pending.is_some());
        let promised: Vec<(TransactionId, usize)> = promised
            .map(|draft| (draft.id, draft.postings.len()))
            .collect();
        self.post(drafts);
        for (pending, postings) in promised {
            self.becomes(pending, postings);
        }
    }

    fn any(&mut self) -> NewTransaction {
        let kind = self.chance.one_of(&["transfer", "fee", "gift"]);
        let mut new = self.draft(kind);
        for _ in 0..=self.chance.below(3) {
            let amount = self.chance.within(1, 100);
            let debit = self.chance.below(5);
            new.postings.push(if self.chance.below(4) == 0 {
                self.posting(5, 6, amount, "USD")
            } else {
                let credit = (debit + 1 + self.chance.below(4)) % 5;
                self.posting(debit, credit, amount, "EUR")
            });
        }
        let displaced = [-SECOND, -1, 1, -400, -86_400 * SECOND, 200 * SECOND];
        let moved = self.chance.maybe(3, |chance| chance.one_of(&displaced));
        new.effective_at = Timestamp::from_micros(self.now + moved.unwrap_or(0));
        // Some transactions happened at the same moment.
        if self.chance.below(9) == 0 {
            new.effective_at = Timestamp::from_micros(START - SECOND);
        }
        let texts = [
            r#"{"order":"1"}"#,
            r#"{"order":"10"}"#,
            r#"{"order":"2","note":"\"ü\\"}"#,
            r#"{"note":"Ab"}"#,
            r#"{"note":"ab","order":""}"#,
        ];
        let text = self.chance.maybe(2, |chance| chance.one_of(&texts));
        new.metadata = text.and_then(|text| Metadata::from_json(text).ok());
        let name = format!("name {}", self.posted.len());
        new.external_id = self.chance.maybe(4, |_| format!("{name} {}", new.id));
        let soon = Timestamp::from_micros(self.now + 1);
        new.pending = self.chance.maybe(3, |chance| Pending {
            expires_at: chance.maybe(2, |_| soon),
        });
        new
    }

    /// Does nothing, or ends a pending transaction in one of the possible ways, wholly or in part.
    fn becomes(&mut self, pending: TransactionId, postings: usize) {
        let way = self.chance.below(6);
        // A transaction that expires was pending for a while; one that is fulfilled or voided was not.
        if way == 5 {
            self.now += SECOND;
        }
        let now = self.moment();
        let id = TransactionId::from_bytes(self.ids.next(now));
        let heading = Heading::plain(id, Kind::Transfer, now);
        let (one, conditions) = (Amount::new(1).expect("positive"), Vec::new());
        let part = i16::try_from(postings - 1).expect("few");
        let post = |amounts, last| NewFulfilment {
            heading: heading.clone(),
            pending,
            amounts,
            last,
            exceed: false,
            conditions: Vec::new(),
        };
        let whole = post(None, true);
        let (parts, last) = (
            post(Some(vec![(part, one)]), false),
            post(Some(vec![(part, one)]), true),
        );
        let release = NewRelease {
            heading: heading.clone(),
            pending,
            conditions,
        };
        let needs = self.needs(vec![pending]);
        self.batch(needs, |shelf| {
            let _refused = match way {
                1 => fulfil(shelf, whole).is_ok(),
                2 => fulfil(shelf, parts).is_ok(),
                3 => fulfil(shelf, last).is_ok(),
                4 => void(shelf, release).is_ok(),
                5 => expire(shelf, release).is_ok(),
                _ => true,
            };
        });
    }

    /// A random search, with one filter or several.
    fn question(&mut self) -> Search {
        let now = self.now;
        let chance = &mut self.chance;
        let around = |chance: &mut Chance| {
            let near = chance.one_of(&[START - SECOND, START, START + 3 * SECOND, now]);
            Timestamp::from_micros(near + chance.within(-2, 3) * chance.one_of(&[1, SECOND]))
        };
        let (keys, some) = (
            ["order", "note", "all"],
            ["", "1", "ab", "Ab", "\"ü\\", "alike"],
        );
        let metadata = (0..chance.below(3)).map(|_| {
            let key = chance.one_of(&keys).to_owned();
            let text = chance.one_of(&some).to_owned();
            let told = [
                MetadataMatch::Text(text.clone()),
                MetadataMatch::Prefix(text),
                MetadataMatch::Something,
            ];
            (key, chance.one_of(&told))
        });
        let metadata: BTreeMap<String, MetadataMatch> = metadata.collect();
        let statuses = [
            HoldStatus::Pending,
            HoldStatus::Posted,
            HoldStatus::Voided,
            HoldStatus::Expired,
        ];
        let (accounts, posted) = (&self.accounts, &self.posted);
        let mut wanted = Search {
            external_id: chance.maybe(12, |chance| {
                let named = posted
                    .iter()
                    .filter_map(|posted| posted.external_id.clone());
                chance.one_of(&named.collect::<Vec<_>>())
            }),
            account: chance.maybe(4, |chance| chance.one_of(accounts)),
            subtree: chance.maybe(4, |chance| {
                chance.one_of(&["a", "a:b:c", "b", "u", "none"]).to_owned()
            }),
            kind: chance.maybe(4, |chance| {
                Kind::parse(chance.one_of(&["fee", "gift", "transfer"])).expect("a kind")
            }),
            status: chance.maybe(4, |chance| chance.one_of(&statuses)),
            from: chance.maybe(5, around),
            to: chance.maybe(5, around),
            effective_from: chance.maybe(4, around),
            effective_to: chance.maybe(4, around),
            metadata: metadata.into_iter().collect(),
            currency: chance.maybe(5, |chance| {
                Currency::from_code(chance.one_of(&["EUR", "USD"])).expect("known")
            }),
            amount_min: chance.maybe(6, |chance| chance.within(1, 90)),
            amount_max: chance.maybe(6, |chance| chance.within(10, 100)),
        };
        // Most questions are short.
        if chance.below(3) == 0 {
            let only = [chance.maybe(1, around), None];
            wanted = Search {
                effective_from: chance.one_of(&only),
                effective_to: chance.one_of(&only),
                status: wanted.status,
                ..Search::default()
            };
        }
        wanted
    }
}

/// True if a transaction matches the search, by all that is known about it.
fn is_wanted(
    wanted: &Search,
    posted: &RecordedTransaction,
    status: HoldStatus,
    accounts: &[AccountId],
) -> bool {
    let subtree = |code: &str| -> BTreeSet<AccountId> {
        let below = format!("{code}:");
        let codes = ACCOUNTS.iter().zip(accounts);
        codes
            .filter(|((own, _), _)| *own == code || own.starts_with(&below))
            .map(|(_, id)| *id)
            .collect()
    };
    let told = posted
        .metadata
        .as_ref()
        .map(Metadata::entries)
        .unwrap_or_default();
    let amounts = wanted.amount_min.unwrap_or(0)..=wanted.amount_max.unwrap_or(i64::MAX);
    let fits = |posting: &Posting| {
        amounts.contains(&posting.amount.get())
            && wanted
                .currency
                .is_none_or(|currency| currency == posting.currency)
    };
    let has_posting = |on: &dyn Fn(&AccountId) -> bool| {
        let mut postings = posted.postings.iter().map(|entry| &entry.posting);
        postings.any(|posting| fits(posting) && (on(&posting.debit) || on(&posting.credit)))
    };
    wanted
        .external_id
        .as_ref()
        .is_none_or(|name| posted.external_id.as_ref() == Some(name))
        && wanted
            .account
            .is_none_or(|account| has_posting(&|id| *id == account))
        && wanted
            .subtree
            .as_ref()
            .is_none_or(|code| has_posting(&|id| subtree(code).contains(id)))
        && has_posting(&|_| true)
        && wanted.kind.is_none_or(|kind| posted.kind == kind)
        && wanted.status.is_none_or(|wanted| status == wanted)
        && wanted.from.is_none_or(|from| posted.recorded_at >= from)
        && wanted.to.is_none_or(|to| posted.recorded_at < to)
        && wanted
            .effective_from
            .is_none_or(|from| posted.effective_at >= from)
        && wanted
            .effective_to
            .is_none_or(|to| posted.effective_at < to)
        && wanted.metadata.iter().all(|(key, wanted)| {
            told.get(key).is_some_and(|text| match wanted {
                MetadataMatch::Text(wanted) => text == wanted,
                MetadataMatch::Prefix(prefix) => text.starts_with(prefix),
                MetadataMatch::Something => true,
            })
        })
}

/// The place of a transaction among the matches.
fn place(wanted: &Search, posted: &RecordedTransaction) -> (i64, TransactionId) {
    let of_one = |code: &String| ["a:b:c", "b"].contains(&code.as_str());
    let is_text = |(_, told): &(String, MetadataMatch)| matches!(told, MetadataMatch::Text(_));
    let walks_otherwise = wanted.account.is_some()
        || wanted.subtree.as_ref().is_some_and(of_one)
        || wanted.metadata.iter().any(is_text);
    let by_time = wanted.effective_from.is_some() || wanted.effective_to.is_some();
    let at = if walks_otherwise || !by_time {
        0
    } else if posted.effective_at == posted.recorded_at {
        posted.recorded_at.micros() / 1_000 * 1_000
    } else {
        posted.effective_at.micros()
    };
    (at, posted.id)
}

/// The matches of all pages, and the number of pages.
fn all_pages(store: &Store, wanted: &Search, limit: usize) -> (Vec<TransactionId>, usize) {
    let (mut found, mut after, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = store.ask(|connection| search(connection, TENANT, wanted, after, limit));
        let page = page.expect("answered");
        assert!(page.transactions.len() <= limit, "{wanted:?}");
        found.extend(page.transactions.iter().map(|posted| posted.id));
        pages += 1;
        after = page.next;
        if after.is_none() {
            return (found, pages);
        }
    }
}

on_both_databases!(a_search_finds_what_a_look_at_every_transaction_finds);
async fn a_search_finds_what_a_look_at_every_transaction_finds(database: Database) {
    let url = DatabaseUrl::parse(database.url()).expect("a URL");
    let store = Store::open(&url).expect("the migrations are applied");
    let mut book = Book::begun(&database, &store);
    book.alike("rare", 1);
    for _ in 0..3 {
        book.alike("transfer", 800);
    }
    for _ in 0..150 {
        book.various();
    }
    let statuses: Vec<HoldStatus> = store
        .read(|connection| -> Result<_, store::Error> {
            let status = |posted: &RecordedTransaction| {
                if posted.step != Step::Pending {
                    return Ok(HoldStatus::Posted);
                }
                let holds = holds(connection, TENANT, posted)?;
                Ok(ended(&holds).unwrap_or(HoldStatus::Pending))
            };
            book.posted.iter().map(status).collect()
        })
        .expect("answered");
    let mut answered = 0;
    for _ in 0..250 {
        let wanted = book.question();
        let all = book.posted.iter().zip(&statuses);
        let right =
            all.filter(|(posted, status)| is_wanted(&wanted, posted, **status, &book.accounts));
        let mut right: Vec<_> = right.map(|(posted, _)| place(&wanted, posted)).collect();
        right.sort_unstable_by(|one, other| other.cmp(one));
        let right: Vec<TransactionId> = right.into_iter().map(|(_, id)| id).collect();
        answered += usize::from(!right.is_empty());
        let limit = if right.len() > 300 { 100 } else { 7 };
        assert_eq!(all_pages(&store, &wanted, limit).0, right, "{wanted:?}");
    }
    assert!(answered > 80, "{answered} had an answer");
    bounded(&store, &book);
}

/// Each page of a search for rare transactions looks at a limited stretch of the many others.
fn bounded(store: &Store, book: &Book) {
    let rare = Kind::parse("rare").expect("a kind");
    let oldest = book.posted.first().expect("there").id;
    let prefix = vec![("all".to_owned(), MetadataMatch::Prefix("al".to_owned()))];
    let text = vec![("all".to_owned(), MetadataMatch::Text("alike".to_owned()))];
    let soon = Some(Timestamp::from_micros(START + 3 * SECOND));
    for (account, metadata, effective_to) in [
        (None, Vec::new(), None),
        (Some(book.accounts[0]), Vec::new(), None),
        (None, prefix, None),
        (None, text, None),
        (None, Vec::new(), soon.map(|to| to.plus_seconds(9))),
    ] {
        let wanted = Search {
            kind: Some(rare),
            account,
            metadata,
            effective_to,
            ..Search::default()
        };
        let (found, pages) = all_pages(store, &wanted, 5);
        assert_eq!(found, [oldest], "{wanted:?}");
        assert!(pages > 1, "one page read more than {MAX_READ}: {wanted:?}");
    }
}

on_both_databases!(what_an_older_version_recorded_is_found_by_its_time);
async fn what_an_older_version_recorded_is_found_by_its_time(database: Database) {
    let url = DatabaseUrl::parse(database.url()).expect("a URL");
    let store = Store::open(&url).expect("the migrations are applied");
    let mut book = Book::begun(&database, &store);
    // That version gave ids of later milliseconds to the later ones of many transactions recorded at one moment.
    let mut early = book.draft("gift");
    book.now += 40_000;
    early.id = TransactionId::from_bytes(book.ids.next(book.moment()));
    early.postings = vec![book.posting(0, 4, 5, "EUR")];
    let id = early.id;
    book.post(vec![early]);
    database.execute_raw("DELETE FROM id_lead");
    let wanted = Search {
        to: Some(Timestamp::from_micros(START + 5_000)),
        ..Search::default()
    };
    assert_eq!(all_pages(&store, &wanted, 5).0, [], "no row says so yet");
    let migration = match database.kind() {
        tests::Kind::Sqlite => {
            include_str!("../../../../migrations/sqlite/2026-11-29-000006_lists/up.sql")
        }
        tests::Kind::Postgres => {
            include_str!("../../../../migrations/postgres/2026-11-29-000006_lists/up.sql")
        }
    };
    let found = migration
        .find("INSERT INTO id_lead")
        .expect("the migration looks");
    database.execute_raw(&migration[found..]);
    assert_eq!(database.number("SELECT millis FROM id_lead"), 40);
    for (effective_to, to) in [(wanted.to, None), (None, wanted.to)] {
        let wanted = Search {
            effective_to,
            to,
            ..Search::default()
        };
        assert_eq!(all_pages(&store, &wanted, 5).0, [id], "{wanted:?}");
    }
}
