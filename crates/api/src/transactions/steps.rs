//! What becomes of a transaction, as a body asks for it: alone, or as one of many.

use engine::{Action, Saying};
use ledger::{MOST_POSTINGS, Part, TransactionId};
use store::Timestamp;

use super::draft::{draft, positive, saying};
use crate::currencies::Currencies;
use crate::strict_json::{
    Fields, Reading, Slot, Value, boolean, checked, id, integer, list, nullable, object,
};

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
    last: bool,
    said: Saying,
}

impl Wish {
    /// The step, about this transaction.
    pub(super) fn about(self, id: TransactionId) -> Action {
        let Self {
            verb,
            amounts,
            last,
            said,
        } = self;
        match verb {
            Verb::Post => Action::Settle {
                pending: id,
                amounts,
                last,
                said,
            },
            Verb::Void => Action::Void { pending: id, said },
            Verb::Reverse => Action::Reverse {
                of: id,
                amounts,
                said,
            },
        }
    }
}

/// The fields of a step.
pub(super) fn wish(verb: Verb, fields: &mut Fields) -> Slot<Wish> {
    let amounts = match verb {
        Verb::Post | Verb::Reverse => fields.optional(
            "amounts",
            nullable(list(1..=MOST_POSTINGS, |item| object(part)(item))),
        ),
        Verb::Void => absent(),
    };
    let last = match verb {
        Verb::Post => fields.optional("last", boolean),
        Verb::Void | Verb::Reverse => absent(),
    };
    let said = saying(fields);
    Slot::together((amounts, last.or(false), said)).map(move |(amounts, last, said)| Wish {
        verb,
        amounts: amounts.flatten(),
        last,
        said,
    })
}

/// One of many: a new transaction, or what becomes of the one that `post`, `void` or `reverse` names.
pub(super) fn one_of_many(value: Value, known: &Currencies, now: Timestamp) -> Reading<Action> {
    let verb = match &value {
        Value::Object(item) => Verb::ALL
            .into_iter()
            .find(|verb| item.get(verb.field()).is_some()),
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Text(_) | Value::Array(_) => None,
    };
    let read = |mut fields: Fields| {
        let Some(verb) = verb else {
            let draft = draft(&mut fields, known, now);
            return fields.finish(draft).map(Action::Post);
        };
        let about = fields.required(verb.field(), id("txn_"));
        let wish = wish(verb, &mut fields);
        let (about, wish) = fields.finish((about, wish))?;
        Ok(wish.about(TransactionId::from_bytes(about)))
    };
    object(read)(value)
}

fn absent<T>() -> Slot<Option<T>> {
    Slot::together(()).map(|()| None)
}

fn part(mut fields: Fields) -> Reading<Part> {
    let last = i64::try_from(MOST_POSTINGS).unwrap_or(i64::MAX) - 1;
    let narrow = |ordinal| {
        let wrong = |_too_large| ("out_of_range", format!("Must be from 0 to {last}."));
        i16::try_from(ordinal).map_err(wrong)
    };
    let ordinal = fields.required("ordinal", checked(integer(0..=last), narrow));
    let amount = fields.required("amount", positive);
    fields.finish((ordinal, amount))
}
