//! What stands for the certificates of PayPal in a build without them.

use crate::SecretError;

/// No key at all.
#[derive(Clone)]
pub(crate) enum RsaKey {}

impl RsaKey {
    pub(crate) const fn parse(_: &str) -> Result<Self, SecretError> {
        Err(SecretError::FeatureMissing { feature: "paypal" })
    }

    pub(crate) const fn verifies(&self, _: &[u8], _: &[u8]) -> bool {
        match *self {}
    }
}
