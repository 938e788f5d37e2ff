//! Requests whose outcome takes longer than one commit.

use std::time::Duration;

use crash_points::{Point, here};
use store::find::Lock;
use tokio::time::Instant;

use crate::command::{Answer, Command, Outcome, Request};
use crate::lane::{Engine, LaneError};

/// Waits for a time, without a thread.
pub async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}

impl Engine {
    /// Sends a command and waits, at most `wait`, for the outcome of the operation that it began.
    ///
    /// After that time, the command that `answer_now` makes answers the request with the present state. Every
    /// later request with the key gets the same answer. The same request sent again meanwhile gets
    /// [`Answer::InFlight`].
    ///
    /// # Errors
    /// [`LaneError`] says whether to try again.
    pub async fn submit_and_wait<C, N>(
        &self,
        request: Request<C>,
        wait: Duration,
        answer_now: impl FnOnce(C::Done) -> Request<N>,
    ) -> Result<Answer, LaneError>
    where
        C: Command,
        N: Command<Done = Option<idempotency::Reply>>,
    {
        let deadline = Instant::now() + wait;
        let key = request.claim.as_ref().map(|claim| claim.key.clone());
        // Waits from before the command is sent, so that no answer is missed.
        let waiting = key.map(|key| self.waiters.wait(request.tenant.id, key));
        let Outcome { answer, decided } = self.submit(request).await?;
        let (Answer::InFlight { is_first }, Some(mut waiting)) = (&answer, waiting) else {
            return Ok(answer);
        };
        here(Point::WaitBegun);
        let replied = |reply, is_replay| Answer::Replied { reply, is_replay };
        if let Ok(Ok(reply)) = tokio::time::timeout_at(deadline, &mut waiting.reply).await {
            return Ok(replied(reply, !is_first));
        }
        match decided {
            Some(Ok(begun)) => {
                here(Point::WaitOver);
                let reply = self.submit(answer_now(begun)).await?.done().flatten();
                reply
                    .map(|reply| replied(reply, false))
                    .ok_or(LaneError::Failed)
            }
            Some(Err(_)) | None => Ok(answer),
        }
    }

    /// Looks for answers that another process has committed, with one question for all requests that wait.
    pub async fn look_for_answers(&self) {
        let keys = self.waiters.keys();
        if keys.is_empty() {
            return;
        }
        let found = self.read(move |connection| {
            let mut found = Vec::new();
            for (tenant, keys) in keys {
                let shelf = idempotency::tables::load(connection, tenant, &keys, Lock::Nothing)?;
                let replies = keys.into_iter().filter_map(|key| {
                    let reply = shelf.reply(&key)?.clone();
                    Some((tenant, key, reply))
                });
                found.extend(replies);
            }
            Ok(found)
        });
        // A database that does not answer is reported by the requests that need an answer from it.
        for (tenant, key, reply) in found.await.unwrap_or_default() {
            self.waiters.tell(tenant, &key, &reply);
        }
    }
}
