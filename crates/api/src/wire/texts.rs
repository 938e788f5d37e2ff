//! What texts and numbers on the wire look like: shapes, each under its name. A reader of a request takes
//! its `SHAPE`; a field of a reply says `#[schema(value_type = AccountId)]` beside the type that it really
//! has.

use edge::strict_json::Guarded;
use edge::{Labels, Shape};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

/// Names a shape, with the words that the description has for it.
macro_rules! shapes {
    ($(#[doc = $says:literal] $name:ident: $built:expr;)+) => {$(
        #[doc = $says]
        #[derive(Debug)]
        pub struct $name;

        impl $name {
            /// The shape.
            pub const SHAPE: Shape = $built.named(stringify!($name), $says);
        }

        impl ToSchema for $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                Self::SHAPE.schema()
            }
        }
    )+};
}

/// The most characters of a text of the domain.
const fn most<T: Guarded>() -> usize {
    T::MOST
}

/// The bounds of metadata.
pub const METADATA: Labels = Labels {
    most: 50,
    longest_key: 40,
    longest: 500,
};

shapes! {
    /// The id of an account.
    AccountId: Shape::id("acc_").example("acc_019f0d5c2b7a7c3e8f10a1b2c3d4e5f6");
    /// The id of a transaction.
    TransactionId: Shape::id("txn_").example("txn_019f0d5c2b7a7c3e8f10a1b2c3d4e5f6");
    /// The id of a payment.
    PaymentId: Shape::id("pay_").example("pay_019f0d5c2b7a7c3e8f10a1b2c3d4e5f6");
    /// A place in the chart of accounts: levels of visible ASCII, separated by single colons.
    AccountCode: Shape::pattern("^[!-9;-~]+(:[!-9;-~]+)*$").length(1, 255).example("liabilities:wallets:ann");
    /// A code of ISO 4217, or that of a custom asset.
    CurrencyCode: Shape::pattern("^[A-Z][A-Z0-9]{2,9}$").example("EUR");
    /// A code of ISO 4217.
    IsoCurrencyCode: Shape::pattern("^[A-Z]{3}$").example("EUR");
    /// A moment in UTC with microseconds (RFC 3339).
    Moment: Shape::moment(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$").example("2026-11-21T09:30:00.000000Z");
    /// A moment in any zone with at most microseconds (RFC 3339), from 1900-01-01 to 9998-12-31.
    NewMoment: Shape::moment(r"^(19[0-9]{2}|[2-8][0-9]{3}|9[0-8][0-9]{2}|99[0-8][0-9]|999[0-8])-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$").example("2026-11-21T09:30:00Z");
    /// A moment that a question names, in any zone with at most microseconds (RFC 3339). Before 1900-01-01 and after 9998-12-31 it is no bound.
    AskedMoment: Shape::moment(r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$").example("2026-11-21T09:30:00Z");
    /// What a transaction is for, in a word of your own.
    Kind: Shape::pattern("^[a-z][a-z0-9_]{0,31}$").example("fee");
    /// A decimal: units of the bought currency for one unit of the sold one.
    Rate: Shape::pattern(r"^(0|[1-9][0-9]*)(\.[0-9]+)?$").length(0, 40).example("1.0842");
    /// A text of 1 to 255 characters.
    ShortText: Shape::text(1, most::<ledger::AccountName>());
    /// A provider's token: 1 to 255 characters, none of them a control character.
    ProviderToken: Shape::pattern(r"^[^\u0000-\u001f\u007f-\u009f]*$").length(1, most::<::payments::PaymentMethod>()).example("pm_succeeds");
    /// A text of 1 to 100 characters.
    SourceText: Shape::text(1, most::<ledger::RateSource>()).example("ECB reference rates");
    /// A text of 1 to 500 characters.
    LongText: Shape::text(1, most::<ledger::Description>());
    /// What you keep with something: at most 50 texts of at most 500 characters.
    Metadata: Shape::labels("^[A-Za-z0-9_.-]{1,40}$", METADATA).example_entry("order", "1042");
    /// What moves: minor units, at least one.
    Amount: Shape::integer(1, i64::MAX).example_number(1250);
    /// A balance or a limit: minor units of either sign.
    MinorUnits: Shape::integer(i64::MIN, i64::MAX).example_number(1250);
    /// Minor units, or a number of things: never below zero.
    Count: Shape::integer(0, i64::MAX).example_number(0);
    /// A sum over accounts in minor units. It may have more than 64 bits.
    Sum: Shape::sum().example_number(1250);
    /// The place of a posting in its transaction, from 0.
    Ordinal: Shape::small(0, 99).example_number(0);
    /// The decimal places of a minor unit: 6 means that 1 is a millionth.
    Exponent: Shape::small(0, 18).example_number(6);
}

shapes! {
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
    /// How far a payment is.
    PaymentStatus: Shape::words(&["requires_payment_method", "requires_confirmation", "processing", "succeeded", "canceled"]);
    /// Which of a transaction's two times counts: when it was recorded, or when it happened.
    TimeKind: Shape::words(&["recorded", "effective"]);
    /// What became of a webhook.
    ReceiptStatus: Shape::words(&["applied", "duplicate", "parked", "stored", "quarantined"]);
    /// How an amount becomes whole minor units.
    RoundingMode: Shape::words(&["half_even", "half_up", "down", "up"]);
    /// Which of the two amounts of an exchange was given.
    GivenSide: Shape::words(&["sold", "bought"]);
}
