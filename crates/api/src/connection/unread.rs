//! Bodies that a handler has not read to the end.

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use actix_web::web::Bytes;
use futures_util::Stream;

use super::Talk;

/// The body of a request, watched while a handler reads it.
pub(crate) struct WatchedBody {
    payload: RefCell<Payload>,
    ended: Cell<bool>,
    broken: Cell<bool>,
    talk: Option<Rc<Talk>>,
}

/// The body, as the handler reads it.
struct Reading(Rc<WatchedBody>);

impl WatchedBody {
    /// Watches the body of a request; `None` if the request has no body.
    pub(crate) fn body_of(request: &mut ServiceRequest) -> Option<Rc<Self>> {
        let payload = std::mem::replace(request.parts_mut().1, Payload::None);
        if matches!(payload, Payload::None) {
            return None;
        }
        let watched = Rc::new(Self {
            payload: RefCell::new(payload),
            ended: Cell::new(false),
            broken: Cell::new(false),
            talk: request.conn_data::<Rc<Talk>>().cloned(),
        });
        if let Some(talk) = &watched.talk {
            talk.coming.set(true);
        }
        let payload = Box::pin(Reading(Rc::clone(&watched)));
        request.set_payload(Payload::Stream { payload });
        Some(watched)
    }

    /// Whether the whole body was read. Bytes that have arrived and were not read are read now, so that a small
    /// body does not cost the connection.
    pub(crate) async fn has_ended(&self) -> bool {
        if !self.ended.get() && !self.broken.get() {
            // The library passes on the bytes that have arrived only between two polls of this future.
            tokio::task::yield_now().await;
            let mut cx = Context::from_waker(Waker::noop());
            while let Poll::Ready(Some(Ok(_))) = self.poll(&mut cx) {}
        }
        self.ended.get()
    }

    /// Lets the connection be closed after the answer, because no handler reads the rest of the body.
    pub(crate) fn leave(&self) {
        if let Some(talk) = &self.talk {
            talk.leave_unread();
        }
    }

    fn poll(&self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, PayloadError>>> {
        let polled = Pin::new(&mut *self.payload.borrow_mut()).poll_next(cx);
        match &polled {
            Poll::Ready(Some(Ok(_))) | Poll::Pending => {}
            Poll::Ready(None) => {
                self.ended.set(true);
                if let Some(talk) = &self.talk {
                    talk.coming.set(false);
                }
            }
            Poll::Ready(Some(Err(_))) => {
                self.broken.set(true);
                if let Some(talk) = &self.talk {
                    talk.body_is_broken();
                }
            }
        }
        polled
    }
}

impl Stream for Reading {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(talk) = &self.0.talk {
            talk.body_is_read();
        }
        self.0.poll(cx)
    }
}

/// The body of an answer. It holds the unread body of its request, if there is one. As long as the unread body
/// exists, the library closes the connection after the answer instead of reading the rest.
pub(crate) struct Answer {
    pub(crate) body: BoxBody,
    /// True for the answer to a HEAD: the length of the body is sent, and not the body.
    pub(crate) is_head: bool,
    #[expect(dead_code, reason = "it is only held")]
    pub(crate) unread: Option<Rc<WatchedBody>>,
}

impl MessageBody for Answer {
    type Error = Box<dyn Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        if self.is_head {
            return Poll::Ready(None);
        }
        Pin::new(&mut self.body).poll_next(cx)
    }
}
