//! Requests to the books and their answers: the types that the real ledger and the reference have in common.

use ledger::{
    Account, AccountClass, AccountId, ChangeError, Correction, Entry, Exchange, Hold, Limits,
    LimitsError, Metadata, NewExchange, NewFulfilment, NewRelease, NewReversal, NewTransaction,
    OpenError, PeriodError, RecordedPosting, RecordedTransaction, Step, TransactionId,
};
use money::{Currency, MinorUnits};
use store::Timestamp;

/// A request for one step.
#[derive(Debug, Clone)]
pub(crate) enum Instruction {
    Open(AccountId, Opening, Timestamp),
    Post(NewTransaction),
    Fulfil(NewFulfilment),
    Void(NewRelease),
    Expire(NewRelease),
    Reverse(NewReversal),
    Exchange(NewExchange),
    Change(AccountId, Change),
    ClosePeriod { before: Timestamp, now: Timestamp },
}

impl Instruction {
    /// True for a movement, which can be one of many.
    pub(crate) fn is_action(&self) -> bool {
        match self {
            Self::Post(_)
            | Self::Fulfil(_)
            | Self::Void(_)
            | Self::Reverse(_)
            | Self::Exchange(_) => true,
            Self::Open(..) | Self::Expire(_) | Self::Change(..) | Self::ClosePeriod { .. } => false,
        }
    }
}

/// An account to open; its name is its code.
#[derive(Debug, Clone)]
pub(crate) struct Opening {
    pub(crate) code: String,
    pub(crate) currency: Currency,
    pub(crate) class: AccountClass,
    pub(crate) bounds: Bounds,
}

/// Limits, valid or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) floor: Option<i64>,
    pub(crate) ceiling: Option<i64>,
    pub(crate) line: Option<i64>,
}

/// A change of an account.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    Freeze,
    Unfreeze,
    Close,
    Limits(Bounds),
    Metadata(Option<Metadata>),
}

/// A request of a client.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) form: Form,
    /// True for a dry run.
    pub(crate) dry_run: bool,
    pub(crate) claim: Option<Claim>,
}

/// One step, or many as one command: all or none, or each on its own.
#[derive(Debug, Clone)]
pub(crate) enum Form {
    One(Box<Instruction>),
    Many(Vec<Instruction>, bool),
}

impl Form {
    pub(crate) fn asked(&self) -> &[Instruction] {
        match self {
            Self::One(asked) => std::slice::from_ref(&**asked),
            Self::Many(asked, _) => asked,
        }
    }

    pub(crate) fn asked_mut(&mut self) -> &mut [Instruction] {
        match self {
            Self::One(asked) => std::slice::from_mut(&mut **asked),
            Self::Many(asked, _) => asked,
        }
    }
}

/// An idempotency key, and the number of the request with it: another number is another request.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    pub(crate) key: String,
    pub(crate) body: u128,
}

/// An event of the books as a whole.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// Steps that are written together.
    Batch {
        asked: Vec<Instruction>,
        /// True if the rows are locked before they are read.
        locks: bool,
        /// True if the connection is lost before the commit.
        crashes: bool,
    },
    /// Two writers: the second decides before the first one writes, and writes after it.
    Race {
        first: Vec<Instruction>,
        second: Vec<Instruction>,
    },
    /// Requests that clients send at once to one of the lanes.
    Requests {
        requests: Vec<Request>,
        lane: usize,
        /// True if nothing can be committed any more.
        crashes: bool,
    },
    /// Time passes, and nothing else happens.
    Wait,
    /// Everything in memory is dropped.
    Restart,
    /// Everything is read, as of a moment.
    Look(Timestamp),
}

/// An answer of the books.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    /// An account as it was opened or changed.
    Stands(Box<Standing>),
    Moved(Box<Moved>),
    PeriodClosed,
    Refused(Refusal),
    /// All of many were refused, because of the one at this position. It has the code of the rule only, because the
    /// data of the rule may name the id of another one of them, which no client sees.
    RefusedAt(usize, &'static str),
    /// The answer to a request, perhaps not for the first time.
    Reply {
        again: bool,
        answers: Vec<Answer>,
    },
    /// The key belongs to another request.
    KeyReused,
    Seen(Box<Seen>),
}

/// The broken rule of any operation, with all its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    Limits(LimitsError),
    Open(OpenError),
    Step(ledger::Refusal),
    Change(ChangeError),
    Period(PeriodError),
}

impl Refusal {
    /// The code of the rule.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::Limits(_) => "limits",
            Self::Open(rule) => rule.code(),
            Self::Step(rule) => rule.code(),
            Self::Change(rule) => rule.code(),
            Self::Period(rule) => rule.code(),
        }
    }
}

/// An account and its balances: posted, pending, available, possible.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Standing {
    pub(crate) account: Account,
    pub(crate) balances: [i128; 4],
}

/// A transaction that was recorded.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Moved {
    pub(crate) id: TransactionId,
    pub(crate) step: Step,
    pub(crate) about: Option<TransactionId>,
    pub(crate) external_id: Option<String>,
    pub(crate) metadata: Option<Metadata>,
    pub(crate) effective_at: Timestamp,
    pub(crate) recorded_at: Timestamp,
    pub(crate) postings: Vec<RecordedPosting>,
}

/// The whole visible state.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Seen {
    pub(crate) accounts: Vec<(Standing, Vec<Entry>)>,
    pub(crate) transactions: Vec<Moved>,
    pub(crate) holds: Vec<Hold>,
    pub(crate) corrections: Vec<Correction>,
    pub(crate) exchanges: Vec<Exchange>,
    pub(crate) closed_before: Option<Timestamp>,
    /// The transactions that could expire now.
    pub(crate) expired: Vec<TransactionId>,
}

/// The first answer that differs, in both versions.
pub(crate) fn difference(one: &[Answer], other: &[Answer]) -> Option<String> {
    if one == other {
        return None;
    }
    let (mut ones, mut others) = (one.iter(), other.iter());
    let mut place = 0;
    loop {
        match (ones.next(), others.next()) {
            (Some(Answer::Seen(one)), Some(Answer::Seen(other))) if one != other => {
                return Some(first_line(&format!("{one:#?}"), &format!("{other:#?}")));
            }
            (Some(one), Some(other)) if one == other => place += 1,
            (one, other) => return Some(format!("answer {place}: {one:?}, not {other:?}")),
        }
    }
}

/// The first line that differs, with the lines before it.
pub(crate) fn first_line(one: &str, other: &str) -> String {
    let beside = one.lines().zip(other.lines());
    let same = beside.take_while(|(one, other)| one == other).count();
    let of = |text: &str| text.lines().skip(same).take(1).collect::<String>();
    let before: Vec<&str> = one.lines().take(same).collect();
    let before = before[before.len().saturating_sub(40)..].join("\n");
    format!("{before}\n{}, not{}", of(one), of(other))
}

macro_rules! refusals {
    ($($variant:ident($error:ty)),+) => {
        $(impl From<$error> for Refusal {
            fn from(rule: $error) -> Self {
                Self::$variant(rule)
            }
        })+
    };
}
refusals!(
    Limits(LimitsError),
    Open(OpenError),
    Step(ledger::Refusal),
    Change(ChangeError),
    Period(PeriodError)
);

/// The limits as the type of the real ledger.
pub(crate) fn limits(bounds: Bounds) -> Result<Limits, LimitsError> {
    let units = |amount: Option<i64>| amount.map(MinorUnits::new);
    Limits::new(
        units(bounds.floor),
        units(bounds.ceiling),
        units(bounds.line),
    )
}

/// The account as the real ledger has it.
impl From<&Account> for Standing {
    fn from(account: &Account) -> Self {
        let balances = [
            account.posted(),
            account.pending(),
            account.available(),
            account.possible(),
        ];
        Self {
            account: account.clone(),
            balances: balances.map(|balance: MinorUnits| i128::from(balance.get())),
        }
    }
}

/// The transaction as the real ledger has it.
impl From<RecordedTransaction> for Moved {
    fn from(posted: RecordedTransaction) -> Self {
        Self {
            id: posted.id,
            step: posted.step,
            about: posted.about,
            external_id: posted.external_id,
            metadata: posted.metadata,
            effective_at: posted.effective_at,
            recorded_at: posted.recorded_at,
            postings: posted.postings,
        }
    }
}
