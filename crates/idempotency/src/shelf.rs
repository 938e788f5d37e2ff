//! The shelf of keys: the keys that one batch holds in memory.

use store::Timestamp;
use store::rows::Rows;

use crate::{Claim, Fingerprint, Key, Reply};

/// The keys that a batch names, as they were loaded, with the changes of the batch.
#[derive(Debug, Default)]
pub struct Shelf {
    held: Rows<Key, ShelfRow>,
}

store::savepoint!(Shelf { held });

#[derive(Debug, Clone)]
pub(crate) struct ShelfRow {
    pub(crate) fingerprint: Fingerprint,
    pub(crate) resource: Option<String>,
    pub(crate) reply: Option<Reply>,
    pub(crate) created_at: Timestamp,
    pub(crate) change: Change,
    /// The status of a reply that is made again from `resource`; the bytes of such a reply are not stored.
    pub(crate) by_reference: Option<u16>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    None,
    Claimed,
    Answered,
    /// Claimed anew after its life; the time of the old claim.
    Replaced(Timestamp),
    /// To be deleted after its life; the time of the claim.
    Forgotten(Timestamp),
}

/// The state of a request.
#[derive(Debug, PartialEq, Eq)]
pub enum KeyState<'a> {
    /// The request is new.
    New,
    /// The request was sent before and is not answered yet.
    InFlight,
    /// The request was answered.
    Replay(&'a Reply),
    /// The key belongs to another request.
    Reused {
        /// The resource that the other request made, if it is not answered yet.
        resource: Option<&'a str>,
        /// The reply to the other request, if it is answered.
        reply: Option<&'a Reply>,
    },
}

impl ShelfRow {
    /// True if the life of the key is over. A key in flight has no end.
    fn is_over(&self, oldest: Timestamp) -> bool {
        let is_answered = self.reply.is_some() || self.by_reference.is_some();
        let is_forgotten = matches!(self.change, Change::Forgotten(_));
        is_forgotten || (is_answered && self.created_at < oldest)
    }
}

impl Shelf {
    /// The state of this request. A key that was claimed before `oldest` and is answered counts no more.
    #[must_use]
    pub fn look(&self, claim: &Claim, oldest: Timestamp) -> KeyState<'_> {
        let held = self.held.get(&claim.key);
        let Some(held) = held.filter(|held| !held.is_over(oldest)) else {
            return KeyState::New;
        };
        if held.fingerprint != claim.fingerprint {
            return KeyState::Reused {
                // A reference is internal: the client gets the reply that is made from it.
                resource: held
                    .resource
                    .as_deref()
                    .filter(|_| held.by_reference.is_none()),
                reply: held.reply.as_ref(),
            };
        }
        match &held.reply {
            Some(reply) => KeyState::Replay(reply),
            None => KeyState::InFlight,
        }
    }

    /// Records that the first request with this key was answered at once.
    pub fn save(&mut self, claim: Claim, reply: Reply, now: Timestamp) {
        self.claim(claim, None, Some(reply), now);
    }

    /// As [`save`](Shelf::save), but stores only the status and `resource`, because the same reply can be made again
    /// from the resource, byte for byte: its data never changes.
    pub fn save_reference(&mut self, claim: Claim, reply: Reply, resource: String, now: Timestamp) {
        let (key, status) = (claim.key.clone(), reply.status);
        self.claim(claim, Some(resource), Some(reply), now);
        if let Some(held) = self.held.get_mut(&key) {
            held.by_reference = Some(status);
        }
    }

    /// The keys whose reply must be made again, each with the resource to make it from.
    #[must_use]
    pub fn referenced(&self) -> Vec<(Key, String)> {
        let referenced = self
            .held
            .iter()
            .filter(|(_, held)| held.by_reference.is_some() && held.reply.is_none());
        referenced
            .filter_map(|(key, held)| Some((key.clone(), held.resource.clone()?)))
            .collect()
    }

    /// Sets the reply that was made again for this key. A reply with another status is ignored.
    pub fn fill(&mut self, key: &Key, reply: Reply) {
        if let Some(held) = self.held.get_mut(key)
            && held.by_reference == Some(reply.status)
        {
            held.reply = Some(reply);
        }
    }

    /// Records that the first request with this key made `resource` and is not answered yet.
    pub fn begin(&mut self, claim: Claim, resource: String, now: Timestamp) {
        self.claim(claim, Some(resource), None, now);
    }

    /// Answers a request that is in flight and has made `resource`. Returns false if there is no such request: a
    /// reply never changes, and after its life a key may name another request.
    pub fn answer(&mut self, key: &Key, resource: &str, reply: Reply) -> bool {
        let held = self.held.get_mut(key);
        match held.filter(|held| held.resource.as_deref() == Some(resource)) {
            Some(held) if held.reply.is_none() && held.by_reference.is_none() => {
                held.reply = Some(reply);
                if held.change == Change::None {
                    held.change = Change::Answered;
                }
                true
            }
            Some(_) | None => false,
        }
    }

    /// The reply of a key, if it has one.
    #[must_use]
    pub fn reply(&self, key: &Key) -> Option<&Reply> {
        self.held.get(key)?.reply.as_ref()
    }

    /// Forgets a key that was claimed before `oldest` and is answered. Returns false if there is no such key.
    pub fn forget(&mut self, key: &Key, oldest: Timestamp) -> bool {
        match self.held.get_mut(key) {
            Some(held) if held.change == Change::None && held.is_over(oldest) => {
                held.change = Change::Forgotten(held.created_at);
                true
            }
            Some(_) | None => false,
        }
    }

    fn claim(
        &mut self,
        claim: Claim,
        resource: Option<String>,
        reply: Option<Reply>,
        now: Timestamp,
    ) {
        let change = match self
            .held
            .get(&claim.key)
            .map(|held| (held.change, held.created_at))
        {
            None | Some((Change::Claimed, _)) => Change::Claimed,
            Some((Change::None | Change::Answered, seen)) => Change::Replaced(seen),
            Some((Change::Replaced(seen) | Change::Forgotten(seen), _)) => Change::Replaced(seen),
        };
        let held = ShelfRow {
            fingerprint: claim.fingerprint,
            resource,
            reply,
            created_at: now,
            change,
            by_reference: None,
        };
        self.held.put(claim.key, held);
    }

    pub(crate) fn put_loaded(&mut self, key: Key, held: ShelfRow) {
        self.held.put(key, held);
    }

    pub(crate) fn changed(&self, is: impl Fn(Change) -> bool) -> Vec<(&Key, &ShelfRow)> {
        let mut changed: Vec<_> = self
            .held
            .iter()
            .filter(|(_, held)| is(held.change))
            .collect();
        changed.sort_unstable_by_key(|(key, _)| *key);
        changed
    }

    /// The keys that will exist after the commit of this batch, as far as the batch knows.
    pub fn known(&self) -> impl Iterator<Item = &Key> {
        self.held.keys()
    }

    /// The keys that were in flight and got their reply in this batch.
    #[must_use]
    pub fn answered(&self) -> Vec<Key> {
        let answered = self.held.iter().filter(|(_, held)| {
            let waited = match held.change {
                Change::Answered => true,
                Change::Claimed | Change::Replaced(_) => held.resource.is_some(),
                Change::None | Change::Forgotten(_) => false,
            };
            held.reply.is_some() && held.by_reference.is_none() && waited
        });
        answered.map(|(key, _)| key.clone()).collect()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;

    fn claim(key: &str, body: &[u8]) -> Claim {
        Claim {
            key: Key::parse(key.to_owned()).unwrap(),
            fingerprint: Fingerprint::of("POST", "/", "1", body),
        }
    }

    fn reply(text: &str) -> Reply {
        Reply {
            status: 200,
            body: text.as_bytes().to_vec(),
        }
    }

    const NOW: Timestamp = Timestamp::from_micros(0);

    #[test]
    fn an_answered_request_is_replayed_and_another_body_is_refused() {
        let mut shelf = Shelf::default();
        assert_eq!(shelf.look(&claim("k", b"a"), NOW), KeyState::New);
        shelf.save(claim("k", b"a"), reply("done"), NOW);
        assert_eq!(
            shelf.look(&claim("k", b"a"), NOW),
            KeyState::Replay(&reply("done"))
        );
        let reused = KeyState::Reused {
            resource: None,
            reply: Some(&reply("done")),
        };
        assert_eq!(shelf.look(&claim("k", b"b"), NOW), reused);
    }

    #[test]
    fn a_reply_that_was_kept_by_reference_is_no_other_when_it_is_made_again() {
        let mut shelf = Shelf::default();
        let one = claim("k", b"a");
        shelf.save_reference(one.clone(), reply("made"), "txn_1".to_owned(), NOW);
        assert_eq!(shelf.look(&one, NOW), KeyState::Replay(&reply("made")));
        assert!(!shelf.answer(&one.key, "txn_1", reply("another")));
        assert!(shelf.referenced().is_empty());
        assert!(shelf.answered().is_empty());
    }

    #[test]
    fn an_answer_once_given_stays() {
        let mut shelf = Shelf::default();
        let one = claim("k", b"a");
        shelf.begin(one.clone(), "pay_1".to_owned(), NOW);
        assert_eq!(shelf.look(&one, NOW), KeyState::InFlight);
        assert!(!shelf.answer(&one.key, "pay_2", reply("of another request")));
        assert!(shelf.answer(&one.key, "pay_1", reply("first")));
        assert!(!shelf.answer(&one.key, "pay_1", reply("second")));
        assert_eq!(shelf.look(&one, NOW), KeyState::Replay(&reply("first")));
    }

    #[test]
    fn a_key_in_flight_outlives_every_answered_one() {
        let later = NOW.plus_seconds(1);
        let mut shelf = Shelf::default();
        shelf.save(claim("answered", b"a"), reply("done"), NOW);
        shelf.begin(claim("begun", b"a"), "pay_1".to_owned(), NOW);
        let known = KeyState::Replay(&reply("done")) == shelf.look(&claim("answered", b"a"), NOW);
        assert!(known);
        assert_eq!(shelf.look(&claim("answered", b"a"), later), KeyState::New);
        assert_eq!(shelf.look(&claim("begun", b"a"), later), KeyState::InFlight);
    }

    #[test]
    fn a_forgotten_key_is_claimed_anew_in_the_same_batch() {
        let key = Key::parse("k".to_owned()).unwrap();
        let loaded = ShelfRow {
            fingerprint: claim("k", b"a").fingerprint,
            resource: None,
            reply: Some(reply("old")),
            created_at: NOW,
            change: Change::None,
            by_reference: None,
        };
        let mut shelf = Shelf::default();
        shelf.put_loaded(key.clone(), loaded);
        assert!(!shelf.forget(&key, NOW));
        let later = NOW.plus_seconds(1);
        assert!(shelf.forget(&key, later));
        assert_eq!(shelf.look(&claim("k", b"b"), NOW), KeyState::New);
        shelf.save(claim("k", b"b"), reply("new"), later);
        let replaced = shelf.changed(|change| change == Change::Replaced(NOW));
        assert_eq!(replaced.len(), 1);
        assert!(!shelf.forget(&key, later));
    }
}
