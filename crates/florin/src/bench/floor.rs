//! The floor: the rows that transfers would write, written without any rules.
//!
//! There is no queue, no loading, no idempotency and no hashing within the measured time: the rows are made
//! beforehand and handed to the database, a thousand of each table at a time. They are the rows that the lane
//! would have written (a transaction, a posting, a key with its reply, an audit record, two accounts' counters,
//! and the commit's tree), into the same tables, and consistent with what is there, so that a book that was
//! measured still passes `florin check` and `florin audit verify`.
//!
//! There are two more measurements that are independent of this project: the same kind of statement into a
//! table with one index, and one such row alone in a commit.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use audit_log::tables::{BatchRow, EntryRow};
use audit_log::{Change, Entity, Frontier, Hash, Record, leaf_hash};
use idempotency::Fingerprint;
use idempotency::tables::KeyRow;
use ledger::tables::{CountersRow, PostingRow, TransactionRow};
use ledger::{
    AccountId, Kind, Phase, Posting, RecordedPosting, RecordedTransaction, Step, TransactionId,
};
use money::MinorUnits;
use store::measure::{self, BareRow};
use store::{AnyConnection, Clock, Error, Ids, Store, bulk};

use super::shape::{Chance, Shape};
use super::stage::Stage;
use super::steps::transfer_body;
use super::tally::{micros, per_second, percentile};

/// Number of transfers, and so of rows of each table, in a commit.
const BATCH: u64 = 1_000;

/// The results of one round.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Floor {
    /// Transfers per second whose rows were written.
    pub(crate) transfers_per_second: u64,
    /// Rows per second, including the changed accounts.
    pub(crate) rows_per_second: u64,
    /// Number of transfers that were written in all, and the rows of a transfer in hundredths.
    pub(crate) transfers: u64,
    pub(crate) rows_per_transfer: u64,
    /// Rows of the bare table per second.
    pub(crate) bare_rows_per_second: u64,
    /// Median time of a commit of one bare row, in microseconds.
    pub(crate) bare_insert_p50: u64,
}

/// The writer of the floor: a connection, and the tenant whose books it continues.
pub(crate) struct Bedrock {
    connection: AnyConnection,
    stage: Stage,
    accounts: Vec<AccountState>,
    tree: Frontier,
    chance: Chance,
    ids: Ids,
    bare: i64,
}

#[derive(Debug, Clone, Copy)]
struct AccountState {
    id: AccountId,
    version: i64,
    debits: i64,
    credits: i64,
}

#[derive(Default)]
struct Rows {
    transactions: Vec<TransactionRow>,
    postings: Vec<PostingRow>,
    keys: Vec<KeyRow>,
    entries: Vec<EntryRow>,
    counters: Vec<CountersRow>,
    batches: Vec<BatchRow>,
}

impl Bedrock {
    /// Takes over the books of `stage`, whose accounts were just opened. Nobody else must use them.
    pub(crate) fn lay(store: &Store, stage: Stage, seed: u64) -> Result<Self, Error> {
        let mut connection = store.writer()?;
        measure::create_bare_table(&mut connection)?;
        let tree = tree(&mut connection, &stage)?;
        let held = |id: &AccountId| AccountState {
            id: *id,
            version: 0,
            debits: 0,
            credits: 0,
        };
        Ok(Self {
            connection,
            accounts: stage.accounts.iter().map(held).collect(),
            stage,
            tree,
            chance: Chance::of(seed, u64::MAX, 0),
            ids: Ids::random(),
            bare: 0,
        })
    }

    /// Writes the rows of at least `transfers` transfers, as many bare rows, and `alone` bare rows
    /// one by one.
    pub(crate) fn measure(&mut self, transfers: u64, alone: u64) -> Result<Floor, Error> {
        let batches = transfers.div_ceil(BATCH);
        let (mut rows, mut took) = (0_u64, Duration::ZERO);
        for _ in 0..batches {
            let made = self.make_rows()?;
            rows += made.count();
            let begun = Instant::now();
            store::begin_write(&mut self.connection)?;
            made.write(&mut self.connection)?;
            store::commit(&mut self.connection)?;
            took += begun.elapsed();
        }
        let bare_took = self.write_bare(batches)?;
        let bare_insert_p50 = self.write_alone(alone)?;
        let transfers = batches * BATCH;
        Ok(Floor {
            transfers_per_second: per_second(transfers, took),
            rows_per_second: per_second(rows, took),
            transfers,
            rows_per_transfer: rows * 100 / transfers.max(1),
            bare_rows_per_second: per_second(transfers, bare_took),
            bare_insert_p50,
        })
    }

    /// Deletes everything but the tenant.
    pub(crate) fn clear(mut self) -> Result<(), Error> {
        measure::drop_bare_table(&mut self.connection)
    }

    fn write_bare(&mut self, batches: u64) -> Result<Duration, Error> {
        let mut took = Duration::ZERO;
        for _ in 0..batches {
            let rows: Vec<BareRow> = (0..BATCH).map(|_| self.bare_row()).collect();
            let begun = Instant::now();
            store::begin_write(&mut self.connection)?;
            bulk::write(&mut self.connection, &rows)?;
            store::commit(&mut self.connection)?;
            took += begun.elapsed();
        }
        Ok(took)
    }

    /// There is no begin and no commit: the statement is its own transaction.
    fn write_alone(&mut self, rows: u64) -> Result<u64, Error> {
        let mut each = Vec::new();
        for _ in 0..rows {
            let row = self.bare_row();
            let begun = Instant::now();
            bulk::write(&mut self.connection, &[row])?;
            each.push(micros(begun.elapsed()));
        }
        each.sort_unstable();
        Ok(percentile(&each, 50))
    }

    fn bare_row(&mut self) -> BareRow {
        self.bare += 1;
        let now = Clock::system().now();
        let place = self
            .chance
            .below(u64::try_from(self.accounts.len()).unwrap_or(0));
        let owner = usize::try_from(place)
            .ok()
            .and_then(|place| self.accounts.get(place));
        BareRow {
            id: self.ids.next(now).to_vec(),
            owner: owner.map_or_else(Vec::new, |held| held.id.bytes().to_vec()),
            version: self.bare,
            amount: 1,
            balance: self.bare,
            at: now.micros(),
            kind: "transfer".to_owned(),
        }
    }

    /// The rows of a thousand transfers between uniformly drawn accounts.
    fn make_rows(&mut self) -> Result<Rows, Error> {
        let mut rows = Rows::default();
        let before = self.accounts.clone();
        let mut changed = BTreeSet::new();
        let start = position(&self.tree)?;
        for _ in 0..BATCH {
            let (from, to) = self.chance.pair(
                Shape::Uniform,
                u64::try_from(self.accounts.len()).unwrap_or(u64::MAX),
            );
            let place = |place: u64| usize::try_from(place).unwrap_or(usize::MAX);
            changed.extend([place(from), place(to)]);
            if let Some(posted) = self.post(place(from), place(to)) {
                self.push(&mut rows, &posted)?;
            }
        }
        let places = changed.into_iter();
        rows.counters = places
            .filter_map(|place| Some((before.get(place)?, self.accounts.get(place)?)))
            .map(|(seen, next)| CountersRow {
                tenant_id: self.stage.tenant.id,
                id: next.id,
                seen_version: seen.version,
                seen_revision: 0,
                debits_pending: 0,
                debits_posted: next.debits,
                debits_released: 0,
                credits_pending: 0,
                credits_posted: next.credits,
                credits_released: 0,
                next_version: next.version,
            })
            .collect();
        rows.counters.sort_unstable_by_key(|row| row.id);
        rows.batches.push(BatchRow {
            log: self.stage.tenant.id,
            start,
            size: position(&self.tree)?,
            root: self.tree.root().as_bytes().to_vec(),
            frontier: self.tree.to_bytes(),
            at: Clock::system().now().micros(),
        });
        Ok(rows)
    }

    /// Moves one cent in memory, without any check.
    fn post(&mut self, from: usize, to: usize) -> Option<RecordedTransaction> {
        let money = self.stage.money;
        let amount = money.amount.get();
        let payer = self.accounts.get_mut(from)?;
        payer.version += 1;
        payer.debits += amount;
        let payer = *payer;
        let payee = self.accounts.get_mut(to)?;
        payee.version += 1;
        payee.credits += amount;
        let now = Clock::system().now();
        Some(RecordedTransaction {
            id: TransactionId::from_bytes(self.ids.next(now)),
            kind: Kind::Transfer,
            step: Step::Posted,
            about: None,
            expires_at: None,
            postings: vec![RecordedPosting {
                ordinal: 0,
                phase: Phase::Posted,
                posting: Posting {
                    debit: payer.id,
                    credit: payee.id,
                    amount: money.amount,
                    currency: money.currency,
                },
                debit_version: payer.version,
                debit_balance: MinorUnits::new(payer.credits - payer.debits),
                credit_version: payee.version,
                credit_balance: MinorUnits::new(payee.credits - payee.debits),
            }],
            external_id: None,
            description: None,
            metadata: None,
            effective_at: now,
            recorded_at: now,
        })
    }

    fn push(&mut self, rows: &mut Rows, posted: &RecordedTransaction) -> Result<(), Error> {
        let tenant = self.stage.tenant.id;
        let recorded_at = posted.recorded_at.micros();
        rows.transactions.push(TransactionRow::of(tenant, posted));
        let key = self.chance.key();
        for p in &posted.postings {
            rows.postings.push(PostingRow::of(tenant, posted.id, p));
            let body = transfer_body(p.posting.debit, p.posting.credit);
            let fingerprint = Fingerprint::of("POST", "/v1/transfers", "1", body.as_bytes());
            let reply = books::transfers::show::made(posted, false);
            rows.keys.push(KeyRow {
                tenant_id: tenant,
                key: key.clone(),
                fingerprint: fingerprint.bytes().to_vec(),
                status: i16::try_from(reply.status).ok(),
                body: Some(reply.body),
                resource: None,
                created_at: recorded_at,
            });
            let leaf = self.leaf(posted, p, &key)?;
            let hash = leaf_hash(&leaf);
            rows.entries.push(EntryRow {
                log: tenant,
                seq: position(&self.tree)?,
                leaf,
                leaf_hash: hash.as_bytes().to_vec(),
            });
            self.tree.append(hash);
        }
        Ok(())
    }

    /// The audit record that the lane would have written.
    fn leaf(
        &self,
        posted: &RecordedTransaction,
        p: &RecordedPosting,
        key: &str,
    ) -> Result<Vec<u8>, Error> {
        let moved = format!(
            "{} {} {} {}",
            p.posting.debit,
            p.posting.credit,
            p.posting.amount.get(),
            p.posting.currency
        );
        let record = Record {
            tenant: &self.stage.tenant.name,
            at: &posted.recorded_at.to_string(),
            actor: Entity {
                kind: "api_key",
                id: &self.stage.label,
            },
            on_behalf_of: None,
            action: "transfer.posted",
            subject: Entity {
                kind: "transaction",
                id: &posted.id.to_string(),
            },
            outcome: "ok",
            reason: None,
            criteria: None,
            delta: &[Change {
                field: "postings",
                before: None,
                after: Some(&moved),
            }],
            cause: None,
            request: Some(&format!("req_{key}")),
            origin: None,
        };
        record
            .leaf()
            .map_err(|error| Error::Refused(error.to_string()))
    }
}

impl Rows {
    fn count(&self) -> u64 {
        let inserted = self.transactions.len() + self.postings.len() + self.keys.len();
        let all = inserted + self.entries.len() + self.counters.len() + self.batches.len();
        u64::try_from(all).unwrap_or(u64::MAX)
    }

    /// The tables are in the order in which the lane writes them.
    fn write(&self, connection: &mut AnyConnection) -> Result<(), Error> {
        bulk::write(connection, &self.transactions)?;
        bulk::write(connection, &self.postings)?;
        bulk::write(connection, &self.counters)?;
        bulk::write(connection, &self.keys)?;
        bulk::write(connection, &self.entries)?;
        bulk::write(connection, &self.batches)
    }
}

/// The present audit tree of the tenant, made again from its records.
fn tree(connection: &mut AnyConnection, stage: &Stage) -> Result<Frontier, Error> {
    let mut tree = Frontier::empty();
    loop {
        let page = audit_log::tables::entries(connection, stage.tenant.id, tree.size(), 1_000)?;
        if page.is_empty() {
            return Ok(tree);
        }
        for entry in page {
            let hash = Hash::from_slice(&entry.leaf_hash);
            tree.append(hash.map_err(|error| Error::Refused(error.to_string()))?);
        }
    }
}

fn position(tree: &Frontier) -> Result<i64, Error> {
    i64::try_from(tree.size()).map_err(|_beyond| Error::Refused("the audit log is full".to_owned()))
}
