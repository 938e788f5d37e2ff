//! The texts of metadata by which payments, customers, refunds and payouts are found.

use std::collections::BTreeMap;

use ledger::Metadata;
use store::TenantId;
use store::bulk::Writes;

store::bulk_insert! {
    /// A row of `metadata_text`: a text of the metadata of a thing.
    pub struct MetadataTextRow in metadata_text {
        tenant_id: TenantId,
        kind: i16,
        key: String,
        value: String,
        subject: Vec<u8>,
    }
}

store::bulk_find! {
    /// A text by its whole key.
    pub struct TextByKey => MetadataTextRow in metadata_text {
        /// The kind of its subject.
        kind: i16,
        /// The key.
        key: String,
        /// The text.
        value: String,
        /// The id of the thing.
        subject: Vec<u8>,
    }
}

store::bulk_delete! {
    /// A row of `metadata_text` that is deleted, because its subject no longer has the text.
    pub struct MetadataTextGoneRow in metadata_text {
        tenant_id: TenantId,
        kind: i16,
        key: String,
        value: String,
        subject: Vec<u8>,
    }
}

/// The kind of a thing that has metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Described {
    Payment,
    Customer,
    Refund,
    Payout,
}

impl Described {
    /// Every kind.
    pub(crate) const ALL: [Self; 4] = [Self::Payment, Self::Customer, Self::Refund, Self::Payout];

    /// The number under which the kind is stored.
    pub(crate) const fn number(self) -> i16 {
        match self {
            Self::Payment => 1,
            Self::Customer => 2,
            Self::Refund => 3,
            Self::Payout => 4,
        }
    }
}

/// The texts that a batch adds and deletes. Texts that stay the same are not touched.
pub(crate) struct TextChanges {
    tenant_id: TenantId,
    kind: i16,
    gone: Vec<MetadataTextGoneRow>,
    added: Vec<MetadataTextRow>,
}

impl TextChanges {
    pub(crate) const fn of(tenant_id: TenantId, kind: Described) -> Self {
        Self {
            tenant_id,
            kind: kind.number(),
            gone: Vec::new(),
            added: Vec::new(),
        }
    }

    /// Notes that the metadata of a thing was replaced.
    pub(crate) fn note(
        &mut self,
        subject: [u8; 16],
        before: Option<&Metadata>,
        after: Option<&Metadata>,
    ) {
        let (tenant_id, kind) = (self.tenant_id, self.kind);
        let (before, after) = (entries(before), entries(after));
        for (key, value) in without(&before, &after) {
            self.gone.push(MetadataTextGoneRow {
                tenant_id,
                kind,
                key,
                value,
                subject: subject.to_vec(),
            });
        }
        for (key, value) in without(&after, &before) {
            self.added.push(MetadataTextRow {
                tenant_id,
                kind,
                key,
                value,
                subject: subject.to_vec(),
            });
        }
    }

    pub(crate) fn save(self, writes: &mut Writes) {
        writes.add(self.gone);
        writes.add(self.added);
    }
}

/// The metadata as it is stored.
pub(crate) fn stored(metadata: Option<&Metadata>) -> Option<String> {
    metadata.map(|metadata| metadata.as_json().to_owned())
}

/// Stored metadata; `None` if this program never wrote it.
pub(crate) fn read(text: Option<&str>) -> Option<Option<Metadata>> {
    text.map(Metadata::stored).transpose().ok()
}

/// The texts of metadata, by key.
pub(crate) fn entries(metadata: Option<&Metadata>) -> BTreeMap<String, String> {
    metadata.map(Metadata::entries).unwrap_or_default()
}

/// The texts that `one` has and `other` does not have.
fn without(
    one: &BTreeMap<String, String>,
    other: &BTreeMap<String, String>,
) -> Vec<(String, String)> {
    let own = one
        .iter()
        .filter(|(key, value)| other.get(*key) != Some(*value));
    own.map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}
