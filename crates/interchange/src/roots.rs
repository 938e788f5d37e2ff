//! The five classes of accounts that every accounting program knows.

use ledger::{Account, AccountClass, NormalSide};

/// The class of an account. The first level of a code may name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Root {
    Assets,
    Liabilities,
    Equity,
    Income,
    Expenses,
}

impl Root {
    const ALL: [Root; 5] = [
        Root::Assets,
        Root::Liabilities,
        Root::Equity,
        Root::Income,
        Root::Expenses,
    ];

    /// The class that the code names, and the levels below the first. A code of one level names no class, because no
    /// level is left for the account.
    pub(crate) fn named_by(code: &str) -> Option<(Root, &str)> {
        let (first, below) = code.split_once(':')?;
        let root = Root::ALL.into_iter().find(|root| root.level() == first)?;
        Some((root, below))
    }

    /// The class of an account whose code names none. For an account that was opened before classes existed, the
    /// normal side decides: an account with the side debit is an asset, one with the side credit is a liability.
    pub(crate) fn by_class(account: &Account) -> Root {
        match (account.class, account.normal_side) {
            (Some(AccountClass::Asset), _) | (None, NormalSide::Debit) => Root::Assets,
            (Some(AccountClass::Liability), _) | (None, NormalSide::Credit) => Root::Liabilities,
            (Some(AccountClass::Equity), _) => Root::Equity,
            (Some(AccountClass::Income), _) => Root::Income,
            (Some(AccountClass::Expense), _) => Root::Expenses,
        }
    }

    /// The class as the first level of a code.
    const fn level(self) -> &'static str {
        match self {
            Root::Assets => "assets",
            Root::Liabilities => "liabilities",
            Root::Equity => "equity",
            Root::Income => "income",
            Root::Expenses => "expenses",
        }
    }

    /// The name of the class in Beancount.
    pub(crate) const fn capitalised(self) -> &'static str {
        match self {
            Root::Assets => "Assets",
            Root::Liabilities => "Liabilities",
            Root::Equity => "Equity",
            Root::Income => "Income",
            Root::Expenses => "Expenses",
        }
    }

    /// The letter with which hledger declares the type of an account.
    pub(crate) const fn letter(self) -> &'static str {
        match self {
            Root::Assets => "A",
            Root::Liabilities => "L",
            Root::Equity => "E",
            Root::Income => "R",
            Root::Expenses => "X",
        }
    }
}
