//! Calling a provider over HTTP.

use std::sync::Arc;
use std::time::Duration;

use crash_points::{Point, here};
use payments::providers::{Dialect, ProviderAnswer, ProviderRequest, Unsendable};
use payments::{Fact, LeasedOperation};
use reqwest::header::{AUTHORIZATION, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use store::TenantId;

/// Longest answer that is read, in bytes. A page of a list may have a hundred records.
const MAX_ANSWER_BYTES: usize = 2 * 1024 * 1024;
/// Greatest number of requests of one inquiry after its first.
const MAX_FURTHER: usize = 20;

/// A provider: its address, its dialect, and the HTTP client.
#[derive(Clone)]
pub(crate) struct Provider {
    base: String,
    dialect: Arc<dyn Dialect>,
    /// The value of `Authorization` of every request. Its text is in no log.
    authorization: Option<HeaderValue>,
    http: reqwest::Client,
    /// Whether the provider is told which tenant calls. Only a provider that is played needs it, for its faults.
    tells_tenant: bool,
}

impl Provider {
    /// A provider at the address `base` (`http://…`), which must answer within `timeout`, and which gets this API key. `tells_tenant` tells it which
    /// tenant calls.
    ///
    /// # Errors
    /// The error of the HTTP client, if it cannot be set up.
    pub(crate) fn new(
        base: String,
        dialect: Arc<dyn Dialect>,
        timeout: Duration,
        key: Option<&SecretString>,
        tells_tenant: bool,
    ) -> Result<Self, reqwest::Error> {
        // An error means that a crypto provider is installed already, which is as good.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .timeout(timeout)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()?;
        // The settings take only keys that can stand in a header.
        let authorization = key.and_then(|key| {
            let text = format!("Bearer {}", key.expose_secret());
            let mut value = HeaderValue::try_from(text).ok()?;
            value.set_sensitive(true);
            Some(value)
        });
        Ok(Self {
            base,
            dialect,
            authorization,
            http,
            tells_tenant,
        })
    }

    /// Asks for the execution of an operation. If the same operation is requested again, it is executed once.
    pub(crate) async fn request(
        &self,
        tenant: TenantId,
        leased: &LeasedOperation,
    ) -> ProviderAnswer {
        let request = match self.dialect.request(leased) {
            Ok(request) => request,
            Err(Unsendable { decline_code }) => {
                let fact = Fact::Failed {
                    decline_code: decline_code.to_owned(),
                    record: None,
                };
                let answer = Vec::new();
                return ProviderAnswer::Done { fact, answer };
            }
        };
        match self.send(tenant, request).await {
            Ok((status, answer)) => self.dialect.answered(leased, status, answer),
            Err(cause) => ProviderAnswer::Nothing(cause),
        }
    }

    /// Asks for the outcome of an operation. An inquiry may take several requests.
    pub(crate) async fn inquire(
        &self,
        tenant: TenantId,
        leased: &LeasedOperation,
    ) -> ProviderAnswer {
        let mut request = self.dialect.inquiry(leased);
        let mut left = MAX_FURTHER;
        loop {
            let (status, answer) = match self.send(tenant, request).await {
                Ok(answered) => answered,
                Err(cause) => return ProviderAnswer::Nothing(cause),
            };
            match self.dialect.further(leased, status, &answer) {
                Some(next) if left > 0 => request = next,
                Some(_) | None => return self.dialect.inquired(leased, status, answer),
            }
            left = left.saturating_sub(1);
        }
    }

    async fn send(
        &self,
        tenant: TenantId,
        outgoing: ProviderRequest,
    ) -> Result<(u16, Vec<u8>), String> {
        let url = format!("{}{}", self.base, outgoing.path);
        let mut request = match outgoing.method {
            "POST" => self.http.post(url),
            _ => self.http.get(url),
        };
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        if self.tells_tenant {
            request = request.header("sandbox-tenant", tenant.to_string());
        }
        for (name, value) in outgoing.headers {
            request = request.header(name, value);
        }
        if let Some(body) = outgoing.body {
            request = request.body(body);
        }
        here(Point::CallBefore);
        let mut response = request.send().await.map_err(|error| error.to_string())?;
        here(Point::CallSent);
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| error.to_string())? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > MAX_ANSWER_BYTES {
                return Err("the provider's answer is too long".to_owned());
            }
        }
        here(Point::CallAfter);
        Ok((response.status().as_u16(), bytes))
    }
}
