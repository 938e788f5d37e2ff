//! The way to the providers. Each provider has its own connections and its own places.

use std::collections::HashMap;
use std::time::Duration;

use payments::LeasedOperation;
use payments::providers::{CallFuture, CallOutcome, ProviderAnswer, Reach, ReachableProvider};
use store::TenantId;

use crate::places::{OPEN, Places};
use crate::provider::Provider;

/// A provider that is called.
pub(crate) struct Link {
    pub(crate) provider: Provider,
    pub(crate) places: Places,
    pub(crate) lease_millis: i64,
}

/// The providers that are called, by name.
#[derive(Default)]
pub(crate) struct Links(pub(crate) HashMap<String, Link>);

impl Link {
    /// Records for the breaker whether the provider gave an answer that can be relied on or refused.
    fn noted(&self, answer: ProviderAnswer) -> ProviderAnswer {
        self.places
            .note(!matches!(answer, ProviderAnswer::Nothing(_)));
        answer
    }

    async fn request(&self, tenant: TenantId, leased: &LeasedOperation) -> CallOutcome {
        if !self.places.lets_through() {
            return CallOutcome::CircuitOpen(i64::try_from(OPEN.as_millis()).unwrap_or(i64::MAX));
        }
        let lease = u64::try_from(self.lease_millis).unwrap_or(0);
        let call = self.provider.request(tenant, leased);
        let answer = self.places.call(Duration::from_millis(lease), call).await;
        answer.map_or(CallOutcome::TooLate, |answer| {
            CallOutcome::Answered(self.noted(answer))
        })
    }
}

impl Links {
    fn link(&self, leased: &LeasedOperation) -> Option<&Link> {
        self.0.get(&leased.operation.provider)
    }
}

/// The answer for a provider that the settings do not have.
fn absent() -> ProviderAnswer {
    ProviderAnswer::Nothing("the provider is not in the settings".to_owned())
}

impl Reach for Links {
    fn reachable(&self, provider: &str) -> Option<ReachableProvider> {
        self.0.get(provider).map(|link| ReachableProvider {
            lease_millis: link.lease_millis,
            free_inquiries: link.places.free_inquiries(),
        })
    }

    fn full(&self) -> Vec<String> {
        let full = self.0.iter();
        let full = full.filter(|(_, link)| link.places.free_inquiries() == 0);
        full.map(|(name, _)| name.clone()).collect()
    }

    fn request<'a>(
        &'a self,
        tenant: TenantId,
        leased: &'a LeasedOperation,
    ) -> CallFuture<'a, CallOutcome> {
        Box::pin(async move {
            match self.link(leased) {
                Some(link) => link.request(tenant, leased).await,
                None => CallOutcome::Answered(absent()),
            }
        })
    }

    fn place<'a>(&'a self, provider: &'a str) -> CallFuture<'a, Option<Box<dyn Send>>> {
        Box::pin(async move {
            let place = self.0.get(provider)?.places.inquiry().await?;
            let place: Box<dyn Send> = Box::new(place);
            Some(place)
        })
    }

    fn inquire<'a>(
        &'a self,
        tenant: TenantId,
        leased: &'a LeasedOperation,
    ) -> CallFuture<'a, ProviderAnswer> {
        Box::pin(async move {
            match self.link(leased) {
                Some(link) => link.noted(link.provider.inquire(tenant, leased).await),
                None => absent(),
            }
        })
    }

    fn request_again<'a>(
        &'a self,
        tenant: TenantId,
        leased: &'a LeasedOperation,
    ) -> CallFuture<'a, ProviderAnswer> {
        Box::pin(async move {
            match self.link(leased) {
                Some(link) => link.noted(link.provider.request(tenant, leased).await),
                None => absent(),
            }
        })
    }

    fn end(&self) -> CallFuture<'_, ()> {
        Box::pin(async {
            for link in self.0.values() {
                link.places.end().await;
            }
        })
    }
}
