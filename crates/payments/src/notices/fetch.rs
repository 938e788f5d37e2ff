//! Hints: deliveries whose body no signature protects. The provider is asked what is true, before anything is committed.

use edge::{Problem, State, code};
use engine::Tenant;
use store::{AnyConnection, Error, TenantId};

use super::ReceiveWebhook;
use super::receiver::Receivers;
use crate::providers::{About, ProviderAnswer};
use crate::tables::{self, Needs};
use crate::{Fact, LeasedOperation};
use webhooks::Event;

/// Seconds after which the sender may try again, if the provider gave no answer that can be relied on.
const TRY_AGAIN_SECONDS: u16 = 30;

/// A hint, with what the provider says about the operation that it names.
pub(super) struct Fetched {
    /// The event, and the provider's word. What the hint itself says is not believed.
    pub(super) event: ReceiveWebhook,
    /// True if the hint says something else than the provider.
    pub(super) is_contradicted: bool,
}

impl Fetched {
    /// A hint about nothing that is known here.
    const fn nothing(event: Event) -> Self {
        Self {
            event: ReceiveWebhook { event, fact: None },
            is_contradicted: false,
        }
    }
}

/// Asks the provider about the operation that a hint names.
pub(super) async fn fetched(
    state: &State,
    tenant: &Tenant,
    event: Event,
    hint: Option<(About, Option<Fact>)>,
) -> Result<Fetched, Problem> {
    let receivers: &Receivers = state.part()?;
    let Some(((about, claimed), reach)) = hint.zip(receivers.reach()) else {
        return Ok(Fetched::nothing(event));
    };
    let (of, provider) = (tenant.id, event.provider.clone());
    let found = state.read(move |connection| named(connection, of, &provider, &about));
    let Some(named) = found.await? else {
        return Ok(Fetched::nothing(event));
    };
    let Some(_place) = reach.place(&event.provider).await else {
        return Ok(Fetched::nothing(event));
    };
    match reach.inquire(&named).await {
        ProviderAnswer::Done { fact, .. } => Ok(Fetched {
            is_contradicted: claimed.is_some_and(|claimed| differ(&claimed, &fact)),
            event: told(event, named.operation.provider_key, fact),
        }),
        ProviderAnswer::Waits { .. } | ProviderAnswer::Unknown => Ok(Fetched {
            is_contradicted: claimed.is_some(),
            ..Fetched::nothing(event)
        }),
        ProviderAnswer::Nothing(cause) | ProviderAnswer::Wrong { cause, .. } => {
            tracing::warn!(provider = %event.provider, %cause, "a hint cannot be compared");
            let detail = "The provider gave no answer about what the webhook names.";
            Err(Problem::new(code::DATABASE_UNAVAILABLE)
                .with_detail(detail.to_owned())
                .with_retry_after(TRY_AGAIN_SECONDS))
        }
    }
}

/// True if two facts about one operation do not say the same: of another kind, or of other money.
fn differ(claimed: &Fact, fetched: &Fact) -> bool {
    let money = |fact: &Fact| fact.record().map(|record| record.money);
    fact_name(claimed) != fact_name(fetched) || money(claimed) != money(fetched)
}

/// The event with the provider's answer. The answer can change between two deliveries of the same bytes, so it is a part
/// of the event's name.
fn told(mut event: Event, key: String, fact: Fact) -> ReceiveWebhook {
    event.reference = Some(key.clone());
    event.id = format!("{}:{}", event.id, fact_name(&fact));
    ReceiveWebhook {
        event,
        fact: Some((About::Key(key), fact)),
    }
}

/// A short name of the kind of a fact.
const fn fact_name(fact: &Fact) -> &'static str {
    match fact {
        Fact::Succeeded { .. } => "succeeded",
        Fact::Failed { .. } => "failed",
        Fact::ActionRequired { .. } => "action_required",
        Fact::Returned { .. } => "returned",
        Fact::Undone { .. } => "undone",
        Fact::Disputed(_) => "disputed",
        Fact::Unknown { .. } => "unknown",
    }
}

/// The operation of this provider that a hint names, with what an inquiry needs.
fn named(
    connection: &mut AnyConnection,
    tenant: TenantId,
    provider: &str,
    about: &About,
) -> Result<Option<LeasedOperation>, Error> {
    let mut needs = Needs::default();
    match about {
        About::Key(key) => needs.provider_keys.push(key.clone()),
        About::Record(reference) => needs.owners.push(reference.clone()),
    }
    let shelf = tables::load(connection, tenant, needs)?;
    let id = match about {
        About::Key(key) => shelf.by_provider_key(key),
        About::Record(reference) => shelf.record_of(provider, reference),
    };
    let operation = id.and_then(|id| shelf.operation(&id)).cloned();
    let own = operation.filter(|operation| operation.provider == provider);
    Ok(own.map(|operation| LeasedOperation::new(&shelf, operation, 0)))
}
