//! Properties of any message: a signed one is accepted, one changed byte is refused, and random bytes never panic.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise"
)]

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use webhook_signatures::{Covers, Form, Refusal, Request, Scheme, Secret, Setup, SignedData};

const SYMMETRIC: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const PRIVATE: &str =
    "whsk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8DoQe/884Qvh1w3RjnS8CZZ+TWMJulDV8d3IZkElUxuA==";
const ADYEN: &str = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056";
const PAYPAL: &str = include_str!("paypal/public-key.pem");
const FORM: &str = "header=X-Signature; signed={id}/{timestamp}/{body}; id-header=X-Id; timestamp-header=X-Time; hash=sha512; encoding=base64; prefix=v1=; separator=comma";

fn setup(scheme: Scheme) -> Setup {
    Setup::new(scheme)
        .with_tolerance(i64::MAX)
        .with_url("https://a.example/hook?a=1")
        .with_webhook_id("8PT597110X687430LKGECATA")
        .with_form(Form::parse(FORM).unwrap())
}

fn secret(scheme: Scheme) -> Secret {
    let text = match scheme {
        Scheme::StandardWebhooksV1a => PRIVATE,
        Scheme::AdyenStandard | Scheme::AdyenPlatform => ADYEN,
        Scheme::Paypal => PAYPAL,
        Scheme::Rfc9421HmacSha256 => SYMMETRIC.split_once('_').unwrap().1,
        Scheme::Stripe
        | Scheme::StandardWebhooks
        | Scheme::Svix
        | Scheme::Github
        | Scheme::Shopify
        | Scheme::Square
        | Scheme::Paddle
        | Scheme::CheckoutCom
        | Scheme::Mollie
        | Scheme::Hyperswitch
        | Scheme::Column
        | Scheme::Generic => SYMMETRIC,
    };
    Secret::parse(scheme, text).unwrap()
}

/// Verifies with the greatest tolerance, so every refusal is about the signature or the form.
fn judge(
    scheme: Scheme,
    headers: &[(String, Vec<u8>)],
    body: &[u8],
) -> Result<SignedData, Refusal> {
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_slice()))
        .collect();
    let request = Request {
        headers: &headers,
        body,
    };
    setup(scheme).verify(&[secret(scheme)], &request, 0)
}

fn signed(scheme: Scheme, id: &str, timestamp: i64, body: &[u8]) -> Vec<(String, Vec<u8>)> {
    setup(scheme)
        .sign(&secret(scheme), id, timestamp, body)
        .unwrap()
        .into_iter()
        .map(|(name, value)| (name.into_owned(), value.into_bytes()))
        .collect()
}

/// The schemes that sign any bytes, in headers. The two others have properties of their own below.
fn any_scheme() -> impl Strategy<Value = Scheme> {
    let signs = |scheme: &Scheme| ![Scheme::Paypal, Scheme::AdyenStandard].contains(scheme);
    let signing: Vec<Scheme> = Scheme::ALL.into_iter().filter(signs).collect();
    select(signing)
}

/// The names of all headers that a scheme reads.
fn names(scheme: Scheme) -> Vec<&'static str> {
    match scheme {
        Scheme::Stripe => vec!["Stripe-Signature"],
        Scheme::StandardWebhooks | Scheme::StandardWebhooksV1a => {
            vec!["webhook-id", "webhook-timestamp", "webhook-signature"]
        }
        Scheme::Svix => vec!["svix-id", "svix-timestamp", "svix-signature"],
        Scheme::Github => vec!["X-Hub-Signature-256"],
        Scheme::Shopify => vec!["X-Shopify-Hmac-Sha256"],
        Scheme::Square => vec!["x-square-hmacsha256-signature"],
        Scheme::Paddle => vec!["Paddle-Signature"],
        Scheme::AdyenStandard => vec![],
        Scheme::AdyenPlatform => vec!["HmacSignature", "Protocol"],
        Scheme::CheckoutCom => vec!["Cko-Signature"],
        Scheme::Paypal => vec![
            "PAYPAL-TRANSMISSION-ID",
            "PAYPAL-TRANSMISSION-TIME",
            "PAYPAL-TRANSMISSION-SIG",
            "PAYPAL-AUTH-ALGO",
            "PAYPAL-CERT-URL",
        ],
        Scheme::Mollie => vec!["X-Mollie-Signature"],
        Scheme::Hyperswitch => vec!["x-webhook-signature-512"],
        Scheme::Column => vec!["Column-Signature"],
        Scheme::Rfc9421HmacSha256 => vec!["Content-Digest", "Signature-Input", "Signature"],
        Scheme::Generic => vec!["X-Id", "X-Time", "X-Signature"],
    }
}

const MESSAGE_ID: &str = "[!-\\-0-~]{1,40}";

/// A time that the scheme can express: by RFC 9421 it has at most 15 digits.
fn expressible(scheme: Scheme, timestamp: i64) -> i64 {
    match scheme == Scheme::Rfc9421HmacSha256 {
        true => timestamp % 1_000_000_000_000_000,
        false => timestamp,
    }
}

proptest! {
    #[test]
    fn what_was_signed_is_accepted(
        scheme in any_scheme(),
        id in MESSAGE_ID,
        timestamp in 0..=i64::MAX,
        body in vec(any::<u8>(), 0..200),
    ) {
        let timestamp = expressible(scheme, timestamp);
        let verified = judge(scheme, &signed(scheme, &id, timestamp, &body), &body).unwrap();
        prop_assert_eq!(verified.covers, Covers::Body);
        prop_assert!(verified.timestamp.is_none_or(|signed| signed == timestamp));
        prop_assert!(verified.message_id.is_none_or(|signed| signed == id));
    }

    #[test]
    fn one_changed_byte_of_the_body_is_refused(
        scheme in any_scheme(),
        mut body in vec(any::<u8>(), 1..200),
        at in any::<Index>(),
        flip in 1..=u8::MAX,
    ) {
        let headers = signed(scheme, "msg_1", 1_767_225_590, &body);
        *at.get_mut(&mut body) ^= flip;
        let refused = judge(scheme, &headers, &body);
        prop_assert!(
            matches!(refused, Err(Refusal::NoMatchingSignature | Refusal::WrongDigest)),
            "{refused:?}"
        );
    }

    #[test]
    fn one_changed_byte_of_any_header_is_refused(
        scheme in any_scheme(),
        id in MESSAGE_ID,
        timestamp in 0..=i64::MAX,
        body in vec(any::<u8>(), 0..50),
        header in any::<Index>(),
        at in any::<Index>(),
        flip in 1..=u8::MAX,
    ) {
        let mut headers = signed(scheme, &id, expressible(scheme, timestamp), &body);
        let header = header.index(headers.len());
        *at.get_mut(&mut headers[header].1) ^= flip;
        prop_assert!(judge(scheme, &headers, &body).is_err());
    }

    #[test]
    fn one_byte_more_or_less_at_the_end_of_the_body_is_refused(
        scheme in any_scheme(),
        mut body in vec(any::<u8>(), 1..50),
        more in any::<u8>(),
    ) {
        let headers = signed(scheme, "msg_1", 1, &body);
        body.push(more);
        prop_assert!(judge(scheme, &headers, &body).is_err());
        body.truncate(body.len() - 2);
        prop_assert!(judge(scheme, &headers, &body).is_err());
    }

    #[test]
    fn a_signature_by_another_secret_is_refused(
        scheme in any_scheme(),
        key in vec(any::<u8>(), 32),
        body in vec(any::<u8>(), 0..50),
    ) {
        let headers = signed(scheme, "msg_1", 1, &body);
        let text = match scheme {
            Scheme::StandardWebhooksV1a => return Ok(()),
            Scheme::AdyenPlatform | Scheme::AdyenStandard => hex(&key),
            Scheme::StandardWebhooks | Scheme::Svix => format!("whsec_{}", &hex(&key)[..64]),
            Scheme::Stripe | Scheme::Github | Scheme::Shopify | Scheme::Square | Scheme::Paddle
            | Scheme::CheckoutCom | Scheme::Paypal | Scheme::Mollie | Scheme::Hyperswitch
            | Scheme::Column | Scheme::Rfc9421HmacSha256 | Scheme::Generic => hex(&key),
        };
        let other = Secret::parse(scheme, &text).unwrap();
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_slice()))
            .collect();
        let request = Request { headers: &headers, body: &body };
        let other = std::slice::from_ref(&other);
        let refused = setup(scheme).verify(other, &request, 0);
        prop_assert_eq!(refused, Err(Refusal::NoMatchingSignature));
    }

    #[test]
    fn noise_in_any_header_never_panics_and_never_passes(
        scheme in select(&Scheme::ALL[..]),
        noise in vec(vec(any::<u8>(), 0..100), 5),
        body in vec(any::<u8>(), 0..60),
        time in any::<i64>(),
        tolerance in any::<i64>(),
    ) {
        let names = names(scheme);
        let headers: Vec<_> = names.iter().zip(&noise).map(|(name, value)| (*name, value.as_slice())).collect();
        let request = Request { headers: &headers, body: &body };
        let setup = setup(scheme).with_tolerance(tolerance);
        prop_assert!(setup.verify(&[secret(scheme)], &request, time).is_err());
        let _ = setup.identities(&request);
    }

    #[test]
    fn near_misses_of_the_grammar_never_panic_and_never_pass(
        scheme in select(&Scheme::ALL[..]),
        time in "[0-9+\\-. ]{0,25}",
        list in "(t=|ts=|v1=|h1=|v1,|v1a,|sha256=|sig1=|:|;|\\(|\\)|\"content-digest\"|;created=1|[0-9a-fA-F]{0,4}|[a-z]|=|,| |\\.){0,40}",
        now in any::<i64>(),
    ) {
        let headers: Vec<_> = names(scheme)
            .into_iter()
            .map(|name| {
                let lower = name.to_ascii_lowercase();
                let value = if lower.contains("time") {
                    &time
                } else {
                    &list
                };
                (name, value.as_bytes())
            })
            .collect();
        let request = Request { headers: &headers, body: list.as_bytes() };
        prop_assert!(setup(scheme).verify(&[secret(scheme)], &request, now).is_err());
    }

    #[test]
    fn noise_as_a_secret_never_panics(
        scheme in select(&Scheme::ALL[..]),
        text in "(whsec_|whpk_|whsk_|hex:|base64:|-----BEGIN CERTIFICATE-----\n)?.{0,120}",
    ) {
        let _ = Secret::parse(scheme, &text);
    }

    #[test]
    fn noise_as_a_form_never_panics(
        text in "((header|signed|hash|encoding|prefix|separator|timestamp-header|id-header)=(\\{body\\}|\\{id\\}|\\{timestamp\\}|\\{url\\}|sha256|X|\\.|.)?;){0,6}.{0,20}",
    ) {
        if let Ok(form) = Form::parse(&text) {
            let setup = Setup::new(Scheme::Generic).with_form(form).with_url("https://a.example/");
            let secret = Secret::parse(Scheme::Generic, SYMMETRIC).unwrap();
            let Ok(made) = setup.sign(&secret, "m", 0, b"body") else {
                return Ok(());
            };
            let headers: Vec<_> = made.iter().map(|(name, value)| (name.as_ref(), value.as_bytes())).collect();
            let request = Request { headers: &headers, body: b"body" };
            let distinct = headers.iter().all(|(name, _)| {
                headers.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name)).count() == 1
            });
            // One header for two purposes is a form that nobody can use.
            if distinct {
                prop_assert!(setup.verify(&[secret], &request, 0).is_ok(), "{text}");
            }
        }
    }

    #[test]
    fn one_changed_byte_of_a_signed_field_of_adyen_is_refused(
        reference in "[A-Z0-9]{1,16}",
        merchant in "[ -!#-\\[\\]-~]{0,20}",
        value in any::<i64>(),
        field in select(&["pspReference", "merchantAccountCode", "merchantReference", "eventCode", "currency"][..]),
        at in any::<Index>(),
        flip in 1_u8..128,
    ) {
        let item = |signature: &str, change: &dyn Fn(&str, &str) -> String| {
            let psp = change("pspReference", &reference);
            let account = change("merchantAccountCode", "TestMerchant");
            let merchant = change("merchantReference", &merchant);
            let event = change("eventCode", "CAPTURE");
            let currency = change("currency", "EUR");
            format!("{{\"notificationItems\":[{{\"NotificationRequestItem\":{{\"additionalData\":{{\"hmacSignature\":\"{signature}\"}},\"amount\":{{\"value\":{value},\"currency\":\"{currency}\"}},\"pspReference\":\"{psp}\",\"eventCode\":\"{event}\",\"merchantAccountCode\":\"{account}\",\"merchantReference\":\"{merchant}\",\"success\":\"true\"}}}}]}}")
        };
        let scheme = Scheme::AdyenStandard;
        let same = |_: &str, text: &str| text.to_owned();
        let made = signed(scheme, "", 0, item("", &same).as_bytes());
        let signature = String::from_utf8(made[0].1.clone()).unwrap();
        let genuine = item(&signature, &same);
        prop_assert!(judge(scheme, &[], genuine.as_bytes()).is_ok());
        prop_assert!(judge(scheme, &[], item("", &same).as_bytes()).is_err());

        let changed = item(&signature, &|name: &str, text: &str| {
            let mut bytes = text.as_bytes().to_vec();
            if name == field && !bytes.is_empty() {
                *at.get_mut(&mut bytes) ^= flip;
            }
            String::from_utf8(bytes).unwrap()
        });
        if changed != genuine {
            prop_assert!(judge(scheme, &[], changed.as_bytes()).is_err(), "{changed}");
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Each bit of a message's header and body is turned, one at a time: nothing but the signed message is accepted.
#[test]
fn no_single_turned_bit_is_accepted() {
    let body = b"{\"id\":\"evt_1\"}".as_slice();
    for scheme in Scheme::ALL {
        if [Scheme::Paypal, Scheme::AdyenStandard].contains(&scheme) {
            continue;
        }
        let headers = signed(scheme, "msg_1", 1_767_225_590, body);
        assert!(judge(scheme, &headers, body).is_ok());
        for at in 0..headers.len() {
            for bit in 0..headers[at].1.len() * 8 {
                let mut turned = headers.clone();
                turned[at].1[bit / 8] ^= 1 << (bit % 8);
                let (name, value) = &turned[at];
                assert!(
                    judge(scheme, &turned, body).is_err(),
                    "{name}: {}",
                    String::from_utf8_lossy(value)
                );
            }
        }
        for bit in 0..body.len() * 8 {
            let mut turned = body.to_vec();
            turned[bit / 8] ^= 1 << (bit % 8);
            assert!(
                judge(scheme, &headers, &turned).is_err(),
                "{}",
                scheme.name()
            );
        }
    }
}
