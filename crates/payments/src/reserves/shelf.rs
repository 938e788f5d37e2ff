//! The reserves that a batch holds in memory, and their tables.

use books::Books;
use diesel::prelude::*;
use engine::Loading;
use engine::errand::Errands;
use money::{Amount, Currency, Money};
use store::bulk::Writes;
use store::find::Lock;
use store::rows::{Additions, Rows};
use store::{AnyConnection, Error, TenantId, Timestamp};

use super::reserve::{Cause, RELEASE, Release, ReleaseId, Reserve, ReserveId};
use crate::disputes::dispute::DisputeId;
use crate::schema::reserve;
use crate::{OperationId, PaymentId, postings};

store::bulk_insert! {
    /// A row of `reserve`. Amounts are minor units, times microseconds since 1970.
    pub struct ReserveRow in reserve {
        tenant_id: TenantId,
        id: ReserveId,
        payment_id: Option<PaymentId>,
        operation_id: Option<OperationId>,
        amount: i64,
        remaining: i64,
        currency: String,
        reason: Option<String>,
        release_at: Option<i64>,
        version: i64,
        created_at: i64,
        updated_at: i64,
    }
}

store::bulk_update! {
    /// A changed reserve, with the version at which it was locked.
    pub struct ReserveChange in reserve {
        find { tenant_id: TenantId = tenant_id, id: ReserveId = id, seen_version: i64 = version }
        set {
            remaining: i64 = remaining,
            next_version: i64 = version,
            updated_at: i64 = updated_at,
        }
    }
}

store::bulk_find! {
    /// A reserve by its id.
    pub struct ReserveById => ReserveRow in reserve {
        /// Its id.
        id: ReserveId,
    }
}

store::bulk_find! {
    /// The reserves of a payment.
    pub struct ReserveByPayment => ReserveRow in reserve {
        /// The payment.
        payment_id: PaymentId,
    }
}

store::bulk_insert! {
    /// A row of `reserve_release`. The amount is in minor units, the time in microseconds since 1970.
    pub struct ReleaseRow in reserve_release {
        tenant_id: TenantId,
        id: ReleaseId,
        reserve_id: ReserveId,
        amount: i64,
        cause: String,
        dispute_id: Option<DisputeId>,
        created_at: i64,
    }
}

/// The reserves that a batch needs.
#[derive(Debug, Default)]
pub struct Wanted {
    /// Reserves by id.
    pub ids: Vec<ReserveId>,
    /// Payments whose reserves are needed.
    pub of_payments: Vec<PaymentId>,
}

/// The reserves that a batch names, with its changes.
#[derive(Debug, Default)]
pub struct ReserveShelf {
    rows: Rows<ReserveId, ShelfRow>,
    releases: Additions<Release>,
}

store::savepoint!(ReserveShelf { rows, releases });

#[derive(Debug, Clone)]
struct ShelfRow {
    reserve: Reserve,
    /// The version in the database; `None` if it is new.
    found: Option<i64>,
}

impl ReserveShelf {
    /// A reserve, with the changes of this batch.
    #[must_use]
    pub fn reserve(&self, id: &ReserveId) -> Option<&Reserve> {
        self.rows.get(id).map(|held| &held.reserve)
    }

    /// The reserves of a payment, in the order of their ids.
    pub(super) fn of_payment(&self, payment: PaymentId) -> Vec<Reserve> {
        let reserves = self.rows.values().map(|held| &held.reserve);
        let its = reserves.filter(|reserve| reserve.of.is_some_and(|(of, _)| of == payment));
        its.cloned().collect()
    }

    pub(super) fn add(&mut self, reserve: Reserve) {
        let found = None;
        self.rows.put(reserve.id, ShelfRow { reserve, found });
    }

    pub(super) fn change(&mut self, reserve: Reserve) {
        if let Some(held) = self.rows.get_mut(&reserve.id) {
            held.reserve = reserve;
        }
    }

    pub(super) fn add_release(&mut self, release: Release) {
        self.releases.push(release);
    }
}

impl engine::Shelf for ReserveShelf {
    type Asks = Wanted;
    type Memory = ();

    fn must_lock(asks: &Wanted) -> bool {
        !Self::is_nothing(asks)
    }

    fn is_nothing(asks: &Wanted) -> bool {
        asks.ids.is_empty() && asks.of_payments.is_empty()
    }

    /// Also asks for the accounts to which a release posts, and for the errands of the reserves.
    fn load(&mut self, from: &mut Loading<'_>, mut asks: Wanted) -> Result<(), Error> {
        asks.of_payments.sort_unstable();
        asks.of_payments.dedup();
        let payments = asks.of_payments.into_iter();
        let payments: Vec<ReserveByPayment> = payments
            .map(|payment_id| ReserveByPayment { payment_id })
            .collect();
        let theirs =
            ReserveByPayment::find(from.connection, Lock::Nothing, from.tenant, &payments)?;
        asks.ids.extend(theirs.iter().map(|row| row.id));
        asks.ids.sort_unstable();
        asks.ids.dedup();
        let ids: Vec<ReserveById> = asks.ids.into_iter().map(|id| ReserveById { id }).collect();
        for row in ReserveById::find(from.connection, Lock::Rows, from.tenant, &ids)? {
            let reserve = row.read()?;
            if let Some(errands) = from.ask::<Errands>() {
                errands.push((RELEASE, reserve.id.bytes()));
            }
            if let Some(needs) = from.ask::<Books>() {
                let sets = [postings::RESERVE_RELEASED];
                postings::name(needs, &sets, reserve.money.currency);
            }
            let found = Some(reserve.version);
            self.rows.put(reserve.id, ShelfRow { reserve, found });
        }
        Ok(())
    }

    fn save(&self, tenant_id: TenantId, writes: &mut Writes) {
        let (mut new, mut changed) = (Vec::new(), Vec::new());
        for held in self.rows.values() {
            let reserve = &held.reserve;
            match held.found {
                None => new.push(ReserveRow::of(tenant_id, reserve)),
                Some(version) if version != reserve.version => changed.push(ReserveChange {
                    tenant_id,
                    id: reserve.id,
                    seen_version: version,
                    remaining: reserve.remaining,
                    next_version: reserve.version,
                    updated_at: reserve.updated_at.micros(),
                }),
                Some(_) => {}
            }
        }
        writes.add(new);
        writes.add(changed);
        let releases = self.releases.as_slice().iter();
        let releases: Vec<ReleaseRow> = releases
            .map(|release| ReleaseRow {
                tenant_id,
                id: release.id,
                reserve_id: release.reserve,
                amount: release.money.amount.get(),
                cause: release.cause.name().to_owned(),
                dispute_id: release.cause.dispute(),
                created_at: release.created_at.micros(),
            })
            .collect();
        writes.add(releases);
    }
}

impl ReserveRow {
    fn of(tenant_id: TenantId, row: &Reserve) -> Self {
        Self {
            tenant_id,
            id: row.id,
            payment_id: row.of.map(|(payment, _)| payment),
            operation_id: row.of.map(|(_, operation)| operation),
            amount: row.money.amount.get(),
            remaining: row.remaining,
            currency: row.money.currency.code().to_owned(),
            reason: row.reason.clone(),
            release_at: row.release_at.map(Timestamp::micros),
            version: row.version,
            created_at: row.created_at.micros(),
            updated_at: row.updated_at.micros(),
        }
    }

    pub(crate) fn read(self) -> Result<Reserve, Error> {
        let wrong = |column: &str| Error::Refused(format!("reserve {}: bad {column}", self.id));
        Ok(Reserve {
            id: self.id,
            of: self.payment_id.zip(self.operation_id),
            money: Money {
                amount: Amount::new(self.amount).map_err(|_rule| wrong("amount"))?,
                currency: Currency::from_code(&self.currency)
                    .map_err(|_unknown| wrong("currency"))?,
            },
            remaining: self.remaining,
            reason: self.reason,
            release_at: self.release_at.map(Timestamp::from_micros),
            version: self.version,
            created_at: Timestamp::from_micros(self.created_at),
            updated_at: Timestamp::from_micros(self.updated_at),
        })
    }
}

impl ReleaseRow {
    /// The release, of a reserve that holds this money.
    pub(crate) fn read(self, of: Money) -> Result<Release, Error> {
        let wrong = |column: &str| Error::Refused(format!("release {}: bad {column}", self.id));
        Ok(Release {
            id: self.id,
            reserve: self.reserve_id,
            money: Money {
                amount: Amount::new(self.amount).map_err(|_rule| wrong("amount"))?,
                currency: of.currency,
            },
            cause: match (self.cause.as_str(), self.dispute_id) {
                ("asked", None) => Cause::Asked,
                ("due", None) => Cause::Due,
                ("dispute", Some(dispute)) => Cause::Dispute(dispute),
                _ => return Err(wrong("cause")),
            },
            created_at: Timestamp::from_micros(self.created_at),
        })
    }
}

/// One reserve of the tenant, if it exists.
pub(super) fn reserve(
    connection: &mut AnyConnection,
    tenant: TenantId,
    id: ReserveId,
) -> Result<Option<Reserve>, Error> {
    let row: Option<ReserveRow> = reserve::table
        .find((tenant, id))
        .first(connection)
        .optional()?;
    row.map(ReserveRow::read).transpose()
}

/// At most `limit` reserves, newest first, that were made before the reserve `before`.
pub(super) fn reserves(
    connection: &mut AnyConnection,
    tenant: TenantId,
    before: Option<ReserveId>,
    limit: i64,
) -> Result<Vec<Reserve>, Error> {
    let newest = ReserveId::from_bytes([0xff; 16]);
    let rows: Vec<ReserveRow> = reserve::table
        .filter(reserve::tenant_id.eq(tenant))
        .filter(reserve::id.lt(before.unwrap_or(newest)))
        .order(reserve::id.desc())
        .limit(limit)
        .load(connection)?;
    rows.into_iter().map(ReserveRow::read).collect()
}
