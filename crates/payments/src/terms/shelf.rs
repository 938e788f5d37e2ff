//! The terms that a batch holds in memory, and their table.

use diesel::prelude::*;
use engine::Loading;
use money::{Currency, Money};
use store::bulk::Writes;
use store::rows::Rows;
use store::{AnyConnection, Error, TenantId, Timestamp};

use super::{CaptureTerms, Delay, LateMoney, ReserveTerms, Terms, choose, fitting};

diesel::table! {
    payment_terms (tenant_id, version) {
        tenant_id -> BigInt,
        version -> Integer,
        currency -> Text,
        method -> Text,
        rate_millionths -> BigInt,
        fixed -> BigInt,
        least -> BigInt,
        most -> Nullable<BigInt>,
        dispute_fee -> BigInt,
        delay -> Text,
        reserve_millionths -> BigInt,
        reserve_days -> Integer,
        late_money -> Text,
        created_at -> BigInt,
    }
}

store::bulk_insert! {
    /// A row of `payment_terms`. Amounts are minor units, the time is in microseconds since 1970.
    pub struct TermsRow in payment_terms {
        tenant_id: TenantId,
        version: i32,
        currency: String,
        method: String,
        rate_millionths: i64,
        fixed: i64,
        least: i64,
        most: Option<i64>,
        dispute_fee: i64,
        delay: String,
        reserve_millionths: i64,
        reserve_days: i32,
        late_money: String,
        created_at: i64,
    }
}

/// More versions than a tenant may have.
const LIMIT: i64 = 1_000;

/// Whether a batch needs the terms of its tenant.
#[derive(Debug, Default, Clone, Copy)]
pub struct Wanted {
    /// True if it needs all of them. They are few.
    pub all: bool,
}

/// The terms of a tenant, with those that this batch makes.
#[derive(Debug, Default)]
pub struct TermsShelf {
    rows: Rows<i32, ShelfRow>,
}

store::savepoint!(TermsShelf { rows });

#[derive(Debug, Clone)]
struct ShelfRow {
    terms: Terms,
    is_new: bool,
}

impl TermsShelf {
    /// The terms, by version.
    pub fn terms(&self) -> impl Iterator<Item = &Terms> {
        self.rows.values().map(|held| &held.terms)
    }

    /// The terms of a capture of this money, by this payment method.
    #[must_use]
    pub fn of(&self, money: Money, method: &str) -> CaptureTerms {
        choose(self.terms(), money.currency, method, money.amount)
    }

    /// The fee for a dispute of a payment by this method, in minor units.
    #[must_use]
    pub fn dispute_fee(&self, currency: Currency, method: &str) -> i64 {
        let terms = fitting(self.terms(), currency, method);
        terms.map_or(0, |terms| terms.dispute_fee)
    }

    /// What the version of a capture holds back; nothing if the capture has no terms.
    #[must_use]
    pub fn reserve(&self, version: Option<i32>) -> ReserveTerms {
        let terms = version.and_then(|version| self.rows.get(&version));
        terms.map_or_else(ReserveTerms::default, |held| held.terms.reserve)
    }

    /// What the version of an operation says about its late money.
    #[must_use]
    pub fn late_money(&self, version: Option<i32>) -> LateMoney {
        let terms = version.and_then(|version| self.rows.get(&version));
        terms.map_or(LateMoney::Hold, |held| held.terms.late_money)
    }

    pub(super) fn add(&mut self, terms: Terms) {
        let is_new = true;
        self.rows.put(terms.version, ShelfRow { terms, is_new });
    }
}

impl engine::Shelf for TermsShelf {
    type Asks = Wanted;
    type Memory = ();

    fn must_lock(_asks: &Wanted) -> bool {
        false
    }

    fn is_nothing(asks: &Wanted) -> bool {
        !asks.all
    }

    fn load(&mut self, from: &mut Loading<'_>, _asks: Wanted) -> Result<(), Error> {
        for terms in all(from.connection, from.tenant)? {
            let is_new = false;
            self.rows.put(terms.version, ShelfRow { terms, is_new });
        }
        Ok(())
    }

    fn save(&self, tenant_id: TenantId, writes: &mut Writes) {
        let new = self.rows.values().filter(|held| held.is_new);
        let new: Vec<TermsRow> = new
            .map(|held| TermsRow {
                tenant_id,
                version: held.terms.version,
                currency: held.terms.currency.code().to_owned(),
                method: held.terms.method.clone(),
                rate_millionths: held.terms.rate_millionths,
                fixed: held.terms.fixed,
                least: held.terms.least,
                most: held.terms.most,
                dispute_fee: held.terms.dispute_fee,
                delay: held.terms.delay.stored(),
                reserve_millionths: held.terms.reserve.rate_millionths,
                reserve_days: held.terms.reserve.days,
                late_money: held.terms.late_money.name().to_owned(),
                created_at: held.terms.created_at.micros(),
            })
            .collect();
        writes.add(new);
    }
}

/// All terms of a tenant, by version.
pub(super) fn all(connection: &mut AnyConnection, tenant: TenantId) -> Result<Vec<Terms>, Error> {
    let rows: Vec<TermsRow> = payment_terms::table
        .filter(payment_terms::tenant_id.eq(tenant))
        .order(payment_terms::version)
        .limit(LIMIT)
        .load(connection)?;
    rows.into_iter().map(read).collect()
}

/// The numbers of all versions of a tenant.
pub(crate) fn versions(
    connection: &mut AnyConnection,
    tenant: TenantId,
) -> Result<Vec<i32>, Error> {
    Ok(payment_terms::table
        .filter(payment_terms::tenant_id.eq(tenant))
        .select(payment_terms::version)
        .load(connection)?)
}

fn read(row: TermsRow) -> Result<Terms, Error> {
    let wrong = |column: &str| Error::Refused(format!("terms {}: bad {column}", row.version));
    Ok(Terms {
        version: row.version,
        currency: Currency::from_code(&row.currency).map_err(|_unknown| wrong("currency"))?,
        method: row.method.clone(),
        rate_millionths: row.rate_millionths,
        fixed: row.fixed,
        least: row.least,
        most: row.most,
        dispute_fee: row.dispute_fee,
        delay: Delay::from_stored(&row.delay).ok_or_else(|| wrong("delay"))?,
        reserve: ReserveTerms {
            rate_millionths: row.reserve_millionths,
            days: row.reserve_days,
        },
        late_money: LateMoney::from_name(&row.late_money).ok_or_else(|| wrong("late_money"))?,
        created_at: Timestamp::from_micros(row.created_at),
    })
}
