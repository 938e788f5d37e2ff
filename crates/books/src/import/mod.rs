//! The import of books. It is one command, so one commit has the whole file, or nothing.

use std::collections::BTreeSet;
use std::sync::Arc;

use engine::{Asks, Attempt, AuditEvent, Book, Command, Decision, set};
use ledger::tables::Needs;
use ledger::{ImportResult, Misfit, OnKnown, RecordedTransaction};
use money::Currency;

use crate::shelf::Books;

/// Imports the books of a file, the whole file or nothing.
#[derive(Debug, Clone)]
pub struct Import {
    /// The accounts and transactions of the file.
    pub books: Arc<ledger::Import>,
    /// What happens with accounts and transactions that are in the books already.
    pub on_known: OnKnown,
}

impl Command for Import {
    type Done = ImportResult;
    /// Everything that does not fit. A misfit is a mistake in the file, so it is not stored.
    type Refusal = Vec<Misfit>;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(needs) = asks.of::<Books>() {
            ask_for(needs, &self.books);
        }
        asks.lock();
    }

    fn weight(&self) -> usize {
        self.books.transactions.len()
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<ImportResult>, Vec<Misfit>> {
        let now = book.now();
        let (shelf, ids) = book.shelf_mut::<Books>();
        let begun = shelf.posted().len();
        let imported = ledger::import(shelf, &self.books, self.on_known, ids, now)?;
        record(book, &imported, begun);
        Ok(Decision::now(imported))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "books.import",
            kind: "books",
            id: String::new(),
        }
    }
}

/// Asks for the accounts that the file names, for their assets, for the external ids of the transactions, and
/// for the closed period, because the transactions are in the past.
fn ask_for(needs: &mut Needs, books: &ledger::Import) {
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

/// Adds a record for each asset that was registered, each account that was opened, and each transaction.
fn record(book: &mut Book, imported: &ImportResult, begun: usize) {
    for asset in &imported.assets {
        crate::assets::record(book, asset);
    }
    for id in &imported.accounts {
        let Some(account) = book.shelf::<Books>().account(id).cloned() else {
            continue;
        };
        let (text, currency) = (account.id.to_string(), account.currency.stored());
        let delta = [
            set("code", &account.code),
            set("currency", &currency),
            set("status", account.status.name()),
        ];
        book.record(&AuditEvent::done(
            "account.opened",
            ("account", &text),
            &delta,
        ));
    }
    let posted: Vec<RecordedTransaction> = book
        .shelf::<Books>()
        .posted()
        .iter()
        .skip(begun)
        .cloned()
        .collect();
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
        let id = transaction.id.to_string();
        let subject = ("transaction", &*id);
        book.record(&AuditEvent::done("transaction.imported", subject, &delta));
    }
}

fn moved(posted: &ledger::RecordedPosting) -> String {
    let posting = posted.posting;
    let (debit, credit, amount) = (posting.debit, posting.credit, posting.amount.get());
    let currency = posting.currency.stored();
    format!("{debit} {credit} {amount} {currency}")
}
