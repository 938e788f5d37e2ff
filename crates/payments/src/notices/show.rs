//! The answer to a webhook.

use serde::Serialize;
use utoipa::ToSchema;

use crate::shapes::*;

/// The outcome of a webhook.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookReceipt {
    /// `applied`, `duplicate`, `parked`, `stored` or `quarantined`.
    #[schema(value_type = ReceiptStatus)]
    pub status: &'static str,
}
