//! A bank's statement, as events about the transfers that it names.
//!
//! Money out under the name of a transfer is the transfer, done. Money in under its name is the transfer, come back. The
//! details of an entry are read one by one.

use std::collections::BTreeMap;

use bank_files::{Entry, Part, Statement};
use money::{Amount, Money};
use store::Timestamp;

use super::event::{Said, Told, told};
use super::{Ordered, named};
use crate::OperationId;
use crate::providers::MalformedEvent;

/// The operations that a statement may name.
#[must_use]
pub fn mentioned(statement: &Statement) -> Vec<OperationId> {
    let parts = statement.entries.iter().flat_map(Entry::parts);
    let mut ids: Vec<OperationId> = parts.flat_map(|part| operations(&part)).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// The events of a statement about these transfers.
///
/// # Errors
/// [`MalformedEvent`] if a text of the statement cannot be stored.
pub fn events(
    provider: &str,
    statement: &Statement,
    transfers: &[Ordered],
    now: Timestamp,
) -> Result<Vec<Told>, MalformedEvent> {
    let known: BTreeMap<OperationId, &Ordered> = transfers
        .iter()
        .map(|transfer| (transfer.operation, transfer))
        .collect();
    let number = statement.id.as_deref().unwrap_or_default();
    let mut events = Vec::new();
    let parts = statement.entries.iter().flat_map(|entry| {
        let parts = entry.parts().into_iter();
        parts.map(move |part| (entry.booked_on, part))
    });
    for (day, part) in parts {
        let mut named: Vec<&&Ordered> = operations(&part)
            .iter()
            .filter_map(|id| known.get(id))
            .collect();
        named.dedup_by_key(|transfer| transfer.operation);
        // An entry of several transfers without their amounts does not tell what each of them is.
        let [transfer] = named.as_slice() else {
            continue;
        };
        // An entry of nothing says nothing.
        let Ok(amount) = Amount::new(part.units.get().saturating_abs()) else {
            continue;
        };
        let currency = statement.currency;
        let said = match part.units.get() > 0 {
            true => Said::Returned,
            false => Said::Done,
        };
        let (day, account) = (day.to_string(), statement.account.key());
        let line = ["statement", account, number, &day, &part.position];
        let of = (**transfer, Money { amount, currency });
        events.push(told(provider, &line, of, &said, now)?);
    }
    Ok(events)
}

/// The operations whose names stand in a part.
fn operations(part: &Part<'_>) -> Vec<OperationId> {
    let words = part
        .texts
        .iter()
        .flat_map(|text| text.split(|letter: char| !letter.is_ascii_alphanumeric()));
    words.filter_map(named).collect()
}
