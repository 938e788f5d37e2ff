//! What becomes of a transaction, as a body asks for it: alone, or as one of many.

use books::transactions::{Action, Details};
use ledger::{Amounts, Condition, Leg, MOST_POSTINGS, Part, TransactionId};
use money::Amount;

use super::draft::{conditions, details, draft, positive};
use super::exchanges;
use crate::currencies::Currencies;
use crate::strict_json::{
    FieldError, Fields, Reading, Slot, Value, boolean, checked, id, integer, list, nullable, object,
};

/// The last ordinal that a posting can bear: one of what was posted beyond a hold. Which of them a transaction
/// has, the books say.
const LAST_ORDINAL: i64 = 299;

/// What is done to a transaction that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    /// Post a pending one, or a part of it.
    Post,
    /// Release what a pending one still holds.
    Void,
    /// Undo a final one, or a part of it.
    Reverse,
}

impl Verb {
    const ALL: [Self; 3] = [Self::Post, Self::Void, Self::Reverse];

    /// The field that names the transaction, among many.
    const fn field(self) -> &'static str {
        match self {
            Self::Post => "post",
            Self::Void => "void",
            Self::Reverse => "reverse",
        }
    }
}

/// A step that does not know yet what it is about.
pub(super) struct Wish {
    verb: Verb,
    amounts: Option<Vec<Part>>,
    /// So much of one leg of an exchange, to reverse.
    leg: Option<(Leg, Amount)>,
    last: bool,
    exceed: bool,
    conditions: Vec<Condition>,
    details: Details,
}

impl Wish {
    /// The step, about this transaction.
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
            Verb::Post => Action::Settle {
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

/// The fields of a step; each is good, but not yet that at most one of them says how much.
pub(super) fn wish(verb: Verb, fields: &mut Fields) -> Slot<Reading<Wish>> {
    let amounts = match verb {
        Verb::Post | Verb::Reverse => fields.optional(
            "amounts",
            nullable(list(1..=MOST_POSTINGS, |item| object(part)(item))),
        ),
        Verb::Void => absent(),
    };
    let mut leg = |name| match verb {
        Verb::Reverse => fields.optional(name, nullable(positive)),
        Verb::Post | Verb::Void => absent(),
    };
    let legs = Slot::together((leg("sell"), leg("buy")));
    let mut flag = |name| match verb {
        Verb::Post => fields.optional(name, boolean),
        Verb::Void | Verb::Reverse => absent(),
    };
    let (last, exceed) = (flag("last"), flag("exceed"));
    let conditions = conditions(fields);
    let details = details(fields);
    let flags = Slot::together((last.or(false), exceed.or(false)));
    let slots = (amounts, legs, flags, conditions, details);
    Slot::together(slots).map(
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
            Ok(Wish {
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

/// One of many: what becomes of the transaction that `post`, `void` or `reverse` names, an exchange if it
/// has a field that only exchanges have, or else a new transaction.
pub(super) fn one_of_many(value: Value, known: &Currencies) -> Reading<Action> {
    let has = |name: &str| matches!(&value, Value::Object(item) if item.get(name).is_some());
    let verb = Verb::ALL.into_iter().find(|verb| has(verb.field()));
    let is_exchange = !has("postings") && exchanges::OWN_FIELDS.into_iter().any(has);
    let read = |mut fields: Fields| {
        if let Some(verb) = verb {
            let about = fields.required(verb.field(), id("txn_"));
            let wish = wish(verb, &mut fields);
            let (about, wish) = fields.finish((about, wish))?;
            return Ok(wish?.about(TransactionId::from_bytes(about)));
        }
        if is_exchange {
            let swap = exchanges::swap(&mut fields);
            return fields.finish(swap)?.map(Action::Exchange);
        }
        let draft = draft(&mut fields, known);
        fields.finish(draft).map(Action::Post)
    };
    object(read)(value)
}

fn absent<T>() -> Slot<Option<T>> {
    Slot::together(()).map(|()| None)
}

fn part(mut fields: Fields) -> Reading<Part> {
    let narrow = |ordinal| {
        let wrong = |_too_large| ("out_of_range", format!("Must be from 0 to {LAST_ORDINAL}."));
        i16::try_from(ordinal).map_err(wrong)
    };
    let ordinal = fields.required("ordinal", checked(integer(0..=LAST_ORDINAL), narrow));
    let amount = fields.required("amount", positive);
    fields.finish((ordinal, amount))
}
