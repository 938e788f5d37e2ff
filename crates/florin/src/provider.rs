//! The provider as seen from here: two requests over HTTP, and what their answers mean.

use std::time::Duration;

use payments::{Fact, JsonError, MalformedAnswer, Operation};

/// An answer longer than this is not read to its end.
const LONGEST_ANSWER: usize = 64 * 1024;

/// A provider that speaks the sandbox's protocol.
#[derive(Debug, Clone)]
pub(crate) struct Provider {
    base: String,
    http: reqwest::Client,
}

/// What a provider answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Heard {
    /// What became of the operation, for good.
    Done {
        /// What it says.
        fact: Fact,
        /// The bytes that say it; none where the status alone does.
        answer: Vec<u8>,
    },
    /// The provider has never heard of it.
    Unknown,
    /// Nothing that could be relied on, and why.
    Nothing(String),
    /// An answer that cannot be right, whatever is known of the operation.
    Wrong {
        /// Why.
        cause: String,
        /// The bytes of the answer.
        answer: Vec<u8>,
    },
}

impl Provider {
    /// A provider at `base` (`http://…`), which may take `timeout` for an answer.
    ///
    /// # Errors
    /// Whatever the HTTP client says of its own set-up.
    pub(crate) fn new(base: String, timeout: Duration) -> Result<Self, reqwest::Error> {
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
    pub(crate) async fn charge(&self, operation: &Operation) -> Heard {
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
            Ok((status @ (200 | 402), bytes)) => match read(operation, bytes) {
                // The status says once more how it ended.
                Heard::Done {
                    fact: Fact::Succeeded { .. },
                    answer,
                } if status == 402 => wrong("402 with a charge that succeeded", answer),
                Heard::Done {
                    fact: Fact::Failed { .. },
                    answer,
                } if status == 200 => wrong("200 with a charge that failed", answer),
                heard @ (Heard::Done { .. }
                | Heard::Unknown
                | Heard::Nothing(_)
                | Heard::Wrong { .. }) => heard,
            },
            Ok((400 | 422, _)) => Heard::Done {
                fact: Fact::Failed {
                    decline_code: "refused_by_provider".to_owned(),
                    charge: None,
                },
                answer: Vec::new(),
            },
            Ok((status, _)) => Heard::Nothing(format!("the provider answered {status}")),
            Err(cause) => Heard::Nothing(cause),
        }
    }

    /// Asks what became of an operation.
    pub(crate) async fn inquire(&self, operation: &Operation) -> Heard {
        let url = format!(
            "{}/v1/charges?idempotency_key={}",
            self.base, operation.provider_key
        );
        match answer(self.http.get(url)).await {
            Ok((200, bytes)) => read(operation, bytes),
            Ok((404, _)) => Heard::Unknown,
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

/// An answer is believed only if it is whole and about the operation that was asked for. Whether it fits
/// what was asked and what is known is `payments`' to say.
fn read(operation: &Operation, answer: Vec<u8>) -> Heard {
    match payments::read_answer(&answer) {
        Ok((provider_key, _)) if provider_key != operation.provider_key => {
            wrong("the provider's answer is about something else", answer)
        }
        Ok((_, fact)) => Heard::Done { fact, answer },
        Err(
            error @ (MalformedAnswer::NotFinal | MalformedAnswer::Json(JsonError::Malformed(_))),
        ) => Heard::Nothing(error.to_string()),
        Err(
            error @ (MalformedAnswer::Field(_)
            | MalformedAnswer::Json(JsonError::DuplicateKey { .. })),
        ) => wrong(&error.to_string(), answer),
    }
}

fn wrong(cause: &str, answer: Vec<u8>) -> Heard {
    Heard::Wrong {
        cause: cause.to_owned(),
        answer,
    }
}
