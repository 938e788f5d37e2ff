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
    /// The code of a currency of ISO 4217, or of a custom asset.
    CurrencyCode: Shape::pattern("^[A-Z][A-Z0-9]{2,9}$").example("EUR");
    /// The purpose of a transaction, in a word of your own.
    Kind: Shape::pattern("^[a-z][a-z0-9_]{0,31}$").example("fee");
    /// A decimal number: units of the bought currency for one unit of the sold currency.
    Rate: Shape::pattern(r"^(0|[1-9][0-9]*)(\.[0-9]+)?$").length(0, 40).example("1.0842");
    /// A text of 1 to 100 characters.
    SourceText: Shape::text(1, max_length::<ledger::RateSource>()).example("ECB reference rates");
    /// Metadata that you keep with a resource: at most 50 texts of at most 500 characters, by key.
    Metadata: Shape::labels("^[A-Za-z0-9_.-]{1,40}$", METADATA).example_entry("order", "1042");
    /// An amount in minor units. It is at least 1.
    Amount: Shape::integer(1, i64::MAX).example_number(1250);
    /// A balance or a limit in minor units. It may be negative.
    MinorUnits: Shape::integer(i64::MIN, i64::MAX).example_number(1250);
    /// A sum over accounts in minor units. It may have more than 64 bits.
    Sum: Shape::sum().example_number(1250);
    /// The place of a posting in its transaction, from 0.
    Ordinal: Shape::small(0, 99).example_number(0);
    /// The number of decimal places of a minor unit: 6 means that an amount of 1 is a millionth.
    Exponent: Shape::small(0, 18).example_number(6);
}

edge::shapes! {
    /// A side of an account.
    Side: Shape::words(&["debit", "credit"]);
    /// The class of an account.
    AccountClass: Shape::words(&["asset", "liability", "equity", "income", "expense"]);
    /// Whether an account takes postings.
    AccountStatus: Shape::words(&["open", "frozen", "closed"]);
    /// The phase of a posting. `settled` means that it was pending before and is posted now.
    Phase: Shape::words(&["pending", "posted", "settled", "released"]);
    /// The step that a transaction makes. `post` posts a pending transaction.
    StepName: Shape::words(&["pending", "posted", "post", "void", "expiry", "reversal"]);
    /// The present status of a transaction.
    TransactionStatus: Shape::words(&["pending", "posted", "voided", "expired"]);
    /// The time of a transaction that counts: the time when it was recorded, or the time when it happened.
    TimeKind: Shape::words(&["recorded", "effective"]);
    /// How an amount is rounded to whole minor units.
    RoundingMode: Shape::words(&["half_even", "half_up", "down", "up"]);
    /// Which of the two amounts of an exchange was given.
    GivenSide: Shape::words(&["sold", "bought"]);
}
