//! Things are found by the texts of their metadata, newest first.

use books::query::metadata_texts;
use diesel::prelude::*;
use edge::query::Query;
use edge::strict_json::Slot;
use ledger::Metadata;
use store::{AnyConnection, Error, TenantId};

use crate::schema::metadata_text;
use crate::texts::{self, Described};

/// Greatest number of things that one page reads to find those with every text.
const MAX_READ: usize = 500;

/// The things that a page of a list should have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// The kind of things.
    pub(crate) kind: Described,
    /// The texts that each of them has, by key. There is at least one.
    pub(crate) texts: &'a [(String, String)],
    /// The thing before which the page begins, by its id.
    pub(crate) before: [u8; 16],
    /// Greatest number of things.
    pub(crate) limit: usize,
}

/// Reads the parameters `metadata.KEY` of a list.
pub(crate) fn texts_wanted(query: &mut Query) -> Slot<Vec<(String, String)>> {
    let texts = metadata_texts(
        query,
        "The metadata has this text under KEY. The parameter may be given for several keys",
    );
    texts.map(|texts| {
        let texts = texts.into_iter();
        texts.map(|(key, text)| (key.into(), text.into())).collect()
    })
}

/// The things that have every text, newest first, and the thing after which the next page begins. A page reads a bounded
/// number of things, so it may be shorter than its limit, or empty.
///
/// `load` reads the things with these ids, and `told` says the id and the metadata of one.
pub(crate) fn found<T>(
    connection: &mut AnyConnection,
    tenant: TenantId,
    wanted: Wanted<'_>,
    load: impl FnOnce(&mut AnyConnection, Vec<[u8; 16]>) -> Result<Vec<T>, Error>,
    told: impl Fn(&T) -> ([u8; 16], Option<Metadata>),
) -> Result<(Vec<T>, Option<[u8; 16]>), Error> {
    let Some((key, value)) = wanted.texts.first() else {
        return Ok((Vec::new(), None));
    };
    let rows = match wanted.texts.len() {
        1 => wanted.limit.saturating_add(1),
        _ => MAX_READ,
    };
    let subjects: Vec<Vec<u8>> = metadata_text::table
        .filter(metadata_text::kind.eq(wanted.kind.number()))
        .filter(metadata_text::key.eq(key))
        .filter(metadata_text::value.eq(value))
        .filter(metadata_text::tenant_id.eq(tenant))
        .filter(metadata_text::subject.lt(wanted.before.to_vec()))
        .order(metadata_text::subject.desc())
        .limit(i64::try_from(rows).unwrap_or(i64::MAX))
        .select(metadata_text::subject)
        .load(connection)?;
    let subjects = subjects.into_iter();
    let ids: Vec<[u8; 16]> = subjects.filter_map(|id| id.try_into().ok()).collect();
    let end = ids.last().filter(|_| ids.len() >= rows).copied();
    let mut found = load(connection, ids)?;
    found.retain(|thing| has_all(wanted.texts, told(thing).1.as_ref()));
    found.sort_by_key(|thing| std::cmp::Reverse(told(thing).0));
    if found.len() <= wanted.limit {
        return Ok((found, end));
    }
    found.truncate(wanted.limit);
    let last = found.last().map(|thing| told(thing).0);
    Ok((found, last))
}

/// True if metadata has every text.
pub(crate) fn has_all(wanted: &[(String, String)], metadata: Option<&Metadata>) -> bool {
    let texts = texts::entries(metadata);
    let has = |(key, value): &(String, String)| texts.get(key) == Some(value);
    wanted.iter().all(has)
}
