//! A signature whose form the receiver describes: an HMAC in a header, over a text made of the body, the time, an id and
//! the receiver's URL.

use std::borrow::Cow;

use crate::mac::{
    HmacSha256, HmacSha512, any_secret, base64, check, digest, exact_base64, lower_case_hex,
};
use crate::request::{bounded, unix_seconds};
use crate::{Covers, Refusal, Request, Scheme, Secret, SignError, SignedData};

const SCHEME: Scheme = Scheme::Generic;

/// The form of a generic signature. It is written as `name=value`, with semicolons between them:
///
/// | name | value | if absent |
/// |---|---|---|
/// | `header` | the header of the signature | (needed) |
/// | `signed` | the signed text: `{body}`, and before or after it `{timestamp}`, `{id}`, `{url}` and other characters | `{body}` |
/// | `hash` | `sha256` or `sha512` | `sha256` |
/// | `encoding` | `hex` (lower case) or `base64` | `hex` |
/// | `prefix` | what stands before each signature in its header | nothing |
/// | `separator` | the character between several signatures: `space` or `comma` | there is one signature |
/// | `timestamp-header` | the header of the time, in Unix seconds | (needed for `{timestamp}`) |
/// | `id-header` | the header of the message's id | (needed for `{id}`) |
///
/// `header=X-Signature; signed={timestamp}.{body}; timestamp-header=X-Time; prefix=v1=` is an example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    header: String,
    signed: Vec<Piece>,
    hash: Hash,
    encoding: Encoding,
    prefix: String,
    separator: Option<u8>,
    timestamp_header: Option<String>,
    id_header: Option<String>,
}

/// Why a text is no form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// A part of the text is not of the form `name=value`, or its name is unknown or occurs twice. The part is not
    /// repeated, because it may be a secret in the wrong place.
    #[error(
        "part {number} of the form is not one of header=, signed=, hash=, encoding=, prefix=, separator=, timestamp-header=, id-header=, each once"
    )]
    UnknownPart {
        /// The number of the part, from 1.
        number: usize,
    },
    /// The value of a part cannot be used.
    #[error("the value of `{0}` cannot be used")]
    WrongValue(&'static str),
    /// A part is missing.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// The signed text does not have the body exactly once, or has something else twice.
    #[error("`signed` must have {{body}} once, and nothing twice")]
    NotOneBody,
    /// Two variable parts of the signed text have nothing between them, so one could pass for the other.
    #[error("`signed` needs a character between {{timestamp}}, {{id}} and {{body}}")]
    NothingBetween,
    /// The signed text names the time or the id, and the header of it is missing, or the other way round.
    #[error("`{0}` and its place in `signed` belong together")]
    NotSigned(&'static str),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Body,
    Timestamp,
    Id,
    Url,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hash {
    Sha256,
    Sha512,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Hex,
    Base64,
}

impl Form {
    /// Reads a form from its text.
    ///
    /// # Errors
    ///
    /// See [`FormError`].
    pub fn parse(text: &str) -> Result<Self, FormError> {
        let mut parts = Parts::of(text)?;
        let signed = parts.take("signed");
        let form = Self {
            header: parts
                .header("header")?
                .ok_or(FormError::Missing("header"))?,
            signed: pieces(signed.as_deref().unwrap_or("{body}"))?,
            hash: match parts.take("hash").as_deref() {
                None | Some("sha256") => Hash::Sha256,
                Some("sha512") => Hash::Sha512,
                Some(_) => return Err(FormError::WrongValue("hash")),
            },
            encoding: match parts.take("encoding").as_deref() {
                None | Some("hex") => Encoding::Hex,
                Some("base64") => Encoding::Base64,
                Some(_) => return Err(FormError::WrongValue("encoding")),
            },
            prefix: parts.take("prefix").unwrap_or_default(),
            separator: match parts.take("separator").as_deref() {
                None => None,
                Some("space") => Some(b' '),
                Some("comma") => Some(b','),
                Some(_) => return Err(FormError::WrongValue("separator")),
            },
            timestamp_header: parts.header("timestamp-header")?,
            id_header: parts.header("id-header")?,
        };
        // A header that is not signed could be changed by anybody.
        if form.signed.contains(&Piece::Timestamp) != form.timestamp_header.is_some() {
            return Err(FormError::NotSigned("timestamp-header"));
        }
        if form.signed.contains(&Piece::Id) != form.id_header.is_some() {
            return Err(FormError::NotSigned("id-header"));
        }
        Ok(form)
    }

    /// Whether the receiver's URL is signed.
    pub(crate) fn needs_url(&self) -> bool {
        self.signed.contains(&Piece::Url)
    }

    /// The header of the message's id, if there is one.
    pub(crate) fn id_header(&self) -> Option<&str> {
        self.id_header.as_deref()
    }

    pub(crate) fn verify(
        &self,
        secrets: &[Secret],
        url: Option<&str>,
        request: &Request<'_>,
    ) -> Result<SignedData, Refusal> {
        any_secret(SCHEME, secrets)?;
        if self.needs_url() && url.is_none() {
            return Err(Refusal::NotSetUp { what: "URL" });
        }
        let malformed = |name: &str| Refusal::MalformedHeader {
            name: name.to_owned().into(),
        };
        let id = match &self.id_header {
            None => None,
            Some(name) => {
                let text = request.sole_header(name.clone())?;
                let text = Some(text).filter(|text| self.is_id(text));
                let text = text.and_then(|text| str::from_utf8(text).ok());
                Some(text.ok_or_else(|| malformed(name))?)
            }
        };
        let time = match &self.timestamp_header {
            None => None,
            Some(name) => {
                let text = request.sole_header(name.clone())?;
                Some((text, unix_seconds(text).ok_or_else(|| malformed(name))?))
            }
        };
        let signatures = self.signatures(request.sole_header(self.header.clone())?)?;
        let parts = self.parts(Values {
            body: request.body,
            time: time.map_or(b"", |(text, _)| text),
            id: id.unwrap_or_default().as_bytes(),
            url: url.unwrap_or_default().as_bytes(),
        });
        match self.hash {
            Hash::Sha256 => check::<HmacSha256>(SCHEME, secrets, &parts, &signatures),
            Hash::Sha512 => check::<HmacSha512>(SCHEME, secrets, &parts, &signatures),
        }?;
        Ok(SignedData {
            timestamp: time.map(|(_, seconds)| seconds),
            message_id: id.map(str::to_owned),
            covers: Covers::Body,
        })
    }

    pub(crate) fn sign(
        &self,
        secret: &Secret,
        url: Option<&str>,
        message_id: &str,
        timestamp: i64,
        body: &[u8],
    ) -> Result<Vec<(Cow<'static, str>, String)>, SignError> {
        if self.needs_url() && url.is_none() {
            return Err(SignError::NotSetUp { what: "URL" });
        }
        if self.id_header.is_some() && !self.is_id(message_id.as_bytes()) {
            return Err(SignError::UnusableMessageId);
        }
        let time = timestamp.to_string();
        let parts = self.parts(Values {
            body,
            time: time.as_bytes(),
            id: message_id.as_bytes(),
            url: url.unwrap_or_default().as_bytes(),
        });
        let digest = match self.hash {
            Hash::Sha256 => digest::<HmacSha256>(SCHEME, secret, &parts),
            Hash::Sha512 => digest::<HmacSha512>(SCHEME, secret, &parts),
        }?;
        let written = match self.encoding {
            Encoding::Hex => hex::encode(digest),
            Encoding::Base64 => base64(&digest),
        };
        let signature = Some((&self.header, format!("{}{written}", self.prefix)));
        let time = self.timestamp_header.as_ref().map(|name| (name, time));
        let id = self.id_header.as_ref();
        let id = id.map(|name| (name, message_id.to_owned()));
        Ok([id, time, signature]
            .into_iter()
            .flatten()
            .map(|(name, value)| (Cow::Owned(name.clone()), value))
            .collect())
    }

    /// Whether a text is an id here: visible ASCII without the characters that separate `{id}` from its neighbours in the
    /// signed text. Otherwise the end of the id could pass for the part behind it.
    fn is_id(&self, text: &[u8]) -> bool {
        let separators = separators(&self.signed, &Piece::Id);
        !text.is_empty()
            && text
                .iter()
                .all(|byte| byte.is_ascii_graphic() && !separators.contains(&char::from(*byte)))
    }

    fn signatures(&self, text: &[u8]) -> Result<Vec<Vec<u8>>, Refusal> {
        let read = |text: &[u8]| {
            let text = text.strip_prefix(self.prefix.as_bytes())?;
            match self.encoding {
                Encoding::Hex => lower_case_hex(text),
                Encoding::Base64 => exact_base64(text),
            }
        };
        let signatures = match self.separator {
            None => read(text).into_iter().collect(),
            Some(separator) => text
                .split(|byte| *byte == separator)
                .filter_map(|text| read(text.trim_ascii()))
                .collect(),
        };
        bounded(self.header.clone(), signatures)
    }

    fn parts<'a>(&'a self, values: Values<'a>) -> Vec<&'a [u8]> {
        self.signed
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.as_bytes(),
                Piece::Body => values.body,
                Piece::Timestamp => values.time,
                Piece::Id => values.id,
                Piece::Url => values.url,
            })
            .collect()
    }
}

/// What takes the places in the signed text.
#[derive(Clone, Copy)]
struct Values<'a> {
    body: &'a [u8],
    time: &'a [u8],
    id: &'a [u8],
    url: &'a [u8],
}

/// The parts of the text of a form.
struct Parts(Vec<(&'static str, String)>);

impl Parts {
    const NAMES: [&'static str; 8] = [
        "header",
        "signed",
        "hash",
        "encoding",
        "prefix",
        "separator",
        "timestamp-header",
        "id-header",
    ];

    fn of(text: &str) -> Result<Self, FormError> {
        let mut parts: Vec<(&'static str, String)> = Vec::new();
        let written = text.split(';').map(str::trim);
        for (number, part) in (1..).zip(written).filter(|(_, part)| !part.is_empty()) {
            let unknown = || FormError::UnknownPart { number };
            let (name, value) = part.split_once('=').ok_or_else(unknown)?;
            let name = Self::NAMES.into_iter().find(|known| *known == name.trim());
            let name = name.ok_or_else(unknown)?;
            if parts.iter().any(|(known, _)| *known == name) {
                return Err(unknown());
            }
            let value = value.trim();
            if value.is_empty() || value.chars().any(char::is_control) {
                return Err(FormError::WrongValue(name));
            }
            parts.push((name, value.to_owned()));
        }
        Ok(Self(parts))
    }

    fn take(&mut self, name: &str) -> Option<String> {
        let found = self.0.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.clone())
    }

    fn header(&mut self, name: &'static str) -> Result<Option<String>, FormError> {
        let is_name_byte =
            |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        match self.take(name) {
            Some(value) if !value.bytes().all(is_name_byte) => Err(FormError::WrongValue(name)),
            value => Ok(value),
        }
    }
}

/// The pieces of the signed text. The URL is a setting and cannot be chosen by a sender, so it needs nothing beside it.
fn pieces(text: &str) -> Result<Vec<Piece>, FormError> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let piece = if let Some(inner) = rest.strip_prefix('{') {
            let (name, after) = inner
                .split_once('}')
                .ok_or(FormError::WrongValue("signed"))?;
            rest = after;
            match name {
                "body" => Piece::Body,
                "timestamp" => Piece::Timestamp,
                "id" => Piece::Id,
                "url" => Piece::Url,
                _ => return Err(FormError::WrongValue("signed")),
            }
        } else {
            let (fixed, after) = rest.split_at(rest.find('{').unwrap_or(rest.len()));
            rest = after;
            Piece::Text(fixed.to_owned())
        };
        pieces.push(piece);
    }
    let is_text = |piece: &Piece| matches!(piece, Piece::Text(_));
    let counted = |wanted: &Piece| pieces.iter().filter(|piece| *piece == wanted).count();
    if counted(&Piece::Body) != 1 {
        return Err(FormError::NotOneBody);
    }
    for piece in pieces.iter().filter(|piece| !is_text(piece)) {
        if counted(piece) > 1 {
            return Err(FormError::NotOneBody);
        }
    }
    let chosen: Vec<&Piece> = pieces
        .iter()
        .filter(|piece| **piece != Piece::Url)
        .collect();
    let touch = |pair: &[&Piece]| pair.iter().all(|piece| !is_text(piece));
    if chosen.windows(2).any(touch) {
        return Err(FormError::NothingBetween);
    }
    // A time is digits, so a digit beside it could pass for a part of it.
    let beside = separators(&pieces, &Piece::Timestamp);
    if beside.iter().any(char::is_ascii_digit) {
        return Err(FormError::WrongValue("signed"));
    }
    Ok(pieces)
}

/// The characters directly before and directly behind a piece. The text at the very beginning separates nothing.
fn separators(pieces: &[Piece], wanted: &Piece) -> Vec<char> {
    let Some(at) = pieces.iter().position(|piece| piece == wanted) else {
        return Vec::new();
    };
    let text = |at: usize| match pieces.get(at) {
        Some(Piece::Text(text)) => Some(text.as_str()),
        Some(Piece::Body | Piece::Timestamp | Piece::Id | Piece::Url) | None => None,
    };
    let before = at.checked_sub(1).filter(|before| *before > 0);
    let before = before.and_then(text).and_then(|text| text.chars().last());
    let behind = text(at.saturating_add(1)).and_then(|text| text.chars().next());
    before.into_iter().chain(behind).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::{Form, FormError};
    use crate::{
        Covers, Refusal, Request, Scheme, Secret, Setup, SetupError, SignError, SignedData,
    };

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

    fn verdict(
        setup: &Setup,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<SignedData, Refusal> {
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
        assert_eq!(
            refused("header=A;;s3cret").map(|error| error.to_string().contains("s3cret")),
            Some(false)
        );
        for part in ["x", "heade=X", "header=A;header=B"] {
            assert!(
                matches!(refused(part), Some(FormError::UnknownPart { .. })),
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
}
