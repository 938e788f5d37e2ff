//! The column `kept` of the codes, compared with the rules of the engine for every refusal.

use books::Refusal;
use ledger::{
    AccountId, AccountStatus, ChangeError, DescribeError, ExchangeError, HoldStatus, Leg,
    OpenError, PeriodError, PostError, RegisterError, ReleaseError, ReverseError, SettleError,
    Step, TransactionId,
};
use money::{Currency, Day};
use store::Timestamp;

const ACCOUNT: AccountId = AccountId::from_bytes([1; 16]);
const TRANSACTION: TransactionId = TransactionId::from_bytes([2; 16]);
const AT: Timestamp = Timestamp::EARLIEST;

fn mark() -> (Currency, Day) {
    let currency = Currency::from_stored("DEM");
    let found = currency
        .ok()
        .and_then(|own| Some((own, own.withdrawn_since()?)));
    found.unwrap_or_else(|| unreachable!("the mark was withdrawn"))
}

fn of_posting() -> Vec<PostError> {
    let (currency, since) = mark();
    let (account, posting) = (ACCOUNT, 0);
    vec![
        PostError::ExternalIdTaken { by: TRANSACTION },
        PostError::NoPostings,
        PostError::TooManyPostings,
        PostError::SameAccount { posting },
        PostError::ConditionElsewhere { condition: 0 },
        PostError::ExpiresTooSoon { expires_at: AT },
        PostError::EffectiveInTheFuture { latest: AT },
        PostError::AccountNotFound { posting, account },
        PostError::CurrencyMismatch {
            posting,
            account,
            holds: currency,
            asked: currency,
        },
        PostError::AccountFrozen { account },
        PostError::AccountClosed { account },
        PostError::PeriodClosed { closed_before: AT },
        PostError::VersionMismatch {
            account,
            version: 1,
            wanted: 2,
        },
        PostError::Overflow { account },
        PostError::CurrencyWithdrawn {
            posting,
            currency,
            since,
        },
        PostError::InsufficientFunds {
            account,
            available: 0,
            floor: 0,
        },
        PostError::CeilingExceeded {
            account,
            possible: 0,
            ceiling: 0,
        },
        PostError::ConditionFailed {
            account,
            available: 0,
            wanted: 1,
        },
    ]
}

fn of_settling() -> Vec<SettleError> {
    let (account, ordinal, step) = (ACCOUNT, 0, Step::Void);
    let (currency, since) = mark();
    vec![
        SettleError::ExternalIdTaken { by: TRANSACTION },
        SettleError::NoAmounts,
        SettleError::PostingNamedTwice { ordinal },
        SettleError::EffectiveInTheFuture { latest: AT },
        SettleError::TransactionNotFound {
            transaction: TRANSACTION,
        },
        SettleError::PostingNotFound { ordinal },
        SettleError::NotPending { step },
        SettleError::Ended {
            how: HoldStatus::Voided,
        },
        SettleError::Expired { expires_at: AT },
        SettleError::ExceedsPending {
            ordinal,
            remaining: 1,
        },
        SettleError::ConditionElsewhere { condition: 0 },
        SettleError::AccountFrozen { account },
        SettleError::AccountClosed { account },
        SettleError::PeriodClosed { closed_before: AT },
        SettleError::VersionMismatch {
            account,
            version: 1,
            wanted: 2,
        },
        SettleError::Overflow { account },
        SettleError::CurrencyWithdrawn { currency, since },
        SettleError::InsufficientFunds {
            account,
            available: 0,
            floor: 0,
        },
    ]
}

fn of_releasing() -> Vec<ReleaseError> {
    vec![
        ReleaseError::ExternalIdTaken { by: TRANSACTION },
        ReleaseError::EffectiveInTheFuture { latest: AT },
        ReleaseError::TransactionNotFound {
            transaction: TRANSACTION,
        },
        ReleaseError::NotPending { step: Step::Void },
        ReleaseError::Ended {
            how: HoldStatus::Voided,
        },
        ReleaseError::Expired { expires_at: AT },
        ReleaseError::NotExpired,
        ReleaseError::ConditionElsewhere { condition: 0 },
        ReleaseError::PeriodClosed { closed_before: AT },
        ReleaseError::Overflow { account: ACCOUNT },
    ]
}

fn of_reversing() -> Vec<ReverseError> {
    let (account, ordinal, leg) = (ACCOUNT, 0, Leg::Sold);
    vec![
        ReverseError::ExternalIdTaken { by: TRANSACTION },
        ReverseError::NoAmounts,
        ReverseError::PostingNamedTwice { ordinal },
        ReverseError::EffectiveInTheFuture { latest: AT },
        ReverseError::TransactionNotFound {
            transaction: TRANSACTION,
        },
        ReverseError::PostingNotFound { ordinal },
        ReverseError::NotReversible { step: Step::Void },
        ReverseError::NotAnExchange { leg },
        ReverseError::LegAlone,
        ReverseError::Reversed,
        ReverseError::ExceedsPosted {
            ordinal,
            remaining: 1,
        },
        ReverseError::ExceedsLeg { leg, remaining: 1 },
        ReverseError::AmountTooSmall { leg },
        ReverseError::NotInProportion { bought: 1 },
        ReverseError::ConditionElsewhere { condition: 0 },
        ReverseError::AccountFrozen { account },
        ReverseError::PeriodClosed { closed_before: AT },
        ReverseError::Overflow { account },
    ]
}

fn all() -> Vec<Refusal> {
    let (currency, _) = mark();
    let account = ACCOUNT;
    let mut all = vec![
        Refusal::Register(RegisterError::CodeTaken { by: currency }),
        Refusal::Open(OpenError::CodeTaken { by: ACCOUNT }),
        Refusal::Open(OpenError::AssetNotRegistered { currency }),
        Refusal::Exchange(ExchangeError::SameCurrency { currency }),
        Refusal::Exchange(ExchangeError::SidesDiffer {
            from: account,
            to: account,
        }),
        Refusal::Exchange(ExchangeError::AmountTooSmall),
        Refusal::Exchange(ExchangeError::AmountTooLarge),
        Refusal::Change(ChangeError::AccountNotFound { account }),
        Refusal::Change(ChangeError::WrongStatus {
            account,
            status: AccountStatus::Frozen,
        }),
        Refusal::Change(ChangeError::HasPending { account }),
        Refusal::Change(ChangeError::HasBalance {
            account,
            balance: 1,
        }),
        Refusal::Describe(DescribeError::TransactionNotFound {
            transaction: TRANSACTION,
        }),
        Refusal::Period(PeriodError::InTheFuture { now: AT }),
        Refusal::Period(PeriodError::Closed { closed_before: AT }),
    ];
    for rule in of_posting() {
        let from = ACCOUNT;
        all.push(Refusal::Transfer { from, rule });
    }
    all.extend(of_posting().into_iter().map(Refusal::Post));
    let exchanged = of_posting().into_iter().map(ExchangeError::Post);
    all.extend(exchanged.map(Refusal::Exchange));
    all.extend(of_settling().into_iter().map(Refusal::Settle));
    all.extend(of_releasing().into_iter().map(Refusal::Release));
    all.extend(of_reversing().into_iter().map(Refusal::Reverse));
    all
}

#[test]
fn a_code_is_kept_exactly_where_its_refusal_is_saved() {
    for refusal in all() {
        let code = crate::render::refused(&refusal).code();
        assert_eq!(code.kept, refusal.is_kept(), "{} {refusal:?}", code.name);
        let refusal = Refusal::At {
            index: 3,
            refusal: Box::new(refusal),
        };
        let code = crate::render::refused(&refusal).code();
        assert_eq!(code.kept, refusal.is_kept(), "{} {refusal:?}", code.name);
    }
}
