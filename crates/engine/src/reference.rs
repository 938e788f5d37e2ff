//! How a saved reply refers to what it is made from: as short as text can be, because there is one for
//! every request that moves money.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ledger::TransactionId;

/// What stands before the transactions of a bulk.
const BULK: &str = "bulk:";

/// What a saved reply is made from.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reference {
    /// One transaction.
    One(TransactionId),
    /// The transactions of a bulk of which none was refused, in order.
    Bulk(Vec<TransactionId>),
}

impl Reference {
    /// The transactions referred to.
    pub(crate) fn ids(&self) -> &[TransactionId] {
        match self {
            Self::One(id) => std::slice::from_ref(id),
            Self::Bulk(ids) => ids,
        }
    }
}

/// 22 characters of base64url.
pub(crate) fn to(id: TransactionId) -> String {
    URL_SAFE_NO_PAD.encode(id.bytes())
}

/// A little over 21 characters of base64url each.
pub(crate) fn to_bulk(ids: impl Iterator<Item = TransactionId>) -> String {
    let bytes: Vec<u8> = ids.flat_map(|id| id.bytes()).collect();
    let mut reference = BULK.to_owned();
    URL_SAFE_NO_PAD.encode_string(bytes, &mut reference);
    reference
}

/// What is referred to; one transaction also in the longer form in which references were first written.
pub(crate) fn parse(reference: &str) -> Option<Reference> {
    if let Some(bulk) = reference.strip_prefix(BULK) {
        let bytes = URL_SAFE_NO_PAD.decode(bulk).ok()?;
        let (ids, rest) = bytes.as_chunks::<16>();
        let ids = ids.iter().copied().map(TransactionId::from_bytes);
        return rest.is_empty().then(|| Reference::Bulk(ids.collect()));
    }
    let short = URL_SAFE_NO_PAD.decode(reference).ok();
    let short = short.and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
    short
        .map(TransactionId::from_bytes)
        .or_else(|| reference.parse().ok())
        .map(Reference::One)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_read_back_in_each_form() {
        let id = TransactionId::from_bytes([0xf8; 16]);
        let other = TransactionId::from_bytes([7; 16]);
        assert_eq!(to(id).len(), 22);
        assert_eq!(parse(&to(id)), Some(Reference::One(id)));
        assert_eq!(parse(&id.to_string()), Some(Reference::One(id)));
        let bulk = to_bulk([id, other].into_iter());
        assert_eq!(parse(&bulk), Some(Reference::Bulk(vec![id, other])));
        assert_eq!(parse("pay_1"), None);
        assert_eq!(parse("bulk:AA"), None);
    }
}
