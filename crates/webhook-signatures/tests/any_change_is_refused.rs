//! Properties of any message: a signed one is accepted, one changed byte is refused, and random bytes never panic.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise"
)]

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use webhook_signatures::{Refusal, Request, Scheme, Secret, SignedData, sign, verify};

const SYMMETRIC: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const PRIVATE: &str =
    "whsk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8DoQe/884Qvh1w3RjnS8CZZ+TWMJulDV8d3IZkElUxuA==";

fn secret(scheme: Scheme) -> Secret {
    let text = match scheme {
        Scheme::Stripe | Scheme::StandardWebhooks | Scheme::Svix => SYMMETRIC,
        Scheme::StandardWebhooksV1a => PRIVATE,
    };
    Secret::parse(scheme, text).unwrap()
}

/// Verifies with the greatest tolerance, so every refusal is about the signature or the form.
fn judge(
    scheme: Scheme,
    headers: &[(&'static str, Vec<u8>)],
    body: &[u8],
) -> Result<SignedData, Refusal> {
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| (*name, value.as_slice()))
        .collect();
    verify(
        scheme,
        &[secret(scheme)],
        &Request {
            headers: &headers,
            body,
        },
        0,
        i64::MAX,
    )
}

fn signed(scheme: Scheme, id: &str, timestamp: i64, body: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    sign(scheme, &secret(scheme), id, timestamp, body)
        .unwrap()
        .into_iter()
        .map(|(name, value)| (name, value.into_bytes()))
        .collect()
}

fn any_scheme() -> impl Strategy<Value = Scheme> {
    select(&Scheme::ALL[..])
}

const MESSAGE_ID: &str = "[!-\\-/-~]{1,40}";

proptest! {
    #[test]
    fn what_was_signed_is_accepted(
        scheme in any_scheme(),
        id in MESSAGE_ID,
        timestamp in 0..=i64::MAX,
        body in vec(any::<u8>(), 0..200),
    ) {
        let verified = judge(scheme, &signed(scheme, &id, timestamp, &body), &body);
        let message_id = (scheme != Scheme::Stripe).then_some(id);
        prop_assert_eq!(verified, Ok(SignedData { timestamp, message_id }));
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
        prop_assert_eq!(judge(scheme, &headers, &body), Err(Refusal::NoMatchingSignature));
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
        let mut headers = signed(scheme, &id, timestamp, &body);
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
        prop_assert_eq!(judge(scheme, &headers, &body), Err(Refusal::NoMatchingSignature));
        body.truncate(body.len() - 2);
        prop_assert_eq!(judge(scheme, &headers, &body), Err(Refusal::NoMatchingSignature));
    }

    #[test]
    fn noise_in_any_header_never_panics_and_never_passes(
        scheme in any_scheme(),
        noise in vec(vec(any::<u8>(), 0..100), 3),
        time in any::<i64>(),
        tolerance in any::<i64>(),
    ) {
        let names = signed(scheme, "msg_1", 1, b"");
        let headers: Vec<_> = names.iter().zip(&noise).map(|((name, _), value)| (*name, value.as_slice())).collect();
        let request = Request { headers: &headers, body: b"" };
        prop_assert!(verify(scheme, &[secret(scheme)], &request, time, tolerance).is_err());
    }

    #[test]
    fn near_misses_of_the_grammar_never_panic_and_never_pass(
        scheme in any_scheme(),
        time in "[0-9+\\-. ]{0,25}",
        list in "(t=|v1=|v1,|v1a,|[0-9a-fA-F]{0,4}|=|,| |\\.){0,40}",
        now in any::<i64>(),
    ) {
        let headers: Vec<_> = signed(scheme, "msg_1", 1, b"")
            .into_iter()
            .map(|(name, value)| (name, if name.ends_with("-timestamp") {
                time.clone().into_bytes()
            } else if name.ends_with("ignature") {
                list.clone().into_bytes()
            } else {
                value
            }))
            .collect();
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_slice())).collect();
        let request = Request { headers: &headers, body: b"" };
        prop_assert!(verify(scheme, &[secret(scheme)], &request, now, i64::MAX).is_err());
    }

    #[test]
    fn noise_as_a_secret_never_panics(scheme in any_scheme(), text in "(whsec_|whpk_|whsk_)?.{0,120}") {
        let _ = Secret::parse(scheme, &text);
    }
}
