//! The tables of customers and of their payment methods.

use store::{Error, TenantId, Timestamp};

use super::{Customer, CustomerId, SavedMethod, SavedMethodId, Standing};
use crate::texts;

store::bulk_insert! {
    /// A row of `customer`. Times are in microseconds since 1970.
    #[expect(missing_docs, reason = "the fields are the table's columns")]
    pub struct CustomerRow in customer {
        tenant_id: TenantId,
        id: CustomerId,
        external_id: Option<String>,
        description: Option<String>,
        metadata: Option<String>,
        standing: String,
        version: i64,
        created_at: i64,
        updated_at: i64,
    }
}

store::bulk_update! {
    /// A changed customer, with the version at which it was read.
    pub struct CustomerChange in customer {
        find { tenant_id: TenantId = tenant_id, id: CustomerId = id, seen_version: i64 = version }
        set {
            description: Option<String> = description,
            metadata: Option<String> = metadata,
            standing: String = standing,
            next_version: i64 = version,
            updated_at: i64 = updated_at,
        }
    }
}

store::bulk_insert! {
    /// A row of `payment_method`. Times are in microseconds since 1970.
    #[expect(missing_docs, reason = "the fields are the table's columns")]
    pub struct SavedMethodRow in payment_method {
        tenant_id: TenantId,
        id: SavedMethodId,
        customer_id: CustomerId,
        provider: Option<String>,
        token: String,
        created_at: i64,
        detached_at: Option<i64>,
    }
}

store::bulk_update! {
    /// A payment method that is detached. If another writer has detached it meanwhile, a trigger refuses the update.
    pub struct SavedMethodDetached in payment_method {
        find { tenant_id: TenantId = tenant_id, id: SavedMethodId = id }
        set { detached_at: Option<i64> = detached_at }
    }
}

store::bulk_find! {
    /// A customer by its id.
    pub struct CustomerById => CustomerRow in customer {
        /// Its id.
        id: CustomerId,
    }
}

store::bulk_find! {
    /// The customer with this external id.
    pub struct CustomerByExternalId => CustomerRow in customer {
        /// The external id.
        external_id: String,
    }
}

store::bulk_find! {
    /// A payment method by its id.
    pub struct SavedMethodById => SavedMethodRow in payment_method {
        /// Its id.
        id: SavedMethodId,
    }
}

impl CustomerRow {
    pub(super) fn of(tenant_id: TenantId, row: &Customer) -> Self {
        Self {
            tenant_id,
            id: row.id,
            external_id: row.external_id.clone(),
            description: row.description.clone(),
            metadata: texts::stored(row.metadata.as_ref()),
            standing: row.standing.name().to_owned(),
            version: row.version,
            created_at: row.created_at.micros(),
            updated_at: row.updated_at.micros(),
        }
    }

    pub(crate) fn read(self) -> Result<Customer, Error> {
        let wrong = |column: &str| Error::Refused(format!("customer {}: bad {column}", self.id));
        Ok(Customer {
            id: self.id,
            metadata: texts::read(self.metadata.as_deref()).ok_or_else(|| wrong("metadata"))?,
            external_id: self.external_id,
            description: self.description,
            standing: Standing::from_name(&self.standing).ok_or_else(|| wrong("standing"))?,
            version: self.version,
            created_at: Timestamp::from_micros(self.created_at),
            updated_at: Timestamp::from_micros(self.updated_at),
        })
    }
}

impl SavedMethodRow {
    pub(super) fn of(tenant_id: TenantId, row: &SavedMethod) -> Self {
        Self {
            tenant_id,
            id: row.id,
            customer_id: row.customer,
            provider: row.provider.clone(),
            token: row.token.clone(),
            created_at: row.created_at.micros(),
            detached_at: row.detached_at.map(Timestamp::micros),
        }
    }

    pub(crate) fn read(self) -> SavedMethod {
        SavedMethod {
            id: self.id,
            customer: self.customer_id,
            provider: self.provider,
            token: self.token,
            created_at: Timestamp::from_micros(self.created_at),
            detached_at: self.detached_at.map(Timestamp::from_micros),
        }
    }
}
