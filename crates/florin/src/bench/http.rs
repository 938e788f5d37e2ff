//! The part of HTTP/1.1 that a load generator needs.
//!
//! It runs on the same processors as the server that it measures, so it does as little as possible: one write
//! for each request, buffers that are used again, and of an answer only the status and the length are read. It
//! works with this project's own server on loopback, and with no other.

use std::io::{self, Write as _};
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Largest answer in bytes: a thousand results fit.
const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// One connection, which is used again.
pub(crate) struct Client {
    stream: TcpStream,
    /// The constant part of a request, up to the value of `Idempotency-Key`.
    head: Vec<u8>,
    request: Vec<u8>,
    answer: Vec<u8>,
    body_at: usize,
}

/// The head of an answer.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    /// Position of the body.
    body_at: usize,
    /// Position of the end of the body.
    end: usize,
}

impl Client {
    /// Connects to the server, for posts to one path.
    pub(crate) async fn connect(
        address: SocketAddr,
        path: &str,
        api_key: &str,
    ) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {api_key}\r\n\
             Content-Type: application/json\r\nIdempotency-Key: "
        );
        Ok(Self {
            stream,
            head: head.into_bytes(),
            request: Vec::with_capacity(1_024),
            answer: Vec::with_capacity(4_096),
            body_at: 0,
        })
    }

    /// Posts, and returns the answer's status.
    pub(crate) async fn post(&mut self, key: &str, body: &str) -> io::Result<u16> {
        self.request.clear();
        self.request.extend_from_slice(&self.head);
        write!(
            self.request,
            "{key}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )?;
        self.stream.write_all(&self.request).await?;
        self.answer.clear();
        loop {
            if self.stream.read_buf(&mut self.answer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            match read_head(&self.answer)? {
                Some(head) if self.answer.len() >= head.end => {
                    self.body_at = head.body_at;
                    return Ok(head.status);
                }
                Some(_) | None if self.answer.len() > MAX_ANSWER_BYTES => {
                    return Err(not_understood("the answer is too long"));
                }
                Some(_) | None => {}
            }
        }
    }

    /// The body of the last answer.
    pub(crate) fn last_body(&self) -> String {
        String::from_utf8_lossy(self.answer.get(self.body_at..).unwrap_or_default()).into_owned()
    }
}

/// Reads the head of an answer, if it has arrived completely.
fn read_head(answer: &[u8]) -> io::Result<Option<Head>> {
    let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Ok(None);
    };
    let body_at = end + 4;
    let head = answer.get(..end).unwrap_or_default();
    let head = std::str::from_utf8(head).map_err(|_error| not_understood("the head is no text"))?;
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let status = status.ok_or_else(|| not_understood("there is no status"))?;
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>().ok())?
    });
    let length = length.ok_or_else(|| not_understood("there is no content-length"))?;
    Ok(Some(Head {
        status,
        body_at,
        end: body_at.saturating_add(length),
    }))
}

fn not_understood(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
#[expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise"
)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    const ANSWER: &[u8] = b"HTTP/1.1 201 Created\r\nDate: now\r\ncontent-length: 5\r\n\r\n{\"a\"}";

    #[test]
    fn a_head_is_read_once_it_is_whole() {
        let head = Head {
            status: 201,
            body_at: 54,
            end: 59,
        };
        assert_eq!(ANSWER.len(), 59);
        assert_eq!(read_head(ANSWER).unwrap(), Some(head));
        assert_eq!(read_head(&ANSWER[..53]).unwrap(), None);
        assert!(read_head(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
        assert!(read_head(b"garbage\r\ncontent-length: 0\r\n\r\n").is_err());
    }

    #[tokio::test]
    async fn an_answer_in_pieces_is_put_together_and_the_connection_is_kept() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = Vec::new();
            for _ in 0..2 {
                while !asked.ends_with(b"{}") {
                    stream.read_buf(&mut asked).await.unwrap();
                }
                for piece in ANSWER.chunks(7) {
                    stream.write_all(piece).await.unwrap();
                    stream.flush().await.unwrap();
                }
                asked.push(b'\n');
            }
            String::from_utf8(asked).unwrap()
        });
        let mut client = Client::connect(address, "/v1/transfers", "k")
            .await
            .unwrap();
        assert_eq!(client.post("one", "{}").await.unwrap(), 201);
        assert_eq!(client.post("two", "{}").await.unwrap(), 201);
        assert_eq!(client.last_body(), "{\"a\"}");
        let asked = server.await.unwrap();
        assert!(asked.starts_with("POST /v1/transfers HTTP/1.1\r\n"));
        assert!(asked.contains("Idempotency-Key: two\r\nContent-Length: 2\r\n\r\n{}"));
    }
}
