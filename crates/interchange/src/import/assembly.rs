//! Collects the accounts and transactions that were read: resolves references between transactions, and checks that
//! names are unique.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use ledger::{
    Description, ExternalId, ForeignAccount, ForeignPosting, ForeignTransaction, Import, Kind,
    KindError, Metadata, TransactionId,
};
use money::{Amount, Currency};
use store::Timestamp;
use text::TextError;

use super::{Fields, Mistake, Mistakes, Reading};

/// Greatest number of transactions. One commit holds the whole file, and all other writers wait for it.
const MAX_TRANSACTIONS: usize = 250_000;

#[derive(Default)]
pub(super) struct Assembly {
    import: Import,
    /// The line of each account, by code.
    accounts: HashMap<String, u64>,
    /// The position of each transaction, by its name; `None` if there was a mistake in it.
    transactions: HashMap<String, Option<usize>>,
    /// The line of each external id.
    external_ids: HashMap<String, u64>,
    codes: HashMap<String, Arc<str>>,
    pub(super) mistakes: Mistakes,
}

/// The data of a transaction, except its postings.
pub(super) struct Heading {
    pub(super) line: u64,
    /// The name of the transaction in the file.
    name: Option<String>,
    kind: Kind,
    /// The name, in the file, of the transaction that it reverses.
    reverses: Option<String>,
    external_id: Option<String>,
    description: Option<String>,
    metadata: Option<Metadata>,
    effective_at: Option<Timestamp>,
}

/// A posting as it was read.
pub(super) struct Movement {
    pub(super) line: u64,
    pub(super) number: i16,
    pub(super) debit: String,
    pub(super) credit: String,
    pub(super) amount: Amount,
    pub(super) currency: Currency,
}

/// The way in which a transaction became final.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Final {
    /// Final at once.
    Posted,
    /// As the fulfilment of a pending transaction.
    Fulfilment,
    /// As the reversal of another transaction.
    Reversal,
}

/// Reads the heading of a transaction; `id_field` is the field with its name.
pub(super) fn heading(
    fields: &dyn Fields,
    id_field: &str,
    mistakes: &mut Mistakes,
) -> Option<Heading> {
    let mut reading = Reading { fields, mistakes };
    let name = reading.optional(id_field, named);
    let step = reading.optional("step", step_named);
    let kind = reading.required("kind", |text| kind_named(&text, step.flatten()));
    let about = reading.optional("about", named);
    let external_id = reading.optional("external_id", named);
    let description = reading.optional("description", |text| {
        Description::parse(text).map(String::from)
    });
    let effective_at = reading.optional("effective_at", |text| text.parse::<Timestamp>());
    let metadata = reading.metadata();
    let reverses = match step?.unwrap_or(Final::Posted) {
        // The pending transaction that it fulfilled is not in the file.
        Final::Posted | Final::Fulfilment => None,
        Final::Reversal => Some(reading.note("about", about?.ok_or("is missing"))?),
    };
    Some(Heading {
        line: fields.line(),
        name: name?,
        kind: kind?,
        reverses,
        external_id: external_id?,
        description: description?,
        metadata: metadata?,
        effective_at: effective_at?,
    })
}

/// The kind of a transaction. A capture posts what an operation of a payment has taken; payments are not
/// exported, so an imported capture gets another kind.
///
/// The name of a step is the kind of that step only, as in the API.
fn kind_named(text: &str, step: Option<Final>) -> Result<Kind, String> {
    let of_step = match text {
        "post" => Some(step == Some(Final::Fulfilment)),
        "reversal" => Some(step == Some(Final::Reversal)),
        "void" | "expiry" => Some(false),
        _ => None,
    };
    if of_step == Some(false) {
        return Err(
            "is the kind of a step, and this is none: choose a name of your own".to_owned(),
        );
    }
    let parse = |text: &str| Kind::parse(text).map_err(|error: KindError| error.to_string());
    match parse(text)? {
        // Payments and the terms of an exchange are not imported, so their transactions get another kind.
        own @ (Kind::Capture | Kind::OfPayments(_) | Kind::Exchange) => {
            parse(&format!("imported_{own}"))
        }
        other @ (Kind::Transfer | Kind::Other(_)) => Ok(other),
    }
}

/// The name of a transaction, in the file and in the books.
fn named(text: String) -> Result<String, TextError> {
    ExternalId::parse(text).map(String::from)
}

fn step_named(text: String) -> Result<Final, &'static str> {
    match text.as_str() {
        "posted" => Ok(Final::Posted),
        "post" => Ok(Final::Fulfilment),
        "reversal" => Ok(Final::Reversal),
        _ => Err("is posted, post or reversal: only what is final is imported"),
    }
}

impl Assembly {
    pub(super) fn add_account(&mut self, account: Option<ForeignAccount>, code_field: &str) {
        let Some(account) = account else { return };
        match self.accounts.entry(account.new.code.to_string()) {
            Entry::Occupied(known) => {
                let problem = format!("is on line {} already", known.get());
                self.mistakes.add(account.line, code_field, problem);
            }
            Entry::Vacant(place) => {
                place.insert(account.line);
                self.import.accounts.push(account);
            }
        }
    }

    /// Adds a transaction with its postings. `name` is its name in the file. `parts` is `None` if a mistake in the
    /// transaction was recorded.
    pub(super) fn add_transaction(
        &mut self,
        name: Option<String>,
        parts: Option<(Heading, Vec<Movement>)>,
    ) {
        let Some((heading, movements)) = parts else {
            self.transactions
                .extend(name.map(|name| (name, None::<usize>)));
            return;
        };
        let place = self.import.transactions.len();
        if place >= MAX_TRANSACTIONS {
            let problem = format!("are more than {MAX_TRANSACTIONS}: make several files of them");
            self.mistakes.add(heading.line, "transactions", problem);
            return;
        }
        if movements.is_empty() {
            self.mistakes.add(heading.line, "postings", "are missing");
        }
        let reverses = match &heading.reverses {
            None => None,
            Some(about) => match self.transactions.get(about) {
                Some(Some(place)) => Some(*place),
                Some(None) => return,
                None => {
                    let problem = "names no transaction before this one";
                    self.mistakes.add(heading.line, "about", problem);
                    return;
                }
            },
        };
        let known = heading
            .name
            .as_ref()
            .and_then(|name| self.transactions.insert(name.clone(), Some(place)));
        if let (Some(_known), Some(name)) = (known, &heading.name) {
            let problem = format!("{name:?} is there twice");
            self.mistakes.add(heading.line, "transaction", problem);
        } else if let Some(name) = &heading.external_id
            && let Some(line) = self.external_ids.insert(name.clone(), heading.line)
        {
            let problem = format!("is on line {line} already");
            self.mistakes.add(heading.line, "external_id", problem);
        }
        let postings = movements.into_iter().map(|movement| ForeignPosting {
            line: movement.line,
            number: movement.number,
            debit: intern(&mut self.codes, movement.debit),
            credit: intern(&mut self.codes, movement.credit),
            amount: movement.amount,
            currency: movement.currency,
        });
        let postings = postings.collect();
        let former = heading.name.as_ref();
        let former = former.and_then(|name| name.parse::<TransactionId>().ok());
        let own = former.map(|id| id.to_string());
        self.import.transactions.push(ForeignTransaction {
            line: heading.line,
            kind: heading.kind,
            reverses,
            postings,
            external_id: heading.external_id.or(own),
            former,
            description: heading.description,
            metadata: heading.metadata,
            effective_at: heading.effective_at,
        });
    }

    pub(super) fn finish(mut self) -> Result<Import, Vec<Mistake>> {
        if self.mistakes.0.is_empty() {
            self.import.name_by_content();
            return Ok(self.import);
        }
        // A missing counterpart of an entry is found only after its transaction, so the lines are not in order yet.
        self.mistakes.0.sort_by_key(|mistake| mistake.line);
        Err(self.mistakes.0)
    }
}

/// Keeps one copy of each code, however many postings name it.
fn intern(codes: &mut HashMap<String, Arc<str>>, code: String) -> Arc<str> {
    match codes.entry(code) {
        Entry::Occupied(known) => known.get().clone(),
        Entry::Vacant(place) => {
            let text: Arc<str> = place.key().as_str().into();
            place.insert(text).clone()
        }
    }
}
