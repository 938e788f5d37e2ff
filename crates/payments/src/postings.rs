//! The postings of payments: which accounts there are, what each step posts, and when.

pub(crate) mod accounts;
mod sets;

use ledger::{AccountId, Kind, NewTransaction, NormalSide, Posting, Refusal, TransactionId};
use money::{Amount, Currency};
use store::{Ids, Timestamp};

use accounts::SOURCE;

use crate::disputes::dispute::Dispute;
use crate::payouts::payout::Payout;
use crate::payouts::state::PayoutState;
use crate::reserves::reserve::{Release, Reserve};
use crate::{Operation, OperationKind, OperationState, Payment};

pub(crate) use accounts::{BALANCES, HELD, INCOME, Role, TRANSIT};
pub(crate) use sets::*;

/// True if a payout may be paid from this account: it is a liability, and none of the accounts of payments.
pub(crate) fn is_wallet(account: &ledger::Account) -> bool {
    let sets = ALL
        .iter()
        .chain(&OF_DISPUTES)
        .chain(&OF_SETTLEMENT)
        .chain(&OF_EXCEPTIONS)
        .chain(&OF_RESERVES);
    let lines = sets.flat_map(|set| set.lines);
    let mut roles = lines.flat_map(|(debit, credit, _)| [debit, credit]);
    let is_own = roles.any(|role| role.code(account.currency) == account.code);
    account.normal_side == NormalSide::Credit && !is_own
}

/// What a posting set is posted for: an operation, a dispute, a reserve or its release.
pub(crate) trait Posted {
    /// The id, as text.
    fn name(&self) -> String;
    /// The currency.
    fn currency(&self) -> Currency;
    /// The account that pays, if it is not the merchant's available money.
    fn source(&self) -> Option<AccountId>;
    /// The amount of a share, in minor units.
    fn share(&self, share: Share) -> i64;
    /// True if it has happened whether the accounts have the money or not.
    fn is_beyond_limits(&self) -> bool;
}

impl PostingSet {
    /// The amounts of its lines, in order. A line of nothing is left out.
    pub(crate) fn amounts(&self, of: &impl Posted) -> Vec<i64> {
        let amounts = self.lines.iter().map(|(_, _, share)| of.share(*share));
        amounts.filter(|amount| *amount > 0).collect()
    }

    /// The external id of the transaction for this thing.
    pub(crate) fn external_id(&self, of: impl std::fmt::Display) -> String {
        format!("{of}:{}", self.kind)
    }
}

impl Posted for Operation {
    fn name(&self) -> String {
        self.id.to_string()
    }

    fn currency(&self) -> Currency {
        self.money.currency
    }

    fn source(&self) -> Option<AccountId> {
        self.source
    }

    fn share(&self, share: Share) -> i64 {
        let amount = self.money.amount.get();
        match share {
            Share::Amount => amount,
            Share::Net => amount.saturating_sub(self.fee),
            Share::Fee => self.fee,
            Share::Reserved => self.reserved,
            Share::FromPending => self.from_pending,
            Share::FromAvailable => amount.saturating_sub(self.from_pending),
            Share::MadeAvailable => self.made_available,
        }
    }

    fn is_beyond_limits(&self) -> bool {
        false
    }
}

/// Implements [`Posted`] for a thing that has an id and money, and no other part.
macro_rules! posts_its_amount {
    ($($thing:ty),+) => {$(
        impl Posted for $thing {
            fn name(&self) -> String {
                self.id.to_string()
            }

            fn currency(&self) -> Currency {
                self.money.currency
            }

            fn source(&self) -> Option<AccountId> {
                None
            }

            fn share(&self, share: Share) -> i64 {
                match share {
                    Share::Amount => self.money.amount.get(),
                    Share::Fee
                    | Share::Net
                    | Share::Reserved
                    | Share::FromPending
                    | Share::FromAvailable
                    | Share::MadeAvailable => 0,
                }
            }

            fn is_beyond_limits(&self) -> bool {
                false
            }
        }
    )+};
}

posts_its_amount!(Reserve, Release);

impl Posted for Dispute {
    fn name(&self) -> String {
        self.id.to_string()
    }

    fn currency(&self) -> Currency {
        self.money.currency
    }

    fn source(&self) -> Option<AccountId> {
        None
    }

    fn share(&self, share: Share) -> i64 {
        match share {
            Share::Amount => self.money.amount.get(),
            Share::Fee => self.fee,
            Share::Net
            | Share::Reserved
            | Share::FromPending
            | Share::FromAvailable
            | Share::MadeAvailable => 0,
        }
    }

    fn is_beyond_limits(&self) -> bool {
        true
    }
}

/// The sets that an operation posts when it is made, when it has succeeded, and when it has failed.
pub(crate) const fn sets(
    kind: OperationKind,
    is_of_late_money: bool,
) -> (Option<PostingSet>, Option<PostingSet>, Option<PostingSet>) {
    match kind {
        OperationKind::Refund if is_of_late_money => (
            Some(LATE_REFUND_MADE),
            Some(REFUND_DONE),
            Some(LATE_REFUND_FAILED),
        ),
        OperationKind::RefundReturn if is_of_late_money => (None, Some(LATE_REFUND_RETURNED), None),
        OperationKind::Charge | OperationKind::Capture => (None, Some(CAPTURED), None),
        OperationKind::Authorize | OperationKind::Increment => (None, Some(AUTHORIZED), None),
        OperationKind::Void => (None, Some(RELEASED), None),
        OperationKind::Refund => (Some(REFUND_MADE), Some(REFUND_DONE), Some(REFUND_FAILED)),
        OperationKind::RefundReturn => (None, Some(REFUND_RETURNED), None),
        OperationKind::Payout => (Some(PAYOUT_MADE), Some(PAYOUT_PAID), Some(PAYOUT_FAILED)),
        OperationKind::PayoutReturn => (None, Some(PAYOUT_RETURNED), None),
        // No money is moved.
        OperationKind::Evidence => (None, None, None),
    }
}

/// The set that an operation posts when it is canceled before it was sent. Only a payout can be.
pub(crate) const fn set_of_canceled(kind: OperationKind) -> Option<PostingSet> {
    match kind {
        OperationKind::Payout => Some(PAYOUT_CANCELED),
        OperationKind::Charge
        | OperationKind::Authorize
        | OperationKind::Capture
        | OperationKind::Void
        | OperationKind::Increment
        | OperationKind::Refund
        | OperationKind::RefundReturn
        | OperationKind::PayoutReturn
        | OperationKind::Evidence => None,
    }
}

/// The sets that an operation must have in the books: of its kind, and of its state.
pub(crate) fn sets_of(operation: &Operation) -> Vec<PostingSet> {
    let (made, succeeded, failed) = sets(operation.kind, operation.gives_back.is_some());
    // What waits for money was not made yet.
    let made = made.filter(|_| operation.state != OperationState::Created);
    let available = (operation.made_available > 0).then_some(MADE_AVAILABLE);
    let ended = match operation.state {
        OperationState::Created | OperationState::Submitted | OperationState::Unknown => None,
        OperationState::Succeeded => succeeded,
        OperationState::Failed => failed,
        OperationState::Canceled => set_of_canceled(operation.kind),
    };
    let late = (operation.unallocated > 0).then_some(TAKEN_LATE);
    let allocated = (operation.allocated > 0).then_some(LATE_ALLOCATED);
    made.into_iter()
        .chain(ended)
        .chain(available)
        .chain(late)
        .chain(allocated)
        .collect()
}

/// Posts a set.
pub(crate) fn post(
    books: &mut ledger::Shelf,
    of: &impl Posted,
    set: PostingSet,
    ids: &mut Ids,
    now: Timestamp,
) -> Result<(), Refusal> {
    let currency = of.currency();
    let mut postings = Vec::with_capacity(set.lines.len());
    for (debit, credit, share) in set.lines {
        if let Ok(amount) = Amount::new(of.share(*share)) {
            let mut account = |role: &Role| match of.source() {
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
        external_id: Some(set.external_id(of.name())),
        beyond_limits: of.is_beyond_limits(),
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
        let is_of_late_money = operation.gives_back.is_some();
        let (_, succeeded, failed) = sets(operation.kind, is_of_late_money);
        let mut ended: Vec<PostingSet> = [succeeded, failed].into_iter().flatten().collect();
        match operation.kind {
            OperationKind::Refund if is_of_late_money => ended.push(LATE_REFUND_RETURNED),
            OperationKind::Refund => ended.push(REFUND_RETURNED),
            OperationKind::Payout => ended.extend([PAYOUT_RETURNED, PAYOUT_CANCELED]),
            OperationKind::Charge | OperationKind::Capture => ended.push(TAKEN_LATE),
            OperationKind::Authorize
            | OperationKind::Void
            | OperationKind::Increment
            | OperationKind::RefundReturn
            | OperationKind::PayoutReturn
            | OperationKind::Evidence => {}
        }
        if operation.undecided() > 0 {
            ended.push(LATE_ALLOCATED);
            name(&mut needs, &[LATE_REFUND_MADE], operation.money.currency);
        }
        if operation.unreleased > 0 {
            ended.push(MADE_AVAILABLE);
            name(&mut needs, &[RESERVED], operation.money.currency);
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

#[cfg(test)]
mod tests {
    use super::*;

    const fn words(share: Share) -> &'static str {
        match share {
            Share::Amount => "amount",
            Share::Net => "amount − fee",
            Share::Fee => "fee",
            Share::Reserved => "what it has taken of the authorization",
            Share::FromPending => "the part that pending money pays",
            Share::FromAvailable => "the rest",
            Share::MadeAvailable => "what is pending of it",
        }
    }

    /// The lines of every set: a row for each posting.
    fn sets() -> String {
        let mut text = "| set | debit | credit | amount |\n|---|---|---|---|\n".to_owned();
        for set in ALL
            .iter()
            .chain(&OF_DISPUTES)
            .chain(&OF_SETTLEMENT)
            .chain(&OF_EXCEPTIONS)
            .chain(&OF_RESERVES)
        {
            for (debit, credit, share) in set.lines {
                let amount = words(*share);
                text += &format!(
                    "| `{}` | {} | {} | {amount} |\n",
                    set.kind, debit.code, credit.code
                );
            }
        }
        text
    }

    /// The sets of each kind of operation.
    fn operations() -> String {
        let mut text =
            "| operation | made | succeeded | failed | canceled |\n|---|---|---|---|---|\n"
                .to_owned();
        let shown =
            |set: Option<PostingSet>| set.map_or("–".to_owned(), |set| format!("`{}`", set.kind));
        let kinds = OperationKind::ALL.map(|kind| (kind, false));
        let of_late_money = [OperationKind::Refund, OperationKind::RefundReturn];
        for (kind, is_late) in kinds
            .into_iter()
            .chain(of_late_money.map(|kind| (kind, true)))
        {
            let (made, succeeded, failed) = super::sets(kind, is_late);
            let canceled = set_of_canceled(kind);
            let cells = [made, succeeded, failed, canceled].map(shown).join(" | ");
            let of = if is_late { ", of late money" } else { "" };
            text += &format!("| {}{of} | {cells} |\n", kind.name());
        }
        text
    }

    #[test]
    fn the_document_prints_the_postings_as_they_are() {
        let document = include_str!("../../../docs/postings.md");
        for table in [operations(), sets()] {
            assert!(
                document.contains(&table),
                "docs/postings.md should contain:\n{table}"
            );
        }
    }
}
