//! The signing of deliveries: rightly, wrongly, or with two secrets, in the way of each scheme.

use webhook_signatures::{
    Form, FormError, Scheme, Secret, SecretError, Setup, SetupError, SignError,
};

use crate::order::SIGNATURE;
use crate::plan::{Abilities, Delivery, Signing};
use crate::schedule::has_time;

/// The secret that the sandbox of Florin has at every start. It is the default, because it protects nothing.
pub const SANDBOX_SECRET: &str = "whsec_c2FuZGJveC1zZWNyZXQtb2YtZmxvcmluLTAx";
/// Secrets of a forger, who is also the other holder while a secret is replaced.
const FORGED_TEXT: &str = "whsec_Zm9yZ2VkLWZvcmdlZC1mb3JnZWQtZm9yZ2VkLWZvcmc=";
const FORGED_BASE64: &str = "Zm9yZ2VkLWZvcmdlZC1mb3JnZWQtZm9yZ2VkLWZvcmc=";
const FORGED_HEX: &str = "666f726765642d666f726765642d666f726765642d666f726765642d666f7267";
const FORGED_PRIVATE: &str =
    "whsk_vjeoXH3tSFIYZQbUfskVdACnxcgGVm2mcQmwZ+b4xjsKHEwrICcjU8NcINNBPT/6jI/HBCtkmuzN9cdhVl9klw==";

/// Why deliveries cannot be signed like this.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignerError {
    /// Nobody but the sender can sign in this scheme.
    #[error("only PayPal can sign in the scheme `paypal`, so it cannot be rehearsed")]
    SenderOnly,
    /// The default secret does not fit the scheme.
    #[error("the scheme `{0}` needs a secret of its own: give --secret")]
    NeedsSecret(&'static str),
    /// The consumer's secret is the one that forgers use here.
    #[error("this secret is the one that forged deliveries are signed with: choose another")]
    ForgersSecret,
    /// The secret cannot be used.
    #[error("the secret cannot be used: {0}")]
    Secret(#[from] SecretError),
    /// The form cannot be used.
    #[error("the form cannot be used: {0}")]
    Form(#[from] FormError),
    /// Something that the scheme needs is missing.
    #[error("the scheme cannot be used like this: {0}")]
    Setup(#[from] SetupError),
    /// The secret verifies and does not sign, or the body has no place for the signature.
    #[error("cannot sign: {0}")]
    Sign(#[from] SignError),
}

/// What signs: a scheme with the consumer's secret.
#[derive(Clone, Debug)]
pub struct Signer {
    setup: Setup,
    own: Secret,
    other: Secret,
    /// The character between two signatures of a generic scheme, if it has one.
    separator: Option<char>,
    has_time: bool,
}

/// The headers to send, names and values.
pub(crate) type Headers = Vec<(String, String)>;

impl Signer {
    /// A signer. `url` is the URL of the consumer as the scheme `square` signs it, `form` is for the scheme `generic`.
    /// Without a secret the sandbox's is taken, where it fits.
    ///
    /// # Errors
    /// See [`SignerError`].
    pub fn new(
        scheme: Scheme,
        secret: Option<&str>,
        url: &str,
        form: Option<&str>,
        tolerance: Option<i64>,
    ) -> Result<Self, SignerError> {
        let forged = match scheme {
            Scheme::Paypal => return Err(SignerError::SenderOnly),
            Scheme::StandardWebhooksV1a => FORGED_PRIVATE,
            Scheme::AdyenStandard | Scheme::AdyenPlatform => FORGED_HEX,
            Scheme::Rfc9421HmacSha256 => FORGED_BASE64,
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
            | Scheme::Generic => FORGED_TEXT,
        };
        let own = match secret {
            Some(text) if text == forged => return Err(SignerError::ForgersSecret),
            Some(text) => Secret::parse(scheme, text)?,
            None => Secret::parse(scheme, SANDBOX_SECRET)
                .map_err(|_unfit| SignerError::NeedsSecret(scheme.name()))?,
        };
        let mut setup = Setup::new(scheme).with_url(url);
        if let Some(text) = form {
            setup = setup.with_form(Form::parse(text)?);
        }
        if let Some(seconds) = tolerance {
            setup = setup.with_tolerance(seconds);
        }
        setup.check()?;
        let form = form.unwrap_or_default();
        let separator = match form_part(form, "separator") {
            Some("comma") => Some(','),
            Some("space") => Some(' '),
            Some(_) | None => None,
        };
        Ok(Self {
            has_time: has_time(scheme).unwrap_or(form.contains("{timestamp}")),
            other: Secret::parse(scheme, forged)?,
            setup,
            own,
            separator,
        })
    }

    /// The scheme.
    pub const fn scheme(&self) -> Scheme {
        self.setup.scheme()
    }

    /// What the scheme allows. What the bodies allow is the caller's to fill in.
    pub(crate) fn abilities(&self, tolerance: Option<i64>) -> Abilities {
        let scheme = self.scheme();
        let tolerance = tolerance.unwrap_or(scheme.default_tolerance_seconds());
        Abilities {
            tolerance: self.has_time.then_some(tolerance),
            two_signatures: self.joins(),
            covers_bytes: scheme != Scheme::AdyenStandard,
            refunds: true,
            unknown: true,
            thin: true,
        }
    }

    /// The headers and the body of a delivery that is sent at this time (Unix seconds).
    ///
    /// # Errors
    /// See [`SignError`].
    pub(crate) fn sign(
        &self,
        delivery: &Delivery,
        now_unix: i64,
    ) -> Result<(Headers, String), SignError> {
        let made = |secret: &Secret, age: i64, body: &str| {
            let at = now_unix.saturating_sub(age).max(0);
            self.made(secret, &delivery.event, at, body)
        };
        let (own, other) = (&self.own, &self.other);
        let signed = match &delivery.signing {
            Signing::Right { age } => made(own, *age, &delivery.body),
            Signing::WithAnotherSecret => made(other, 0, &delivery.body),
            Signing::Missing => Ok(Vec::new()),
            Signing::Empty => Ok(with_last(made(own, 0, &delivery.body)?, |_| String::new())),
            Signing::Altered => Ok(with_last(made(own, 0, &delivery.body)?, altered)),
            Signing::Borrowed(body) => made(own, 0, body),
            Signing::Twice { own_last } => {
                let (own, other) = (
                    made(own, 0, &delivery.body)?,
                    made(other, 0, &delivery.body)?,
                );
                Ok(match own_last {
                    true => self.joined(other, own),
                    false => self.joined(own, other),
                })
            }
        }?;
        let mut headers = self.named(delivery);
        if self.scheme() != Scheme::AdyenStandard {
            headers.extend(signed);
            return Ok((headers, delivery.body.clone()));
        }
        let signature = signed.first().map_or("", |(_, value)| value.as_str());
        Ok((headers, delivery.body.replace(SIGNATURE, signature)))
    }

    fn made(&self, secret: &Secret, id: &str, at: i64, body: &str) -> Result<Headers, SignError> {
        let made = self.setup.sign(secret, id, at, body.as_bytes())?;
        let owned = made
            .into_iter()
            .map(|(name, value)| (name.into_owned(), value));
        Ok(owned.collect())
    }

    /// The headers that are not signed: senders of these schemes have the id and the type of an event there.
    fn named(&self, delivery: &Delivery) -> Headers {
        let names = match self.scheme() {
            Scheme::Github => [
                ("X-GitHub-Delivery", &delivery.event),
                ("X-GitHub-Event", &delivery.kind),
            ],
            Scheme::Shopify => [
                ("X-Shopify-Event-Id", &delivery.event),
                ("X-Shopify-Topic", &delivery.kind),
            ],
            Scheme::Stripe
            | Scheme::StandardWebhooks
            | Scheme::StandardWebhooksV1a
            | Scheme::Svix
            | Scheme::Square
            | Scheme::Paddle
            | Scheme::AdyenStandard
            | Scheme::AdyenPlatform
            | Scheme::CheckoutCom
            | Scheme::Paypal
            | Scheme::Mollie
            | Scheme::Hyperswitch
            | Scheme::Column
            | Scheme::Rfc9421HmacSha256
            | Scheme::Generic => return Vec::new(),
        };
        let owned = names.map(|(name, value)| (name.to_owned(), value.clone()));
        owned.into_iter().collect()
    }

    fn joins(&self) -> bool {
        match self.scheme() {
            Scheme::Stripe
            | Scheme::StandardWebhooks
            | Scheme::StandardWebhooksV1a
            | Scheme::Svix
            | Scheme::Paddle
            | Scheme::Mollie
            | Scheme::Rfc9421HmacSha256 => true,
            Scheme::Generic => self.separator.is_some(),
            Scheme::Github
            | Scheme::Shopify
            | Scheme::Square
            | Scheme::AdyenStandard
            | Scheme::AdyenPlatform
            | Scheme::CheckoutCom
            | Scheme::Paypal
            | Scheme::Hyperswitch
            | Scheme::Column => false,
        }
    }

    /// Both signatures in one request, as the scheme has it.
    fn joined(&self, first: Headers, second: Headers) -> Headers {
        match self.scheme() {
            Scheme::Stripe => join_last(first, &second, |value| after(value, ',', ",")),
            Scheme::Paddle => join_last(first, &second, |value| after(value, ';', ";")),
            Scheme::StandardWebhooks | Scheme::StandardWebhooksV1a | Scheme::Svix => {
                join_last(first, &second, |value| format!(" {value}"))
            }
            Scheme::Generic => {
                let separator = self.separator.unwrap_or(',');
                join_last(first, &second, |value| format!("{separator}{value}"))
            }
            Scheme::Mollie => first.into_iter().chain(second).collect(),
            // Both name the digest of the body in the same way. The second one gets a label of its own.
            Scheme::Rfc9421HmacSha256 => first
                .into_iter()
                .zip(second)
                .map(|((name, one), (_, two))| match two.strip_prefix("sig1=") {
                    Some(rest) => (name, format!("{one}, sig2={rest}")),
                    None => (name, one),
                })
                .collect(),
            Scheme::Github
            | Scheme::Shopify
            | Scheme::Square
            | Scheme::AdyenStandard
            | Scheme::AdyenPlatform
            | Scheme::CheckoutCom
            | Scheme::Paypal
            | Scheme::Hyperswitch
            | Scheme::Column => first,
        }
    }
}

/// The value of a part of a form.
fn form_part<'f>(form: &'f str, wanted: &str) -> Option<&'f str> {
    let pairs = form.split(';').filter_map(|part| part.split_once('='));
    let mut pairs = pairs.map(|(name, value)| (name.trim(), value.trim()));
    pairs
        .find(|(name, _)| *name == wanted)
        .map(|(_, value)| value)
}

/// What stands after the first separator, with another one before it: the time is in the header already.
fn after(value: &str, separator: char, before: &str) -> String {
    let signature = value.split_once(separator).map_or(value, |(_, rest)| rest);
    format!("{before}{signature}")
}

/// The first headers, with the signature of the second ones behind their own. The signature is in the last header.
fn join_last(first: Headers, second: &Headers, join: impl Fn(&str) -> String) -> Headers {
    let more = second.last().map(|(_, value)| join(value));
    with_last(first, |value| {
        format!("{value}{}", more.unwrap_or_default())
    })
}

fn with_last(mut headers: Headers, change: impl FnOnce(&str) -> String) -> Headers {
    if let Some((_, value)) = headers.last_mut() {
        *value = change(value);
    }
    headers
}

/// The value with another character near its end, which is in the signature in every scheme. It stays hex or base64.
fn altered(value: &str) -> String {
    let at = value.chars().count().saturating_sub(10);
    let swap = |(place, letter)| match (place == at, letter) {
        (true, 'a') => 'b',
        (true, _) => 'a',
        (false, letter) => letter,
    };
    value.chars().enumerate().map(swap).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use webhook_signatures::{Form, Request, Scheme, Secret, Setup};

    use super::{FORGED_PRIVATE, Signer, SignerError};
    use crate::plan::{Expected, Manner, plan};
    use crate::{Schedule, Templates};

    const NOW: i64 = 1_800_000_000;
    const URL: &str = "http://127.0.0.1:9/hook";
    const FORM: &str = "header=X-Sig; signed={timestamp}.{body}; timestamp-header=X-Time; separator=comma; prefix=v1=";
    const PRIVATE: &str = "whsk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8DoQe/884Qvh1w3RjnS8CZZ+TWMJulDV8d3IZkElUxuA==";
    const HEX: &str = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056";
    const BASE64: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn secret(scheme: Scheme) -> Option<&'static str> {
        match scheme {
            Scheme::Paypal => None,
            Scheme::StandardWebhooksV1a => Some(PRIVATE),
            Scheme::AdyenStandard | Scheme::AdyenPlatform => Some(HEX),
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
            | Scheme::Rfc9421HmacSha256
            | Scheme::Generic => Some(BASE64),
        }
    }

    /// Every delivery of every schedule in every scheme, judged by the functions that verify.
    #[test]
    fn a_correct_consumer_accepts_and_refuses_as_the_plan_says() {
        let mut refused = 0;
        let mut accepted = 0;
        for scheme in Scheme::ALL {
            let form = (scheme == Scheme::Generic).then_some(FORM);
            let Some(text) = secret(scheme) else {
                let signer = Signer::new(scheme, None, URL, form, None);
                assert_eq!(signer.err(), Some(SignerError::SenderOnly));
                continue;
            };
            let signer = Signer::new(scheme, Some(text), URL, form, None).unwrap();
            let abilities = signer.abilities(None);
            let setup = Setup::new(scheme)
                .with_url(URL)
                .with_form(Form::parse(FORM).unwrap());
            let secrets = [Secret::parse(scheme, text).unwrap()];
            let templates = Templates::of(scheme);
            for schedule in Schedule::ALL {
                let orders = [1, 2, 3].map(|number| templates.order(7, schedule, number));
                let Ok(plan) = plan(schedule, &abilities, 7, &orders) else {
                    continue;
                };
                for delivery in plan
                    .tracks
                    .iter()
                    .flat_map(|track| track.steps.iter().flatten())
                {
                    let (headers, body) = signer.sign(delivery, NOW).unwrap();
                    let headers: Vec<(&str, &[u8])> = headers
                        .iter()
                        .map(|(name, value)| (name.as_str(), value.as_bytes()))
                        .collect();
                    let request = Request {
                        headers: &headers,
                        body: body.as_bytes(),
                    };
                    let verdict = setup.verify(&secrets, &request, NOW);
                    let context = (scheme.name(), schedule.name(), delivery.case);
                    if delivery.expected == Expected::Refused {
                        assert!(verdict.is_err(), "{context:?}");
                        refused += 1;
                    } else {
                        assert!(verdict.is_ok(), "{context:?}: {verdict:?}");
                        accepted += 1;
                        let wants_id = delivery.manner != Manner::Cut;
                        assert!(
                            !wants_id || setup.identities(&request).is_ok(),
                            "{context:?}"
                        );
                    }
                }
            }
        }
        assert!(refused > 200 && accepted > 500, "{refused} {accepted}");
    }

    #[test]
    fn a_secret_that_does_not_fit_is_told() {
        let new = |scheme, text| Signer::new(scheme, text, URL, None, None).err();
        assert_eq!(new(Scheme::StandardWebhooks, None), None);
        assert_eq!(
            new(Scheme::AdyenPlatform, None),
            Some(SignerError::NeedsSecret("adyen-platform"))
        );
        assert_eq!(
            new(Scheme::StandardWebhooksV1a, Some(FORGED_PRIVATE)),
            Some(SignerError::ForgersSecret)
        );
        assert!(matches!(
            new(Scheme::Generic, None),
            Some(SignerError::Setup(_))
        ));
    }
}
