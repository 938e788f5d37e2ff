//! What texts and numbers on the wire look like: shapes for the description, each under its name.
//! Nothing is made of these types. A field says `#[schema(value_type = AccountId)]` beside the type
//! that it really has.

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{
    AdditionalProperties, KnownFormat, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type,
};
use utoipa::{Number, PartialSchema, ToSchema};

/// The greatest amount and the greatest balance.
const MOST: isize = isize::MAX;
/// The least balance.
const LEAST: isize = isize::MIN;

/// Names a shape and says how it is built.
macro_rules! shapes {
    ($($(#[doc = $says:literal])+ $name:ident: $built:expr;)+) => {$(
        $(#[doc = $says])+
        #[derive(Debug)]
        pub struct $name;

        impl ToSchema for $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let says = [$($says.trim()),+].join(" ");
                RefOr::T($built.description(Some(says)).into())
            }
        }
    )+};
}

/// Names the words that a text can be.
macro_rules! words {
    ($($(#[doc = $says:literal])+ $name:ident: $words:expr;)+) => {
        shapes! { $($(#[doc = $says])+ $name: text().enum_values(Some($words));)+ }
    };
}

shapes! {
    /// The id of an account.
    AccountId: text().pattern(Some("^acc_[0-9a-f]{32}$")).examples(["acc_019f0d5c2b7a7c3e8f10a1b2c3d4e5f6"]);
    /// The id of a transaction.
    TransactionId: text().pattern(Some("^txn_[0-9a-f]{32}$")).examples(["txn_019f0d5c2b7a7c3e8f10a1b2c3d4e5f6"]);
    /// The id of a payment.
    PaymentId: text().pattern(Some("^pay_[0-9a-f]{32}$")).examples(["pay_019f0d5c2b7a7c3e8f10a1b2c3d4e5f6"]);
    /// A place in the chart of accounts: levels of visible ASCII, separated by single colons.
    AccountCode: text().pattern(Some("^[!-9;-~]+(:[!-9;-~]+)*$")).min_length(Some(1)).max_length(Some(255)).examples(["liabilities:wallets:ann"]);
    /// A code of ISO 4217, or that of a custom asset.
    CurrencyCode: text().pattern(Some("^[A-Z][A-Z0-9]{2,9}$")).examples(["EUR"]);
    /// A code of ISO 4217.
    IsoCurrencyCode: text().pattern(Some("^[A-Z]{3}$")).examples(["EUR"]);
    /// A moment in UTC with microseconds (RFC 3339).
    Moment: text().format(Some(moment())).pattern(Some(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$")).examples(["2026-11-21T09:30:00.000000Z"]);
    /// A moment in any zone with at most microseconds (RFC 3339), from 1900-01-01 to 9998-12-31.
    NewMoment: text().format(Some(moment())).pattern(Some(r"^(19[0-9]{2}|[2-8][0-9]{3}|9[0-8][0-9]{2}|99[0-8][0-9]|999[0-8])-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$")).examples(["2026-11-21T09:30:00Z"]);
    /// A moment that a question names, in any zone with at most microseconds (RFC 3339). Before 1900-01-01 and after 9998-12-31 it is no bound.
    AskedMoment: text().format(Some(moment())).pattern(Some(r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$")).examples(["2026-11-21T09:30:00Z"]);
    /// What a transaction is for, in a word of your own.
    Kind: text().pattern(Some("^[a-z][a-z0-9_]{0,31}$")).examples(["fee"]);
    /// A decimal: units of the bought currency for one unit of the sold one.
    Rate: text().pattern(Some(r"^(0|[1-9][0-9]*)(\.[0-9]+)?$")).max_length(Some(40)).examples(["1.0842"]);
    /// A text of 1 to 255 characters.
    ShortText: free_text(255);
    /// A provider's token: 1 to 255 characters, none of them a control character.
    ProviderToken: text().pattern(Some(r"^[^\u0000-\u001f\u007f-\u009f]*$")).min_length(Some(1)).max_length(Some(255)).examples(["pm_succeeds"]);
    /// A text of 1 to 100 characters.
    SourceText: free_text(100).examples(["ECB reference rates"]);
    /// A text of 1 to 500 characters.
    LongText: free_text(500);
    /// What you keep with something: at most 50 texts of at most 500 characters.
    Metadata: ObjectBuilder::new()
        .max_properties(Some(50))
        .property_names(Some(text().pattern(Some("^[A-Za-z0-9_.-]{1,40}$"))))
        .additional_properties(Some(AdditionalProperties::RefOr(RefOr::T(metadata_value()))))
        .examples([serde_json::json!({"order": "1042"})]);
    /// What moves: minor units, at least one.
    Amount: integer(1, MOST).examples([1250]);
    /// A balance or a limit: minor units of either sign.
    MinorUnits: integer(LEAST, MOST).examples([1250]);
    /// Minor units, or a number of things: never below zero.
    Count: integer(0, MOST).examples([0]);
    /// A sum over accounts in minor units. It may have more than 64 bits.
    Sum: ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(Number::Int(0))).examples([1250]);
    /// The place of a posting in its transaction, from 0.
    Ordinal: ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(Number::Int(0))).maximum(Some(Number::Int(99))).examples([0]);
    /// The decimal places of a minor unit: 6 means that 1 is a millionth.
    Exponent: ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(Number::Int(0))).maximum(Some(Number::Int(18))).examples([6]);
}

words! {
    /// A side of an account.
    Side: ["debit", "credit"];
    /// What an account is.
    AccountClass: ["asset", "liability", "equity", "income", "expense"];
    /// Whether an account takes postings.
    AccountStatus: ["open", "frozen", "closed"];
    /// How far a posting is; `settled` is pending before and posted now.
    Phase: ["pending", "posted", "settled", "released"];
    /// What a transaction does; `post` is of a pending one.
    StepName: ["pending", "posted", "post", "void", "expiry", "reversal"];
    /// What has become of a transaction.
    TransactionStatus: ["pending", "posted", "voided", "expired"];
    /// How far a payment is.
    PaymentStatus: ["requires_payment_method", "requires_confirmation", "processing", "succeeded", "canceled"];
    /// Which of a transaction's two times counts: when it was recorded, or when it happened.
    TimeKind: ["recorded", "effective"];
    /// What became of a webhook.
    ReceiptStatus: ["applied", "duplicate", "parked", "stored", "quarantined"];
    /// How an amount becomes whole minor units.
    RoundingMode: ["half_even", "half_up", "down", "up"];
    /// Which of the two amounts of an exchange was given.
    GivenSide: ["sold", "bought"];
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

/// Any characters but U+0000.
fn free_text(most: usize) -> ObjectBuilder {
    let text = text().pattern(Some(r"^[^\u0000]*$"));
    text.min_length(Some(1)).max_length(Some(most))
}

fn metadata_value() -> Schema {
    let value = text().pattern(Some(r"^[^\u0000]*$"));
    value.max_length(Some(500)).into()
}

fn integer(least: isize, most: isize) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::Integer))
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(Number::Int(least)))
        .maximum(Some(Number::Int(most)))
}

fn moment() -> SchemaFormat {
    SchemaFormat::KnownFormat(KnownFormat::DateTime)
}
