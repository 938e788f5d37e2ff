//! Errands: work that is due at some time and belongs to no request.
//!
//! An errand is written in the commit that makes the work necessary, and deleted in the commit that makes it
//! unnecessary. The errands of all tenants are in one table with one index by time, so that finding the due
//! errands costs the same for any number of tenants. A worker that takes an errand leases it: the errand is due
//! again when the lease runs out, and its `epoch` grows. So an outcome under an old lease can be distinguished
//! from one under the newest lease.
//!
//! This crate knows when an errand is due and which lease is the newest. The [`Work`] of its kind does the work.

mod runner;
mod tables;

pub use runner::{Messages, Runner, Search, Work, WorkFuture, spawn};
pub use tables::{DueErrand, due, of_tenant, read_clocks, tenants, waiting};

use store::bulk::Writes;
use store::rows::Rows;
use store::{Error, TenantId, Timestamp};

use crate::shelf::{Loading, Shelf};
use tables::{ErrandGoneRow, ErrandMovedRow, ErrandRow};

/// Kind of an errand and id of the thing it is about.
pub type Name = (&'static str, [u8; 16]);

/// The errands that a batch adds, or changes.
#[derive(Debug, Default)]
pub struct Errands {
    rows: Rows<Name, ShelfRow>,
}

store::savepoint!(Errands { rows });

#[derive(Debug, Clone)]
struct ShelfRow {
    /// The errand as it is now; `None` if it has ended.
    errand: Option<Errand>,
    /// The errand as it was read; `None` if this batch adds it.
    found: Option<Errand>,
}

/// Work that is due at some time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Errand {
    /// Time at which the errand may be taken. While it is leased: the time at which the lease runs out.
    pub due_at: Timestamp,
    /// Number of leases so far.
    pub epoch: i32,
    /// Name of the provider whose places the work takes; empty if it takes none.
    pub place: String,
}

impl Errands {
    /// An errand that was asked for or added, unless it has ended.
    #[must_use]
    pub fn get(&self, name: Name) -> Option<&Errand> {
        self.rows.get(&name)?.errand.as_ref()
    }

    /// Adds an errand.
    pub fn add(&mut self, name: Name, errand: Errand) {
        let found = self.rows.get(&name).and_then(|held| held.found.clone());
        let errand = Some(errand);
        self.rows.put(name, ShelfRow { errand, found });
    }

    /// Leases an errand that is due. Returns the new epoch, or `None` if the errand has ended or another worker
    /// has leased it.
    pub fn lease(&mut self, name: Name, now: Timestamp, until: Timestamp) -> Option<i32> {
        let errand = self.get(name).filter(|errand| errand.due_at <= now)?;
        let epoch = errand.epoch.saturating_add(1);
        let held = self.rows.get_mut(&name)?;
        let errand = held.errand.as_mut()?;
        errand.epoch = epoch;
        errand.due_at = until;
        Some(epoch)
    }

    /// Changes the time at which an errand is due.
    pub fn postpone(&mut self, name: Name, due_at: Timestamp) {
        if let Some(errand) = self
            .rows
            .get_mut(&name)
            .and_then(|held| held.errand.as_mut())
        {
            errand.due_at = due_at;
        }
    }

    /// Ends an errand: the work is done, or is no longer necessary.
    pub fn end(&mut self, name: Name) {
        if let Some(held) = self.rows.get_mut(&name) {
            held.errand = None;
        }
    }

    pub(crate) fn put_found(&mut self, name: Name, errand: Errand) {
        let held = ShelfRow {
            errand: Some(errand.clone()),
            found: Some(errand),
        };
        self.rows.put(name, held);
    }
}

impl Shelf for Errands {
    type Asks = Vec<Name>;
    type Memory = ();

    fn must_lock(asks: &Vec<Name>) -> bool {
        !asks.is_empty()
    }

    fn is_nothing(asks: &Vec<Name>) -> bool {
        asks.is_empty()
    }

    fn load(&mut self, from: &mut Loading<'_>, mut asks: Vec<Name>) -> Result<(), Error> {
        asks.sort_unstable();
        asks.dedup();
        for (name, errand) in tables::load(from.connection, from.tenant, from.lock, &asks)? {
            self.put_found(name, errand);
        }
        Ok(())
    }

    fn save(&self, tenant_id: TenantId, writes: &mut Writes) {
        let (mut new, mut moved, mut gone) = (Vec::new(), Vec::new(), Vec::new());
        for ((kind, subject), held) in self.rows.iter() {
            let (kind, subject) = ((*kind).to_owned(), subject.to_vec());
            match (&held.found, &held.errand) {
                (None, Some(errand)) => new.push(ErrandRow {
                    due_at: errand.due_at.micros(),
                    tenant_id,
                    epoch: errand.epoch,
                    kind,
                    place: errand.place.clone(),
                    subject,
                }),
                (Some(found), Some(errand)) if found != errand => moved.push(ErrandMovedRow {
                    tenant_id,
                    kind,
                    subject,
                    seen_epoch: found.epoch,
                    epoch: errand.epoch,
                    due_at: errand.due_at.micros(),
                }),
                (Some(found), None) => gone.push(ErrandGoneRow {
                    tenant_id,
                    kind,
                    subject,
                    epoch: found.epoch,
                }),
                (Some(_), Some(_)) | (None, None) => {}
            }
        }
        writes.add(new);
        writes.add(moved);
        writes.add(gone);
    }
}
