//! The rows of the tables of payments, and what they say.

use ledger::AccountId;
use money::{Amount, Currency, Money};
use store::{Error, TenantId, Timestamp};

use crate::customers::{CustomerId, SavedMethodId};
use crate::terms::Delay;
use crate::texts;
use crate::{
    CaptureMethod, Operation, OperationId, OperationKind, OperationState, Payment, PaymentId,
    PaymentState,
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
        disputed: i64,
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
        external_id: Option<String>,
        description: Option<String>,
        metadata: Option<String>,
        customer_id: Option<CustomerId>,
        saved_method: Option<SavedMethodId>,
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
            disputed: i64 = disputed,
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
            metadata: Option<String> = metadata,
            saved_method: Option<SavedMethodId> = saved_method,
        }
    }
}

store::bulk_insert! {
    /// A row of `operation`. Amounts are minor units, times microseconds since 1970.
    #[expect(missing_docs, reason = "the fields are the table's columns")]
    pub struct OperationRow in operation {
        tenant_id: TenantId,
        id: OperationId,
        subject_id: Vec<u8>,
        ordinal: i32,
        attempt: i32,
        kind: String,
        source: Option<AccountId>,
        amount: i64,
        currency: String,
        reserved: i64,
        fee: i64,
        terms: Option<i32>,
        delay: Option<String>,
        available_on: Option<i32>,
        unreleased: i64,
        made_available: i64,
        from_pending: i64,
        unallocated: i64,
        allocated: i64,
        given_back: i64,
        gives_back: Option<OperationId>,
        status: String,
        provider: String,
        provider_key: String,
        provider_ref: Option<String>,
        charge_ref: Option<String>,
        decline_code: Option<String>,
        payment_method: String,
        reason: Option<String>,
        idempotency_key: String,
        version: i64,
        created_at: i64,
        metadata: Option<String>,
        description: Option<String>,
    }
}

store::bulk_update! {
    /// A changed operation.
    pub struct OperationChange in operation {
        find { tenant_id: TenantId = tenant_id, id: OperationId = id }
        set {
            status: String = status,
            available_on: Option<i32> = available_on,
            unreleased: i64 = unreleased,
            made_available: i64 = made_available,
            from_pending: i64 = from_pending,
            unallocated: i64 = unallocated,
            allocated: i64 = allocated,
            given_back: i64 = given_back,
            provider_ref: Option<String> = provider_ref,
            decline_code: Option<String> = decline_code,
            metadata: Option<String> = metadata,
            version: i64 = version,
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
    /// The payment with this external id.
    pub struct ByExternalId => PaymentRow in payment {
        /// The external id.
        external_id: String,
    }
}

store::bulk_find! {
    /// An operation by its place among those of its payment.
    pub struct ByOrdinal => OperationRow in operation {
        /// The payment's id.
        subject_id: Vec<u8>,
        /// Its number, from 1.
        ordinal: i32,
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
    /// The operations of a payment.
    pub struct ByPayment => OperationRow in operation {
        /// The payment's id.
        subject_id: Vec<u8>,
    }
}

store::bulk_find! {
    /// The edges that a payment or an operation has taken.
    pub struct BySubject => TransitionRow in transition {
        /// Id of the payment or operation.
        subject: Vec<u8>,
    }
}

impl PaymentRow {
    pub(super) fn of(tenant_id: TenantId, row: &Payment) -> Self {
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
            disputed: row.disputed,
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
            external_id: row.external_id.clone(),
            description: row.description.clone(),
            metadata: texts::stored(row.metadata.as_ref()),
            customer_id: row.customer,
            saved_method: row.saved_method,
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
            disputed: self.disputed,
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
            metadata: texts::read(self.metadata.as_deref()).ok_or_else(|| wrong("metadata"))?,
            external_id: self.external_id,
            description: self.description,
            customer: self.customer_id,
            saved_method: self.saved_method,
        })
    }
}

impl PaymentChange {
    pub(super) fn of(tenant_id: TenantId, row: &Payment, seen_version: i64) -> Self {
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
            disputed: row.disputed,
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
            metadata: texts::stored(row.metadata.as_ref()),
            saved_method: row.saved_method,
        }
    }
}

impl OperationRow {
    pub(super) fn of(tenant_id: TenantId, row: &Operation) -> Self {
        Self {
            tenant_id,
            id: row.id,
            subject_id: row.subject.to_vec(),
            ordinal: row.ordinal,
            attempt: row.attempt,
            kind: row.kind.name().to_owned(),
            source: row.source,
            amount: row.money.amount.get(),
            currency: row.money.currency.code().to_owned(),
            reserved: row.reserved,
            fee: row.fee,
            terms: row.terms,
            delay: row.delay.map(Delay::stored),
            available_on: row.available_on,
            unreleased: row.unreleased,
            made_available: row.made_available,
            from_pending: row.from_pending,
            unallocated: row.unallocated,
            allocated: row.allocated,
            given_back: row.given_back,
            gives_back: row.gives_back,
            status: row.state.name().to_owned(),
            provider: row.provider.clone(),
            provider_key: row.provider_key.clone(),
            provider_ref: row.provider_ref.clone(),
            charge_ref: row.charge_ref.clone(),
            decline_code: row.decline_code.clone(),
            payment_method: row.payment_method.clone(),
            reason: row.reason.clone(),
            description: row.description.clone(),
            idempotency_key: row.idempotency_key.clone(),
            version: row.version,
            created_at: row.created_at.micros(),
            metadata: texts::stored(row.metadata.as_ref()),
        }
    }

    /// The payment that the operation belongs to, if it belongs to one.
    pub(crate) fn payment(&self) -> Option<PaymentId> {
        let id = self.subject_id.as_slice().try_into().ok()?;
        Some(PaymentId::from_bytes(id))
    }

    /// True if money of the operation is not available yet, or may be so by the time the row is locked: another
    /// process may be recording its outcome just now, and a refund that fails gives its money back.
    pub(crate) fn may_have_pending(&self) -> bool {
        let has_outcome = match OperationState::from_name(&self.status) {
            Some(OperationState::Succeeded | OperationState::Failed | OperationState::Canceled) => {
                true
            }
            Some(OperationState::Created | OperationState::Submitted | OperationState::Unknown)
            | None => false,
        };
        self.unreleased > 0 || !has_outcome
    }

    pub(crate) fn read(self) -> Result<Operation, Error> {
        let wrong = |column: &str| Error::Refused(format!("operation {}: bad {column}", self.id));
        Ok(Operation {
            id: self.id,
            subject: self
                .subject_id
                .as_slice()
                .try_into()
                .map_err(|_length| wrong("subject_id"))?,
            ordinal: self.ordinal,
            attempt: self.attempt,
            kind: OperationKind::from_name(&self.kind).ok_or_else(|| wrong("kind"))?,
            source: self.source,
            reserved: self.reserved,
            fee: self.fee,
            terms: self.terms,
            delay: match self.delay.as_deref() {
                Some(delay) => Some(Delay::from_stored(delay).ok_or_else(|| wrong("delay"))?),
                None => None,
            },
            available_on: self.available_on,
            unreleased: self.unreleased,
            made_available: self.made_available,
            from_pending: self.from_pending,
            unallocated: self.unallocated,
            allocated: self.allocated,
            given_back: self.given_back,
            gives_back: self.gives_back,
            money: money(self.amount, &self.currency).ok_or_else(|| wrong("amount"))?,
            state: OperationState::from_name(&self.status).ok_or_else(|| wrong("status"))?,
            provider: self.provider,
            provider_key: self.provider_key,
            provider_ref: self.provider_ref,
            charge_ref: self.charge_ref,
            metadata: texts::read(self.metadata.as_deref()).ok_or_else(|| wrong("metadata"))?,
            decline_code: self.decline_code,
            payment_method: self.payment_method,
            reason: self.reason,
            description: self.description,
            idempotency_key: self.idempotency_key,
            version: self.version,
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
