//! `florin webhook sign` and `florin webhook verify`: the signing schemes on the command line, for those who
//! connect a sender to Florin, or who want to know why a delivery was refused.
//!
//! The body is read from standard input and taken byte for byte. Exit status: 0 done or accepted, 1 refused, 3 asked
//! for in a way that cannot be answered.

use std::io::{self, Read, Write};
use std::process::ExitCode;

use crate::inbox::InboxArguments;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use webhook_signatures::{
    Covers, Form, FormError, Refusal, Request, Scheme, Secret, SecretError, Setup, SetupError,
    SignError, SignedData,
};

const DONE: u8 = 0;
const REFUSED: u8 = 1;
/// The status of a command that cannot be carried out as given, for this command and its arguments alike.
pub(crate) const USAGE: u8 = 3;

/// Verbs below `florin webhook`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum WebhookCommand {
    #[command(flatten)]
    Signature(SignatureCommand),
    /// List, show and try again the events that providers have sent.
    Inbox(Box<InboxArguments>),
}

/// The verbs for signatures.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum SignatureCommand {
    /// Print the headers to send with the body on standard input, one on each line.
    Sign(SignArguments),
    /// Tell whether the body on standard input came with a genuine and recent signature.
    ///
    /// Exit status: 0 accepted, 1 refused (the reason is printed), 3 wrong command line.
    Verify(VerifyArguments),
}

/// Options of `florin webhook sign`.
#[derive(Debug, clap::Args)]
pub(crate) struct SignArguments {
    /// The scheme of the signature: stripe, standard-webhooks, standard-webhooks-v1a, svix, github, shopify, square, paddle,
    /// adyen-standard, adyen-platform, checkout.com, paypal, mollie, hyperswitch, column, rfc9421-hmac-sha256 or generic.
    #[arg(long)]
    scheme: String,
    /// The secret as it was issued: `whsec_…`, or the private key `whsk_…` for standard-webhooks-v1a. A secret for
    /// generic may be written as `hex:…` or `base64:…`.
    #[arg(long, value_name = "SECRET", allow_hyphen_values = true)]
    secret: SecretString,
    /// The message id, the same at each attempt [default: made from the body's hash]. Only standard-webhooks,
    /// standard-webhooks-v1a, svix and some forms of generic have one.
    #[arg(long)]
    id: Option<String>,
    /// The time of this attempt in Unix seconds [default: now].
    #[arg(long, value_name = "UNIX", allow_negative_numbers = true)]
    timestamp: Option<i64>,
    #[command(flatten)]
    more: MoreArguments,
    /// Print the headers as one JSON object.
    #[arg(long)]
    json: bool,
}

/// Options of `florin webhook verify`.
#[derive(Debug, clap::Args)]
pub(crate) struct VerifyArguments {
    /// The scheme of the signature: stripe, standard-webhooks, standard-webhooks-v1a, svix, github, shopify, square, paddle,
    /// adyen-standard, adyen-platform, checkout.com, paypal, mollie, hyperswitch, column, rfc9421-hmac-sha256 or generic.
    #[arg(long)]
    scheme: String,
    /// A valid secret as it was issued; repeat the option for each further secret. For paypal it is the certificate
    /// or the public key in PEM form.
    #[arg(
        long = "secret",
        value_name = "SECRET",
        required = true,
        allow_hyphen_values = true
    )]
    secrets: Vec<SecretString>,
    /// A header as it was received; repeat the option for each further header.
    #[arg(long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// The receiver's clock in Unix seconds [default: now].
    #[arg(long, value_name = "UNIX", allow_negative_numbers = true)]
    now: Option<i64>,
    /// How many seconds the signature may be older or newer than the clock [default: that of the scheme, 300;
    /// for paddle 5]. Zero means the same second.
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    tolerance: Option<i64>,
    #[command(flatten)]
    more: MoreArguments,
    /// Print the verdict as one JSON object.
    #[arg(long)]
    json: bool,
}

/// What some schemes need besides a secret.
#[derive(Debug, clap::Args)]
pub(crate) struct MoreArguments {
    /// The URL of the webhook as the sender has it, byte for byte: for square, for rfc9421-hmac-sha256 if a part of it
    /// is signed, and for generic if the form has it.
    #[arg(long)]
    url: Option<String>,
    /// The id of the webhook at the sender, for paypal.
    #[arg(long)]
    webhook_id: Option<String>,
    /// The form of the signature, for generic: 'header=X-Signature; signed={timestamp}.{body}; …'.
    #[arg(long)]
    form: Option<String>,
}

/// Runs the command on standard input and output. `now_unix` is the time in Unix seconds, for when none is given.
pub(crate) fn run(command: SignatureCommand, now_unix: i64) -> ExitCode {
    let outcome = answer(
        command,
        now_unix,
        &mut io::stdin().lock(),
        &mut io::stdout().lock(),
    );
    ExitCode::from(outcome.unwrap_or_else(|mistake| {
        // If standard error is closed too, the exit status still shows the error.
        let _ = writeln!(io::stderr(), "florin webhook: {mistake}");
        mistake.status()
    }))
}

/// Why there is no result to print.
#[derive(Debug, thiserror::Error)]
enum Mistake {
    #[error("unknown scheme `{0}`; the schemes are {names}", names = scheme_names())]
    UnknownScheme(String),
    #[error("header {0} is not of the form 'Name: value'")]
    MalformedHeader(usize),
    #[error("the tolerance is negative: {0}")]
    NegativeTolerance(i64),
    #[error("the scheme cannot be used like this: {0}")]
    UnusableSetup(#[from] SetupError),
    #[error("the form cannot be used: {0}")]
    UnusableForm(#[from] FormError),
    #[error("the secret cannot be used: {0}")]
    UnusableSecret(#[from] SecretError),
    #[error("cannot sign: {0}")]
    Unsignable(#[from] SignError),
    #[error("cannot read the body from standard input: {0}")]
    UnreadableBody(#[source] io::Error),
    #[error("cannot write the answer: {0}")]
    UnwritableAnswer(#[from] io::Error),
}

impl Mistake {
    const fn status(&self) -> u8 {
        match self {
            Self::UnusableSecret(_) => REFUSED,
            Self::UnknownScheme(_)
            | Self::MalformedHeader(_)
            | Self::NegativeTolerance(_)
            | Self::UnusableSetup(_)
            | Self::UnusableForm(_)
            | Self::Unsignable(_)
            | Self::UnreadableBody(_)
            | Self::UnwritableAnswer(_) => USAGE,
        }
    }
}

/// Why a delivery is refused: because of the delivery itself, or because a secret of the receiver cannot be
/// used.
#[derive(Debug, thiserror::Error)]
enum Verdict {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("{error} (secret {position})")]
    UnusableSecret { position: usize, error: SecretError },
}

fn answer(
    command: SignatureCommand,
    now_unix: i64,
    input: &mut impl Read,
    output: &mut impl Write,
) -> Result<u8, Mistake> {
    match command {
        SignatureCommand::Sign(arguments) => sign(&arguments, now_unix, input, output),
        SignatureCommand::Verify(arguments) => verify(&arguments, now_unix, input, output),
    }
}

fn sign(
    arguments: &SignArguments,
    now_unix: i64,
    input: &mut impl Read,
    output: &mut impl Write,
) -> Result<u8, Mistake> {
    let setup = setup(&arguments.scheme, &arguments.more)?;
    let secret = Secret::parse(setup.scheme(), arguments.secret.expose_secret())?;
    let body = body(input)?;
    let id = arguments.id.clone().unwrap_or_else(|| id_of(&body));
    let timestamp = arguments.timestamp.unwrap_or(now_unix);

    let headers = setup.sign(&secret, &id, timestamp, &body)?;
    if arguments.json {
        let object: serde_json::Map<_, _> = headers
            .into_iter()
            .map(|(name, value)| (name.into_owned(), value.into()))
            .collect();
        writeln!(output, "{}", serde_json::Value::from(object))?;
    } else {
        for (name, value) in headers {
            writeln!(output, "{name}: {value}")?;
        }
    }
    Ok(DONE)
}

fn verify(
    arguments: &VerifyArguments,
    now_unix: i64,
    input: &mut impl Read,
    output: &mut impl Write,
) -> Result<u8, Mistake> {
    let setup = setup(&arguments.scheme, &arguments.more)?;
    let headers = headers(&arguments.headers)?;
    let setup = match arguments.tolerance {
        Some(seconds) if seconds < 0 => return Err(Mistake::NegativeTolerance(seconds)),
        Some(seconds) => setup.with_tolerance(seconds),
        None => setup,
    };
    let body = body(input)?;
    let request = Request {
        headers: &headers,
        body: &body,
    };
    let now = arguments.now.unwrap_or(now_unix);

    let verdict = secrets(setup.scheme(), &arguments.secrets)
        .and_then(|secrets| Ok(setup.verify(&secrets, &request, now)?));
    match verdict {
        Ok(verified) => {
            print_accepted(&verified, arguments.json, output)?;
            Ok(DONE)
        }
        Err(refused) => {
            print_refused(&refused, arguments.json, output)?;
            Ok(REFUSED)
        }
    }
}

fn print_accepted(verified: &SignedData, json: bool, output: &mut impl Write) -> io::Result<()> {
    let SignedData {
        timestamp,
        message_id,
        covers,
    } = verified;
    let (covered, warning) = match covers {
        Covers::Body => ("body", ""),
        Covers::Fields => (
            "fields",
            "; only the signed fields are genuine, not the rest of the body",
        ),
        Covers::Checksum => (
            "checksum",
            "; only a checksum of the body is signed: fetch what it is about",
        ),
        Covers::Nothing => (
            "nothing",
            "; the body is not signed: fetch what it is about",
        ),
    };
    if json {
        let verdict = json!({
            "accepted": true, "timestamp": timestamp, "message_id": message_id, "covers": covered,
        });
        return writeln!(output, "{verdict}");
    }
    match timestamp {
        Some(timestamp) => write!(output, "accepted: signed at {timestamp}")?,
        None => write!(output, "accepted: signed at an unknown time")?,
    }
    if let Some(id) = message_id {
        write!(output, ", message {id}")?;
    }
    writeln!(output, "{warning}")
}

fn print_refused(refused: &Verdict, json: bool, output: &mut impl Write) -> io::Result<()> {
    if json {
        let verdict =
            json!({ "accepted": false, "rule": rule(refused), "reason": refused.to_string() });
        return writeln!(output, "{verdict}");
    }
    writeln!(output, "refused: {refused}")
}

/// The broken rule in one word, for the JSON.
const fn rule(refused: &Verdict) -> &'static str {
    match refused {
        Verdict::UnusableSecret { .. } => "unusable_secret",
        Verdict::Refused(refusal) => match refusal {
            Refusal::NoSecret => "no_secret",
            Refusal::MissingHeader { .. } => "missing_header",
            Refusal::DuplicateHeader { .. } => "duplicate_header",
            Refusal::MalformedHeader { .. } => "malformed_header",
            Refusal::TooManySignatures { .. } => "too_many_signatures",
            Refusal::NotSetUp { .. } => "not_set_up",
            Refusal::MalformedBody { .. } => "malformed_body",
            Refusal::UnsignedItem { .. } => "unsigned_item",
            Refusal::UnknownComponent { .. } => "unknown_component",
            Refusal::WrongDigest => "wrong_digest",
            Refusal::UntrustedAddress => "untrusted_address",
            Refusal::NoMatchingSignature => "no_matching_signature",
            Refusal::TooOld { .. } => "too_old",
            Refusal::InTheFuture { .. } => "in_the_future",
        },
    }
}

fn setup(name: &str, more: &MoreArguments) -> Result<Setup, Mistake> {
    let scheme = Scheme::from_name(name).ok_or_else(|| Mistake::UnknownScheme(name.to_owned()))?;
    let mut setup = Setup::new(scheme);
    if let Some(url) = &more.url {
        setup = setup.with_url(url);
    }
    if let Some(id) = &more.webhook_id {
        setup = setup.with_webhook_id(id);
    }
    if let Some(form) = &more.form {
        setup = setup.with_form(Form::parse(form)?);
    }
    setup.check()?;
    Ok(setup)
}

fn scheme_names() -> String {
    Scheme::ALL.map(Scheme::name).join(", ")
}

/// Reads the secrets. One bad secret refuses everything, even if another one would be enough: settings with a
/// bad secret must not pass a test.
fn secrets(scheme: Scheme, texts: &[SecretString]) -> Result<Vec<Secret>, Verdict> {
    (1..)
        .zip(texts)
        .map(|(position, text)| {
            Secret::parse(scheme, text.expose_secret())
                .map_err(|error| Verdict::UnusableSecret { position, error })
        })
        .collect()
}

/// Reads header lines as HTTP does: there is no space in or after the name, and spaces around the value do not
/// belong to it.
fn headers(lines: &[String]) -> Result<Vec<(&str, &[u8])>, Mistake> {
    (1..)
        .zip(lines)
        .map(|(position, line)| {
            line.split_once(':')
                .filter(|(name, _)| {
                    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic())
                })
                .filter(|(_, value)| !value.contains(['\r', '\n', '\0']))
                .map(|(name, value)| (name, value.trim_matches([' ', '\t']).as_bytes()))
                .ok_or(Mistake::MalformedHeader(position))
        })
        .collect()
}

fn body(input: &mut impl Read) -> Result<Vec<u8>, Mistake> {
    let mut body = Vec::new();
    input
        .read_to_end(&mut body)
        .map_err(Mistake::UnreadableBody)?;
    Ok(body)
}

/// Makes an id of the body. The same body has the same id, as at each attempt of a delivery.
fn id_of(body: &[u8]) -> String {
    let mut digest = hex::encode(Sha256::digest(body));
    digest.truncate(32);
    format!("msg_{digest}")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use clap::{CommandFactory as _, Parser as _};
    use webhook_signatures::Scheme;

    use super::{DONE, Mistake, REFUSED, SignatureCommand, USAGE, answer};

    const NOW: i64 = 1_767_225_600;
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const PRIVATE: &str = "whsk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8DoQe/884Qvh1w3RjnS8CZZ+TWMJulDV8d3IZkElUxuA==";
    const ADYEN: &str = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056";
    const PUBLIC: &str = "whpk_A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=";

    #[derive(Debug, clap::Parser)]
    struct Line {
        #[command(subcommand)]
        command: SignatureCommand,
    }

    /// The exit status, and the output or the error message.
    fn florin_webhook(arguments: &[&str], body: &str) -> (u8, String) {
        let line = Line::try_parse_from([&["webhook"], arguments].concat()).unwrap();
        let mut output = Vec::new();
        match answer(line.command, NOW, &mut body.as_bytes(), &mut output) {
            Ok(status) => (status, String::from_utf8(output).unwrap()),
            Err(mistake) => (mistake.status(), mistake.to_string()),
        }
    }

    /// A secret that signs, and one that verifies.
    fn secrets(scheme: Scheme) -> (&'static str, &'static str) {
        match scheme {
            Scheme::StandardWebhooksV1a => (PRIVATE, PUBLIC),
            Scheme::AdyenStandard | Scheme::AdyenPlatform => (ADYEN, ADYEN),
            Scheme::Rfc9421HmacSha256 => {
                let (_, encoded) = SECRET.split_once('_').unwrap();
                (encoded, encoded)
            }
            Scheme::Stripe
            | Scheme::StandardWebhooks
            | Scheme::Svix
            | Scheme::Github
            | Scheme::Shopify
            | Scheme::Square
            | Scheme::Paddle
            | Scheme::CheckoutCom
            | Scheme::Paypal
            | Scheme::Mollie
            | Scheme::Hyperswitch
            | Scheme::Column
            | Scheme::Generic => (SECRET, SECRET),
        }
    }

    /// What the scheme needs besides.
    fn more(scheme: Scheme) -> &'static [&'static str] {
        match scheme {
            Scheme::Square => &["--url", "https://a.example/hook"],
            Scheme::Generic => &[
                "--form",
                "header=X-S; signed={timestamp}.{body}; timestamp-header=X-T",
            ],
            Scheme::Paypal => &["--webhook-id", "8PT597110X687430LKGECATA"],
            Scheme::Stripe
            | Scheme::StandardWebhooks
            | Scheme::StandardWebhooksV1a
            | Scheme::Svix
            | Scheme::Github
            | Scheme::Shopify
            | Scheme::Paddle
            | Scheme::AdyenStandard
            | Scheme::AdyenPlatform
            | Scheme::CheckoutCom
            | Scheme::Mollie
            | Scheme::Hyperswitch
            | Scheme::Column
            | Scheme::Rfc9421HmacSha256 => &[],
        }
    }

    fn headers_of(scheme: Scheme, body: &str) -> Vec<String> {
        let (secret, _) = secrets(scheme);
        let mut arguments = vec!["sign", "--scheme", scheme.name(), "--secret", secret];
        arguments.extend(more(scheme));
        let (status, printed) = florin_webhook(&arguments, body);
        assert_eq!(status, DONE, "{printed}");
        printed.lines().map(str::to_owned).collect()
    }

    fn verify(scheme: Scheme, headers: &[String], options: &[&str], body: &str) -> (u8, String) {
        let (_, secret) = secrets(scheme);
        let mut arguments = vec!["verify", "--scheme", scheme.name(), "--secret", secret];
        arguments.extend(
            headers
                .iter()
                .flat_map(|header| ["--header", header.as_str()]),
        );
        arguments.extend(more(scheme));
        arguments.extend(options);
        florin_webhook(&arguments, body)
    }

    #[test]
    fn what_sign_prints_verify_accepts_in_every_scheme() {
        // PayPal alone can sign, and Adyen's notification has its signature in the body.
        let others = [Scheme::Paypal, Scheme::AdyenStandard];
        for scheme in Scheme::ALL.into_iter().filter(|one| !others.contains(one)) {
            let headers = headers_of(scheme, "{}");
            let (status, printed) = verify(scheme, &headers, &[], "{}");
            assert_eq!(status, DONE, "{}: {printed}", scheme.name());
            assert!(
                printed.starts_with("accepted: signed at 1767225600")
                    || printed == "accepted: signed at an unknown time\n",
                "{printed}"
            );
            let (status, printed) = verify(scheme, &headers, &["--json"], "{}");
            assert_eq!(status, DONE);
            assert!(printed.contains("\"covers\":\"body\""), "{printed}");
        }
    }

    #[test]
    fn a_notification_of_adyen_is_signed_in_its_body() {
        let unsigned = r#"{"notificationItems":[{"NotificationRequestItem":{"additionalData":{},"amount":{"value":1130,"currency":"EUR"},"pspReference":"7914073381342284","eventCode":"AUTHORISATION","merchantAccountCode":"TestMerchant","merchantReference":"TestPayment-1407325143704","success":"true"}}]}"#;
        let [signature] = headers_of(Scheme::AdyenStandard, unsigned)
            .try_into()
            .unwrap();
        assert_eq!(
            signature,
            "hmacSignature: coqCmt/IZ4E3CzPvMY8zTjQVL5hYJUiBRg8UU+iCWo0="
        );
        let value = signature.trim_start_matches("hmacSignature: ");
        let data = format!("\"additionalData\":{{\"hmacSignature\":\"{value}\"}}");
        let signed = unsigned.replace("\"additionalData\":{}", &data);
        assert_eq!(
            verify(Scheme::AdyenStandard, &[], &[], &signed),
            (
                DONE,
                "accepted: signed at an unknown time; only the signed fields are genuine, not the rest of the body\n".to_owned()
            )
        );
        let (status, printed) = verify(Scheme::AdyenStandard, &[], &[], unsigned);
        assert_eq!(
            (status, printed.as_str()),
            (REFUSED, "refused: item 1 of the body has no signature\n")
        );
    }

    #[test]
    fn what_a_scheme_needs_besides_is_asked_for() {
        for (scheme, missing) in [
            ("square", "this scheme also needs its URL"),
            ("paypal", "this scheme also needs its webhook id"),
            ("generic", "this scheme also needs its form"),
        ] {
            let arguments = ["verify", "--scheme", scheme, "--secret", SECRET];
            let (status, printed) = florin_webhook(&arguments, "{}");
            assert_eq!(status, USAGE);
            assert!(printed.ends_with(missing), "{printed}");
        }
        let arguments = [
            "sign", "--scheme", "generic", "--secret", SECRET, "--form", "hash=md5",
        ];
        assert_eq!(florin_webhook(&arguments, "{}").0, USAGE);
    }

    #[test]
    fn a_refusal_exits_1_and_says_why() {
        let scheme = Scheme::StandardWebhooks;
        let headers = headers_of(scheme, "{}");

        let (status, printed) = verify(scheme, &headers, &[], "{ }");
        assert_eq!(status, REFUSED);
        assert!(
            printed.starts_with("refused: no signature matches"),
            "{printed}"
        );

        let (status, printed) = verify(
            scheme,
            &headers,
            &["--now", "1767225911", "--tolerance", "310"],
            "{}",
        );
        assert_eq!(
            (status, printed.as_str()),
            (REFUSED, "refused: too old, by 1 s beyond the tolerance\n")
        );

        let (status, printed) = verify(scheme, &[], &["--json"], "{}");
        assert_eq!(
            (status, printed.as_str()),
            (
                REFUSED,
                "{\"accepted\":false,\"reason\":\"header `webhook-id` is missing\",\"rule\":\"missing_header\"}\n"
            )
        );
    }

    #[test]
    fn a_secret_that_cannot_be_used_refuses_even_beside_a_good_one() {
        let scheme = Scheme::Stripe;
        let headers = headers_of(scheme, "{}");
        let (status, printed) = verify(scheme, &headers, &["--secret", ""], "{}");
        assert_eq!(
            (status, printed.as_str()),
            (REFUSED, "refused: the secret is empty (secret 2)\n")
        );
        let (status, printed) =
            florin_webhook(&["sign", "--scheme", "stripe", "--secret", ""], "{}");
        assert_eq!(
            (status, printed.as_str()),
            (REFUSED, "the secret cannot be used: the secret is empty")
        );
    }

    #[test]
    fn what_cannot_be_answered_exits_3() {
        let sign = |scheme: &str, secret: &str, more: &[&str]| {
            florin_webhook(
                &[&["sign", "--scheme", scheme, "--secret", secret], more].concat(),
                "{}",
            )
        };
        assert_eq!(sign("Stripe", SECRET, &[]).0, USAGE);
        assert_eq!(sign("svix", SECRET, &["--id", "a.b"]).0, USAGE);
        assert_eq!(sign("svix", SECRET, &["--timestamp", "-1"]).0, USAGE);
        assert_eq!(sign("standard-webhooks-v1a", PUBLIC, &[]).0, USAGE);
        for line in [
            "webhook-id",
            ": x",
            "webhook id: x",
            "webhook-id : x",
            "webhook-id: x\r\ny: z",
        ] {
            let (status, printed) = verify(Scheme::Svix, &[line.to_owned()], &[], "{}");
            assert_eq!(
                (status, printed.as_str()),
                (USAGE, "header 1 is not of the form 'Name: value'"),
                "{line:?}"
            );
        }
        assert_eq!(
            verify(Scheme::Svix, &[], &["--tolerance", "-1"], "{}").0,
            USAGE
        );
    }

    #[test]
    fn an_unreadable_body_exits_3() {
        struct Broken;
        impl std::io::Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
                Err(std::io::Error::other("gone"))
            }
        }
        let line =
            Line::try_parse_from(["webhook", "sign", "--scheme", "svix", "--secret", SECRET])
                .unwrap();
        let mistake = answer(line.command, NOW, &mut Broken, &mut Vec::new()).unwrap_err();
        assert!(matches!(mistake, Mistake::UnreadableBody(_)));
        assert_eq!(mistake.status(), USAGE);
    }

    #[test]
    fn the_help_names_every_scheme_and_no_secret_is_ever_shown() {
        for mut command in Line::command().get_subcommands().cloned() {
            let help = command.render_long_help().to_string();
            for scheme in Scheme::ALL {
                assert!(help.contains(scheme.name()), "{}", scheme.name());
            }
        }
        let line =
            Line::try_parse_from(["webhook", "sign", "--scheme", "svix", "--secret", SECRET])
                .unwrap();
        assert!(!format!("{line:?}").contains("MfKQ"));
    }
}
