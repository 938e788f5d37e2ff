//! The replies about bank orders.

use bank_files::date_of;
use edge::Problem;
use edge::reply::{json, moment, refusal_reply};
use engine::{RefusalReply, Reply};
use serde::Serialize;
use utoipa::ToSchema;

use super::{MakeBankOrder, OrderRefusal, codes, message_id};
use crate::charging::codes::NO_PROVIDER;
use crate::problems::sentence;
use crate::shapes::*;

/// Payouts that a bank gets as one file.
#[derive(Debug, Serialize, ToSchema)]
pub struct BankOrder {
    /// `bor_…`
    #[schema(value_type = BankOrderId)]
    pub id: String,
    /// Always `bank_order`.
    pub object: &'static str,
    /// Name of the provider.
    #[schema(value_type = ShortText)]
    pub provider: String,
    /// The message id in the file, which the bank repeats in its reports.
    #[schema(value_type = MessageId)]
    pub message_id: String,
    /// Number of transfers.
    #[schema(value_type = Count)]
    pub transfers: i64,
    /// The sum of all transfers, in minor units.
    #[schema(value_type = Amount)]
    pub amount: i64,
    /// ISO 4217 code.
    #[schema(value_type = IsoCurrencyCode)]
    pub currency: String,
    /// The day on which the bank shall pay.
    #[schema(value_type = Day)]
    pub requested_on: String,
    /// The file for the bank: pain.001 of ISO 20022. It is only in the answer about a single order.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<AnyText>)]
    pub file: Option<String>,
    /// When the order was made.
    #[schema(value_type = Moment)]
    pub created_at: String,
}

/// The reply with a new order.
pub(super) fn made(made: &super::BankOrder, _is_dry_run: bool) -> Reply {
    json(201, &order(made))
}

/// The reply to a refusal.
pub(super) fn show_refusal(_command: &MakeBankOrder, rule: &OrderRefusal) -> RefusalReply {
    let detail = sentence(&rule.to_string());
    let (code, field) = match rule {
        OrderRefusal::NoProvider => (NO_PROVIDER, "/provider"),
        OrderRefusal::WrongDay => (edge::code::INVALID_FIELD, "/requested_on"),
        OrderRefusal::NothingWaits => (codes::NOTHING_WAITS, "/provider"),
        OrderRefusal::NotWritten(_) => (codes::NOT_PAYABLE_BY_BANK, "/provider"),
    };
    let problem = Problem::new(code).with_detail(detail).at(field);
    refusal_reply(&problem, rule.code())
}

/// An order without its file.
pub(super) fn order(row: &super::BankOrder) -> BankOrder {
    BankOrder {
        id: row.id.to_string(),
        object: "bank_order",
        provider: row.provider.clone(),
        message_id: message_id(row.id),
        transfers: row.transfers.into(),
        amount: row.sum,
        currency: row.currency.code().to_owned(),
        requested_on: date_of(row.requested_on).to_string(),
        file: None,
        created_at: moment(row.created_at),
    }
}

/// An order with its file.
pub(super) fn with_file((row, file): &(super::BankOrder, Vec<u8>)) -> BankOrder {
    BankOrder {
        file: Some(String::from_utf8_lossy(file).into_owned()),
        ..order(row)
    }
}
