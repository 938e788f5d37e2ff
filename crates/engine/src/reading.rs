//! Questions to the database. They run outside of the async threads, and each ends after a bounded time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU8, Ordering};
use std::time::Duration;

use store::{AnyConnection, Error};
use tokio::sync::SemaphorePermit;

use crate::lane::Engine;
use crate::pulse::DOUBT;

/// Greatest number of questions that are stuck and that nobody waits for. If there are more, no question is
/// asked.
const MAX_ABANDONED: i64 = 128;

impl Engine {
    /// Runs a question on a snapshot of the database, outside of the async threads.
    ///
    /// # Errors
    /// [`Error`] as the database gives it; [`Error::Unavailable`] if it is silent, or takes too long.
    pub async fn read<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut AnyConnection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        if self.pulse.is_silent() || self.left.count() >= MAX_ABANDONED {
            return Err(silent());
        }
        let _turn = self.turn().await?;
        let store = self.store.clone();
        let (waiting, asking) = self.left.pair();
        let mut asked = tokio::task::spawn_blocking(move || {
            let answer = store.ask(question);
            drop(asking);
            answer
        });
        let panicked = |error| Error::Refused(format!("a reader panicked: {error}"));
        let Some(longest) = self.store.longest_answer() else {
            return asked.await.unwrap_or_else(|error| Err(panicked(error)));
        };
        if let Ok(answer) = tokio::time::timeout(DOUBT.min(longest), &mut asked).await {
            return answer.unwrap_or_else(|error| Err(panicked(error)));
        }
        self.pulse.doubt();
        let gone = tokio::select! {
            answer = &mut asked => return answer.unwrap_or_else(|error| Err(panicked(error))),
            () = self.pulse.silence() => silent(),
            () = tokio::time::sleep(longest.saturating_sub(DOUBT)) => {
                // The database answers others, but this connection is stuck. The connections that were opened
                // with it may be stuck too.
                self.store.renew_readers();
                too_long(longest)
            }
        };
        waiting.leave();
        Err(gone)
    }

    /// Waits for this question's turn: questions are asked in the order in which they came.
    async fn turn(&self) -> Result<SemaphorePermit<'_>, Error> {
        let closed = |_closed| Error::Unavailable("nothing is asked any more".to_owned());
        let mut turn = std::pin::pin!(self.turns.acquire());
        let Some(longest) = self.store.longest_answer() else {
            return turn.await.map_err(closed);
        };
        if let Ok(turn) = tokio::time::timeout(DOUBT.min(longest), &mut turn).await {
            return turn.map_err(closed);
        }
        self.pulse.doubt();
        tokio::select! {
            turn = &mut turn => turn.map_err(closed),
            () = self.pulse.silence() => Err(silent()),
            () = tokio::time::sleep(longest.saturating_sub(DOUBT)) => Err(busy(longest)),
        }
    }
}

fn silent() -> Error {
    Error::Unavailable("the database does not answer".to_owned())
}

fn busy(longest: Duration) -> Error {
    Error::Unavailable(format!(
        "there was no turn for a question within {longest:?}"
    ))
}

fn too_long(longest: Duration) -> Error {
    Error::Unavailable(format!("a question was not answered within {longest:?}"))
}

/// Number of questions that still run although nobody waits for their answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct AbandonedQuestions(Arc<AtomicI64>);

const ASKED: u8 = 0;
const LEFT: u8 = 1;
const ANSWERED: u8 = 2;

impl AbandonedQuestions {
    fn count(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }

    /// The two ends of one question: the one that waits, and the one that asks.
    fn pair(&self) -> (Waiter, Asker) {
        let state = Arc::new(AtomicU8::new(ASKED));
        let asking = Asker {
            state: Arc::clone(&state),
            left: self.clone(),
        };
        let waiting = Waiter {
            state,
            left: self.clone(),
        };
        (waiting, asking)
    }
}

struct Waiter {
    state: Arc<AtomicU8>,
    left: AbandonedQuestions,
}

impl Waiter {
    /// Gives up waiting.
    fn leave(self) {
        self.left.0.fetch_add(1, Ordering::Relaxed);
        if self.state.swap(LEFT, Ordering::AcqRel) == ANSWERED {
            self.left.0.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

struct Asker {
    state: Arc<AtomicU8>,
    left: AbandonedQuestions,
}

impl Drop for Asker {
    fn drop(&mut self) {
        if self.state.swap(ANSWERED, Ordering::AcqRel) == LEFT {
            self.left.0.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_counts_as_left_from_when_nobody_waits_until_it_is_answered() {
        let left = AbandonedQuestions::default();
        let (waiting, asking) = left.pair();
        drop(asking);
        waiting.leave();
        assert_eq!(left.count(), 0);
        let (waiting, asking) = left.pair();
        waiting.leave();
        assert_eq!(left.count(), 1);
        drop(asking);
        assert_eq!(left.count(), 0);
        let (waiting, asking) = left.pair();
        drop(waiting);
        drop(asking);
        assert_eq!(left.count(), 0);
    }
}
