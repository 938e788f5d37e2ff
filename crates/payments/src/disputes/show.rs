//! The answers about disputes.

use edge::reply::moment;
use serde::Serialize;
use utoipa::ToSchema;

use crate::shapes::*;

/// A dispute in its present state.
#[derive(Debug, Serialize, ToSchema)]
pub struct Dispute {
    /// `dp_…`
    #[schema(value_type = DisputeId)]
    pub id: String,
    /// Always `dispute`.
    pub object: &'static str,
    /// The payment whose money is claimed back.
    #[schema(value_type = PaymentId)]
    pub payment: String,
    /// The disputed amount, in minor units.
    #[schema(value_type = Amount)]
    pub amount: i64,
    /// ISO 4217 code.
    #[schema(value_type = IsoCurrencyCode)]
    pub currency: String,
    /// The fee, in minor units. It is kept also if the dispute is won.
    #[schema(value_type = Count)]
    pub fee: i64,
    /// `open`, `won` or `lost`.
    #[schema(value_type = DisputeStatus)]
    pub status: &'static str,
    /// The reason of the payer's bank, as the provider names it.
    pub reason: String,
    /// True if the provider has taken the money.
    pub withdrawn: bool,
    /// True if the provider has given it back.
    pub reinstated: bool,
    /// The provider.
    pub provider: String,
    /// The provider's reference of the dispute.
    pub provider_reference: String,
    /// Number of this version, from 1. Each change makes the next one.
    #[schema(value_type = Count)]
    pub version: i64,
    /// When the dispute became known.
    #[schema(value_type = Moment)]
    pub created_at: String,
    /// When the dispute last changed.
    #[schema(value_type = Moment)]
    pub updated_at: String,
}

/// A dispute.
pub(crate) fn dispute(dispute: &super::dispute::Dispute) -> Dispute {
    Dispute {
        id: dispute.id.to_string(),
        object: "dispute",
        payment: dispute.payment.to_string(),
        amount: dispute.money.amount.get(),
        currency: dispute.money.currency.code().to_owned(),
        fee: dispute.fee,
        status: dispute.state.name(),
        reason: dispute.reason.clone(),
        withdrawn: dispute.is_withdrawn,
        reinstated: dispute.is_reinstated,
        provider: dispute.provider.clone(),
        provider_reference: dispute.reference.clone(),
        version: dispute.version,
        created_at: moment(dispute.created_at),
        updated_at: moment(dispute.updated_at),
    }
}
