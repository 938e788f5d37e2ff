//! The kind of a transaction: its purpose.

/// A word for the purpose of a transaction. The ledger's rules are the same for all kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A movement from wallet to wallet.
    Transfer,
    /// Money that a provider took from a payer for the tenant.
    Capture,
    /// An exchange of one currency for another.
    Exchange,
    /// Another step of a payment. The name begins with `payment_`.
    OfPayments(KindName),
    /// Any other purpose, named by the tenant.
    Other(KindName),
}

/// The beginning of the names that are reserved for the steps of payments.
const OF_PAYMENTS: &str = "payment_";

/// Greatest length of a name, in bytes.
const MAX_LENGTH: usize = 32;

/// A name that is not built in. It is stored in place, so that a kind is copied and never allocated.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KindName {
    bytes: [u8; MAX_LENGTH],
    length: u8,
}

/// Why a text is not a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a kind is 1 to 32 of a-z, 0-9 and _, and begins with a letter")]
pub struct KindError;

impl Kind {
    /// The name, as stored and shown.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Transfer => "transfer",
            Self::Capture => "capture",
            Self::Exchange => "exchange",
            Self::OfPayments(name) | Self::Other(name) => name.as_str(),
        }
    }

    /// True for the steps of payments. Most of them report what has happened at a provider, so they are recorded
    /// even if the currency was withdrawn in the meantime.
    #[must_use]
    pub const fn is_of_payments(&self) -> bool {
        match self {
            Self::Capture | Self::OfPayments(_) => true,
            Self::Transfer | Self::Exchange | Self::Other(_) => false,
        }
    }

    /// The kind with this name.
    ///
    /// # Errors
    /// [`KindError`] if the text is not a name in `snake_case` of 1 to 32 characters.
    pub fn parse(name: &str) -> Result<Self, KindError> {
        match name {
            "transfer" => Ok(Self::Transfer),
            "capture" => Ok(Self::Capture),
            "exchange" => Ok(Self::Exchange),
            other if other.starts_with(OF_PAYMENTS) => KindName::parse(other).map(Self::OfPayments),
            other => KindName::parse(other).map(Self::Other),
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl KindName {
    fn parse(name: &str) -> Result<Self, KindError> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let begins = name.as_bytes().first().is_some_and(u8::is_ascii_lowercase);
        let mut bytes = [0; MAX_LENGTH];
        let place = bytes.get_mut(..name.len()).ok_or(KindError)?;
        if !begins || !name.bytes().all(plain) {
            return Err(KindError);
        }
        place.copy_from_slice(name.as_bytes());
        let length = u8::try_from(name.len()).map_err(|_too_long| KindError)?;
        Ok(Self { bytes, length })
    }

    fn as_str(&self) -> &str {
        // Only ASCII is ever stored, so the defaults are never used.
        let name = self.bytes.get(..usize::from(self.length));
        std::str::from_utf8(name.unwrap_or_default()).unwrap_or_default()
    }
}

impl std::fmt::Debug for KindName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn a_kind_is_read_back_from_its_name() {
        for name in [
            "transfer",
            "capture",
            "exchange",
            "fee",
            "fx_2",
            "payment_refund",
            &"a".repeat(32),
        ] {
            assert_eq!(Kind::parse(name).unwrap().name(), name);
        }
        assert_eq!(Kind::parse("capture"), Ok(Kind::Capture));
        let of_payments = Kind::parse("payment_refund").unwrap();
        assert!(of_payments.is_of_payments() && !Kind::parse("payments").unwrap().is_of_payments());
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for name in ["", "Fee", "_fee", "2fa", "a b", "f\u{e9}e", &"a".repeat(33)] {
            assert_eq!(Kind::parse(name), Err(KindError), "{name:?}");
        }
    }
}
