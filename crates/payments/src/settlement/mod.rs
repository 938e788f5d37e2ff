//! Settlement and reconciliation: what the provider says that it owes us, what our bank says that has arrived, and what
//! the books say, held against each other.
//!
//! ```text
//! step 1   a line of a settlement report  ↔  an operation or a dispute     provider_payout_transit, psp_fees ← psp_clearing
//! step 2   a line of a bank statement     ↔  a settlement, or a payout     bank ← provider_payout_transit
//! ```
//!
//! A line is known again by its content and its ordinal among equal lines, so the same report can be read any number of
//! times, and overlapping reports add only what is new. A line is matched by rules in a fixed order and never by guess.
//! What is not matched is an exception ([`exception`]), which a person resolves.
//!
//! Nothing settles twice: the external id of the posting and an index of the lines forbid it.

mod absent;
mod bank;
mod bank_again;
mod bank_rows;
pub mod exception;
mod fees;
mod http;
mod loading;
mod proof;
mod resolve;
mod rows;
mod settle;
mod shelf;
pub mod show;

pub use absent::{OpenAbsent, absent};
pub use bank::{BankLine, BankTally, MatchBankLines};
pub use bank_again::{MatchOpenBankLines, OpenBankLine, open_bank_lines};
pub use proof::{CurrencyProof, Proof, Sum, proof};
pub use resolve::ResolveException;
pub use settle::{SettleLines, Tally};
pub use shelf::SettlementShelf;

pub(crate) use rows::{SettlementLineRow, SettlementRow};
pub(crate) use settle::set_of;
pub(crate) use shelf::{Difference, end_matched, open_exception};

use edge::Capability;
use money::Currency;

edge::codes! {
    EXCEPTION_RESOLVED: "exception_resolved" 409 INVALID_REQUEST NEVER FREE "The exception is resolved already";
    NOTHING_TO_POST: "nothing_to_post" 422 INVALID_REQUEST NEVER FREE "This exception cannot be resolved by a posting";
}

/// The routes and codes, for the edge.
pub(crate) const CAPABILITY: Capability = Capability {
    routes: http::routes,
    codes: ALL,
};

store::typed_id!(
    /// The id of a settlement: `set_…`.
    SettlementId,
    "set"
);

store::typed_id!(
    /// The id of a line of a settlement report: `srl_…`.
    SettlementLineId,
    "srl"
);

store::typed_id!(
    /// The id of a line of a bank statement: `bkl_…`.
    BankLineId,
    "bkl"
);

/// What a line of a settlement report is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LineKind {
    /// Money that was taken from a payer.
    Capture,
    /// Money that was given back.
    Refund,
    /// A refund that came back.
    RefundReturn,
    /// Disputed money that was withdrawn.
    Dispute,
    /// Disputed money that was given back.
    DisputeReversal,
    /// The settlement itself, as it was sent to our bank. It is no money of its own.
    Payout,
    /// A fee that belongs to no operation.
    Fee,
    /// Anything else.
    Adjustment,
}

impl LineKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Capture,
        Self::Refund,
        Self::RefundReturn,
        Self::Dispute,
        Self::DisputeReversal,
        Self::Payout,
        Self::Fee,
        Self::Adjustment,
    ];

    /// The name in reports, in the database and in answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Capture => "capture",
            Self::Refund => "refund",
            Self::RefundReturn => "refund_return",
            Self::Dispute => "dispute",
            Self::DisputeReversal => "dispute_reversal",
            Self::Payout => "payout",
            Self::Fee => "fee",
            Self::Adjustment => "adjustment",
        }
    }

    /// The kind of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The sign that the gross amount of such a line has: 1, -1, or 0 for either.
    #[must_use]
    pub const fn sign(self) -> i64 {
        match self {
            Self::Capture | Self::RefundReturn | Self::DisputeReversal => 1,
            Self::Refund | Self::Dispute => -1,
            Self::Payout | Self::Fee | Self::Adjustment => 0,
        }
    }
}

/// A line of a provider's settlement report. Amounts are minor units; `net` is `gross` less `fee`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportLine {
    /// Number of the line in the report, from 1.
    pub number: i64,
    /// SHA-256 of the content and of the ordinal among equal lines.
    pub content: [u8; 32],
    /// What the line is about.
    pub kind: LineKind,
    /// The provider's reference of its record; empty if there is none.
    pub reference: String,
    /// Our own reference, which the provider got with the operation; empty if there is none.
    pub our_reference: String,
    /// The amount before the provider's fee. Money that we lose is negative.
    pub gross: i64,
    /// The provider's fee, not negative.
    pub fee: i64,
    /// The currency.
    pub currency: Currency,
    /// The day of the line, in days since 1970.
    pub day: i32,
    /// The provider's name of the settlement; empty if the report does not tell it.
    pub settlement: String,
}

impl ReportLine {
    /// The amount less the fee.
    #[must_use]
    pub const fn net(&self) -> i64 {
        self.gross.saturating_sub(self.fee)
    }
}
