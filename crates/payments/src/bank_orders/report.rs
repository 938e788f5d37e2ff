//! A bank's report on an order, pain.002 of ISO 20022, as events about its transfers.
//!
//! A transfer has the status that the report gives it, else that of its group, else that of the message: a bank may name
//! only the transfers that it refuses. `RJCT` and `CANC` mean that it has failed, `ACSC` and `ACCC` that it was paid. Any
//! other status is news: the outcome comes later.
//!
//! A report has no amounts, so the amount is the one that was ordered. What was paid is proved by the statement.

use bank_files::pain002::{Group, Reason, Report, Status};
use store::Timestamp;

use super::event::{Said, Told, told};
use super::{Ordered, named};
use crate::OperationId;
use crate::providers::MalformedEvent;

/// The reason of a refusal for which the bank gives no code.
const NO_REASON: &str = "refused_by_bank";

/// Why nothing of a report is taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WrongReport {
    /// The report is about another kind of message.
    #[error("the report is about {0}, and orders are pain.001")]
    OtherMessage(String),
    /// The report names a transfer that is not in the order.
    #[error("the order has no transfer {name:?}: line {line}, column {column}")]
    OtherTransfer {
        /// The name in the report.
        name: String,
        /// The line in the file.
        line: usize,
        /// The column in the file.
        column: usize,
    },
    /// The report is about another group of payments. A file of ours has one, with the id of the message.
    #[error("the order has no group {name:?}: line {line}, column {column}")]
    OtherGroup {
        /// The id of the group in the report.
        name: String,
        /// The line in the file.
        line: usize,
        /// The column in the file.
        column: usize,
    },
    /// The report names a transfer twice, so nobody knows what it says of it.
    #[error("the report names the transfer {name:?} twice: line {line}, column {column}")]
    Twice {
        /// The name in the report.
        name: String,
        /// The line in the file.
        line: usize,
        /// The column in the file.
        column: usize,
    },
    /// A text of the report cannot be stored.
    #[error("{0}")]
    Text(#[from] MalformedEvent),
}

/// The events of a report on an order with these transfers.
///
/// # Errors
/// [`WrongReport`], and nothing of the report may be used.
pub fn events(
    provider: &str,
    report: &Report,
    order: &[Ordered],
    now: Timestamp,
) -> Result<Vec<Told>, WrongReport> {
    if !report.original_message.starts_with("pain.001") {
        return Err(WrongReport::OtherMessage(report.original_message.clone()));
    }
    let mut seen: Vec<OperationId> = Vec::new();
    let other_group = |group: &&Group| {
        let id = group.original_id.trim();
        !id.eq_ignore_ascii_case(report.original_message_id.trim())
    };
    if let Some(group) = report.groups.iter().find(other_group) {
        return Err(WrongReport::OtherGroup {
            name: group.original_id.clone(),
            line: group.place.line,
            column: group.place.column,
        });
    }
    for one in report.groups.iter().flat_map(|group| &group.transfers) {
        let name = one.original_end_to_end_id.as_deref().unwrap_or_default();
        if let Some(id) = named(name) {
            if seen.contains(&id) {
                return Err(WrongReport::Twice {
                    name: name.to_owned(),
                    line: one.place.line,
                    column: one.place.column,
                });
            }
            seen.push(id);
        }
        if !order
            .iter()
            .any(|known| named(name) == Some(known.operation))
        {
            return Err(WrongReport::OtherTransfer {
                name: name.to_owned(),
                line: one.place.line,
                column: one.place.column,
            });
        }
    }
    let mut events = Vec::new();
    for transfer in order {
        let Some(said) = said(report, transfer) else {
            continue;
        };
        let line = ["pain.002", &report.id];
        let of = (transfer, transfer.money);
        events.push(told(provider, &line, of, &said, now)?);
    }
    Ok(events)
}

/// The news of a report about a transfer; `None` if there is none.
fn said(report: &Report, transfer: &Ordered) -> Option<Said> {
    let of_groups = report.groups.iter().flat_map(|group| {
        let transfers = group.transfers.iter();
        transfers.map(move |one| (group, one))
    });
    let own = of_groups.into_iter().find(|(_, one)| {
        let name = one.original_end_to_end_id.as_deref();
        name.and_then(named) == Some(transfer.operation)
    });
    if let Some((group, one)) = own {
        let all = [&one.reasons, &group.reasons, &report.reasons];
        return one.status.as_ref().map(|status| meaning(status, &all));
    }
    // An order has one group.
    let group: Option<&Group> = report.groups.first();
    let status = group.and_then(|group| group.status.as_ref());
    let status = status.or(report.status.as_ref())?;
    let none = Vec::new();
    let of_group = group.map_or(&none, |group| &group.reasons);
    // "Partly" says nothing of the transfers that are not named.
    (*status != Status::Partly).then(|| meaning(status, &[of_group, &report.reasons]))
}

fn meaning(status: &Status, reasons: &[&Vec<Reason>]) -> Said {
    match status {
        Status::Rejected | Status::Canceled => {
            let mut codes = reasons.iter().flat_map(|reasons| reasons.iter());
            let code = codes.find_map(|reason| reason.code.clone());
            Said::Rejected(code.unwrap_or_else(|| NO_REASON.to_owned()))
        }
        Status::Debited | Status::Credited => Said::Done,
        Status::Accepted
        | Status::InProcess
        | Status::FormAccepted
        | Status::AcceptedWithChange
        | Status::AcceptedWithoutPosting
        | Status::Partly
        | Status::PartlySigned
        | Status::Pending
        | Status::Received
        | Status::Other(_) => Said::News(status.code().to_owned()),
    }
}
