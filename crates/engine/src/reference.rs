//! How a saved reply refers to the transaction it is made from: as short as text can be, because there
//! is one for every request that moves money.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ledger::TransactionId;

/// 22 characters of base64url.
pub(crate) fn to(id: TransactionId) -> String {
    URL_SAFE_NO_PAD.encode(id.bytes())
}

/// The transaction referred to; also in the longer form in which references were first written.
pub(crate) fn parse(reference: &str) -> Option<TransactionId> {
    let short = URL_SAFE_NO_PAD.decode(reference).ok();
    let short = short.and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
    short
        .map(TransactionId::from_bytes)
        .or_else(|| reference.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_read_back_in_either_form() {
        let id = TransactionId::from_bytes([0xf8; 16]);
        assert_eq!(to(id).len(), 22);
        assert_eq!(parse(&to(id)), Some(id));
        assert_eq!(parse(&id.to_string()), Some(id));
        assert_eq!(parse("pay_1"), None);
    }
}
