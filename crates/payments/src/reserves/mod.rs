//! Reserves: available money of the merchant that is held back, for some days or until a person releases it.
//!
//! The terms may say that a share of each capture is held back for some days ([`crate::terms`]). The commit that makes
//! the money of the capture available moves the share on, and plans its release. A person can hold back any amount that
//! is available, with or without a day on which it is released.
//!
//! What is left to release is a column, changed in the commit that releases, so two releases never use the same money.
//! Each release is a row with a posting set of its own. A dispute of a payment uses the reserves of this payment first:
//! as much as it needs is released in the commit that opens it. The share of a capture is never more than what is
//! available, so only a dispute makes available money negative.

mod create;
mod due;
mod http;
mod release;
pub(crate) mod reserve;
pub(crate) mod shelf;
pub mod show;

use books::Books;
use edge::Capability;
use engine::errand::{Errand, Errands};
use engine::{AuditEvent, Book, changed, set};
use money::Amount;
use store::Timestamp;

use reserve::RELEASE;

pub use create::CreateReserve;
pub use due::{ReleaseDue, ReserveReleases};
pub use release::ReleaseReserve;
pub use reserve::{Cause, Release, ReleaseId, Reserve, ReserveId};
pub use shelf::{ReserveShelf, Wanted};

use crate::disputes::dispute::DisputeId;
use crate::postings::accounts::MERCHANT_AVAILABLE;
use crate::terms::TermsShelf;
use crate::{Operation, PaymentId, opened, postings};

/// The routes and codes, for the edge.
pub const CAPABILITY: Capability = Capability {
    routes: http::routes,
    codes: &[],
};

/// Number of microseconds of a day.
const DAY_MICROS: i64 = 86_400_000_000;

/// Why nothing was held back or released: the first broken rule, in the order of the variants.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReserveRefusal {
    /// The reserve does not exist, or belongs to another tenant.
    #[error("there is no such reserve")]
    NotFound,
    /// The time of the release is not in the future.
    #[error("the time of the release is not in the future")]
    ReleaseInThePast,
    /// More was asked for than is left.
    #[error("{asked} was asked for, and {left} is left")]
    TooMuch {
        /// The amount that was asked for, in minor units.
        asked: i64,
        /// The amount that is left to release, in minor units.
        left: i64,
    },
    /// There is less available money than should be held back.
    #[error("{asked} was asked for, and {left} is available")]
    NotAvailable {
        /// The amount that was asked for, in minor units.
        asked: i64,
        /// The amount that is available, in minor units.
        left: i64,
    },
    /// The books refused the posting.
    #[error("the ledger refused: {0}")]
    Ledger(ledger::Refusal),
}

/// Holds back the share of the money of a capture that was just made available, as its terms say.
pub(crate) fn hold_share(book: &mut Book, operation: &Operation) -> Result<(), ledger::Refusal> {
    let terms = book.shelf::<TermsShelf>().reserve(operation.terms);
    let share = terms.share(operation.made_available);
    let share = share.min(spendable(book, operation.money.currency));
    let Ok(amount) = Amount::new(share) else {
        return Ok(());
    };
    let now = book.now();
    let today = now.micros().div_euclid(DAY_MICROS);
    let day = today.saturating_add(i64::from(terms.days));
    let reserve = Reserve {
        id: ReserveId::from_bytes(book.next_id()),
        of: Some((operation.payment(), operation.id)),
        money: money::Money {
            amount,
            currency: operation.money.currency,
        },
        remaining: share,
        reason: None,
        release_at: Some(Timestamp::from_micros(day.saturating_mul(DAY_MICROS))),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    hold(book, reserve, Some(&operation.id.to_string()))
}

/// The available money of the merchant that may be held back, in minor units.
fn spendable(book: &Book, currency: money::Currency) -> i64 {
    let books = book.shelf::<Books>();
    let id = books.id_of(&MERCHANT_AVAILABLE.code(currency));
    let account = id.and_then(|id| books.account(&id));
    account.map_or(0, |account| {
        let available = account.available().get();
        let least = account.limits.least().map_or(0, |least| least.get().max(0));
        available.saturating_sub(least).max(0)
    })
}

/// Posts a new reserve, plans its release, and adds its audit record. If the books refuse, the caller undoes
/// everything.
fn hold(book: &mut Book, reserve: Reserve, cause: Option<&str>) -> Result<(), ledger::Refusal> {
    post(book, &reserve, postings::RESERVED)?;
    if let Some(due_at) = reserve.release_at {
        let errand = Errand {
            due_at,
            epoch: 0,
            place: String::new(),
        };
        let errands = book.shelf_mut::<Errands>().0;
        errands.add((RELEASE, reserve.id.bytes()), errand);
    }
    let transaction = last_transaction(book);
    let (id, amount) = (
        reserve.id.to_string(),
        reserve.money.amount.get().to_string(),
    );
    let payment = reserve.of.map(|(payment, _)| payment.to_string());
    let release_at = reserve.release_at.map(|at| at.to_string());
    let mut delta = vec![
        set("amount", &amount),
        set("currency", reserve.money.currency.code()),
        set("transaction", &transaction),
    ];
    delta.extend(payment.iter().map(|id| set("payment", id)));
    delta.extend(release_at.iter().map(|at| set("release_at", at)));
    book.record(&AuditEvent {
        reason: reserve.reason.as_deref(),
        cause,
        ..AuditEvent::done("reserve.created", ("reserve", &id), &delta)
    });
    book.shelf_mut::<ReserveShelf>().0.add(reserve);
    Ok(())
}

/// Releases a part of a reserve, at most what is left of it. If the books refuse, nothing changes.
fn release(
    book: &mut Book,
    reserve: &Reserve,
    amount: Amount,
    cause: Cause,
) -> Result<Reserve, ledger::Refusal> {
    book.try_part(|book| {
        let now = book.now();
        let mut money = reserve.money;
        money.amount = amount;
        let release = Release {
            id: ReleaseId::from_bytes(book.next_id()),
            reserve: reserve.id,
            money,
            cause,
            created_at: now,
        };
        post(book, &release, postings::RESERVE_RELEASED)?;
        let mut released = reserve.clone();
        released.remaining = reserve.remaining.saturating_sub(amount.get());
        released.version = reserve.version.saturating_add(1);
        released.updated_at = now;
        if released.remaining == 0 {
            let errands = book.shelf_mut::<Errands>().0;
            errands.end((RELEASE, reserve.id.bytes()));
        }
        let transaction = last_transaction(book);
        let [was, is] = [reserve, &released].map(|reserve| reserve.remaining.to_string());
        let (id, release_id) = (reserve.id.to_string(), release.id.to_string());
        let delta = [
            changed("left", &was, &is),
            set("release", &release_id),
            set("transaction", &transaction),
        ];
        let dispute = cause.dispute().map(|id| id.to_string());
        book.record(&AuditEvent {
            reason: Some(cause.name()),
            cause: dispute.as_deref(),
            ..AuditEvent::done("reserve.released", ("reserve", &id), &delta)
        });
        let shelf = book.shelf_mut::<ReserveShelf>().0;
        shelf.change(released.clone());
        shelf.add_release(release);
        Ok(released)
    })
}

/// Releases as much of the reserves of a payment as a dispute of it needs, those that were made first before the
/// others.
pub(crate) fn release_for(
    book: &mut Book,
    payment: PaymentId,
    dispute: DisputeId,
    needed: i64,
) -> Result<(), ledger::Refusal> {
    let mut missing = needed;
    for reserve in book.shelf::<ReserveShelf>().of_payment(payment) {
        let Ok(amount) = Amount::new(reserve.remaining.min(missing)) else {
            continue;
        };
        release(book, &reserve, amount, Cause::Dispute(dispute))?;
        missing = missing.saturating_sub(amount.get());
    }
    Ok(())
}

/// Posts a set of a reserve or of a release.
fn post(
    book: &mut Book,
    of: &impl postings::Posted,
    set: postings::PostingSet,
) -> Result<(), ledger::Refusal> {
    opened::recorded(book, |book| {
        let now = book.now();
        let (books, ids) = book.shelf_mut::<Books>();
        postings::post(books, of, set, ids, now)
    })
}

/// The id of the transaction that was posted last.
fn last_transaction(book: &Book) -> String {
    let posted = book.shelf::<Books>().posted().last();
    posted.map_or(String::new(), |posted| posted.id.to_string())
}
