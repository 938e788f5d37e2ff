//! The provider: it records a call, sends its webhooks and answers it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::HttpResponse;
use actix_web::body::{BodySize, MessageBody};
use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use faults::Desk;
use tokio::time::{sleep, timeout};

use crate::courier::Courier;
use crate::event::{Event, Subject};
use crate::journal::{CallRecord, Journal};
use crate::method::{Announcement, Answer};
use crate::order::{Order, ProviderKey};
use crate::patience::Patience;
use crate::record::{Record, Status};
use crate::refusal::Refusal;
use crate::request::Tenant;

/// The state that every route needs.
pub(crate) struct Provider {
    pub(crate) journal: Journal,
    pub(crate) courier: Arc<Courier>,
    pub(crate) faults: Arc<Desk>,
    pub(crate) clock: fn() -> i64,
    pub(crate) patience: Patience,
}

impl Provider {
    /// Takes one call and plays its script.
    pub(crate) async fn call(
        &self,
        key: ProviderKey,
        order: Order,
        tenant: Option<Tenant>,
        host: &str,
    ) -> Result<HttpResponse, Refusal> {
        let CallRecord {
            script,
            record,
            event,
        } = self.journal.call(key, order, tenant, (self.clock)())?;
        if let Some(event) = event {
            self.announce(&event, script.announcement).await;
        }
        match (script.answer, record) {
            (Answer::Record, Some(record)) => Ok(shown(&record, host)),
            (Answer::ServerError, _) => Err(Refusal::Scripted),
            (Answer::Silence, _) | (Answer::Record, None) => Ok(silence(&self.patience).await),
        }
    }

    /// The reply that shows what an event reports. The event is sent after it.
    pub(crate) fn told<T: Subject>(&self, event: &Event<T>) -> HttpResponse {
        let reply = HttpResponse::Ok().json(event.object());
        let tenant = self.journal.tenant_of(event.object().key());
        drop(
            self.courier
                .announce(tenant.as_ref(), vec![event.message()]),
        );
        reply
    }

    /// Sends the event, and waits for its receiver if the webhook goes before the reply.
    async fn announce(&self, event: &Event<Record>, announcement: Announcement) {
        let message = event.message();
        let tenant = self.journal.tenant_of(event.object().key());
        let announce = |messages| self.courier.announce(tenant.as_ref(), messages);
        match announcement {
            Announcement::None => {}
            // The task runs on the only thread of this worker: it is first polled after the handler has returned and
            // its reply was handed to the socket.
            Announcement::AfterReply => drop(announce(vec![message])),
            Announcement::TwiceAfterReply => {
                drop(announce(vec![message.clone(), message]));
            }
            Announcement::BeforeReply => {
                let delivery = announce(vec![message]);
                if timeout(self.patience.announcement, delivery).await.is_err() {
                    tracing::info!("the reply no longer waits for the webhook that goes first");
                }
            }
        }
    }
}

/// A record as the answer to the call that made it, and to any later call.
fn shown(record: &Record, host: &str) -> HttpResponse {
    let status = match record.status {
        Status::Succeeded | Status::Authorized | Status::RequiresAction | Status::Pending => {
            StatusCode::OK
        }
        Status::Failed => StatusCode::PAYMENT_REQUIRED,
    };
    HttpResponse::build(status).json(record.shown(host))
}

/// Holds the connection open and then closes it without a byte of an answer.
async fn silence(patience: &Patience) -> HttpResponse {
    sleep(patience.hold).await;
    HttpResponse::Ok().body(Cut)
}

/// A body that fails before its first byte. Then the server drops the connection, together with the status line,
/// which is still in the write buffer.
pub(crate) struct Cut;

impl MessageBody for Cut {
    type Error = io::Error;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, io::Error>>> {
        Poll::Ready(Some(Err(io::ErrorKind::ConnectionAborted.into())))
    }
}
