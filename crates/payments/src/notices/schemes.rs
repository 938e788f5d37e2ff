//! The headers of signatures, for the description.

use edge::Signature;

/// The schemes in which webhooks are signed, for the description. Two have no header of a fixed name: the signatures of
/// `adyen-standard` stand in the body, and the settings name the header of `generic`.
pub const SIGNATURES: &[Signature] = &[
    Signature {
        name: "stripe_signature",
        header: "Stripe-Signature",
        says: "The scheme `stripe`: `t=…,v1=…`, a signature over the time and the body",
    },
    Signature {
        name: "standard_webhooks_signature",
        header: "webhook-signature",
        says: "The schemes `standard-webhooks` (HMAC) and `standard-webhooks-v1a` (Ed25519): a signature over `webhook-id`, `webhook-timestamp` and the body",
    },
    Signature {
        name: "svix_signature",
        header: "svix-signature",
        says: "The scheme `svix`: a signature over `svix-id`, `svix-timestamp` and the body",
    },
    Signature {
        name: "github_signature",
        header: "X-Hub-Signature-256",
        says: "The scheme `github`: `sha256=…`, a signature over the body",
    },
    Signature {
        name: "shopify_signature",
        header: "X-Shopify-Hmac-Sha256",
        says: "The scheme `shopify`: a signature over the body",
    },
    Signature {
        name: "square_signature",
        header: "x-square-hmacsha256-signature",
        says: "The scheme `square`: a signature over the URL of the webhook and the body",
    },
    Signature {
        name: "paddle_signature",
        header: "Paddle-Signature",
        says: "The scheme `paddle`: `ts=…;h1=…`, a signature over the time and the body",
    },
    Signature {
        name: "adyen_platform_signature",
        header: "HmacSignature",
        says: "The scheme `adyen-platform`: a signature over the body. In the scheme `adyen-standard` the signatures stand in the body",
    },
    Signature {
        name: "checkout_com_signature",
        header: "Cko-Signature",
        says: "The scheme `checkout.com`: a signature over the body",
    },
    Signature {
        name: "paypal_signature",
        header: "PAYPAL-TRANSMISSION-SIG",
        says: "The scheme `paypal`: a signature over the other `PAYPAL-TRANSMISSION-*` headers and a checksum of the body",
    },
    Signature {
        name: "mollie_signature",
        header: "X-Mollie-Signature",
        says: "The scheme `mollie`: `sha256=…`, a signature over the body",
    },
    Signature {
        name: "hyperswitch_signature",
        header: "x-webhook-signature-512",
        says: "The scheme `hyperswitch`: a signature over the body",
    },
    Signature {
        name: "column_signature",
        header: "Column-Signature",
        says: "The scheme `column`: a signature over the body",
    },
    Signature {
        name: "http_message_signature",
        header: "Signature",
        says: "The scheme `rfc9421-hmac-sha256`: a signature over the parts that `Signature-Input` names",
    },
];
