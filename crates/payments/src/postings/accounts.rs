//! The accounts of payments.

use ledger::{AccountClass, AccountCode, AccountId, AccountName, Limits, NewAccount};
use money::Currency;
use store::{Ids, Timestamp};

/// An account of payments, one for each currency.
pub(crate) struct Role {
    pub(crate) code: &'static str,
    pub(crate) name: &'static str,
    pub(crate) class: AccountClass,
    limits: Limits,
}

/// The account of the money that the provider owes us.
pub(crate) const PSP_CLEARING: Role = Role {
    code: "assets:psp_clearing",
    name: "Provider clearing",
    class: AccountClass::Asset,
    limits: Limits::NONE,
};
/// The account of the money that we owe the merchant and that is not yet available.
pub(crate) const MERCHANT_PENDING: Role = Role {
    code: "liabilities:merchant_pending",
    name: "Merchant, pending",
    class: AccountClass::Liability,
    limits: Limits::NONE,
};
/// The account of the money that the merchant can have. It is never overdrawn by a payout or a refund.
pub(crate) const MERCHANT_AVAILABLE: Role = Role {
    code: "liabilities:merchant_available",
    name: "Merchant, available",
    class: AccountClass::Liability,
    limits: Limits::NO_OVERDRAFT,
};
/// The account of the fees for captures.
pub(crate) const FEES: Role = Role {
    code: "income:fees",
    name: "Fees",
    class: AccountClass::Income,
    limits: Limits::NONE,
};
/// The account of the money that is on its way back to payers.
pub(crate) const REFUNDS_IN_TRANSIT: Role = Role {
    code: "liabilities:refunds_in_transit",
    name: "Refunds in transit",
    class: AccountClass::Liability,
    limits: Limits::NONE,
};
/// The account of the money that is on its way to a bank account.
pub(crate) const PAYOUTS_IN_TRANSIT: Role = Role {
    code: "liabilities:payouts_in_transit",
    name: "Payouts in transit",
    class: AccountClass::Liability,
    limits: Limits::NONE,
};
/// The account of our money at the bank.
pub(crate) const BANK: Role = Role {
    code: "assets:bank",
    name: "Bank",
    class: AccountClass::Asset,
    limits: Limits::NONE,
};
/// The account of the money that a provider has settled and that is on its way to our bank.
pub(crate) const PROVIDER_PAYOUT_TRANSIT: Role = Role {
    code: "assets:provider_payout_transit",
    name: "Settlements in transit",
    class: AccountClass::Asset,
    limits: Limits::NONE,
};
/// The account of what the providers charge us.
pub(crate) const PSP_FEES: Role = Role {
    code: "expenses:psp_fees",
    name: "Provider fees",
    class: AccountClass::Expense,
    limits: Limits::NONE,
};
/// The account of money that has arrived and belongs to no payment. A person decides about it.
pub(crate) const UNALLOCATED_RECEIPTS: Role = Role {
    code: "liabilities:unallocated_receipts",
    name: "Unallocated receipts",
    class: AccountClass::Liability,
    limits: Limits::NONE,
};
/// The account of disputed money.
pub(crate) const DISPUTE_HOLDS: Role = Role {
    code: "liabilities:dispute_holds",
    name: "Disputed",
    class: AccountClass::Liability,
    limits: Limits::NONE,
};
/// The account of the fees for disputes.
pub(crate) const DISPUTE_FEES: Role = Role {
    code: "income:dispute_fees",
    name: "Dispute fees",
    class: AccountClass::Income,
    limits: Limits::NONE,
};
/// The account of available money that is held back.
pub(crate) const RESERVE: Role = Role {
    code: "liabilities:reserve",
    name: "Reserve",
    class: AccountClass::Liability,
    limits: Limits::NONE,
};
/// Not an account of its own, but the one that a payout is paid from: a wallet, or the merchant's available money.
pub(crate) const SOURCE: Role = Role {
    code: "the account that pays",
    ..MERCHANT_AVAILABLE
};
/// The account of what payers' banks have reserved for us. It is a memorandum: nobody owes us this money yet, and
/// the counter account takes it off the balance sheet.
pub(crate) const AUTH_HOLD: Role = Role {
    code: "memo:auth_hold",
    name: "Authorized",
    class: AccountClass::Asset,
    limits: Limits::NONE,
};
/// The counter account of [`AUTH_HOLD`].
pub(crate) const AUTH_HOLD_CONTRA: Role = Role {
    code: "memo:auth_hold_contra",
    name: "Authorized, counter account",
    class: AccountClass::Liability,
    limits: Limits::NONE,
};

/// The account of settlements on their way to our bank, without the currency.
pub(crate) const TRANSIT: &str = PROVIDER_PAYOUT_TRANSIT.code;

/// The accounts with money that is the merchant's, without the currency: available, pending, reserved.
pub(crate) const HELD: [&str; 3] = [
    MERCHANT_AVAILABLE.code,
    MERCHANT_PENDING.code,
    "liabilities:reserve",
];

/// The accounts of what we charge the merchant, without the currency.
pub(crate) const INCOME: [&str; 2] = [FEES.code, DISPUTE_FEES.code];

/// The accounts of the merchant's balance, without the currency: pending, available, reserved, in transit.
pub(crate) const BALANCES: [&str; 4] = [
    MERCHANT_PENDING.code,
    MERCHANT_AVAILABLE.code,
    RESERVE.code,
    PAYOUTS_IN_TRANSIT.code,
];

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

impl Role {
    pub(crate) fn code(&self, currency: Currency) -> String {
        let code = if *self == SOURCE {
            MERCHANT_AVAILABLE.code
        } else {
            self.code
        };
        format!("{code}:{currency}")
    }

    /// The account of a role. It is opened when it is first needed.
    pub(crate) fn account(
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
