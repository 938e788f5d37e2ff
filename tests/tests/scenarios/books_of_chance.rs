//! Random books that are the same each time: accounts with usual and very unusual names, and transactions between
//! them.

use ledger::tables::Needs;
use ledger::{
    Account, AccountClass, AccountId, Kind, Limits, NewAccount, NewAsset, NewTransaction,
    NormalSide, Posting, TransactionId,
};
use money::{Amount, Currency};
use store::bulk::Writes;
use store::find::Lock;
use store::{DatabaseUrl, Error, Ids, Store, TenantId, Timestamp};
use tests::Database;

/// Codes: usual ones, and very unusual ones.
pub(crate) const CODES: &[(&str, &str, NormalSide)] = &[
    ("assets:bank", "EUR", NormalSide::Debit),
    ("assets:bank:a-b", "EUR", NormalSide::Debit),
    ("assets:bank:Main", "EUR", NormalSide::Debit),
    ("assets:bank:main", "EUR", NormalSide::Debit),
    ("assets", "EUR", NormalSide::Debit),
    ("liabilities:wallets:42", "EUR", NormalSide::Credit),
    (
        "liabilities:wallets:42:held_back",
        "EUR",
        NormalSide::Credit,
    ),
    ("liabilities:wallets", "EUR", NormalSide::Credit),
    ("wallets:ann", "EUR", NormalSide::Credit),
    ("Assets:bank", "EUR", NormalSide::Debit),
    ("*;(odd)[!]\"%", "EUR", NormalSide::Credit),
    ("income:fees:EUR", "EUR", NormalSide::Credit),
    ("assets:yen", "JPY", NormalSide::Debit),
    ("equity:yen", "JPY", NormalSide::Credit),
    ("assets:dinar", "BHD", NormalSide::Debit),
    ("equity:dinar", "BHD", NormalSide::Credit),
    ("assets:usdc", "USDC/6", NormalSide::Debit),
    ("liabilities:usdc", "USDC/6", NormalSide::Credit),
    ("assets:usdc:bridged", "USDCE/18", NormalSide::Debit),
    ("liabilities:usdc:bridged", "USDCE/18", NormalSide::Credit),
    ("assets:points", "A1B2/0", NormalSide::Debit),
    ("liabilities:points", "A1B2/0", NormalSide::Credit),
    ("assets:null", "NULL/3", NormalSide::Debit),
    ("expenses:null", "NULL/3", NormalSide::Debit),
];

/// Texts that people may write into a description or a name.
const TEXTS: &[&str] = &[
    "lunch",
    "a \"quote\", a \\ and a 'tick'",
    "two\nlines\r\nand a\ttab",
    "; a comment | a payee * ! (code) [2026-02-30] date:never",
    "=1+1",
    "café 🍰 Ünïcode",
    "  spaces  ",
    "-",
];

const DAY: i64 = 86_400_000_000;

/// Random numbers that are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(self.0 >> 33).expect("31 bits") % end
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// Books of all these accounts with some hundred random transactions, more than one page of them.
pub(crate) fn write(database: &Database, transactions: usize) {
    let url = DatabaseUrl::parse(database.url()).expect("the harness's own");
    let store = Store::open(&url).expect("it opens");
    database.execute_raw(
        "INSERT INTO tenant (created_at, tenant_id, name) VALUES (0, 1, 'demo'), (0, 2, 'other')",
    );
    let (mut ids, mut dice, now) = (Ids::seeded(7), Dice(7), Timestamp::from_micros(1_000 * DAY));
    let mut writer = store.writer().expect("a connection");
    let nothing_closed = Needs {
        period: true,
        ..Needs::default()
    };
    let books = ledger::tables::load(&mut writer, TenantId(1), nothing_closed, Lock::Nothing);
    let mut books = books.expect("readable");
    let mut accounts: Vec<(AccountId, Currency)> = Vec::new();
    for (code, currency, normal_side) in CODES {
        let id = AccountId::from_bytes(ids.next(now));
        let new = NewAccount {
            code: ledger::AccountCode::trusted(*code),
            name: ledger::AccountName::trusted(*dice.one_of(TEXTS)),
            currency: Currency::from_stored(currency).expect("a currency"),
            class: AccountClass::of(code, *normal_side),
            limits: Limits::NONE,
            metadata: None,
        };
        if let Some(asset) = NewAsset::of(new.currency) {
            // The second account in the asset finds it registered.
            let _registered_before = ledger::register(&mut books, asset, now);
        }
        let opened = ledger::open(&mut books, id, new, now).expect("a new code");
        accounts.push((id, opened.currency));
    }
    for number in 0..transactions {
        let at = now.plus_seconds(i64::try_from(number).expect("few"));
        let postings = (0..=dice.below(4)).map(|_| movement(&mut dice, &accounts));
        let postings = postings.collect();
        // Never later than its record, which the ledger refuses.
        let days = -i64::try_from(dice.below(4_000)).expect("few");
        let text = (*dice.one_of(TEXTS)).to_owned();
        let id = TransactionId::from_bytes(ids.next(at));
        let kind = *dice.one_of(&[Kind::Transfer, Kind::Capture]);
        let new = NewTransaction {
            external_id: (dice.below(2) == 0).then(|| format!("{text}, {number}")),
            description: (dice.below(3) > 0).then_some(text),
            effective_at: Timestamp::from_micros(at.micros() + days * DAY),
            ..NewTransaction::plain(id, kind, postings, at)
        };
        ledger::post(&mut books, new).expect("a legal transaction");
    }
    store::begin_write(&mut writer).expect("begun");
    let mut writes = Writes::default();
    ledger::tables::save(&mut writes, TenantId(1), &books);
    writes.run(&mut writer).expect("written");
    store::commit(&mut writer).expect("committed");
}

/// An amount from one account to another of the same currency; sometimes a very large one.
fn movement(dice: &mut Dice, accounts: &[(AccountId, Currency)]) -> Posting {
    let (debit, currency) = *dice.one_of(accounts);
    let others: Vec<AccountId> = accounts
        .iter()
        .filter(|(id, other)| *id != debit && *other == currency)
        .map(|(id, _)| *id)
        .collect();
    let most = *dice.one_of(&[100, 1_000_000, i64::MAX / 1_000_000]);
    let share = i64::try_from(dice.below(1_000_000)).expect("small") + 1;
    Posting {
        debit,
        credit: *dice.one_of(&others),
        amount: Amount::new((most / share).max(1)).expect("positive"),
        currency,
    }
}

/// The accounts as the ledger itself has them.
pub(crate) fn accounts(database: &Database) -> Vec<Account> {
    let url = DatabaseUrl::parse(database.url()).expect("the harness's own");
    let store = Store::open_existing(&url, store::Tuning::default()).expect("it opens");
    let found: Result<_, Error> =
        store.read(|connection| ledger::accounts(connection, TenantId(1), None, 1_000));
    found.expect("readable")
}

/// The balance of an account, debits positive.
pub(crate) fn balance(account: &Account) -> i128 {
    i128::from(account.debits_posted) - i128::from(account.credits_posted)
}
