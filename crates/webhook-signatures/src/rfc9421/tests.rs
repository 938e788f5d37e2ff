#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use hmac::{KeyInit as _, Mac as _};

use crate::mac::{HmacSha256, base64};
use crate::{Covers, Refusal, Request, Scheme, Secret, Setup, SignedData};

const KEY: &[u8] = b"a key of RFC 9421, 32 bytes long";
const NOW: i64 = 1_767_225_600;
const URL: &str = "https://Example.com:443/hooks/pay?a=1&b=%20";

/// Signs the lines as the RFC says, without the code under test.
fn signature(lines: &[&str]) -> String {
    let mut mac = HmacSha256::new_from_slice(KEY).unwrap();
    mac.update(lines.join("\n").as_bytes());
    base64(&mac.finalize().into_bytes())
}

fn verdict(
    headers: &[(&str, &str)],
    body: &[u8],
    url: Option<&str>,
) -> Result<SignedData, Refusal> {
    let scheme = Scheme::Rfc9421HmacSha256;
    let secret = Secret::parse(scheme, &base64(KEY)).unwrap();
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| (*name, value.as_bytes()))
        .collect();
    let request = Request {
        headers: &headers,
        body,
    };
    let setup = Setup::new(scheme);
    let setup = match url {
        Some(url) => setup.with_url(url),
        None => setup,
    };
    setup.verify(&[secret], &request, NOW)
}

#[test]
fn every_part_is_compared_as_the_rfc_writes_it() {
    let input = "(\"@method\" \"@target-uri\" \"@authority\" \"@scheme\" \"@request-target\" \"@path\" \"@query\" \"x-list\");created=1767225590;keyid=\"k\";nonce=\"n\"";
    let value = signature(&[
        "\"@method\": POST",
        "\"@target-uri\": https://Example.com:443/hooks/pay?a=1&b=%20",
        "\"@authority\": example.com",
        "\"@scheme\": https",
        "\"@request-target\": /hooks/pay?a=1&b=%20",
        "\"@path\": /hooks/pay",
        "\"@query\": ?a=1&b=%20",
        "\"x-list\": one, two",
        &format!("\"@signature-params\": {input}"),
    ]);
    let (input, value) = (format!("s={input}"), format!("s=:{value}:"));
    let headers = [
        ("signature-input", input.as_str()),
        ("signature", value.as_str()),
        ("X-List", "one"),
        ("x-list", " two "),
    ];
    let expected = SignedData {
        timestamp: Some(1_767_225_590),
        message_id: None,
        covers: Covers::Nothing,
    };
    assert_eq!(verdict(&headers, b"anything", Some(URL)), Ok(expected));
    assert_eq!(
        verdict(&headers, b"anything", Some("https://example.com/hooks/pay")),
        Err(Refusal::NoMatchingSignature)
    );
    assert_eq!(
        verdict(&headers, b"anything", None),
        Err(Refusal::UnknownComponent {
            component: "\"@target-uri\"".to_owned()
        })
    );
}

#[test]
fn the_signed_digest_is_that_of_the_body() {
    let right = "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:";
    let md5 = "md5=:Q6ZOD1Z7ZpmKkVAHRKvRvg==:";
    let by = |digest: &str, body: &[u8]| {
        let input = "(\"content-digest\");created=1767225590;alg=\"hmac-sha256\"";
        let value = signature(&[
            &format!("\"content-digest\": {digest}"),
            &format!("\"@signature-params\": {input}"),
        ]);
        verdict(
            &[
                ("Content-Digest", digest),
                ("Signature-Input", &format!("a={input}")),
                ("Signature", &format!("a=:{value}:")),
            ],
            body,
            None,
        )
    };
    let accepted = by(right, b"{\"hello\": \"world\"}").unwrap();
    assert_eq!(accepted.covers, Covers::Body);
    assert!(by(&format!("{md5}, {right}"), b"{\"hello\": \"world\"}").is_ok());
    assert_eq!(
        by(right, b"{\"hello\": \"World\"}"),
        Err(Refusal::WrongDigest)
    );
    // One right digest does not excuse a wrong one.
    let both = format!("{right}, sha-512=:AAAA:");
    assert_eq!(
        by(&both, b"{\"hello\": \"world\"}"),
        Err(Refusal::WrongDigest)
    );
    assert_eq!(
        by(md5, b"{\"hello\": \"world\"}"),
        Err(Refusal::MalformedHeader {
            name: "Content-Digest".into()
        })
    );
}

/// The verdict on a signature over `date` with these parameters.
fn dated(parameters: &str, label: &str) -> Result<SignedData, Refusal> {
    let input = format!("(\"date\"){parameters}");
    let value = signature(&[
        "\"date\": today",
        &format!("\"@signature-params\": {input}"),
    ]);
    verdict(
        &[
            ("Date", "today"),
            ("Signature-Input", &format!("{label}={input}")),
            ("Signature", &format!("sig=:{value}:")),
        ],
        b"",
        None,
    )
}

#[test]
fn times_and_algorithms_are_obeyed() {
    let malformed = |name: &'static str| Err(Refusal::MalformedHeader { name: name.into() });
    assert!(dated(";created=1767225600", "sig").is_ok());
    assert!(dated(";created=1767225600;expires=1767225600", "sig").is_ok());
    assert_eq!(
        dated(";created=1767225599;expires=1767225599", "sig"),
        Err(Refusal::TooOld { by: 1 })
    );
    assert_eq!(
        dated(";created=1767225299", "sig"),
        Err(Refusal::TooOld { by: 1 })
    );
    assert_eq!(
        dated(";created=1767225901", "sig"),
        Err(Refusal::InTheFuture { by: 1 })
    );
    assert_eq!(dated("", "sig"), malformed("Signature-Input"));
    assert_eq!(
        dated(";created=\"1767225600\"", "sig"),
        malformed("Signature-Input")
    );
    assert_eq!(
        dated(";created=1767225600.5", "sig"),
        malformed("Signature-Input")
    );
    assert_eq!(
        dated(";created=1767225600;alg=\"ed25519\"", "sig"),
        malformed("Signature-Input")
    );
    assert_eq!(
        dated(";created=1767225600", "other"),
        malformed("Signature")
    );
}

#[test]
fn what_is_not_clear_is_refused() {
    let input = "(\"date\");created=1767225600";
    let value = signature(&[
        "\"date\": today",
        &format!("\"@signature-params\": {input}"),
    ]);
    let by = |input: &str, signature: &str| {
        verdict(
            &[
                ("Date", "today"),
                ("Signature-Input", input),
                ("Signature", signature),
            ],
            b"",
            None,
        )
    };
    let (one_input, one) = (format!("a={input}"), format!("a=:{value}:"));
    assert!(by(&one_input, &one).is_ok());
    // A second signature that nobody here can check does no harm.
    assert!(
        by(
            &format!("b=(\"@nothing\");created=1, {one_input}"),
            &format!("b=:AAAA:, {one}")
        )
        .is_ok()
    );
    for (input, signature) in [
        (format!("{one_input}, {one_input}"), one.clone()),
        (one_input.clone(), format!("a=:AAAA:, {one}")),
        (
            one_input.clone(),
            one.replace("=:", "=\"").replace(':', "\""),
        ),
        (one_input.clone(), value.clone()),
        (one_input.clone(), one.replace("=:", ":")),
        ("a=\"date\"".to_owned(), one.clone()),
        ("a=(date);created=1767225600".to_owned(), one.clone()),
        ("a=(\"Date\");created=1767225600".to_owned(), one.clone()),
        (
            "a=(\"date\" \"date\");created=1767225600".to_owned(),
            one.clone(),
        ),
        ("a=(\"date\";sf);created=1767225600".to_owned(), one.clone()),
        ("a=(\"gone\");created=1767225600".to_owned(), one.clone()),
        ("a=(\"@status\");created=1767225600".to_owned(), one.clone()),
        (String::new(), String::new()),
    ] {
        let refused = by(&input, &signature);
        assert!(refused.is_err(), "{input} {signature}: {refused:?}");
        assert_ne!(
            refused,
            Err(Refusal::NoMatchingSignature),
            "{input} {signature}"
        );
    }
}
