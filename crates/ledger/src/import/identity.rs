//! Which transactions of a file are the same as some that are in the books.
//!
//! One with an external id is known by it. One without gets an external id that is made of what it says:
//! kind, moment, description, metadata, postings, what it reverses, and its ordinal among the equal ones of
//! the file. It is made of the values that were read, never of bytes, so that neither a byte-order mark nor
//! other line ends, separators, quotes or an order of columns make it another one. Why that is the place
//! where it is kept: ADR 17.

use std::collections::HashMap;

use sha2::{Digest as _, Sha256};

use super::{ForeignPosting, ForeignTransaction, Import};
use crate::{Kind, Metadata, Posted, PostedPosting, Shelf, Step, TransactionId};

/// Which form the text has that is hashed. Another form would make every row another one.
const FORM: &str = "florin import 1";
/// Hexadecimal digits of the hash that an external id holds: 128 bits. What is known is compared besides,
/// so that two rows that meet there are refused and none is taken for the other.
const DIGITS: usize = 32;

impl Import {
    /// Gives each transaction without an external id the one that is made of its content.
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
    // Each part with its length in front, so that no two contents have one text.
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

/// One posting; of a reversal with the place of the posting that it undoes.
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

/// Line ends are no content: whoever rewrites those of a file rewrites those within its texts.
fn plain(text: Option<&str>) -> String {
    let text = text.unwrap_or_default();
    text.replace("\r\n", "\n").replace("\\r\\n", "\\n")
}

/// The transaction of the books that has this one's name, or its former id.
pub(super) fn known<'s>(shelf: &'s Shelf, transaction: &ForeignTransaction) -> Option<&'s Posted> {
    let named = transaction.external_id.as_deref();
    let named = named.and_then(|name| shelf.transaction_named(name));
    shelf.written(&named.or(transaction.former)?)
}

/// Whether the books say the same; the metadata may be that of the time of recording, or that of now.
/// `reverses` is what became of the one that it undoes.
pub(super) fn is_same(
    shelf: &Shelf,
    posted: &Posted,
    transaction: &ForeignTransaction,
    reverses: Option<TransactionId>,
) -> bool {
    let is_step = match posted.step {
        Step::Posted | Step::Settlement => transaction.reverses.is_none(),
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

/// What a kind is called once it has travelled. Payments do not, nor do the terms of an exchange.
fn travels_as(kind: Kind) -> String {
    match kind {
        Kind::Capture | Kind::Exchange => format!("imported_{}", kind.name()),
        Kind::Transfer | Kind::Other(_) => kind.name().to_owned(),
    }
}

fn moves_alike(shelf: &Shelf, posted: &[PostedPosting], foreign: &[ForeignPosting]) -> bool {
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
