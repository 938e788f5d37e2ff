//! Books from elsewhere: accounts, and what was posted to them before, all of it or nothing.
//!
//! The history of a new account is posted first and its limits are set afterwards, as is its status:
//! they may have changed on the way, and new limits never undo what is there. An account that is here
//! already is left as it is, and its own limits hold. What was reversed is reversed again, so that it
//! stays known how much of it can still be.

mod accounts;
mod identity;

use std::sync::Arc;

use money::{Amount, Currency, MinorUnits};
use store::{Ids, Timestamp};

use accounts::{leave, open_accounts, register_assets};

use crate::{
    AccountId, AccountStatus, Amounts, Asset, ChangeError, Heading, Kind, Metadata, NewAccount,
    NewReversal, NewTransaction, Part, PostError, Posting, ReverseError, Shelf, TransactionId,
    post, reverse,
};

/// So many misfits are named at most.
const MOST_MISFITS: usize = 100;

/// Books to take over, in order. Lines are those of the file they were read from.
#[derive(Debug, Clone, Default)]
pub struct Import {
    /// Accounts; no code twice.
    pub accounts: Vec<ForeignAccount>,
    /// Transactions that are final, in the order in which they were recorded.
    pub transactions: Vec<ForeignTransaction>,
}

/// An account of other books.
#[derive(Debug, Clone)]
pub struct ForeignAccount {
    /// Where it stands.
    pub line: u64,
    /// What it is.
    pub new: NewAccount,
    /// How it is left.
    pub status: AccountStatus,
    /// What its balance comes to, if that is told.
    pub balance: Option<MinorUnits>,
}

/// A transaction of other books.
#[derive(Debug, Clone)]
pub struct ForeignTransaction {
    /// Where it begins.
    pub line: u64,
    /// What it is for.
    pub kind: Kind,
    /// Which of the transactions before it undoes, whole or in part.
    pub reverses: Option<usize>,
    /// Its movements.
    pub postings: Vec<ForeignPosting>,
    /// Its name, so that it is imported once; `None`: what it says makes one, see
    /// [`Import::name_by_content`].
    pub external_id: Option<String>,
    /// Its id where it comes from, if that is one of Florin's: these may be the very books.
    pub former: Option<TransactionId>,
    /// For people.
    pub description: Option<String>,
    /// What the tenant keeps with it.
    pub metadata: Option<Metadata>,
    /// When it happened; `None`: now.
    pub effective_at: Option<Timestamp>,
}

/// A movement between accounts that are known by their codes.
#[derive(Debug, Clone)]
pub struct ForeignPosting {
    /// Where it stands.
    pub line: u64,
    /// Its number there. That of a reversal is the number of the posting it undoes.
    pub number: i16,
    /// The debited account.
    pub debit: Arc<str>,
    /// The credited account.
    pub credit: Arc<str>,
    /// How much, in minor units.
    pub amount: Amount,
    /// Of what.
    pub currency: Currency,
}

/// What was taken over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// Assets that were registered, in order.
    pub assets: Vec<Asset>,
    /// Accounts that were opened, in order.
    pub accounts: Vec<AccountId>,
    /// Transactions, in order.
    pub transactions: Vec<TransactionId>,
    /// What was in the books already, and left as it is, in order of the lines.
    pub known: Vec<Known>,
}

/// Something of the file that is in the books already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The line.
    pub line: u64,
    /// What it is: `account` or `transaction`.
    pub what: &'static str,
    /// The account's code, or the transaction's external id.
    pub name: String,
}

/// What becomes of what is in the books already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnKnown {
    /// It is left as it is, and the rest is taken over.
    Skip,
    /// It is refused, and so is the whole file.
    Refuse,
}

/// What cannot be taken over, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// The line.
    pub line: u64,
    /// The field that would have to be another.
    pub field: &'static str,
    /// Why.
    pub rule: ImportError,
}

/// Why something cannot be taken over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// The code is registered with another exponent.
    #[error("the asset is registered with {} decimal places: {registered:?}", .registered.exponent())]
    ExponentDiffers {
        /// As it is registered.
        registered: Currency,
    },
    /// It is in the books already, and that was not to be.
    #[error("is in the books already")]
    Known,
    /// Another transaction has the name, or the former id.
    #[error("{by} has it already, and says something else")]
    NameTaken {
        /// The transaction that has it.
        by: TransactionId,
    },
    /// The code names an account in another currency.
    #[error("the account is there already and holds {holds:?}")]
    CurrencyDiffers {
        /// What it holds.
        holds: Currency,
    },
    /// The code names an account that grows on the other side.
    #[error("the account is there already and grows on the other side")]
    SideDiffers,
    /// The code names no account, neither here nor there.
    #[error("there is no account {code:?}")]
    NoSuchAccount {
        /// The code.
        code: Arc<str>,
    },
    /// It breaks a rule of posting.
    #[error(transparent)]
    Post(PostError),
    /// What it reverses does not fit either.
    #[error("what it reverses is refused itself")]
    NothingToReverse,
    /// It is no reversal of what it says it reverses.
    #[error("a reversal moves back what a posting of the other transaction has moved")]
    NoReversal,
    /// It breaks a rule of reversing.
    #[error(transparent)]
    Reverse(ReverseError),
    /// The books there count otherwise.
    #[error("its entries come to {comes_to}")]
    BalanceDiffers {
        /// As the entries say, in units of the currency.
        comes_to: String,
    },
    /// It cannot be left so.
    #[error(transparent)]
    Change(ChangeError),
}

/// Takes books over. What is in them already is skipped, or refused.
///
/// # Errors
/// Every [`Misfit`], at most 100 of them; the shelf is then as it was.
pub fn import(
    shelf: &mut Shelf,
    import: &Import,
    on_known: OnKnown,
    ids: &mut Ids,
    now: Timestamp,
) -> Result<Imported, Vec<Misfit>> {
    let before = shelf.clone();
    let mut done = Imported::default();
    match register_assets(shelf, &import.accounts, now) {
        Ok(assets) => done.assets = assets,
        // Nothing can be said of an account that cannot be opened.
        Err(misfits) => {
            *shelf = before;
            return Err(misfits);
        }
    }
    let mut misfits = Vec::new();
    let (opened, known) = open_accounts(shelf, &import.accounts, (ids, now), &mut misfits);
    done.known = known;
    // What became of each transaction, for those that reverse it.
    let mut recorded: Vec<Option<TransactionId>> = Vec::with_capacity(import.transactions.len());
    for transaction in &import.transactions {
        if misfits.len() >= MOST_MISFITS {
            break;
        }
        let reverses = transaction.reverses.and_then(|of| *recorded.get(of)?);
        if let Some(posted) = identity::known(shelf, transaction) {
            let by = posted.id;
            if identity::is_same(shelf, posted, transaction, reverses) {
                done.known.push(transaction.known());
            } else {
                misfits.push(transaction.misfit(ImportError::NameTaken { by }));
            }
            recorded.push(Some(by));
            continue;
        }
        let id = TransactionId::from_bytes(ids.next(now));
        let written = match transaction.reverses {
            None => post_one(shelf, transaction, id, now),
            Some(number) => {
                let of = recorded.get(number).copied().flatten();
                let of = of.zip(import.transactions.get(number));
                reverse_one(shelf, transaction, of, id, now)
            }
        };
        if written.is_ok() {
            done.transactions.push(id);
        }
        recorded.push(written.is_ok().then_some(id));
        misfits.extend(written.err());
    }
    if on_known == OnKnown::Refuse {
        misfits.extend(done.known.iter().map(Known::refused));
        misfits.sort_by_key(|misfit| misfit.line);
    }
    if misfits.is_empty() {
        for (account, id) in opened {
            misfits.extend(leave(shelf, account, id).err());
            done.accounts.push(id);
        }
    }
    if misfits.is_empty() {
        return Ok(done);
    }
    *shelf = before;
    misfits.truncate(MOST_MISFITS);
    Err(misfits)
}

impl ForeignTransaction {
    fn known(&self) -> Known {
        Known {
            line: self.line,
            what: "transaction",
            name: self.external_id.clone().unwrap_or_default(),
        }
    }

    const fn misfit(&self, rule: ImportError) -> Misfit {
        Misfit {
            line: self.line,
            field: "external_id",
            rule,
        }
    }
}

impl Known {
    fn refused(&self) -> Misfit {
        Misfit {
            line: self.line,
            field: self.what,
            rule: ImportError::Known,
        }
    }
}

fn post_one(
    shelf: &mut Shelf,
    transaction: &ForeignTransaction,
    id: TransactionId,
    now: Timestamp,
) -> Result<(), Misfit> {
    let mut postings = Vec::with_capacity(transaction.postings.len());
    for posting in &transaction.postings {
        let account = |code: &Arc<str>| {
            shelf.id_of(code).ok_or_else(|| Misfit {
                line: posting.line,
                field: "account",
                rule: ImportError::NoSuchAccount { code: code.clone() },
            })
        };
        postings.push(Posting {
            debit: account(&posting.debit)?,
            credit: account(&posting.credit)?,
            amount: posting.amount,
            currency: posting.currency,
        });
    }
    let new = NewTransaction {
        external_id: transaction.external_id.clone(),
        description: transaction.description.clone(),
        metadata: transaction.metadata.clone(),
        effective_at: transaction.effective_at.unwrap_or(now),
        ..NewTransaction::plain(id, transaction.kind, postings, now)
    };
    let refused = |rule| {
        let (field, posting) = blamed(&rule);
        let posting = posting.and_then(|at| transaction.postings.get(at));
        Misfit {
            line: posting.map_or(transaction.line, |posting| posting.line),
            field,
            rule: ImportError::Post(rule),
        }
    };
    post(shelf, new).map(|_posted| ()).map_err(refused)
}

/// Reverses again what is reversed there: the ledger has to come to the same movements.
fn reverse_one(
    shelf: &mut Shelf,
    transaction: &ForeignTransaction,
    of: Option<(TransactionId, &ForeignTransaction)>,
    id: TransactionId,
    now: Timestamp,
) -> Result<(), Misfit> {
    let misfit = |rule| Misfit {
        line: transaction.line,
        field: "about",
        rule,
    };
    let (of, original) = of.ok_or_else(|| misfit(ImportError::NothingToReverse))?;
    let mut parts: Vec<Part> = Vec::with_capacity(transaction.postings.len());
    for posting in &transaction.postings {
        // Here the postings of a transaction are numbered from 0 on, whatever they were there.
        let found = (0_i16..)
            .zip(&original.postings)
            .find(|(_, candidate)| candidate.number == posting.number);
        let swapped = found.filter(|(_, candidate)| {
            candidate.debit == posting.credit
                && candidate.credit == posting.debit
                && candidate.currency == posting.currency
        });
        let (ordinal, _) = swapped.ok_or(Misfit {
            line: posting.line,
            field: "posting",
            rule: ImportError::NoReversal,
        })?;
        parts.push((ordinal, posting.amount));
    }
    let heading = Heading {
        external_id: transaction.external_id.clone(),
        description: transaction.description.clone(),
        metadata: transaction.metadata.clone(),
        effective_at: transaction.effective_at.unwrap_or(now),
        ..Heading::plain(id, transaction.kind, now)
    };
    let reversal = NewReversal {
        heading,
        of,
        amounts: Amounts::OfPostings(parts),
        conditions: Vec::new(),
    };
    let reversed = reverse(shelf, reversal);
    reversed.map(|_posted| ()).map_err(|rule| {
        let is_when = matches!(
            rule,
            ReverseError::PeriodClosed { .. } | ReverseError::EffectiveInTheFuture { .. }
        );
        Misfit {
            field: if is_when { "effective_at" } else { "about" },
            ..misfit(ImportError::Reverse(rule))
        }
    })
}

/// Which field would have to be another, and of which posting.
const fn blamed(rule: &PostError) -> (&'static str, Option<usize>) {
    match rule {
        PostError::ExternalIdTaken { .. } => ("external_id", None),
        PostError::NoPostings | PostError::TooManyPostings => ("posting", None),
        PostError::SameAccount { posting } | PostError::AccountNotFound { posting, .. } => {
            ("account", Some(*posting))
        }
        PostError::CurrencyMismatch { posting, .. } => ("currency", Some(*posting)),
        PostError::AccountFrozen { .. } | PostError::AccountClosed { .. } => ("account", None),
        PostError::PeriodClosed { .. } | PostError::EffectiveInTheFuture { .. } => {
            ("effective_at", None)
        }
        PostError::CurrencyWithdrawn { posting, .. } => ("effective_at", Some(*posting)),
        PostError::Overflow { .. }
        | PostError::InsufficientFunds { .. }
        | PostError::CeilingExceeded { .. }
        // Nothing that is imported is pending or has conditions.
        | PostError::ConditionElsewhere { .. }
        | PostError::ExpiresTooSoon { .. }
        | PostError::VersionMismatch { .. }
        | PostError::ConditionFailed { .. } => ("amount", None),
    }
}
