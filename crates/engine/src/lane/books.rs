//! The books of a batch: one for each tenant in it, in the order of their ids.

use std::collections::BTreeMap;

use store::{Clock, Ids, TenantId};

use super::{Batch, Settings};
use crate::book::Book;
use crate::job::Job;
use crate::memory::Memories;
use crate::tenant::Tenant;

/// The books of a batch, one for each tenant in it.
pub(super) struct Books {
    pub(super) of: BTreeMap<TenantId, Book>,
}

impl Books {
    /// Books in which every command of the batch has asked for its rows.
    pub(super) fn open(batch: &Batch, settings: &Settings, memories: &mut Memories) -> Self {
        let mut of: BTreeMap<TenantId, Book> = BTreeMap::new();
        for job in batch {
            let tenant = job.tenant();
            let book = of
                .entry(tenant.id)
                .or_insert_with(|| open(tenant, settings, memories));
            let now = book.now;
            job.asks(&mut book.shelves.asks(&book.tenant, now));
        }
        Self { of }
    }

    /// Opens the book of one tenant of the batch.
    pub(super) fn open_one(
        batch: &Batch,
        tenant: TenantId,
        settings: &Settings,
        memories: &mut Memories,
    ) -> Option<Book> {
        let own = batch.iter().filter(|job| job.tenant().id == tenant);
        let first = own.clone().next()?;
        let mut book = open(first.tenant(), settings, memories);
        let now = book.now;
        for job in own {
            job.asks(&mut book.shelves.asks(&book.tenant, now));
        }
        Some(book)
    }

    pub(super) fn must_lock(&self) -> bool {
        self.of.values().any(|book| book.shelves.must_lock())
    }

    /// Decides every command, in order.
    pub(super) fn decide(&mut self, batch: &mut Batch, clock: &Clock, ids: &mut Ids) {
        // The clock is read only now, so that a batch that waited for locks seldom has an earlier time than its
        // predecessor.
        for (tenant, book) in &mut self.of {
            book.now = book.now.max(clock.now_of(*tenant));
        }
        for job in batch {
            if let Some(book) = self.of.get_mut(&job.tenant().id) {
                decide(job.as_mut(), book, ids);
            }
        }
    }

    /// Tenants with answers that write nothing: nothing would show that they were decided on stale rows.
    pub(super) fn unproven(&self) -> Vec<TenantId> {
        let of = self.of.iter().filter(|(_, book)| book.is_unproven());
        of.map(|(tenant, _)| *tenant).collect()
    }

    /// Decides the commands of one tenant again, in another book.
    pub(super) fn decide_again(
        &mut self,
        batch: &mut Batch,
        tenant: TenantId,
        book: Option<Book>,
        clock: &Clock,
        ids: &mut Ids,
    ) {
        let Some(mut book) = book else { return };
        book.now = book.now.max(clock.now_of(tenant));
        for job in batch.iter_mut().filter(|job| job.tenant().id == tenant) {
            decide(job.as_mut(), &mut book, ids);
        }
        self.of.insert(tenant, book);
    }
}

/// A book in which nothing is asked for yet.
pub(super) fn open(tenant: &Tenant, settings: &Settings, memories: &mut Memories) -> Book {
    let now = memories
        .of(tenant.id)
        .not_before(settings.clock.now_of(tenant.id));
    Book::empty(
        &settings.shelves,
        tenant.clone(),
        now,
        settings.key_life_seconds,
    )
}

/// Decides one command with the lane's source of ids.
pub(super) fn decide(job: &mut dyn Job, book: &mut Book, ids: &mut Ids) {
    std::mem::swap(&mut book.ids, ids);
    job.decide(book);
    std::mem::swap(&mut book.ids, ids);
}

/// The commands of a batch, tenant by tenant.
pub(super) fn by_tenant(batch: Batch) -> Vec<Batch> {
    let mut of: BTreeMap<TenantId, Batch> = BTreeMap::new();
    for job in batch {
        of.entry(job.tenant().id).or_default().push(job);
    }
    of.into_values().collect()
}

/// True if a batch carries the commands of more than one tenant.
pub(super) fn is_mixed(batch: &Batch) -> bool {
    let mut tenants = batch.iter().map(|job| job.tenant().id);
    let first = tenants.next();
    tenants.any(|tenant| Some(tenant) != first)
}
