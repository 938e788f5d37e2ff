//! The orders that a batch makes.

use engine::Loading;
use store::bulk::Writes;
use store::rows::Additions;
use store::{Error, TenantId};

use super::BankOrder;
use super::rows::{BankOrderRow, BankTransferRow};
use crate::OperationId;

/// An order with its file and the operations in it.
#[derive(Debug, Clone)]
pub(super) struct NewOrder {
    pub(super) order: BankOrder,
    pub(super) file: Vec<u8>,
    pub(super) operations: Vec<OperationId>,
}

/// The orders that a batch makes. Nothing is loaded: an order is never changed.
#[derive(Debug, Default)]
pub struct BankOrderShelf {
    new: Additions<NewOrder>,
}

store::savepoint!(BankOrderShelf { new });

impl BankOrderShelf {
    pub(super) fn add(&mut self, order: NewOrder) {
        self.new.push(order);
    }
}

impl engine::Shelf for BankOrderShelf {
    type Asks = ();
    type Memory = ();

    fn must_lock((): &()) -> bool {
        false
    }

    fn is_nothing((): &()) -> bool {
        true
    }

    fn load(&mut self, _from: &mut Loading<'_>, (): ()) -> Result<(), Error> {
        Ok(())
    }

    fn save(&self, tenant_id: TenantId, writes: &mut Writes) {
        let (mut orders, mut transfers) = (Vec::new(), Vec::new());
        for new in self.new.as_slice() {
            orders.push(BankOrderRow::of(tenant_id, &new.order, &new.file));
            let rows = (1..).zip(&new.operations);
            transfers.extend(rows.map(|(position, operation_id)| BankTransferRow {
                tenant_id,
                operation_id: *operation_id,
                order_id: new.order.id,
                position,
            }));
        }
        writes.add(orders);
        writes.add(transfers);
    }
}
