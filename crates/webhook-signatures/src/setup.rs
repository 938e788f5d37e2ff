//! A scheme with what a receiver must know besides the secrets.

use std::borrow::Cow;

use crate::identity::{self, Identity, IdentityError};
use crate::verification::check_time;
use crate::{
    Form, Refusal, Request, Scheme, Secret, SignError, SignedData, adyen_platform, adyen_standard,
    checkout, column, github, hyperswitch, mollie, paddle, paypal, rfc9421, shopify, square,
    standard, stripe,
};

/// A scheme, its tolerance, and what some schemes need besides a secret.
///
/// | scheme | needs |
/// |---|---|
/// | `square` | the URL of the webhook, byte for byte as it stands in the sender's settings |
/// | `paypal` | the id of the webhook at PayPal |
/// | `generic` | a [`Form`], and the URL if the form has it |
/// | `rfc9421-hmac-sha256` | the URL, if the sender signs a part of it other than `@authority` |
///
/// Call [`check`](Self::check) when settings are read: it tells what is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setup {
    scheme: Scheme,
    tolerance_seconds: i64,
    url: Option<String>,
    webhook_id: Option<String>,
    form: Option<Form>,
}

/// What is wrong with a setup. It is a mistake in the settings, so the receiver should not start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// The scheme needs more than a secret.
    #[error("this scheme also needs its {what}")]
    Missing {
        /// What is missing.
        what: &'static str,
    },
    /// The URL is not one that a sender can call.
    #[error("the URL must begin with https:// or http:// and be visible ASCII without a fragment")]
    UnusableUrl,
    /// The webhook id cannot be part of a signed text.
    #[error("the webhook id must be visible ASCII without a bar")]
    UnusableWebhookId,
}

impl Setup {
    /// The scheme with its default tolerance and nothing else.
    pub const fn new(scheme: Scheme) -> Self {
        Self {
            scheme,
            tolerance_seconds: scheme.default_tolerance_seconds(),
            url: None,
            webhook_id: None,
            form: None,
        }
    }

    /// Sets by how many seconds a message may be old or early, with that second included. A negative number counts as
    /// zero. Zero tolerates nothing but the same second.
    #[must_use]
    pub const fn with_tolerance(mut self, seconds: i64) -> Self {
        self.tolerance_seconds = seconds;
        self
    }

    /// Sets the URL of the webhook, as the sender has it.
    #[must_use]
    pub fn with_url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// Sets the id that the sender has given to the webhook.
    #[must_use]
    pub fn with_webhook_id(mut self, id: impl Into<String>) -> Self {
        self.webhook_id = Some(id.into());
        self
    }

    /// Sets the form of a generic signature.
    #[must_use]
    pub fn with_form(mut self, form: Form) -> Self {
        self.form = Some(form);
        self
    }

    /// The scheme.
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Tells whether everything is there that the scheme needs.
    ///
    /// # Errors
    ///
    /// See [`SetupError`].
    pub fn check(&self) -> Result<(), SetupError> {
        let missing = |what| SetupError::Missing { what };
        let form_needs_url = self.form.as_ref().is_some_and(Form::needs_url);
        if self.scheme == Scheme::Generic && self.form.is_none() {
            return Err(missing("form"));
        }
        if self.scheme == Scheme::Paypal && self.webhook_id.is_none() {
            return Err(missing("webhook id"));
        }
        if (self.scheme == Scheme::Square || form_needs_url) && self.url.is_none() {
            return Err(missing("URL"));
        }
        if self.url.as_deref().is_some_and(|url| !is_url(url)) {
            return Err(SetupError::UnusableUrl);
        }
        let is_id = |id: &str| {
            !id.is_empty()
                && id
                    .bytes()
                    .all(|byte| byte.is_ascii_graphic() && byte != b'|')
        };
        if self.webhook_id.as_deref().is_some_and(|id| !is_id(id)) {
            return Err(SetupError::UnusableWebhookId);
        }
        Ok(())
    }

    /// Verifies that a holder of one of the secrets signed this request, and recently. `now_unix` is the receiver's clock
    /// in Unix seconds. Secrets of another scheme are ignored. [`SignedData::covers`] tells how much of the body is
    /// genuine.
    ///
    /// # Errors
    ///
    /// See [`Refusal`]; the crate's documentation gives the order.
    pub fn verify(
        &self,
        secrets: &[Secret],
        request: &Request<'_>,
        now_unix: i64,
    ) -> Result<SignedData, Refusal> {
        let url = self.url.as_deref();
        let verified = match self.scheme {
            Scheme::Stripe => stripe::verify(secrets, request),
            Scheme::StandardWebhooks | Scheme::Svix => {
                standard::verify_symmetric(self.scheme, secrets, request)
            }
            Scheme::StandardWebhooksV1a => standard::verify_asymmetric(secrets, request),
            Scheme::Github => github::verify(secrets, request),
            Scheme::Shopify => shopify::verify(secrets, request),
            Scheme::Square => square::verify(secrets, url, request),
            Scheme::Paddle => paddle::verify(secrets, request),
            Scheme::AdyenStandard => adyen_standard::verify(secrets, request),
            Scheme::AdyenPlatform => adyen_platform::verify(secrets, request),
            Scheme::CheckoutCom => checkout::verify(secrets, request),
            Scheme::Paypal => paypal::verify(secrets, self.webhook_id.as_deref(), request),
            Scheme::Mollie => mollie::verify(secrets, request),
            Scheme::Hyperswitch => hyperswitch::verify(secrets, request),
            Scheme::Column => column::verify(secrets, request),
            Scheme::Rfc9421HmacSha256 => rfc9421::verify(secrets, url, request, now_unix),
            Scheme::Generic => match &self.form {
                Some(form) => form.verify(secrets, url, request),
                None => Err(Refusal::NotSetUp { what: "form" }),
            },
        }?;
        if let Some(timestamp) = verified.timestamp {
            check_time(timestamp, now_unix, self.tolerance_seconds)?;
        }
        Ok(verified)
    }

    /// Signs a message and returns the headers to send with it: see [`sign`](crate::sign).
    ///
    /// # Errors
    ///
    /// See [`SignError`].
    pub fn sign(
        &self,
        secret: &Secret,
        message_id: &str,
        timestamp: i64,
        body: &[u8],
    ) -> Result<Vec<(Cow<'static, str>, String)>, SignError> {
        if timestamp < 0 {
            return Err(SignError::NegativeTimestamp);
        }
        let url = self.url.as_deref();
        let headers = match (self.scheme, &self.form) {
            (Scheme::Generic, Some(form)) => {
                return form.sign(secret, url, message_id, timestamp, body);
            }
            (Scheme::Square, _) => square::sign(secret, url, body),
            (scheme, _) => crate::sign(scheme, secret, message_id, timestamp, body),
        }?;
        let owned = headers
            .into_iter()
            .map(|(name, value)| (Cow::Borrowed(name), value));
        Ok(owned.collect())
    }

    /// What identifies the events of a genuine request. Adyen's standard notifications have one identity for each item;
    /// all others have exactly one.
    ///
    /// # Errors
    ///
    /// See [`IdentityError`].
    pub fn identities(&self, request: &Request<'_>) -> Result<Vec<Identity>, IdentityError> {
        let id_header = self.form.as_ref().and_then(Form::id_header);
        identity::identities(self.scheme, id_header, request)
    }
}

/// Whether the text can be the URL of a webhook.
fn is_url(url: &str) -> bool {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        !rest.is_empty()
            && !rest.starts_with('/')
            && rest
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && byte != b'#')
    })
}

#[cfg(test)]
mod tests {
    use super::{Setup, SetupError};
    use crate::{Refusal, Request, Scheme, Secret, SignError};

    #[test]
    fn what_is_missing_is_told_at_the_start_and_never_guessed() {
        let square = Setup::new(Scheme::Square);
        let missing = |what| Err(SetupError::Missing { what });
        assert_eq!(square.check(), missing("URL"));
        assert_eq!(Setup::new(Scheme::Paypal).check(), missing("webhook id"));
        assert_eq!(Setup::new(Scheme::Generic).check(), missing("form"));

        let request = Request {
            headers: &[("Host", b"a.example")],
            body: b"",
        };
        let secret = Secret::parse(Scheme::Square, "asdf1234");
        let verdict = secret
            .clone()
            .map(|secret| square.verify(&[secret], &request, 0));
        assert_eq!(verdict, Ok(Err(Refusal::NotSetUp { what: "URL" })));
        let signed = secret.map(|secret| square.sign(&secret, "", 0, b""));
        assert_eq!(signed, Ok(Err(SignError::NotSetUp { what: "URL" })));
    }

    #[test]
    fn a_url_is_one_that_a_sender_can_call() {
        for (url, is_good) in [
            ("https://a.example/hooks/?a=1", true),
            ("http://127.0.0.1:8080/hooks", true),
            ("", false),
            ("a.example", false),
            ("ftp://a.example/", false),
            ("https://", false),
            ("https:///hooks", false),
            ("https://a.example/#top", false),
            ("https://a.example/a b", false),
            ("https://a.example/\n", false),
        ] {
            let checked = Setup::new(Scheme::Square).with_url(url).check();
            assert_eq!(checked.is_ok(), is_good, "{url:?}");
        }
    }

    #[test]
    fn a_webhook_id_has_no_bar() {
        for (id, is_good) in [
            ("8PT597110X687430LKGECATA", true),
            ("", false),
            ("a|b", false),
            ("a b", false),
        ] {
            let checked = Setup::new(Scheme::Paypal).with_webhook_id(id).check();
            assert_eq!(checked.is_ok(), is_good, "{id:?}");
        }
    }

    #[test]
    fn schemes_without_a_setting_need_none() {
        let needy = [Scheme::Square, Scheme::Paypal, Scheme::Generic];
        for scheme in Scheme::ALL {
            let is_needy = needy.contains(&scheme);
            assert_eq!(Setup::new(scheme).check().is_err(), is_needy);
        }
    }
}
