//! The shapes of the values of the books, by name. Their comments are texts of the API's description.

use edge::strict_json::Guarded;
use edge::{Labels, Shape};

pub use edge::shapes::*;

/// Greatest length of a text of the domain, in characters.
const fn max_length<T: Guarded>() -> usize {
    T::MAX_LENGTH
}

/// The bounds of metadata.
pub const METADATA: Labels = Labels {
    max_entries: 50,
    longest_key: 40,
    longest: 500,
};

edge::shapes! {
    /// The id of an account.
    AccountId: Shape::id("acc_").example("acc_019f0d5c2b7a7c3e8f10a1b2c3d4e5f6");
    /// The id of a transaction.
    TransactionId: Shape::id("txn_").example("txn_019f0d5c2b7a7c3e8f10a1b2c3d4e5f6");
    /// A place in the chart of accounts: levels of visible ASCII, separated by single colons.
    AccountCode: Shape::pattern("^[!-9;-~]+(:[!-9;-~]+)*$").length(1, 255).example("liabilities:wallets:ann");
    /// A code of ISO 4217, or that of a custom asset.
    CurrencyCode: Shape::pattern("^[A-Z][A-Z0-9]{2,9}$").example("EUR");
    /// What a transaction is for, in a word of your own.
    Kind: Shape::pattern("^[a-z][a-z0-9_]{0,31}$").example("fee");
    /// A decimal: units of the bought currency for one unit of the sold one.
    Rate: Shape::pattern(r"^(0|[1-9][0-9]*)(\.[0-9]+)?$").length(0, 40).example("1.0842");
    /// A text of 1 to 100 characters.
    SourceText: Shape::text(1, max_length::<ledger::RateSource>()).example("ECB reference rates");
    /// What you keep with something: at most 50 texts of at most 500 characters.
    Metadata: Shape::labels("^[A-Za-z0-9_.-]{1,40}$", METADATA).example_entry("order", "1042");
    /// What moves: minor units, at least one.
    Amount: Shape::integer(1, i64::MAX).example_number(1250);
    /// A balance or a limit: minor units of either sign.
    MinorUnits: Shape::integer(i64::MIN, i64::MAX).example_number(1250);
    /// A sum over accounts in minor units. It may have more than 64 bits.
    Sum: Shape::sum().example_number(1250);
    /// The place of a posting in its transaction, from 0.
    Ordinal: Shape::small(0, 99).example_number(0);
    /// The decimal places of a minor unit: 6 means that 1 is a millionth.
    Exponent: Shape::small(0, 18).example_number(6);
}

edge::shapes! {
    /// A side of an account.
    Side: Shape::words(&["debit", "credit"]);
    /// What an account is.
    AccountClass: Shape::words(&["asset", "liability", "equity", "income", "expense"]);
    /// Whether an account takes postings.
    AccountStatus: Shape::words(&["open", "frozen", "closed"]);
    /// How far a posting is; `settled` is pending before and posted now.
    Phase: Shape::words(&["pending", "posted", "settled", "released"]);
    /// What a transaction does; `post` is of a pending one.
    StepName: Shape::words(&["pending", "posted", "post", "void", "expiry", "reversal"]);
    /// What has become of a transaction.
    TransactionStatus: Shape::words(&["pending", "posted", "voided", "expired"]);
    /// Which of a transaction's two times counts: when it was recorded, or when it happened.
    TimeKind: Shape::words(&["recorded", "effective"]);
    /// How an amount becomes whole minor units.
    RoundingMode: Shape::words(&["half_even", "half_up", "down", "up"]);
    /// Which of the two amounts of an exchange was given.
    GivenSide: Shape::words(&["sold", "bought"]);
}
