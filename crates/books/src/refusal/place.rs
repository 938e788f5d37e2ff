//! The part of a request that a broken rule is about, and its name in each kind of request.

use edge::Problem;
use ledger::{AccountId, TransactionId};

/// A kind of request. The kinds differ in the names of their fields.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fields {
    /// Postings, or a step about another transaction.
    Transaction,
    /// The four accounts of an exchange. Posting 0 is the sold leg, posting 1 the bought one.
    Exchange,
    /// Two wallets and an amount. A problem names only the field, and no resource.
    Transfer {
        /// The wallet that pays.
        from: AccountId,
    },
}

/// The part of a request that a rule is about. Postings are named by position.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    /// The whole request, not a single field.
    Whole,
    /// The field with this pointer, in a transaction or an exchange.
    Field(&'static str),
    /// The external id, which this earlier transaction already has.
    ExternalId(TransactionId),
    /// A condition, by position.
    Condition(usize),
    /// The demand of a condition on this account.
    Demand(AccountId),
    /// The accounts of a posting.
    Accounts(usize),
    /// One of the accounts of a posting.
    Account(usize, AccountId),
    /// The currency of a posting, which its accounts do not hold.
    Held(usize),
    /// The currency of a posting.
    Currency(usize),
    /// The status of this account.
    Status(AccountId),
    /// The balance of this account.
    Balance(AccountId),
}

impl Place {
    /// Adds the pointer to the field, and the resource that the rule names, to the problem.
    pub(super) fn show_refusal(self, problem: Problem, fields: Fields) -> Problem {
        let (pointer, resource) = match fields {
            Fields::Transaction => (self.in_transaction(), self.resource()),
            Fields::Exchange => (self.in_exchange(), self.resource()),
            Fields::Transfer { from } => (self.in_transfer(from), None),
        };
        let problem = match pointer {
            Some(pointer) => problem.at(&pointer),
            None => problem,
        };
        match resource {
            Some(id) => problem.with_resource(id),
            None => problem,
        }
    }

    fn in_transaction(self) -> Option<String> {
        match self {
            Self::Field(name) => Some(name.to_owned()),
            Self::ExternalId(_) => Some("/external_id".to_owned()),
            Self::Condition(condition) => Some(format!("/conditions/{condition}")),
            Self::Accounts(posting) | Self::Account(posting, _) => {
                Some(format!("/postings/{posting}"))
            }
            Self::Held(posting) | Self::Currency(posting) => {
                Some(format!("/postings/{posting}/currency"))
            }
            Self::Whole | Self::Demand(_) | Self::Status(_) | Self::Balance(_) => None,
        }
    }

    fn in_exchange(self) -> Option<String> {
        let leg = |posting, [sold, bought]: [&str; 2]| {
            let name = if posting == 0 { sold } else { bought };
            Some(name.to_owned())
        };
        match self {
            Self::Accounts(posting) | Self::Held(posting) => {
                leg(posting, ["/sold_to", "/bought_from"])
            }
            Self::Currency(posting) => leg(posting, ["/from", "/to"]),
            // Two fields name accounts of this posting. The resource of the problem says which account it is.
            Self::Account(..) => None,
            Self::Whole
            | Self::Field(_)
            | Self::ExternalId(_)
            | Self::Condition(_)
            | Self::Demand(_)
            | Self::Status(_)
            | Self::Balance(_) => self.in_transaction(),
        }
    }

    fn in_transfer(self, from: AccountId) -> Option<String> {
        let side = |account| if account == from { "/from" } else { "/to" };
        let pointer = match self {
            Self::Accounts(_) => "/to",
            Self::Account(_, account) | Self::Status(account) => side(account),
            Self::Held(_) | Self::Currency(_) => "/currency",
            Self::Balance(_) => "/amount",
            Self::Whole
            | Self::Field(_)
            | Self::ExternalId(_)
            | Self::Condition(_)
            | Self::Demand(_) => return None,
        };
        Some(pointer.to_owned())
    }

    fn resource(self) -> Option<String> {
        match self {
            Self::ExternalId(transaction) => Some(transaction.to_string()),
            Self::Account(_, account)
            | Self::Demand(account)
            | Self::Status(account)
            | Self::Balance(account) => Some(account.to_string()),
            Self::Whole
            | Self::Field(_)
            | Self::Condition(_)
            | Self::Accounts(_)
            | Self::Held(_)
            | Self::Currency(_) => None,
        }
    }
}
