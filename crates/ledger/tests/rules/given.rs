//! The starting points that several tests of the rules share.

use ledger::{
    AccountClass, AccountId, Heading, Kind, Limits, MAX_AHEAD_SECONDS, NewAccount, NewTransaction,
    Pending, Posting, Shelf, TransactionId, open, post,
};
use money::{Amount, Currency, MinorUnits};
use store::{Ids, Timestamp};

/// The present moment.
pub(crate) const NOW: Timestamp = Timestamp::from_micros(1_000);
/// A little later.
pub(crate) const LATER: Timestamp = Timestamp::from_micros(2_000);
/// A little earlier.
pub(crate) const EARLIER: Timestamp = Timestamp::from_micros(500);

/// A moment that is `micros` microseconds later than the latest effective time allowed now.
pub(crate) fn ahead(micros: i64) -> Timestamp {
    let latest = NOW.plus_seconds(MAX_AHEAD_SECONDS).micros();
    Timestamp::from_micros(latest + micros)
}

/// The euro.
pub(crate) fn eur() -> Currency {
    Currency::from_code("EUR").unwrap()
}

/// A currency that was withdrawn on 1 January 2023.
pub(crate) fn hrk() -> Currency {
    Currency::from_code("HRK").unwrap()
}

/// The first moment without [`hrk`].
pub(crate) const WITHOUT_KUNA: Timestamp = Timestamp::from_micros(1_672_531_200_000_000);

/// The US dollar.
pub(crate) fn usd() -> Currency {
    Currency::from_code("USD").unwrap()
}

/// Books, and the source of new ids.
pub(crate) struct Books {
    pub(crate) shelf: Shelf,
    pub(crate) ids: Ids,
}

impl Books {
    pub(crate) fn empty() -> Self {
        Self {
            shelf: Shelf::default(),
            ids: Ids::seeded(1),
        }
    }

    /// A liability in euro.
    pub(crate) fn wallet(&mut self, limits: Limits) -> AccountId {
        self.account(AccountClass::Liability, limits, eur())
    }

    pub(crate) fn account(
        &mut self,
        class: AccountClass,
        limits: Limits,
        currency: Currency,
    ) -> AccountId {
        let id = AccountId::from_bytes(self.ids.next(NOW));
        let new = NewAccount {
            code: ledger::AccountCode::trusted(id.to_string()),
            name: ledger::AccountName::trusted(""),
            currency,
            class,
            limits,
            metadata: None,
        };
        open(&mut self.shelf, id, new, NOW).unwrap().id
    }

    pub(crate) fn id(&mut self) -> TransactionId {
        TransactionId::from_bytes(self.ids.next(NOW))
    }

    pub(crate) fn transaction(&mut self, postings: Vec<Posting>) -> NewTransaction {
        NewTransaction::plain(self.id(), Kind::Transfer, postings, NOW)
    }

    pub(crate) fn heading(&mut self, now: Timestamp) -> Heading {
        Heading::plain(self.id(), Kind::Transfer, now)
    }

    /// Posts a final transaction.
    pub(crate) fn post(&mut self, postings: Vec<Posting>) -> TransactionId {
        let new = self.transaction(postings);
        post(&mut self.shelf, new).unwrap().id
    }

    /// Posts a pending transaction that expires at `expires_at`.
    pub(crate) fn pend(
        &mut self,
        postings: Vec<Posting>,
        expires_at: Option<Timestamp>,
    ) -> TransactionId {
        let mut new = self.transaction(postings);
        new.pending = Some(Pending { expires_at });
        post(&mut self.shelf, new).unwrap().id
    }
}

pub(crate) fn units(amount: i64) -> MinorUnits {
    MinorUnits::new(amount)
}

pub(crate) fn amount(minor_units: i64) -> Amount {
    Amount::new(minor_units).unwrap()
}

pub(crate) fn posting(debit: AccountId, credit: AccountId, minor_units: i64) -> Posting {
    Posting {
        debit,
        credit,
        amount: amount(minor_units),
        currency: eur(),
    }
}
