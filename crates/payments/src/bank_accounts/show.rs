//! The replies about bank accounts.

use std::convert::Infallible;

use edge::Problem;
use edge::reply::{json, moment, refusal_reply};
use engine::{RefusalReply, Reply};
use serde::Serialize;
use utoipa::ToSchema;

use super::{BankAccountError, CloseBankAccount, CreateBankAccount};
use crate::shapes::*;

/// A bank account that payouts can go to.
#[derive(Debug, Serialize, ToSchema)]
pub struct BankAccount {
    /// `bac_…`: the destination of a payout.
    #[schema(value_type = BankAccountId)]
    pub id: String,
    /// Always `bank_account`.
    pub object: &'static str,
    /// The name of the holder.
    #[schema(value_type = HolderName)]
    pub holder: String,
    /// The number of the account, without blanks.
    #[schema(value_type = IbanText)]
    pub iban: String,
    /// The BIC of the bank.
    #[schema(value_type = Option<BicText>, required)]
    pub bic: Option<String>,
    /// When the account was made.
    #[schema(value_type = Moment)]
    pub created_at: String,
    /// When it was closed; null if it gets payouts.
    #[schema(value_type = Option<Moment>, required)]
    pub closed_at: Option<String>,
}

/// The reply with a new bank account.
pub(super) fn created(made: &super::BankAccount, _is_dry_run: bool) -> Reply {
    json(201, &account(made))
}

/// The reply with a bank account that is closed.
pub(super) fn closed(closed: &super::BankAccount, _is_dry_run: bool) -> Reply {
    json(200, &account(closed))
}

/// A new account is never refused after its fields were read.
pub(super) fn show_nothing(_command: &CreateBankAccount, rule: &Infallible) -> RefusalReply {
    match *rule {}
}

/// The reply to a refusal.
pub(super) fn show_refusal(_command: &CloseBankAccount, rule: &BankAccountError) -> RefusalReply {
    match rule {
        BankAccountError::NotFound => refusal_reply(
            &Problem::new(edge::code::NOT_FOUND),
            "bank_account_not_found",
        ),
    }
}

/// A bank account.
pub(crate) fn account(row: &super::BankAccount) -> BankAccount {
    BankAccount {
        id: row.id.to_string(),
        object: "bank_account",
        holder: row.holder.clone(),
        iban: row.iban.electronic().to_owned(),
        bic: row.bic.as_ref().map(|bic| bic.as_str().to_owned()),
        created_at: moment(row.created_at),
        closed_at: row.closed_at.map(moment),
    }
}
