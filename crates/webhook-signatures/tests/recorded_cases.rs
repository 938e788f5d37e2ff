//! Recorded deliveries, genuine and changed: each is accepted or refused as its record says, and for the stated
//! reason.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise"
)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;
use webhook_signatures::{Refusal, Request, Scheme, Secret, SecretError, SignedData, sign, verify};

struct Case {
    id: String,
    scheme: Scheme,
    accept: bool,
    now: i64,
    secrets: Vec<String>,
    signing_key: Option<String>,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Accepted(SignedData),
    Refused(Refusal),
    UnusableSecret(SecretError),
}

fn cases() -> Vec<Case> {
    let file: Value = serde_json::from_str(include_str!("vectors.json")).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let case = |case: &Value| Case {
        id: text(&case["id"]),
        scheme: Scheme::from_name(case["scheme"].as_str().unwrap()).unwrap(),
        accept: match case["expect"].as_str().unwrap() {
            "accept" => true,
            other => {
                assert_eq!(other, "reject");
                false
            }
        },
        now: case["now"].as_i64().unwrap(),
        secrets: case["secrets"]
            .as_array()
            .unwrap()
            .iter()
            .map(text)
            .collect(),
        signing_key: case.get("signing_key").map(text),
        headers: case["headers"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.clone(), text(value)))
            .collect(),
        body: BASE64
            .decode(case["body_base64"].as_str().unwrap())
            .unwrap(),
    };
    file["vectors"]
        .as_array()
        .unwrap()
        .iter()
        .map(case)
        .collect()
}

fn verdict(case: &Case) -> Verdict {
    let secrets: Result<Vec<_>, _> = case
        .secrets
        .iter()
        .map(|text| Secret::parse(case.scheme, text))
        .collect();
    let secrets = match secrets {
        Ok(secrets) => secrets,
        Err(error) => return Verdict::UnusableSecret(error),
    };
    let headers: Vec<_> = case
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect();
    let request = Request {
        headers: &headers,
        body: &case.body,
    };
    match verify(
        case.scheme,
        &secrets,
        &request,
        case.now,
        case.scheme.default_tolerance_seconds(),
    ) {
        Ok(verified) => Verdict::Accepted(verified),
        Err(refusal) => Verdict::Refused(refusal),
    }
}

#[test]
fn every_recorded_delivery_gets_the_verdict_on_record() {
    let cases = cases();
    for case in &cases {
        let verdict = verdict(case);
        assert_eq!(
            matches!(verdict, Verdict::Accepted(_)),
            case.accept,
            "{}: {verdict:?}",
            case.id
        );
    }
    for scheme in Scheme::ALL {
        assert!(
            cases.iter().any(|case| case.scheme == scheme),
            "no case of {}",
            scheme.name()
        );
    }
}

#[test]
fn every_spoiled_delivery_is_refused_for_what_was_spoiled() {
    let stripe = Refusal::MalformedHeader {
        name: "Stripe-Signature",
    };
    let signature = Refusal::MalformedHeader {
        name: "webhook-signature",
    };
    let timestamp = Refusal::MalformedHeader {
        name: "webhook-timestamp",
    };
    let expected = [
        (
            "stripe/bad_stale_301s",
            Verdict::Refused(Refusal::TooOld { by: 1 }),
        ),
        (
            "stripe/bad_tampered_body",
            Verdict::Refused(Refusal::NoMatchingSignature),
        ),
        (
            "stripe/bad_wrong_secret",
            Verdict::Refused(Refusal::NoMatchingSignature),
        ),
        (
            "stripe/bad_timestamp_swapped",
            Verdict::Refused(Refusal::NoMatchingSignature),
        ),
        ("stripe/bad_t_not_int", Verdict::Refused(stripe)),
        ("stripe/bad_empty_v1", Verdict::Refused(stripe)),
        ("stripe/bad_uppercase_hex", Verdict::Refused(stripe)),
        (
            "stripe/bad_empty_secret",
            Verdict::UnusableSecret(SecretError::Empty),
        ),
        (
            "stdwh/bad_stale",
            Verdict::Refused(Refusal::TooOld { by: 1 }),
        ),
        (
            "stdwh/bad_id_swapped",
            Verdict::Refused(Refusal::NoMatchingSignature),
        ),
        ("stdwh/bad_partial", Verdict::Refused(signature)),
        // 64 hexadecimal digits are by accident also base64 of 48 bytes, which is not a SHA-256 hash.
        ("stdwh/bad_hex_not_base64", Verdict::Refused(signature)),
        ("stdwh/bad_ts_float", Verdict::Refused(timestamp)),
        ("stdwh/bad_comma_joined", Verdict::Refused(signature)),
        (
            "stdwh/v1a_bad_body",
            Verdict::Refused(Refusal::NoMatchingSignature),
        ),
    ];
    let spoiled: Vec<_> = cases()
        .iter()
        .filter(|case| !case.accept)
        .map(|case| (case.id.clone(), verdict(case)))
        .collect();
    let found: Vec<_> = spoiled
        .iter()
        .map(|(id, verdict)| (id.as_str(), verdict))
        .collect();
    let wanted: Vec<_> = expected
        .iter()
        .map(|(id, verdict)| (*id, verdict))
        .collect();
    assert_eq!(found, wanted);
}

#[test]
fn signing_makes_the_very_headers_on_record() {
    let mut compared = 0;
    for case in cases().iter().filter(|case| case.accept) {
        let Verdict::Accepted(verified) = verdict(case) else {
            continue;
        };
        let text = case.signing_key.as_ref().or(case.secrets.first()).unwrap();
        let secret = Secret::parse(case.scheme, text).unwrap();
        let id = verified.message_id.as_deref().unwrap_or_default();
        let made = sign(case.scheme, &secret, id, verified.timestamp, &case.body).unwrap();
        for (name, value) in made {
            let (_, recorded) = case
                .headers
                .iter()
                .find(|(recorded, _)| recorded == name)
                .unwrap();
            // During a rotation of secrets the record has another signature beside this one.
            let recorded = recorded.replace(
                "v1=0d86018795591fd0ee1c1edc1d55d26c2a22e2588dfc0a6c22d5950b818a041f,",
                "",
            );
            assert_eq!(value, recorded, "{}", case.id);
            compared += 1;
        }
    }
    assert!(compared >= Scheme::ALL.len());
}
