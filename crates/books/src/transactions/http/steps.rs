//! The readers of a step about a transaction, alone or in a bulk.

use edge::strict_json::{
    Alternative, Body, BrokenRule, FieldError, Fields, Slot, boolean, integer, list, nullable,
    object, one_of,
};
use edge::{Reader, Shape};
use ledger::{Amounts, Condition, Leg, MAX_POSTINGS, Part, TransactionId};
use money::Amount;

use super::draft::{STEP, TRANSACTION, conditions, details, draft, dry_run};
use crate::currencies::Currencies;
use crate::exchanges::http as exchanges;
use crate::reading::{positive, transaction};
use crate::transactions::{Action, Details};

/// The greatest ordinal that a posting can have: that of an amount posted beyond a hold. The books decide which
/// ordinals a transaction has.
const LAST_ORDINAL: i64 = 299;
const ORDINAL: Shape = Shape::short_integer(0, LAST_ORDINAL);

/// A step about an earlier transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    /// Fulfil a pending transaction, or a part of it.
    Post,
    /// Release what a pending transaction still holds.
    Void,
    /// Reverse a final transaction, or a part of it.
    Reverse,
}

impl Verb {
    const ALL: [Self; 3] = [Self::Post, Self::Void, Self::Reverse];

    /// The field that names the transaction in a bulk.
    const fn field(self) -> &'static str {
        match self {
            Self::Post => "post",
            Self::Void => "void",
            Self::Reverse => "reverse",
        }
    }

    /// The name of the body, its name in a bulk, and the description of both.
    const fn body(self) -> [&'static str; 3] {
        match self {
            Self::Post => [
                "PostPending",
                "NewBulkPost",
                "Posts a pending transaction, or a part of it.",
            ],
            Self::Void => [
                "VoidPending",
                "NewBulkVoid",
                "Releases all that a pending transaction still holds.",
            ],
            Self::Reverse => [
                "Reverse",
                "NewBulkReverse",
                "Reverses a posted transaction, or a part of it.",
            ],
        }
    }
}

/// A requested step, without the transaction that it is about.
pub(super) struct StepRequest {
    verb: Verb,
    amounts: Option<Vec<Part>>,
    /// The amount of one leg of an exchange that is to be reversed.
    leg: Option<(Leg, Amount)>,
    last: bool,
    exceed: bool,
    conditions: Vec<Condition>,
    details: Details,
}

impl StepRequest {
    /// The action, with the transaction that it is about.
    pub(super) fn about(self, id: TransactionId) -> Action {
        let Self {
            verb,
            amounts,
            leg,
            last,
            exceed,
            conditions,
            details,
        } = self;
        match verb {
            Verb::Post => Action::Fulfil {
                pending: id,
                amounts,
                last,
                exceed,
                conditions,
                details,
            },
            Verb::Void => Action::Void {
                pending: id,
                conditions,
                details,
            },
            Verb::Reverse => Action::Reverse {
                of: id,
                amounts: match (leg, amounts) {
                    (Some((leg, amount)), _) => Amounts::OfLeg(leg, amount),
                    (None, amounts) => amounts.into(),
                },
                conditions,
                details,
            },
        }
    }
}

/// Reads a step alone, and whether it is a dry run.
pub(super) fn new_step(verb: Verb) -> impl Body<Out = (StepRequest, bool)> {
    let [name, _, says] = verb.body();
    object(name, says, move |fields| {
        let step = step(verb, fields);
        let dry_run = dry_run(fields);
        Slot::together((step, dry_run))
    })
}

/// Reads the fields of a step. At most one of them names the amount.
fn step(verb: Verb, fields: &mut Fields) -> Slot<StepRequest> {
    let parts = |says| nullable(list(1, MAX_POSTINGS, part()).says(says));
    let amounts = match verb {
        Verb::Post => {
            let says = "The amounts to post, by posting; all that remains, if absent.";
            fields.optional("amounts", parts(says))
        }
        Verb::Reverse => {
            let says = "The amounts to reverse, by posting; all that remains, if absent. For an exchange, both postings in the same proportion.";
            fields.optional("amounts", parts(says))
        }
        Verb::Void => absent(),
    };
    let mut leg = |name, says| match verb {
        Verb::Reverse => fields.optional(name, nullable(positive().says(says))),
        Verb::Post | Verb::Void => absent(),
    };
    let sold = "For an exchange: how much of the sold amount to reverse, in minor units. The bought amount follows.";
    let bought = "For an exchange: how much of the bought amount to reverse, in minor units. The sold amount follows.";
    let legs = Slot::together((leg("sell", sold), leg("buy", bought)));
    let mut flag = |name, says| match verb {
        Verb::Post => fields.optional(name, boolean().says(says)),
        Verb::Void | Verb::Reverse => absent(),
    };
    let last = "Whether all that remains afterwards is released; false if absent.";
    let exceed = "Whether an amount may be more than its posting still holds; false if absent. The difference is posted\nat once, if the limits of the accounts allow it.";
    let (last, exceed) = (flag("last", last), flag("exceed", exceed));
    let conditions = conditions(
        fields,
        "Conditions, each on an account that the step moves.",
    );
    let details = details(fields, &STEP);
    let flags = Slot::together((last.or(false), exceed.or(false)));
    let slots = (amounts, legs, flags, conditions, details);
    Slot::together(slots).check(
        move |(amounts, (sell, buy), (last, exceed), conditions, details)| {
            let amounts = amounts.flatten();
            let sell = sell.flatten().map(|amount| (Leg::Sold, amount));
            let buy = buy.flatten().map(|amount| (Leg::Bought, amount));
            let given = [amounts.is_some(), sell.is_some(), buy.is_some()];
            if given.into_iter().filter(|given| *given).count() > 1 {
                let detail = "At most one of amounts, sell and buy.";
                let name = if buy.is_some() { "buy" } else { "sell" };
                return Err(vec![FieldError::here("ambiguous", detail).below(name)]);
            }
            Ok(StepRequest {
                verb,
                amounts,
                leg: sell.or(buy),
                last,
                exceed,
                conditions,
                details,
            })
        },
    )
}

/// The kind of one step of a bulk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Item {
    Transaction,
    Exchange,
    Step(Verb),
}

impl Item {
    /// Finds the kind by the fields: a step if `post`, `void` or `reverse` is present, an exchange if there is
    /// a field that only exchanges have, and otherwise a new transaction.
    fn of(fields: &Fields) -> Self {
        let mut verbs = Verb::ALL.into_iter();
        if let Some(verb) = verbs.find(|verb| fields.has(verb.field())) {
            return Self::Step(verb);
        }
        let mut own = exchanges::OWN_FIELDS.into_iter();
        if !fields.has("postings") && own.any(|name| fields.has(name)) {
            return Self::Exchange;
        }
        Self::Transaction
    }
}

/// Reads one step of a bulk.
pub(super) fn one_of_many(known: &Currencies) -> impl Body<Out = Action> {
    let [_, says] = TRANSACTION;
    let new = Alternative::new(
        Item::Transaction,
        "NewBulkTransaction",
        says,
        |fields: &mut Fields| draft(fields, known).map(Action::Post),
    );
    let [_, says] = exchanges::EXCHANGE;
    let exchange = Alternative::new(
        Item::Exchange,
        "NewBulkExchange",
        says,
        |fields: &mut Fields| exchanges::swap(fields).map(Action::Exchange),
    );
    let mut all = vec![new, exchange];
    all.extend(Verb::ALL.map(|verb| {
        let [_, name, says] = verb.body();
        Alternative::new(Item::Step(verb), name, says, move |fields: &mut Fields| {
            let about = fields.required(verb.field(), transaction());
            let step = step(verb, fields);
            Slot::together((about, step)).map(|(about, step)| step.about(about))
        })
    }));
    one_of(
        "NewBulkItem",
        "One step of a bulk: a transaction, an exchange, or a step about another transaction (one of `post`, `void`\nand `reverse`, with the fields that the step has as a request of its own). It has no `dry_run`.",
        Item::of,
        all,
    )
}

fn absent<T>() -> Slot<Option<T>> {
    Slot::together(()).map(|()| None)
}

fn part() -> impl Body<Out = Part> {
    object("NewPart", "An amount of one posting.", |fields| {
        let narrow = |ordinal| {
            i16::try_from(ordinal).map_err(|_too_large| {
                let detail = format!("Must be from 0 to {LAST_ORDINAL}.");
                BrokenRule::new("out_of_range", &detail)
            })
        };
        let ordinal = integer(ORDINAL)
            .checked(narrow)
            .says("The posting's place in its transaction, from 0. To reverse an amount that was posted beyond a hold, give the\nordinal that it has in the answer.");
        let ordinal = fields.required("ordinal", ordinal);
        let amount = fields.required("amount", positive().says("The amount in minor units."));
        Slot::together((ordinal, amount))
    })
}
