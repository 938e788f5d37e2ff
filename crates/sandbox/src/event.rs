//! An event: what happened to a record or a dispute, as webhooks report it.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::dispute::{Dispute, DisputeStep};
use crate::order::ProviderKey;
use crate::record::{Record, Status, fresh_id};

/// An event of a record or a dispute. It is stored with it, so its id never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Event<T> {
    id: String,
    /// The object and what happened to it: `charge.succeeded`.
    #[serde(rename = "type")]
    kind: String,
    /// Time of the event, in Unix seconds.
    created: i64,
    data: EventSubject<T>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct EventSubject<T> {
    object: T,
}

/// What an event is about.
pub(crate) trait Subject: Serialize {
    /// The provider key of the record, or of the disputed charge.
    fn key(&self) -> &ProviderKey;
}

impl Subject for Record {
    fn key(&self) -> &ProviderKey {
        &self.idempotency_key
    }
}

impl Subject for Dispute {
    fn key(&self) -> &ProviderKey {
        &self.charge_key
    }
}

impl<T> Event<T> {
    /// The id of the event.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// The object and what happened to it: `charge.succeeded`.
    pub(crate) fn kind(&self) -> &str {
        &self.kind
    }

    /// Time of the event, in Unix seconds.
    pub(crate) const fn created(&self) -> i64 {
        self.created
    }
}

impl Event<Record> {
    /// The event that reports the status of `record`; `None` while the outcome is open.
    pub(crate) fn of(record: &Record, created: i64) -> Result<Option<Self>, getrandom::Error> {
        let happened = match record.status {
            Status::Succeeded => "succeeded",
            Status::Authorized => "authorized",
            Status::Failed => "failed",
            Status::RequiresAction | Status::Pending => return Ok(None),
        };
        let object = record.kind().name();
        Self::that(object, happened, record.clone(), created).map(Some)
    }

    /// The event that reports the return of a refund or a payout, whose status stays as it was.
    pub(crate) fn of_return(record: &Record, created: i64) -> Result<Self, getrandom::Error> {
        let object = record.kind().name();
        Self::that(object, "returned", record.clone(), created)
    }
}

impl Event<Dispute> {
    /// The event that reports a new dispute.
    pub(crate) fn of_opening(dispute: Dispute, created: i64) -> Result<Self, getrandom::Error> {
        Self::that("dispute", "opened", dispute, created)
    }

    /// The event that reports a step of a dispute, which is given as it is after the step.
    pub(crate) fn of_step(
        step: DisputeStep,
        dispute: Dispute,
        created: i64,
    ) -> Result<Self, getrandom::Error> {
        Self::that("dispute", step.happened(), dispute, created)
    }
}

impl<T> Event<T> {
    fn that(
        object: &str,
        happened: &str,
        subject: T,
        created: i64,
    ) -> Result<Self, getrandom::Error> {
        Ok(Self {
            id: fresh_id("evt_")?,
            kind: format!("{object}.{happened}"),
            created,
            data: EventSubject { object: subject },
        })
    }

    /// The record or the dispute that the event reports.
    pub(crate) fn object(&self) -> &T {
        &self.data.object
    }
}

impl<T: Serialize> Event<T> {
    /// The message that carries the event.
    pub(crate) fn message(&self) -> Message {
        Message {
            event_id: self.id.clone(),
            kind: self.kind.clone(),
            body: json!(self).to_string().into_bytes(),
        }
    }
}

/// An event as it is sent; only its signature is still to be made.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) event_id: String,
    /// The type of the event.
    pub(crate) kind: String,
    pub(crate) body: Vec<u8>,
}
