//! Payments: the demands of merchants, and the requests to providers that carry them out.
//!
//! A **payment** has **operations**, each one request to a provider. Money is moved in three phases: commit the
//! intent and the provider's idempotency key ([`create`], [`confirm`]); call the provider, outside any commit;
//! commit its fact ([`record_outcome`]). A fact may come in a reply, in the answer to an inquiry, or in a
//! webhook, in any order and any number of times: the first final fact counts, the same fact again changes
//! nothing, and a fact that differs from it in any field is refused.
//!
//! The rules are pure functions over a [`Shelf`], which has the payments that one batch holds in memory. This
//! crate never calls a provider, never knows a server, and never writes SQL on other crates' tables.
//!
//! Invariants: refunded ≤ captured ≤ authorized ≤ amount (P1); every edge in the history is legal and final
//! states are never left (P2); one operation has one transaction in the books (P3, by the transaction's
//! external id).

mod answers;
pub mod approvals;
mod attempt;
mod authorizations;
pub mod availability;
pub mod balance;
pub mod balance_transactions;
pub mod balances_after;
pub mod bank_accounts;
pub mod bank_orders;
mod begun;
pub mod cancellations;
pub mod captures;
pub mod charging;
pub mod check;
pub mod customers;
pub mod described;
pub mod disputes;
pub mod draining;
pub mod expiries;
mod fact;
pub mod increments;
mod invariants;
mod json;
pub mod late;
mod machines;
mod moved;
pub mod notices;
mod opened;
mod operation;
pub mod operations;
mod outcome;
pub mod overdue;
mod payment;
pub mod payouts;
mod postings;
pub mod prices;
mod problems;
mod provider_key;
pub mod providers;
mod read;
mod reading;
mod record;
mod recorded;
pub mod refunds;
mod refusal;
mod replies;
pub mod reserves;
mod schema;
pub mod scripts;
pub mod search;
pub mod settlement;
mod shapes;
mod shelf;
pub mod state;
pub mod tables;
pub mod tariff;
pub mod terms;
mod texts;

pub use begun::{Begun, LeasedOperation};
pub use fact::Fact;
pub use invariants::FAMILY;
pub use json::JsonError;
pub use operation::{OPERATION, Operation, OperationId, OperationKind, OperationOwner};
pub use outcome::{FactEffect, OutcomeError, record_outcome};
pub use payment::{
    CaptureMethod, ChosenMethod, Description, ExternalId, NewPayment, Payment, PaymentId,
    PaymentMethod, confirm, create,
};
pub use providers::{NoProvider, Provider, Providers};
pub use read::{known_provider_keys, payment};
pub use record::{ProviderText, Record};
pub use refusal::Refusal;
pub use shelf::{Shelf, Transition};
pub use state::{OperationState, PaymentState};

use std::sync::Arc;

use edge::{Capability, State};

/// The capabilities of payments that requests use, in the order of their routes in the description.
pub const CAPABILITIES: &[Capability] = &[
    charging::CAPABILITY,
    search::CAPABILITY,
    described::CAPABILITY,
    captures::CAPABILITY,
    increments::CAPABILITY,
    cancellations::CAPABILITY,
    operations::CAPABILITY,
    refunds::CAPABILITY,
    late::CAPABILITY,
    disputes::CAPABILITY,
    customers::CAPABILITY,
    payouts::CAPABILITY,
    bank_accounts::CAPABILITY,
    bank_orders::CAPABILITY,
    approvals::CAPABILITY,
    balance::CAPABILITY,
    balance_transactions::CAPABILITY,
    reserves::CAPABILITY,
    terms::CAPABILITY,
    settlement::CAPABILITY,
    prices::CAPABILITY,
    draining::CAPABILITY,
    scripts::CAPABILITY,
];

/// The fields of replies whose integers are amounts in minor units.
pub const AMOUNTS: &[&str] = &[
    "allocated",
    "amount",
    "amount_authorized",
    "amount_capturable",
    "amount_captured",
    "amount_disputed",
    "amount_refunded",
    "available",
    "banked",
    "dispute_fee",
    "expected_fee",
    "fee",
    "fixed",
    "gross",
    "given_back",
    "in_transit",
    "least",
    "left",
    "most",
    "net",
    "pending",
    "reported_fee",
    "reserved",
    "tolerance",
    "unallocated",
];

/// Adds to the state the parts that the handlers of payments need: the providers that get the payments, the
/// amounts above which a payout needs an approval, the providers that may send webhooks, and the deliveries of the
/// played providers.
#[must_use]
pub fn bring(
    state: State,
    providers: Arc<Providers>,
    limits: Arc<approvals::ApprovalLimits>,
    receivers: notices::Receivers,
    deliveries: draining::Deliveries,
    desks: scripts::Desks,
) -> State {
    let state = state.with(providers).with(limits);
    state.with(receivers).with(deliveries).with(desks)
}
