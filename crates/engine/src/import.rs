//! Taking over books from elsewhere: one command, so that one commit has all of it or nothing.

use std::collections::BTreeSet;

use idempotency::Claim;
use ledger::tables::Needs;
use ledger::{Import, Imported, OnKnown, Posted};
use money::Currency;

use crate::book::Book;
use crate::command::{Answer, Origin, Rendered};
use crate::execute::{Rules, save};
use crate::records::{Said, set};

/// The accounts that the books name, the assets that these hold, the names of their transactions, and the period: what they tell
/// has happened already.
pub(crate) fn needs(needs: &mut Needs, books: &Import) {
    let opened = books.accounts.iter().map(|account| &*account.new.code);
    let postings = books.transactions.iter().flat_map(|one| &one.postings);
    let named = postings.flat_map(|posting| [&*posting.debit, &*posting.credit]);
    let held = books.accounts.iter().map(|account| account.new.currency);
    let held: BTreeSet<Currency> = held.filter(|currency| currency.is_custom()).collect();
    let assets = held.iter().map(|asset| asset.code().to_owned());
    needs.assets.extend(assets);
    let codes: BTreeSet<&str> = opened.chain(named).collect();
    needs.codes.extend(codes.into_iter().map(str::to_owned));
    let all = books.transactions.iter();
    let names = all.clone().filter_map(|one| one.external_id.clone());
    needs.compared.extend(names);
    needs.compared_ids.extend(all.filter_map(|one| one.former));
    needs.period = true;
}

/// What does not fit is a mistake in the books and no decision: nothing of it is kept.
pub(crate) fn import(
    book: &mut Book<'_>,
    books: &Import,
    (on_known, dry_run): (OnKnown, bool),
    claim: Option<&Claim>,
    origin: &Origin,
    rules: &Rules,
) -> Answer {
    let mut after = book.ledger.clone();
    let begun = after.posted().len();
    let imported = match ledger::import(&mut after, books, on_known, book.ids, book.now) {
        Ok(imported) => imported,
        Err(misfits) => {
            book.answered_without_trace(claim);
            return Answer::Misfits(misfits);
        }
    };
    let reply = (rules.render)(Rendered::Imported(&imported));
    if !dry_run {
        std::mem::swap(&mut book.ledger, &mut after);
        save(book, claim, &reply);
        record(book, &imported, begun, origin);
    }
    Answer::Replied {
        reply,
        replayed: false,
    }
}

/// A record for each asset that was registered, each account that was opened and each transaction.
fn record(book: &mut Book<'_>, imported: &Imported, begun: usize, origin: &Origin) {
    for asset in &imported.assets {
        crate::register::record(book, asset, origin);
    }
    for id in &imported.accounts {
        let Some(account) = book.ledger.account(id).cloned() else {
            continue;
        };
        book.record(
            origin,
            &Said {
                action: "account.opened",
                subject: ("account", &account.id.to_string()),
                outcome: "ok",
                reason: None,
                delta: &[
                    set("code", &account.code),
                    set("currency", &account.currency.stored()),
                    set("status", account.status.name()),
                ],
                cause: None,
            },
        );
    }
    let posted: Vec<Posted> = book.ledger.posted().iter().skip(begun).cloned().collect();
    for transaction in posted {
        let postings: Vec<String> = transaction.postings.iter().map(moved).collect();
        let postings = postings.join("; ");
        let effective_at = transaction.effective_at.to_string();
        let name = transaction.external_id.as_deref().unwrap_or_default();
        let about = transaction.about.map(|about| about.to_string());
        let mut delta = vec![
            set("external_id", name),
            set("effective_at", &effective_at),
            set("postings", &postings),
        ];
        delta.extend(about.as_deref().map(|about| set("about", about)));
        book.record(
            origin,
            &Said {
                action: "transaction.imported",
                subject: ("transaction", &transaction.id.to_string()),
                outcome: "ok",
                reason: None,
                delta: &delta,
                cause: None,
            },
        );
    }
}

fn moved(posted: &ledger::PostedPosting) -> String {
    let posting = posted.posting;
    let (debit, credit, amount) = (posting.debit, posting.credit, posting.amount.get());
    let currency = posting.currency.stored();
    format!("{debit} {credit} {amount} {currency}")
}
