//! The work of charging: every submitted operation goes to its provider, outside any commit, under the provider
//! key that was committed before. The provider's answer comes back as a command.
//!
//! If a worker dies, its lease runs out. The worker that takes over the errand *inquires first*, because the
//! provider may have received the request of the dead worker.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use crash_points::{Point, here};
use engine::errand::{DueErrand, Work, WorkFuture, spawn};
use engine::{Engine, RepeatedWarning, Request, Tenant};
use store::Timestamp;
use webhooks::Event;

use super::{Lease, RecordOutcome};
use crate::overdue::is_overdue;
use crate::providers::{CallOutcome, ProviderAnswer, Reach, ReachableProvider};
use crate::{Fact, LeasedOperation, OPERATION, Operation, OperationId};

/// First pause before an inquiry; it doubles with every lease.
const FIRST_PAUSE_MILLIS: i64 = 1_000;
/// Longest pause before an inquiry.
const MAX_PAUSE_MILLIS: i64 = 300_000;

/// The work of the providers: the operations go to them.
#[derive(Clone)]
pub struct ProviderWork {
    engine: Engine,
    providers: Arc<dyn Reach>,
    /// Number of bank days after which an outcome is overdue.
    overdue_days: u16,
    /// Names of providers that operations need and the settings no longer have.
    absent: Arc<Mutex<BTreeSet<String>>>,
}

impl Work for ProviderWork {
    fn kind(&self) -> &'static str {
        OPERATION
    }

    fn full(&self) -> Vec<String> {
        let absent = self.absent.lock().unwrap_or_else(PoisonError::into_inner);
        let full = self.providers.full().into_iter();
        full.chain(absent.iter().cloned()).collect()
    }

    fn take(&self, tenant: Tenant, due: Vec<DueErrand>) -> WorkFuture<'_> {
        let mut by_place: BTreeMap<String, Vec<OperationId>> = BTreeMap::new();
        for due in due {
            let operations = by_place.entry(due.place).or_default();
            operations.push(OperationId::from_bytes(due.subject));
        }
        Box::pin(async move {
            for (place, mut operations) in by_place {
                let Some(provider) = self.reachable(&place) else {
                    continue;
                };
                // Takes no more operations than can be inquired about now. The others would only wait while their
                // leases run.
                operations.truncate(provider.free_inquiries);
                if operations.is_empty() {
                    continue;
                }
                let lease_millis = provider.lease_millis;
                let command = Lease {
                    operations,
                    lease_millis,
                };
                let request = Request::of_system(tenant.clone(), "sweeper", command);
                here(Point::LeaseBefore);
                let leased = self.engine.submit(request).await?.done();
                here(Point::LeaseAfter);
                for leased in leased.into_iter().flatten() {
                    let (work, tenant) = (self.clone(), tenant.clone());
                    spawn(async move { work.inquire(tenant, leased).await });
                }
            }
            Ok(())
        })
    }

    fn hear(&self, tenant: &Tenant, what: Box<dyn Any + Send>) -> Option<Box<dyn Any + Send>> {
        let leased = what.downcast::<LeasedOperation>().map_err(Some);
        match leased {
            Ok(leased) => {
                let (work, tenant) = (self.clone(), tenant.clone());
                spawn(async move { work.request(tenant, *leased).await });
                None
            }
            Err(what) => what,
        }
    }

    fn end(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.providers.end()
    }
}

impl ProviderWork {
    /// The work over a lane, with the way to the providers, and the number of bank days after which an outcome is
    /// overdue.
    #[must_use]
    pub fn new(engine: Engine, providers: Arc<dyn Reach>, overdue_days: u16) -> Self {
        Self {
            engine,
            providers,
            overdue_days,
            absent: Arc::default(),
        }
    }

    /// The provider of this name. A provider that cannot be reached is logged once. Its errands stay due until a
    /// server takes them that can reach the provider.
    fn reachable(&self, name: &str) -> Option<ReachableProvider> {
        let provider = self.providers.reachable(name);
        if provider.is_none() {
            let mut absent = self.absent.lock().unwrap_or_else(PoisonError::into_inner);
            if absent.insert(name.to_owned()) {
                tracing::error!(
                    provider = name,
                    "operations wait for a provider that is not in the settings: add it with --other-provider, and \
                     they are asked about"
                );
            }
        }
        provider
    }

    /// Asks the provider to execute a new operation, and records the answer.
    async fn request(&self, tenant: Tenant, leased: LeasedOperation) {
        if self.reachable(&leased.operation.provider).is_none() {
            return;
        }
        match self.providers.request(tenant.id, &leased).await {
            CallOutcome::Answered(answer) => self.record_answer(tenant, &leased, answer).await,
            CallOutcome::CircuitOpen(pause) => {
                let now = self.engine.clock().now_of(tenant.id);
                let retry_at = now.plus_millis(pause);
                let unknown = Fact::Unknown { retry_at };
                self.record(tenant, &leased, unknown, Vec::new()).await;
            }
            // The operation belongs to another worker by now.
            CallOutcome::TooLate => {}
        }
    }

    /// Asks for the outcome of an operation whose lease has run out; asks for its execution if the provider does not
    /// know it.
    async fn inquire(&self, tenant: Tenant, leased: LeasedOperation) {
        let Some(_place) = self.providers.place(&leased.operation.provider).await else {
            return;
        };
        here(Point::InquiryBefore);
        let told = self.providers.inquire(tenant.id, &leased).await;
        here(Point::InquiryAfter);
        let answer = match told {
            ProviderAnswer::Unknown => {
                here(Point::AgainBefore);
                self.providers.request_again(tenant.id, &leased).await
            }
            answer @ (ProviderAnswer::Done { .. }
            | ProviderAnswer::Waits { .. }
            | ProviderAnswer::Nothing(_)
            | ProviderAnswer::Wrong { .. }) => answer,
        };
        self.record_answer(tenant, &leased, answer).await;
    }

    async fn record_answer(
        &self,
        tenant: Tenant,
        leased: &LeasedOperation,
        answer: ProviderAnswer,
    ) {
        let operation = &leased.operation;
        let (fact, bytes) = match answer {
            ProviderAnswer::Done { fact, answer } => (fact, answer),
            ProviderAnswer::Unknown | ProviderAnswer::Waits { action: None } => {
                (self.unknown(&tenant, leased), Vec::new())
            }
            ProviderAnswer::Waits {
                action: Some((url, record)),
            } => {
                let retry_at = self.next_inquiry(&tenant, leased);
                let fact = Fact::ActionRequired {
                    url,
                    record: *record,
                    retry_at,
                };
                (fact, Vec::new())
            }
            ProviderAnswer::Nothing(cause) => {
                tracing::warn!(operation = %operation.id, %cause, "the outcome is unknown");
                metrics::counter!("florin_provider_unknown_total").increment(1);
                (self.unknown(&tenant, leased), Vec::new())
            }
            ProviderAnswer::Wrong { cause, answer } => {
                tracing::error!(operation = %operation.id, %cause, "a provider's answer cannot be right");
                metrics::counter!("florin_provider_answers_refused_total").increment(1);
                (self.unknown(&tenant, leased), answer)
            }
        };
        self.record(tenant, leased, fact, bytes).await;
    }

    async fn record(&self, tenant: Tenant, leased: &LeasedOperation, fact: Fact, answer: Vec<u8>) {
        let operation = &leased.operation;
        let received_at = self.engine.clock().now_of(tenant.id);
        let answer =
            (!answer.is_empty()).then(|| Box::new(received(operation, answer, received_at)));
        let command = RecordOutcome {
            operation: operation.id,
            epoch: leased.epoch,
            // A payer takes as long as they like.
            is_overdue: matches!(fact, Fact::Unknown { .. })
                && is_overdue(operation, self.overdue_days, received_at),
            fact,
            answer,
        };
        let request = Request::of_system(tenant, "worker", command);
        here(Point::OutcomeBefore);
        let recorded = self.engine.submit(request).await;
        here(Point::OutcomeAfter);
        if let Err(error) = recorded {
            // The lease will run out, and a worker will inquire.
            static UNRECORDED: RepeatedWarning = RepeatedWarning::new();
            if let Some(times) = UNRECORDED.due() {
                tracing::warn!(operation = %operation.id, %error, times, "an outcome was not recorded");
            }
        }
    }

    fn unknown(&self, tenant: &Tenant, leased: &LeasedOperation) -> Fact {
        let retry_at = self.next_inquiry(tenant, leased);
        Fact::Unknown { retry_at }
    }

    /// Time of the next inquiry: the pause doubles with every lease.
    fn next_inquiry(&self, tenant: &Tenant, leased: &LeasedOperation) -> Timestamp {
        let doublings = u32::try_from(leased.epoch.saturating_sub(1))
            .unwrap_or(0)
            .min(16);
        let pause =
            FIRST_PAUSE_MILLIS.saturating_mul(1_i64.checked_shl(doublings).unwrap_or(i64::MAX));
        let pause = pause.min(MAX_PAUSE_MILLIS);
        self.engine.clock().now_of(tenant.id).plus_millis(pause)
    }
}

/// An answer in the form that the quarantine keeps. An answer has no id of its own, so it gets one from the
/// operation's id.
fn received(operation: &Operation, body: Vec<u8>, received_at: Timestamp) -> Event {
    Event {
        provider: operation.provider.clone(),
        id: format!("answer:{}", operation.id),
        kind: "answer".to_owned(),
        reference: Some(operation.provider_key.clone()),
        meaning: None,
        body,
        delivery: None,
        received_at,
    }
}
