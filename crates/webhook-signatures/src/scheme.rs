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
    /// GitHub's `X-Hub-Signature-256` header.
    Github,
    /// Shopify's `X-Shopify-Hmac-Sha256` header.
    Shopify,
    /// Square's `x-square-hmacsha256-signature` header, which also covers the receiver's URL.
    Square,
    /// Paddle's `Paddle-Signature` header.
    Paddle,
    /// Adyen's standard notifications: a signature over eight fields, inside each item of the body.
    AdyenStandard,
    /// Adyen's webhooks of the balance platform and of the Management API: the `HmacSignature` header.
    AdyenPlatform,
    /// Checkout.com's `Cko-Signature` header.
    CheckoutCom,
    /// PayPal's `PAYPAL-TRANSMISSION-*` headers: an RSA signature over a checksum of the body.
    Paypal,
    /// The `X-Mollie-Signature` header of Mollie's signed webhooks.
    Mollie,
    /// Hyperswitch's `x-webhook-signature-512` header.
    Hyperswitch,
    /// Column's `Column-Signature` header.
    Column,
    /// HTTP Message Signatures (RFC 9421) with the algorithm `hmac-sha256`.
    Rfc9421HmacSha256,
    /// An HMAC whose form the receiver describes: see [`Form`](crate::Form).
    Generic,
}

impl Scheme {
    /// Every scheme, in the order of the documentation.
    pub const ALL: [Self; 17] = [
        Self::Stripe,
        Self::StandardWebhooks,
        Self::StandardWebhooksV1a,
        Self::Svix,
        Self::Github,
        Self::Shopify,
        Self::Square,
        Self::Paddle,
        Self::AdyenStandard,
        Self::AdyenPlatform,
        Self::CheckoutCom,
        Self::Paypal,
        Self::Mollie,
        Self::Hyperswitch,
        Self::Column,
        Self::Rfc9421HmacSha256,
        Self::Generic,
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
            Self::Github => "github",
            Self::Shopify => "shopify",
            Self::Square => "square",
            Self::Paddle => "paddle",
            Self::AdyenStandard => "adyen-standard",
            Self::AdyenPlatform => "adyen-platform",
            Self::CheckoutCom => "checkout.com",
            Self::Paypal => "paypal",
            Self::Mollie => "mollie",
            Self::Hyperswitch => "hyperswitch",
            Self::Column => "column",
            Self::Rfc9421HmacSha256 => "rfc9421-hmac-sha256",
            Self::Generic => "generic",
        }
    }

    /// Greatest difference between the time of a message and the receiver's clock, in seconds, in both directions,
    /// unless the receiver sets another one. It means nothing to a scheme without a time.
    pub const fn default_tolerance_seconds(self) -> i64 {
        match self {
            // The limit of Paddle's own libraries.
            Self::Paddle => 5,
            Self::Stripe
            | Self::StandardWebhooks
            | Self::StandardWebhooksV1a
            | Self::Svix
            | Self::Github
            | Self::Shopify
            | Self::Square
            | Self::AdyenStandard
            | Self::AdyenPlatform
            | Self::CheckoutCom
            | Self::Paypal
            | Self::Mollie
            | Self::Hyperswitch
            | Self::Column
            | Self::Rfc9421HmacSha256
            | Self::Generic => 300,
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
