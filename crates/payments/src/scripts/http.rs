//! `/sandbox/faults`.

use std::sync::Arc;

use edge::strict_json::{Body, FieldError, Slot, object};
use edge::{Call, KeyRule, Problem, Reader as _, Response, Right, Routes, Shared, State, code};
use faults::Desk;

use super::order::wanted;
use super::{Desks, NO_SANDBOX_PROVIDER, TOO_MANY_FAULTS, show};

/// The routes of scripted faults.
pub(super) fn routes(r: &mut Routes) {
    r.post(
        "/sandbox/faults",
        "createSandboxFault",
        "Scripts a fault of the sandbox provider.",
        set,
    )
    .more("The fault hits calls and webhooks of this tenant only. It is in memory: it ends with the server. Several faults of one call join: their pauses add up, at most to a minute, and the fault that was set first gives the answer.")
    .key(KeyRule::None)
    .may(Right::Admin)
    .body(|known| wanted().describe(known))
    .gives::<show::SandboxFault>(201, "The fault was set")
    .refuses(404, "The server is in live mode", &[])
    .refuses(409, "There are too many faults, or the server plays no provider", &[TOO_MANY_FAULTS, NO_SANDBOX_PROVIDER])
    .refuses(422, "A field is wrong", &[]);
    r.get(
        "/sandbox/faults",
        "listSandboxFaults",
        "Lists the scripted faults of the tenant, with the number of calls that each has seen and hit.",
        list,
    )
    .gives::<show::SandboxFaults>(200, "The faults")
    .refuses(404, "The server is in live mode", &[]);
    r.post(
        "/sandbox/faults/clear",
        "clearSandboxFaults",
        "Removes all scripted faults of the tenant.",
        clear,
    )
    .more("A webhook that is held is sent within five seconds.")
    .key(KeyRule::None)
    .may(Right::Admin)
    .body(|known| nothing().describe(known))
    .gives::<show::SandboxFaultsCleared>(200, "The number of faults that were removed")
    .refuses(404, "The server is in live mode", &[])
    .refuses(422, "A field is wrong", &[]);
}

/// The desks of the providers that this server plays. In live mode there is no such route.
fn desks(state: &State) -> Result<&[(String, Arc<Desk>)], Problem> {
    let Desks(desks) = state.part()?;
    let desks = desks.as_deref();
    desks.ok_or_else(|| Problem::new(code::NOT_FOUND))
}

async fn set(state: Shared, call: Call) -> Result<Response, Problem> {
    let desks = desks(&state)?;
    let tenant = call.caller.tenant.id.to_string();
    let mut submission = state.submission(call)?;
    let wanted = submission.read_by(&wanted())?;
    let mut all = desks.iter();
    let found = match &wanted.provider {
        Some(name) => all.find(|(own, _)| own == name),
        None => all.next(),
    };
    let Some((provider, desk)) = found else {
        return Err(match wanted.provider {
            Some(_) if !desks.is_empty() => {
                let names: Vec<&str> = desks.iter().map(|(name, _)| &**name).collect();
                let detail = format!("The server plays: {}.", names.join(", "));
                let error = FieldError::here("unknown_provider", detail);
                Problem::invalid_fields(vec![error.below("provider")])
            }
            Some(_) | None => Problem::new(NO_SANDBOX_PROVIDER),
        });
    };
    match desk.set(&tenant, wanted.fault) {
        Ok(scripted) => Ok(Response::json(201, &show::fault(provider, &scripted))),
        Err(full) => Err(Problem::new(TOO_MANY_FAULTS).with_detail(format!("{full}."))),
    }
}

async fn list(state: Shared, call: Call) -> Result<Response, Problem> {
    let tenant = call.caller.tenant.id.to_string();
    let mut data = Vec::new();
    for (provider, desk) in desks(&state)? {
        let own = desk.of(&tenant);
        data.extend(own.iter().map(|scripted| show::fault(provider, scripted)));
    }
    let shown = show::SandboxFaults {
        object: "sandbox_faults",
        data,
    };
    Ok(Response::json(200, &shown))
}

async fn clear(state: Shared, call: Call) -> Result<Response, Problem> {
    let desks = desks(&state)?;
    let tenant = call.caller.tenant.id.to_string();
    state.submission(call)?.read_by(&nothing())?;
    let cleared = desks.iter().map(|(_, desk)| desk.clear(&tenant));
    let shown = show::SandboxFaultsCleared {
        object: "sandbox_faults_cleared",
        cleared: cleared.sum(),
    };
    Ok(Response::json(200, &shown))
}

/// Reads a body without fields.
fn nothing() -> impl Body<Out = ()> {
    object("ClearSandboxFaults", "Removes faults.", |_fields| {
        Slot::together(())
    })
}
