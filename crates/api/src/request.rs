//! What every request has: an id, and a body that is bounded in size and in time.

use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::{Bytes, BytesMut, Payload};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use futures_util::StreamExt as _;

use crate::problem::{Code, Problem};

/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(10);
const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");

/// A request's id: `req_` and 16 hexadecimal digits.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(String);

impl RequestId {
    fn fresh() -> Self {
        let mut bytes = [0; 8];
        // An id that is not unique is a nuisance in the log and nothing worse.
        let _no_randomness = getrandom::fill(&mut bytes);
        Self(format!("req_{}", hex::encode(bytes)))
    }

    pub(crate) fn of(request: &HttpRequest) -> String {
        request
            .extensions()
            .get::<Self>()
            .map(|id| id.0.clone())
            .unwrap_or_default()
    }
}

/// Gives a request its id, says it in the answer, and counts what was answered.
pub(crate) async fn identify(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let id = RequestId::fresh();
    let header = HeaderValue::from_str(&id.0);
    request.extensions_mut().insert(id);
    let mut response = next.call(request).await?;
    if let Ok(header) = header {
        response.headers_mut().insert(REQUEST_ID, header);
    }
    let class = match response.status().as_u16() {
        ..400 => "ok",
        400..500 => "refused",
        _ => "failed",
    };
    metrics::counter!("florin_http_answers_total", "class" => class).increment(1);
    Ok(response)
}

/// Turns a handler's outcome into an answer.
pub(crate) async fn answer(
    request: &HttpRequest,
    work: impl Future<Output = Result<HttpResponse, Problem>>,
) -> HttpResponse {
    match work.await {
        Ok(response) => response,
        Err(problem) => problem.into_response(&RequestId::of(request)),
    }
}

/// Reads a body of at most `most` bytes.
pub(crate) async fn body(mut payload: Payload, most: usize) -> Result<Bytes, Problem> {
    let read = async {
        let mut bytes = BytesMut::new();
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_broken| Problem::new(Code::MalformedJson))?;
            if bytes.len().saturating_add(chunk.len()) > most {
                return Err(Problem::new(Code::PayloadTooLarge)
                    .with_detail(format!("a body has at most {most} bytes")));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes.freeze())
    };
    match tokio::time::timeout(BODY_TIME, read).await {
        Ok(read) => read,
        Err(_elapsed) => Err(Problem::new(Code::RequestTimeout)),
    }
}
