#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use super::{Form, FormError};
use crate::{Covers, Refusal, Request, Scheme, Secret, Setup, SetupError, SignError, SignedData};

const NOW: i64 = 1_767_225_600;

fn refused(text: &str) -> Option<FormError> {
    Form::parse(text).err()
}

fn setup(form: &str) -> Setup {
    Setup::new(Scheme::Generic).with_form(Form::parse(form).unwrap())
}

fn secret(text: &str) -> Secret {
    Secret::parse(Scheme::Generic, text).unwrap()
}

fn verdict(setup: &Setup, headers: &[(&str, &str)], body: &[u8]) -> Result<SignedData, Refusal> {
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| (*name, value.as_bytes()))
        .collect();
    let request = Request {
        headers: &headers,
        body,
    };
    setup.verify(&[secret("secret")], &request, NOW)
}

#[test]
fn a_form_is_read_or_its_mistake_is_named() {
    assert_eq!(refused("header=X-Signature"), None);
    assert_eq!(
        refused(
            " header = X-S ; signed={id}.{timestamp}.{body};timestamp-header=T;id-header=I;hash=sha512;encoding=base64;prefix=v1=;separator=space;"
        ),
        None
    );
    assert_eq!(refused(""), Some(FormError::Missing("header")));
    for part in ["x", "heade=X", "header=A;header=B"] {
        assert!(
            matches!(refused(part), Some(FormError::UnknownPart(_))),
            "{part}"
        );
    }
    for (part, name) in [
        ("header=", "header"),
        ("header=a b", "header"),
        ("header=A;hash=md5", "hash"),
        ("header=A;encoding=HEX", "encoding"),
        ("header=A;separator=|", "separator"),
        ("header=A;signed={body", "signed"),
        ("header=A;signed={payload}", "signed"),
        (
            "header=A;signed={timestamp}1{body};timestamp-header=T",
            "signed",
        ),
    ] {
        assert_eq!(refused(part), Some(FormError::WrongValue(name)), "{part}");
    }
    for part in ["header=A;signed=x", "header=A;signed={body}{body}"] {
        assert_eq!(refused(part), Some(FormError::NotOneBody), "{part}");
    }
    assert_eq!(
        refused("header=A;signed={timestamp}{body};timestamp-header=T"),
        Some(FormError::NothingBetween)
    );
    for part in [
        "header=A;timestamp-header=T",
        "header=A;signed={timestamp}.{body}",
    ] {
        let expected = Some(FormError::NotSigned("timestamp-header"));
        assert_eq!(refused(part), expected, "{part}");
    }
    assert_eq!(
        refused("header=A;id-header=T"),
        Some(FormError::NotSigned("id-header"))
    );
}

/// The expected signatures were made with Python's `hmac`.
#[test]
fn known_signatures_are_accepted() {
    let slack = setup(
        "header=X-Slack-Signature; signed=v0:{timestamp}:{body}; timestamp-header=X-Slack-Request-Timestamp; prefix=v0=",
    );
    let headers = [
        ("x-slack-request-timestamp", "1767225590"),
        (
            "x-slack-signature",
            "v0=6ddb0d15a5b34b0ea0ca8b3ab6a8a8cb6e4d3c1f9a3f0e7c6c8c3c1e0f8f0a11",
        ),
    ];
    assert_eq!(
        verdict(&slack, &headers, b"{}"),
        Err(Refusal::NoMatchingSignature)
    );
    let headers = [
        ("X-Slack-Request-Timestamp", "1767225590"),
        ("X-Slack-Signature", SLACK),
    ];
    assert_eq!(
        verdict(&slack, &headers, b"{}"),
        Ok(SignedData {
            timestamp: Some(1_767_225_590),
            message_id: None,
            covers: Covers::Body
        })
    );

    let body_only = setup("header=Sig; hash=sha512; encoding=base64");
    assert!(verdict(&body_only, &[("sig", BODY_SHA512)], b"{}").is_ok());
    assert_eq!(
        verdict(&body_only, &[("sig", BODY_SHA512)], b"{ }"),
        Err(Refusal::NoMatchingSignature)
    );
}

const SLACK: &str = "v0=fe09c0babfdd64e2cfc77b032c31247f6ed0aa1fa3398c93b37c41961aa86b0c";
const BODY_SHA512: &str =
    "1vESanNbWnVPblhDTxcL3v3/raLBf2fZu9htl2ablPgKkpeGZb9+pCODKz9POFbikBp8Ao4WyB77tDKYocAHcg==";

#[test]
fn several_signatures_are_tried_and_one_change_is_refused() {
    let setup =
        setup("header=S; signed={url}|{id}.{body}; id-header=I; separator=comma; prefix=v=")
            .with_url("https://a.example/hook");
    let made = setup.sign(&secret("secret"), "m1", NOW, b"x").unwrap();
    assert_eq!(made.len(), 2);
    let (_, signature) = made.last().unwrap();
    let list = format!("v=00, {signature},w=1");
    let verdict_of = |id: &str, list: &str| verdict(&setup, &[("I", id), ("S", list)], b"x");
    assert_eq!(
        verdict_of("m1", &list).unwrap().message_id.as_deref(),
        Some("m1")
    );
    assert_eq!(verdict_of("m2", &list), Err(Refusal::NoMatchingSignature));
    // `m1.a` + `x` and `m1` + `a.x` would be the same text.
    let malformed = |name: &'static str| Err(Refusal::MalformedHeader { name: name.into() });
    assert_eq!(verdict_of("m.1", &list), malformed("I"));
    assert_eq!(verdict_of("m1", "v=zz"), malformed("S"));
    assert_eq!(
        setup.sign(&secret("secret"), "m.1", NOW, b"x"),
        Err(SignError::UnusableMessageId)
    );
}

#[test]
fn what_the_form_needs_is_asked_for_at_the_start() {
    let generic = Setup::new(Scheme::Generic);
    assert_eq!(generic.check(), Err(SetupError::Missing { what: "form" }));
    assert_eq!(
        verdict(&generic, &[], b""),
        Err(Refusal::NotSetUp { what: "form" })
    );
    let with_url = setup("header=S; signed={url}{body}");
    assert_eq!(with_url.check(), Err(SetupError::Missing { what: "URL" }));
    assert_eq!(
        verdict(&with_url, &[("S", "00")], b""),
        Err(Refusal::NotSetUp { what: "URL" })
    );
    assert_eq!(with_url.with_url("https://a.example/").check(), Ok(()));
}
