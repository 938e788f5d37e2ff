//! The places of one provider: they limit the number of calls at a time, and stop the calls to a provider that fails.
//!
//! A call that takes long leaves its place to another call and continues in a place for slow calls. So calls
//! without an answer do not hold up the others. Inquiries have places of their own. If a provider has only failed
//! for a while, it is not called for some seconds, except for one call now and then (a circuit breaker).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Number of places for young calls.
const YOUNG: usize = 256;
/// Number of places for calls that have become slow.
const SLOW: usize = 1_024;
/// Number of places for inquiries.
const INQUIRIES: usize = 64;
/// Age at which a call becomes slow.
const SLOW_FROM: Duration = Duration::from_millis(20);
/// Time for which a failure counts.
const WINDOW: Duration = Duration::from_secs(10);
/// Number of failures within that time, without a success, that opens the breaker.
const FAILURES: usize = 16;
/// Time for which an open breaker lets no call through.
pub(crate) const OPEN: Duration = Duration::from_secs(5);

/// The places of one provider.
pub(crate) struct Places {
    /// Name of the provider, for the log.
    provider: String,
    young: Arc<Semaphore>,
    slow: Arc<Semaphore>,
    inquiries: Arc<Semaphore>,
    breaker: Mutex<Breaker>,
}

#[derive(Default)]
struct Breaker {
    /// Times of the failures since the last success.
    failures: VecDeque<Instant>,
    /// Time until which no call is let through.
    open_until: Option<Instant>,
}

impl Places {
    pub(crate) fn new(provider: String) -> Self {
        Self {
            provider,
            young: Arc::new(Semaphore::new(YOUNG)),
            slow: Arc::new(Semaphore::new(SLOW)),
            inquiries: Arc::new(Semaphore::new(INQUIRIES)),
            breaker: Mutex::new(Breaker::default()),
        }
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Number of inquiries that can be begun now.
    pub(crate) fn free_inquiries(&self) -> usize {
        self.inquiries.available_permits()
    }

    /// True if the provider may be called now. While the breaker is open, one call is let through after each [`OPEN`].
    pub(crate) fn lets_through(&self) -> bool {
        let now = Instant::now();
        let mut breaker = self.breaker();
        match breaker.open_until {
            None => true,
            Some(until) if now < until => false,
            Some(_over) => {
                breaker.open_until = Some(now + OPEN);
                true
            }
        }
    }

    /// Records whether a call succeeded.
    pub(crate) fn note(&self, succeeded: bool) {
        let now = Instant::now();
        let mut breaker = self.breaker();
        if succeeded {
            if breaker.open_until.is_some() {
                tracing::warn!(provider = %self.provider, "the provider answers again");
            }
            *breaker = Breaker::default();
            return;
        }
        breaker.failures.push_back(now);
        let is_old = |at: &Instant| now.saturating_duration_since(*at) > WINDOW;
        while breaker.failures.front().is_some_and(is_old) {
            breaker.failures.pop_front();
        }
        if breaker.failures.len() >= FAILURES && breaker.open_until.is_none() {
            metrics::counter!("florin_provider_breaker_opened_total").increment(1);
            tracing::error!(provider = %self.provider, "the provider has only failed lately: it is asked now and then only");
            breaker.open_until = Some(now + OPEN);
        }
    }

    /// Makes a call in a place for young calls, and continues it in a place for slow calls once it is slow. `None`
    /// if there was no place within the time `until`.
    pub(crate) async fn call<T>(
        &self,
        until: Duration,
        call: impl Future<Output = T>,
    ) -> Option<T> {
        let turn = Arc::clone(&self.young).acquire_owned();
        let permit = tokio::time::timeout(until, turn).await.ok()?.ok()?;
        let mut call = std::pin::pin!(call);
        if let Ok(outcome) = tokio::time::timeout(SLOW_FROM, &mut call).await {
            return Some(outcome);
        }
        // If all places for slow calls are taken, the call keeps its place.
        let _permit = Arc::clone(&self.slow).try_acquire_owned().unwrap_or(permit);
        Some(call.await)
    }

    /// Waits for a place for an inquiry.
    pub(crate) async fn inquiry(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.inquiries).acquire_owned().await.ok()
    }

    /// Waits until all calls have ended.
    pub(crate) async fn end(&self) {
        for (places, all) in [
            (&self.young, YOUNG),
            (&self.slow, SLOW),
            (&self.inquiries, INQUIRIES),
        ] {
            let all = u32::try_from(all).unwrap_or(u32::MAX);
            let _closed = places.acquire_many(all).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_breaker_opens_after_failures_alone_and_closes_with_a_success() {
        let places = Places::new("acme".to_owned());
        for _ in 1..FAILURES {
            places.note(false);
        }
        places.note(true);
        for _ in 1..FAILURES {
            places.note(false);
            assert!(places.lets_through());
        }
        places.note(false);
        assert!(!places.lets_through());
        places.breaker().open_until = Some(Instant::now());
        assert!(places.lets_through(), "one call is let through");
        assert!(!places.lets_through());
        places.note(true);
        assert!(places.lets_through());
    }

    #[tokio::test]
    async fn calls_that_are_never_answered_leave_their_places_to_others() {
        let places = Arc::new(Places::new("acme".to_owned()));
        let mut stuck = tokio::task::JoinSet::new();
        for _ in 0..YOUNG {
            let places = Arc::clone(&places);
            stuck.spawn(async move {
                places
                    .call(Duration::MAX, std::future::pending::<()>())
                    .await
            });
        }
        let called = places
            .call(Duration::from_secs(30), std::future::ready(1))
            .await;
        assert_eq!(called, Some(1));
    }
}
