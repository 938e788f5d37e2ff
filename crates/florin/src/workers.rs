//! What runs beside the lane: calling the provider, and finding what was left undone.
//!
//! A worker calls the provider outside any commit, under the provider key that was committed before,
//! and brings what it heard back as a command. If it dies, its lease runs out; the sweeper takes the
//! operation over and *inquires first*, because the dead worker may have been heard.

use std::sync::Arc;
use std::time::Duration;

use std::any::Any;

use books::transactions::Expire;
use engine::{Command, Engine, LaneError, Outcome, Repeated, Request, Tenant, Watch};
use payments::charging::{LeaseDue, RecordOutcome};
use payments::notices::{ApplyParked, arrived};
use payments::{Fact, Operation};
use tokio::sync::{Semaphore, mpsc, watch};
use webhooks::Event;

use crate::provider::{Heard, Provider};

/// Calls to the provider at a time.
const CALLS: usize = 256;
/// Operations taken over at a time.
const TAKE_OVER: i64 = 100;
/// Pending transactions expired at a time.
const EXPIRIES: i64 = 500;
/// The first pause before an inquiry; it doubles with every lease.
const FIRST_PAUSE_MILLIS: i64 = 1_000;
/// The longest pause before an inquiry.
const LONGEST_PAUSE_MILLIS: i64 = 300_000;

/// What commands have had told after their commit.
pub(crate) type Submitted = mpsc::UnboundedReceiver<(Tenant, Box<dyn Any + Send>)>;

/// Runs until `stop` becomes true: calls the provider for every operation that is submitted, and
/// looks every `interval` for what was left undone.
pub(crate) async fn run(
    engine: Engine,
    provider: Provider,
    lease_millis: i64,
    mut submitted: Submitted,
    interval: Duration,
    mut stop: watch::Receiver<bool>,
) {
    let calls = Arc::new(Semaphore::new(CALLS));
    let mut tick = tokio::time::interval(interval);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let worker = Worker {
        engine,
        provider,
        lease_millis,
        calls,
    };
    let mut clock = Watch::default();
    loop {
        tokio::select! {
            _ = stopped(&mut stop) => break,
            Some((tenant, what)) = submitted.recv() => {
                if let Ok(operation) = what.downcast::<Operation>() {
                    worker.spawn(tenant, *operation, false);
                }
            }
            _ = tick.tick() => {
                tokio::select! {
                    // A sweep that waits for the database does not keep the server from stopping.
                    _ = stopped(&mut stop) => break,
                    // An unreachable database is reported by whoever needs an answer from it.
                    _unavailable = worker.sweep() => {}
                }
                worker.engine.look_for_answers().await;
                clock.look(&worker.engine);
            }
        }
    }
    // Calls under way may still bring their outcome home; what they cannot, the next start finds.
    let all = u32::try_from(CALLS).unwrap_or(u32::MAX);
    let _patience =
        tokio::time::timeout(Duration::from_secs(5), worker.calls.acquire_many(all)).await;
}

/// Returns once `stop` is true, or nobody is left to say so.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _sender_gone = stop.wait_for(|stop| *stop).await.is_err();
}

#[derive(Clone)]
struct Worker {
    engine: Engine,
    provider: Provider,
    lease_millis: i64,
    calls: Arc<Semaphore>,
}

impl Worker {
    fn spawn(&self, tenant: Tenant, operation: Operation, inquire_first: bool) {
        let worker = self.clone();
        tokio::spawn(async move {
            let Ok(_permit) = worker.calls.clone().acquire_owned().await else {
                return;
            };
            // Whoever waited so long for a turn is fenced by now, and the sweeper comes back to it.
            if worker.engine.clock().now() >= operation.leased_until {
                return;
            }
            worker.call(tenant, operation, inquire_first).await;
        });
    }

    /// Calls the provider and brings home what it said.
    async fn call(&self, tenant: Tenant, operation: Operation, inquire_first: bool) {
        let heard = if inquire_first {
            match self.provider.inquire(&operation).await {
                Heard::Unknown => self.provider.charge(&operation).await,
                heard @ (Heard::Done { .. } | Heard::Nothing(_) | Heard::Wrong { .. }) => heard,
            }
        } else {
            self.provider.charge(&operation).await
        };
        let (fact, answer) = match heard {
            Heard::Done { fact, answer } => (fact, answer),
            Heard::Unknown => (self.unknown(&operation), Vec::new()),
            Heard::Nothing(cause) => {
                tracing::warn!(operation = %operation.id, %cause, "the outcome is unknown");
                metrics::counter!("florin_provider_unknown_total").increment(1);
                (self.unknown(&operation), Vec::new())
            }
            Heard::Wrong { cause, answer } => {
                tracing::error!(operation = %operation.id, %cause, "a provider's answer cannot be right");
                metrics::counter!("florin_provider_answers_refused_total").increment(1);
                (self.unknown(&operation), answer)
            }
        };
        let answer = (!answer.is_empty()).then(|| Box::new(self.received(&operation, answer)));
        let command = RecordOutcome {
            operation: operation.id,
            epoch: operation.lease_epoch,
            fact,
            answer,
            show: payments::charging::show::reply,
        };
        let request = Request::of_system(tenant, "worker", command);
        if let Err(error) = self.engine.submit(request).await {
            // The lease runs out, and the sweeper inquires.
            static UNRECORDED: Repeated = Repeated::new();
            if let Some(times) = UNRECORDED.due() {
                tracing::warn!(operation = %operation.id, %error, times, "an outcome was not recorded");
            }
        }
    }

    /// An answer as the quarantine would keep it, under the operation's id: it has none of its own.
    fn received(&self, operation: &Operation, body: Vec<u8>) -> Event {
        Event {
            provider: operation.provider.clone(),
            id: format!("answer:{}", operation.id),
            kind: "answer".to_owned(),
            reference: Some(operation.provider_key.clone()),
            body,
            received_at: self.engine.clock().now(),
        }
    }

    fn unknown(&self, operation: &Operation) -> Fact {
        let doublings = u32::try_from(operation.lease_epoch.saturating_sub(1))
            .unwrap_or(0)
            .min(16);
        let pause =
            FIRST_PAUSE_MILLIS.saturating_mul(1_i64.checked_shl(doublings).unwrap_or(i64::MAX));
        let pause = pause.min(LONGEST_PAUSE_MILLIS);
        Fact::Unknown {
            retry_at: self.engine.clock().now().plus_millis(pause),
        }
    }

    /// Takes over operations whose lease has run out, tries parked webhooks again, and releases what is
    /// held beyond its time.
    async fn sweep(&self) -> Result<(), LaneError> {
        let now = self.engine.clock().now();
        let undone = self.engine.read(move |connection| {
            let mut undone = Vec::new();
            for tenant in access::tenants(connection)? {
                let due = payments::operations_due(connection, tenant.id, now)?;
                let parked = arrived(connection, tenant.id)?;
                let expired = ledger::expired(connection, tenant.id, now, EXPIRIES)?;
                undone.push((tenant, due, parked, expired));
            }
            Ok(undone)
        });
        let undone = undone
            .await
            .map_err(|_unavailable| LaneError::Unavailable)?;
        for (tenant, due, parked, expired) in undone {
            if !expired.is_empty() {
                let command = Expire { pending: expired };
                self.submit(tenant.clone(), command).await?;
            }
            if due {
                // No more than can be called at once: the rest would only wait while its lease runs.
                let free = i64::try_from(self.calls.available_permits()).unwrap_or(TAKE_OVER);
                if free == 0 {
                    continue;
                }
                let command = LeaseDue {
                    limit: free.min(TAKE_OVER),
                    lease_millis: self.lease_millis,
                };
                let leased = self.submit(tenant.clone(), command).await?.done();
                for operation in leased.into_iter().flatten() {
                    self.spawn(tenant.clone(), operation, true);
                }
            }
            if !parked.is_empty() {
                let show = payments::charging::show::reply;
                self.submit(tenant, ApplyParked { parked, show }).await?;
            }
        }
        Ok(())
    }

    async fn submit<C: Command>(
        &self,
        tenant: Tenant,
        command: C,
    ) -> Result<Outcome<C>, LaneError> {
        let request = Request::of_system(tenant, "sweeper", command);
        self.engine.submit(request).await
    }
}
