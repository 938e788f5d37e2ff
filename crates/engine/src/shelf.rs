//! Shelves: the rows of one tenant that a batch holds in memory, one shelf a family.
//!
//! A batch gives each tenant in it one shelf of each [`Kind`]. One list has all kinds, in the order in which
//! they are loaded. They are saved in the opposite order.
//!
//! ```text
//! commands ask    Asks: each command names the rows that it may read or change
//! recall          what is remembered from earlier commits is put on the shelf, and asked for no more
//! load            the rest is read, and locked where the batch locks
//! decide          commands read and change the shelf; each change can be undone ([`Savepoint`])
//! save            what was changed becomes writes
//! remember        what the commit will leave is kept for the next batch
//! ```

use std::any::Any;

use store::bulk::Writes;
use store::find::Lock;
use store::rows::Savepoint;
use store::{AnyConnection, Error, TenantId, Timestamp};

use crate::memory::{AnyMemory, MemoryOf};
use crate::tenant::Tenant;

/// The rows of one family that a batch may read or change.
pub trait Shelf: Savepoint + Default + Send + 'static {
    /// The rows that commands ask for.
    type Asks: Default + Send + 'static;
    /// The rows of a tenant that are remembered between commits. They may be stale. Saving a change of a stale
    /// row is a conflict.
    type Memory: Default + Send + 'static;

    /// Tells the shelf whose rows it will hold, before anything else.
    fn begin(&mut self, _tenant: TenantId) {}

    /// True if a batch that asks for any of these rows must find them locked.
    fn must_lock(asks: &Self::Asks) -> bool;

    /// True if nothing is asked for.
    fn is_nothing(asks: &Self::Asks) -> bool;

    /// Removes from `asks` the rows that the shelf holds, and those that `memory` holds. Puts the latter on the
    /// shelf.
    fn recall(&mut self, _asks: &mut Self::Asks, _memory: &Self::Memory) {}

    /// Reads the rows that are asked for onto the shelf. May ask for rows of shelves that are loaded later.
    ///
    /// # Errors
    /// [`Error`] as the database gives it.
    fn load(&mut self, from: &mut Loading<'_>, asks: Self::Asks) -> Result<(), Error>;

    /// Adds the writes of all changed rows.
    fn save(&self, tenant: TenantId, writes: &mut Writes);

    /// Remembers the rows as they will be after the commit.
    fn remember(&self, _memory: &mut Self::Memory) {}

    /// Forgets the rows that a conflict may have shown to be stale.
    fn forget(memory: &mut Self::Memory) {
        *memory = Self::Memory::default();
    }

    /// The approximate number of rows that are remembered.
    fn size(_memory: &Self::Memory) -> usize {
        0
    }
}

/// The data with which a shelf is loaded.
pub struct Loading<'a> {
    /// The connection, within the batch's transaction if there is one.
    pub connection: &'a mut AnyConnection,
    /// The tenant whose rows are loaded.
    pub tenant: TenantId,
    /// How rows are locked.
    pub lock: Lock,
    /// The shelves that are loaded after this one.
    later: &'a mut [Box<dyn Slot>],
}

impl Loading<'_> {
    /// The rows that are asked of a later shelf, so that more can be added. `None` if there is no such shelf.
    pub fn ask<S: Shelf>(&mut self) -> Option<&mut S::Asks> {
        asks_of::<S>(self.later)
    }
}

/// One kind of shelf, for the list of all kinds.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    slot: fn() -> Box<dyn Slot>,
    memory: fn() -> Box<dyn AnyMemory>,
}

impl Kind {
    /// The kind of this shelf.
    #[must_use]
    pub const fn of<S: Shelf>() -> Self {
        Self {
            slot: || Box::new(Place::<S>::default()),
            memory: || Box::new(MemoryOf::<S>::default()),
        }
    }

    pub(crate) fn memory(self) -> Box<dyn AnyMemory> {
        (self.memory)()
    }
}

/// One shelf of each kind, and the rows that are asked of each.
pub(crate) struct Shelves {
    slots: Vec<Box<dyn Slot>>,
    must_lock: bool,
}

impl Shelves {
    /// Empty shelves for the rows of a tenant.
    pub(crate) fn of(kinds: &[Kind], tenant: TenantId) -> Self {
        let mut slots: Vec<_> = kinds.iter().map(|kind| (kind.slot)()).collect();
        slots.iter_mut().for_each(|slot| slot.begin(tenant));
        Self {
            slots,
            must_lock: false,
        }
    }

    /// The list to which a command adds the rows that it needs.
    pub(crate) fn asks<'a>(&'a mut self, tenant: &'a Tenant, now: Timestamp) -> Asks<'a> {
        Asks {
            shelves: self,
            tenant,
            now,
        }
    }

    /// True if the rows that are asked for must be locked.
    pub(crate) fn must_lock(&self) -> bool {
        self.must_lock || self.slots.iter().any(|slot| slot.must_lock())
    }

    /// True if no row is asked for any more.
    pub(crate) fn ask_nothing(&self) -> bool {
        self.slots.iter().all(|slot| slot.is_nothing())
    }

    /// Forgets everything that was asked for.
    pub(crate) fn withdraw(&mut self) {
        self.must_lock = false;
        self.slots.iter_mut().for_each(|slot| slot.withdraw());
    }

    pub(crate) fn recall(&mut self, memories: &[Box<dyn AnyMemory>]) {
        for (slot, memory) in self.slots.iter_mut().zip(memories) {
            slot.recall(memory.rows());
        }
    }

    /// Loads all shelves, the first kind first. With memories, reads only the rows that they do not hold.
    pub(crate) fn load(
        &mut self,
        connection: &mut AnyConnection,
        tenant: TenantId,
        lock: Lock,
        memories: Option<&[Box<dyn AnyMemory>]>,
    ) -> Result<(), Error> {
        for place in 0..self.slots.len() {
            let Some((slot, later)) = self.slots.get_mut(place..).and_then(<[_]>::split_first_mut)
            else {
                break;
            };
            if let Some(memory) = memories.and_then(|all| all.get(place)) {
                slot.recall(memory.rows());
            }
            slot.load(&mut Loading {
                connection: &mut *connection,
                tenant,
                lock,
                later,
            })?;
        }
        Ok(())
    }

    /// Adds the writes of all shelves, the last kind first.
    pub(crate) fn save(&self, tenant: TenantId, writes: &mut Writes) {
        for slot in self.slots.iter().rev() {
            slot.save(tenant, writes);
        }
    }

    pub(crate) fn remember(&self, memories: &mut [Box<dyn AnyMemory>]) {
        for (slot, memory) in self.slots.iter().zip(memories) {
            slot.remember(memory.rows_mut());
        }
    }

    pub(crate) fn get<S: Shelf>(&self) -> Option<&S> {
        let mut slots = self.slots.iter();
        slots.find_map(|slot| slot.shelf().downcast_ref())
    }

    pub(crate) fn get_mut<S: Shelf>(&mut self) -> Option<&mut S> {
        let mut slots = self.slots.iter_mut();
        slots.find_map(|slot| slot.shelf_mut().downcast_mut())
    }

    pub(crate) fn two_mut<A: Shelf, B: Shelf>(&mut self) -> Option<(&mut A, &mut B)> {
        let (mut one, mut other) = (None, None);
        for slot in &mut self.slots {
            let shelf = slot.shelf_mut();
            if shelf.is::<A>() {
                one = shelf.downcast_mut();
            } else if shelf.is::<B>() {
                other = shelf.downcast_mut();
            }
        }
        one.zip(other)
    }
}

impl Savepoint for Shelves {
    fn mark(&mut self) {
        self.slots
            .iter_mut()
            .for_each(|slot| slot.savepoint().mark());
    }

    fn undo(&mut self) {
        self.slots
            .iter_mut()
            .for_each(|slot| slot.savepoint().undo());
    }

    fn release(&mut self) {
        self.slots
            .iter_mut()
            .for_each(|slot| slot.savepoint().release());
    }
}

/// The list to which a command adds the rows that it needs, before it is decided.
pub struct Asks<'a> {
    shelves: &'a mut Shelves,
    /// The tenant that the command belongs to.
    pub tenant: &'a Tenant,
    /// The present moment. The command is decided a little later.
    pub now: Timestamp,
}

impl Asks<'_> {
    /// The rows that are asked of one shelf, so that more can be added. `None` if the engine was started
    /// without such a shelf.
    pub fn of<S: Shelf>(&mut self) -> Option<&mut S::Asks> {
        asks_of::<S>(&mut self.shelves.slots)
    }

    /// Demands that every row that is asked for is locked, whatever its shelf says.
    pub fn lock(&mut self) {
        self.shelves.must_lock = true;
    }
}

fn asks_of<S: Shelf>(slots: &mut [Box<dyn Slot>]) -> Option<&mut S::Asks> {
    let mut slots = slots.iter_mut();
    let slot = slots.find(|slot| slot.shelf().is::<S>())?;
    slot.asks().downcast_mut()
}

/// A shelf and the rows that are asked of it, without their types.
pub(crate) trait Slot: Send {
    fn shelf(&self) -> &dyn Any;
    fn shelf_mut(&mut self) -> &mut dyn Any;
    fn asks(&mut self) -> &mut dyn Any;
    fn savepoint(&mut self) -> &mut dyn Savepoint;
    fn begin(&mut self, tenant: TenantId);
    fn must_lock(&self) -> bool;
    fn is_nothing(&self) -> bool;
    fn withdraw(&mut self);
    fn recall(&mut self, memory: &dyn Any);
    fn load(&mut self, from: &mut Loading<'_>) -> Result<(), Error>;
    fn save(&self, tenant: TenantId, writes: &mut Writes);
    fn remember(&self, memory: &mut dyn Any);
}

struct Place<S: Shelf> {
    shelf: S,
    asks: S::Asks,
}

impl<S: Shelf> Default for Place<S> {
    fn default() -> Self {
        Self {
            shelf: S::default(),
            asks: S::Asks::default(),
        }
    }
}

impl<S: Shelf> Slot for Place<S> {
    fn shelf(&self) -> &dyn Any {
        &self.shelf
    }

    fn shelf_mut(&mut self) -> &mut dyn Any {
        &mut self.shelf
    }

    fn asks(&mut self) -> &mut dyn Any {
        &mut self.asks
    }

    fn savepoint(&mut self) -> &mut dyn Savepoint {
        &mut self.shelf
    }

    fn begin(&mut self, tenant: TenantId) {
        self.shelf.begin(tenant);
    }

    fn must_lock(&self) -> bool {
        S::must_lock(&self.asks)
    }

    fn is_nothing(&self) -> bool {
        S::is_nothing(&self.asks)
    }

    fn withdraw(&mut self) {
        self.asks = S::Asks::default();
    }

    fn recall(&mut self, memory: &dyn Any) {
        if let Some(memory) = memory.downcast_ref() {
            self.shelf.recall(&mut self.asks, memory);
        }
    }

    fn load(&mut self, from: &mut Loading<'_>) -> Result<(), Error> {
        let asks = std::mem::take(&mut self.asks);
        if S::is_nothing(&asks) {
            return Ok(());
        }
        self.shelf.load(from, asks)
    }

    fn save(&self, tenant: TenantId, writes: &mut Writes) {
        self.shelf.save(tenant, writes);
    }

    fn remember(&self, memory: &mut dyn Any) {
        if let Some(memory) = memory.downcast_mut() {
            self.shelf.remember(memory);
        }
    }
}
