//! Submissions: requests that change something, with a known caller, a body that is a JSON object, and a valid
//! idempotency key if there is one.

use engine::{Command, Key, Origin, Request, Show, ShowRefusal, Tenant};
use idempotency::{Claim, Fingerprint};

use crate::strict_json::{self, Body, CardNumbers, Object, Reading};
use crate::{Call, Caller, Problem};

/// The API version that a request's fingerprint covers.
pub const API_VERSION: &str = "1";

/// A request that changes something.
pub struct Submission {
    caller: Caller,
    request: String,
    claim: Option<Claim>,
    is_dry_run: bool,
    body: Object,
    cards: &'static CardNumbers,
}

impl Submission {
    /// Reads the body of a request. `cards` defines where a card number is refused.
    pub(crate) fn of(call: Call, cards: &'static CardNumbers) -> Result<Self, Problem> {
        let body = call.json()?;
        let claim = call.key.map(|key| {
            let canonical = strict_json::canonical(&body);
            let fingerprint = Fingerprint::of(call.method, &call.path, API_VERSION, &canonical);
            Claim { key, fingerprint }
        });
        Ok(Self {
            caller: call.caller,
            request: call.request_id,
            claim,
            is_dry_run: false,
            body,
            cards,
        })
    }

    /// The body, until a reader has taken it.
    #[must_use]
    pub const fn body(&self) -> &Object {
        &self.body
    }

    /// Reads the body with a reader.
    ///
    /// # Errors
    /// Everything that is wrong with the body.
    pub fn read_by<B: Body>(&mut self, reader: &B) -> Reading<B::Out> {
        reader.whole(std::mem::take(&mut self.body), self.cards)
    }

    /// The same request as a dry run, if `is_dry_run`.
    #[must_use]
    pub fn trying(self, is_dry_run: bool) -> Self {
        Self { is_dry_run, ..self }
    }

    /// The tenant that the caller acts for.
    #[must_use]
    pub fn tenant(&self) -> Tenant {
        self.caller.tenant.clone()
    }

    /// The author, for the audit log.
    #[must_use]
    pub fn origin(&self) -> Origin {
        Origin {
            kind: "api_key",
            id: self.caller.label.clone(),
            request: Some(self.request.clone()),
        }
    }

    /// The idempotency key, if the request has one.
    #[must_use]
    pub fn key(&self) -> Option<&Key> {
        self.claim.as_ref().map(|claim| &claim.key)
    }

    /// The idempotency key as text; empty if the request has none.
    #[must_use]
    pub fn key_text(&self) -> String {
        self.key()
            .map_or_else(String::new, |key| key.as_str().to_owned())
    }

    /// The same request, with another command in the books of this tenant.
    pub fn request_for<C: Command>(
        &self,
        tenant: Tenant,
        command: C,
        show: Show<C>,
        show_refusal: ShowRefusal<C>,
    ) -> Request<C> {
        Request {
            origin: self.origin(),
            tenant,
            command,
            claim: self.claim.clone(),
            is_dry_run: self.is_dry_run,
            show,
            show_refusal,
        }
    }

    /// The request to the lane, with this command.
    pub fn request<C: Command>(
        self,
        command: C,
        show: Show<C>,
        show_refusal: ShowRefusal<C>,
    ) -> Request<C> {
        Request {
            origin: self.origin(),
            tenant: self.caller.tenant,
            command,
            claim: self.claim,
            is_dry_run: self.is_dry_run,
            show,
            show_refusal,
        }
    }
}
