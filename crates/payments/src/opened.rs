//! The audit records of the accounts that payments open when they first need them.

use books::Books;
use engine::Book;
use ledger::{Account, AccountId};

/// Does some work, and adds an audit record of each account that it has opened.
pub(crate) fn recorded<T, E>(
    book: &mut Book,
    work: impl FnOnce(&mut Book) -> Result<T, E>,
) -> Result<T, E> {
    let before = book.shelf::<Books>().opened();
    let before: Vec<AccountId> = before.iter().map(|account| account.id).collect();
    let done = work(book)?;
    let opened = book.shelf::<Books>().opened().into_iter();
    let opened: Vec<Account> = opened
        .filter(|account| !before.contains(&account.id))
        .cloned()
        .collect();
    for account in &opened {
        books::accounts::record_opened(book, account);
    }
    Ok(done)
}
