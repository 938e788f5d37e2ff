//! The code of an account: its place in the chart of accounts.

use std::fmt;
use std::ops::Deref;

use text::TextError;

/// Greatest length of a code, in characters.
const MAX_LENGTH: usize = 255;

/// Levels of visible ASCII characters, separated by single colons: `liabilities:wallets:ann`. A code also
/// names a subtree of the chart: its account and all accounts below it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountCode(String);

/// Why a text is not a code: the first broken rule, in the order of the variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AccountCodeError {
    /// The text is empty, too long, has U+0000 in it, or is a card number.
    #[error("a code {0}")]
    Text(#[from] TextError),
    /// A level is empty, or has characters that are not allowed.
    #[error("a code is levels of visible ASCII characters, separated by single colons")]
    Malformed,
}

impl AccountCodeError {
    /// The code of the broken rule; a code never changes.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Text(rule) => rule.code(),
            Self::Malformed => "malformed_code",
        }
    }
}

impl AccountCode {
    /// A code from a text, if it keeps the rules.
    ///
    /// # Errors
    /// [`AccountCodeError`] names the first broken rule.
    pub fn parse(text: impl Into<String>) -> Result<Self, AccountCodeError> {
        let text = text.into();
        text::identifier(&text, 1..=MAX_LENGTH)?;
        let is_visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_visible || text.split(':').any(str::is_empty) {
            return Err(AccountCodeError::Malformed);
        }
        Ok(Self(text))
    }

    /// A code from a text that Florin itself made. Nothing is checked.
    #[must_use]
    pub fn trusted(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for AccountCode {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<AccountCode> for String {
    fn from(code: AccountCode) -> Self {
        code.0
    }
}

impl fmt::Display for AccountCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_levels_of_visible_ascii() {
        for good in [
            "a",
            "assets:cash",
            "liabilities:wallets:4111-1111-1111-1111",
            &"a".repeat(255),
        ] {
            assert_eq!(AccountCode::parse(good).as_deref(), Ok(good));
        }
        let malformed = AccountCodeError::Malformed;
        for (bad, rule) in [
            ("", TextError::TooShort { least: 1 }.into()),
            (&*"a".repeat(256), TextError::TooLong { most: 255 }.into()),
            ("a\0", TextError::NulCharacter.into()),
            ("4111:1111:1111:1111", TextError::CardNumber.into()),
            (":", malformed),
            ("a:", malformed),
            (":a", malformed),
            ("a::b", malformed),
            ("a b", malformed),
            ("caf\u{e9}", malformed),
            ("a\n", malformed),
        ] {
            assert_eq!(AccountCode::parse(bad), Err(rule), "{bad:?}");
        }
    }
}
