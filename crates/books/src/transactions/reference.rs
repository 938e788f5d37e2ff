//! The reference from a saved reply to the transactions that it is made from. It is as short as possible,
//! because every request that moves money has one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ledger::TransactionId;

use crate::Form;

/// Prefix of a reference to a bulk whose reply has no balances.
const BULK_WITHOUT_BALANCES: &str = "bulk:";
/// Prefix of a reference to a bulk.
const BULK: &str = "bulk2:";
/// Prefix of a reference to one transaction. If the reply has no balances, the reference has no prefix.
const ONE: &str = "2:";

/// The transactions that a saved reply is made from.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reference {
    /// One transaction.
    One(TransactionId),
    /// The transactions of a bulk, in order. None of its steps was refused.
    Bulk(Vec<TransactionId>),
}

impl Reference {
    /// The ids of the transactions.
    pub(crate) fn ids(&self) -> &[TransactionId] {
        match self {
            Self::One(id) => std::slice::from_ref(id),
            Self::Bulk(ids) => ids,
        }
    }
}

/// The reference to one transaction: 2 characters, and 22 of base64url.
pub(crate) fn to(id: TransactionId) -> String {
    let mut reference = ONE.to_owned();
    URL_SAFE_NO_PAD.encode_string(id.bytes(), &mut reference);
    reference
}

/// The reference to a bulk: a little over 21 characters of base64url for each transaction.
pub(crate) fn to_bulk(ids: impl Iterator<Item = TransactionId>) -> String {
    let bytes: Vec<u8> = ids.flat_map(|id| id.bytes()).collect();
    let mut reference = BULK.to_owned();
    URL_SAFE_NO_PAD.encode_string(bytes, &mut reference);
    reference
}

/// Reads a reference: the transactions, and the form in which the reply was first made. The older and longer
/// reference to one transaction, which is its id as text, is read too.
pub(crate) fn parse(reference: &str) -> Option<(Reference, Form)> {
    if let Some(ids) = reference.strip_prefix(BULK) {
        return Some((bulk(ids)?, Form::Now));
    }
    if let Some(ids) = reference.strip_prefix(BULK_WITHOUT_BALANCES) {
        return Some((bulk(ids)?, Form::WithoutBalances));
    }
    if let Some(id) = reference.strip_prefix(ONE) {
        return Some((Reference::One(short(id)?), Form::Now));
    }
    let id = short(reference).or_else(|| reference.parse().ok())?;
    Some((Reference::One(id), Form::WithoutBalances))
}

fn short(id: &str) -> Option<TransactionId> {
    let bytes = URL_SAFE_NO_PAD.decode(id).ok()?;
    Some(TransactionId::from_bytes(bytes.try_into().ok()?))
}

fn bulk(ids: &str) -> Option<Reference> {
    let bytes = URL_SAFE_NO_PAD.decode(ids).ok()?;
    let (ids, rest) = bytes.as_chunks::<16>();
    let ids = ids.iter().copied().map(TransactionId::from_bytes);
    rest.is_empty().then(|| Reference::Bulk(ids.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_read_back_in_each_form() {
        let id = TransactionId::from_bytes([0xf8; 16]);
        let other = TransactionId::from_bytes([7; 16]);
        let one = |form| Some((Reference::One(id), form));
        assert_eq!(to(id).len(), 24);
        assert_eq!(parse(&to(id)), one(Form::Now));
        let older = URL_SAFE_NO_PAD.encode(id.bytes());
        assert_eq!(parse(&older), one(Form::WithoutBalances));
        assert_eq!(parse(&id.to_string()), one(Form::WithoutBalances));
        let both = |form| Some((Reference::Bulk(vec![id, other]), form));
        let bulk = to_bulk([id, other].into_iter());
        assert_eq!(parse(&bulk), both(Form::Now));
        let older = bulk.replace("bulk2:", "bulk:");
        assert_eq!(parse(&older), both(Form::WithoutBalances));
        for nothing in ["pay_1", "bulk:AA", "bulk2:AA", "2:", "2:AA", "3:"] {
            assert_eq!(parse(nothing), None, "{nothing}");
        }
    }
}
