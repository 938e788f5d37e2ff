//! The real ledger on a real database: the one place that knows how to call its rules.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};

use diesel::RunQueryDsl;
use ledger::tables::{Needs, load_into, save};
use ledger::{
    Account, AccountId, ChangeError, NewAccount, NewTransaction, RecordedTransaction, Shelf,
    TransactionId, check,
};
use store::bulk::Writes;
use store::find::Lock;
use store::{AnyConnection, DatabaseUrl, Error, Store, TenantId, Timestamp};
use tests::{Database, Kind};

use crate::storage::dropped;
use crate::words::{
    Act, Answer, Change, Instruction, Moved, Opening, Refusal, Seen, Standing, limits,
};

/// One invariant of the ledger, over all rows of a tenant.
pub(crate) type Check =
    fn(&mut AnyConnection, TenantId, &mut dyn FnMut(u64)) -> Result<u64, store::CheckError>;

/// The invariants, by name.
pub(crate) const CHECKS: [(&str, Check); 6] = [
    ("L1", check::postings_balance),
    ("L2", check::counters_add_up),
    ("L3", check::totals_are_equal),
    ("L5", check::remainders_add_up),
    ("L6", check::exchanges_follow),
    ("L7", check::asides_agree),
];

/// The books of one tenant, and the rows of its accounts that are remembered between batches.
pub(crate) struct Books {
    pub(crate) database: Database,
    store: Store,
    connection: AnyConnection,
    pub(crate) tenant: TenantId,
    memory: HashMap<AccountId, Account>,
}

impl Books {
    /// Books on a new database.
    pub(crate) fn on(database: Database) -> Self {
        let url = DatabaseUrl::parse(database.url()).expect("a URL");
        let store = Store::open(&url).expect("the migrations are applied");
        let mut books = Self {
            connection: connect(&store, database.kind()),
            store,
            database,
            tenant: TenantId(0),
            memory: HashMap::new(),
        };
        books.begin();
        books
    }

    /// Books on each database that exists.
    pub(crate) fn on_each() -> Vec<Self> {
        let kinds = [Kind::Sqlite, Kind::Postgres];
        let databases = kinds.into_iter().filter_map(Database::fresh);
        databases.map(Self::on).collect()
    }

    pub(crate) fn kind(&self) -> Kind {
        self.database.kind()
    }

    /// Starts a new tenant: empty books, beside other tenants with the same ids.
    pub(crate) fn begin(&mut self) {
        static LAST: AtomicI64 = AtomicI64::new(0);
        let number = LAST.fetch_add(1, Ordering::Relaxed) + 1;
        let insert = format!(
            "INSERT INTO tenant (created_at, tenant_id, name) VALUES (0, {number}, 'tenant {number}')"
        );
        self.database.execute_raw(&insert);
        self.tenant = TenantId(number);
        self.restart();
    }

    pub(crate) fn perform(&mut self, act: &Act) -> Vec<Answer> {
        match act {
            Act::Batch {
                asked,
                locks,
                crashes,
            } => {
                let lock = if *locks { Lock::Rows } else { Lock::Nothing };
                self.batch(asked, lock, *crashes)
            }
            Act::Race { first, second } => self.race(first, second),
            // Keys and dry runs belong to the engine.
            Act::Requests { .. } => unreachable!("they are sent to lanes"),
            Act::Wait => Vec::new(),
            Act::Restart => {
                self.restart();
                Vec::new()
            }
            Act::Look(now) => {
                let seen = look(&mut self.connection, self.tenant, *now, u128::from_be_bytes);
                let seen = seen.expect("readable");
                vec![Answer::Seen(Box::new(seen))]
            }
        }
    }

    /// Checks every invariant.
    pub(crate) fn check(&mut self) {
        assert_eq!(self.broken(), Vec::<&str>::new(), "{:?}", self.kind());
    }

    /// The names of the broken invariants.
    pub(crate) fn broken(&mut self) -> Vec<&'static str> {
        let mut broken = Vec::new();
        for (name, check) in CHECKS {
            match check(&mut self.connection, self.tenant, &mut |_| ()) {
                Ok(_) => {}
                Err(store::CheckError::Broken { .. }) => broken.push(name),
                Err(store::CheckError::Database(error)) => panic!("{name}: {error}"),
            }
        }
        broken
    }

    /// The names of the invariants that this statement would break, if no guard stopped it.
    pub(crate) fn broken_after(&mut self, statement: &str) -> Vec<&'static str> {
        store::begin_write(&mut self.connection).expect("begun");
        for guard in check::GUARDS {
            let drop = dropped(self.kind(), guard);
            self.execute(&drop);
        }
        assert_eq!(self.execute(statement), 1, "{statement}");
        let broken = self.broken();
        store::rollback(&mut self.connection).expect("rolled back");
        broken
    }

    fn execute(&mut self, statement: &str) -> usize {
        let done = diesel::sql_query(statement).execute(&mut self.connection);
        done.unwrap_or_else(|error| panic!("{statement}: {error}"))
    }

    /// The guards of the schema that are missing.
    pub(crate) fn missing_guards(&mut self) -> Vec<String> {
        store::missing_guards(&mut self.connection, &check::GUARDS).expect("readable")
    }

    /// A decision made on the present books, to be saved later.
    pub(crate) fn decide(&mut self, asked: &[Instruction]) -> (Shelf, Vec<Answer>) {
        self.load_and_decide(asked, Lock::Nothing).expect("loaded")
    }

    /// Writes the decision; a conflict writes nothing.
    pub(crate) fn save(&mut self, shelf: &Shelf) -> Result<(), Error> {
        store::begin_write(&mut self.connection).expect("begun");
        let saved = self.write(shelf);
        let ended = match saved {
            Ok(()) => store::commit(&mut self.connection),
            Err(_) => store::rollback(&mut self.connection),
        };
        ended.expect("ended");
        saved
    }

    fn batch(&mut self, asked: &[Instruction], lock: Lock, crashes: bool) -> Vec<Answer> {
        // Without locks a batch is one statement, which needs no explicit beginning.
        let is_begun = crashes || lock == Lock::Rows || self.connection.has_one_writer();
        if is_begun {
            store::begin_write(&mut self.connection).expect("begun");
        }
        let (shelf, answers) = self.load_and_decide(asked, lock).expect("loaded");
        self.write(&shelf).expect("saved");
        if crashes {
            self.restart();
            return answers;
        }
        if is_begun {
            store::commit(&mut self.connection).expect("committed");
        }
        for account in shelf.accounts() {
            self.memory.insert(account.id, account.clone());
        }
        answers
    }

    /// The second writer has decided too early. Its decision is a conflict, unless the books are still as it saw them.
    /// A refusal writes nothing that could conflict, so it is decided again.
    fn race(&mut self, first: &[Instruction], second: &[Instruction]) -> Vec<Answer> {
        let (stale, decided) = self.decide(second);
        let mut answers = self.batch(first, Lock::Nothing, false);
        let is_proven = !decided
            .iter()
            .any(|answer| matches!(answer, Answer::Refused(_)));
        let saved = is_proven.then(|| self.save(&stale));
        self.memory.clear();
        match saved {
            Some(Ok(())) => answers.extend(decided),
            Some(Err(Error::Conflict(_))) | None => {
                answers.extend(self.batch(second, Lock::Rows, false));
            }
            Some(Err(error)) => panic!("{error}"),
        }
        answers
    }

    fn load_and_decide(
        &mut self,
        asked: &[Instruction],
        lock: Lock,
    ) -> Result<(Shelf, Vec<Answer>), Error> {
        let (mut shelf, mut needs) = (Shelf::default(), Needs::default());
        for asked in asked {
            add(&mut needs, asked);
        }
        if lock == Lock::Nothing {
            let memory = &self.memory;
            let remembered = needs.accounts.iter().filter_map(|id| memory.get(id));
            remembered
                .cloned()
                .for_each(|account| shelf.put_remembered(account));
            needs.accounts.retain(|id| !memory.contains_key(id));
        }
        load_into(
            &mut shelf,
            &mut self.connection,
            self.tenant,
            &mut needs,
            lock,
        )?;
        let answers = asked.iter().map(|asked| decide(&mut shelf, asked));
        let answers = answers.collect();
        Ok((shelf, answers))
    }

    fn write(&mut self, shelf: &Shelf) -> Result<(), Error> {
        let mut writes = Writes::default();
        save(&mut writes, self.tenant, shelf);
        writes.run(&mut self.connection)
    }

    /// Opens another connection with nothing remembered. Unfinished work on the old one is lost.
    pub(crate) fn restart(&mut self) {
        self.connection = connect(&self.store, self.kind());
        self.memory.clear();
    }
}

/// All data of a tenant, its rows in the order of the positions of their ids.
pub(crate) fn look(
    connection: &mut AnyConnection,
    tenant: TenantId,
    now: Timestamp,
    place: impl Fn([u8; 16]) -> u128,
) -> Result<Seen, Error> {
    const ALL: i64 = 65_535;
    let of = |id: &TransactionId| place(id.bytes());
    let mut ids: Vec<TransactionId> = Vec::new();
    let mut pages = check::transactions(tenant);
    while let Some((id, _)) = pages.next(connection)? {
        ids.push(id);
    }
    ids.sort_by_key(of);
    let mut accounts = Vec::new();
    for account in ledger::accounts(connection, tenant, None, ALL)? {
        let entries = ledger::entries(connection, tenant, account.id, None, ALL)?;
        accounts.push((Standing::from(&account), entries));
    }
    accounts.sort_by_key(|(standing, _)| place(standing.account.id.bytes()));
    let (mut holds, mut corrections) = (Vec::new(), Vec::new());
    let mut transactions = ledger::posted(connection, tenant, &ids)?;
    transactions.sort_by_key(|posted| of(&posted.id));
    for posted in &transactions {
        holds.extend(ledger::holds(connection, tenant, posted)?);
        corrections.extend(ledger::corrections(connection, tenant, posted.id)?);
    }
    let mut exchanges = ledger::exchanges(connection, tenant, &ids)?;
    exchanges.sort_by_key(|exchange| of(&exchange.transaction));
    let held = holds.iter().filter(|hold| hold.remaining() > 0);
    let over = held.filter(|hold| hold.has_expired(now));
    let mut expired: Vec<TransactionId> = over.map(|hold| hold.transaction).collect();
    expired.sort_by_key(of);
    expired.dedup();
    Ok(Seen {
        accounts,
        transactions: transactions.into_iter().map(Moved::from).collect(),
        holds,
        corrections,
        exchanges,
        closed_before: ledger::closed_before(connection, tenant)?,
        expired,
    })
}

/// A connection for writing. As on the tests' own server, it does not wait for data that would only be lost without
/// power.
fn connect(store: &Store, kind: Kind) -> AnyConnection {
    let mut connection = store.writer().expect("a connection");
    if kind == Kind::Sqlite {
        let quick = diesel::sql_query("PRAGMA synchronous = OFF");
        quick.execute(&mut connection).expect("a known setting");
    }
    connection
}

/// Adds the rows that are needed for this decision.
fn add(needs: &mut Needs, asked: &Instruction) {
    let mut heads = |heading: &ledger::Heading| {
        needs.external_ids.extend(heading.external_id.clone());
        needs.period |= heading.effective_at < heading.recorded_at;
    };
    match asked {
        Instruction::Open(_, opening, _) => needs.codes.push(opening.code.clone()),
        Instruction::Post(new) => add_posting(needs, new),
        Instruction::Fulfil(new) => {
            heads(&new.heading);
            needs.transactions.push(new.pending);
        }
        Instruction::Void(new) | Instruction::Expire(new) => {
            heads(&new.heading);
            needs.transactions.push(new.pending);
        }
        Instruction::Reverse(new) => {
            heads(&new.heading);
            needs.transactions.push(new.of);
        }
        Instruction::Exchange(new) => {
            heads(&new.heading);
            let accounts = [new.from, new.to, new.sold_to, new.bought_from];
            needs.accounts.extend(accounts);
        }
        Instruction::Change(id, _) => needs.accounts.push(*id),
        Instruction::ClosePeriod { .. } => needs.period = true,
    }
}

fn add_posting(needs: &mut Needs, new: &NewTransaction) {
    needs.external_ids.extend(new.external_id.clone());
    needs.period |= new.effective_at < new.recorded_at;
    let accounts = new.postings.iter().flat_map(|p| [p.debit, p.credit]);
    needs.accounts.extend(accounts);
}

fn decide(shelf: &mut Shelf, asked: &Instruction) -> Answer {
    fn moved(posted: Result<RecordedTransaction, ledger::Refusal>) -> Result<Answer, Refusal> {
        Ok(Answer::Moved(Box::new(Moved::from(posted?))))
    }
    let decided = match asked.clone() {
        Instruction::Open(id, opening, now) => open(shelf, id, opening, now),
        Instruction::Post(new) => moved(ledger::post(shelf, new)),
        Instruction::Fulfil(new) => moved(ledger::fulfil(shelf, new)),
        Instruction::Void(new) => moved(ledger::void(shelf, new)),
        Instruction::Expire(new) => moved(ledger::expire(shelf, new)),
        Instruction::Reverse(new) => moved(ledger::reverse(shelf, new)),
        Instruction::Exchange(new) => moved(ledger::exchange(shelf, new)),
        Instruction::Change(id, change) => changed(shelf, id, change),
        Instruction::ClosePeriod { before, now } => ledger::close_period(shelf, before, now)
            .map(|()| Answer::PeriodClosed)
            .map_err(Refusal::from),
    };
    decided.unwrap_or_else(Answer::Refused)
}

fn open(
    shelf: &mut Shelf,
    id: AccountId,
    opening: Opening,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    let new = NewAccount {
        name: ledger::AccountName::trusted(opening.code.as_str()),
        code: ledger::AccountCode::trusted(opening.code),
        currency: opening.currency,
        class: opening.class,
        limits: limits(opening.bounds)?,
        metadata: None,
    };
    Ok(stands(&ledger::open(shelf, id, new, now)?))
}

fn changed(shelf: &mut Shelf, id: AccountId, change: Change) -> Result<Answer, Refusal> {
    let changed: Result<&Account, ChangeError> = match change {
        Change::Freeze => ledger::freeze(shelf, id),
        Change::Unfreeze => ledger::unfreeze(shelf, id),
        Change::Close => ledger::close(shelf, id),
        Change::Limits(bounds) => ledger::set_limits(shelf, id, limits(bounds)?),
        Change::Metadata(metadata) => ledger::set_metadata(shelf, id, metadata),
    };
    Ok(stands(changed?))
}

fn stands(account: &Account) -> Answer {
    Answer::Stands(Box::new(Standing::from(account)))
}
