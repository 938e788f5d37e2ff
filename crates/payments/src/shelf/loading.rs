//! The shelf of payments as the engine sees it: what it asks of other shelves, and how it is loaded and saved.

use books::Books;
use engine::errand::Errands;
use engine::{Key, Loading};
use store::bulk::Writes;
use store::{Error, TenantId};

use super::Shelf;
use crate::bank_accounts::is_bank_account;
use crate::bank_orders::BANK_TRANSFER;
use crate::customers::CustomerShelf;
use crate::overdue::OVERDUE;
use crate::reserves::shelf::ReserveShelf;
use crate::{Operation, tables};

impl engine::Shelf for Shelf {
    type Asks = tables::Needs;
    type Memory = ();

    fn begin(&mut self, tenant: TenantId) {
        self.tenant = Some(tenant);
    }

    fn must_lock(asks: &tables::Needs) -> bool {
        !asks.changes_nothing()
    }

    fn is_nothing(asks: &tables::Needs) -> bool {
        asks.is_empty()
    }

    /// Also asks for the keys of the requests that wait for the payments, for the errands of the operations, for the
    /// reserves of disputed payments, and for the rows of the books that their outcomes need.
    fn load(&mut self, from: &mut Loading<'_>, asks: tables::Needs) -> Result<(), Error> {
        let is_disputed = !asks.disputes.is_empty();
        *self = tables::load(from.connection, from.tenant, asks)?;
        self.tenant = Some(from.tenant);
        if let (true, Some(wanted)) = (is_disputed, from.ask::<ReserveShelf>()) {
            let payments = self.payments.values().map(|held| held.row.id);
            wanted.of_payments.extend(payments);
        }
        if let Some(keys) = from.ask::<idempotency::Shelf>() {
            let waiting = self.idempotency_keys().into_iter();
            keys.waiting
                .extend(waiting.filter_map(|key| Key::stored(key).ok()));
        }
        if let Some(errands) = from.ask::<Errands>() {
            let unfinished = self.operations().into_iter();
            for operation in unfinished.filter(Operation::is_unfinished) {
                errands.push(operation.errand());
                if is_bank_account(&operation.payment_method) {
                    errands.push((BANK_TRANSFER, operation.id.bytes()));
                    errands.push((OVERDUE, operation.id.bytes()));
                }
            }
        }
        if let Some(wanted) = from.ask::<CustomerShelf>() {
            wanted.methods.extend(self.methods_to_use());
            for customer in self.customers_to_ask() {
                wanted.moves_for(Some(customer));
            }
        }
        if let Some(needs) = from.ask::<Books>() {
            let of_books = self.needs_of_books();
            needs.codes.extend(of_books.codes);
            needs.external_ids.extend(of_books.external_ids);
            needs.accounts.extend(of_books.accounts);
        }
        Ok(())
    }

    fn save(&self, tenant: TenantId, writes: &mut Writes) {
        tables::save(writes, tenant, self);
    }
}
