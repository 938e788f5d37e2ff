//! A charge, as a provider tells of it in any dialect.

use std::fmt;

use money::Money;

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

/// A charge that a provider made, whether it took the money or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// The provider's reference of the charge.
    pub reference: ProviderText,
    /// The amount and the currency of the charge.
    pub money: Money,
    /// The payment that the charge is for, as the provider was told; `None` if the provider does not name it.
    pub payment: Option<String>,
    /// The payment method of the payer; `None` if the provider does not name it.
    pub payment_method: Option<String>,
}
