//! The command by which a person holds money back.

use books::Books;
use engine::{Asks, Attempt, Book, Command, Decision};
use money::Money;
use store::Timestamp;

use super::{Reserve, ReserveId, ReserveRefusal, hold, spendable};
use crate::balances_after::BalancesAfter;
use crate::postings;

/// Holds available money back.
#[derive(Debug, Clone)]
pub struct CreateReserve {
    /// The money.
    pub money: Money,
    /// When it is released; `None`: when a person asks for it.
    pub release_at: Option<Timestamp>,
    /// The reason.
    pub reason: Option<String>,
}

impl Command for CreateReserve {
    type Done = (Reserve, BalancesAfter);
    type Refusal = ReserveRefusal;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(needs) = asks.of::<Books>() {
            postings::name(needs, &[postings::RESERVED], self.money.currency);
        }
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<Self::Done>, ReserveRefusal> {
        let now = book.now();
        if self.release_at.is_some_and(|at| at <= now) {
            return Err(ReserveRefusal::ReleaseInThePast);
        }
        let asked = self.money.amount.get();
        let left = spendable(book, self.money.currency);
        if asked > left {
            return Err(ReserveRefusal::NotAvailable { asked, left });
        }
        let reserve = Reserve {
            id: ReserveId::from_bytes(book.next_id()),
            of: None,
            money: self.money,
            remaining: asked,
            reason: self.reason.clone(),
            release_at: self.release_at,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        hold(book, reserve.clone(), None).map_err(ReserveRefusal::Ledger)?;
        let after = BalancesAfter::by(book.shelf::<Books>(), &reserve, &[postings::RESERVED]);
        Ok(Decision::now((reserve, after)))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "reserve.create",
            kind: "reserve",
            id: String::new(),
        }
    }
}
