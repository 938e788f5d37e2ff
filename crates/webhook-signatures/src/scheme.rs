//! The schemes by name.

/// How a sender signs its webhooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Stripe's `Stripe-Signature` header.
    Stripe,
    /// Standard Webhooks 1.0.0 with the symmetric `v1` signature.
    StandardWebhooks,
    /// Standard Webhooks 1.0.0 with the asymmetric `v1a` signature (Ed25519).
    StandardWebhooksV1a,
    /// Standard Webhooks `v1` under the older `svix-*` header names.
    Svix,
}

impl Scheme {
    /// Every scheme, in the order of the documentation.
    pub const ALL: [Self; 4] = [
        Self::Stripe,
        Self::StandardWebhooks,
        Self::StandardWebhooksV1a,
        Self::Svix,
    ];

    /// The scheme of this exact name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scheme| scheme.name() == name)
    }

    /// The name used in settings and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stripe => "stripe",
            Self::StandardWebhooks => "standard-webhooks",
            Self::StandardWebhooksV1a => "standard-webhooks-v1a",
            Self::Svix => "svix",
        }
    }

    /// Greatest difference between the time of a message and the receiver's clock, in seconds, in both directions,
    /// unless the receiver sets another one.
    pub const fn default_tolerance_seconds(self) -> i64 {
        match self {
            Self::Stripe | Self::StandardWebhooks | Self::StandardWebhooksV1a | Self::Svix => 300,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Scheme;

    #[test]
    fn every_scheme_is_found_by_its_name_and_by_no_other_spelling() {
        for scheme in Scheme::ALL {
            assert_eq!(Scheme::from_name(scheme.name()), Some(scheme));
            assert_eq!(Scheme::from_name(&scheme.name().to_uppercase()), None);
        }
        assert_eq!(Scheme::from_name(""), None);
    }
}
