//! Many tenants in one database: their rows are checked together, and a fault still names its tenant.

use ledger::check::{all_asides_agree, all_counters_add_up, asides_agree, counters_add_up};
use store::{CheckError, DatabaseUrl, Store, TenantId};
use tests::{Database, on_both_databases};

use super::written_for;

const TENANTS: i64 = 12;
const COMMITS: u32 = 25;

on_both_databases!(the_rows_of_many_tenants_are_checked_together);
async fn the_rows_of_many_tenants_are_checked_together(database: Database) {
    let url = DatabaseUrl::parse(database.url()).expect("a URL");
    let store = Store::open(&url).expect("the migrations are applied");
    let tenants: Vec<TenantId> = (1..=TENANTS).map(TenantId).collect();
    for (seed, tenant) in (1..).zip(&tenants) {
        written_for(&database, &store, *tenant, seed, COMMITS);
    }
    let all = || {
        store.read(|connection| {
            let counters = all_counters_add_up(connection, &tenants, &mut |_| ())?;
            let asides = all_asides_agree(connection, &tenants, &mut |_| ())?;
            Ok::<_, CheckError>((counters, asides))
        })
    };
    let each = || {
        let (mut counters, mut asides) = (0, 0);
        for tenant in &tenants {
            store.read(|connection| {
                counters += counters_add_up(connection, *tenant, &mut |_| ())?;
                asides += asides_agree(connection, *tenant, &mut |_| ())?;
                Ok::<_, CheckError>(())
            })?;
        }
        Ok::<_, CheckError>((counters, asides))
    };
    let together = all().expect("they hold");
    assert_eq!(together, each().expect("they hold"));
    assert!(together.0 > 300 && together.1 > 100, "{together:?}");

    let whose = |outcome: Result<(u64, u64), CheckError>| match outcome {
        Err(CheckError::Broken { tenant, .. }) => tenant,
        other => panic!("{other:?}"),
    };
    // An entry that is in no sum, and then a counter that no entry explains.
    database.execute_raw(
        "INSERT INTO displaced (account_id, version, effective_at, recorded_at, debit, credit, tenant_id)
         SELECT id, version + 1, 5, 6, 1, 0, tenant_id FROM account WHERE tenant_id = 7 AND code = 'ab'",
    );
    assert_eq!(whose(all()), Some(TenantId(7)));
    database.execute_raw(
        "UPDATE account SET credits_posted = credits_posted + 1 WHERE tenant_id = 5 AND code = 'a'",
    );
    assert_eq!(whose(all()), Some(TenantId(5)));
}
