//! Dead letters: events whose cause did not come in time.

use std::convert::Infallible;

use engine::{Asks, Attempt, Book, Command, Decision};
use webhooks::Status;

use super::apply::note;

/// The reason in the audit log.
const NO_CAUSE: &str = "the cause did not come in time";

/// Makes events that are parked dead letters.
#[derive(Debug, Clone)]
pub struct BuryParked {
    /// The events, by [`webhooks::Event::name`].
    pub events: Vec<(String, String)>,
}

impl Command for BuryParked {
    type Done = ();
    type Refusal = Infallible;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(needs) = asks.of::<webhooks::Shelf>() {
            needs.events.extend_from_slice(&self.events);
        }
    }

    fn weight(&self) -> usize {
        self.events.len()
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<()>, Infallible> {
        for name in &self.events {
            let inbox = book.shelf_mut::<webhooks::Shelf>().0;
            // Another process may have applied it meanwhile.
            if let Some(event) = inbox.bury(name) {
                tracing::error!(provider = %event.provider, event = %event.id, "the cause of a webhook did not come in time");
                metrics::counter!("florin_webhooks_dead_total").increment(1);
                note(book, &event, Status::Dead.name(), Some(NO_CAUSE));
            }
        }
        Ok(Decision::now(()))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "webhook.bury",
            kind: "webhook_event",
            id: String::new(),
        }
    }
}
