//! What `expand[]` asks for: objects in place of ids, and lists that a payment has. Each kind is read by one question
//! for a whole page.

use std::collections::HashMap;

use edge::Shape;
use edge::query::Query;
use edge::strict_json::{BrokenRule, Slot};
use store::find::Lock;
use store::{AnyConnection, Error, TenantId};

use crate::charging::show;
use crate::customers::{self, CustomerId, SavedMethodId, customers_by_id, methods_by_id};
use crate::disputes::{self, Dispute};
use crate::tables::ByOrdinal;
use crate::{Operation, OperationKind, Payment, PaymentId, operations, refunds};

/// Greatest number of operations of each payment that are read, and of disputes that are shown.
const NEWEST: i32 = 20;
/// Greatest number of kinds that one request may name.
const MOST: usize = 4;

/// A part of a payment that can be shown as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expand {
    Customer,
    PaymentMethod,
    Operations,
    Refunds,
    Disputes,
}

const NAMES: &[&str] = &[
    "customer",
    "disputes",
    "operations",
    "payment_method",
    "refunds",
];

impl Expand {
    fn from_name(name: &str) -> Option<Self> {
        match name {
            "customer" => Some(Self::Customer),
            "payment_method" => Some(Self::PaymentMethod),
            "operations" => Some(Self::Operations),
            "refunds" => Some(Self::Refunds),
            "disputes" => Some(Self::Disputes),
            _ => None,
        }
    }
}

/// Reads the parameters `expand[]`.
pub(super) fn read(query: &mut Query) -> Slot<Vec<Expand>> {
    query.several(
        "expand[]",
        (Shape::words(NAMES), MOST),
        "Shows the customer or the payment method in place of its id, or adds the newest operations, refunds or disputes. It may be given up to four times",
        |name| {
            let detail = "it is customer, disputes, operations, payment_method or refunds";
            Expand::from_name(name).ok_or_else(|| BrokenRule::new("unknown_value", &detail))
        },
    )
}

/// The parts of the payments of a page.
#[derive(Default)]
pub(super) struct Parts {
    customers: HashMap<CustomerId, customers::Customer>,
    methods: HashMap<SavedMethodId, customers::SavedMethod>,
    operations: HashMap<PaymentId, Vec<Operation>>,
    disputes: HashMap<PaymentId, Vec<Dispute>>,
}

/// Reads the parts that are asked for: one question for each kind.
pub(super) fn load(
    connection: &mut AnyConnection,
    tenant: TenantId,
    payments: &[Payment],
    wanted: &[Expand],
) -> Result<Parts, Error> {
    let mut parts = Parts::default();
    if wanted.contains(&Expand::Customer) {
        let ids = payments.iter().filter_map(|payment| payment.customer);
        for customer in customers_by_id(connection, tenant, ids.collect())? {
            parts.customers.insert(customer.id, customer);
        }
    }
    if wanted.contains(&Expand::PaymentMethod) {
        let ids = payments.iter().filter_map(|payment| payment.saved_method);
        for method in methods_by_id(connection, tenant, ids.collect())? {
            parts.methods.insert(method.id, method);
        }
    }
    if wanted.contains(&Expand::Operations) || wanted.contains(&Expand::Refunds) {
        let newest: Vec<ByOrdinal> = payments.iter().flat_map(newest).collect();
        for row in ByOrdinal::find(connection, Lock::Nothing, tenant, &newest)? {
            let operation = row.read()?;
            let of = parts.operations.entry(operation.payment()).or_default();
            of.push(operation);
        }
        for all in parts.operations.values_mut() {
            all.sort_by_key(|operation| std::cmp::Reverse(operation.ordinal));
        }
    }
    if wanted.contains(&Expand::Disputes) {
        let ids: Vec<PaymentId> = payments.iter().map(|payment| payment.id).collect();
        for dispute in disputes::rows::of_payments(connection, tenant, &ids)? {
            let of = parts.disputes.entry(dispute.payment).or_default();
            of.push(dispute);
        }
        for all in parts.disputes.values_mut() {
            all.sort_by_key(|dispute| std::cmp::Reverse(dispute.id));
            all.truncate(usize::try_from(NEWEST).unwrap_or_default());
        }
    }
    Ok(parts)
}

/// The keys of the newest operations of a payment.
fn newest(payment: &Payment) -> impl Iterator<Item = ByOrdinal> {
    let subject_id = payment.id.bytes().to_vec();
    let first = payment.operations.saturating_sub(NEWEST).saturating_add(1);
    let ordinals = first.max(1)..=payment.operations;
    ordinals.map(move |ordinal| ByOrdinal {
        subject_id: subject_id.clone(),
        ordinal,
    })
}

/// A payment with the parts that are asked for.
pub(super) fn expanded(payment: &Payment, wanted: &[Expand], parts: &Parts) -> show::Payment {
    let mut shown = show::payment(payment);
    for part in wanted {
        match part {
            Expand::Customer => {
                let customer = payment.customer.and_then(|id| parts.customers.get(&id));
                if let Some(customer) = customer {
                    let customer = customers::show::customer(customer);
                    shown.customer = Some(show::CustomerOrId::Customer(Box::new(customer)));
                }
            }
            Expand::PaymentMethod => {
                let method = payment.saved_method.and_then(|id| parts.methods.get(&id));
                if let Some(method) = method {
                    let method = customers::show::method(method);
                    let method = show::PaymentMethodOrToken::PaymentMethod(Box::new(method));
                    shown.payment_method = Some(method);
                }
            }
            Expand::Operations => {
                let all = of(&parts.operations, payment.id);
                let all = all.iter().map(operations::show::operation);
                shown.operations = Some(all.collect());
            }
            Expand::Refunds => {
                let all = of(&parts.operations, payment.id).iter();
                let all = all.filter(|operation| operation.kind == OperationKind::Refund);
                shown.refunds = Some(all.map(refunds::show::refund).collect());
            }
            Expand::Disputes => {
                let all = of(&parts.disputes, payment.id);
                let all = all.iter().map(disputes::show::dispute);
                shown.disputes = Some(all.collect());
            }
        }
    }
    shown
}

fn of<T>(parts: &HashMap<PaymentId, Vec<T>>, payment: PaymentId) -> &[T] {
    parts.get(&payment).map(Vec::as_slice).unwrap_or_default()
}
