//! The body that scripts a fault.

use edge::strict_json::{Body, FieldError, Reading, Slot, choice, integer, object, text};
use edge::{Reader as _, Shape};
use faults::{Calls, Effect, Fault, MAX_LATENCY_MILLIS, Misfit, Operation, Part, When};

use crate::shapes;

/// Greatest seed: the greatest integer that every JSON reader keeps.
const MAX_SEED: i64 = 9_007_199_254_740_991;
/// Greatest number of a call.
const MAX_CALLS: i64 = 1_000_000;
/// Longest `Retry-After`, in seconds.
const MAX_RETRY_AFTER: i64 = 3_600;
/// Greatest number of copies of a webhook, and of webhooks that are held together.
const MAX_WEBHOOKS: i64 = 20;

const STATUS: Shape = Shape::small(400, 599).example_number(503);
const RETRY_AFTER: Shape = Shape::small(0, MAX_RETRY_AFTER).example_number(2);
/// As [`MAX_LATENCY_MILLIS`].
const LATENCY: Shape = Shape::small(1, 60_000).example_number(500);
const WEBHOOKS: Shape = Shape::small(2, MAX_WEBHOOKS).example_number(3);
const CALLS: Shape = Shape::small(1, MAX_CALLS).example_number(1);
const PER_MILLE: Shape = Shape::small(1, 1_000).example_number(250);
const SEED: Shape = Shape::integer(0, MAX_SEED).example_number(7);

/// What a body asks for: a fault of the provider with this name, or of the first one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) provider: Option<String>,
    pub(super) fault: Fault,
}

/// The fields that only some faults have, as they were sent.
struct Details {
    when: Option<When>,
    status: Option<i64>,
    retry_after: Option<i64>,
    latency: Option<i64>,
    copies: Option<i64>,
    hold: Option<i64>,
    part: Option<Part>,
}

/// The fields that tell which calls are hit, as they were sent.
struct Hits {
    nth: Option<i64>,
    next: Option<i64>,
    per_mille: Option<i64>,
    seed: Option<i64>,
}

/// Reads the body that scripts a fault.
pub(super) fn wanted() -> impl Body<Out = Wanted> {
    object(
        "NewSandboxFault",
        "Scripts a fault. Exactly one of `nth`, `next` and `per_mille` tells which calls are hit. Calls are counted from now on.",
        |fields| {
            let operation = choice(shapes::FaultOperation::SHAPE, operation)
                .says("What the fault is about. `any` is every call, but no webhook.");
            let operation = fields.required("operation", operation);
            let fault = choice(shapes::FaultName::SHAPE, |name| Some(name.to_owned()))
                .says("What happens. Webhooks alone can be duplicated, reordered and corrupted, and have no status.");
            let fault = fields.required("fault", fault);
            let provider = text(1, 64, Shape::text(1, 64).example("sandbox"))
                .says("The provider in the settings. If it is absent, it is the one of `--provider`, or else the first that the server plays.");
            let provider = fields.optional("provider", provider);
            let when = choice(shapes::FaultMoment::SHAPE, moment)
                .says("Whether the provider does what it is asked for: not if the fault comes `before` it, and yes if it comes `after` it. With `latency` it does it in both cases. If it is absent: `before` with `status`, otherwise `after`.");
            let when = fields.optional("when", when);
            let status = integer(STATUS)
                .says("The HTTP status of the answer, required with the fault `status`.");
            let status = fields.optional("status", status);
            let retry_after = integer(RETRY_AFTER)
                .says("The header `Retry-After` of the answer, with the fault `status`.");
            let retry_after = fields.optional("retry_after_seconds", retry_after);
            let latency = integer(LATENCY).says(
                "The length of the pause in milliseconds, required with the fault `latency`.",
            );
            let latency = fields.optional("latency_ms", latency);
            let copies = integer(WEBHOOKS).says(
                "How often the webhook is sent, with the fault `duplicate`. If it is absent: 2.",
            );
            let copies = fields.optional("copies", copies);
            let hold = integer(WEBHOOKS)
                .says("How many webhooks are held, with the fault `reorder`. If it is absent: 2.");
            let hold = fields.optional("hold", hold);
            let part = choice(shapes::WebhookPart::SHAPE, part)
                .says("What is wrong with the webhook, with the fault `corrupt`. If it is absent: `body`.");
            let part = fields.optional("part", part);
            let nth = integer(CALLS).says("Hits the call with this number, counted from 1.");
            let nth = fields.optional("nth", nth);
            let next = integer(CALLS).says("Hits the next so many calls.");
            let next = fields.optional("next", next);
            let per_mille = integer(PER_MILLE)
                .says("Hits each call with this probability in thousandths: 1000 is every call.");
            let per_mille = fields.optional("per_mille", per_mille);
            let seed = integer(SEED)
                .says("With `per_mille`: the same seed hits the calls with the same numbers. If it is absent: 0.");
            let seed = fields.optional("seed", seed);
            let calls = Slot::together((nth, next, per_mille, seed)).check(
                |(nth, next, per_mille, seed)| {
                    calls(&Hits {
                        nth,
                        next,
                        per_mille,
                        seed,
                    })
                },
            );
            let details = Slot::together((
                Slot::together((when, status, retry_after)),
                Slot::together((latency, copies, hold, part)),
            ));
            let details = details.map(
                |((when, status, retry_after), (latency, copies, hold, part))| Details {
                    when,
                    status,
                    retry_after,
                    latency,
                    copies,
                    hold,
                    part,
                },
            );
            Slot::together((provider, operation, fault, calls, details)).check(
                |(provider, operation, fault, calls, details)| {
                    let effect = effect(operation, &fault, &details)?;
                    let fault = Fault::new(operation, calls, effect).map_err(misfit)?;
                    Ok(Wanted { provider, fault })
                },
            )
        },
    )
}

fn operation(name: &str) -> Option<Operation> {
    Operation::ALL.into_iter().find(|one| one.name() == name)
}

fn moment(name: &str) -> Option<When> {
    let all = [When::Before, When::After];
    all.into_iter().find(|one| one.name() == name)
}

fn part(name: &str) -> Option<Part> {
    let all = [Part::Body, Part::Signature];
    all.into_iter().find(|one| one.name() == name)
}

fn misfit(misfit: Misfit) -> Vec<FieldError> {
    vec![FieldError::here("fault_not_possible", format!("{misfit}.")).below("fault")]
}

/// The number as a smaller type. Its reader has checked the bounds.
fn small<T: TryFrom<i64>>(number: i64, field: &'static str) -> Reading<T> {
    T::try_from(number).map_err(|_beyond| {
        vec![FieldError::here("out_of_range", "The number is too large.").below(field)]
    })
}

fn calls(hits: &Hits) -> Reading<Calls> {
    let Hits {
        nth,
        next,
        per_mille,
        seed,
    } = *hits;
    if seed.is_some() && per_mille.is_none() {
        let error = FieldError::here("not_of_this_fault", "A seed belongs to per_mille.");
        return Err(vec![error.below("seed")]);
    }
    match (nth, next, per_mille) {
        (Some(nth), None, None) => Ok(Calls::Nth(small(nth, "nth")?)),
        (None, Some(next), None) => Ok(Calls::Next(small(next, "next")?)),
        (None, None, Some(per_mille)) => Ok(Calls::Chance {
            per_mille: small(per_mille, "per_mille")?,
            seed: small(seed.unwrap_or(0), "seed")?,
        }),
        (None, None, None) => Err(vec![FieldError::here(
            "required_here",
            "One of nth, next and per_mille is required.",
        )]),
        _ => Err(vec![FieldError::here(
            "ambiguous",
            "One of nth, next and per_mille, not several.",
        )]),
    }
}

/// The effect of this name, from the fields that it has. Any other field is refused.
fn effect(operation: Operation, name: &str, details: &Details) -> Reading<Effect> {
    let is_of_webhook = operation == Operation::Webhook;
    let is_status = name == "status";
    let may_have = [
        (
            "when",
            details.when.is_some(),
            !is_of_webhook && matches!(name, "status" | "latency" | "drop"),
        ),
        ("status", details.status.is_some(), is_status),
        (
            "retry_after_seconds",
            details.retry_after.is_some(),
            is_status,
        ),
        ("latency_ms", details.latency.is_some(), name == "latency"),
        ("copies", details.copies.is_some(), name == "duplicate"),
        ("hold", details.hold.is_some(), name == "reorder"),
        ("part", details.part.is_some(), name == "corrupt"),
    ];
    let errors: Vec<FieldError> = may_have
        .into_iter()
        .filter(|(_, is_sent, may_be)| *is_sent && !may_be)
        .map(|(field, _, _)| {
            let detail = format!("The fault {name} of this operation has no such field.");
            FieldError::here("not_of_this_fault", detail).below(field)
        })
        .collect();
    if !errors.is_empty() {
        return Err(errors);
    }
    let after = details.when.unwrap_or(When::After);
    match name {
        "status" => Ok(Effect::Status {
            status: small(needed(details.status, "status")?, "status")?,
            retry_after: match details.retry_after {
                Some(seconds) => Some(small(seconds, "retry_after_seconds")?),
                None => None,
            },
            when: details.when.unwrap_or(When::Before),
        }),
        "latency" => {
            let millis: u32 = small(needed(details.latency, "latency_ms")?, "latency_ms")?;
            Ok(Effect::Latency {
                millis: millis.min(MAX_LATENCY_MILLIS),
                when: after,
            })
        }
        "duplicate" => Ok(Effect::Duplicate {
            copies: small(details.copies.unwrap_or(2), "copies")?,
        }),
        "reorder" => Ok(Effect::Reorder {
            hold: small(details.hold.unwrap_or(2), "hold")?,
        }),
        "corrupt" => Ok(Effect::Corrupt {
            part: details.part.unwrap_or(Part::Body),
        }),
        // The reader has no other names.
        _ => Ok(Effect::Drop { when: after }),
    }
}

fn needed(field: Option<i64>, name: &'static str) -> Reading<i64> {
    field.ok_or_else(|| {
        vec![FieldError::here("required_here", "The fault has this field.").below(name)]
    })
}
