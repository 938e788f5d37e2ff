//! A3 for payments: each payment has an audit record.

use std::collections::HashSet;

use engine::Tenant;
use engine::check::{Leaf, Recorder, Terms, unrecorded};
use store::{AnyConnection, CheckError};

use crate::{PaymentId, check};

/// The payments that audit records name.
#[derive(Default)]
pub(crate) struct RecordedIds(HashSet<PaymentId>);

impl Recorder for RecordedIds {
    fn note(&mut self, leaf: &Leaf<'_>) {
        if leaf.kind == "payment" {
            self.0.extend(leaf.id.parse::<PaymentId>());
        }
    }

    fn compare(
        &self,
        connection: &mut AnyConnection,
        tenant: &Tenant,
        _terms: Terms,
    ) -> Result<(), CheckError> {
        let mut payments = check::payments(tenant.id);
        while let Some(payment) = payments.next(connection)? {
            if !self.0.contains(&payment.id) {
                return Err(unrecorded(&payment.id));
            }
        }
        Ok(())
    }
}
