//! The readers of a new transaction.

use edge::strict_json::{
    Body, BrokenRule, Either, Fields, Slot, boolean, boolean_or, integer, list, nullable, object,
    prose, text,
};
use edge::{Reader, Shape};
use ledger::{Condition, Demand, Description, ExternalId, Kind, MAX_POSTINGS, Posting, Step};
use money::MinorUnits;

use crate::currencies::Currencies;
use crate::metadata::kept;
use crate::reading::{account, any_moment, positive};
use crate::shapes;
use crate::transactions::{Details, Draft, Expiry};

/// The seconds for which a transaction may be pending: at most ten years. For a longer time, the request names
/// the moment.
const SECONDS: Shape = Shape::integer(1, 315_360_000).example_number(604_800);

/// The name of the body, and its description.
pub(crate) const TRANSACTION: [&str; 2] = [
    "NewTransaction",
    "Posts a transaction, or makes it pending.",
];

/// Reads the body that posts a transaction, and whether it is a dry run.
pub(crate) fn new_transaction(known: &Currencies) -> impl Body<Out = (Draft, bool)> {
    let [name, says] = TRANSACTION;
    object(name, says, move |fields| {
        let draft = draft(fields, known);
        let dry_run = dry_run(fields);
        Slot::together((draft, dry_run))
    })
}

/// Reads the fields of a new transaction.
pub(crate) fn draft(fields: &mut Fields, known: &Currencies) -> Slot<Draft> {
    let kind = text(1, 32, shapes::Kind::SHAPE)
        .checked(own_kind)
        .says("The purpose of the transaction: 1 to 32 of a-z, 0-9 and _, beginning with a letter. The names that other\nroutes use are refused: `transfer`, `capture`, `exchange`, `post`, `void`, `expiry`, `reversal`.");
    let kind = fields.required("kind", kind);
    let postings = list(1, MAX_POSTINGS, posting(known))
        .says("The postings. They are applied together or not at all.");
    let postings = fields.required("postings", postings);
    let pending = promise()
        .says("Whether the transaction is only pending, and for how long; false if absent.");
    let pending = fields.optional("pending", pending);
    let conditions = conditions(
        fields,
        "Conditions, each on an account that a posting names.",
    );
    let details = details(fields, &NEW);
    let slots = (kind, postings, pending.or(None), conditions, details);
    Slot::together(slots).map(|(kind, postings, pending, conditions, details)| Draft {
        kind,
        postings,
        pending,
        conditions,
        details,
    })
}

/// Reads the conditions. `says` describes the accounts that they may name.
pub(crate) fn conditions(fields: &mut Fields, says: &'static str) -> Slot<Vec<Condition>> {
    let each = list(0, MAX_POSTINGS, condition()).says(says);
    fields.optional("conditions", each).or(Vec::new())
}

/// The descriptions of the fields that every step has.
pub(crate) struct FieldTexts {
    external_id: &'static str,
    description: &'static str,
    metadata: &'static str,
}

/// The descriptions for a new transaction.
pub(crate) const NEW: FieldTexts = FieldTexts {
    external_id: "Your own name for the transaction, unique among all transactions: at most 255 characters.",
    description: "A description for people: at most 500 characters.",
    metadata: "The metadata that you keep with it: at most 50 texts of at most 500 characters.",
};

/// The descriptions for a step about another transaction.
pub(crate) const STEP: FieldTexts = FieldTexts {
    external_id: "Your own name for this step, unique among all transactions.",
    description: "A description for people.",
    metadata: "The metadata that you keep with it.",
};

/// Reads the fields that every step has.
pub(crate) fn details(fields: &mut Fields, words: &FieldTexts) -> Slot<Details> {
    let external_id = prose::<ExternalId>(shapes::ShortText::SHAPE).says(words.external_id);
    let external_id = fields.optional("external_id", nullable(external_id));
    let description = prose::<Description>(shapes::LongText::SHAPE).says(words.description);
    let description = fields.optional("description", nullable(description));
    let metadata = fields.optional("metadata", nullable(kept().says(words.metadata)));
    let effective_at = any_moment().says("When it happened (RFC 3339); now, if absent.");
    let effective_at = fields.optional("effective_at", nullable(effective_at));
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

/// Reads whether the request is a dry run.
pub(crate) fn dry_run(fields: &mut Fields) -> Slot<bool> {
    let says = "Whether this is a dry run: the answer tells what would happen, and nothing is kept; false if absent.";
    fields.optional("dry_run", boolean().says(says)).or(false)
}

/// Reads a kind. The names that other routes and the steps about a transaction use are reserved.
fn own_kind(name: String) -> Result<Kind, BrokenRule> {
    let kind = Kind::parse(&name).map_err(|rule| BrokenRule::new("malformed_kind", &rule))?;
    let steps = [Step::Fulfilment, Step::Void, Step::Expiry, Step::Reversal];
    let is_own = matches!(kind, Kind::Other(_)) && steps.iter().all(|step| step.name() != name);
    if is_own {
        return Ok(kind);
    }
    let detail = "This kind is given to what other routes do. Choose a name of your own.";
    Err(BrokenRule::new("reserved_kind", &detail))
}

fn posting(known: &Currencies) -> impl Body<Out = Posting> {
    let says = "A movement from the credited account to the debited account.";
    object("NewPosting", says, move |fields| {
        let debit = fields.required("debit", account().says("The debited account."));
        let credit = fields.required("credit", account().says("The credited account."));
        let amount = positive().says("The amount in minor units, 1 to 2^63 - 1.");
        let amount = fields.required("amount", amount);
        let unit = known.reader().says(
            "ISO 4217 code, or the code of a custom asset. Both accounts must be in this currency.",
        );
        let unit = fields.required("currency", unit);
        let slots = (debit, credit, amount, unit);
        Slot::together(slots).map(|(debit, credit, amount, currency)| Posting {
            debit,
            credit,
            amount,
            currency,
        })
    })
}

fn promise() -> impl Reader<Out = Option<Expiry>> {
    let flag = boolean().says("True: the transaction is pending until it is posted or voided. False: it is final at once.");
    let expiry = object(
        "NewExpiry",
        "When the pending transaction expires: a moment, or a number of seconds.",
        |fields| {
            let at = any_moment().says("The moment at which the transaction expires (RFC 3339).");
            let seconds = integer(SECONDS).says(
                "The number of seconds after which the transaction expires, 1 to 315,360,000.",
            );
            fields.either(
                None,
                Either::new("At", "expires_at", at.map(Expiry::At)),
                Either::new(
                    "In",
                    "expires_in",
                    seconds.map(|seconds| Expiry::In { seconds }),
                ),
            )
        },
    );
    let expiry =
        expiry.says("The transaction is pending until it is posted or voided, or until it expires, whichever comes first.");
    boolean_or(
        "NewPending",
        "Whether a transaction is only pending, and for how long.",
        flag,
        expiry.map(Some),
        |is_pending| is_pending.then_some(Expiry::Never),
    )
}

fn condition() -> impl Body<Out = Condition> {
    let says = "A condition on an account: on its available balance, or on its version.";
    object("NewCondition", says, |fields| {
        let account = fields.required("account", account().says("The account."));
        let least = integer(shapes::MinorUnits::SHAPE)
            .says("The least available balance afterwards, in minor units.")
            .map(|least| Demand::AvailableAtLeast(MinorUnits::new(least)));
        let version = integer(shapes::Count::SHAPE)
            .says("The number of entries that the account must have before.")
            .map(Demand::AtVersion);
        let demand = fields.either(
            None,
            Either::new("OnBalance", "available_at_least", least),
            Either::new("OnVersion", "version", version),
        );
        let slots = Slot::together((account, demand));
        slots.map(|(account, demand)| Condition { account, demand })
    })
}
