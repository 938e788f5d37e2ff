//! Waiting for a request whose outcome takes longer than one commit.

use std::time::Duration;

use idempotency::Key;
use store::TenantId;
use tokio::sync::broadcast;
use tokio::time::Instant;

use crate::command::{Answer, Command, Envelope};
use crate::lane::{Engine, LaneError};

/// How often to look again without having heard anything: another process may have settled it.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

impl Engine {
    /// Sends a command and waits, at most `wait`, for the outcome of what it began.
    ///
    /// Whoever made the effect and has waited long enough is answered with the payment as it stands
    /// (and so is every later request with the key). Whoever sent the same request meanwhile gets
    /// [`Answer::InFlight`].
    ///
    /// # Errors
    /// [`LaneError`] says whether to try again.
    pub async fn submit_and_wait(
        &self,
        envelope: Envelope,
        wait: Duration,
    ) -> Result<Answer, LaneError> {
        let first = self.submit(envelope.clone()).await?;
        let Answer::InFlight {
            first: made,
            payment,
        } = first
        else {
            return Ok(first);
        };
        let Some(key) = envelope.claim.as_ref().map(|claim| claim.key.clone()) else {
            return Ok(first);
        };
        let deadline = Instant::now() + wait;
        let mut settled = self.settled();
        loop {
            // What was settled before we listened is found here.
            let answer = self.submit(envelope.clone()).await?;
            match answer {
                Answer::InFlight { .. } => {}
                // The maker's own wait is not a replay.
                Answer::Replied { reply, replayed } => {
                    let replayed = replayed && !made;
                    return Ok(Answer::Replied { reply, replayed });
                }
                Answer::KeyReused { .. }
                | Answer::Webhook(_)
                | Answer::Leased(_)
                | Answer::Misfits(_)
                | Answer::OtherMode(_)
                | Answer::Done => return Ok(answer),
            }
            if Instant::now() >= deadline {
                break;
            }
            let look_again = deadline.min(Instant::now() + LOOK_AGAIN);
            heard(&mut settled, envelope.tenant.id, &key, look_again).await;
        }
        match payment {
            Some(payment) => {
                let command = Command::AnswerNow { key, payment };
                self.submit(Envelope {
                    command,
                    claim: None,
                    ..envelope
                })
                .await
            }
            None => Ok(Answer::InFlight {
                first: made,
                payment,
            }),
        }
    }
}

/// Returns when the key was settled, or it is time to look again.
async fn heard(
    settled: &mut broadcast::Receiver<(TenantId, Key)>,
    tenant: TenantId,
    key: &Key,
    until: Instant,
) {
    let listen = async {
        loop {
            match settled.recv().await {
                Ok((whose, which)) if whose == tenant && which == *key => break,
                Ok(_) => {}
                // What was missed may have been ours.
                Err(broadcast::error::RecvError::Lagged(_)) => break,
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }
    };
    let _in_time = tokio::time::timeout_at(until, listen).await;
}
