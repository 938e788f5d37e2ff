//! Recognizes transactions of a file that are in the books already.
//!
//! A transaction with an external id is recognized by that id. A transaction without one gets an external id that is
//! a hash of its content: kind, effective time, description, metadata, postings, the transaction that it reverses,
//! and its ordinal among equal transactions of the file. The hash is made from the values that were read, never from
//! bytes. So a byte-order mark, other line ends, separators, quotes or another order of columns do not change it. ADR
//! 17 says why the hash is kept in the external id.

use std::collections::HashMap;

use sha2::{Digest as _, Sha256};

use super::{ForeignPosting, ForeignTransaction, Import};
use crate::{Kind, Metadata, RecordedPosting, RecordedTransaction, Shelf, Step, TransactionId};

/// The version of the text that is hashed. Another version would make every row a new transaction.
const FORM: &str = "florin import 1";
/// Number of hexadecimal digits of the hash in an external id: 128 bits. A known transaction is also
/// compared with the row. So two different rows with the same hash are refused, and neither is taken for the other.
const DIGITS: usize = 32;

impl Import {
    /// Gives each transaction without an external id an id that is made from its content.
    pub fn name_by_content(&mut self) {
        let mut seen: HashMap<String, u64> = HashMap::new();
        let mut names: Vec<String> = Vec::with_capacity(self.transactions.len());
        for number in 0..self.transactions.len() {
            let Some(transaction) = self.transactions.get(number) else {
                break;
            };
            let name = match &transaction.external_id {
                Some(given) => given.clone(),
                None => {
                    let reversed = transaction.reverses;
                    let reversed = reversed.and_then(|of| {
                        let name = names.get(of)?;
                        self.transactions.get(of).map(|of| (name.as_str(), of))
                    });
                    let hash = digest(transaction, reversed);
                    let ordinal = seen.entry(hash.clone()).or_insert(0);
                    let name = format!("import:{hash}:{ordinal}");
                    *ordinal = ordinal.saturating_add(1);
                    name
                }
            };
            names.push(name);
        }
        for (transaction, name) in self.transactions.iter_mut().zip(names) {
            transaction.external_id = Some(name);
        }
    }
}

fn digest(
    transaction: &ForeignTransaction,
    reversed: Option<(&str, &ForeignTransaction)>,
) -> String {
    let mut hash = Sha256::new();
    // Each part has its length in front, so two different contents never have the same text.
    let mut put = |part: &str| {
        hash.update(part.len().to_string());
        hash.update(":");
        hash.update(part);
    };
    put(FORM);
    put(transaction.kind.name());
    put(reversed.map_or("", |(name, _)| name));
    let moment = transaction.effective_at.map(|at| at.micros().to_string());
    put(moment.as_deref().unwrap_or_default());
    put(&plain(transaction.description.as_deref()));
    put(&plain(transaction.metadata.as_ref().map(Metadata::as_json)));
    let mut moved: Vec<String> = transaction
        .postings
        .iter()
        .map(|posting| moved(posting, reversed.map(|(_, of)| of)))
        .collect();
    moved.sort_unstable();
    for part in moved {
        put(&part);
    }
    let digest = hex::encode(hash.finalize());
    digest.get(..DIGITS).unwrap_or(&digest).to_owned()
}

/// The text of one posting; for a posting of a reversal, with the position of the posting that it reverses.
fn moved(posting: &ForeignPosting, reversed: Option<&ForeignTransaction>) -> String {
    let place = reversed.and_then(|of| {
        let mut postings = of.postings.iter();
        postings.position(|undone| undone.number == posting.number)
    });
    let place = place.map(|place| place.to_string()).unwrap_or_default();
    let ForeignPosting { debit, credit, .. } = posting;
    let (amount, currency) = (posting.amount.get(), posting.currency.stored());
    format!("{debit} {credit} {amount} {currency} {place}")
}

/// The text with uniform line ends. Line ends are not part of the content: a program that rewrites the line ends of a
/// file rewrites those within its texts too.
fn plain(text: Option<&str>) -> String {
    let text = text.unwrap_or_default();
    text.replace("\r\n", "\n").replace("\\r\\n", "\\n")
}

/// The transaction of the books that has the same external id, or the former id.
pub(super) fn known<'s>(
    shelf: &'s Shelf,
    transaction: &ForeignTransaction,
) -> Option<&'s RecordedTransaction> {
    let named = transaction.external_id.as_deref();
    let named = named.and_then(|name| shelf.transaction_named(name));
    shelf.written(&named.or(transaction.former)?)
}

/// Whether the books have the same content. The metadata may be the recorded one or the present one.
/// `reverses` is the recorded id of the transaction that this one reverses.
pub(super) fn is_same(
    shelf: &Shelf,
    posted: &RecordedTransaction,
    transaction: &ForeignTransaction,
    reverses: Option<TransactionId>,
) -> bool {
    let is_step = match posted.step {
        Step::Posted | Step::Fulfilment => transaction.reverses.is_none(),
        Step::Reversal => reverses.is_some() && posted.about == reverses,
        Step::Pending | Step::Void | Step::Expiry => false,
    };
    let moment = transaction.effective_at;
    let metadata = |metadata: Option<&Metadata>| plain(metadata.map(Metadata::as_json));
    is_step
        && travels_as(posted.kind) == transaction.kind.name()
        && moment.is_none_or(|moment| moment == posted.effective_at)
        && plain(posted.description.as_deref()) == plain(transaction.description.as_deref())
        && shelf.has_had(posted, |known| {
            metadata(known) == metadata(transaction.metadata.as_ref())
        })
        && moves_alike(shelf, &posted.postings, &transaction.postings)
}

/// The kind after an import. Payments and the terms of an exchange cannot be imported.
fn travels_as(kind: Kind) -> String {
    match kind {
        Kind::Capture | Kind::OfPayments(_) | Kind::Exchange => format!("imported_{}", kind.name()),
        Kind::Transfer | Kind::Other(_) => kind.name().to_owned(),
    }
}

fn moves_alike(shelf: &Shelf, posted: &[RecordedPosting], foreign: &[ForeignPosting]) -> bool {
    let mut here: Vec<_> = posted
        .iter()
        .filter(|posted| posted.phase.is_final())
        .map(|posted| {
            let posting = posted.posting;
            let (amount, currency) = (posting.amount, posting.currency);
            (Some(posting.debit), Some(posting.credit), amount, currency)
        })
        .collect();
    let mut there: Vec<_> = foreign
        .iter()
        .map(|posting| {
            let (debit, credit) = (shelf.id_of(&posting.debit), shelf.id_of(&posting.credit));
            (debit, credit, posting.amount, posting.currency)
        })
        .collect();
    here.sort_unstable();
    there.sort_unstable();
    here == there
}
