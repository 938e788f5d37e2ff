//! HTTP Message Signatures (RFC 9421) with the algorithm `hmac-sha256`, and digests of the body (RFC 9530).
//!
//! `Signature-Input` names the parts of the request that are signed, and `Signature` has the signatures, by the same
//! labels. The body is covered only if `content-digest` is one of the parts; the header `Content-Digest` is then
//! compared with the body. Fields, `@authority`, `@method`, and, where the receiver has set its URL, `@target-uri`,
//! `@scheme`, `@request-target`, `@path` and `@query` can be compared. A part with parameters is refused: it needs rules
//! about single fields. Webhooks are sent with POST. The key is base64.
//!
//! A signature must say when it was made (`created`); `expires` is obeyed. Rules:
//! <https://www.rfc-editor.org/rfc/rfc9421>, sections 2 and 3.2.

use sfv::{BareItem, Dictionary, InnerList, ListEntry, ListSerializer, Parser};
use sha2::{Digest as _, Sha256, Sha512};

use crate::mac::{HmacSha256, any_secret, base64, check, digest};
use crate::request::bounded;
use crate::{Covers, Refusal, Request, Scheme, Secret, SignError, SignedData};

const INPUT: &str = "Signature-Input";
const SIGNATURE: &str = "Signature";
const DIGEST: &str = "Content-Digest";
const ALGORITHM: &str = "hmac-sha256";
/// The label of our own signatures.
const LABEL: &str = "sig1";

/// The greatest integer of a structured field (RFC 9651, section 3.3.1).
const LAST_TIMESTAMP: i64 = 999_999_999_999_999;

/// A signature of the request with all that it says of itself.
struct Signed {
    label: String,
    input: InnerList,
    signature: Vec<u8>,
}

pub(crate) fn verify(
    secrets: &[Secret],
    url: Option<&str>,
    request: &Request<'_>,
    now_unix: i64,
) -> Result<SignedData, Refusal> {
    let scheme = Scheme::Rfc9421HmacSha256;
    any_secret(scheme, secrets)?;
    // The first reason is the one to tell if no signature is good: a sender seldom makes more than one.
    let mut reason = None;
    for signed in signatures(request)? {
        let verdict = judge(&signed, secrets, url, request, now_unix);
        match verdict {
            Ok(data) => return Ok(data),
            Err(refusal) => reason = reason.or(Some(refusal)),
        }
    }
    Err(reason.unwrap_or(Refusal::NoMatchingSignature))
}

fn judge(
    signed: &Signed,
    secrets: &[Secret],
    url: Option<&str>,
    request: &Request<'_>,
    now_unix: i64,
) -> Result<SignedData, Refusal> {
    let malformed = || Refusal::MalformedHeader { name: INPUT.into() };
    let number = |name: &str| match signed.input.params.get(name) {
        None => Ok(None),
        Some(BareItem::Integer(number)) => Ok(Some(i64::from(*number))),
        Some(_) => Err(malformed()),
    };
    let created = number("created")?.ok_or_else(malformed)?;
    let expires = number("expires")?;
    match signed.input.params.get("alg") {
        None => {}
        Some(BareItem::String(name)) if name.as_str() == ALGORITHM => {}
        Some(_) => return Err(malformed()),
    }

    let base = base(&signed.input, url, request)?;
    let signature = signed.signature.clone();
    let scheme = Scheme::Rfc9421HmacSha256;
    check::<HmacSha256>(scheme, secrets, &[base.as_bytes()], &[signature])?;

    let covers_digest = signed.input.items.iter().any(|item| {
        matches!(&item.bare_item, BareItem::String(name) if name.as_str().eq_ignore_ascii_case(DIGEST))
    });
    if covers_digest {
        compare_digest(request)?;
    }
    if let Some(by) = expires.filter(|expires| *expires < now_unix) {
        return Err(Refusal::TooOld {
            by: now_unix.abs_diff(by),
        });
    }
    Ok(SignedData {
        timestamp: Some(created),
        message_id: None,
        covers: if covers_digest {
            Covers::Body
        } else {
            Covers::Nothing
        },
    })
}

/// The signatures with their inputs. A signature in another form than the exact one is refused, and so are two headers.
fn signatures(request: &Request<'_>) -> Result<Vec<Signed>, Refusal> {
    let inputs = dictionary(request, INPUT)?;
    let signatures = dictionary(request, SIGNATURE)?;
    let written = request.sole_header(SIGNATURE)?;
    let mut signed = Vec::new();
    for (label, entry) in signatures {
        let ListEntry::Item(item) = entry else {
            continue;
        };
        let BareItem::ByteSequence(signature) = item.bare_item else {
            continue;
        };
        let exact = format!("{}=:{}:", label.as_str(), base64(&signature));
        if !contains(written, exact.as_bytes()) {
            continue;
        }
        if let Some(ListEntry::InnerList(input)) = inputs.get(&label) {
            signed.push(Signed {
                label: label.as_str().to_owned(),
                input: input.clone(),
                signature,
            });
        }
    }
    let signed = bounded(SIGNATURE, signed)?;
    // A label that occurs twice would leave it open which signature is meant.
    let twice = |name: &'static str, text: &[u8]| {
        let doubled = signed.iter().any(|one| occurs_twice(text, &one.label));
        doubled.then_some(Refusal::MalformedHeader { name: name.into() })
    };
    match twice(SIGNATURE, written).or(twice(INPUT, request.sole_header(INPUT)?)) {
        Some(refusal) => Err(refusal),
        None => Ok(signed),
    }
}

fn dictionary(request: &Request<'_>, name: &'static str) -> Result<Dictionary, Refusal> {
    let text = request.sole_header(name)?;
    Parser::new(text)
        .parse()
        .ok()
        .ok_or(Refusal::MalformedHeader { name: name.into() })
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// Whether two members of the dictionary have this label. A comma that is part of a text may be taken for the end of a
/// member: that only refuses more.
fn occurs_twice(text: &[u8], label: &str) -> bool {
    let is_it = |member: &&[u8]| {
        member
            .trim_ascii_start()
            .strip_prefix(label.as_bytes())
            .is_some_and(|rest| rest.starts_with(b"="))
    };
    text.split(|byte| *byte == b',').filter(is_it).count() > 1
}

/// The signature base: one line for each part, and a last line for the parameters.
fn base(input: &InnerList, url: Option<&str>, request: &Request<'_>) -> Result<String, Refusal> {
    let mut lines = Vec::new();
    let mut names = Vec::new();
    for item in &input.items {
        let BareItem::String(name) = &item.bare_item else {
            return Err(Refusal::MalformedHeader { name: INPUT.into() });
        };
        let name = name.as_str();
        let unknown = || Refusal::UnknownComponent {
            component: format!("\"{name}\""),
        };
        if !item.params.is_empty() {
            return Err(unknown());
        }
        if names.contains(&name) || name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(Refusal::MalformedHeader { name: INPUT.into() });
        }
        names.push(name);
        let value = if name.starts_with('@') {
            derived(name, url, request)?.ok_or_else(unknown)?
        } else {
            field(name, request)?
        };
        lines.push(format!("\"{name}\": {value}"));
    }
    lines.push(format!("\"@signature-params\": {}", written(input)));
    Ok(lines.join("\n"))
}

fn written(input: &InnerList) -> String {
    let mut list = ListSerializer::new();
    list.members(&[ListEntry::InnerList(input.clone())]);
    list.finish().unwrap_or_default()
}

/// The value of a field: all values that came, without spaces around them, joined by commas.
fn field(name: &str, request: &Request<'_>) -> Result<String, Refusal> {
    let mut joined = Vec::new();
    for value in request.header_values(name) {
        let text = str::from_utf8(value.trim_ascii())
            .ok()
            .filter(|text| !text.contains(['\r', '\n']));
        joined.push(text.ok_or_else(|| Refusal::MalformedHeader {
            name: name.to_owned().into(),
        })?);
    }
    if joined.is_empty() {
        return Err(Refusal::MissingHeader {
            name: name.to_owned().into(),
        });
    }
    Ok(joined.join(", "))
}

/// The value of a part that is no field; `None` if it cannot be told here.
fn derived(
    name: &str,
    url: Option<&str>,
    request: &Request<'_>,
) -> Result<Option<String>, Refusal> {
    let parts = url.and_then(UrlParts::of);
    let value = match (name, parts) {
        ("@method", _) => Some("POST".to_owned()),
        ("@authority", Some(parts)) => Some(parts.authority()),
        ("@authority", None) => {
            let host = request.sole_header("Host")?;
            let host = str::from_utf8(host).ok().map(str::to_ascii_lowercase);
            // Without the receiver's URL, the default port is that of https.
            host.map(|host| host.strip_suffix(":443").unwrap_or(&host).to_owned())
        }
        ("@target-uri", Some(_)) => url.map(str::to_owned),
        ("@scheme", Some(parts)) => Some(parts.scheme.to_ascii_lowercase()),
        ("@request-target", Some(parts)) => Some(format!("{}{}", parts.path, parts.query)),
        ("@path", Some(parts)) => Some(parts.path.to_owned()),
        ("@query", Some(parts)) => Some(match parts.query {
            "" => "?".to_owned(),
            query => query.to_owned(),
        }),
        _ => None,
    };
    Ok(value)
}

struct UrlParts<'a> {
    scheme: &'a str,
    host: &'a str,
    path: &'a str,
    /// With its question mark; empty if there is none.
    query: &'a str,
}

impl<'a> UrlParts<'a> {
    fn of(url: &'a str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (host, target) = rest.split_at(end);
        let (path, query) = target.split_at(target.find('?').unwrap_or(target.len()));
        Some(Self {
            scheme,
            host,
            path: if path.is_empty() { "/" } else { path },
            query,
        })
    }

    fn authority(&self) -> String {
        let host = self.host.to_ascii_lowercase();
        let default_port = match self.scheme.eq_ignore_ascii_case("https") {
            true => ":443",
            false => ":80",
        };
        host.strip_suffix(default_port).unwrap_or(&host).to_owned()
    }
}

/// Compares every digest whose algorithm is known with the body. There must be one.
fn compare_digest(request: &Request<'_>) -> Result<(), Refusal> {
    let digests = dictionary(request, DIGEST)?;
    let mut known = 0_u32;
    for (algorithm, entry) in digests {
        let actual = match algorithm.as_str() {
            "sha-256" => Sha256::digest(request.body).to_vec(),
            "sha-512" => Sha512::digest(request.body).to_vec(),
            _ => continue,
        };
        let is_right = matches!(
            entry,
            ListEntry::Item(item) if item.bare_item == BareItem::ByteSequence(actual)
        );
        if !is_right {
            return Err(Refusal::WrongDigest);
        }
        known = known.saturating_add(1);
    }
    if known == 0 {
        return Err(Refusal::MalformedHeader {
            name: DIGEST.into(),
        });
    }
    Ok(())
}

/// Signs the body, by its digest, and the time.
pub(crate) fn sign(
    secret: &Secret,
    timestamp: i64,
    body: &[u8],
) -> Result<Vec<(&'static str, String)>, SignError> {
    if timestamp > LAST_TIMESTAMP {
        return Err(SignError::LongTimestamp);
    }
    let body_digest = format!("sha-256=:{}:", base64(&Sha256::digest(body)));
    let parameters = format!("(\"content-digest\");created={timestamp};alg=\"{ALGORITHM}\"");
    let base = format!("\"content-digest\": {body_digest}\n\"@signature-params\": {parameters}");
    let scheme = Scheme::Rfc9421HmacSha256;
    let signature = digest::<HmacSha256>(scheme, secret, &[base.as_bytes()])?;
    Ok(vec![
        (DIGEST, body_digest),
        (INPUT, format!("{LABEL}={parameters}")),
        (SIGNATURE, format!("{LABEL}=:{}:", base64(&signature))),
    ])
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use hmac::{KeyInit as _, Mac as _};

    use crate::mac::{HmacSha256, base64};
    use crate::{Covers, Refusal, Request, Scheme, Secret, Setup, SignError, SignedData, sign};

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
    fn a_time_that_no_receiver_could_read_is_not_signed() {
        let scheme = Scheme::Rfc9421HmacSha256;
        let secret = Secret::parse(scheme, &base64(KEY)).unwrap();
        let signed = |timestamp| sign(scheme, &secret, "", timestamp, b"").map(|_| ());
        assert_eq!(signed(super::LAST_TIMESTAMP), Ok(()));
        assert_eq!(
            signed(super::LAST_TIMESTAMP + 1),
            Err(SignError::LongTimestamp)
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
}
