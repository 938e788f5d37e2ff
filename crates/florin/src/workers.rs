//! The work behind each kind of errands: calling the provider, expiring what is pending, and trying again what
//! arrived before its cause.
//!
//! A worker calls the provider outside any commit, under the provider key that was committed before, and brings
//! what it heard back as a command. If it dies, its lease runs out; whoever takes the errand over then *inquires
//! first*, because the provider may have heard the dead worker.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use books::transactions::{EXPIRY, Expire};
use engine::errand::{Doing, Due, Work, tenants};
use engine::{Command, Engine, LaneError, Outcome, Repeated, Request, Tenant};
use payments::charging::{Lease, Leased, RecordOutcome};
use payments::notices::{ApplyParked, arrived};
use payments::providers::{Dialects, Heard};
use payments::{CHARGE, Fact, Operation, OperationId};
use store::TenantId;
use webhooks::Event;

use crate::places::OPEN;
use crate::providers::{AllCalled, Called};

/// Tenants whose parked events are looked at a time.
const TENANTS: i64 = 100;
/// First pause before an inquiry; it doubles with every lease.
const FIRST_PAUSE_MILLIS: i64 = 1_000;
/// Longest pause before an inquiry.
const LONGEST_PAUSE_MILLIS: i64 = 300_000;

/// Charges: every operation that is submitted goes to its provider, and every inquiry to the same one.
#[derive(Clone)]
pub(crate) struct Charges {
    engine: Engine,
    called: Arc<AllCalled>,
    /// Providers of operations that the settings do not have any more.
    absent: Arc<Mutex<BTreeSet<String>>>,
}

impl Work for Charges {
    fn kind(&self) -> &'static str {
        CHARGE
    }

    fn full(&self) -> Vec<String> {
        let called = self.called.iter();
        let full = called.filter(|(_, called)| called.places.free_inquiries() == 0);
        let full = full.map(|(name, _)| name.clone());
        let absent = self.absent.lock().unwrap_or_else(PoisonError::into_inner);
        full.chain(absent.iter().cloned()).collect()
    }

    fn take(&self, tenant: Tenant, due: Vec<Due>) -> Doing<'_> {
        let mut by_place: BTreeMap<String, Vec<OperationId>> = BTreeMap::new();
        for due in due {
            let operations = by_place.entry(due.place).or_default();
            operations.push(OperationId::from_bytes(due.subject));
        }
        Box::pin(async move {
            for (place, mut operations) in by_place {
                let Some(called) = self.called(&place) else {
                    continue;
                };
                // No more than can be asked at once: the rest would only wait while its lease runs.
                operations.truncate(called.places.free_inquiries());
                let lease_millis = called.lease_millis;
                let command = Lease {
                    operations,
                    lease_millis,
                };
                let leased = submit(&self.engine, tenant.clone(), command).await?.done();
                for leased in leased.into_iter().flatten() {
                    let (charges, tenant) = (self.clone(), tenant.clone());
                    tokio::spawn(async move { charges.inquire(tenant, leased).await });
                }
            }
            Ok(())
        })
    }

    fn hear(&self, tenant: &Tenant, what: Box<dyn Any + Send>) -> Option<Box<dyn Any + Send>> {
        let leased = what.downcast::<Leased>().map_err(Some);
        match leased {
            Ok(leased) => {
                let (charges, tenant) = (self.clone(), tenant.clone());
                tokio::spawn(async move { charges.charge(tenant, *leased).await });
                None
            }
            Err(what) => what,
        }
    }

    fn end(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {
            for called in self.called.values() {
                called.places.end().await;
            }
        })
    }
}

impl Charges {
    pub(crate) fn new(engine: Engine, called: AllCalled) -> Self {
        Self {
            engine,
            called: Arc::new(called),
            absent: Arc::default(),
        }
    }

    /// The provider of this name. One that the settings do not have is reported once; its errands stay due, and are
    /// looked at again by a server whose settings have it.
    fn called(&self, name: &str) -> Option<&Called> {
        let called = self.called.get(name);
        if called.is_none() {
            let mut absent = self.absent.lock().unwrap_or_else(PoisonError::into_inner);
            if absent.insert(name.to_owned()) {
                tracing::error!(
                    provider = name,
                    "operations wait for a provider that is not in the settings: add it with --other-provider, and \
                     they are asked about"
                );
            }
        }
        called
    }

    /// Asks for a new operation to be done, and brings home what the provider said.
    async fn charge(&self, tenant: Tenant, leased: Leased) {
        let Some(called) = self.called(&leased.operation.provider) else {
            return;
        };
        let lease = u64::try_from(called.lease_millis).unwrap_or(0);
        if !called.places.lets_through() {
            let retry_at = self.engine.clock().now();
            let pause = i64::try_from(OPEN.as_millis()).unwrap_or(FIRST_PAUSE_MILLIS);
            let retry_at = retry_at.plus_millis(pause);
            return self
                .record(tenant, &leased, Fact::Unknown { retry_at }, Vec::new())
                .await;
        }
        let call = called.provider.charge(&leased.operation);
        let heard = called.places.call(Duration::from_millis(lease), call).await;
        // An operation that waited so long for a place belongs to somebody else by now.
        if let Some(heard) = heard {
            self.bring_home(called, tenant, &leased, heard).await;
        }
    }

    /// Asks for the outcome of an operation whose worker has died; charges if the provider has never heard of it.
    async fn inquire(&self, tenant: Tenant, leased: Leased) {
        let Some(called) = self.called(&leased.operation.provider) else {
            return;
        };
        let Some(_place) = called.places.inquiry().await else {
            return;
        };
        let heard = match called.provider.inquire(&leased.operation).await {
            Heard::Unknown => called.provider.charge(&leased.operation).await,
            heard @ (Heard::Done { .. } | Heard::Nothing(_) | Heard::Wrong { .. }) => heard,
        };
        self.bring_home(called, tenant, &leased, heard).await;
    }

    async fn bring_home(&self, called: &Called, tenant: Tenant, leased: &Leased, heard: Heard) {
        let operation = &leased.operation;
        called.places.note(!matches!(heard, Heard::Nothing(_)));
        let (fact, answer) = match heard {
            Heard::Done { fact, answer } => (fact, answer),
            Heard::Unknown => (self.unknown(leased), Vec::new()),
            Heard::Nothing(cause) => {
                tracing::warn!(operation = %operation.id, %cause, "the outcome is unknown");
                metrics::counter!("florin_provider_unknown_total").increment(1);
                (self.unknown(leased), Vec::new())
            }
            Heard::Wrong { cause, answer } => {
                tracing::error!(operation = %operation.id, %cause, "a provider's answer cannot be right");
                metrics::counter!("florin_provider_answers_refused_total").increment(1);
                (self.unknown(leased), answer)
            }
        };
        self.record(tenant, leased, fact, answer).await;
    }

    async fn record(&self, tenant: Tenant, leased: &Leased, fact: Fact, answer: Vec<u8>) {
        let operation = &leased.operation;
        let answer = (!answer.is_empty()).then(|| Box::new(self.received(operation, answer)));
        let command = RecordOutcome {
            operation: operation.id,
            epoch: leased.epoch,
            fact,
            answer,
            show: payments::charging::show::reply,
        };
        let request = Request::of_system(tenant, "worker", command);
        if let Err(error) = self.engine.submit(request).await {
            // The lease runs out, and somebody inquires.
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

    fn unknown(&self, leased: &Leased) -> Fact {
        let doublings = u32::try_from(leased.epoch.saturating_sub(1))
            .unwrap_or(0)
            .min(16);
        let pause =
            FIRST_PAUSE_MILLIS.saturating_mul(1_i64.checked_shl(doublings).unwrap_or(i64::MAX));
        let pause = pause.min(LONGEST_PAUSE_MILLIS);
        Fact::Unknown {
            retry_at: self.engine.clock().now().plus_millis(pause),
        }
    }
}

/// Expiry: what a pending transaction still holds is released once its time is over.
pub(crate) struct Expiries(pub(crate) Engine);

impl Work for Expiries {
    fn kind(&self) -> &'static str {
        EXPIRY
    }

    fn take(&self, tenant: Tenant, due: Vec<Due>) -> Doing<'_> {
        Box::pin(async move {
            let pending = due.iter().map(|due| due.subject);
            let pending = pending.map(ledger::TransactionId::from_bytes).collect();
            submit(&self.0, tenant, Expire { pending }).await.map(drop)
        })
    }
}

/// Parked webhooks: those whose cause is there by now are applied.
pub(crate) struct ParkedWebhooks {
    pub(crate) engine: Engine,
    pub(crate) dialects: Dialects,
}

impl Work for ParkedWebhooks {
    fn kind(&self) -> &'static str {
        "parked webhook"
    }

    fn take(&self, _tenant: Tenant, _due: Vec<Due>) -> Doing<'_> {
        Box::pin(async { Ok(()) })
    }

    fn look(&self) -> Doing<'_> {
        Box::pin(async move {
            let dialects = self.dialects.clone();
            let found = self.engine.read(move |connection| {
                let (mut found, mut after) = (Vec::new(), TenantId(0));
                loop {
                    let ids = webhooks::tables::tenants_with_parked(connection, after, TENANTS)?;
                    let Some(last) = ids.last() else {
                        return Ok(found);
                    };
                    after = *last;
                    for tenant in tenants(connection, &ids)? {
                        let parked = arrived(connection, tenant.id, &dialects)?;
                        found.push((tenant, parked));
                    }
                }
            });
            let found = found.await.map_err(|_unavailable| LaneError::Unavailable)?;
            for (tenant, parked) in found {
                if !parked.is_empty() {
                    let show = payments::charging::show::reply;
                    submit(&self.engine, tenant, ApplyParked { parked, show }).await?;
                }
            }
            Ok(())
        })
    }
}

async fn submit<C: Command>(
    engine: &Engine,
    tenant: Tenant,
    command: C,
) -> Result<Outcome<C>, LaneError> {
    engine
        .submit(Request::of_system(tenant, "sweeper", command))
        .await
}
