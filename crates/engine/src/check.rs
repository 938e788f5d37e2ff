//! The check of the books: every invariant of every family, over one snapshot.
//!
//! A family brings its invariants ([`Family::invariants`]), the triggers that guard its tables
//! ([`Family::guards`]) and its reader of audit records ([`Family::recorder`]). Three invariants are the
//! engine's own:
//!
//! | name | rows | read |
//! |---|---|---|
//! | A1 | the audit log, hashed again | by sequence number |
//! | A3 | the audit log, read; then every row that must have a record | by id |
//! | S1 | the schema, beside the one that the migrations make | by kind and name |
//!
//! Only one page of rows, and ids, are in memory at a time.

mod recorded;
mod vigil;

pub use recorded::{Leaf, Recorder, Terms, first_unrecorded, unrecorded};
pub use vigil::keep_checking;

use store::find::Lock;
use store::{AnyConnection, CheckError, Error, ExpectedSchema, Schema, Store, TenantId, Timestamp};

use crate::tenant::Tenant;

/// The part of a family in the check.
pub struct Family {
    /// Names of the triggers that guard the family's tables.
    pub guards: &'static [&'static str],
    /// The family's invariants, in the order in which they are reported.
    pub invariants: &'static [Invariant],
    /// Makes the part of A3 that knows the rows of this family.
    pub recorder: fn() -> Box<dyn Recorder>,
}

/// Everything that is checked.
#[derive(Clone, Copy)]
pub struct Plan {
    /// Reads all tenants, by id.
    pub tenants: fn(&mut AnyConnection) -> Result<Vec<Tenant>, Error>,
    /// The families, in the order in which they are reported.
    pub families: &'static [&'static Family],
}

/// An invariant of the books.
pub struct Invariant {
    /// The short name, as `L1`.
    pub name: &'static str,
    /// The rule, as a sentence without its full stop.
    pub rule: &'static str,
    /// How the invariant is checked.
    pub scope: Scope,
}

/// How an invariant is checked. A check returns the number of rows that it examined, and reports it meanwhile.
pub enum Scope {
    /// Check the guards of all families.
    Guards,
    /// Check one tenant after another.
    Tenant(fn(&mut AnyConnection, &Tenant, Progress<'_>) -> Outcome),
    /// Check the rows of all tenants together, because their index does not begin with the tenant.
    Everybody(fn(&mut AnyConnection, &[TenantId], Progress<'_>) -> Outcome),
    /// Check the audit records of all families.
    Records,
}

/// The time of the last audit record of a tenant: the latest time in its books. It is 1970 if there is no record.
///
/// # Errors
/// [`CheckError`] if the end of the log cannot be read.
pub fn last_recorded_at(
    connection: &mut AnyConnection,
    tenant: TenantId,
) -> Result<Timestamp, CheckError> {
    let head = audit_log::tables::head(connection, tenant, Lock::Nothing)?;
    Ok(head.map_or(Timestamp::from_micros(0), |head| head.at))
}

/// Gets the number of rows that are examined so far.
pub type Progress<'a> = &'a mut dyn FnMut(u64);

/// The number of rows examined, or the first row that breaks the invariant.
pub type Outcome = Result<u64, CheckError>;

/// The engine's own invariants.
const OWN: [Invariant; 2] = [
    Invariant {
        name: "A1",
        rule: "the audit log's tree recomputes",
        scope: Scope::Tenant(audit_log_recomputes),
    },
    Invariant {
        name: "A3",
        rule: "every change has its audit record",
        scope: Scope::Records,
    },
];

/// The triggers that guard the audit log.
const OWN_GUARDS: [&str; 6] = [
    "audit_log_immutable",
    "audit_log_kept",
    "audit_entry_immutable",
    "audit_entry_kept",
    "audit_batch_immutable",
    "audit_batch_kept",
];

/// The results of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// One verdict for each invariant, in a fixed order.
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

/// The result for one invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The short name, as `L1`.
    pub name: &'static str,
    /// The rule of the invariant.
    pub what: &'static str,
    /// Number of rows examined, up to the violation if there is one.
    pub examined: u64,
    /// The first row that breaks the invariant; `None` if it holds.
    pub violation: Option<Violation>,
    /// The reason why the invariant could not be checked, if so.
    pub note: Option<String>,
}

/// A row that breaks an invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Name of the tenant; `None` if the row belongs to the database as a whole.
    pub tenant: Option<String>,
    /// The row that is wrong.
    pub subject: String,
    /// The fault of the row.
    pub detail: String,
}

/// Checks every invariant of the books, and whether the schema is the one that the migrations make (S1). For S1
/// the migrations are applied elsewhere first: in memory, or in a transaction that is never committed.
///
/// # Errors
/// [`Error`] if the database did not answer: then the result is unknown.
pub fn whole(
    plan: Plan,
    store: &Store,
    mut progress: impl FnMut(&str, u64),
) -> Result<Report, Error> {
    let made = store.schema_as_made()?;
    store.read(|connection| {
        let mut report = run(plan, connection, &mut progress)?;
        report
            .invariants
            .push(schema_is_as_made(connection, &made)?);
        Ok(report)
    })
}

/// S1: the schema is the one that the migrations make.
fn schema_is_as_made(
    connection: &mut AnyConnection,
    made: &ExpectedSchema,
) -> Result<Verdict, Error> {
    let mut verdict = Verdict {
        name: "S1",
        what: "the schema is what the migrations make",
        examined: 0,
        violation: None,
        note: None,
    };
    match made {
        ExpectedSchema::Unknown(why) => verdict.note = Some(why.clone()),
        ExpectedSchema::Schema(made) => {
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

/// Checks every invariant of the books on the snapshot that the connection reads. `progress` gets the invariant
/// that is being checked and the number of rows examined so far.
///
/// # Errors
/// [`Error`] if the database did not answer: then the result is unknown.
pub fn run(
    plan: Plan,
    connection: &mut AnyConnection,
    mut progress: impl FnMut(&str, u64),
) -> Result<Report, Error> {
    store::set_bulk_hints(connection)?;
    let tenants = (plan.tenants)(connection)?;
    let mut invariants = Vec::new();
    let of_families = plan.families.iter().flat_map(|family| family.invariants);
    for Invariant { name, rule, scope } in of_families.chain(&OWN) {
        let name = *name;
        let mut verdict = Verdict {
            name,
            what: rule,
            examined: 0,
            violation: None,
            note: None,
        };
        progress(name, 0);
        match scope {
            Scope::Guards => {
                let outcome = guards(plan, connection);
                verdict.take(&tenants, None, outcome)?;
            }
            Scope::Records => verdict.each(&tenants, &mut progress, |tenant, progress| {
                recorded::changes_are_recorded(plan, connection, tenant, progress)
            })?,
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
            Scope::Tenant(check) => verdict.each(&tenants, &mut progress, |tenant, progress| {
                check(connection, tenant, progress)
            })?,
        }
        progress(name, verdict.examined);
        invariants.push(verdict);
    }
    Ok(Report { invariants })
}

impl Verdict {
    /// Checks one tenant after another, up to the first violation.
    fn each(
        &mut self,
        tenants: &[Tenant],
        progress: &mut impl FnMut(&str, u64),
        mut check: impl FnMut(&Tenant, Progress<'_>) -> Outcome,
    ) -> Result<(), Error> {
        for tenant in tenants {
            let before = self.examined;
            let outcome = check(tenant, &mut |done| {
                self.examined = before + done;
                progress(self.name, self.examined);
            });
            if outcome.is_ok() {
                self.examined = before;
            }
            self.take(tenants, Some(tenant), outcome)?;
            if self.violation.is_some() {
                break;
            }
        }
        Ok(())
    }

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

/// L4: the triggers of all families exist.
fn guards(plan: Plan, connection: &mut AnyConnection) -> Outcome {
    let of_families = plan.families.iter().flat_map(|family| family.guards);
    let expected: Vec<&str> = of_families.chain(&OWN_GUARDS).copied().collect();
    match store::missing_guards(connection, &expected)?.first() {
        Some(name) => Err(CheckError::broken(
            format!("trigger {name}"),
            "it is missing, disabled or refuses nothing",
        )),
        None => Ok(u64::try_from(expected.len()).unwrap_or(u64::MAX)),
    }
}

/// A1: the tenant has a log, and its bytes are the ones that were written.
fn audit_log_recomputes(
    connection: &mut AnyConnection,
    tenant: &Tenant,
    progress: &mut dyn FnMut(u64),
) -> Result<u64, CheckError> {
    if !audit_log::tables::has_log(connection, tenant.id)? {
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
