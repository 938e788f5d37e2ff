//! The invariants of the books.

use engine::check::{Family, Invariant, Scope};
use ledger::check;

use crate::recorded::RecordedIds;

/// The family's part of the check.
///
/// | name | rows that it reads | in the order of |
/// |---|---|---|
/// | L1 | transactions, each page with its postings; then the number of all tenants' postings | id |
/// | L2 | all tenants' accounts, together with the debits and the credits of each | account and version |
/// | L3 | accounts | id |
/// | L4 | the triggers in the database's own catalogue | |
/// | L5 | transactions, each page with its holds, its corrections and the later postings about them | id |
/// | L6 | exchanges, each page with the postings of its transactions; then exchanges without terms | id |
/// | L7 | transactions that are displaced or have metadata | id |
/// | | then the time buckets, together with the parts that they sum up | account and time |
/// | L8 | registered assets, which stay in memory; then the accounts that hold one | code; id |
pub const FAMILY: Family = Family {
    guards: &check::GUARDS,
    invariants: &[
        Invariant {
            name: "L1",
            rule: "per transaction and currency debits equal credits",
            scope: Scope::Everybody(check::all_postings_balance),
        },
        Invariant {
            name: "L2",
            rule: "an account's counters are the sums of its entries",
            scope: Scope::Everybody(check::all_counters_add_up),
        },
        Invariant {
            name: "L3",
            rule: "over all accounts of a currency the total is zero",
            scope: Scope::Tenant(|connection, tenant, progress| {
                check::totals_are_equal(connection, tenant.id, progress)
            }),
        },
        Invariant {
            name: "L4",
            rule: "the database refuses to change what was written",
            scope: Scope::Guards,
        },
        Invariant {
            name: "L5",
            rule: "what is held and what was reversed adds up",
            scope: Scope::Tenant(|connection, tenant, progress| {
                check::remainders_add_up(connection, tenant.id, progress)
            }),
        },
        Invariant {
            name: "L6",
            rule: "what was exchanged follows from its rate",
            scope: Scope::Tenant(|connection, tenant, progress| {
                check::exchanges_follow(connection, tenant.id, progress)
            }),
        },
        Invariant {
            name: "L7",
            rule: "what is kept aside of time and metadata adds up",
            scope: Scope::Everybody(check::all_asides_agree),
        },
        Invariant {
            name: "L8",
            rule: "what is not of ISO 4217 is registered",
            scope: Scope::Tenant(|connection, tenant, progress| {
                check::assets_are_registered(connection, tenant.id, progress)
            }),
        },
    ],
    recorder: || Box::new(RecordedIds::default()),
};
