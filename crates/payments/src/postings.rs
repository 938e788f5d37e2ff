//! The postings of payments.

use ledger::{
    AccountClass, AccountCode, AccountId, AccountName, Kind, Limits, NewAccount, NewTransaction,
    Posting, Refusal, TransactionId,
};
use money::Currency;
use store::{Ids, Timestamp};

use crate::Operation;

/// The accounts that payments in a currency post to.
fn account_codes(currency: Currency) -> Vec<String> {
    ROLES.iter().map(|role| role.code(currency)).collect()
}

struct Role {
    code: &'static str,
    name: &'static str,
    class: AccountClass,
}

/// The account of the money that the provider owes us.
const PSP_CLEARING: Role = Role {
    code: "assets:psp_clearing",
    name: "Provider clearing",
    class: AccountClass::Asset,
};
/// The account of the money that we owe the merchant and that is not yet available.
const MERCHANT_PENDING: Role = Role {
    code: "liabilities:merchant_pending",
    name: "Merchant, pending",
    class: AccountClass::Liability,
};
const ROLES: [Role; 2] = [PSP_CLEARING, MERCHANT_PENDING];

impl Role {
    fn code(&self, currency: Currency) -> String {
        format!("{}:{currency}", self.code)
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
            limits: Limits::NONE,
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

/// Capture: `psp_clearing` is debited, `merchant_pending` credited. The external id ensures that an operation
/// has one transaction.
pub(crate) fn capture(
    books: &mut ledger::Shelf,
    operation: &Operation,
    ids: &mut Ids,
    now: Timestamp,
) -> Result<(), Refusal> {
    let currency = operation.money.currency;
    let posting = Posting {
        debit: PSP_CLEARING.account(books, currency, ids, now),
        credit: MERCHANT_PENDING.account(books, currency, ids, now),
        amount: operation.money.amount,
        currency,
    };
    let id = TransactionId::from_bytes(ids.next(now));
    let transaction = NewTransaction {
        external_id: Some(external_id(operation)),
        ..NewTransaction::plain(id, Kind::Capture, vec![posting], now)
    };
    ledger::post(books, transaction).map(|_posted| ())
}

/// The external id of an operation's transaction.
pub(crate) fn external_id(operation: &Operation) -> String {
    format!("{}:{}", operation.id, Kind::Capture.name())
}

/// The rows of the books that a batch needs to record the outcome of these operations.
pub(crate) fn needs<'a>(operations: impl Iterator<Item = &'a Operation>) -> ledger::tables::Needs {
    let mut needs = ledger::tables::Needs::default();
    for operation in operations {
        needs.codes.extend(account_codes(operation.money.currency));
        needs.external_ids.push(external_id(operation));
    }
    needs
}
