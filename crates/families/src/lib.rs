//! The one list of families, with the parts of each for the engine and for the edge.

use std::sync::Arc;

use access::Operator;
use books::transactions::Expiries;
use edge::strict_json::CardNumbers;
use edge::{State, Surface};
use engine::check::Plan;
use engine::errand::{Search, Work};
use engine::{Engine, Kind};
use payments::Providers;
use payments::approvals::{ApprovalExpiries, ApprovalLimits};
use payments::availability::Availability;
use payments::charging::ProviderWork;
use payments::draining::Deliveries;
use payments::expiries::AuthorizationExpiries;
use payments::late::LateMoneyWork;
use payments::notices::{InboxPolicy, InboxWalk, ParkedWebhooks, Receivers};
use payments::overdue::OverdueWork;
use payments::providers::{Dialects, Reach};
use payments::refunds::Refunding;
use payments::reserves::ReserveReleases;
use payments::scripts::Desks;

/// Makes the replies again that were stored by reference.
pub use books::transactions::make_again;

/// The surface of the API. The groups of routes are in the order of the description.
pub const SURFACE: Surface = Surface {
    about: "A payment back-end: each request results, exactly once, in balanced postings, an audit record and a saved answer.\n\nAmounts are integers of minor units. With the header `Accept: application/json; amounts=string`, the amounts of an answer are JSON strings of the same digits, for clients that read numbers as doubles. A value of `amounts` other than `string` and `integer` is refused with a 406.",
    capabilities: &[
        payments::CAPABILITIES,
        books::CAPABILITIES,
        &[payments::notices::CAPABILITY],
        access::CAPABILITIES,
    ],
    signatures: payments::notices::SIGNATURES,
    amounts: &[books::AMOUNTS, payments::AMOUNTS],
};

/// The rule for card numbers in every body: the fields with identifiers, and the field with labels.
pub const CARDS: CardNumbers = CardNumbers {
    identifiers: &[
        "code",
        "customer",
        "external_id",
        "shipping_tracking_number",
    ],
    labels: "metadata",
    detail: "Card numbers are not accepted in any field. Send a payment method token.",
};

/// The state that handlers share, with the parts of every family.
#[must_use]
pub fn state(
    engine: Engine,
    operator: Operator,
    providers: Arc<Providers>,
    limits: Arc<ApprovalLimits>,
    receivers: Receivers,
    deliveries: Deliveries,
    desks: Desks,
) -> State {
    let state = books::bring(State::new(engine, &CARDS));
    let state = access::bring(state, operator);
    payments::bring(state, providers, limits, receivers, deliveries, desks)
}

/// The kinds of shelves, in the order in which they are loaded: a shelf whose rows name other rows comes first.
/// They are saved in the opposite order, so the rows that others refer to come last here.
#[must_use]
pub fn shelves() -> Arc<[Kind]> {
    Arc::new([
        Kind::of::<webhooks::Shelf>(),
        Kind::of::<payments::approvals::ApprovalShelf>(),
        Kind::of::<payments::settlement::SettlementShelf>(),
        Kind::of::<payments::Shelf>(),
        Kind::of::<payments::bank_orders::BankOrderShelf>(),
        Kind::of::<payments::bank_accounts::BankAccountShelf>(),
        Kind::of::<payments::customers::CustomerShelf>(),
        Kind::of::<payments::reserves::ReserveShelf>(),
        Kind::of::<payments::terms::TermsShelf>(),
        Kind::of::<payments::prices::PriceShelf>(),
        Kind::of::<idempotency::Shelf>(),
        Kind::of::<engine::errand::Errands>(),
        Kind::of::<books::Books>(),
        Kind::of::<access::Shelf>(),
        Kind::of::<access::clocks::ClockShelf>(),
        Kind::of::<access::resets::KeyShelf>(),
    ])
}

/// The work behind every kind of errands.
#[must_use]
pub fn works(
    engine: &Engine,
    providers: &Arc<Providers>,
    reach: Arc<dyn Reach>,
) -> Vec<Arc<dyn Work>> {
    vec![
        Arc::new(ProviderWork::new(
            engine.clone(),
            reach,
            providers.overdue_days(),
        )),
        Arc::new(OverdueWork(engine.clone())),
        Arc::new(Expiries(engine.clone())),
        Arc::new(Availability(engine.clone())),
        Arc::new(ApprovalExpiries(engine.clone())),
        Arc::new(ReserveReleases(engine.clone())),
        Arc::new(LateMoneyWork {
            engine: engine.clone(),
            providers: Arc::clone(providers),
        }),
        Arc::new(AuthorizationExpiries {
            engine: engine.clone(),
            providers: Arc::clone(providers),
        }),
        Arc::new(Refunding {
            engine: engine.clone(),
            providers: Arc::clone(providers),
        }),
    ]
}

/// The searches for work that is no errand.
#[must_use]
pub fn searches(engine: &Engine, dialects: Dialects, policy: InboxPolicy) -> Vec<Arc<dyn Search>> {
    let parked = ParkedWebhooks::new(engine.clone(), dialects, policy.wait_seconds);
    let mut searches: Vec<Arc<dyn Search>> = vec![
        Arc::new(parked),
        Arc::new(engine::keys::KeyWalk::new(engine.clone())),
    ];
    if let Some(keep_seconds) = policy.keep_seconds {
        searches.push(Arc::new(InboxWalk::new(engine.clone(), keep_seconds)));
    }
    searches
}

/// The plan of the check: all families.
pub const CHECK: Plan = Plan {
    tenants: access::tenants,
    families: &[
        &access::FAMILY,
        &books::FAMILY,
        &payments::FAMILY,
        &webhooks::FAMILY,
    ],
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_code_has_a_name_and_a_title_of_its_own_and_a_known_family() {
        assert_eq!(edge::code::faults(&SURFACE.codes()), Vec::<String>::new());
    }

    #[test]
    fn every_code_of_a_capability_is_named_by_a_route() {
        let routes = SURFACE.table();
        let answers = routes.rows().iter().flat_map(|route| &route.answers);
        let named: BTreeSet<&str> = answers
            .flat_map(|answer| answer.codes)
            .map(|code| code.name)
            .collect();
        let own = SURFACE.codes().into_iter();
        let own = own.filter(|code| !edge::code::ALL.contains(code));
        let lost: Vec<&str> = own
            .map(|code| code.name)
            .filter(|name| !named.contains(name))
            .collect();
        assert_eq!(lost, Vec::<&str>::new());
    }

    #[test]
    fn the_table_in_the_documents_has_every_code_as_it_is() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/api.md");
        let page = std::fs::read_to_string(path).unwrap_or_default();
        let table = page.split("| code | status | `error.type` |").nth(1);
        let rows = table.unwrap_or_default().lines().skip(2);
        let rows: Vec<&str> = rows.take_while(|row| row.starts_with('|')).collect();
        for code in SURFACE.codes() {
            let retry = code
                .retry
                .map_or("absent".to_owned(), |retry| retry.to_string());
            let own = format!(
                "| `{}` | {} | `{}` | {retry} | {}",
                code.name, code.status, code.family, code.title
            );
            assert!(rows.iter().any(|row| row.starts_with(&own)), "{own}");
        }
        assert_eq!(rows.len(), SURFACE.codes().len());
    }
}
