//! The invariants of payments, checked over one snapshot. Tables are read in the order of a key, a page at a
//! time. Tables that belong together are merged like sorted lists.

use std::collections::HashMap;

use diesel::prelude::*;
use ledger::Kind;
use store::{AnyConnection, CheckError, Error, Pages, TenantId};

use crate::schema::{operation, payment, provider_charge, transition};
use crate::state::is_edge;
use crate::tables::{OperationRow, PaymentRow, ProviderChargeRow, TransitionRow};
use crate::{OperationId, OperationState, PaymentId, PaymentState};

/// Number of rows that are read at a time.
const PAGE: i64 = 2_000;

/// Names of the triggers that protect the history of a state machine from changes (L4).
pub const GUARDS: [&str; 4] = [
    "transition_immutable",
    "transition_kept",
    "provider_charge_immutable",
    "provider_charge_kept",
];

/// P1: refunded ≤ captured ≤ authorized ≤ amount, and captured is what the payment's succeeded
/// operations took, in its currency. Returns the number of payments.
///
/// # Errors
/// [`CheckError::Broken`] names the first payment or operation that breaks this.
pub fn amounts_are_covered(
    connection: &mut AnyConnection,
    tenant: TenantId,
    progress: &mut dyn FnMut(u64),
) -> Result<u64, CheckError> {
    let mut payments = payments(tenant);
    let mut operations: Pages<OperationRow> = Pages::new(tenant, operations_by_payment_after);
    let mut examined = 0_u64;
    while let Some(payment) = payments.next(connection)? {
        let mut taken = 0_i128;
        while let Some(operation) =
            operations.next_if(connection, |operation| operation.payment_id <= payment.id)?
        {
            if operation.payment_id < payment.id {
                return Err(orphan(&operation));
            }
            if operation.currency != payment.currency {
                let detail = format!(
                    "it is in {}, its payment in {}",
                    operation.currency, payment.currency
                );
                return Err(CheckError::broken(operation.id, detail));
            }
            if operation.status == OperationState::Succeeded.name() {
                taken += i128::from(operation.amount);
            }
        }
        check_amounts(&payment, taken)?;
        tick(&mut examined, progress);
    }
    match operations.next(connection)? {
        Some(operation) => Err(orphan(&operation)),
        None => Ok(examined),
    }
}

/// P2: the history of each payment and operation is an unbroken chain of legal edges, from a state in
/// which it may begin to the state it is in. No edge leaves a final state, so a chain ends there.
/// Returns the number of payments, operations and edges.
///
/// # Errors
/// [`CheckError::Broken`] names the first payment or operation that breaks this.
pub fn histories_are_legal(
    connection: &mut AnyConnection,
    tenant: TenantId,
    progress: &mut dyn FnMut(u64),
) -> Result<u64, CheckError> {
    let mut examined = 0_u64;
    for machine in [&PAYMENT, &OPERATION] {
        let mut standing = (machine.standing)(tenant);
        let name = machine.name;
        let mut edges: Pages<TransitionRow> =
            Pages::new(tenant, move |connection, tenant, after| {
                edges_after(connection, tenant, name, after)
            });
        while let Some((subject, status)) = standing.next(connection)? {
            let mut state: Option<String> = None;
            let mut last = 0;
            while let Some(edge) =
                edges.next_if(connection, |edge| edge.subject.as_slice() <= &subject[..])?
            {
                if edge.subject != subject {
                    return Err(machine.orphan(&edge));
                }
                machine.check_edge(&edge, last, state.as_deref())?;
                last = edge.ordinal;
                state = Some(edge.to_state);
                tick(&mut examined, progress);
            }
            machine.check_end(subject, &status, state.as_deref())?;
            tick(&mut examined, progress);
        }
        if let Some(edge) = edges.next(connection)? {
            return Err(machine.orphan(&edge));
        }
    }
    Ok(examined)
}

/// P3: each succeeded operation has a charge of its own and exactly one transaction in the books, of its
/// amount and currency, and each capture in the books has its succeeded operation. Returns the number of both.
///
/// # Errors
/// [`CheckError::Broken`] names the first operation or transaction that breaks this.
pub fn operations_are_posted_once(
    connection: &mut AnyConnection,
    tenant: TenantId,
    progress: &mut dyn FnMut(u64),
) -> Result<u64, CheckError> {
    let mut examined = 0_u64;
    let mut succeeded = succeeded(tenant);
    loop {
        let page = succeeded.page(connection)?;
        if page.is_empty() {
            break;
        }
        let names: Vec<String> = page.iter().map(|row| external_id(row.id)).collect();
        let mut posted: HashMap<String, Vec<ledger::check::TransactionReference>> = HashMap::new();
        for transaction in ledger::check::named(connection, tenant, &names)? {
            if let Some(name) = transaction.external_id.clone() {
                posted.entry(name).or_default().push(transaction);
            }
        }
        let charges = charges(connection, tenant, &page)?;
        for (operation, name) in page.into_iter().zip(&names) {
            check_charge(&operation, &charges)?;
            check_posted(&operation, posted.get(name).map_or(&[], Vec::as_slice))?;
            tick(&mut examined, progress);
        }
    }
    let mut captures = ledger::check::of_kind(tenant, Kind::Capture);
    loop {
        let page = captures.page(connection)?;
        if page.is_empty() {
            return Ok(examined);
        }
        let mut causes = Vec::with_capacity(page.len());
        for (id, name) in page {
            let operation = name.as_deref().and_then(operation_of);
            let operation = operation
                .ok_or_else(|| CheckError::broken(id, "it names no operation as its cause"))?;
            causes.push((id, operation));
        }
        let ids: Vec<OperationId> = causes.iter().map(|(_, operation)| *operation).collect();
        let statuses = statuses(connection, tenant, &ids)?;
        for (id, operation) in causes {
            let status = statuses.get(&operation).map_or("not there", String::as_str);
            if status != OperationState::Succeeded.name() {
                let detail = format!("its operation {operation} is {status}");
                return Err(CheckError::broken(id, detail));
            }
            tick(&mut examined, progress);
        }
    }
}

/// All payments, in id order.
#[must_use]
pub fn payments(tenant: TenantId) -> Pages<PaymentRow> {
    Pages::new(tenant, |connection, tenant, after: Option<&PaymentRow>| {
        let mut query = payment::table
            .filter(payment::tenant_id.eq(tenant))
            .order(payment::id)
            .limit(PAGE)
            .into_boxed();
        if let Some(last) = after {
            query = query.filter(payment::id.gt(last.id));
        }
        Ok(query.load(connection)?)
    })
}

/// The existing idempotency keys among those that these payments name.
///
/// # Errors
/// [`Error`] as the database gives it.
pub fn keys_of(
    connection: &mut AnyConnection,
    tenant: TenantId,
    ids: &[PaymentId],
) -> Result<HashMap<PaymentId, String>, Error> {
    let rows: Vec<(PaymentId, String)> = payment::table
        .filter(payment::tenant_id.eq(tenant))
        .filter(payment::id.eq_any(ids))
        .select((payment::id, payment::idempotency_key))
        .load(connection)?;
    Ok(rows.into_iter().collect())
}

/// The states of the operations with these provider keys. Keys without an operation, and unknown states, are
/// left out.
///
/// # Errors
/// [`Error`] as the database gives it.
pub fn states_by_provider_key(
    connection: &mut AnyConnection,
    tenant: TenantId,
    provider_keys: &[String],
) -> Result<HashMap<String, OperationState>, Error> {
    let rows: Vec<(String, String)> = operation::table
        .filter(operation::tenant_id.eq(tenant))
        .filter(operation::provider_key.eq_any(provider_keys))
        .select((operation::provider_key, operation::status))
        .load(connection)?;
    let states = rows.into_iter();
    Ok(states
        .filter_map(|(key, status)| Some((key, OperationState::from_name(&status)?)))
        .collect())
}

/// The operations of these charges, by provider and reference.
fn charges(
    connection: &mut AnyConnection,
    tenant: TenantId,
    operations: &[OperationRow],
) -> Result<HashMap<(String, String), OperationId>, Error> {
    let references = operations
        .iter()
        .filter_map(|row| row.provider_ref.as_deref());
    let references: Vec<&str> = references.collect();
    let rows: Vec<ProviderChargeRow> = provider_charge::table
        .filter(provider_charge::tenant_id.eq(tenant))
        .filter(provider_charge::provider_ref.eq_any(references))
        .load(connection)?;
    let rows = rows.into_iter();
    Ok(rows
        .map(|row| ((row.provider, row.provider_ref), row.operation_id))
        .collect())
}

fn check_charge(
    operation: &OperationRow,
    charges: &HashMap<(String, String), OperationId>,
) -> Result<(), CheckError> {
    let Some(reference) = operation.provider_ref.clone() else {
        return Ok(());
    };
    match charges.get(&(operation.provider.clone(), reference)) {
        Some(of) if *of == operation.id => Ok(()),
        Some(of) => {
            let detail = format!("its charge is {of}'s");
            Err(CheckError::broken(operation.id, detail))
        }
        None => Err(CheckError::broken(operation.id, "its charge is not kept")),
    }
}

fn tick(examined: &mut u64, progress: &mut dyn FnMut(u64)) {
    *examined += 1;
    if examined.is_multiple_of(PAGE.unsigned_abs()) {
        progress(*examined);
    }
}

/// The external id of an operation's transaction, as `postings.rs` writes it.
fn external_id(operation: OperationId) -> String {
    format!("{operation}:{}", Kind::Capture.name())
}

/// The operation whose transaction has this external id.
fn operation_of(external_id: &str) -> Option<OperationId> {
    let (operation, kind) = external_id.split_once(':')?;
    (kind == Kind::Capture.name()).then(|| operation.parse().ok())?
}

fn orphan(operation: &OperationRow) -> CheckError {
    CheckError::broken(
        operation.id,
        format!("its payment {} does not exist", operation.payment_id),
    )
}

fn check_amounts(payment: &PaymentRow, taken: i128) -> Result<(), CheckError> {
    let order = [
        ("refunded", payment.refunded, "captured", payment.captured),
        (
            "captured",
            payment.captured,
            "authorized",
            payment.authorized,
        ),
        ("authorized", payment.authorized, "amount", payment.amount),
    ];
    for (less_name, less, more_name, more) in order {
        if less < 0 || less > more {
            let detail = format!("{less_name} is {less}, {more_name} is {more}");
            return Err(CheckError::broken(payment.id, detail));
        }
    }
    if i128::from(payment.captured) != taken {
        let captured = payment.captured;
        let detail = format!("captured is {captured}, its succeeded operations took {taken}");
        return Err(CheckError::broken(payment.id, detail));
    }
    Ok(())
}

fn check_posted(
    operation: &OperationRow,
    posted: &[ledger::check::TransactionReference],
) -> Result<(), CheckError> {
    match posted {
        [] => Err(CheckError::broken(
            operation.id,
            "it succeeded and was never posted",
        )),
        [only] => {
            let asked = (operation.amount, operation.currency.clone());
            if only.moved == [asked] {
                return Ok(());
            }
            let (amount, currency) = (operation.amount, &operation.currency);
            let moved: Vec<String> = only
                .moved
                .iter()
                .map(|(amount, currency)| format!("{amount} {currency}"))
                .collect();
            let detail = format!(
                "it took {amount} {currency}, {} moved {}",
                only.id,
                moved.join(" and ")
            );
            Err(CheckError::broken(operation.id, detail))
        }
        several => {
            let detail = format!("it was posted {} times", several.len());
            Err(CheckError::broken(operation.id, detail))
        }
    }
}

/// The subjects of a state machine, each with its present state.
type Standing = Pages<([u8; 16], String)>;

/// One of the two state machines, for the check of its history.
struct Machine {
    name: &'static str,
    /// Formats the id of a subject.
    show: fn([u8; 16]) -> String,
    /// True if a history may begin in this state.
    begins: fn(&str) -> bool,
    standing: fn(TenantId) -> Standing,
}

const PAYMENT: Machine = Machine {
    name: "payment",
    show: |id| PaymentId::from_bytes(id).to_string(),
    begins: |state| {
        [
            PaymentState::RequiresPaymentMethod,
            PaymentState::RequiresConfirmation,
        ]
        .into_iter()
        .any(|first| first.name() == state)
    },
    standing: |tenant| {
        Pages::new(
            tenant,
            |connection, tenant, after: Option<&([u8; 16], _)>| {
                let mut query = payment::table
                    .filter(payment::tenant_id.eq(tenant))
                    .order(payment::id)
                    .limit(PAGE)
                    .select((payment::id, payment::status))
                    .into_boxed();
                if let Some((last, _)) = after {
                    query = query.filter(payment::id.gt(PaymentId::from_bytes(*last)));
                }
                let rows: Vec<(PaymentId, String)> = query.load(connection)?;
                Ok(rows
                    .into_iter()
                    .map(|(id, status)| (id.bytes(), status))
                    .collect())
            },
        )
    },
};

const OPERATION: Machine = Machine {
    name: "operation",
    show: |id| OperationId::from_bytes(id).to_string(),
    begins: |state| state == OperationState::Created.name(),
    standing: |tenant| {
        Pages::new(
            tenant,
            |connection, tenant, after: Option<&([u8; 16], _)>| {
                let mut query = operation::table
                    .filter(operation::tenant_id.eq(tenant))
                    .order(operation::id)
                    .limit(PAGE)
                    .select((operation::id, operation::status))
                    .into_boxed();
                if let Some((last, _)) = after {
                    query = query.filter(operation::id.gt(OperationId::from_bytes(*last)));
                }
                let rows: Vec<(OperationId, String)> = query.load(connection)?;
                Ok(rows
                    .into_iter()
                    .map(|(id, status)| (id.bytes(), status))
                    .collect())
            },
        )
    },
};

impl Machine {
    fn broken(&self, subject: [u8; 16], detail: String) -> CheckError {
        CheckError::broken((self.show)(subject), detail)
    }

    fn orphan(&self, edge: &TransitionRow) -> CheckError {
        let subject = edge.subject.as_slice().try_into();
        let subject = subject.map_or_else(|_| format!("{:?}", edge.subject), self.show);
        CheckError::broken(subject, format!("it has a history and is no {}", self.name))
    }

    /// Checks that an edge has the next ordinal, begins in the state in which the last one ended, and is legal.
    fn check_edge(
        &self,
        edge: &TransitionRow,
        last: i32,
        state: Option<&str>,
    ) -> Result<(), CheckError> {
        let TransitionRow {
            ordinal,
            from_state: from,
            to_state: to,
            ..
        } = edge;
        let broken = |detail| {
            let subject = edge.subject.as_slice().try_into().unwrap_or_default();
            Err(self.broken(subject, detail))
        };
        if *ordinal != last + 1 {
            return broken(format!("after edge {last} comes {ordinal}"));
        }
        match state {
            None if !(self.begins)(from) => {
                return broken(format!("its history begins with {from}"));
            }
            Some(state) if state != from => {
                return broken(format!(
                    "edge {ordinal} leaves {from}, the last one led to {state}"
                ));
            }
            None | Some(_) => {}
        }
        if !is_edge(self.name, from, to) {
            return broken(format!("edge {ordinal} goes from {from} to {to}"));
        }
        Ok(())
    }

    /// Checks that the state of a subject is the one in which its history ends.
    fn check_end(
        &self,
        subject: [u8; 16],
        status: &str,
        state: Option<&str>,
    ) -> Result<(), CheckError> {
        match state {
            Some(state) if state != status => Err(self.broken(
                subject,
                format!("it is {status}, its history led to {state}"),
            )),
            None if !(self.begins)(status) => {
                Err(self.broken(subject, format!("it is {status} and has no history")))
            }
            Some(_) | None => Ok(()),
        }
    }
}

fn succeeded(tenant: TenantId) -> Pages<OperationRow> {
    Pages::new(
        tenant,
        |connection, tenant, after: Option<&OperationRow>| {
            let mut query = operation::table
                .filter(operation::tenant_id.eq(tenant))
                .filter(operation::status.eq(OperationState::Succeeded.name()))
                .order(operation::id)
                .limit(PAGE)
                .into_boxed();
            if let Some(last) = after {
                query = query.filter(operation::id.gt(last.id));
            }
            Ok(query.load(connection)?)
        },
    )
}

fn statuses(
    connection: &mut AnyConnection,
    tenant: TenantId,
    ids: &[OperationId],
) -> Result<HashMap<OperationId, String>, Error> {
    let rows: Vec<(OperationId, String)> = operation::table
        .filter(operation::tenant_id.eq(tenant))
        .filter(operation::id.eq_any(ids))
        .select((operation::id, operation::status))
        .load(connection)?;
    Ok(rows.into_iter().collect())
}

/// The operations after a given one, by payment: first the rest of the same payment, then those of later
/// payments. Each step is a plain range of the unique key.
fn operations_by_payment_after(
    connection: &mut AnyConnection,
    tenant: TenantId,
    after: Option<&OperationRow>,
) -> Result<Vec<OperationRow>, Error> {
    let operations = operation::table
        .filter(operation::tenant_id.eq(tenant))
        .order((operation::payment_id, operation::attempt))
        .limit(PAGE);
    let Some(last) = after else {
        return Ok(operations.load(connection)?);
    };
    let rest: Vec<OperationRow> = operations
        .filter(operation::payment_id.eq(last.payment_id))
        .filter(operation::attempt.gt(last.attempt))
        .load(connection)?;
    if !rest.is_empty() {
        return Ok(rest);
    }
    Ok(operations
        .filter(operation::payment_id.gt(last.payment_id))
        .load(connection)?)
}

/// The edges of a machine after a given one: first the rest of the same history, then the later histories.
fn edges_after(
    connection: &mut AnyConnection,
    tenant: TenantId,
    machine: &str,
    after: Option<&TransitionRow>,
) -> Result<Vec<TransitionRow>, Error> {
    let edges = transition::table
        .filter(transition::tenant_id.eq(tenant))
        .filter(transition::machine.eq(machine))
        .order((transition::subject, transition::ordinal))
        .limit(PAGE);
    let Some(last) = after else {
        return Ok(edges.load(connection)?);
    };
    let rest: Vec<TransitionRow> = edges
        .filter(transition::subject.eq(&last.subject))
        .filter(transition::ordinal.gt(last.ordinal))
        .load(connection)?;
    if !rest.is_empty() {
        return Ok(rest);
    }
    Ok(edges
        .filter(transition::subject.gt(&last.subject))
        .load(connection)?)
}
