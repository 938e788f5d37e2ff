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

impl Shelf {
    /// The state of this request.
    #[must_use]
    pub fn look(&self, claim: &Claim) -> KeyState<'_> {
        let Some(held) = self.held.get(&claim.key) else {
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

    /// Answers a request that is in flight. Returns false if it is not in flight: a reply never changes.
    pub fn answer(&mut self, key: &Key, reply: Reply) -> bool {
        match self.held.get_mut(key) {
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

    fn claim(
        &mut self,
        claim: Claim,
        resource: Option<String>,
        reply: Option<Reply>,
        now: Timestamp,
    ) {
        let held = ShelfRow {
            fingerprint: claim.fingerprint,
            resource,
            reply,
            created_at: now,
            change: Change::Claimed,
            by_reference: None,
        };
        self.held.put(claim.key, held);
    }

    pub(crate) fn put_loaded(&mut self, key: Key, held: ShelfRow) {
        self.held.put(key, held);
    }

    pub(crate) fn changed(&self, change: Change) -> Vec<(&Key, &ShelfRow)> {
        let mut changed: Vec<_> = self
            .held
            .iter()
            .filter(|(_, held)| held.change == change)
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
            let waited = held.change == Change::Answered
                || (held.change == Change::Claimed && held.resource.is_some());
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
        assert_eq!(shelf.look(&claim("k", b"a")), KeyState::New);
        shelf.save(claim("k", b"a"), reply("done"), NOW);
        assert_eq!(
            shelf.look(&claim("k", b"a")),
            KeyState::Replay(&reply("done"))
        );
        let reused = KeyState::Reused {
            resource: None,
            reply: Some(&reply("done")),
        };
        assert_eq!(shelf.look(&claim("k", b"b")), reused);
    }

    #[test]
    fn a_reply_that_was_kept_by_reference_is_no_other_when_it_is_made_again() {
        let mut shelf = Shelf::default();
        let one = claim("k", b"a");
        shelf.save_reference(one.clone(), reply("made"), "txn_1".to_owned(), NOW);
        assert_eq!(shelf.look(&one), KeyState::Replay(&reply("made")));
        assert!(!shelf.answer(&one.key, reply("another")));
        assert!(shelf.referenced().is_empty());
        assert!(shelf.answered().is_empty());
    }

    #[test]
    fn an_answer_once_given_stays() {
        let mut shelf = Shelf::default();
        let one = claim("k", b"a");
        shelf.begin(one.clone(), "pay_1".to_owned(), NOW);
        assert_eq!(shelf.look(&one), KeyState::InFlight);
        assert!(shelf.answer(&one.key, reply("first")));
        assert!(!shelf.answer(&one.key, reply("second")));
        assert_eq!(shelf.look(&one), KeyState::Replay(&reply("first")));
    }
}
