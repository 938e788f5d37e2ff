//! The provider as seen from here: two requests over HTTP, and what their answers mean.

use std::time::Duration;

use money::{Amount, Currency, Money};
use payments::{Fact, Operation};
use serde::Deserialize;

/// An answer longer than this is not read to its end.
const LONGEST_ANSWER: usize = 64 * 1024;

/// A provider that speaks the sandbox's protocol.
#[derive(Debug, Clone)]
pub struct Provider {
    base: String,
    http: reqwest::Client,
}

/// What a provider answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// What became of the operation, for good.
    Done(Fact),
    /// The provider has never heard of it.
    NeverHeard,
    /// Nothing that could be relied on, and why.
    Nothing(String),
}

#[derive(Deserialize)]
struct Charge {
    id: String,
    status: String,
    amount: i64,
    currency: String,
    idempotency_key: String,
    decline_code: Option<String>,
}

impl Provider {
    /// A provider at `base` (`http://…`), which may take `timeout` for an answer.
    ///
    /// # Errors
    /// Whatever the HTTP client says of its own set-up.
    pub fn new(base: String, timeout: Duration) -> Result<Self, reqwest::Error> {
        // Already installed is just as good.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .timeout(timeout)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()?;
        Ok(Self { base, http })
    }

    /// Asks for an operation to be done. The same operation asked for again is done once.
    pub async fn charge(&self, operation: &Operation) -> Heard {
        let body = serde_json::json!({
            "amount": operation.money.amount.get(),
            "currency": operation.money.currency.code(),
            "payment_method": operation.payment_method,
            "reference": operation.payment.to_string(),
        });
        let request = self
            .http
            .post(format!("{}/v1/charges", self.base))
            .header("Idempotency-Key", &operation.provider_key)
            .json(&body);
        match answer(request).await {
            Ok((200 | 402, bytes)) => read(operation, &bytes),
            Ok((400 | 422, _)) => Heard::Done(Fact::Failed {
                decline_code: "refused_by_provider".to_owned(),
            }),
            Ok((status, _)) => Heard::Nothing(format!("the provider answered {status}")),
            Err(cause) => Heard::Nothing(cause),
        }
    }

    /// Asks what became of an operation.
    pub async fn inquire(&self, operation: &Operation) -> Heard {
        let url = format!(
            "{}/v1/charges?idempotency_key={}",
            self.base, operation.provider_key
        );
        match answer(self.http.get(url)).await {
            Ok((200, bytes)) => read(operation, &bytes),
            Ok((404, _)) => Heard::NeverHeard,
            Ok((status, _)) => Heard::Nothing(format!("the provider answered {status}")),
            Err(cause) => Heard::Nothing(cause),
        }
    }
}

async fn answer(request: reqwest::RequestBuilder) -> Result<(u16, Vec<u8>), String> {
    let mut response = request.send().await.map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| error.to_string())? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > LONGEST_ANSWER {
            return Err("the provider's answer is too long".to_owned());
        }
    }
    Ok((response.status().as_u16(), bytes))
}

/// An answer is believed only if it is about the operation that was asked for. Whether the amount
/// is right is the state machine's to say.
fn read(operation: &Operation, bytes: &[u8]) -> Heard {
    let Ok(charge) = serde_json::from_slice::<Charge>(bytes) else {
        return Heard::Nothing("the provider's answer is not a charge".to_owned());
    };
    if charge.idempotency_key != operation.provider_key {
        return Heard::Nothing("the provider's answer is about something else".to_owned());
    }
    let short = |text: &str| {
        text.chars()
            .take(255)
            .filter(|c| *c != '\0')
            .collect::<String>()
    };
    match charge.status.as_str() {
        "succeeded" => {
            match (
                Amount::new(charge.amount),
                Currency::from_code(&charge.currency),
            ) {
                (Ok(amount), Ok(currency)) => Heard::Done(Fact::Succeeded {
                    reference: short(&charge.id),
                    money: Money { amount, currency },
                }),
                _ => Heard::Nothing("the provider's answer has no amount of money".to_owned()),
            }
        }
        "failed" => Heard::Done(Fact::Failed {
            decline_code: short(charge.decline_code.as_deref().unwrap_or("declined")),
        }),
        status => Heard::Nothing(format!(
            "the provider's answer has the status {}",
            short(status)
        )),
    }
}
