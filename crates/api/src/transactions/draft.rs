//! A transaction as a body asks for it.

use books::transactions::{Details, Draft, Expiry};
use ledger::{
    AccountId, Condition, Demand, Description, ExternalId, Kind, MOST_POSTINGS, Posting, Step,
};
use money::{Amount, MinorUnits};

use crate::currencies::Currencies;
use crate::metadata::kept;
use crate::strict_json::{
    FieldError, Fields, Reading, Slot, Value, amount, boolean, checked, guarded, id, integer, list,
    moment, nullable, object, text,
};

/// The longest that something may be pending from now on, in seconds: ten years. Whoever means longer
/// names the moment.
const LONGEST_PENDING: i64 = 315_360_000;

/// The fields of a transaction that is new.
pub(super) fn draft(fields: &mut Fields, known: &Currencies) -> Slot<Draft> {
    let kind = fields.required("kind", checked(text(1..=32), own_kind));
    let postings = fields.required(
        "postings",
        list(1..=MOST_POSTINGS, |item| {
            object(|fields| posting(fields, known))(item)
        }),
    );
    let pending = fields.optional("pending", promise);
    let conditions = conditions(fields);
    let details = details(fields);
    let slots = (kind, postings, pending.or(None), conditions, details);
    Slot::together(slots).map(|(kind, postings, pending, conditions, details)| Draft {
        kind,
        postings,
        pending,
        conditions,
        details,
    })
}

/// What else must be so.
pub(super) fn conditions(fields: &mut Fields) -> Slot<Vec<Condition>> {
    let each = list(0..=MOST_POSTINGS, |item| object(condition)(item));
    fields.optional("conditions", each).or(Vec::new())
}

/// The fields that every step has.
pub(super) fn details(fields: &mut Fields) -> Slot<Details> {
    let external_id = fields.optional("external_id", nullable(guarded(ExternalId::parse)));
    let description = fields.optional("description", nullable(guarded(Description::parse)));
    let metadata = fields.optional("metadata", nullable(kept));
    let effective_at = fields.optional("effective_at", nullable(moment));
    let slots = (external_id, description, metadata, effective_at);
    Slot::together(slots).map(
        |(external_id, description, metadata, effective_at)| Details {
            external_id: external_id.flatten(),
            description: description.flatten(),
            metadata: metadata.flatten().flatten(),
            effective_at: effective_at.flatten(),
        },
    )
}

/// Whether it is only asked what would happen.
pub(super) fn dry_run(fields: &mut Fields) -> Slot<bool> {
    fields.optional("dry_run", boolean).or(false)
}

/// Reads an amount of money.
pub(super) fn positive(value: Value) -> Reading<Amount> {
    let convert = |units| {
        let wrong = |rule: money::AmountError| ("amount_not_positive", rule.to_string());
        Amount::new(units).map_err(wrong)
    };
    checked(amount, convert)(value)
}

/// The names of what is done by other routes, or to other transactions, mean that and nothing else.
fn own_kind(name: String) -> Result<Kind, (&'static str, String)> {
    let kind = Kind::parse(&name).map_err(|rule| ("malformed_kind", rule.to_string()))?;
    let steps = [Step::Settlement, Step::Void, Step::Expiry, Step::Reversal];
    let is_own = matches!(kind, Kind::Other(_)) && steps.iter().all(|step| step.name() != name);
    if is_own {
        return Ok(kind);
    }
    let detail = "This kind is given to what other routes do. Choose a name of your own.";
    Err(("reserved_kind", detail.to_owned()))
}

fn posting(mut fields: Fields, known: &Currencies) -> Reading<Posting> {
    let debit = fields.required("debit", id("acc_"));
    let credit = fields.required("credit", id("acc_"));
    let amount = fields.required("amount", positive);
    let unit = fields.required("currency", |value| known.read(value));
    let (debit, credit, amount, currency) = fields.finish((debit, credit, amount, unit))?;
    Ok(Posting {
        debit: AccountId::from_bytes(debit),
        credit: AccountId::from_bytes(credit),
        amount,
        currency,
    })
}

fn promise(value: Value) -> Reading<Option<Expiry>> {
    if let Value::Bool(is_pending) = value {
        return Ok(is_pending.then_some(Expiry::Never));
    }
    let until = |mut fields: Fields| {
        let at = fields.optional("expires_at", moment);
        let seconds = fields.optional("expires_in", integer(1..=LONGEST_PENDING));
        let (at, seconds) = fields.finish((at, seconds))?;
        let at = at.map(Expiry::At);
        let seconds = seconds.map(|seconds| Expiry::In { seconds });
        one_of("expires_at", at, "expires_in", seconds)
    };
    object(until)(value).map(Some)
}

fn condition(mut fields: Fields) -> Reading<Condition> {
    let account = fields.required("account", id("acc_"));
    let least = fields.optional("available_at_least", integer(i64::MIN..=i64::MAX));
    let version = fields.optional("version", integer(0..=i64::MAX));
    let (account, least, version) = fields.finish((account, least, version))?;
    let least = least.map(|least| Demand::AvailableAtLeast(MinorUnits::new(least)));
    let version = version.map(Demand::AtVersion);
    Ok(Condition {
        account: AccountId::from_bytes(account),
        demand: one_of("available_at_least", least, "version", version)?,
    })
}

/// The one of two fields that is there.
pub(super) fn one_of<T>(
    name: &str,
    one: Option<T>,
    other_name: &str,
    other: Option<T>,
) -> Reading<T> {
    match (one, other) {
        (Some(value), None) | (None, Some(value)) => Ok(value),
        (None, None) => Err(vec![FieldError::here(
            "required",
            format!("Either {name} or {other_name} is required."),
        )]),
        (Some(_), Some(_)) => Err(vec![FieldError::here(
            "ambiguous",
            format!("Either {name} or {other_name}, not both."),
        )]),
    }
}
