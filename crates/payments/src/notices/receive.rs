//! The command that receives an event with a valid signature.

use std::convert::Infallible;

use engine::{Asks, Attempt, Book, Command, Decision};
use webhooks::{Event, EventState};

use super::WebhookOutcome;
use super::apply::{apply, put_aside};
use crate::Fact;
use crate::providers::About;
use crate::tables::ask_fact;

/// Receives an event.
#[derive(Debug, Clone)]
pub struct ReceiveWebhook {
    /// The event.
    pub event: Event,
    /// A fact and the operation that it is about, if the event says anything that matters here.
    pub fact: Option<(About, Fact)>,
}

impl Command for ReceiveWebhook {
    type Done = WebhookOutcome;
    type Refusal = Infallible;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(needs) = asks.of::<webhooks::Shelf>() {
            needs.events.push(self.event.name());
        }
        if let Some((about, fact)) = &self.fact {
            ask_fact(asks, about, fact);
        }
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<WebhookOutcome>, Infallible> {
        let event = &self.event;
        let received = match book.shelf::<webhooks::Shelf>().look(event) {
            EventState::Done => WebhookOutcome::Duplicate,
            EventState::Changed => put_aside(book, event, "other content under a known id"),
            EventState::New | EventState::Parked => apply(book, event, self.fact.as_ref()),
        };
        Ok(Decision::now(received))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "webhook.receive",
            kind: "webhook_event",
            id: format!("{}/{}", self.event.provider, self.event.id),
        }
    }
}
