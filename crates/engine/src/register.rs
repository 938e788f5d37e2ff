//! Registering a custom asset.

use idempotency::Claim;
use ledger::{Asset, NewAsset, register};

use crate::book::Book;
use crate::command::{Answer, Origin, Refusal, Rendered};
use crate::execute::{Rules, refuse, save};
use crate::records::{Said, set};

pub(crate) fn register_asset(
    book: &mut Book<'_>,
    new: &NewAsset,
    claim: Option<&Claim>,
    origin: &Origin,
    rules: &Rules,
) -> Answer {
    let asset = match register(&mut book.ledger, new.clone(), book.now) {
        Ok(asset) => asset,
        Err(rule) => {
            let refusal = Refusal::Register(rule);
            let asked = new.currency();
            let subject = ("asset", &*asked.stored());
            return refuse(
                book,
                &refusal,
                "asset.register",
                subject,
                claim,
                origin,
                rules,
            );
        }
    };
    let reply = (rules.render)(Rendered::Asset(&asset));
    save(book, claim, &reply);
    record(book, &asset, origin);
    Answer::Replied {
        reply,
        replayed: false,
    }
}

/// The subject says it all: code and exponent.
pub(crate) fn record(book: &mut Book<'_>, asset: &Asset, origin: &Origin) {
    book.record(
        origin,
        &Said {
            action: "asset.registered",
            subject: ("asset", &asset.currency.stored()),
            outcome: "ok",
            reason: None,
            delta: &[set("name", &asset.name)],
            cause: None,
        },
    );
}
