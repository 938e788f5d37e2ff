//! A3 for payments: each payment, refund, payout, approval, dispute, reserve, customer, payment method, bank account,
//! bank order, matched line, exception, version of the terms and price has an audit record.

use std::collections::HashSet;

use engine::Tenant;
use engine::check::{Leaf, Recorder, Terms, unrecorded};
use store::{AnyConnection, CheckError};

use crate::check;

/// The kinds of things that audit records of payments are about.
const KINDS: [&str; 15] = [
    "payment",
    "refund",
    "payout",
    "approval",
    "dispute",
    "customer",
    "payment_method",
    "reserve",
    "bank_account",
    "bank_order",
    "settlement_line",
    "bank_line",
    "exception",
    "terms",
    "price",
];

/// The things that audit records name, by kind and id.
#[derive(Default)]
pub(crate) struct RecordedIds(HashSet<(&'static str, String)>);

impl Recorder for RecordedIds {
    fn note(&mut self, leaf: &Leaf<'_>) {
        let kind = KINDS.into_iter().find(|kind| *kind == leaf.kind);
        if let Some(kind) = kind {
            self.0.insert((kind, leaf.id.to_owned()));
        }
    }

    fn compare(
        &self,
        connection: &mut AnyConnection,
        tenant: &Tenant,
        _terms: Terms,
    ) -> Result<(), CheckError> {
        check::each_recordable(connection, tenant.id, |kind, id| {
            if self.0.contains(&(kind, id.clone())) {
                Ok(())
            } else {
                Err(unrecorded(&id))
            }
        })
    }
}
