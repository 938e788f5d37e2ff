//! Calling a provider over HTTP.

use std::sync::Arc;
use std::time::Duration;

use crash_points::{Point, here};
use payments::Operation;
use payments::providers::{Dialect, ProviderAnswer, ProviderRequest};

/// Longest answer that is read, in bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// A provider: its address, its dialect, and the HTTP client.
#[derive(Clone)]
pub(crate) struct Provider {
    base: String,
    dialect: Arc<dyn Dialect>,
    http: reqwest::Client,
}

impl Provider {
    /// A provider at the address `base` (`http://…`), which must answer within `timeout`.
    ///
    /// # Errors
    /// The error of the HTTP client, if it cannot be set up.
    pub(crate) fn new(
        base: String,
        dialect: Arc<dyn Dialect>,
        timeout: Duration,
    ) -> Result<Self, reqwest::Error> {
        // An error means that a crypto provider is installed already, which is as good.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .timeout(timeout)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()?;
        Ok(Self {
            base,
            dialect,
            http,
        })
    }

    /// Asks for the execution of an operation. If the same operation is requested again, it is executed once.
    pub(crate) async fn request(&self, operation: &Operation) -> ProviderAnswer {
        match self.send(self.dialect.request(operation)).await {
            Ok((status, answer)) => self.dialect.answered(operation, status, answer),
            Err(cause) => ProviderAnswer::Nothing(cause),
        }
    }

    /// Asks for the outcome of an operation.
    pub(crate) async fn inquire(&self, operation: &Operation) -> ProviderAnswer {
        match self.send(self.dialect.inquiry(operation)).await {
            Ok((status, answer)) => self.dialect.inquired(operation, status, answer),
            Err(cause) => ProviderAnswer::Nothing(cause),
        }
    }

    async fn send(&self, outgoing: ProviderRequest) -> Result<(u16, Vec<u8>), String> {
        let url = format!("{}{}", self.base, outgoing.path);
        let mut request = match outgoing.method {
            "POST" => self.http.post(url),
            _ => self.http.get(url),
        };
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
