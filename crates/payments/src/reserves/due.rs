//! The release of reserves whose time has come.

use std::convert::Infallible;

use engine::errand::{DueErrand, Errands, Work, WorkFuture};
use engine::{Asks, Attempt, Book, Command, Decision, Engine, Request, Tenant};
use money::Amount;

use super::reserve::RELEASE;
use super::{Cause, ReserveId, ReserveShelf, release};

/// Pause after which a reserve that could not be released is tried again.
const NEXT_TRY_SECONDS: i64 = 60;

/// Releases what is left of reserves, if their time has come.
#[derive(Debug, Clone)]
pub struct ReleaseDue {
    /// The reserves.
    pub reserves: Vec<ReserveId>,
}

impl Command for ReleaseDue {
    /// The reserves that could not be released, and why.
    type Done = Vec<(ReserveId, ledger::Refusal)>;
    type Refusal = Infallible;

    /// The shelf of reserves asks for the errands.
    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(wanted) = asks.of::<ReserveShelf>() {
            wanted.ids.extend(&self.reserves);
        }
    }

    fn weight(&self) -> usize {
        self.reserves.len()
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<Self::Done>, Infallible> {
        let now = book.now();
        let mut refused = Vec::new();
        for id in &self.reserves {
            let name = (RELEASE, id.bytes());
            let errand = book.shelf::<Errands>().get(name);
            if errand.is_none_or(|errand| errand.due_at > now) {
                continue;
            }
            let reserve = book.shelf::<ReserveShelf>().reserve(id).cloned();
            let left = reserve.and_then(|reserve| {
                let amount = Amount::new(reserve.remaining).ok()?;
                Some((reserve, amount))
            });
            let Some((reserve, amount)) = left else {
                book.shelf_mut::<Errands>().0.end(name);
                continue;
            };
            if let Err(refusal) = release(book, &reserve, amount, Cause::Due) {
                refused.push((*id, refusal));
                let next_try = now.plus_seconds(NEXT_TRY_SECONDS);
                book.shelf_mut::<Errands>().0.postpone(name, next_try);
            }
        }
        Ok(Decision::now(refused))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "reserve.release_due",
            kind: "reserve",
            id: String::new(),
        }
    }
}

/// The work of reserves whose time has come.
pub struct ReserveReleases(pub Engine);

impl Work for ReserveReleases {
    fn kind(&self) -> &'static str {
        RELEASE
    }

    fn take(&self, tenant: Tenant, due: Vec<DueErrand>) -> WorkFuture<'_> {
        let reserves = due.iter().map(|due| due.subject);
        let reserves = reserves.map(ReserveId::from_bytes).collect();
        let request = Request::of_system(tenant, "sweeper", ReleaseDue { reserves });
        Box::pin(async move {
            let refused = self.0.submit(request).await?.done().unwrap_or_default();
            for (reserve, refusal) in refused {
                tracing::error!(%reserve, %refusal, "a reserve cannot be released");
            }
            Ok(())
        })
    }
}
