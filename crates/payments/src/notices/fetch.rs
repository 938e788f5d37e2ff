//! Hints: deliveries whose body no signature protects. The provider is asked what is true, before anything is committed.

use diesel::prelude::*;
use edge::{Problem, State, code};
use engine::{RepeatedWarning, Tenant};
use store::{AnyConnection, Error, TenantId};
use webhooks::Event;

use super::ReceiveWebhook;
use super::receiver::Receivers;
use crate::providers::{About, ProviderAnswer};
use crate::schema::{operation, provider_charge};
use crate::tables::OperationRow;
use crate::{Fact, LeasedOperation, OperationId};

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
    match reach.inquire(tenant.id, &named).await {
        ProviderAnswer::Done { fact, .. } => Ok(Fetched {
            is_contradicted: claimed.is_some_and(|claimed| differ(&claimed, &fact)),
            event: told(event, named.operation.provider_key, fact),
        }),
        ProviderAnswer::Waits { .. } | ProviderAnswer::Unknown => Ok(Fetched {
            is_contradicted: claimed.is_some(),
            ..Fetched::nothing(event)
        }),
        ProviderAnswer::Nothing(cause) | ProviderAnswer::Wrong { cause, .. } => {
            // Anybody can send hints, and must not fill the log.
            static UNCOMPARED: RepeatedWarning = RepeatedWarning::new();
            if let Some(times) = UNCOMPARED.due() {
                tracing::warn!(provider = %event.provider, %cause, times, "a hint cannot be compared");
            }
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

/// The operation of this provider that a hint names, with what an inquiry needs. Nothing is locked.
fn named(
    connection: &mut AnyConnection,
    tenant: TenantId,
    provider: &str,
    about: &About,
) -> Result<Option<LeasedOperation>, Error> {
    let operations = operation::table
        .filter(operation::tenant_id.eq(tenant))
        .filter(operation::provider.eq(provider));
    let row: Option<OperationRow> = match about {
        About::Key(key) => operations
            .filter(operation::provider_key.eq(key))
            .first(connection)
            .optional()?,
        About::Record(reference) => {
            let id: Option<OperationId> = provider_charge::table
                .filter(provider_charge::tenant_id.eq(tenant))
                .filter(provider_charge::provider.eq(provider))
                .filter(provider_charge::provider_ref.eq(reference))
                .select(provider_charge::operation_id)
                .first(connection)
                .optional()?;
            operations
                .filter(operation::id.nullable().eq(id))
                .first(connection)
                .optional()?
        }
    };
    let Some(operation) = row.map(OperationRow::read).transpose()? else {
        return Ok(None);
    };
    let payment = crate::payment(connection, tenant, operation.payment())?;
    Ok(Some(LeasedOperation {
        authorized: payment.as_ref().map_or(0, |payment| payment.authorized),
        captured: payment.as_ref().map_or(0, |payment| payment.captured),
        evidence: None,
        epoch: 0,
        operation,
    }))
}
