//! The parts that every request has: an id, a body bounded in size and in time, an answer in one form.

use std::rc::Rc;
use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{ConnectionType, Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::{Bytes, BytesMut, Payload};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use edge::code::{self, of_status};
use edge::problem::CONTENT_TYPE;
use edge::{Headers, Problem, Response};
use futures_util::StreamExt as _;

use crate::connection::Talk;
use crate::connection::unread::{Answer, WatchedBody};

/// Longest time in which a body must arrive.
const BODY_TIME: Duration = Duration::from_secs(10);
const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");

/// A request's id: `req_` and 16 hexadecimal digits.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(String);

impl RequestId {
    pub(crate) fn fresh() -> Self {
        let mut bytes = [0; 8];
        // Without randomness the id is not unique. Then only the log is harder to read.
        let _no_randomness = getrandom::fill(&mut bytes);
        Self(format!("req_{}", hex::encode(bytes)))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn of(request: &HttpRequest) -> String {
        request
            .extensions()
            .get::<Self>()
            .map(|id| id.0.clone())
            .unwrap_or_default()
    }
}

/// Gives a request its id, adds the id to the answer, and counts the answer. A HEAD is served like a GET, and only
/// the head of the answer is sent. If the body of a request is not read to its end, the answer is the last one on
/// its connection.
pub(crate) async fn identify(
    mut request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<Answer>, actix_web::Error> {
    let id = RequestId::fresh();
    let header = HeaderValue::from_str(&id.0);
    request.extensions_mut().insert(id.clone());
    if let Some(talk) = request.conn_data::<Rc<Talk>>() {
        talk.asked();
    }
    let is_head = request.method() == Method::HEAD;
    if is_head {
        request.head_mut().method = Method::GET;
    }
    let body = WatchedBody::body_of(&mut request);
    let mut response = in_one_form(next.call(request).await?, &id);
    let mut unread = None;
    if let Some(body) = body
        && !body.has_ended().await
    {
        body.leave();
        let head = response.response_mut().head_mut();
        head.set_connection_type(ConnectionType::Close);
        unread = Some(body);
    }
    if let Some(talk) = response.request().conn_data::<Rc<Talk>>() {
        talk.answered();
    }
    if let Ok(header) = header {
        response.headers_mut().insert(REQUEST_ID, header);
    }
    let class = match response.status().as_u16() {
        ..400 => "ok",
        400..500 => "refused",
        _ => "failed",
    };
    metrics::counter!("florin_http_answers_total", "class" => class).increment(1);
    Ok(response.map_body(|_, body| Answer {
        body,
        is_head,
        unread,
    }))
}

/// Replaces a refusal of the HTTP library, or of the page of the description, by a problem.
fn in_one_form(response: ServiceResponse<BoxBody>, id: &RequestId) -> ServiceResponse<BoxBody> {
    let status = response.status();
    let is_refusal = status.is_client_error() || status.is_server_error();
    let content_type = response.headers().get(header::CONTENT_TYPE);
    let is_problem = content_type.is_some_and(|found| found == CONTENT_TYPE);
    if !is_refusal || is_problem {
        return response;
    }
    let problem = Problem::new(of_status(status.as_u16()));
    response.into_response(written(problem.into_response(id.as_str())))
}

/// Converts a response of the edge into one of the HTTP library.
pub(crate) fn written(response: Response) -> HttpResponse {
    let status = StatusCode::from_u16(response.status);
    let mut written = HttpResponse::build(status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
    for header in response.headers {
        written.insert_header(header);
    }
    if response.status == StatusCode::NO_CONTENT.as_u16() {
        return written.finish();
    }
    written.body(response.body)
}

/// The headers of a request.
pub(crate) fn headers(headers: &HeaderMap) -> Headers {
    let own = headers.iter();
    own.map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect()
}

/// Reads a body of at most `max_body` bytes. If the head announces more bytes, the body is refused unread.
pub(crate) async fn body(
    request: &HttpRequest,
    mut payload: Payload,
    max_body: usize,
) -> Result<Bytes, Problem> {
    let too_large = || {
        Problem::new(code::PAYLOAD_TOO_LARGE)
            .with_detail(format!("a body has at most {max_body} bytes"))
    };
    if announced(request).is_some_and(|length| length > max_body) {
        return Err(too_large());
    }
    let read = async {
        let mut bytes = BytesMut::new();
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_broken| Problem::new(code::MALFORMED_JSON))?;
            if bytes.len().saturating_add(chunk.len()) > max_body {
                return Err(too_large());
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes.freeze())
    };
    match tokio::time::timeout(BODY_TIME, read).await {
        Ok(read) => read,
        Err(_elapsed) => Err(Problem::new(code::REQUEST_TIMEOUT)),
    }
}

/// The length that the head announces. A number that cannot be read counts as the greatest one.
fn announced(request: &HttpRequest) -> Option<usize> {
    let length = request.headers().get(header::CONTENT_LENGTH)?;
    let length = length.to_str().ok()?.trim();
    Some(length.parse().unwrap_or(usize::MAX))
}
