//! The commands that receive events with a valid signature.

use std::convert::Infallible;

use engine::{Asks, Attempt, Book, Command, Decision};
use webhooks::{Event, EventState, Status};

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
        Ok(Decision::now(self.take(book, false)))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "webhook.receive",
            kind: "webhook_event",
            id: webhooks::check::name(&self.event.provider, &self.event.id),
        }
    }
}

impl ReceiveWebhook {
    /// `again` is true if a person has asked for it: what had no effect is tried again.
    fn take(&self, book: &mut Book, again: bool) -> WebhookOutcome {
        let event = &self.event;
        let inbox = book.shelf::<webhooks::Shelf>();
        let had_no_effect = inbox.status(event) == Some(Status::Stored);
        match inbox.look(event) {
            EventState::Done if !(again && had_no_effect) => WebhookOutcome::Duplicate,
            EventState::Changed => put_aside(book, event, "other content under a known id"),
            EventState::New | EventState::Parked | EventState::Done => {
                apply(book, event, self.fact.as_ref())
            }
        }
    }
}

/// Receives the events of one delivery, together.
#[derive(Debug, Clone)]
pub struct ReceiveWebhooks {
    /// The events, at least one.
    pub events: Vec<ReceiveWebhook>,
    /// True if they were received before, and a person asks for another try.
    pub again: bool,
}

impl Command for ReceiveWebhooks {
    /// The outcome that matters most.
    type Done = WebhookOutcome;
    type Refusal = Infallible;

    fn asks(&self, asks: &mut Asks<'_>) {
        for event in &self.events {
            event.asks(asks);
        }
    }

    fn weight(&self) -> usize {
        self.events.len()
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<WebhookOutcome>, Infallible> {
        let taken = self
            .events
            .iter()
            .map(|event| event.take(book, self.again))
            .max();
        Ok(Decision::now(taken.unwrap_or(WebhookOutcome::Duplicate)))
    }

    fn attempt(&self) -> Attempt {
        let first = self.events.first().map(Command::attempt);
        first.unwrap_or(Attempt {
            action: "webhook.receive",
            kind: "webhook_event",
            id: String::new(),
        })
    }
}
