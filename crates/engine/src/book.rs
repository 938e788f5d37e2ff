//! The book: all that a batch holds of one tenant in memory.
//!
//! If a batch locks rows, it locks them in one order, which is the same in every process: tenants in the order of
//! their ids, shelves in the order of their kinds, rows in the order of their ids. So two processes on one
//! database may wait for each other, but never in a circle. A batch that only adds rows and moves counters is
//! first tried without locks: one statement writes everything, together with the versions at which the rows were
//! read. If another process was quicker, the batch is a conflict.

use std::any::Any;

use audit_log::tables::Tip;
use idempotency::{Claim, Key, Reply};
use store::bulk::Writes;
use store::find::Lock;
use store::rows::Additions;
use store::{AnyConnection, Error, Ids, Timestamp};

use crate::command::Origin;
use crate::memory::Memory;
use crate::shelf::{Kind, Shelf, Shelves};
use crate::tenant::Tenant;

/// All that a batch holds of one tenant in memory.
pub struct Book {
    pub(crate) tenant: Tenant,
    pub(crate) now: Timestamp,
    /// Time for which an answered idempotency key counts, in seconds.
    pub(crate) key_life_seconds: i64,
    /// The source of ids. The lane lends it to this book while a command is decided.
    pub(crate) ids: Ids,
    pub(crate) shelves: Shelves,
    /// The author of the command that is being decided.
    pub(crate) origin: Origin,
    /// Audit records, as leaves of the log's tree.
    pub(crate) leaves: Additions<Vec<u8>>,
    /// Messages to send after the commit.
    pub(crate) after: Additions<Box<dyn Any + Send>>,
    /// True if the tenant's audit log begins in this batch.
    log_begins: bool,
    /// True if any command was refused.
    pub(crate) refused: bool,
    /// True if a request with a key is answered without storing the key. Then no write would show that the key
    /// was already in use.
    unkept: bool,
    /// The reason why an audit record could not be made, if that happened.
    pub(crate) unrecorded: Option<audit_log::RecordError>,
}

/// The messages to send after the commit, besides the answers to the batch itself.
#[derive(Default)]
pub(crate) struct AfterCommit {
    /// Keys of requests that were in flight and are answered by this batch.
    pub(crate) answered: Vec<(Tenant, Key, Reply)>,
    /// Messages of the commands of the batch.
    pub(crate) messages: Vec<(Tenant, Box<dyn Any + Send>)>,
}

/// Makes the replies again that were stored by reference: one for each reference, in the same order. The result
/// is `None` for a reference that cannot be read.
pub type MakeAgain =
    fn(&mut AnyConnection, store::TenantId, &[String]) -> Result<Vec<Option<Reply>>, Error>;

impl Book {
    /// A book with empty shelves.
    pub(crate) fn empty(
        kinds: &[Kind],
        tenant: Tenant,
        now: Timestamp,
        key_life_seconds: i64,
    ) -> Self {
        let shelves = Shelves::of(kinds, tenant.id);
        Self {
            tenant,
            now,
            key_life_seconds,
            ids: Ids::random(),
            shelves,
            origin: Origin {
                kind: "system",
                id: "lane".into(),
                request: None,
            },
            leaves: Additions::default(),
            after: Additions::default(),
            log_begins: false,
            refused: false,
            unkept: false,
            unrecorded: None,
        }
    }

    /// The tenant.
    #[must_use]
    pub const fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// The time at which the batch is recorded.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// An answered idempotency key that was claimed before this time counts no more.
    pub(crate) fn oldest_key(&self) -> Timestamp {
        self.now
            .plus_seconds(self.key_life_seconds.saturating_neg())
    }

    /// The next id.
    pub fn next_id(&mut self) -> [u8; 16] {
        self.ids.next(self.now)
    }

    /// A shelf.
    ///
    /// # Panics
    /// If the engine was started without such a shelf; the lane fails that command alone.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "a missing shelf is a mistake in the list of kinds"
    )]
    pub fn shelf<S: Shelf>(&self) -> &S {
        self.shelves
            .get()
            .expect("the list of kinds names the shelf")
    }

    /// A shelf for changes.
    ///
    /// # Panics
    /// As [`Book::shelf`].
    #[expect(
        clippy::expect_used,
        reason = "a missing shelf is a mistake in the list of kinds"
    )]
    pub fn shelf_mut<S: Shelf>(&mut self) -> (&mut S, &mut Ids) {
        let shelf = self.shelves.get_mut();
        (
            shelf.expect("the list of kinds names the shelf"),
            &mut self.ids,
        )
    }

    /// Two shelves for changes.
    ///
    /// # Panics
    /// As [`Book::shelf`].
    #[expect(
        clippy::expect_used,
        reason = "a missing shelf is a mistake in the list of kinds"
    )]
    pub fn shelves_mut<A: Shelf, B: Shelf>(&mut self) -> (&mut A, &mut B, &mut Ids) {
        let two = self.shelves.two_mut();
        let (one, other) = two.expect("the list of kinds names both shelves");
        (one, other, &mut self.ids)
    }

    /// Answers a request that is in flight and has made `resource`. A request that was answered already stays
    /// answered.
    pub fn answer(&mut self, key: &str, resource: &str, reply: Reply) {
        if let (Ok(key), Some(keys)) = (Key::stored(key.to_owned()), self.keys_mut()) {
            keys.answer(&key, resource, reply);
        }
    }

    /// The reply to the request with this key, if there is one.
    #[must_use]
    pub fn reply_to(&self, key: &Key) -> Option<&Reply> {
        self.keys()?.reply(key)
    }

    /// Sends a message after the commit, through the channel in the settings of the engine.
    pub fn tell_after_commit(&mut self, what: impl Any + Send) {
        self.after.push(Box::new(what));
    }

    /// Begins the tenant's audit log.
    pub fn begin_log(&mut self) {
        self.log_begins = true;
    }

    /// Notes that a part of a command was refused. The batch then counts as one with a refusal.
    pub fn count_refusal(&mut self) {
        self.refused = true;
    }

    pub(crate) fn keys(&self) -> Option<&idempotency::Shelf> {
        self.shelves.get()
    }

    pub(crate) fn keys_mut(&mut self) -> Option<&mut idempotency::Shelf> {
        self.shelves.get_mut()
    }

    /// Notes an answer that is stored nowhere, not even under its key.
    pub(crate) fn answered_without_trace(&mut self, claim: Option<&Claim>) {
        self.refused = true;
        self.unkept |= claim.is_some();
    }

    /// True if there is an answer that writes nothing. Nothing would then show that it was decided on stale
    /// rows.
    pub(crate) fn is_unproven(&self) -> bool {
        self.unkept || (self.refused && self.leaves.as_slice().is_empty())
    }

    /// Loads every row that was asked for. With a memory, only the rows that it does not hold.
    pub(crate) fn load(
        &mut self,
        connection: &mut AnyConnection,
        lock: Lock,
        memory: Option<&Memory>,
        make_again: MakeAgain,
    ) -> Result<(), Error> {
        let tenant = self.tenant.id;
        let memories = memory.map(Memory::shelves);
        self.shelves.load(connection, tenant, lock, memories)?;
        let Some(keys) = self.keys_mut() else {
            return Ok(());
        };
        let (keys_of, references): (Vec<Key>, Vec<String>) = keys.referenced().into_iter().unzip();
        if references.is_empty() {
            return Ok(());
        }
        let replies = make_again(connection, tenant, &references)?;
        for ((key, reference), reply) in keys_of.iter().zip(&references).zip(replies) {
            let unknown = || Error::Refused(format!("a saved reply refers to {reference}"));
            keys.fill(key, reply.ok_or_else(unknown)?);
        }
        Ok(())
    }

    /// Adds all changes to `writes`, and what follows the commit to `after`. Puts into `memory` the rows as
    /// they will be after the commit. `read_head` reads the audit log's head if the log does not begin here and
    /// the head is not remembered, or if the memory is not trusted: another process may have appended
    /// meanwhile.
    pub(crate) fn close(
        self,
        memory: &mut Memory,
        trusts_memory: bool,
        writes: &mut Writes,
        after: &mut AfterCommit,
        read_head: impl FnOnce() -> Result<Option<Tip>, Error>,
    ) -> Result<(), Error> {
        let tenant = self.tenant.id;
        if let Some(error) = self.unrecorded {
            return Err(Error::Refused(format!(
                "an audit record was refused: {error}"
            )));
        }
        self.shelves.save(tenant, writes);
        let begun = self
            .log_begins
            .then(|| audit_log::tables::create(writes, tenant, self.now));
        let leaves = self.leaves.into_vec();
        if !leaves.is_empty() {
            let remembered = memory.head().filter(|_| trusts_memory);
            let mut tip = match begun.or_else(|| remembered.cloned()) {
                Some(tip) => tip,
                None => {
                    let head = read_head()?;
                    let no_log = || Error::Refused("the tenant has no audit log".to_owned());
                    let head = head.ok_or_else(no_log)?;
                    memory.keep_if_current(&head);
                    // If the batch is decided again, its time is at least this one.
                    memory.keep_time(head.at);
                    head
                }
            };
            audit_log::tables::append(writes, &mut tip, tenant, leaves, self.now)?;
            memory.keep_head(tip);
        }
        memory.remember(&self.shelves);
        if let Some(keys) = self.shelves.get::<idempotency::Shelf>() {
            let answered = keys.answered().into_iter().filter_map(|key| {
                let reply = keys.reply(&key)?.clone();
                Some((self.tenant.clone(), key, reply))
            });
            after.answered.extend(answered);
        }
        let messages = self.after.into_vec().into_iter();
        after
            .messages
            .extend(messages.map(|what| (self.tenant.clone(), what)));
        Ok(())
    }
}
