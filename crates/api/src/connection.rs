//! One client's connection, between the socket and the HTTP library. It changes three behaviours that the library
//! has no setting for:
//!
//! - If the library itself refuses a request (its head is malformed, too large or too slow), the answer has an
//!   empty body. Here that answer becomes a problem with a `Request-Id`, as every refusal is.
//! - The library sends `100 Continue` before a handler sees the request. Here the `100 Continue` waits until a
//!   handler reads the body, so that a refusal can be sent instead.
//! - The library goes on reading a body that no handler reads, and a body may have no end. Here the answer to such
//!   a request is the last one on the connection, and at most [`LEFT_UNREAD`] more bytes of the body are read.
//!
//! The connection never looks into a request, and changes none of our own answers: each of them has a `Request-Id`,
//! and the answers of the library have none.

pub(crate) mod unread;

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime};

use actix_http::Protocol;
use actix_web::http::StatusCode;
use actix_web::http::header::HttpDate;
use edge::Problem;
use edge::code::{INTERNAL, of_status};
use edge::problem::CONTENT_TYPE;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::request::RequestId;

/// Greatest number of bytes of an unread body that are read and dropped after the answer, so that a client that is
/// still sending can receive the answer.
const LEFT_UNREAD: usize = 4 * 1024 * 1024;
/// Longest time for which a connection stays open after its last answer, for the same reason.
pub(crate) const LINGER: Duration = Duration::from_secs(1);

const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
const END_OF_HEAD: &[u8] = b"\r\n\r\n";

/// The state that a connection shares with its requests.
#[derive(Debug, Default)]
pub(crate) struct Talk {
    /// Number of requests whose `100 Continue` the library is about to write.
    expecting: Cell<u32>,
    /// The stage of the request that expects a `100 Continue`.
    stage: Cell<Stage>,
    /// True if a `100 Continue` was withheld, and waits for a handler to read the body.
    withheld: Cell<bool>,
    /// True if the withheld `100 Continue` is to be sent.
    due: Cell<bool>,
    /// Number of bytes that may still be read; `None` while there is no limit.
    left: Cell<Option<usize>>,
    /// True if a body ended too early or has a broken encoding. The handler answers such a request.
    broken: Cell<bool>,
    /// True if there is a body that has not arrived completely.
    coming: Cell<bool>,
}

/// The stage of a request. The library hands the request over before it writes the `100 Continue`, so at that time
/// the request can be in each of these stages.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// No handler reads the body yet.
    #[default]
    Unread,
    /// A handler reads the body.
    Reading,
    /// The request is answered.
    Answered,
}

impl Talk {
    /// Notes that a request has arrived.
    pub(crate) fn asked(&self) {
        self.stage.set(Stage::Unread);
        self.coming.set(false);
    }

    /// Notes that the library is about to write a `100 Continue`.
    pub(crate) fn expect_continue(&self) {
        self.expecting.set(self.expecting.get().saturating_add(1));
        self.asked();
    }

    /// Notes that a handler reads the body of the request.
    fn body_is_read(&self) {
        self.stage.set(Stage::Reading);
        if self.withheld.take() {
            self.due.set(true);
        }
    }

    /// Notes that the request is answered: nothing is withheld any more.
    pub(crate) fn answered(&self) {
        self.stage.set(Stage::Answered);
        self.withheld.set(false);
    }

    /// Withholds a `100 Continue` that the library writes. It is sent once a handler reads the body, and never after
    /// the answer.
    fn withhold(&self) {
        self.expecting.set(self.expecting.get().saturating_sub(1));
        match self.stage.get() {
            Stage::Unread => self.withheld.set(true),
            Stage::Reading => self.due.set(true),
            Stage::Answered => {}
        }
    }

    /// Notes that the answer is the last one, and that the rest of the body is not wanted.
    fn leave_unread(&self) {
        self.left.set(Some(LEFT_UNREAD));
    }

    /// Notes that the body is broken. The handler answers the request.
    fn body_is_broken(&self) {
        self.broken.set(true);
    }

    /// Whether the request waits for its body and for its answer.
    fn is_half_asked(&self) -> bool {
        self.coming.get() && self.stage.get() != Stage::Answered
    }

    /// Whether the request is answered already, so that an answer of the library would be a second one.
    fn is_answered(&self) -> bool {
        self.broken.get() || self.left.get().is_some()
    }
}

/// A stream between a client and the HTTP library.
pub(crate) struct Connection {
    /// The socket. It is taken only when the connection is dropped.
    socket: Option<TcpStream>,
    talk: Rc<Talk>,
    /// Our own bytes that are still to be sent.
    own: Vec<u8>,
    /// True if the library has refused the request. The library then closes the connection.
    refused: bool,
    /// True if the client has closed its side, or is gone.
    ended: bool,
}

impl Connection {
    /// Accepts a client.
    pub(crate) async fn accept(
        socket: TcpStream,
    ) -> Result<(Self, Protocol, Option<SocketAddr>), actix_http::error::DispatchError> {
        let peer = socket.peer_addr().ok();
        let connection = Self {
            socket: Some(socket),
            talk: Rc::default(),
            own: Vec::new(),
            refused: false,
            ended: false,
        };
        Ok((connection, Protocol::Http1, peer))
    }

    /// The shared state, for the requests on this connection.
    pub(crate) fn talk(&self) -> Rc<Talk> {
        Rc::clone(&self.talk)
    }

    fn socket(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        let socket = self.socket.as_mut().map(Pin::new);
        socket.ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    /// Sends our own bytes before anything else.
    fn poll_own(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.talk.due.take() {
            self.own.extend_from_slice(CONTINUE);
        }
        while !self.own.is_empty() {
            let own = std::mem::take(&mut self.own);
            let polled = self.socket().map(|socket| socket.poll_write(cx, &own));
            self.own = own;
            let written = ready!(polled?)?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.own.drain(..written.min(self.own.len()));
        }
        Poll::Ready(Ok(()))
    }

    /// Writes a problem instead of the library's refusal. The refusal is reported as written only after the problem
    /// is sent, because the library may close the connection right afterwards.
    fn poll_refusal(&mut self, cx: &mut Context<'_>, head: &[u8]) -> Poll<io::Result<usize>> {
        if !self.refused {
            self.refused = true;
            if !self.talk.is_answered() {
                let status = status(head).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                self.own = refusal(status);
            }
        }
        ready!(self.poll_own(cx))?;
        Poll::Ready(Ok(head.len()))
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let left = self.talk.left.get();
        if left == Some(0) {
            // The library then acts as if the client had closed its side.
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let polled = ready!(self.socket()?.poll_read(cx, buffer));
        let read = buffer.filled().len().saturating_sub(before);
        self.ended |= read == 0;
        polled?;
        if let Some(left) = left {
            self.talk.left.set(Some(left.saturating_sub(read)));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_own(cx))?;
        let mut bytes = bytes;
        if self.talk.expecting.get() > 0
            && let Some(at) = find(bytes, CONTINUE)
        {
            if at == 0 {
                self.talk.withhold();
                return Poll::Ready(Ok(CONTINUE.len()));
            }
            bytes = bytes.get(..at).unwrap_or(bytes);
        } else if let Some(at) = start_of_refusal(bytes) {
            let (before, head) = bytes.split_at_checked(at).unwrap_or((bytes, &[]));
            if before.is_empty() {
                return self.poll_refusal(cx, head);
            }
            bytes = before;
        }
        self.socket()?.poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_own(cx))?;
        self.socket()?.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_own(cx))?;
        self.socket()?.poll_shutdown(cx)
    }
}

/// If the encoding of a body breaks before its handler has read it, the library closes the connection without
/// an answer; the refusal is sent here instead. If a socket is closed while there are unread bytes, the client
/// may lose the answer; so after a refusal the rest of the request is read, for at most [`LINGER`].
impl Drop for Connection {
    fn drop(&mut self) {
        let Some(socket) = self.socket.take() else {
            return;
        };
        let is_cut_off =
            self.talk.is_half_asked() && !self.ended && !self.refused && !std::thread::panicking();
        if is_cut_off {
            // This does not wait. The answer is lost if the buffer of the socket has no room for it.
            let _written = socket.try_write(&refusal(StatusCode::BAD_REQUEST));
        }
        if !(is_cut_off || self.refused) {
            return;
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(tokio::time::timeout(LINGER, hear_out(socket)));
        }
    }
}

async fn hear_out(mut socket: TcpStream) {
    let _ended = tokio::io::AsyncWriteExt::shutdown(&mut socket).await;
    let mut rest = socket.take(u64::try_from(LEFT_UNREAD).unwrap_or(u64::MAX));
    let _gone = tokio::io::copy(&mut rest, &mut tokio::io::sink()).await;
}

/// The place at which the library's own refusal begins. It is the last thing that the library writes: a head
/// with the status of an error and without the `Request-Id` that each of our answers has.
fn start_of_refusal(bytes: &[u8]) -> Option<usize> {
    if !bytes.ends_with(END_OF_HEAD) {
        return None;
    }
    let at = bytes.windows(7).rposition(|window| window == b"HTTP/1.")?;
    let head = bytes.get(at..)?;
    let is_ours = find(head, b"\r\nrequest-id: ").is_some();
    let is_whole = find(head, END_OF_HEAD)? == head.len().saturating_sub(END_OF_HEAD.len());
    let status = status(head)?;
    let is_error = status.is_client_error() || status.is_server_error();
    (is_whole && is_error && !is_ours).then_some(at)
}

fn status(head: &[u8]) -> Option<StatusCode> {
    StatusCode::from_bytes(head.get(9..12)?).ok()
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

/// The whole answer that replaces the library's refusal. It is counted and logged.
fn refusal(status: StatusCode) -> Vec<u8> {
    let code = of_status(status.as_u16());
    let id = RequestId::fresh();
    let request = id.as_str();
    let status = StatusCode::from_u16(code.status).unwrap_or(status);
    if code == INTERNAL {
        tracing::error!(request, "the HTTP library has failed");
    } else {
        // Anybody can send malformed bytes, so this line says nothing about the state of the service.
        tracing::debug!(request, %status, "what was sent is no request");
    }
    metrics::counter!("florin_http_no_requests_total", "status" => status.as_str().to_owned())
        .increment(1);
    let body = Problem::new(code).body(Some(request));
    let date = HttpDate::from(SystemTime::now());
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\ncontent-type: {CONTENT_TYPE}\r\nrequest-id: \
         {request}\r\nconnection: close\r\ndate: {date}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), &body].concat()
}
