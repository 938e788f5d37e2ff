//! The command by which a person releases a reserve.

use books::Books;
use engine::{Asks, Attempt, Book, Command, Decision};
use money::Amount;

use super::{Cause, Reserve, ReserveId, ReserveRefusal, ReserveShelf, release};
use crate::balances_after::BalancesAfter;
use crate::postings;

/// Releases a reserve, or a part of it.
#[derive(Debug, Clone)]
pub struct ReleaseReserve {
    /// The reserve.
    pub id: ReserveId,
    /// The amount; all that is left if it is absent.
    pub amount: Option<Amount>,
}

impl Command for ReleaseReserve {
    type Done = (Reserve, BalancesAfter);
    type Refusal = ReserveRefusal;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(wanted) = asks.of::<ReserveShelf>() {
            wanted.ids.push(self.id);
        }
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<Self::Done>, ReserveRefusal> {
        let reserve = book.shelf::<ReserveShelf>().reserve(&self.id).cloned();
        let reserve = reserve.ok_or(ReserveRefusal::NotFound)?;
        let left = reserve.remaining;
        let amount = self.amount.or(Amount::new(left).ok());
        let amount = amount.filter(|amount| amount.get() <= left);
        let too_much = || ReserveRefusal::TooMuch {
            asked: self.amount.map_or(left, Amount::get),
            left,
        };
        let amount = amount.ok_or_else(too_much)?;
        let released = release(book, &reserve, amount, Cause::Asked);
        let released = released.map_err(ReserveRefusal::Ledger)?;
        let sets = [postings::RESERVE_RELEASED];
        let after = BalancesAfter::by(book.shelf::<Books>(), &released, &sets);
        Ok(Decision::now((released, after)))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "reserve.release",
            kind: "reserve",
            id: self.id.to_string(),
        }
    }
}
