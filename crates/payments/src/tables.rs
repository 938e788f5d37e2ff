//! The tables of payments: the loading of the rows that a batch names, and the saving of its changes.

use money::{Amount, Currency, Money};
use store::bulk::Writes;
use store::find::Lock;
use store::{AnyConnection, Error, TenantId, Timestamp};

use crate::refunds::return_key;
use crate::shelf::Change;
use crate::{
    CaptureMethod, Fact, Operation, OperationId, OperationKind, OperationState, Payment, PaymentId,
    PaymentState, Shelf,
};

store::bulk_insert! {
    /// A row of `payment`. Amounts are minor units, times microseconds since 1970.
    #[expect(missing_docs, reason = "the fields are the table's columns")]
    pub struct PaymentRow in payment {
        tenant_id: TenantId,
        id: PaymentId,
        amount: i64,
        currency: String,
        capture_method: String,
        status: String,
        authorized: i64,
        capturable: i64,
        captured: i64,
        released: i64,
        incrementing: i64,
        refunded: i64,
        customer: Option<String>,
        payment_method: Option<String>,
        decline_code: Option<String>,
        action_url: Option<String>,
        provider: Option<String>,
        charge_ref: Option<String>,
        attempts: i32,
        operations: i32,
        capture_before: Option<i64>,
        idempotency_key: String,
        version: i64,
        created_at: i64,
        updated_at: i64,
    }
}

store::bulk_update! {
    /// A changed payment, with the version at which it was locked.
    pub struct PaymentChange in payment {
        find { tenant_id: TenantId = tenant_id, id: PaymentId = id, seen_version: i64 = version }
        set {
            amount: i64 = amount,
            status: String = status,
            authorized: i64 = authorized,
            capturable: i64 = capturable,
            captured: i64 = captured,
            released: i64 = released,
            incrementing: i64 = incrementing,
            refunded: i64 = refunded,
            payment_method: Option<String> = payment_method,
            decline_code: Option<String> = decline_code,
            action_url: Option<String> = action_url,
            provider: Option<String> = provider,
            charge_ref: Option<String> = charge_ref,
            attempts: i32 = attempts,
            operations: i32 = operations,
            capture_before: Option<i64> = capture_before,
            next_version: i64 = version,
            updated_at: i64 = updated_at,
        }
    }
}

store::bulk_insert! {
    /// A row of `operation`. Amounts are minor units, times microseconds since 1970.
    #[expect(missing_docs, reason = "the fields are the table's columns")]
    pub struct OperationRow in operation {
        tenant_id: TenantId,
        id: OperationId,
        payment_id: PaymentId,
        ordinal: i32,
        attempt: i32,
        kind: String,
        amount: i64,
        currency: String,
        reserved: i64,
        status: String,
        provider: String,
        provider_key: String,
        provider_ref: Option<String>,
        charge_ref: Option<String>,
        decline_code: Option<String>,
        payment_method: String,
        reason: Option<String>,
        idempotency_key: String,
        created_at: i64,
    }
}

store::bulk_update! {
    /// A changed operation.
    pub struct OperationChange in operation {
        find { tenant_id: TenantId = tenant_id, id: OperationId = id }
        set {
            status: String = status,
            provider_ref: Option<String> = provider_ref,
            decline_code: Option<String> = decline_code,
        }
    }
}

store::bulk_insert! {
    /// A row of `provider_charge`: the operation that a provider's record belongs to.
    pub struct ProviderRecordRow in provider_charge {
        /// The tenant that the record belongs to.
        tenant_id: TenantId,
        /// The operation that the record belongs to.
        operation_id: OperationId,
        /// The provider's name.
        provider: String,
        /// The provider's reference of the record.
        provider_ref: String,
    }
}

store::bulk_find! {
    /// The records with these references.
    pub struct ByReference => ProviderRecordRow in provider_charge {
        /// A provider's reference of a record.
        provider_ref: String,
    }
}

store::bulk_insert! {
    /// A row of `transition`.
    #[expect(missing_docs, reason = "the fields are the table's columns")]
    pub struct TransitionRow in transition {
        tenant_id: TenantId,
        subject: Vec<u8>,
        ordinal: i32,
        machine: String,
        from_state: String,
        to_state: String,
        at: i64,
    }
}

store::bulk_find! {
    /// A payment by its id.
    pub struct PaymentById => PaymentRow in payment {
        /// Its id.
        id: PaymentId,
    }
}

store::bulk_find! {
    /// An operation by its id.
    pub struct OperationById => OperationRow in operation {
        /// Its id.
        id: OperationId,
    }
}

store::bulk_find! {
    /// An operation by its provider key.
    pub struct ByProviderKey => OperationRow in operation {
        /// The provider key.
        provider_key: String,
    }
}

store::bulk_find! {
    /// The edges that a payment or an operation has taken.
    pub struct BySubject => TransitionRow in transition {
        /// Id of the payment or operation.
        subject: Vec<u8>,
    }
}

/// The rows that a batch needs of the payments.
#[derive(Debug, Default)]
pub struct Needs {
    /// Payments by id.
    pub payments: Vec<PaymentId>,
    /// Operations by id.
    pub operations: Vec<OperationId>,
    /// Operations by provider key.
    pub provider_keys: Vec<String>,
    /// Records of providers, by the references of the providers.
    pub records: Vec<String>,
}

impl Needs {
    /// Asks for the operation that has the record of a fact.
    pub(crate) fn add_record(&mut self, fact: &Fact) {
        let record = fact.record().map(|record| record.reference.to_string());
        self.records.extend(record);
    }

    /// Asks for all that a fact about the operation with this provider key needs.
    pub(crate) fn add_fact(&mut self, provider_key: &str, fact: &Fact) {
        self.provider_keys.push(provider_key.to_owned());
        if let Fact::Returned { .. } = fact {
            self.provider_keys.push(return_key(provider_key));
        }
        self.add_record(fact);
    }

    /// True if nothing is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.payments.is_empty()
            && self.operations.is_empty()
            && self.provider_keys.is_empty()
            && self.records.is_empty()
    }
}

/// Loads the rows and locks them in the order of their ids: operations first, then their payments.
///
/// # Errors
/// [`Error`] as the database gives it.
pub fn load(
    connection: &mut AnyConnection,
    tenant: TenantId,
    mut needs: Needs,
) -> Result<Shelf, Error> {
    let mut shelf = Shelf::default();
    let unlocked = Lock::Nothing;
    needs.provider_keys.sort_unstable();
    needs.provider_keys.dedup();
    let keys: Vec<ByProviderKey> = needs
        .provider_keys
        .into_iter()
        .map(|provider_key| ByProviderKey { provider_key })
        .collect();
    let named = ByProviderKey::find(connection, unlocked, tenant, &keys)?;
    needs.operations.extend(named.iter().map(|row| row.id));
    needs.records.sort_unstable();
    needs.records.dedup();
    let records: Vec<ByReference> = needs
        .records
        .into_iter()
        .map(|provider_ref| ByReference { provider_ref })
        .collect();
    for row in ByReference::find(connection, unlocked, tenant, &records)? {
        shelf.put_loaded_record(row.provider, row.provider_ref, row.operation_id);
    }
    needs.operations.sort_unstable();
    needs.operations.dedup();
    let ids: Vec<OperationById> = needs
        .operations
        .into_iter()
        .map(|id| OperationById { id })
        .collect();
    let mut subjects: Vec<BySubject> = Vec::new();
    for row in OperationById::find(connection, Lock::Rows, tenant, &ids)? {
        subjects.push(BySubject {
            subject: row.id.bytes().to_vec(),
        });
        needs.payments.push(row.payment_id);
        shelf.put_loaded_operation(row.read()?);
    }
    needs.payments.sort_unstable();
    needs.payments.dedup();
    let ids: Vec<PaymentById> = needs
        .payments
        .into_iter()
        .map(|id| PaymentById { id })
        .collect();
    for row in PaymentById::find(connection, Lock::Rows, tenant, &ids)? {
        subjects.push(BySubject {
            subject: row.id.bytes().to_vec(),
        });
        shelf.put_loaded_payment(row.read()?);
    }
    for edge in BySubject::find(connection, unlocked, tenant, &subjects)? {
        if let Ok(subject) = edge.subject.try_into() {
            shelf.put_history(subject, edge.ordinal);
        }
    }
    Ok(shelf)
}

/// Adds the writes of the batch. If another writer has changed one of the payments meanwhile, the batch is a
/// conflict.
pub fn save(writes: &mut Writes, tenant: TenantId, shelf: &Shelf) {
    let new: Vec<PaymentRow> = shelf
        .new_payments()
        .map(|row| PaymentRow::of(tenant, row))
        .collect();
    writes.add(new);
    let new: Vec<OperationRow> = shelf
        .operations_with(Change::New)
        .map(|row| OperationRow::of(tenant, row))
        .collect();
    writes.add(new);
    let changed: Vec<PaymentChange> = shelf
        .changed_payments()
        .map(|(row, seen_version)| PaymentChange::of(tenant, row, seen_version))
        .collect();
    writes.add(changed);
    let changed: Vec<OperationChange> = shelf
        .operations_with(Change::Changed)
        .map(|row| OperationChange {
            tenant_id: tenant,
            id: row.id,
            status: row.state.name().to_owned(),
            provider_ref: row.provider_ref.clone(),
            decline_code: row.decline_code.clone(),
        })
        .collect();
    writes.add(changed);
    let records: Vec<ProviderRecordRow> = shelf
        .new_records()
        .map(|(provider, reference, operation_id)| ProviderRecordRow {
            tenant_id: tenant,
            operation_id,
            provider: provider.to_owned(),
            provider_ref: reference.to_owned(),
        })
        .collect();
    writes.add(records);
    let transitions: Vec<TransitionRow> = shelf
        .transitions()
        .iter()
        .map(|edge| TransitionRow {
            tenant_id: tenant,
            subject: edge.subject.to_vec(),
            ordinal: edge.ordinal,
            machine: edge.machine.to_owned(),
            from_state: edge.from.to_owned(),
            to_state: edge.to.to_owned(),
            at: edge.at.micros(),
        })
        .collect();
    writes.add(transitions);
}

impl PaymentRow {
    fn of(tenant_id: TenantId, row: &Payment) -> Self {
        Self {
            tenant_id,
            id: row.id,
            amount: row.money.amount.get(),
            currency: row.money.currency.code().to_owned(),
            capture_method: row.capture_method.name().to_owned(),
            status: row.state.name().to_owned(),
            authorized: row.authorized,
            capturable: row.capturable,
            captured: row.captured,
            released: row.released,
            incrementing: row.incrementing,
            refunded: row.refunded,
            customer: row.customer.clone(),
            payment_method: row.payment_method.clone(),
            decline_code: row.decline_code.clone(),
            action_url: row.action_url.clone(),
            provider: row.provider.clone(),
            charge_ref: row.charge_ref.clone(),
            attempts: row.attempts,
            operations: row.operations,
            capture_before: row.capture_before.map(Timestamp::micros),
            idempotency_key: row.idempotency_key.clone(),
            version: row.version,
            created_at: row.created_at.micros(),
            updated_at: row.updated_at.micros(),
        }
    }

    pub(crate) fn read(self) -> Result<Payment, Error> {
        let wrong = |column: &str| Error::Refused(format!("payment {}: bad {column}", self.id));
        Ok(Payment {
            id: self.id,
            money: money(self.amount, &self.currency).ok_or_else(|| wrong("amount"))?,
            capture_method: CaptureMethod::from_name(&self.capture_method)
                .ok_or_else(|| wrong("capture_method"))?,
            state: PaymentState::from_name(&self.status).ok_or_else(|| wrong("status"))?,
            authorized: self.authorized,
            capturable: self.capturable,
            captured: self.captured,
            released: self.released,
            incrementing: self.incrementing,
            refunded: self.refunded,
            customer: self.customer,
            payment_method: self.payment_method,
            decline_code: self.decline_code,
            action_url: self.action_url,
            provider: self.provider,
            charge_ref: self.charge_ref,
            attempts: self.attempts,
            operations: self.operations,
            capture_before: self.capture_before.map(Timestamp::from_micros),
            idempotency_key: self.idempotency_key,
            version: self.version,
            created_at: Timestamp::from_micros(self.created_at),
            updated_at: Timestamp::from_micros(self.updated_at),
        })
    }
}

impl PaymentChange {
    fn of(tenant_id: TenantId, row: &Payment, seen_version: i64) -> Self {
        Self {
            tenant_id,
            id: row.id,
            seen_version,
            amount: row.money.amount.get(),
            status: row.state.name().to_owned(),
            authorized: row.authorized,
            capturable: row.capturable,
            captured: row.captured,
            released: row.released,
            incrementing: row.incrementing,
            refunded: row.refunded,
            payment_method: row.payment_method.clone(),
            decline_code: row.decline_code.clone(),
            action_url: row.action_url.clone(),
            provider: row.provider.clone(),
            charge_ref: row.charge_ref.clone(),
            attempts: row.attempts,
            operations: row.operations,
            capture_before: row.capture_before.map(Timestamp::micros),
            next_version: row.version,
            updated_at: row.updated_at.micros(),
        }
    }
}

impl OperationRow {
    fn of(tenant_id: TenantId, row: &Operation) -> Self {
        Self {
            tenant_id,
            id: row.id,
            payment_id: row.payment,
            ordinal: row.ordinal,
            attempt: row.attempt,
            kind: row.kind.name().to_owned(),
            amount: row.money.amount.get(),
            currency: row.money.currency.code().to_owned(),
            reserved: row.reserved,
            status: row.state.name().to_owned(),
            provider: row.provider.clone(),
            provider_key: row.provider_key.clone(),
            provider_ref: row.provider_ref.clone(),
            charge_ref: row.charge_ref.clone(),
            decline_code: row.decline_code.clone(),
            payment_method: row.payment_method.clone(),
            reason: row.reason.clone(),
            idempotency_key: row.idempotency_key.clone(),
            created_at: row.created_at.micros(),
        }
    }

    pub(crate) fn read(self) -> Result<Operation, Error> {
        let wrong = |column: &str| Error::Refused(format!("operation {}: bad {column}", self.id));
        Ok(Operation {
            id: self.id,
            payment: self.payment_id,
            ordinal: self.ordinal,
            attempt: self.attempt,
            kind: OperationKind::from_name(&self.kind).ok_or_else(|| wrong("kind"))?,
            reserved: self.reserved,
            money: money(self.amount, &self.currency).ok_or_else(|| wrong("amount"))?,
            state: OperationState::from_name(&self.status).ok_or_else(|| wrong("status"))?,
            provider: self.provider,
            provider_key: self.provider_key,
            provider_ref: self.provider_ref,
            charge_ref: self.charge_ref,
            decline_code: self.decline_code,
            payment_method: self.payment_method,
            reason: self.reason,
            idempotency_key: self.idempotency_key,
            created_at: Timestamp::from_micros(self.created_at),
        })
    }
}

fn money(amount: i64, currency: &str) -> Option<Money> {
    Some(Money {
        amount: Amount::new(amount).ok()?,
        currency: Currency::from_code(currency).ok()?,
    })
}
