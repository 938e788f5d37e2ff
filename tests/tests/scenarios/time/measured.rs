//! The cost of a balance and of a statement among many entries.

use ledger::tables::Needs;
use ledger::{By, Kind, NewTransaction, Posting, Span, TransactionId, balance_at, post, statement};
use money::{Amount, Currency};
use store::{Store, Timestamp};
use tests::{Database, Kind as Backend};

use super::{Book, DAY, START, TENANT, account, written};

/// Not for every run: `ENTRIES=10000,1000000 cargo test … -- --ignored --nocapture how_long`.
#[test]
#[ignore = "it measures: minutes, and nothing to be right or wrong"]
fn how_long_a_balance_takes_among_many_entries_on_sqlite() {
    how_long(Backend::Sqlite, "ANALYZE");
}

/// The same on the other database.
#[test]
#[ignore = "it measures: minutes, and nothing to be right or wrong"]
fn how_long_a_balance_takes_among_many_entries_on_postgres() {
    how_long(Backend::Postgres, "VACUUM ANALYZE");
}

fn how_long(kind: Backend, refresh_statistics: &str) {
    let sizes = std::env::var("ENTRIES").unwrap_or_else(|_| "10000,1000000".to_owned());
    let Some(database) = Database::fresh(kind) else {
        return;
    };
    let (store, mut book) = written(&database, 1, 0);
    let mut entries = 0_i64;
    for size in sizes.split(',') {
        let size: i64 = size.parse().expect("a number");
        while entries < size {
            book.many(1_000);
            entries += 1_000;
        }
        database.execute_raw(refresh_statistics);
        measure(&store, &mut book, &format!("{kind:?} {size}"));
    }
}

impl Book {
    /// One commit of this number of transactions on the first two accounts; each hundredth is displaced.
    fn many(&mut self, number: i64) {
        self.now += 1_000_000;
        let needs = Needs {
            accounts: self.accounts[..2].to_vec(),
            period: true,
            ..Needs::default()
        };
        let mut drafts = Vec::new();
        for n in 0..number {
            let posting = Posting {
                debit: self.accounts[0],
                credit: self.accounts[1],
                amount: Amount::new(1).expect("positive"),
                currency: Currency::from_code("EUR").expect("known"),
            };
            let id = TransactionId::from_bytes(self.id());
            let now = Timestamp::from_micros(self.now);
            let mut new = NewTransaction::plain(id, Kind::Transfer, vec![posting], now);
            if n % 100 == 0 {
                let earlier = self.chance.within(0, 400 * DAY);
                new.effective_at = Timestamp::from_micros(self.now - earlier);
            }
            drafts.push(new);
        }
        self.batch(needs, |shelf| {
            for draft in drafts {
                post(shelf, draft).expect("posted");
            }
        });
        self.posted.clear();
        self.told.clear();
    }
}

fn measure(store: &Store, book: &mut Book, name: &str) {
    let id = book.accounts[1];
    for what in ["balance", "recorded", "effective", "statement"] {
        let mut took = Vec::new();
        for _ in 0..1_000 {
            let at = Timestamp::from_micros(book.chance.within(START, book.now + 1));
            let begun = std::time::Instant::now();
            let answered: Result<(), store::Error> = store.read(|connection| {
                let account = account(connection, id);
                let by = match what {
                    "recorded" => By::Recorded,
                    "balance" | "effective" | "statement" => By::Effective,
                    other => panic!("{other}"),
                };
                match what {
                    "recorded" | "effective" => {
                        balance_at(connection, TENANT, &account, at, by)?;
                    }
                    "statement" => {
                        let to = at.plus_seconds(60);
                        let span = Span { from: at, to, by };
                        statement(connection, TENANT, &account, span, None, 100)?;
                    }
                    _ => {}
                }
                Ok(())
            });
            answered.expect("answered");
            took.push(begun.elapsed().as_micros());
        }
        took.sort_unstable();
        eprintln!("{name} {what}: p50 {} µs, p99 {} µs", took[500], took[990]);
    }
}
