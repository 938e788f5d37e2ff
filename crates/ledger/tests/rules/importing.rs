//! Import of books: a file that fits is imported; any other file leaves the shelf unchanged.

use ledger::{
    AccountClass, AccountId, AccountStatus, ForeignAccount, ForeignPosting, ForeignTransaction,
    Import, ImportError, Kind, Limits, NewAccount, NewAsset, OnKnown, Refusal, import, register,
};
use money::Currency;

use crate::given::{Books, EARLIER, NOW, amount, eur, units};

fn custom(code: &str, exponent: u8) -> Currency {
    Currency::custom(code, exponent).unwrap()
}

fn account(line: u64, code: &str, class: AccountClass) -> ForeignAccount {
    ForeignAccount {
        line,
        new: NewAccount {
            code: ledger::AccountCode::trusted(code),
            name: ledger::AccountName::trusted(""),
            currency: eur(),
            class,
            limits: Limits::NONE,
            metadata: None,
        },
        status: AccountStatus::Open,
        balance: None,
    }
}

fn transaction(line: u64, postings: &[(i16, &str, &str, i64)]) -> ForeignTransaction {
    let postings = postings
        .iter()
        .map(|(number, debit, credit, minor_units)| ForeignPosting {
            line,
            number: *number,
            debit: (*debit).into(),
            credit: (*credit).into(),
            amount: amount(*minor_units),
            currency: eur(),
        });
    ForeignTransaction {
        line,
        kind: Kind::Transfer,
        reverses: None,
        postings: postings.collect(),
        external_id: Some(format!("line {line}")),
        former: None,
        description: None,
        metadata: None,
        effective_at: Some(EARLIER),
    }
}

/// A bank and a wallet, 100 on each, 30 of which are reversed.
fn foreign() -> Import {
    let mut wallet = account(2, "wallet", AccountClass::Liability);
    wallet.new.limits = Limits::at_least(units(1_000));
    wallet.balance = Some(units(70));
    wallet.status = AccountStatus::Frozen;
    let mut reversal = transaction(4, &[(5, "wallet", "bank", 30)]);
    reversal.reverses = Some(0);
    Import {
        accounts: vec![account(1, "bank", AccountClass::Asset), wallet],
        transactions: vec![transaction(3, &[(5, "bank", "wallet", 100)]), reversal],
    }
}

/// The first misfit; the shelf is then unchanged.
fn refused(books: &mut Books, foreign: &Import) -> (u64, &'static str, ImportError) {
    let before = format!("{:?}", books.shelf.opened());
    let mut misfits = import(
        &mut books.shelf,
        foreign,
        OnKnown::Skip,
        &mut books.ids,
        NOW,
    )
    .unwrap_err();
    assert_eq!(format!("{:?}", books.shelf.opened()), before);
    assert!(books.shelf.posted().is_empty());
    assert_eq!(books.shelf.transaction_named("line 3"), None);
    let first = misfits.remove(0);
    (first.line, first.field, first.rule)
}

#[test]
fn history_comes_first_and_limits_and_status_afterwards() {
    let mut books = Books::empty();
    let done = import(
        &mut books.shelf,
        &foreign(),
        OnKnown::Skip,
        &mut books.ids,
        NOW,
    )
    .unwrap();
    assert_eq!((done.accounts.len(), done.transactions.len()), (2, 2));
    let wallet = books.shelf.id_of("wallet").unwrap();
    let wallet = books.shelf.account(&wallet).unwrap();
    assert_eq!(wallet.posted(), units(70));
    assert_eq!(wallet.limits, Limits::at_least(units(1_000)));
    assert_eq!(wallet.status, AccountStatus::Frozen);
    let first = done.transactions[0];
    assert_eq!(books.shelf.correction(&first, 0).unwrap().reversed, 30);
    let posted = books.shelf.posted();
    assert_eq!(posted[1].about, Some(first));
    assert!(posted.iter().all(|one| one.effective_at == EARLIER));
}

#[test]
fn what_does_not_fit_leaves_the_shelf_as_it_was() {
    let mut books = Books::empty();
    let mut wrong = foreign();
    wrong.accounts[1].balance = Some(units(71));
    let comes_to = "0.70".to_owned();
    let rule = ImportError::BalanceDiffers { comes_to };
    assert_eq!(refused(&mut books, &wrong), (2, "balance", rule));

    let mut wrong = foreign();
    wrong.transactions[1].postings[0].amount = amount(101);
    let (line, field, rule) = refused(&mut books, &wrong);
    assert_eq!((line, field), (4, "about"));
    assert!(matches!(
        rule,
        ImportError::Step(Refusal::ExceedsPosted { remaining: 100, .. })
    ));

    for (debit, number) in [("bank", 5), ("wallet", 4)] {
        let mut wrong = foreign();
        wrong.transactions[1].postings[0].debit = debit.into();
        wrong.transactions[1].postings[0].number = number;
        let misfit = (4, "posting", ImportError::NoReversal);
        assert_eq!(refused(&mut books, &wrong), misfit);
    }

    let mut wrong = foreign();
    wrong.transactions[1].external_id = Some("line 3".to_owned());
    wrong.transactions[1].reverses = None;
    let (line, field, rule) = refused(&mut books, &wrong);
    assert_eq!((line, field), (4, "external_id"));
    assert!(matches!(
        rule,
        ImportError::Step(Refusal::ExternalIdTaken { .. })
    ));

    let mut wrong = foreign();
    wrong.transactions[0].postings[0].credit = "nobody".into();
    let code = "nobody".into();
    let misfit = (3, "account", ImportError::NoSuchAccount { code });
    assert_eq!(refused(&mut books, &wrong), misfit);
}

#[test]
fn what_is_brought_is_registered_and_a_code_keeps_its_exponent() {
    let (six, eight) = (custom("USDC", 6), custom("USDC", 8));
    let mut brought = foreign();
    for account in &mut brought.accounts {
        account.new.currency = six;
    }
    for transaction in &mut brought.transactions {
        transaction.postings[0].currency = six;
    }
    brought.accounts[1].balance = None;
    let mut wrong = brought.clone();
    wrong.accounts[1].new.currency = eight;
    let mut books = Books::empty();
    let differs = |registered| ImportError::ExponentDiffers { registered };
    let misfit = refused(&mut books, &wrong);
    assert_eq!(misfit, (2, "currency", differs(six)));
    assert_eq!(books.shelf.asset("USDC"), None);

    let done = import(
        &mut books.shelf,
        &brought,
        OnKnown::Skip,
        &mut books.ids,
        NOW,
    )
    .unwrap();
    let assets: Vec<_> = done.assets.iter().map(|asset| asset.currency).collect();
    assert_eq!(assets, [six]);
    assert_eq!(books.shelf.registered(), [&done.assets[0]]);

    // The asset is registered before: it is not registered again, and no other exponent fits.
    let mut books = Books::empty();
    let new = NewAsset::new("USDC", 8, None).unwrap();
    register(&mut books.shelf, new, EARLIER).unwrap();
    assert_eq!(
        refused(&mut books, &brought),
        (1, "currency", differs(eight))
    );
}

#[test]
fn an_account_that_is_there_keeps_its_own_limits() {
    let mut books = Books::empty();
    let wallet = books.wallet(Limits::NO_OVERDRAFT);
    let code = wallet.to_string();
    let known = |wrong: &mut Import| {
        wrong.accounts[1].new.code = ledger::AccountCode::trusted(code.as_str())
    };
    let mut wrong = foreign();
    known(&mut wrong);
    wrong.accounts[1].new.class = AccountClass::Asset;
    let misfit = refused(&mut books, &wrong);
    assert_eq!(misfit, (2, "class", ImportError::SideDiffers));

    let mut wrong = foreign();
    known(&mut wrong);
    wrong.transactions = vec![transaction(3, &[(0, &code, "bank", 1)])];
    let (line, field, rule) = refused(&mut books, &wrong);
    assert_eq!((line, field), (3, "amount"));
    assert!(matches!(
        rule,
        ImportError::Step(Refusal::InsufficientFunds { .. })
    ));
    let kept: Vec<AccountId> = books.shelf.opened().iter().map(|one| one.id).collect();
    assert_eq!(kept, [wallet]);
}
