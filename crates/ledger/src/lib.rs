//! Double-entry books in integer minor units.
//!
//! A **transaction** is an atomic group of **postings**. A posting moves a positive amount of one currency from
//! a credited account to a debited account. Each of the two accounts sees the posting as an **entry**. Because
//! only postings are stored, an unbalanced book cannot be written.
//!
//! ```
//! use diesel::RunQueryDsl as _;
//! use ledger::tables::{Needs, load, save};
//! use ledger::{
//!     AccountClass, AccountCode, AccountId, AccountName, Kind, Limits, NewAccount, NewTransaction,
//!     Posting, Refusal, Shelf, TransactionId,
//! };
//! use money::{Amount, Currency, MinorUnits};
//! use store::bulk::Writes;
//! use store::find::Lock;
//! use store::{AnyConnection, Ids, TenantId, Timestamp};
//!
//! const TENANT: TenantId = TenantId(1);
//!
//! /// Runs one batch: loads the rows that it needs, decides in memory, and writes in one commit.
//! fn batch<T>(
//!     books: &mut AnyConnection,
//!     accounts: &[AccountId],
//!     decide: impl FnOnce(&mut Shelf) -> T,
//! ) -> Result<T, store::Error> {
//!     store::begin_write(books)?;
//!     let needs = Needs { accounts: accounts.to_vec(), ..Needs::default() };
//!     let mut shelf = load(books, TENANT, needs, Lock::Rows)?;
//!     let decided = decide(&mut shelf);
//!     let mut writes = Writes::default();
//!     save(&mut writes, TENANT, &shelf);
//!     writes.run(books)?;
//!     store::commit(books)?;
//!     Ok(decided)
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut books = store::in_memory()?;
//! diesel::sql_query("INSERT INTO tenant (created_at, tenant_id, name) VALUES (0, 1, 'acme')")
//!     .execute(&mut books)?;
//! let (mut ids, now) = (Ids::seeded(1), Timestamp::from_micros(0));
//! let eur = Currency::from_code("EUR")?;
//!
//! // Two accounts: the source of the money, and a wallet that is never overdrawn.
//! let mut open = |code: &str, class, limits| {
//!     let (id, name) = (AccountId::from_bytes(ids.next(now)), AccountName::trusted(code));
//!     let code = AccountCode::trusted(code);
//!     let new = NewAccount { name, code, currency: eur, class, limits, metadata: None };
//!     batch(&mut books, &[], |shelf| ledger::open(shelf, id, new, now).map(|account| account.id))
//! };
//! let source = open("equity:source", AccountClass::Equity, Limits::NONE)??;
//! let wallet = open("liabilities:wallet", AccountClass::Liability, Limits::NO_OVERDRAFT)??;
//!
//! // 12.50 are posted to the wallet. Then a posting of 12.51 from it is refused.
//! let mut post = |debit, credit, amount| {
//!     let id = TransactionId::from_bytes(ids.next(now));
//!     let postings = vec![Posting { debit, credit, amount, currency: eur }];
//!     let new = NewTransaction::plain(id, Kind::Transfer, postings, now);
//!     batch(&mut books, &[debit, credit], |shelf| ledger::post(shelf, new))
//! };
//! post(source, wallet, Amount::new(1250)?)??;
//! let refused = post(wallet, source, Amount::new(1251)?)?;
//! assert!(matches!(refused, Err(Refusal::InsufficientFunds { available: 1250, .. })));
//!
//! let account = ledger::account(&mut books, TENANT, wallet)?.ok_or("it is there")?;
//! assert_eq!(account.posted(), MinorUnits::new(1250));
//! # Ok(())
//! # }
//! ```
//!
//! A transaction is posted at once, or it is **pending**. The postings of a pending transaction **hold** amounts:
//! these are not available until they are fulfilled ([`fulfil`](fulfil()), wholly or in part), voided or expired. A
//! final transaction is corrected by a reversal ([`reverse`](reverse())), never by more than was posted. Each of
//! these steps is a transaction of its own. Its field [`RecordedTransaction::about`] names the first one. Two
//! currencies are [`exchange()`]d by one transaction with a posting in each currency.
//!
//! The rules ([`open`], [`post()`], …) are pure functions over a [`Shelf`]: the part of the books that one
//! batch holds in memory. [`tables`] loads a shelf and saves it. Postings are decided in `post.rs`. The
//! refusals of each function have a fixed order, which is listed in `docs/ledger-errors.md`. `docs/ledger.md`
//! explains the model, with recipes.
//!
//! This crate never knows a payment, a provider or HTTP, never reads a clock, never calls a network, and never
//! changes or deletes what was posted.
//!
//! Invariants: per transaction and currency debits equal credits, and amounts are positive (L1); the counters
//! of an account are the sums of its entries (L2); the total over all accounts of a currency is zero (L3);
//! rows never change (L4, by trigger on both databases); holds and corrections agree with the postings (L5);
//! the amounts of an exchange follow from its rate (L6); the tables beside the entries, for time and metadata,
//! agree with the transactions (L7); each currency that is not in ISO 4217 is registered (L8).

mod account;
mod as_of;
mod asset;
mod change;
pub mod check;
mod code;
mod condition;
mod describe;
mod entries;
mod exchange;
mod fulfil;
mod hold;
mod import;
pub mod journal;
mod kind;
mod limits;
mod metadata;
mod open;
mod outstanding;
mod period;
mod post;
mod rate;
mod read;
mod refusal;
mod release;
mod reverse;
mod schema;
mod search;
mod shelf;
mod statement;
pub mod tables;
mod texts;
mod totals;
mod transaction;
mod withdrawn;

pub use account::{Account, AccountClass, AccountId, AccountStatus, NormalSide};
pub use as_of::{By, balance_at};
pub use asset::{Asset, NewAsset, RegisterError, register};
pub use change::{ChangeError, close, freeze, set_limits, set_metadata, unfreeze};
pub use code::{AccountCode, AccountCodeError};
pub use condition::{Condition, Demand};
pub use describe::{MetadataChange, describe};
pub use exchange::{Exchange, Leg, NewExchange, Quote, exchange};
pub use fulfil::{NewFulfilment, fulfil};
pub use hold::{Hold, HoldStatus, Promise, ended};
pub use import::{
    ForeignAccount, ForeignPosting, ForeignTransaction, Import, ImportError, ImportResult,
    KnownItem, Misfit, OnKnown, import,
};
pub use kind::{Kind, KindError, KindName};
pub use limits::{Limits, LimitsError};
pub use metadata::{Metadata, MetadataError, MetadataKey, MetadataValue};
pub use open::{NewAccount, OpenError, open};
pub use outstanding::{OutstandingHold, outstanding};
pub use period::{PeriodError, close_period};
pub use post::post;
pub use rate::{Rate, RateError};
pub use read::{
    Entry, account, accounts, asset, assets, assets_named, closed_before, corrections, entries,
    exchanges, find_by_code, holds, posted, with_current_metadata,
};
pub use refusal::{Refusal, order};
pub use release::{NewRelease, expire, void};
pub use reverse::{Amounts, Correction, NewReversal, reverse};
pub use search::{MAX_READ, MetadataMatch, Place, Search, SearchPage, ids_between, search};
pub use shelf::Shelf;
pub use statement::{Line, Position, Span, Statement, statement};
pub use texts::{AccountName, AssetName, Description, ExternalId, RateSource};
pub use totals::{AccountBalance, Scope, Total, standings, totals};
pub use transaction::{
    EXCEEDS_FROM, Heading, MAX_AHEAD_SECONDS, MAX_POSTINGS, NewTransaction, Part, Pending, Phase,
    Posting, RELEASES_FROM, RecordedPosting, RecordedTransaction, Side, Step, TransactionId,
};
pub use withdrawn::withdrawn;
