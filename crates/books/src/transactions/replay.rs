//! Replies that were stored by reference, made again from their transactions.

use std::collections::HashMap;

use engine::Reply;
use ledger::{Kind, RecordedTransaction, TransactionId};
use store::{AnyConnection, Error, TenantId};

use super::reference::{self, Reference};
use super::{Results, show};
use crate::{Form, transfers};

/// Makes replies again that were stored by reference, byte for byte: one item for each reference, in order;
/// `None` for a reference that cannot be read.
///
/// # Errors
/// [`Error::Refused`] if a transaction does not exist; any other [`Error`] of the database.
pub fn make_again(
    connection: &mut AnyConnection,
    tenant: TenantId,
    references: &[String],
) -> Result<Vec<Option<Reply>>, Error> {
    let again = again(connection, tenant, references)?;
    let reply = |again| match again {
        ReplaySource::One(posted, form) if posted.kind == Kind::Transfer => {
            transfers::show::reply(&posted, form)
        }
        ReplaySource::One(posted, form) => show::reply(&posted, false, form),
        ReplaySource::Bulk(results, form) => show::bulk(&results.0, false, form),
    };
    Ok(again.into_iter().map(|again| again.map(reply)).collect())
}

/// The stored rows from which a reply is made again.
#[derive(Debug, Clone)]
pub enum ReplaySource {
    /// One transaction.
    One(RecordedTransaction, Form),
    /// The steps of a bulk. None of them was refused.
    Bulk(Results, Form),
}

/// Reads the rows from which replies are made again: one item for each reference, in order; `None` for a
/// reference that cannot be read.
///
/// # Errors
/// [`Error::Refused`] if a transaction does not exist; any other [`Error`] of the database.
pub fn again(
    connection: &mut AnyConnection,
    tenant: TenantId,
    references: &[String],
) -> Result<Vec<Option<ReplaySource>>, Error> {
    let parsed: Vec<_> = references
        .iter()
        .map(|text| reference::parse(text))
        .collect();
    let named = parsed.iter().flatten();
    let mut ids: Vec<TransactionId> = named
        .flat_map(|(reference, _)| reference.ids())
        .copied()
        .collect();
    ids.sort_unstable();
    ids.dedup();
    let posted = ledger::posted(connection, tenant, &ids)?;
    let posted: HashMap<TransactionId, RecordedTransaction> = posted
        .into_iter()
        .map(|posted| (posted.id, posted))
        .collect();
    let found = |id: &TransactionId| {
        let gone = || Error::Refused(format!("a saved reply refers to {id}, which is not there"));
        posted.get(id).cloned().ok_or_else(gone)
    };
    let read = |(reference, form): (Reference, Form)| match reference {
        Reference::One(id) => Ok(ReplaySource::One(found(&id)?, form)),
        Reference::Bulk(ids) => {
            let all: Result<Vec<_>, Error> = ids.iter().map(|id| found(id).map(Ok)).collect();
            Ok(ReplaySource::Bulk(Results(all?), form))
        }
    };
    parsed
        .into_iter()
        .map(|parsed| parsed.map(read).transpose())
        .collect()
}
