//! What a run of reconciliation looks at again: outcomes that were expected, and open lines of earlier statements.

use engine::errand::waiting;
use engine::{Engine, Tenant};
use payments::OperationId;
use payments::overdue::{LookAtOverdue, OVERDUE};
use payments::settlement::{self, BankTally, MatchOpenBankLines};

use super::{BATCH, ReconcileError, submit};

/// Greatest number of outcomes that are looked at because they may be overdue. A server looks at all of them.
const MAX_OVERDUE: i64 = 10_000;

/// Opens an exception for each outcome that is overdue, and ends those of outcomes that are known by now.
pub(super) async fn look_at_overdue(
    engine: &Engine,
    tenant: &Tenant,
) -> Result<(), ReconcileError> {
    let id = tenant.id;
    let expected = engine.read(move |connection| waiting(connection, id, OVERDUE, "", MAX_OVERDUE));
    let expected: Vec<OperationId> = expected
        .await?
        .into_iter()
        .map(OperationId::from_bytes)
        .collect();
    for batch in expected.chunks(BATCH) {
        let operations = batch.to_vec();
        submit(engine, tenant, LookAtOverdue { operations }).await?;
    }
    Ok(())
}

/// Looks again at the open lines of earlier statements.
pub(super) async fn match_open(
    engine: &Engine,
    tenant: &Tenant,
) -> Result<BankTally, ReconcileError> {
    let (mut sum, mut after) = (BankTally::default(), None);
    loop {
        let (id, limit) = (tenant.id, i64::try_from(BATCH).unwrap_or(i64::MAX));
        let page = engine
            .read(move |connection| settlement::open_bank_lines(connection, id, after, limit));
        let lines = page.await?;
        let Some(last) = lines.last() else {
            return Ok(sum);
        };
        after = Some(last.id());
        let tally = submit(engine, tenant, MatchOpenBankLines { lines }).await?;
        sum.add(&tally);
    }
}
