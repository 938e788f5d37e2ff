//! The rules of each operation, in the order in which they are checked. `docs/ledger-errors.md` is printed from
//! these lists, and the tests break the rules in this order.

/// A rule: its code, which never changes, and its text.
pub type Rule = (&'static str, &'static str);

macro_rules! rules {
    ($($rule:ident $code:literal $text:literal)+) => {
        $(pub(super) const $rule: Rule = ($code, $text);)+
    };
}

// Each rule is listed once. If an operation has its own text for a rule, the text is in the list of the operation.
rules! {
    EXTERNAL_ID_TAKEN "external_id_taken" "An external id names one transaction of a tenant."
    NO_POSTINGS "no_postings" "A transaction has a posting."
    TOO_MANY_POSTINGS "too_many_postings" "A transaction has at most 100 postings."
    SAME_ACCOUNT "same_account" "A posting's two accounts differ."
    NO_AMOUNTS "no_amounts" "Amounts, where they are given, are at least one."
    POSTING_NAMED_TWICE "posting_named_twice" "A posting is given one amount."
    CONDITION_ELSEWHERE "condition_elsewhere" "A condition is about an account that is moved."
    EXPIRES_TOO_SOON "expires_too_soon" "What is pending expires after it is recorded."
    EFFECTIVE_IN_THE_FUTURE "effective_in_the_future" "What happens, happens at most five minutes after it is recorded."
    TRANSACTION_NOT_FOUND "transaction_not_found" "The transaction exists, and is the tenant's."
    POSTING_NOT_FOUND "posting_not_found" "The transaction has the postings that are named."
    NOT_PENDING "not_pending" "Only a pending transaction is posted."
    ENDED "ended" "Something of it is still held."
    EXPIRED "expired" "Its time is not over."
    NOT_EXPIRED "not_expired" "What expires has expired."
    EXCEEDS_PENDING "exceeds_pending" "No more of a posting is posted than it still holds, unless `exceed` is wished."
    NOT_REVERSIBLE "not_reversible" "Only what was posted is reversed, and no reversal."
    NOT_AN_EXCHANGE "not_an_exchange" "What is sold or bought is named of an exchange alone."
    LEG_ALONE "leg_alone" "An exchange is reversed whole, or in a share of both sides."
    REVERSED "reversed" "Something of it is not reversed yet."
    EXCEEDS_POSTED "exceeds_posted" "No more of a posting is reversed than was posted."
    NOT_IN_PROPORTION "not_in_proportion" "Of an exchange, both sides are reversed in the same share."
    ACCOUNT_NOT_FOUND "account_not_found" "Both accounts of each posting exist, and are the tenant's."
    CURRENCY_MISMATCH "currency_mismatch" "Both accounts of each posting hold its currency."
    SAME_CURRENCY "same_currency" "What is bought is not what is sold."
    SIDES_DIFFER "sides_differ" "The account that gives and the one that gets grow on the same side."
    AMOUNT_TOO_SMALL "amount_too_small" "What follows from the rate is at least one minor unit."
    AMOUNT_TOO_LARGE "amount_too_large" "What follows from the rate is at most 2^63 - 1."
    ACCOUNT_FROZEN "account_frozen" "No account is frozen."
    ACCOUNT_CLOSED "account_closed" "No account is closed."
    PERIOD_CLOSED "period_closed" "What happened, happened in an open period."
    VERSION_MISMATCH "version_mismatch" "Each account is at the version that a condition names."
    BALANCE_OVERFLOW "balance_overflow" "No counter, nor what is posted and pending together, passes 2^63 - 1."
    CURRENCY_WITHDRAWN "currency_withdrawn" "What happened after the end of a withdrawn currency only empties balances in it."
    INSUFFICIENT_FUNDS "insufficient_funds" "No account is lowered below its floor less its credit line, counting what is pending against it."
    CEILING_EXCEEDED "ceiling_exceeded" "No account is raised above its ceiling, counting what is pending in favour of it."
    CONDITION_FAILED "condition_failed" "Each account has as much available afterwards as a condition names."
}

/// The rule in an operation's own words.
const fn says((code, _): Rule, text: &'static str) -> Rule {
    (code, text)
}

const PENDING_NOT_FOUND: Rule = says(
    TRANSACTION_NOT_FOUND,
    "The pending transaction exists, and is the tenant's.",
);

/// The rules of [`post`](crate::post()).
pub const POST: &[Rule] = &[
    EXTERNAL_ID_TAKEN,
    NO_POSTINGS,
    TOO_MANY_POSTINGS,
    SAME_ACCOUNT,
    says(
        CONDITION_ELSEWHERE,
        "A condition is about an account that some posting names.",
    ),
    EXPIRES_TOO_SOON,
    EFFECTIVE_IN_THE_FUTURE,
    ACCOUNT_NOT_FOUND,
    CURRENCY_MISMATCH,
    ACCOUNT_FROZEN,
    ACCOUNT_CLOSED,
    PERIOD_CLOSED,
    VERSION_MISMATCH,
    BALANCE_OVERFLOW,
    CURRENCY_WITHDRAWN,
    INSUFFICIENT_FUNDS,
    CEILING_EXCEEDED,
    CONDITION_FAILED,
];

/// The rules of [`fulfil`](crate::fulfil()).
pub const FULFIL: &[Rule] = &[
    EXTERNAL_ID_TAKEN,
    NO_AMOUNTS,
    POSTING_NAMED_TWICE,
    EFFECTIVE_IN_THE_FUTURE,
    PENDING_NOT_FOUND,
    says(
        POSTING_NOT_FOUND,
        "The pending transaction has the postings that are named.",
    ),
    NOT_PENDING,
    ENDED,
    EXPIRED,
    EXCEEDS_PENDING,
    CONDITION_ELSEWHERE,
    ACCOUNT_FROZEN,
    ACCOUNT_CLOSED,
    PERIOD_CLOSED,
    VERSION_MISMATCH,
    BALANCE_OVERFLOW,
    CURRENCY_WITHDRAWN,
    says(
        INSUFFICIENT_FUNDS,
        "No account is lowered below its floor less its credit line by what exceeds a hold.",
    ),
    says(
        CEILING_EXCEEDED,
        "No account is raised above its ceiling by what exceeds a hold.",
    ),
    CONDITION_FAILED,
];

/// The rules of [`void`](crate::void) and of [`expire`](crate::expire). Only a void is refused because the time of
/// expiry has come, and only an expiry because it has not come.
pub const RELEASE: &[Rule] = &[
    EXTERNAL_ID_TAKEN,
    EFFECTIVE_IN_THE_FUTURE,
    PENDING_NOT_FOUND,
    says(
        NOT_PENDING,
        "Only a pending transaction is voided, or expires.",
    ),
    ENDED,
    says(EXPIRED, "What is voided has not expired."),
    NOT_EXPIRED,
    CONDITION_ELSEWHERE,
    PERIOD_CLOSED,
    VERSION_MISMATCH,
    says(BALANCE_OVERFLOW, "No counter passes 2^63 - 1."),
    CONDITION_FAILED,
];

/// The rules of [`reverse`](crate::reverse()).
pub const REVERSE: &[Rule] = &[
    EXTERNAL_ID_TAKEN,
    NO_AMOUNTS,
    POSTING_NAMED_TWICE,
    EFFECTIVE_IN_THE_FUTURE,
    TRANSACTION_NOT_FOUND,
    POSTING_NOT_FOUND,
    NOT_REVERSIBLE,
    NOT_AN_EXCHANGE,
    LEG_ALONE,
    REVERSED,
    EXCEEDS_POSTED,
    says(
        AMOUNT_TOO_SMALL,
        "Of an exchange, the share of the other side is at least one minor unit.",
    ),
    NOT_IN_PROPORTION,
    CONDITION_ELSEWHERE,
    ACCOUNT_FROZEN,
    ACCOUNT_CLOSED,
    PERIOD_CLOSED,
    VERSION_MISMATCH,
    BALANCE_OVERFLOW,
    INSUFFICIENT_FUNDS,
    CEILING_EXCEEDED,
    CONDITION_FAILED,
];

/// The rules of [`exchange`](crate::exchange()).
pub const EXCHANGE: &[Rule] = &[
    EXTERNAL_ID_TAKEN,
    SAME_ACCOUNT,
    says(
        CONDITION_ELSEWHERE,
        "A condition is about one of the four accounts.",
    ),
    EFFECTIVE_IN_THE_FUTURE,
    says(
        ACCOUNT_NOT_FOUND,
        "All four accounts exist, and are the tenant's.",
    ),
    says(
        CURRENCY_MISMATCH,
        "Each liquidity account holds the currency that goes through it.",
    ),
    SAME_CURRENCY,
    SIDES_DIFFER,
    AMOUNT_TOO_SMALL,
    AMOUNT_TOO_LARGE,
    ACCOUNT_FROZEN,
    ACCOUNT_CLOSED,
    PERIOD_CLOSED,
    VERSION_MISMATCH,
    BALANCE_OVERFLOW,
    CURRENCY_WITHDRAWN,
    INSUFFICIENT_FUNDS,
    CEILING_EXCEEDED,
    CONDITION_FAILED,
];

/// The rules of [`describe`](crate::describe()).
pub const DESCRIBE: &[Rule] = &[TRANSACTION_NOT_FOUND];
