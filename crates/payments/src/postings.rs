//! The postings of payments.

use ledger::{
    AccountClass, AccountCode, AccountId, AccountName, Kind, Limits, NewAccount, NewTransaction,
    Posting, Refusal, TransactionId,
};
use money::{Amount, Currency};
use store::{Ids, Timestamp};

use crate::payouts::payout::Payout;
use crate::payouts::state::PayoutState;
use crate::{Operation, OperationId, OperationKind, OperationState, Payment};

struct Role {
    code: &'static str,
    name: &'static str,
    class: AccountClass,
    limits: Limits,
}

/// The account of the money that the provider owes us.
const PSP_CLEARING: Role = Role {
    code: "assets:psp_clearing",
    name: "Provider clearing",
    class: AccountClass::Asset,
    limits: Limits::NONE,
};
/// The account of the money that we owe the merchant and that is not yet available.
const MERCHANT_PENDING: Role = Role {
    code: "liabilities:merchant_pending",
    name: "Merchant, pending",
    class: AccountClass::Liability,
    limits: Limits::NONE,
};
/// The account of the money that the merchant can have. It is never overdrawn by a payout or a refund.
const MERCHANT_AVAILABLE: Role = Role {
    code: "liabilities:merchant_available",
    name: "Merchant, available",
    class: AccountClass::Liability,
    limits: Limits::NO_OVERDRAFT,
};
/// The account of the fees for captures.
const FEES: Role = Role {
    code: "income:fees",
    name: "Fees",
    class: AccountClass::Income,
    limits: Limits::NONE,
};
/// The account of the money that is on its way back to payers.
const REFUNDS_IN_TRANSIT: Role = Role {
    code: "liabilities:refunds_in_transit",
    name: "Refunds in transit",
    class: AccountClass::Liability,
    limits: Limits::NONE,
};
/// The account of the money that is on its way to a bank account.
const PAYOUTS_IN_TRANSIT: Role = Role {
    code: "liabilities:payouts_in_transit",
    name: "Payouts in transit",
    class: AccountClass::Liability,
    limits: Limits::NONE,
};
/// The account of our money at the bank.
const BANK: Role = Role {
    code: "assets:bank",
    name: "Bank",
    class: AccountClass::Asset,
    limits: Limits::NONE,
};
/// Not an account of its own, but the one that a payout is paid from: a wallet, or the merchant's available money.
const SOURCE: Role = Role {
    code: "the account that pays",
    ..MERCHANT_AVAILABLE
};
/// The account of what payers' banks have reserved for us. It is a memorandum: nobody owes us this money yet, and
/// the counter account takes it off the balance sheet.
const AUTH_HOLD: Role = Role {
    code: "memo:auth_hold",
    name: "Authorized",
    class: AccountClass::Asset,
    limits: Limits::NONE,
};
/// The counter account of [`AUTH_HOLD`].
const AUTH_HOLD_CONTRA: Role = Role {
    code: "memo:auth_hold_contra",
    name: "Authorized, counter account",
    class: AccountClass::Liability,
    limits: Limits::NONE,
};

/// The accounts of the merchant's balance, without the currency: pending, available, reserved, in transit.
pub(crate) const BALANCES: [&str; 4] = [
    MERCHANT_PENDING.code,
    MERCHANT_AVAILABLE.code,
    "liabilities:reserve",
    PAYOUTS_IN_TRANSIT.code,
];

/// The amount of an operation that a line posts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Share {
    /// The amount of the operation.
    Amount,
    /// The amount less the fee.
    Net,
    /// The fee.
    Fee,
    /// The part of the authorization that it has taken.
    Reserved,
    /// The part of a refund that pending money pays.
    FromPending,
    /// The part of a refund that available money pays.
    FromAvailable,
    /// The money that was made available.
    MadeAvailable,
}

/// One line of a posting set: debit, credit, amount.
type Line = (&'static Role, &'static Role, Share);

/// A posting set: what one step of an operation posts. An operation has each set at most once, because the name of
/// the operation and the set is the external id of the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PostingSet {
    /// The kind of the transaction.
    pub(crate) kind: &'static str,
    lines: &'static [Line],
}

impl PartialEq for Role {
    fn eq(&self, other: &Self) -> bool {
        self.code == other.code
    }
}

impl Eq for Role {}

impl std::fmt::Debug for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code)
    }
}

/// The money is reserved at the payer's bank.
pub(crate) const AUTHORIZED: PostingSet = PostingSet {
    kind: "payment_authorization",
    lines: &[(&AUTH_HOLD, &AUTH_HOLD_CONTRA, Share::Amount)],
};
/// The money was taken. Of a charge, nothing was reserved before; of a capture, the memorandum goes.
pub(crate) const CAPTURED: PostingSet = PostingSet {
    kind: "capture",
    lines: &[
        (&PSP_CLEARING, &MERCHANT_PENDING, Share::Net),
        (&PSP_CLEARING, &FEES, Share::Fee),
        (&AUTH_HOLD_CONTRA, &AUTH_HOLD, Share::Reserved),
    ],
};
/// What was left of the authorization is released.
pub(crate) const RELEASED: PostingSet = PostingSet {
    kind: "payment_release",
    lines: &[(&AUTH_HOLD_CONTRA, &AUTH_HOLD, Share::Reserved)],
};
/// A refund was made. It is on its way until the provider reports its outcome.
pub(crate) const REFUND_MADE: PostingSet = PostingSet {
    kind: "payment_refund",
    lines: &[
        (&MERCHANT_PENDING, &REFUNDS_IN_TRANSIT, Share::FromPending),
        (
            &MERCHANT_AVAILABLE,
            &REFUNDS_IN_TRANSIT,
            Share::FromAvailable,
        ),
    ],
};
/// The provider has given the money back.
pub(crate) const REFUND_DONE: PostingSet = PostingSet {
    kind: "payment_refund_done",
    lines: &[(&REFUNDS_IN_TRANSIT, &PSP_CLEARING, Share::Amount)],
};
/// The provider has refused the refund: the money goes to where it came from.
pub(crate) const REFUND_FAILED: PostingSet = PostingSet {
    kind: "payment_refund_failed",
    lines: &[
        (&REFUNDS_IN_TRANSIT, &MERCHANT_PENDING, Share::FromPending),
        (
            &REFUNDS_IN_TRANSIT,
            &MERCHANT_AVAILABLE,
            Share::FromAvailable,
        ),
    ],
};
/// A refund came back after it was done.
pub(crate) const REFUND_RETURNED: PostingSet = PostingSet {
    kind: "payment_refund_return",
    lines: &[(&PSP_CLEARING, &MERCHANT_AVAILABLE, Share::Amount)],
};
/// The day has come on which pending money is available.
pub(crate) const MADE_AVAILABLE: PostingSet = PostingSet {
    kind: "payment_available",
    lines: &[(&MERCHANT_PENDING, &MERCHANT_AVAILABLE, Share::MadeAvailable)],
};

/// A payout was made. It is on its way until the provider reports its outcome.
pub(crate) const PAYOUT_MADE: PostingSet = PostingSet {
    kind: "payment_payout",
    lines: &[(&SOURCE, &PAYOUTS_IN_TRANSIT, Share::Amount)],
};
/// The provider has paid.
pub(crate) const PAYOUT_PAID: PostingSet = PostingSet {
    kind: "payment_payout_paid",
    lines: &[(&PAYOUTS_IN_TRANSIT, &BANK, Share::Amount)],
};
/// The provider has refused the payout: the money goes to where it came from.
pub(crate) const PAYOUT_FAILED: PostingSet = PostingSet {
    kind: "payment_payout_failed",
    lines: &[(&PAYOUTS_IN_TRANSIT, &SOURCE, Share::Amount)],
};
/// A payout came back after it was paid.
pub(crate) const PAYOUT_RETURNED: PostingSet = PostingSet {
    kind: "payment_payout_return",
    lines: &[(&BANK, &SOURCE, Share::Amount)],
};

/// Every posting set.
pub(crate) const ALL: [PostingSet; 12] = [
    AUTHORIZED,
    CAPTURED,
    RELEASED,
    REFUND_MADE,
    REFUND_DONE,
    REFUND_FAILED,
    REFUND_RETURNED,
    MADE_AVAILABLE,
    PAYOUT_MADE,
    PAYOUT_PAID,
    PAYOUT_FAILED,
    PAYOUT_RETURNED,
];

impl PostingSet {
    /// The amounts of its lines, in order. A line of nothing is left out.
    pub(crate) fn amounts(&self, operation: &Operation) -> Vec<i64> {
        let lines = self.lines.iter();
        let amounts = lines.map(|(_, _, share)| share.of(operation));
        amounts.filter(|amount| *amount > 0).collect()
    }

    /// The external id of an operation's transaction.
    pub(crate) fn external_id(&self, operation: OperationId) -> String {
        format!("{operation}:{}", self.kind)
    }
}

impl Share {
    const fn of(self, operation: &Operation) -> i64 {
        let amount = operation.money.amount.get();
        match self {
            Self::Amount => amount,
            Self::Net => amount.saturating_sub(operation.fee),
            Self::Fee => operation.fee,
            Self::Reserved => operation.reserved,
            Self::FromPending => operation.from_pending,
            Self::FromAvailable => amount.saturating_sub(operation.from_pending),
            Self::MadeAvailable => operation.made_available,
        }
    }
}

/// The sets that a kind of operation posts when it is made, when it has succeeded, and when it has failed.
pub(crate) const fn sets(
    kind: OperationKind,
) -> (Option<PostingSet>, PostingSet, Option<PostingSet>) {
    match kind {
        OperationKind::Charge | OperationKind::Capture => (None, CAPTURED, None),
        OperationKind::Authorize | OperationKind::Increment => (None, AUTHORIZED, None),
        OperationKind::Void => (None, RELEASED, None),
        OperationKind::Refund => (Some(REFUND_MADE), REFUND_DONE, Some(REFUND_FAILED)),
        OperationKind::RefundReturn => (None, REFUND_RETURNED, None),
        OperationKind::Payout => (Some(PAYOUT_MADE), PAYOUT_PAID, Some(PAYOUT_FAILED)),
        OperationKind::PayoutReturn => (None, PAYOUT_RETURNED, None),
    }
}

/// The sets that an operation must have in the books: of its kind, and of its state.
pub(crate) fn sets_of(operation: &Operation) -> Vec<PostingSet> {
    let (made, succeeded, failed) = sets(operation.kind);
    // What waits for money was not made yet.
    let made = made.filter(|_| operation.state != OperationState::Created);
    let available = (operation.made_available > 0).then_some(MADE_AVAILABLE);
    let ended = match operation.state {
        OperationState::Created | OperationState::Submitted | OperationState::Unknown => None,
        OperationState::Succeeded => Some(succeeded),
        OperationState::Failed => failed,
    };
    made.into_iter().chain(ended).chain(available).collect()
}

impl Role {
    fn code(&self, currency: Currency) -> String {
        let code = if *self == SOURCE {
            MERCHANT_AVAILABLE.code
        } else {
            self.code
        };
        format!("{code}:{currency}")
    }

    /// The account of a role. It is opened when it is first needed.
    fn account(
        &self,
        books: &mut ledger::Shelf,
        currency: Currency,
        ids: &mut Ids,
        now: Timestamp,
    ) -> AccountId {
        let code = self.code(currency);
        if let Some(known) = books.id_of(&code) {
            return known;
        }
        let id = AccountId::from_bytes(ids.next(now));
        let new = NewAccount {
            code: AccountCode::trusted(code),
            name: AccountName::trusted(format!("{} ({currency})", self.name)),
            currency,
            class: self.class,
            limits: self.limits,
            metadata: None,
        };
        // The code was just looked up, so no other account can have it.
        match ledger::open(books, id, new, now) {
            Ok(account) => account.id,
            Err(ledger::OpenError::CodeTaken { by }) => by,
            // Payments have currencies of ISO 4217. With any other, the posting would be refused because of the
            // missing account.
            Err(ledger::OpenError::AssetNotRegistered { .. }) => id,
        }
    }
}

/// Posts a set of an operation.
pub(crate) fn post(
    books: &mut ledger::Shelf,
    operation: &Operation,
    set: PostingSet,
    ids: &mut Ids,
    now: Timestamp,
) -> Result<(), Refusal> {
    let currency = operation.money.currency;
    let mut postings = Vec::with_capacity(set.lines.len());
    for (debit, credit, share) in set.lines {
        if let Ok(amount) = Amount::new(share.of(operation)) {
            let mut account = |role: &Role| match operation.source {
                Some(source) if *role == SOURCE => source,
                Some(_) | None => role.account(books, currency, ids, now),
            };
            postings.push(Posting {
                debit: account(debit),
                credit: account(credit),
                amount,
                currency,
            });
        }
    }
    let id = TransactionId::from_bytes(ids.next(now));
    // The name of every set is a kind.
    let kind = Kind::parse(set.kind).unwrap_or(Kind::Capture);
    let transaction = NewTransaction {
        external_id: Some(set.external_id(operation.id)),
        ..NewTransaction::plain(id, kind, postings, now)
    };
    ledger::post(books, transaction).map(|_posted| ())
}

/// The rows of the books that a batch needs for the outcomes of these operations, for refunds of these payments, and
/// for these payouts once they are approved.
pub(crate) fn needs<'a>(
    payments: impl Iterator<Item = &'a Payment>,
    payouts: impl Iterator<Item = &'a Payout>,
    operations: impl Iterator<Item = &'a Operation>,
) -> ledger::tables::Needs {
    let mut needs = ledger::tables::Needs::default();
    for payment in payments.filter(|payment| payment.refundable() > 0) {
        name(&mut needs, &[REFUND_MADE], payment.money.currency);
    }
    for payout in payouts.filter(|payout| payout.state == PayoutState::RequiresApproval) {
        name(&mut needs, &[PAYOUT_MADE], payout.money.currency);
        needs.accounts.extend(payout.source);
    }
    for operation in operations {
        let (_, succeeded, failed) = sets(operation.kind);
        let mut ended: Vec<PostingSet> = [Some(succeeded), failed].into_iter().flatten().collect();
        match operation.kind {
            OperationKind::Refund => ended.push(REFUND_RETURNED),
            OperationKind::Payout => ended.push(PAYOUT_RETURNED),
            OperationKind::Charge
            | OperationKind::Authorize
            | OperationKind::Capture
            | OperationKind::Void
            | OperationKind::Increment
            | OperationKind::RefundReturn
            | OperationKind::PayoutReturn => {}
        }
        if operation.unreleased > 0 {
            ended.push(MADE_AVAILABLE);
        }
        name(&mut needs, &ended, operation.money.currency);
        let external_ids = ended.iter().map(|set| set.external_id(operation.id));
        needs.external_ids.extend(external_ids);
        needs.accounts.extend(operation.source);
    }
    needs
}

/// Asks for the accounts that these sets post to, by their codes.
pub(crate) fn name(needs: &mut ledger::tables::Needs, sets: &[PostingSet], currency: Currency) {
    let lines = sets.iter().flat_map(|set| set.lines);
    let roles = lines.flat_map(|(debit, credit, _)| [debit, credit]);
    needs.codes.extend(roles.map(|role| role.code(currency)));
}
