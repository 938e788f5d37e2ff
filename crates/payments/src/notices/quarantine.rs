//! The command that stores bytes that have a valid signature and cannot be right.

use std::convert::Infallible;

use engine::{Asks, Attempt, Book, Command, Decision};
use webhooks::Event;

use super::WebhookOutcome;
use super::apply::put_aside;

/// Stores bytes that have a valid signature and cannot be right, for a person to read.
#[derive(Debug, Clone)]
pub struct QuarantineWebhook {
    /// The bytes, with an id that is made from them.
    pub event: Event,
    /// The reason why they cannot be right.
    pub reason: &'static str,
}

impl Command for QuarantineWebhook {
    type Done = WebhookOutcome;
    type Refusal = Infallible;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(needs) = asks.of::<webhooks::Shelf>() {
            needs.events.push(self.event.name());
        }
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<WebhookOutcome>, Infallible> {
        Ok(Decision::now(put_aside(book, &self.event, self.reason)))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "webhook.receive",
            kind: "webhook_event",
            id: format!("{}/{}", self.event.provider, self.event.id),
        }
    }
}
