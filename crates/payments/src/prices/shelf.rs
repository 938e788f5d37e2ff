//! The prices that a batch holds in memory, and their table.

use diesel::prelude::*;
use engine::Loading;
use money::Currency;
use store::bulk::Writes;
use store::rows::Rows;
use store::{AnyConnection, Error, TenantId, Timestamp};

use super::{NewPrice, Price};
use crate::settlement::LineKind;
use crate::tariff::Tariff;

diesel::table! {
    provider_price (tenant_id, version) {
        tenant_id -> BigInt,
        version -> Integer,
        provider -> Text,
        currency -> Text,
        kind -> Text,
        rate_millionths -> BigInt,
        fixed -> BigInt,
        least -> BigInt,
        most -> Nullable<BigInt>,
        tolerance -> BigInt,
        valid_from -> Integer,
        created_at -> BigInt,
    }
}

store::bulk_insert! {
    /// A row of `provider_price`. Amounts are minor units, the day is in days and the time in microseconds since 1970.
    pub struct PriceRow in provider_price {
        tenant_id: TenantId,
        version: i32,
        provider: String,
        currency: String,
        kind: String,
        rate_millionths: i64,
        fixed: i64,
        least: i64,
        most: Option<i64>,
        tolerance: i64,
        valid_from: i32,
        created_at: i64,
    }
}

/// More versions than a tenant may have.
const LIMIT: i64 = 1_000;

/// The need of a batch for the prices of its tenant.
#[derive(Debug, Default, Clone, Copy)]
pub struct Wanted {
    /// True if it needs all of them. They are few.
    pub all: bool,
}

/// The prices of a tenant, with those that this batch makes.
#[derive(Debug, Default)]
pub struct PriceShelf {
    rows: Rows<i32, ShelfRow>,
}

store::savepoint!(PriceShelf { rows });

#[derive(Debug, Clone)]
struct ShelfRow {
    price: Price,
    is_new: bool,
}

impl PriceShelf {
    /// The prices, by version.
    pub fn prices(&self) -> impl Iterator<Item = &Price> {
        self.rows.values().map(|held| &held.price)
    }

    pub(super) fn add(&mut self, price: Price) {
        let is_new = true;
        self.rows.put(price.version, ShelfRow { price, is_new });
    }
}

impl engine::Shelf for PriceShelf {
    type Asks = Wanted;
    type Memory = ();

    fn must_lock(_asks: &Wanted) -> bool {
        false
    }

    fn is_nothing(asks: &Wanted) -> bool {
        !asks.all
    }

    fn load(&mut self, from: &mut Loading<'_>, _asks: Wanted) -> Result<(), Error> {
        for price in all(from.connection, from.tenant)? {
            let is_new = false;
            self.rows.put(price.version, ShelfRow { price, is_new });
        }
        Ok(())
    }

    fn save(&self, tenant_id: TenantId, writes: &mut Writes) {
        let new = self.rows.values().filter(|held| held.is_new);
        let new: Vec<PriceRow> = new.map(|held| row(tenant_id, &held.price)).collect();
        writes.add(new);
    }
}

fn row(tenant_id: TenantId, price: &Price) -> PriceRow {
    let agreed = &price.agreed;
    PriceRow {
        tenant_id,
        version: price.version,
        provider: agreed.provider.clone(),
        currency: agreed.currency.code().to_owned(),
        kind: agreed.kind.name().to_owned(),
        rate_millionths: agreed.tariff.rate_millionths,
        fixed: agreed.tariff.fixed,
        least: agreed.tariff.least,
        most: agreed.tariff.most,
        tolerance: agreed.tolerance,
        valid_from: agreed.valid_from,
        created_at: price.created_at.micros(),
    }
}

/// All prices of a tenant, by version.
pub(super) fn all(connection: &mut AnyConnection, tenant: TenantId) -> Result<Vec<Price>, Error> {
    let rows: Vec<PriceRow> = provider_price::table
        .filter(provider_price::tenant_id.eq(tenant))
        .order(provider_price::version)
        .limit(LIMIT)
        .load(connection)?;
    rows.into_iter().map(read).collect()
}

/// The numbers of all versions of a tenant.
pub(crate) fn versions(
    connection: &mut AnyConnection,
    tenant: TenantId,
) -> Result<Vec<i32>, Error> {
    Ok(provider_price::table
        .filter(provider_price::tenant_id.eq(tenant))
        .select(provider_price::version)
        .load(connection)?)
}

fn read(row: PriceRow) -> Result<Price, Error> {
    let wrong = |column: &str| Error::Refused(format!("price {}: bad {column}", row.version));
    Ok(Price {
        version: row.version,
        agreed: NewPrice {
            currency: Currency::from_code(&row.currency).map_err(|_unknown| wrong("currency"))?,
            kind: LineKind::from_name(&row.kind).ok_or_else(|| wrong("kind"))?,
            provider: row.provider,
            tariff: Tariff {
                rate_millionths: row.rate_millionths,
                fixed: row.fixed,
                least: row.least,
                most: row.most,
            },
            tolerance: row.tolerance,
            valid_from: row.valid_from,
        },
        created_at: Timestamp::from_micros(row.created_at),
    })
}
