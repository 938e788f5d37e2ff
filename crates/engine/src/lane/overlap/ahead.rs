//! The batch that is decided while others are being written.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use store::bulk::Writes;
use store::{Ids, TenantId};

use super::super::books::{decide, open};
use super::super::lines::{BatchBuilder, Limits};
use super::super::{Batch, Settings};
use super::writers::Writing;
use crate::book::{AfterCommit, Book};
use crate::job::Job;
use crate::memory::Memories;

/// The batch, with the commands that are decided so far.
pub(super) struct Ahead {
    /// One book for each tenant, until the batch is closed or given up.
    books: Option<BTreeMap<TenantId, Book>>,
    pub(super) batch: Batch,
    pub(super) filling: BatchBuilder,
    pub(super) goes_on: bool,
    pub(super) closed: Option<(Writing, AfterCommit)>,
}

impl Ahead {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            books: Some(BTreeMap::new()),
            batch: Vec::new(),
            filling: BatchBuilder::new(limits),
            goes_on: true,
            closed: None,
        }
    }

    /// Decides one more command. Returns it undecided if it needs rows that are not remembered.
    pub(super) fn decide(
        &mut self,
        mut job: Box<dyn Job>,
        settings: &Settings,
        memories: &mut Memories,
        ids: &mut Ids,
    ) -> Result<(), Box<dyn Job>> {
        let Some(book) = self
            .books
            .as_mut()
            .and_then(|books| remembered(books, job.as_ref(), settings, memories))
        else {
            self.goes_on = false;
            self.filling.give_back(job.as_ref());
            return Err(job);
        };
        let decided = catch_unwind(AssertUnwindSafe(|| decide(job.as_mut(), book, ids)));
        self.batch.push(job);
        if decided.is_err() {
            // The command panicked. It will be run again by itself.
            self.goes_on = false;
            self.books = None;
        }
        Ok(())
    }

    /// Weight of the batch.
    pub(super) const fn weight(&self) -> usize {
        self.filling.weight()
    }

    /// True if the batch takes no further command.
    pub(super) const fn is_full(&self) -> bool {
        self.filling.is_full()
    }

    /// Prepares the writes of the batch, unless it was given up.
    pub(super) fn close(&mut self, memories: &mut Memories) {
        let is_proven = |books: &BTreeMap<_, Book>| !books.values().any(Book::is_unproven);
        let Some(books) = self.books.take().filter(is_proven) else {
            return;
        };
        self.goes_on = false;
        let (mut writes, mut after) = (Writes::default(), AfterCommit::default());
        for (tenant, book) in books {
            let memory = memories.of(tenant);
            // The predecessor has left the log's head in memory. Otherwise the batch would be decided again by
            // itself.
            let closed = book.close(memory, true, &mut writes, &mut after, || Ok(None));
            if closed.is_err() {
                // Some of its rows are already remembered as if they were written.
                memories.forget_all();
                return;
            }
        }
        self.closed = Some((Writing::of(&writes, self.weight()), after));
    }
}

/// The book in which a command can be decided at once, because all rows that it needs are remembered. `None` if
/// it needs others.
fn remembered<'b>(
    books: &'b mut BTreeMap<TenantId, Book>,
    job: &dyn Job,
    settings: &Settings,
    memories: &mut Memories,
) -> Option<&'b mut Book> {
    let tenant = job.tenant();
    memories.of(tenant.id).head()?;
    let book = books
        .entry(tenant.id)
        .or_insert_with(|| open(tenant, settings, memories));
    let now = book.now;
    job.asks(&mut book.shelves.asks(&book.tenant, now));
    if !book.shelves.must_lock() {
        book.shelves.recall(memories.of(tenant.id).shelves());
        if book.shelves.ask_nothing() {
            return Some(book);
        }
    }
    book.shelves.withdraw();
    None
}
