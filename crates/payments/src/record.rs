//! A provider's record of an operation, as the provider tells of it in any dialect.

use std::fmt;

use money::Money;

use crate::OperationKind;

/// Longest text of a provider that is kept, in characters.
const MAX_LENGTH: usize = 255;

/// A short text of a provider: 1 to 255 characters, none of them a control character, and no card number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProviderText(String);

impl ProviderText {
    /// A text of a provider.
    ///
    /// # Errors
    /// The code of the broken rule, and a sentence that says what is right.
    pub fn parse(text: &str) -> Result<Self, (&'static str, String)> {
        text::identifier(text, 1..=MAX_LENGTH)
            .and_then(|()| text::printable(text))
            .map_err(|rule| (rule.code(), format!("This {rule}.")))?;
        Ok(Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProviderText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A provider's record of an operation: a charge, a capture, a refund and so on, whether it succeeded or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The provider's reference of the record.
    pub reference: ProviderText,
    /// The kind of operation that the record is about; `None` if the provider does not tell it.
    pub kind: Option<OperationKind>,
    /// The amount and the currency.
    pub money: Money,
    /// The payment that the operation belongs to, as the provider was told; `None` if the provider does not name it.
    pub payment: Option<String>,
    /// The payment method of the payer; `None` if the provider does not name it.
    pub payment_method: Option<String>,
}
