//! The totals of a charge, by which the provider refuses a step on its own, and those of a payout.

use serde::Serialize;

use crate::dispute::DisputeStep;
use crate::method::{DeclineCode, Step};
use crate::order::StepOrder;
use crate::record::{Kind, Record, Status};

/// What was done with the money of a charge or a payout, in minor units. Sums of 64-bit amounts always fit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Totals {
    authorized: i128,
    captured: i128,
    /// What was authorized and will never be captured.
    released: i128,
    /// What was given back, including the refunds that wait for the bank.
    refunded: i128,
    /// What the payer's bank has taken for disputes, and not reinstated.
    withdrawn: i128,
    /// What went to the merchant and did not come back.
    paid_out: i128,
    /// What was ever disputed, however the disputes ended.
    #[serde(skip)]
    disputed: i128,
}

impl Totals {
    /// The totals of a charge before its first step.
    pub(crate) fn of_charge(charge: &Record) -> Self {
        let amount = i128::from(charge.amount);
        let (authorized, captured) = match charge.status {
            Status::Succeeded => (amount, amount),
            Status::Authorized => (amount, 0),
            Status::Failed | Status::RequiresAction | Status::Pending => (0, 0),
        };
        Self {
            authorized,
            captured,
            ..Self::default()
        }
    }

    /// The totals of a payout.
    pub(crate) fn of_payout(payout: &Record) -> Self {
        let paid_out = match payout.status {
            Status::Succeeded => i128::from(payout.amount),
            Status::Authorized | Status::Failed | Status::RequiresAction | Status::Pending => 0,
        };
        Self {
            paid_out,
            ..Self::default()
        }
    }

    /// Why the totals do not allow this step; `None` if they do.
    pub(crate) fn objection(&self, order: &StepOrder) -> Option<DeclineCode> {
        let amount = i128::from(order.amount);
        let left = self.left();
        // Nothing was ever authorized if the charge failed or still waits for its payer.
        if self.authorized == 0 {
            return Some(DeclineCode::NotAuthorized);
        }
        let (allowed, code) = match order.step {
            Step::Capture => (amount <= left, DeclineCode::AmountTooLarge),
            Step::Void => (amount == left, DeclineCode::AmountMismatch),
            Step::Increment => (left > 0, DeclineCode::NotAuthorized),
            Step::Refund => (
                amount <= self.captured - self.refunded,
                DeclineCode::ExceedsCaptured,
            ),
        };
        (!allowed).then_some(code)
    }

    /// Adds a step that was allowed.
    pub(crate) fn add(&mut self, order: &StepOrder) {
        let amount = i128::from(order.amount);
        match order.step {
            Step::Capture => {
                self.captured += amount;
                if order.is_final {
                    self.released += self.left();
                }
            }
            Step::Void => self.released += amount,
            Step::Increment => self.authorized += amount,
            Step::Refund => self.refunded += amount,
        }
    }

    /// Takes away a refund that failed after all, or a refund or a payout that came back.
    pub(crate) fn take_back(&mut self, record: &Record) {
        let amount = i128::from(record.amount);
        match record.kind() {
            Kind::Payout => self.paid_out -= amount,
            Kind::Charge | Kind::Step(_) => self.refunded -= amount,
        }
    }

    /// Whether so much can be disputed, beside all that was disputed before.
    pub(crate) fn allows_dispute(&self, amount: i64) -> bool {
        self.disputed + i128::from(amount) <= self.captured
    }

    /// Adds a new dispute, which moves no money.
    pub(crate) fn dispute(&mut self, amount: i64) {
        self.disputed += i128::from(amount);
    }

    /// Moves the money of a dispute, if the step does.
    pub(crate) fn add_dispute_step(&mut self, step: DisputeStep, amount: i64) {
        let amount = i128::from(amount);
        match step {
            DisputeStep::Withdraw => self.withdrawn += amount,
            DisputeStep::Reinstate => self.withdrawn -= amount,
            DisputeStep::Win | DisputeStep::Lose => {}
        }
    }

    /// Adds the totals of another charge or payout.
    pub(crate) fn join(&mut self, other: Self) {
        self.authorized += other.authorized;
        self.captured += other.captured;
        self.released += other.released;
        self.refunded += other.refunded;
        self.withdrawn += other.withdrawn;
        self.paid_out += other.paid_out;
        self.disputed += other.disputed;
    }

    /// What can still be captured.
    fn left(&self) -> i128 {
        self.authorized - self.captured - self.released
    }
}

/// One currency in `GET /v1/totals`.
#[derive(Debug, Serialize)]
pub(crate) struct CurrencyTotals {
    pub(crate) currency: String,
    #[serde(flatten)]
    pub(crate) totals: Totals,
}
