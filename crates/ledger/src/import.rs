//! Import of books from elsewhere: accounts and their earlier transactions, all of them or nothing.
//!
//! The history of a new account is posted first; its limits and its status are set afterwards. Both may have changed
//! in the course of the history, and new limits never undo earlier entries. An account that exists here already is
//! left unchanged, and its own limits apply. A reversal is imported as a reversal, so that the books still know how
//! much of the first transaction can be reversed.

mod accounts;
mod identity;

use std::sync::Arc;

use money::{Amount, Currency, MinorUnits};
use store::{Ids, Timestamp};

use accounts::{leave, open_accounts, register_assets};

use crate::{
    AccountId, AccountStatus, Amounts, Asset, ChangeError, Heading, Kind, Metadata, NewAccount,
    NewReversal, NewTransaction, Part, Posting, Refusal, Shelf, TransactionId, post, reverse,
};

/// Greatest number of misfits that are reported.
const MAX_MISFITS: usize = 100;

/// Books to import, in order. Line numbers are those of the file that was read.
#[derive(Debug, Clone, Default)]
pub struct Import {
    /// The accounts; no code occurs twice.
    pub accounts: Vec<ForeignAccount>,
    /// The final transactions, in the order in which they were recorded.
    pub transactions: Vec<ForeignTransaction>,
}

/// An account of other books.
#[derive(Debug, Clone)]
pub struct ForeignAccount {
    /// The line of the account.
    pub line: u64,
    /// The account to open.
    pub new: NewAccount,
    /// The status after the import.
    pub status: AccountStatus,
    /// The balance that the file states, if it states one.
    pub balance: Option<MinorUnits>,
}

/// A transaction of other books.
#[derive(Debug, Clone)]
pub struct ForeignTransaction {
    /// The first line of the transaction.
    pub line: u64,
    /// The purpose of the transaction.
    pub kind: Kind,
    /// The position of the earlier transaction that this one reverses, wholly or in part.
    pub reverses: Option<usize>,
    /// The postings.
    pub postings: Vec<ForeignPosting>,
    /// The external id, so that the transaction is imported once; `None`: it is made from the content, see
    /// [`Import::name_by_content`].
    pub external_id: Option<String>,
    /// The id that the transaction had in the books it comes from, if that is an id of Florin: the file may be an
    /// export of these same books.
    pub former: Option<TransactionId>,
    /// Free text for people.
    pub description: Option<String>,
    /// Metadata: texts that the tenant keeps here and Florin does not use.
    pub metadata: Option<Metadata>,
    /// The effective time; `None`: now.
    pub effective_at: Option<Timestamp>,
}

/// A posting between accounts that are named by their codes.
#[derive(Debug, Clone)]
pub struct ForeignPosting {
    /// The line of the posting.
    pub line: u64,
    /// The posting's number in the file. A posting of a reversal has the number of the posting that it reverses.
    pub number: i16,
    /// The code of the debited account.
    pub debit: Arc<str>,
    /// The code of the credited account.
    pub credit: Arc<str>,
    /// The amount, in minor units.
    pub amount: Amount,
    /// The currency of the amount.
    pub currency: Currency,
}

/// The result of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportResult {
    /// The assets that were registered, in order.
    pub assets: Vec<Asset>,
    /// The accounts that were opened, in order.
    pub accounts: Vec<AccountId>,
    /// The transactions that were posted, in order.
    pub transactions: Vec<TransactionId>,
    /// The accounts and transactions that were in the books already and left unchanged, in order of the lines.
    pub known: Vec<KnownItem>,
}

/// An account or transaction of the file that is in the books already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownItem {
    /// The line in the file.
    pub line: u64,
    /// Its type: `account` or `transaction`.
    pub what: &'static str,
    /// The account's code, or the transaction's external id.
    pub name: String,
}

/// The treatment of accounts and transactions that are in the books already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnKnown {
    /// Leave them unchanged and import the rest.
    Skip,
    /// Refuse the whole file.
    Refuse,
}

/// A part of the file that cannot be imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// The line in the file.
    pub line: u64,
    /// The field that would have to change.
    pub field: &'static str,
    /// The broken rule.
    pub rule: ImportError,
}

/// Why a part of a file cannot be imported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// The asset is registered with another exponent.
    #[error("the asset is registered with {} decimal places: {registered:?}", .registered.exponent())]
    ExponentDiffers {
        /// The registered asset.
        registered: Currency,
    },
    /// The account or transaction is in the books already, and the request does not allow that.
    #[error("is in the books already")]
    Known,
    /// Another transaction has this external id, or this former id.
    #[error("{by} has it already, and says something else")]
    NameTaken {
        /// The transaction that has this id.
        by: TransactionId,
    },
    /// The code names an account with another currency.
    #[error("the account is there already and holds {holds:?}")]
    CurrencyDiffers {
        /// The currency of that account.
        holds: Currency,
    },
    /// The code names an account that grows on the other side.
    #[error("the account is there already and grows on the other side")]
    SideDiffers,
    /// The code names no account, neither in the books nor in the file.
    #[error("there is no account {code:?}")]
    NoSuchAccount {
        /// The code that was not found.
        code: Arc<str>,
    },
    /// A rule of posting or of reversing is broken.
    #[error(transparent)]
    Step(Refusal),
    /// The transaction that this one reverses cannot be imported either.
    #[error("what it reverses is refused itself")]
    NothingToReverse,
    /// The postings do not reverse the transaction that is named.
    #[error("a reversal moves back what a posting of the other transaction has moved")]
    NoReversal,
    /// The balance that the file states is not the sum of the entries.
    #[error("its entries come to {comes_to}")]
    BalanceDiffers {
        /// The sum of the entries, in units of the currency.
        comes_to: String,
    },
    /// The account cannot be left with the stated status or limits.
    #[error(transparent)]
    Change(ChangeError),
}

/// Imports books. Accounts and transactions that are in the books already are skipped or refused.
///
/// # Errors
/// All [`Misfit`]s, at most 100; the shelf is then unchanged.
pub fn import(
    shelf: &mut Shelf,
    import: &Import,
    on_known: OnKnown,
    ids: &mut Ids,
    now: Timestamp,
) -> Result<ImportResult, Vec<Misfit>> {
    let before = shelf.clone();
    let mut done = ImportResult::default();
    match register_assets(shelf, &import.accounts, now) {
        Ok(assets) => done.assets = assets,
        // An account that cannot be opened cannot be checked further.
        Err(misfits) => {
            *shelf = before;
            return Err(misfits);
        }
    }
    let mut misfits = Vec::new();
    let (opened, known) = open_accounts(shelf, &import.accounts, (ids, now), &mut misfits);
    done.known = known;
    // The recorded id of each transaction, for the reversals that refer to it.
    let mut recorded: Vec<Option<TransactionId>> = Vec::with_capacity(import.transactions.len());
    for transaction in &import.transactions {
        if misfits.len() >= MAX_MISFITS {
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
        misfits.extend(done.known.iter().map(KnownItem::refused));
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
    misfits.truncate(MAX_MISFITS);
    Err(misfits)
}

impl ForeignTransaction {
    fn known(&self) -> KnownItem {
        KnownItem {
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

impl KnownItem {
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
            rule: ImportError::Step(rule),
        }
    };
    post(shelf, new).map(|_posted| ()).map_err(refused)
}

/// Reverses what the file states as reversed. The reversal must make the same movements as the file.
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
        // The postings of the transaction are numbered from 0 here, whatever their numbers in the file are.
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
        let is_when = matches!(blamed(&rule), ("effective_at", _));
        Misfit {
            field: if is_when { "effective_at" } else { "about" },
            ..misfit(ImportError::Step(rule))
        }
    })
}

/// The field that would have to change, and the position of its posting.
const fn blamed(rule: &Refusal) -> (&'static str, Option<usize>) {
    match rule {
        Refusal::ExternalIdTaken { .. } => ("external_id", None),
        Refusal::NoPostings | Refusal::TooManyPostings => ("posting", None),
        Refusal::SameAccount { posting } | Refusal::AccountNotFound { posting, .. } => {
            ("account", Some(*posting))
        }
        Refusal::CurrencyMismatch { posting, .. } => ("currency", Some(*posting)),
        Refusal::AccountFrozen { .. } | Refusal::AccountClosed { .. } => ("account", None),
        Refusal::PeriodClosed { .. } | Refusal::EffectiveInTheFuture { .. } => {
            ("effective_at", None)
        }
        Refusal::CurrencyWithdrawn { posting, .. } => ("effective_at", *posting),
        Refusal::Overflow { .. }
        | Refusal::InsufficientFunds { .. }
        | Refusal::CeilingExceeded { .. } => ("amount", None),
        // Rules of reversing. The other rules are never broken here: an imported transaction is not pending,
        // exchanges nothing and has no conditions.
        Refusal::NoAmounts { .. }
        | Refusal::PostingNamedTwice { .. }
        | Refusal::TransactionNotFound { .. }
        | Refusal::PostingNotFound { .. }
        | Refusal::NotReversible { .. }
        | Refusal::NotAnExchange { .. }
        | Refusal::LegAlone
        | Refusal::Reversed
        | Refusal::ExceedsPosted { .. }
        | Refusal::ExceedsLeg { .. }
        | Refusal::ShareTooSmall { .. }
        | Refusal::NotInProportion { .. }
        | Refusal::ConditionElsewhere { .. }
        | Refusal::ExpiresTooSoon { .. }
        | Refusal::NotPending { .. }
        | Refusal::Ended { .. }
        | Refusal::Expired { .. }
        | Refusal::NotExpired
        | Refusal::ExceedsPending { .. }
        | Refusal::SameCurrency { .. }
        | Refusal::SidesDiffer { .. }
        | Refusal::AmountTooSmall
        | Refusal::AmountTooLarge
        | Refusal::VersionMismatch { .. }
        | Refusal::ConditionFailed { .. } => ("about", None),
    }
}
