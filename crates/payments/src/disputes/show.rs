//! The answers about disputes.

use edge::reply::{json, moment, problem};
use engine::Reply;
use serde::Serialize;
use utoipa::ToSchema;

use super::dispute;
use super::evidence::{self, EvidenceField};
use crate::problems::declined;
use crate::shapes::*;
use crate::{Operation, OperationState};

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
    /// Until when the provider takes evidence; null if it does not tell.
    #[schema(value_type = Option<Moment>, required)]
    pub evidence_due_by: Option<String>,
    /// How far the evidence is: `none`, `draft`, `submitting` or `submitted`.
    #[schema(value_type = EvidenceStatus)]
    pub evidence_status: &'static str,
    /// What you say about the dispute; null if nothing was written.
    #[schema(value_type = Option<Evidence>, required)]
    pub evidence: Option<Evidence>,
    /// When the provider had taken the evidence.
    #[schema(value_type = Option<Moment>, required)]
    pub evidence_submitted_at: Option<String>,
    /// The provider's reason, if it has refused the evidence the last time.
    #[schema(required)]
    pub evidence_decline_code: Option<String>,
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

/// What the merchant says about a dispute.
#[derive(Debug, Serialize, ToSchema)]
pub struct Evidence {
    /// What was sold.
    #[schema(value_type = Option<EvidenceText>, required)]
    pub product_description: Option<String>,
    /// Who delivered it.
    #[schema(value_type = Option<ShortText>, required)]
    pub shipping_carrier: Option<String>,
    /// The number under which the carrier can be asked.
    #[schema(value_type = Option<ShortText>, required)]
    pub shipping_tracking_number: Option<String>,
    /// When it was handed to the carrier.
    #[schema(value_type = Option<ShortText>, required)]
    pub shipping_date: Option<String>,
    /// When the service was given.
    #[schema(value_type = Option<ShortText>, required)]
    pub service_date: Option<String>,
    /// Why the payer gets no refund.
    #[schema(value_type = Option<EvidenceText>, required)]
    pub refund_refusal_explanation: Option<String>,
    /// Why the subscription was not canceled.
    #[schema(value_type = Option<EvidenceText>, required)]
    pub cancellation_rebuttal: Option<String>,
    /// Why this is not the same payment as another one.
    #[schema(value_type = Option<EvidenceText>, required)]
    pub duplicate_charge_explanation: Option<String>,
    /// Everything else.
    #[schema(value_type = Option<LongEvidenceText>, required)]
    pub uncategorized_text: Option<String>,
}

/// The reply of the command that writes evidence.
pub(crate) fn written(written: &dispute::Dispute, _is_dry_run: bool) -> Reply {
    json(200, &dispute(written))
}

/// The reply to the request that has sent evidence.
pub(crate) fn reply(operation: &Operation, of: &dispute::Dispute) -> Reply {
    match operation.state {
        OperationState::Created | OperationState::Submitted | OperationState::Unknown => {
            json(202, &dispute(of))
        }
        OperationState::Succeeded => json(200, &dispute(of)),
        OperationState::Failed | OperationState::Canceled => {
            problem(&declined(operation).with_resource(of.id.to_string()))
        }
    }
}

fn evidence(evidence: &evidence::Evidence) -> Evidence {
    let text = |field| evidence.text(field).map(str::to_owned);
    Evidence {
        product_description: text(EvidenceField::ProductDescription),
        shipping_carrier: text(EvidenceField::ShippingCarrier),
        shipping_tracking_number: text(EvidenceField::ShippingTrackingNumber),
        shipping_date: text(EvidenceField::ShippingDate),
        service_date: text(EvidenceField::ServiceDate),
        refund_refusal_explanation: text(EvidenceField::RefundRefusalExplanation),
        cancellation_rebuttal: text(EvidenceField::CancellationRebuttal),
        duplicate_charge_explanation: text(EvidenceField::DuplicateChargeExplanation),
        uncategorized_text: text(EvidenceField::UncategorizedText),
    }
}

/// A dispute.
pub(crate) fn dispute(dispute: &dispute::Dispute) -> Dispute {
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
        evidence_due_by: dispute.evidence_due_by.map(moment),
        evidence_status: dispute.evidence_status().name(),
        evidence: dispute.evidence.as_ref().map(evidence),
        evidence_submitted_at: dispute.submitted_at.map(moment),
        evidence_decline_code: dispute.evidence_decline_code.clone(),
        version: dispute.version,
        created_at: moment(dispute.created_at),
        updated_at: moment(dispute.updated_at),
    }
}
