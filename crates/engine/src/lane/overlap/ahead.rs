//! The batch that is decided while others are written.

use std::panic::{AssertUnwindSafe, catch_unwind};

use store::find::Lock;

use super::writers::Writing;
use super::{HEAVIEST, Queued};
use crate::book::{AfterCommit, Book};
use crate::command::Answer;
use crate::execute::{Rules, execute};
use crate::memory::Memory;

/// The batch, as far as it is decided.
pub(super) struct Ahead<'a> {
    /// Until it is closed, or given up.
    book: Option<Book<'a>>,
    pub(super) batch: Vec<Queued>,
    pub(super) answers: Vec<Answer>,
    /// About how many plain commands it weighs.
    pub(super) weight: usize,
    pub(super) goes_on: bool,
    pub(super) closed: Option<(Writing, AfterCommit)>,
}

impl<'a> Ahead<'a> {
    pub(super) fn of(book: Book<'a>) -> Self {
        Self {
            book: Some(book),
            batch: Vec::new(),
            answers: Vec::new(),
            weight: 0,
            goes_on: true,
            closed: None,
        }
    }

    /// Decides one more command, or gives it back if it must wait for the writer.
    pub(super) fn decide(
        &mut self,
        queued: Box<Queued>,
        memory: &Memory,
        rules: &Rules,
    ) -> Result<(), Box<Queued>> {
        let Some(book) = self
            .book
            .as_mut()
            .filter(|book| queued.envelope.tenant.id == book.tenant.id)
        else {
            self.goes_on = false;
            return Err(queued);
        };
        if !book.remember(memory, &queued.envelope) {
            self.goes_on = false;
            return Err(queued);
        }
        let answer = catch_unwind(AssertUnwindSafe(|| execute(book, &queued.envelope, rules)));
        self.weight = self.weight.saturating_add(queued.envelope.command.weight());
        self.batch.push(*queued);
        match answer {
            Ok(answer) => self.answers.push(answer),
            // It will panic again, alone.
            Err(_panic) => {
                self.goes_on = false;
                self.book = None;
            }
        }
        Ok(())
    }

    /// Whether it takes no further command.
    pub(super) fn is_full(&self, max_batch: usize) -> bool {
        self.batch.len() >= max_batch || self.weight >= HEAVIEST
    }

    /// Makes the batch ready to be written, unless it was given up.
    pub(super) fn close(&mut self, memory: &mut Memory) {
        if let Some(book) = self.book.take().filter(|book| !book.is_unproven()) {
            self.goes_on = false;
            // The predecessor has left the log's head in memory. Were it not so, the batch would be
            // decided again by itself.
            let closed = book.close(memory, Lock::Nothing, || Ok(None)).ok();
            let weight = self.weight;
            self.closed = closed.map(|(writes, after)| (Writing::of(&writes, weight), after));
        }
    }
}
