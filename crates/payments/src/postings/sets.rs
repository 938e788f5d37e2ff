//! The posting sets of payments.

use super::accounts::*;

/// The amount of an operation that a line posts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Share {
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
pub(crate) type Line = (&'static Role, &'static Role, Share);

/// A posting set: what one step of an operation posts. An operation has each set at most once, because the name of
/// the operation and the set is the external id of the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PostingSet {
    /// The kind of the transaction.
    pub(crate) kind: &'static str,
    pub(crate) lines: &'static [Line],
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
/// The money was taken although the operation had failed. It belongs to no payment until a person decides.
pub(crate) const TAKEN_LATE: PostingSet = PostingSet {
    kind: "payment_late",
    lines: &[(&PSP_CLEARING, &UNALLOCATED_RECEIPTS, Share::Amount)],
};
/// The merchant gets money that was taken late, less the fee.
pub(crate) const LATE_ALLOCATED: PostingSet = PostingSet {
    kind: "payment_late_allocated",
    lines: &[
        (&UNALLOCATED_RECEIPTS, &MERCHANT_PENDING, Share::Net),
        (&UNALLOCATED_RECEIPTS, &FEES, Share::Fee),
    ],
};
/// A refund of money that was taken late was made.
pub(crate) const LATE_REFUND_MADE: PostingSet = PostingSet {
    kind: "payment_late_refund",
    lines: &[(&UNALLOCATED_RECEIPTS, &REFUNDS_IN_TRANSIT, Share::Amount)],
};
/// The provider has refused the refund of money that was taken late.
pub(crate) const LATE_REFUND_FAILED: PostingSet = PostingSet {
    kind: "payment_late_refund_failed",
    lines: &[(&REFUNDS_IN_TRANSIT, &UNALLOCATED_RECEIPTS, Share::Amount)],
};
/// A refund of money that was taken late came back after it was done.
pub(crate) const LATE_REFUND_RETURNED: PostingSet = PostingSet {
    kind: "payment_late_refund_return",
    lines: &[(&PSP_CLEARING, &UNALLOCATED_RECEIPTS, Share::Amount)],
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
/// A payout was canceled before it was sent: the money goes to where it came from.
pub(crate) const PAYOUT_CANCELED: PostingSet = PostingSet {
    kind: "payment_payout_canceled",
    lines: &[(&PAYOUTS_IN_TRANSIT, &SOURCE, Share::Amount)],
};
/// A payout came back after it was paid.
pub(crate) const PAYOUT_RETURNED: PostingSet = PostingSet {
    kind: "payment_payout_return",
    lines: &[(&BANK, &SOURCE, Share::Amount)],
};

/// A dispute was opened. Its money and its fee leave what the merchant can have, whether that suffices or not.
pub(crate) const DISPUTE_OPENED: PostingSet = PostingSet {
    kind: "payment_dispute",
    lines: &[
        (&MERCHANT_AVAILABLE, &DISPUTE_HOLDS, Share::Amount),
        (&MERCHANT_AVAILABLE, &DISPUTE_FEES, Share::Fee),
    ],
};
/// The provider has taken the disputed money.
pub(crate) const DISPUTE_WITHDRAWN: PostingSet = PostingSet {
    kind: "payment_dispute_taken",
    lines: &[(&DISPUTE_HOLDS, &PSP_CLEARING, Share::Amount)],
};
/// The provider has given the disputed money back.
pub(crate) const DISPUTE_REINSTATED: PostingSet = PostingSet {
    kind: "payment_dispute_back",
    lines: &[(&PSP_CLEARING, &DISPUTE_HOLDS, Share::Amount)],
};
/// A dispute was won, and the merchant has the money again.
pub(crate) const DISPUTE_RELEASED: PostingSet = PostingSet {
    kind: "payment_dispute_won",
    lines: &[(&DISPUTE_HOLDS, &MERCHANT_AVAILABLE, Share::Amount)],
};
/// The sets of disputes.
pub(crate) const OF_DISPUTES: [PostingSet; 4] = [
    DISPUTE_OPENED,
    DISPUTE_WITHDRAWN,
    DISPUTE_REINSTATED,
    DISPUTE_RELEASED,
];

/// A part of the merchant's available money is held back.
pub(crate) const RESERVED: PostingSet = PostingSet {
    kind: "payment_reserve",
    lines: &[(&MERCHANT_AVAILABLE, &RESERVE, Share::Amount)],
};
/// Money that was held back is available again.
pub(crate) const RESERVE_RELEASED: PostingSet = PostingSet {
    kind: "payment_reserve_released",
    lines: &[(&RESERVE, &MERCHANT_AVAILABLE, Share::Amount)],
};
/// The sets of reserves, and of their releases.
pub(crate) const OF_RESERVES: [PostingSet; 2] = [RESERVED, RESERVE_RELEASED];

/// Every posting set of operations.
pub(crate) const ALL: [PostingSet; 18] = [
    AUTHORIZED,
    CAPTURED,
    TAKEN_LATE,
    LATE_ALLOCATED,
    LATE_REFUND_MADE,
    LATE_REFUND_FAILED,
    LATE_REFUND_RETURNED,
    RELEASED,
    REFUND_MADE,
    REFUND_DONE,
    REFUND_FAILED,
    REFUND_RETURNED,
    MADE_AVAILABLE,
    PAYOUT_MADE,
    PAYOUT_PAID,
    PAYOUT_FAILED,
    PAYOUT_CANCELED,
    PAYOUT_RETURNED,
];

/// The provider has settled money that came in: it is on its way to our bank, less the provider's fee.
pub(crate) const SETTLED: PostingSet = PostingSet {
    kind: "payment_settled",
    lines: &[
        (&PROVIDER_PAYOUT_TRANSIT, &PSP_CLEARING, Share::Net),
        (&PSP_FEES, &PSP_CLEARING, Share::Fee),
    ],
};
/// The provider has settled money that went out: the next transfer to our bank is smaller.
pub(crate) const SETTLED_OUT: PostingSet = PostingSet {
    kind: "payment_settled_out",
    lines: &[
        (&PSP_CLEARING, &PROVIDER_PAYOUT_TRANSIT, Share::Amount),
        (&PSP_FEES, &PROVIDER_PAYOUT_TRANSIT, Share::Fee),
    ],
};
/// The money of a settlement is on the bank's statement.
pub(crate) const BANKED: PostingSet = PostingSet {
    kind: "payment_banked",
    lines: &[(&BANK, &PROVIDER_PAYOUT_TRANSIT, Share::Amount)],
};
/// The money of a negative settlement has left our bank.
pub(crate) const BANKED_OUT: PostingSet = PostingSet {
    kind: "payment_banked_out",
    lines: &[(&PROVIDER_PAYOUT_TRANSIT, &BANK, Share::Amount)],
};
/// The sets of settlement.
pub(crate) const OF_SETTLEMENT: [PostingSet; 4] = [SETTLED, SETTLED_OUT, BANKED, BANKED_OUT];

/// A provider's fee that belongs to no operation. It is taken from, or given with, the settlements.
pub(crate) const EXCEPTION_FEE_OUT: PostingSet =
    of_exception(&[(&PSP_FEES, &PROVIDER_PAYOUT_TRANSIT, Share::Amount)]);
/// The same, the other way.
pub(crate) const EXCEPTION_FEE_IN: PostingSet =
    of_exception(&[(&PROVIDER_PAYOUT_TRANSIT, &PSP_FEES, Share::Amount)]);
/// Settled money that belongs to nothing.
pub(crate) const EXCEPTION_RECEIPT_IN: PostingSet = of_exception(&[(
    &PROVIDER_PAYOUT_TRANSIT,
    &UNALLOCATED_RECEIPTS,
    Share::Amount,
)]);
/// The same, the other way.
pub(crate) const EXCEPTION_RECEIPT_OUT: PostingSet = of_exception(&[(
    &UNALLOCATED_RECEIPTS,
    &PROVIDER_PAYOUT_TRANSIT,
    Share::Amount,
)]);
/// A fee on the bank's statement.
pub(crate) const EXCEPTION_BANK_FEE_OUT: PostingSet =
    of_exception(&[(&PSP_FEES, &BANK, Share::Amount)]);
/// The same, the other way.
pub(crate) const EXCEPTION_BANK_FEE_IN: PostingSet =
    of_exception(&[(&BANK, &PSP_FEES, Share::Amount)]);
/// Money on the bank's statement that belongs to nothing.
pub(crate) const EXCEPTION_BANK_RECEIPT_IN: PostingSet =
    of_exception(&[(&BANK, &UNALLOCATED_RECEIPTS, Share::Amount)]);
/// The same, the other way.
pub(crate) const EXCEPTION_BANK_RECEIPT_OUT: PostingSet =
    of_exception(&[(&UNALLOCATED_RECEIPTS, &BANK, Share::Amount)]);
/// The sets by which exceptions are resolved. An exception is resolved by one of them at most.
pub(crate) const OF_EXCEPTIONS: [PostingSet; 8] = [
    EXCEPTION_FEE_OUT,
    EXCEPTION_FEE_IN,
    EXCEPTION_RECEIPT_IN,
    EXCEPTION_RECEIPT_OUT,
    EXCEPTION_BANK_FEE_OUT,
    EXCEPTION_BANK_FEE_IN,
    EXCEPTION_BANK_RECEIPT_IN,
    EXCEPTION_BANK_RECEIPT_OUT,
];

const fn of_exception(lines: &'static [Line]) -> PostingSet {
    PostingSet {
        kind: "payment_exception",
        lines,
    }
}

/// The accounts of settlement and of its exceptions.
pub(crate) const SETTLEMENT_ROLES: &[&Role] = &[
    &PSP_CLEARING,
    &PROVIDER_PAYOUT_TRANSIT,
    &PSP_FEES,
    &BANK,
    &UNALLOCATED_RECEIPTS,
];
