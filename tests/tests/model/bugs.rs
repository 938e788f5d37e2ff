//! The bugs that are planted in the reference. Each is a switch: with it the reference is wrong in one place, and the
//! real ledger must be seen to disagree.

macro_rules! bugs {
    ($($list:ident { $($bug:ident: $says:literal),+ $(,)? })+) => {
        /// The way in which the reference is wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Bug {
            $($(#[doc = $says] $bug),+),+
        }

        impl Bug {
            $(pub(crate) const $list: &[(Bug, &str)] = &[$((Bug::$bug, $says)),+];)+
        }
    };
}

bugs! {
    // First the bugs of the books, then those of requests, which are noticed behind lanes.
    OF_BOOKS {
    // Entries.
    WrongSign: "the debited account is credited, and the credited one debited",
    OneSided: "the credited account gets nothing",
    AssetsGrowOnCredit: "an asset's balance grows on the credit side",
    IncomeGrowsOnDebit: "an income's balance grows on the debit side",
    VersionOncePerTransaction: "an account's version counts transactions, not entries",
    VersionNotBumpedByRelease: "a release is an entry without a number",
    FulfilmentAddsToPosted: "what is settled is posted, and what was pending of it is not released",
    PendingIsPosted: "what is only promised is posted at once",
    CountersWrap: "a counter may pass 2^63 - 1",
    OverflowOfPostedAlone: "what is posted may pass 2^63 - 1 together with what is pending",
    // Posting.
    ExternalIdNotKept: "an external id can be used twice",
    ExternalIdOfPostingsAlone: "the external id of a later step is not kept",
    ExternalIdLookedAtLast: "posting: the shape is looked at before the external id",
    RefusedKeepsItsName: "a refused transaction keeps its external id",
    RefusedLeavesTraces: "a refused transaction leaves what it moved before the rule was broken",
    SameAccount: "an account may move money to itself",
    OneTooMany: "a transaction may have 101 postings",
    ConditionElsewhere: "a condition may be about an account that no posting names",
    ExpiresAtOnce: "what is promised may expire in the very moment it is recorded",
    HappensInTheFuture: "what happens may happen at any time later",
    FutureOffByOne: "what happens exactly five minutes later is refused",
    VoidsInTheFuture: "what is voided may be voided at any time later",
    AnyCurrency: "a posting may move what its accounts do not hold",
    CurrencyOfTheDebit: "only the debited account's currency is looked at",
    PostsToFrozen: "a frozen account takes postings",
    ClosedBeforeFrozen: "posting: of a frozen and a closed account the closed one is named",
    PeriodOffByOne: "what happened at the very moment before which the books are closed is refused",
    PromisesInClosedPeriods: "what is promised may have happened in a closed period",
    VersionsLookedAtAfterwards: "a condition's version is compared after the transaction's entries",
    FloorOffByOne: "an account may not be lowered to its very floor",
    FloorByPostedMoney: "the floor is compared with what is posted, whatever is pending",
    FloorLookedAtBefore: "the floor is looked at before the transaction, not after",
    FloorLookedAtPerPosting: "the floor is looked at after each posting, not at the end",
    FloorWhateverTheWay: "an account below its floor may not even be raised",
    FloorIgnoredOnPending: "what is promised is not compared with the floor",
    CreditLineForgotten: "a credit line does not lower the floor",
    CeilingOffByOne: "an account may not be raised to its very ceiling",
    CeilingIgnoredOnPending: "what is promised is not compared with the ceiling",
    CeilingOfPostedAlone: "the ceiling is compared with what is posted, whatever is pending",
    CeilingBeforeFloor: "of floor and ceiling the ceiling is named first",
    LimitsBeforeVersions: "limits are looked at before a condition's version",
    ConditionLookedAtBefore: "a condition's available amount is compared before the transaction",
    ConditionOfPosted: "a condition's available amount is compared with what is posted",
    ConditionOffByOne: "a condition wants one more than it says",
    // Currencies that end.
    KunaGoesOn: "a withdrawn currency is used for ever",
    EndsOneLater: "what happens at the very end of a currency is entered as if there still were one",
    EmptiedPastZero: "what is emptied may come out on the other side of zero",
    NothingIsConverted: "what is converted is not collected on an account",
    PromisesOutliveTheEnd: "what was promised in a currency is posted in it after its end",
    // Fulfilling pending transactions.
    FulfilsMoreThanRemains: "more of a posting is posted than it still holds",
    FulfilsTheWholeAgain: "after a part, all of the promised amount is posted, not the rest",
    ExceedsUnasked: "more than a posting holds is posted though nobody wished it",
    ExceedingIsFulfilled: "what exceeds a hold is settled, as if it had been held",
    ExceedsBelowFloor: "what exceeds a hold may lower an account below its floor",
    ExceedsAboveCeiling: "what exceeds a hold may raise an account above its ceiling",
    FulfilsExpired: "what has expired can be posted until somebody sweeps it",
    ExpiresTooLate: "what expires can still be posted at the very moment of its expiry",
    RestIsKept: "the last part does not release the rest",
    RestIsAlwaysReleased: "any part releases the rest",
    LaterPartWins: "a posting may be given two amounts, of which the later counts",
    FulfilsOnFrozen: "a frozen account lets what is held be posted",
    FrozenThoughUnmoved: "a frozen account that a part does not move is in its way",
    EndedAfterExpired: "of ended and expired the latter is named",
    // Voiding and expiring.
    VoidKeepsHolding: "what is voided is no longer pending, and still counts against the account",
    VoidReleasesAll: "what is voided releases all that was promised, though a part was posted",
    VoidsExpired: "what has expired can be voided",
    ExpiresTooEarly: "what has one microsecond left can expire",
    ExpiryIsAVoid: "what expires is said to be voided",
    VoidedAfterAPart: "what was posted in part and then voided is said to be posted",
    VoidsInClosedPeriods: "what is voided may be voided in a closed period",
    // Reversing.
    ReversalNotTracked: "what was reversed can be reversed again",
    ReversalTheSameWay: "a reversal does not swap debit and credit",
    ReversesReversals: "a reversal can be reversed",
    ReversesPending: "what is pending can be reversed",
    ReversesReleases: "the release of the rest is reversed with the settlement",
    ReversalBelowFloor: "a reversal may lower an account below its floor",
    ReversalAboveCeiling: "a reversal may raise an account above its ceiling",
    ReversalInTheirOrder: "parts are reversed in the order of the postings, not as they are named",
    ToldAsAsked: "a reversal is told in the order in which its parts were named",
    ReversesTheWholeAgain: "after a part, all that was posted is reversed, not the rest",
    LegAlone: "one leg of an exchange can be reversed alone",
    AnyProportion: "both legs of an exchange can be reversed in any proportion",
    ShareIsUp: "the share of the other leg is rounded up",
    ShareOfThisTime: "the share of the other leg follows from this amount alone, whatever was reversed before",
    LegOfAny: "an amount of a leg is taken for that of a posting, where nothing was exchanged",
    // Accounts and periods.
    CodeTwice: "two accounts may have one code",
    ClosesWithPending: "an account with pending entries can be closed",
    ClosesWithBalance: "an account with a balance can be closed",
    BalanceBeforePending: "of a balance and pending entries the balance is named first",
    FrozenStays: "a frozen account cannot be closed",
    ReopensClosed: "a closed account can be opened again",
    LimitsOfClosed: "a closed account can be given limits",
    RevisionNotBumped: "a change of limits is not counted",
    LimitsUndone: "other limits are set only if the balance is within them",
    PeriodGoesBack: "a period can be opened again",
    PeriodAgain: "a period can be closed twice up to the same moment",
    PeriodNotNow: "the very moment that is now cannot be closed",
    // Exchanging currencies.
    RateTheSameWay: "what is bought is given, and the rate is applied as if it were sold",
    ExponentsForgotten: "an exchange counts minor units, whatever fraction of a unit they are",
    EvenIsUp: "exactly half a minor unit is rounded up, where the even one is asked for",
    UpIsCutOff: "what is to be rounded up is cut off",
    NothingIsOne: "what comes to nothing is exchanged for one minor unit",
    ExchangesTheSame: "a currency is exchanged for itself",
    SidesMayDiffer: "an asset is exchanged for a liability",
    AllGiveOnDebit: "an asset that is sold grows",
    OneLegAlone: "what is bought is not posted",
    TermsAreLost: "the terms of an exchange are not kept",
    RestartForgetsTerms: "a restart forgets the terms of exchanges",
    // Two writers, crashes and restarts.
    SecondWriterOverwrites: "of two writers the second writes over what the first has done",
    StaleDecisionStands: "of two writers the second answers as of before the first",
    CrashIsRemembered: "what was decided before a crash is remembered",
    CrashForgetsTooMuch: "a crash forgets the batch before, too",
    RestartOpensPeriods: "a restart forgets the closed period",
    RestartForgetsCorrections: "a restart forgets what was reversed",
    RestartReleases: "a restart forgets what is held",
    }
    OF_REQUESTS {
    // Many steps in one command.
    AllIsSome: "of all or none, what was decided before the first refusal stays",
    NoneKeepsNames: "of all or none, a refused one keeps its external ids",
    LastRefusalIsNamed: "of all or none, the last that is refused is named, not the first",
    ManyAreOne: "of many that stand by themselves a refused one takes the others with it",
    OneStopsTheRest: "of many that stand by themselves none is looked at after a refused one",
    EachIsBlind: "of many none sees what those before it have done",
    // Idempotency keys.
    KeysAreNotKept: "a request that is sent again has its effect again",
    RefusalsAreNotKept: "a request that was refused is decided again when it is sent again",
    MistakesAreKept: "a mistake in a request cannot be mended under its key",
    AnyBodyIsTheSame: "another request under a key is answered as the first was",
    ToldAsItIsNow: "an answer that is given again tells how the account stands by now",
    RestartForgetsKeys: "a restart forgets the keys",
    CrashKeepsKeys: "a crash takes the effect of a request, and leaves its key",
    CrashKeepsEffects: "a crash takes the key of a request, and leaves its effect",
    // Dry runs.
    DryRunsAreReal: "a dry run leaves what it did",
    DryRunsKeepNames: "a dry run leaves its external ids",
    DryRunsNumberEntries: "a dry run leaves the numbers of its entries taken",
    DryRunsKeepKeys: "a dry run is the request that its key names",
    DryRunsLookAtNoKey: "a dry run under the key of another request is decided",
    }
}
