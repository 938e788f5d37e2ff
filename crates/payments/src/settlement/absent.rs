//! What a report should have and has not: operations within its days that no line settles.

use std::collections::HashSet;
use std::convert::Infallible;

use diesel::prelude::*;
use engine::{Asks, Attempt, Book, Command, Decision};
use store::{AnyConnection, Error, TenantId};

use super::exception::ExceptionKind;
use super::rows::MATCHED;
use super::shelf::{Difference, SettlementShelf, open_exception};
use crate::schema::{operation, settlement_line};
use crate::tables::OperationRow;
use crate::{Operation, OperationId, OperationKind, OperationState};

/// Number of operations that are read at a time.
const PAGE: i64 = 1_000;
/// Number of microseconds of a day.
const DAY_MICROS: i64 = 86_400_000_000;

/// Reads a page of the operations of a provider that were made within some days, and returns those that should be
/// settled and are not, and the place where the next page begins. The place is `None` at the end.
///
/// # Errors
/// [`Error`] as the database gives it.
pub fn absent(
    connection: &mut AnyConnection,
    tenant: TenantId,
    provider: &str,
    (first_day, last_day): (i32, i32),
    after: Option<OperationId>,
) -> Result<(Vec<Operation>, Option<OperationId>), Error> {
    // An id begins with the millisecond in which it was made.
    let beginning = |day: i32| {
        let millis = i64::from(day).saturating_mul(DAY_MICROS / 1_000);
        let mut bytes = [0; 16];
        let millis = millis.max(0).to_be_bytes();
        for (to, from) in bytes.iter_mut().zip(millis.iter().skip(2)) {
            *to = *from;
        }
        OperationId::from_bytes(bytes)
    };
    let from = after.unwrap_or_else(|| beginning(first_day));
    let rows: Vec<OperationRow> = operation::table
        .filter(operation::tenant_id.eq(tenant))
        .filter(operation::id.gt(from))
        .filter(operation::id.lt(beginning(last_day.saturating_add(1))))
        .order(operation::id)
        .limit(PAGE)
        .load(connection)?;
    let next = rows.last().map(|row| row.id);
    let next = next.filter(|_| i64::try_from(rows.len()).is_ok_and(|read| read == PAGE));
    let mut settled_by_provider = Vec::new();
    for row in rows.into_iter().filter(|row| row.provider == provider) {
        let operation = row.read()?;
        let has_moved = operation.state == OperationState::Succeeded || operation.unallocated > 0;
        if has_moved && is_settled(operation.kind) {
            settled_by_provider.push(operation);
        }
    }
    let names: Vec<String> = settled_by_provider
        .iter()
        .map(|operation| operation.id.to_string())
        .collect();
    let settled: Vec<Option<String>> = settlement_line::table
        .filter(settlement_line::tenant_id.eq(tenant))
        .filter(settlement_line::subject.eq_any(&names))
        .filter(settlement_line::status.eq(MATCHED))
        .select(settlement_line::subject)
        .load(connection)?;
    let settled: HashSet<String> = settled.into_iter().flatten().collect();
    settled_by_provider.retain(|operation| !settled.contains(&operation.id.to_string()));
    Ok((settled_by_provider, next))
}

/// True if a provider settles operations of this kind.
const fn is_settled(kind: OperationKind) -> bool {
    match kind {
        OperationKind::Charge
        | OperationKind::Capture
        | OperationKind::Refund
        | OperationKind::RefundReturn => true,
        OperationKind::Authorize
        | OperationKind::Void
        | OperationKind::Increment
        | OperationKind::Payout
        | OperationKind::PayoutReturn
        | OperationKind::Evidence => false,
    }
}

/// Opens an exception for each of these operations, which a report should have.
#[derive(Debug, Clone)]
pub struct OpenAbsent {
    /// Name of the provider.
    pub provider: String,
    /// Name of the report.
    pub report: String,
    /// The operations.
    pub operations: Vec<Operation>,
}

impl Command for OpenAbsent {
    /// Number of exceptions that were opened.
    type Done = u64;
    type Refusal = Infallible;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(needs) = asks.of::<SettlementShelf>() {
            let names = self.operations.iter().map(|one| one.id.to_string());
            needs.subjects.extend(names);
        }
    }

    fn weight(&self) -> usize {
        self.operations.len()
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<u64>, Infallible> {
        let mut found = 0_u64;
        for operation in &self.operations {
            let name = operation.id.to_string();
            let state = &book.shelf::<SettlementShelf>().state.value;
            // A line may have come meanwhile.
            if state.settled.iter().any(|(subject, _)| *subject == name) {
                continue;
            }
            let amount = match operation.kind {
                OperationKind::Refund => operation.money.amount.get().saturating_neg(),
                OperationKind::Charge
                | OperationKind::Authorize
                | OperationKind::Capture
                | OperationKind::Void
                | OperationKind::Increment
                | OperationKind::RefundReturn
                | OperationKind::Payout
                | OperationKind::PayoutReturn
                | OperationKind::Evidence => operation.money.amount.get(),
            };
            let day = operation.created_at.micros().div_euclid(DAY_MICROS);
            let day = i32::try_from(day).unwrap_or(i32::MAX);
            let reference = operation.provider_ref.clone().unwrap_or_default();
            let detail = format!("{} does not have {reference}", self.report);
            let at = Difference {
                provider: &self.provider,
                currency: operation.money.currency.code(),
                amount,
                day,
                fees: None,
            };
            if open_exception(book, ExceptionKind::MissingThere, &name, &at, detail) {
                found = found.saturating_add(1);
            }
        }
        Ok(Decision::now(found))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "exception.open",
            kind: "settlement",
            id: self.report.clone(),
        }
    }
}
