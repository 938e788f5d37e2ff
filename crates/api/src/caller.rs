//! The caller of a request: its API key, looked up by its hash.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use access::Mode;
use edge::{Caller, Headers, Problem, code, headers, respond};
use engine::Engine;

/// Greatest number of keys that are remembered. If there are more, all are forgotten.
const MAX_CALLERS: usize = 10_000;

/// The callers of recent requests, by the hash of their keys, with the time before each was looked up.
#[derive(Debug, Default)]
pub(crate) struct Callers(Mutex<HashMap<[u8; 32], (Caller, Instant)>>);

impl Callers {
    /// The caller of a request.
    ///
    /// # Errors
    /// A 401 for a key that is absent, malformed or unknown; the answer does not say which of these it is. A 401
    /// with a reason for a key of the other mode, which is recognised by its prefix. A 503 or a 500 if the database
    /// fails.
    pub(crate) async fn of(
        &self,
        engine: &Engine,
        mode: Mode,
        sent: &Headers,
    ) -> Result<Caller, Problem> {
        let key = headers::bearer(sent)?;
        // A key of the other mode is refused even if the database has it, because everybody knows the key of the
        // sandbox.
        if key.starts_with(mode.other().key_prefix()) {
            let (keys, books) = (mode.other().name(), mode.name());
            return Err(Problem::new(code::UNAUTHORIZED).with_detail(format!(
                "This is a key for {keys} books, and these are {books} books."
            )));
        }
        let hash = access::hash(key);
        if let Some(caller) = self.remembered(hash, access::believed(mode)) {
            return Ok(caller);
        }
        // The time before the look: an answer from before a change is not believed longer than one from then.
        let asked_at = Instant::now();
        let found = engine
            .read(move |connection| access::caller(connection, hash))
            .await;
        let caller = found.map_err(|error| respond::unavailable(&error))?;
        let caller = caller.ok_or_else(|| Problem::new(code::UNAUTHORIZED))?;
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_CALLERS {
            known.clear();
        }
        known.insert(hash, (caller.clone(), asked_at));
        Ok(caller)
    }

    fn remembered(&self, hash: [u8; 32], believed: Duration) -> Option<Caller> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (caller, since) = known.get(&hash)?;
        (since.elapsed() < believed).then(|| caller.clone())
    }
}
