//! The replies about customers and their payment methods.

use std::collections::BTreeMap;

use edge::Problem;
use edge::reply::{json, moment, refusal_reply};
use engine::{RefusalReply, Reply};
use serde::Serialize;
use utoipa::ToSchema;

use super::CustomerError;
use super::codes::CUSTOMER_STANDING_CONFLICT;
use crate::charging::codes::NO_PROVIDER;
use crate::problems::sentence;
use crate::shapes::*;

/// A payer whom you know.
#[derive(Debug, Serialize, ToSchema)]
pub struct Customer {
    /// `cus_…`
    #[schema(value_type = CustomerId)]
    pub id: String,
    /// Always `customer`.
    pub object: &'static str,
    /// Your own name for the customer.
    #[schema(value_type = Option<ShortText>, required)]
    pub external_id: Option<String>,
    /// A description for people.
    #[schema(value_type = Option<LongText>, required)]
    pub description: Option<String>,
    /// The metadata that you keep with it.
    #[schema(value_type = Option<Metadata>, required)]
    pub metadata: Option<BTreeMap<String, String>>,
    /// Whether money is moved for the customer: `active` or `suspended`.
    #[schema(value_type = CustomerStanding)]
    pub standing: &'static str,
    /// Number of this version, from 1. Each change makes the next one.
    #[schema(value_type = Count)]
    pub version: i64,
    /// The time at which the customer was made.
    #[schema(value_type = Moment)]
    pub created_at: String,
    /// The time of the last change.
    #[schema(value_type = Moment)]
    pub updated_at: String,
}

/// A provider's token that a customer can pay with again.
#[derive(Debug, Serialize, ToSchema)]
pub struct PaymentMethod {
    /// `pmt_…`
    #[schema(value_type = SavedMethodId)]
    pub id: String,
    /// Always `payment_method`.
    pub object: &'static str,
    /// The customer.
    #[schema(value_type = CustomerId)]
    pub customer: String,
    /// The provider that the token belongs to; null if it is whichever provider a payment goes to.
    #[schema(required)]
    pub provider: Option<String>,
    /// The provider's token.
    #[schema(value_type = ShortText)]
    pub token: String,
    /// The time at which it was attached.
    #[schema(value_type = Moment)]
    pub created_at: String,
    /// The time at which it was detached; null if it is still attached.
    #[schema(value_type = Option<Moment>, required)]
    pub detached_at: Option<String>,
}

/// The reply with a new customer.
pub(super) fn created(made: &super::Customer, _is_dry_run: bool) -> Reply {
    json(201, &customer(made))
}

/// The reply with a changed customer.
pub(super) fn changed(changed: &super::Customer, _is_dry_run: bool) -> Reply {
    json(200, &customer(changed))
}

/// The reply with a new payment method.
pub(super) fn attached(attached: &super::SavedMethod, _is_dry_run: bool) -> Reply {
    json(201, &method(attached))
}

/// The reply with a payment method that is detached.
pub(super) fn detached(detached: &super::SavedMethod, _is_dry_run: bool) -> Reply {
    json(200, &method(detached))
}

/// The reply to a refusal.
pub(super) fn show_refusal<C>(_command: &C, rule: &CustomerError) -> RefusalReply {
    let detail = sentence(&rule.to_string());
    let problem = match rule {
        CustomerError::NoCustomer | CustomerError::NoMethod => Problem::new(edge::code::NOT_FOUND),
        CustomerError::ExternalIdTaken { by } => Problem::new(books::code::EXTERNAL_ID_TAKEN)
            .with_detail(detail)
            .at("/external_id")
            .with_resource(by.to_string()),
        CustomerError::HasThisStanding(standing) => {
            let problem = Problem::new(CUSTOMER_STANDING_CONFLICT).with_detail(detail);
            problem.with_state(standing.name(), Vec::new())
        }
        CustomerError::UnknownProvider => {
            let problem = Problem::new(NO_PROVIDER).with_detail(detail);
            problem.at("/provider")
        }
    };
    refusal_reply(&problem, rule.code())
}

/// A customer.
pub(crate) fn customer(row: &super::Customer) -> Customer {
    Customer {
        id: row.id.to_string(),
        object: "customer",
        external_id: row.external_id.clone(),
        description: row.description.clone(),
        metadata: row.metadata.as_ref().map(ledger::Metadata::entries),
        standing: row.standing.name(),
        version: row.version,
        created_at: moment(row.created_at),
        updated_at: moment(row.updated_at),
    }
}

/// A payment method.
pub(crate) fn method(row: &super::SavedMethod) -> PaymentMethod {
    PaymentMethod {
        id: row.id.to_string(),
        object: "payment_method",
        customer: row.customer.to_string(),
        provider: row.provider.clone(),
        token: row.token.clone(),
        created_at: moment(row.created_at),
        detached_at: row.detached_at.map(moment),
    }
}
