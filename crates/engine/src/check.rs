//! The whole book, proved: every invariant of every crate, over one snapshot.
//!
//! | name | rows | read |
//! |---|---|---|
//! | L1 | transactions beside their postings | by id |
//! | L2 | all tenants' accounts beside the debits and the credits of each | by account and version |
//! | L3, L4 | accounts; the database's own catalogue | |
//! | L5 | transactions, each page with its holds, its corrections and what is about them | by id |
//! | L6 | exchanges, each page with the postings of its transactions; then transactions beside them | by id |
//! | L7 | transactions that are displaced or have metadata; then time buckets beside their parts | by id; by account and time |
//! | L8 | registered assets, kept; then accounts that hold one | by code; by id |
//! | P1, P2 | payments beside their operations; both beside their histories | by id |
//! | P3 | succeeded operations, then captures, each page with its counterparts | by id |
//! | I1, W1 | keys, payments; events, and the operations they speak of | by key |
//! | A1 | the audit log, hashed again | by sequence number |
//! | A3 | the audit log, read; then every row that must have a record | by id |
//! | S1 | the schema, beside the one that the migrations make | by kind and name |
//!
//! Only pages are held in memory, besides ids: the accounts (L1), the keys (I1), and whatever the
//! audit log has records of (A3).

mod recorded;
mod vigil;

pub use recorded::first_unrecorded;
pub use vigil::keep_checking;

use std::collections::HashSet;

use payments::{Fact, OperationState, PaymentId, ProviderEvent};
use store::{AnyConnection, CheckError, Error, Made, Schema, Store, TenantId};

use crate::access::{self, Tenant};

/// What was found of every invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// In a fixed order, whether they hold or not.
    pub invariants: Vec<Verdict>,
}

impl Report {
    /// The first invariant that does not hold.
    #[must_use]
    pub fn first_violated(&self) -> Option<&Verdict> {
        self.invariants
            .iter()
            .find(|verdict| verdict.violation.is_some())
    }
}

/// What was found of one invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Its short name, as `L1`.
    pub name: &'static str,
    /// What it says.
    pub what: &'static str,
    /// How many rows were looked at, up to the violation if there is one.
    pub examined: u64,
    /// The first row that breaks it; `None` if it holds.
    pub violation: Option<Violation>,
    /// Why it was not looked at, if it could not be.
    pub note: Option<String>,
}

/// A row that breaks an invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Whose row it is; `None` for what belongs to the database as a whole.
    pub tenant: Option<String>,
    /// Which row.
    pub subject: String,
    /// What is wrong with it.
    pub detail: String,
}

/// How one invariant is checked: returns the number of rows looked at, and tells of it meanwhile.
enum Scope {
    Database(fn(&mut AnyConnection) -> Outcome),
    Tenant(fn(&mut AnyConnection, &Tenant, Progress<'_>) -> Outcome),
    /// All tenants' rows together, where their indexes begin with something else than the tenant.
    Everybody(fn(&mut AnyConnection, &[TenantId], Progress<'_>) -> Outcome),
}

/// Hears how many rows are done.
type Progress<'a> = &'a mut dyn FnMut(u64);

type Outcome = Result<u64, CheckError>;

const INVARIANTS: [(&str, &str, Scope); 15] = [
    (
        "L1",
        "per transaction and currency debits equal credits",
        Scope::Tenant(|connection, tenant, progress| {
            ledger::check::postings_balance(connection, tenant.id, progress)
        }),
    ),
    (
        "L2",
        "an account's counters are the sums of its entries",
        Scope::Everybody(ledger::check::all_counters_add_up),
    ),
    (
        "L3",
        "over all accounts of a currency the total is zero",
        Scope::Tenant(|connection, tenant, progress| {
            ledger::check::totals_are_equal(connection, tenant.id, progress)
        }),
    ),
    (
        "L4",
        "the database refuses to change what was written",
        Scope::Database(guards),
    ),
    (
        "L5",
        "what is held and what was reversed adds up",
        Scope::Tenant(|connection, tenant, progress| {
            ledger::check::remainders_add_up(connection, tenant.id, progress)
        }),
    ),
    (
        "L6",
        "what was exchanged follows from its rate",
        Scope::Tenant(|connection, tenant, progress| {
            ledger::check::exchanges_follow(connection, tenant.id, progress)
        }),
    ),
    (
        "L7",
        "what is kept aside of time and metadata adds up",
        Scope::Everybody(ledger::check::all_asides_agree),
    ),
    (
        "L8",
        "what is not of ISO 4217 is registered",
        Scope::Tenant(|connection, tenant, progress| {
            ledger::check::assets_are_registered(connection, tenant.id, progress)
        }),
    ),
    (
        "P1",
        "refunded ≤ captured ≤ authorized ≤ amount",
        Scope::Tenant(|connection, tenant, progress| {
            payments::check::amounts_are_covered(connection, tenant.id, progress)
        }),
    ),
    (
        "P2",
        "every history is a chain of legal edges",
        Scope::Tenant(|connection, tenant, progress| {
            payments::check::histories_are_legal(connection, tenant.id, progress)
        }),
    ),
    (
        "P3",
        "one operation has one posting set",
        Scope::Tenant(|connection, tenant, progress| {
            payments::check::operations_are_posted_once(connection, tenant.id, progress)
        }),
    ),
    ("I1", "one effect per idempotency key", Scope::Tenant(keys)),
    (
        "W1",
        "one effect per provider's event",
        Scope::Tenant(events),
    ),
    (
        "A1",
        "the audit log's tree recomputes",
        Scope::Tenant(audit_log_recomputes),
    ),
    (
        "A3",
        "every change has its audit record",
        Scope::Tenant(recorded::changes_are_recorded),
    ),
];

/// Checks every invariant of the books, and that the schema is what the migrations make (S1). For that the
/// migrations are applied elsewhere first, which leaves nothing behind.
///
/// # Errors
/// [`Error`] if the database did not answer: nothing is said of the book then.
pub fn whole(store: &Store, mut progress: impl FnMut(&str, u64)) -> Result<Report, Error> {
    let made = store.schema_as_made()?;
    store.read(|connection| {
        let mut report = run(connection, &mut progress)?;
        report
            .invariants
            .push(schema_is_as_made(connection, &made)?);
        Ok(report)
    })
}

/// S1: the schema is what the migrations make.
fn schema_is_as_made(connection: &mut AnyConnection, made: &Made) -> Result<Verdict, Error> {
    let mut verdict = Verdict {
        name: "S1",
        what: "the schema is what the migrations make",
        examined: 0,
        violation: None,
        note: None,
    };
    match made {
        Made::Unknown(why) => verdict.note = Some(why.clone()),
        Made::Schema(made) => {
            let difference = Schema::of(connection)?.difference(made);
            verdict.examined = u64::try_from(made.len()).unwrap_or(u64::MAX);
            verdict.violation = difference.map(|difference| Violation {
                tenant: None,
                subject: difference.object,
                detail: difference.what.to_owned(),
            });
        }
    }
    Ok(verdict)
}

/// Checks every invariant of the books on the snapshot that the connection reads. `progress` hears which invariant
/// is being checked, and how many rows of it are done.
///
/// # Errors
/// [`Error`] if the database did not answer: nothing is said of the book then.
pub fn run(
    connection: &mut AnyConnection,
    mut progress: impl FnMut(&str, u64),
) -> Result<Report, Error> {
    store::set_bulk_hints(connection)?;
    let tenants = access::tenants(connection)?;
    let mut invariants = Vec::with_capacity(INVARIANTS.len());
    for (name, what, scope) in INVARIANTS {
        let mut verdict = Verdict {
            name,
            what,
            examined: 0,
            violation: None,
            note: None,
        };
        progress(name, 0);
        match scope {
            Scope::Database(check) => {
                let outcome = check(connection);
                verdict.take(&tenants, None, outcome)?;
            }
            Scope::Everybody(check) => {
                let ids: Vec<TenantId> = tenants.iter().map(|tenant| tenant.id).collect();
                let outcome = check(connection, &ids, &mut |done| {
                    verdict.examined = done;
                    progress(name, done);
                });
                if outcome.is_ok() {
                    verdict.examined = 0;
                }
                verdict.take(&tenants, None, outcome)?;
            }
            Scope::Tenant(check) => {
                for tenant in &tenants {
                    let before = verdict.examined;
                    let outcome = check(connection, tenant, &mut |done| {
                        verdict.examined = before + done;
                        progress(name, verdict.examined);
                    });
                    if outcome.is_ok() {
                        verdict.examined = before;
                    }
                    verdict.take(&tenants, Some(tenant), outcome)?;
                    if verdict.violation.is_some() {
                        break;
                    }
                }
            }
        }
        progress(name, verdict.examined);
        invariants.push(verdict);
    }
    Ok(Report { invariants })
}

impl Verdict {
    fn take(
        &mut self,
        tenants: &[Tenant],
        checked: Option<&Tenant>,
        outcome: Outcome,
    ) -> Result<(), Error> {
        match outcome {
            Ok(examined) => self.examined += examined,
            Err(CheckError::Broken {
                tenant,
                subject,
                detail,
            }) => {
                let named = tenants.iter().find(|known| Some(known.id) == tenant);
                let tenant = checked.or(named).map(|tenant| tenant.name.to_string());
                self.violation = Some(Violation {
                    tenant,
                    subject,
                    detail,
                });
            }
            Err(CheckError::Database(error)) => return Err(error),
        }
        Ok(())
    }
}

/// L4: the triggers stand.
fn guards(connection: &mut AnyConnection) -> Result<u64, CheckError> {
    const OF_AUDIT_LOG_AND_MODE: [&str; 8] = [
        "books_immutable",
        "books_kept",
        "audit_log_immutable",
        "audit_log_kept",
        "audit_entry_immutable",
        "audit_entry_kept",
        "audit_batch_immutable",
        "audit_batch_kept",
    ];
    let expected = [
        &ledger::check::GUARDS[..],
        &payments::check::GUARDS[..],
        &webhooks::check::GUARDS[..],
        &OF_AUDIT_LOG_AND_MODE[..],
    ]
    .concat();
    match store::missing_guards(connection, &expected)?.first() {
        Some(name) => Err(CheckError::broken(
            format!("trigger {name}"),
            "it is missing, disabled or refuses nothing",
        )),
        None => Ok(u64::try_from(expected.len()).unwrap_or(u64::MAX)),
    }
}

/// I1: the keys are whole; each payment's key exists, is no other payment's and has made it; each
/// request in flight waits for a payment that will answer it.
fn keys(
    connection: &mut AnyConnection,
    tenant: &Tenant,
    progress: &mut dyn FnMut(u64),
) -> Result<u64, CheckError> {
    let tenant = tenant.id;
    let examined = idempotency::check::keys_are_settled_or_in_flight(connection, tenant, progress)?;
    payments_have_their_keys(connection, tenant)?;
    let mut keys = idempotency::check::keys(tenant);
    loop {
        let page = keys.page(connection)?;
        if page.is_empty() {
            return Ok(examined);
        }
        let in_flight = page
            .into_iter()
            .filter(idempotency::check::Claimed::is_in_flight);
        let waiting = in_flight.filter_map(|claimed| {
            Some((claimed.resource?.parse::<PaymentId>().ok()?, claimed.key))
        });
        let waiting: Vec<(PaymentId, String)> = waiting.collect();
        let ids: Vec<PaymentId> = waiting.iter().map(|(id, _)| *id).collect();
        let keys = payments::check::keys_of(connection, tenant, &ids)?;
        for (id, key) in waiting {
            if keys.get(&id) != Some(&key) {
                let detail = format!("it is in flight, and {id} does not answer it");
                return Err(CheckError::broken(format!("key {key:?}"), detail));
            }
        }
    }
}

fn payments_have_their_keys(
    connection: &mut AnyConnection,
    tenant: TenantId,
) -> Result<(), CheckError> {
    let mut payments = payments::check::payments(tenant);
    let mut seen: HashSet<String> = HashSet::new();
    loop {
        let mut page = payments.page(connection)?;
        if page.is_empty() {
            return Ok(());
        }
        // A payment that was asked for without a key has none.
        page.retain(|payment| !payment.idempotency_key.is_empty());
        let keys: Vec<String> = page.iter().map(|row| row.idempotency_key.clone()).collect();
        let made = idempotency::check::resources(connection, tenant, &keys)?;
        for payment in page {
            let (id, key) = (payment.id, payment.idempotency_key);
            match made.get(&key) {
                None => {
                    return Err(CheckError::broken(
                        id,
                        format!("its key {key:?} does not exist"),
                    ));
                }
                Some(Some(other)) if *other != id.to_string() => {
                    let detail = format!("its key {key:?} has made {other}");
                    return Err(CheckError::broken(id, detail));
                }
                Some(_) => {}
            }
            if let Some(key) = seen.replace(key) {
                let detail = format!("its key {key:?} is another payment's too");
                return Err(CheckError::broken(id, detail));
            }
        }
    }
}

/// W1: the bytes are whole, and an event that was applied speaks of an operation which is as it says.
fn events(
    connection: &mut AnyConnection,
    tenant: &Tenant,
    progress: &mut dyn FnMut(u64),
) -> Result<u64, CheckError> {
    let examined = webhooks::check::bytes_are_as_received(connection, tenant.id, progress)?;
    let mut events = webhooks::check::received(tenant.id);
    loop {
        let page = events.page(connection)?;
        if page.is_empty() {
            return Ok(examined);
        }
        let applied = page
            .into_iter()
            .filter(|row| row.status == webhooks::Status::Applied.name());
        let applied: Vec<_> = applied
            .filter_map(|mut row| Some((row.reference.take()?, row)))
            .collect();
        let references: Vec<String> = applied.iter().map(|(key, _)| key.clone()).collect();
        let states = payments::check::states_by_provider_key(connection, tenant.id, &references)?;
        for (reference, row) in applied {
            let state = states.get(&reference).copied();
            if !fits(state, &row.body) {
                let state = state.map_or("not there", OperationState::name);
                let detail = format!("it was applied, and operation {reference} is {state}");
                let name = webhooks::check::name(&row.provider, &row.event_id);
                return Err(CheckError::broken(name, detail));
            }
        }
    }
}

/// Whether an operation is as an applied event says: an operation that ends does not change again.
fn fits(state: Option<OperationState>, body: &[u8]) -> bool {
    let said = ProviderEvent::read(body).ok().and_then(|event| event.fact);
    match (state, said) {
        (Some(OperationState::Succeeded), Some((_, Fact::Failed { .. })))
        | (Some(OperationState::Failed), Some((_, Fact::Succeeded { .. }))) => false,
        (Some(OperationState::Succeeded | OperationState::Failed), _) => true,
        (
            Some(OperationState::Created | OperationState::Submitted | OperationState::Unknown)
            | None,
            _,
        ) => false,
    }
}

/// A1: there is a log, and it is as it was written.
fn audit_log_recomputes(
    connection: &mut AnyConnection,
    tenant: &Tenant,
    progress: &mut dyn FnMut(u64),
) -> Result<u64, CheckError> {
    if !audit_log::tables::logs(connection)?.contains(&tenant.id) {
        return Err(CheckError::broken("audit log", "the tenant has none"));
    }
    match audit_log::verify(connection, tenant.id, progress)? {
        Ok(clean) => Ok(clean.head.size),
        Err(tampered) => {
            let subject = format!("audit record {}", tampered.seq);
            Err(CheckError::broken(subject, tampered.kind.to_string()))
        }
    }
}
