//! Proof of the ledger's invariants over one snapshot. Every table is read in the order of a key, a page at a
//! time. Tables that belong together are read side by side, as in a merge of sorted lists. Only the currency
//! of each account stays in memory for longer.

mod aside;
mod assets;
mod counters;
mod described;
mod exchanges;
mod remainders;

use std::collections::{BTreeMap, HashMap};

use diesel::dsl::{exists, not};
use diesel::prelude::*;
use store::{AnyConnection, CheckError, Error, Pages, TenantId};

use crate::schema::{account, ledger_transaction, posting};
use crate::tables::{AccountRow, PostingRow, postings_of};
use crate::transaction::{EXCEEDS_FROM, RELEASES_FROM};
use crate::{AccountId, Kind, Phase, Step, TransactionId};

pub use aside::{all_asides_agree, asides_agree};
pub use assets::{assets, assets_are_registered};
pub use counters::{all_counters_add_up, counters_add_up};
pub use described::{LaterMetadata, described};
pub use exchanges::exchanges_follow;
pub use remainders::remainders_add_up;

/// Number of rows that are read at a time.
const PAGE: i64 = 4_000;
/// Number of transactions whose postings are read at a time. A transaction may have many.
const PART: usize = 1_000;

/// The names of the triggers that keep the ledger's rows unchanged (L4).
pub const GUARDS: [&str; 31] = [
    "ledger_transaction_immutable",
    "ledger_transaction_kept",
    "posting_immutable",
    "posting_kept",
    "posting_fits",
    "account_grows",
    "account_stays",
    "account_edges",
    "account_undeletable",
    "account_fits",
    "asset_immutable",
    "asset_kept",
    "hold_fits",
    "hold_grows",
    "hold_stays",
    "hold_edges",
    "hold_undeletable",
    "correction_grows",
    "correction_undeletable",
    "exchange_immutable",
    "exchange_kept",
    "period_forward",
    "period_undeletable",
    "displaced_immutable",
    "displaced_kept",
    "time_bucket_grows",
    "time_bucket_undeletable",
    "transaction_metadata_immutable",
    "transaction_metadata_undeletable",
    "current_metadata_grows",
    "current_metadata_undeletable",
];

/// [`all_postings_balance`] for one tenant.
///
/// # Errors
/// [`CheckError::Broken`] names the first posting or transaction that breaks the rule.
pub fn postings_balance(
    connection: &mut AnyConnection,
    tenant: TenantId,
    progress: &mut dyn FnMut(u64),
) -> Result<u64, CheckError> {
    let examined = postings_fit(connection, tenant, progress)?;
    no_other_posting(connection, Some(tenant), examined)?;
    Ok(examined)
}

/// L1: each posting moves a positive amount between two different accounts, which exist and have its currency. It is
/// the next posting of a transaction that exists, and its phase fits the step of that transaction. No transaction is
/// without a posting. A posting is a debit and a credit at once, so debits equal credits per transaction and
/// currency. `tenants` must be all tenants that exist. Returns the number of postings.
///
/// # Errors
/// [`CheckError::Broken`] names the first posting or transaction that breaks the rule.
pub fn all_postings_balance(
    connection: &mut AnyConnection,
    tenants: &[TenantId],
    progress: &mut dyn FnMut(u64),
) -> Result<u64, CheckError> {
    let mut examined = 0_u64;
    for tenant in tenants {
        let before = examined;
        let fit = postings_fit(connection, *tenant, &mut |done| progress(before + done));
        examined += fit.map_err(|broken| broken.of(*tenant))?;
    }
    no_other_posting(connection, None, examined)?;
    Ok(examined)
}

/// The part of L1 that begins with the transactions of a tenant. Returns the number of their postings.
fn postings_fit(
    connection: &mut AnyConnection,
    tenant: TenantId,
    progress: &mut dyn FnMut(u64),
) -> Result<u64, CheckError> {
    let held = Currencies::load(connection, tenant)?;
    let mut transactions = steps(tenant);
    let mut examined = 0_u64;
    loop {
        let page = transactions.page(connection)?;
        if page.is_empty() {
            return Ok(examined);
        }
        for part in page.chunks(PART) {
            let ids: Vec<TransactionId> = part.iter().map(|(id, _)| *id).collect();
            let mut postings = postings_of(connection, tenant, &ids)?;
            for (transaction, step) in part {
                let bad = || CheckError::broken(transaction, format!("it has no step: {step}"));
                let step = Step::from_number(*step).ok_or_else(bad)?;
                let postings = postings.remove(transaction).unwrap_or_default();
                if postings.is_empty() {
                    return Err(CheckError::broken(transaction, "it has no posting"));
                }
                let mut next_ordinal = 0_i16;
                for posting in postings {
                    check_place(&posting, step, next_ordinal)?;
                    held.check(&posting)?;
                    next_ordinal = posting.ordinal.saturating_add(1);
                    tick(&mut examined, progress);
                }
            }
        }
    }
}

/// The part of L1 that finds postings without a transaction. All postings are counted. If there are as many as were
/// reached from transactions, there is no other posting. Only if the numbers differ, each posting is looked at.
fn no_other_posting(
    connection: &mut AnyConnection,
    whose: Option<TenantId>,
    reached: u64,
) -> Result<(), CheckError> {
    let own = || {
        let all = posting::table.into_boxed();
        match whose {
            Some(tenant) => all.filter(posting::tenant_id.eq(tenant)),
            None => all,
        }
    };
    let number: i64 = own().count().get_result(connection).map_err(Error::from)?;
    if u64::try_from(number) == Ok(reached) {
        return Ok(());
    }
    let transaction = ledger_transaction::table
        .filter(ledger_transaction::tenant_id.eq(posting::tenant_id))
        .filter(ledger_transaction::id.eq(posting::transaction_id));
    let orphan: Option<PostingRow> = own()
        .filter(not(exists(transaction)))
        .order((
            posting::tenant_id,
            posting::transaction_id,
            posting::ordinal,
        ))
        .first(connection)
        .optional()
        .map_err(Error::from)?;
    Err(match orphan {
        Some(row) => {
            CheckError::broken(name(&row), "its transaction does not exist").of(row.tenant_id)
        }
        None => {
            let detail = format!("there are {number}, the tenants have {reached}");
            CheckError::broken("postings", detail)
        }
    })
}

/// L3: over all accounts of a currency, the sum of debits equals the sum of credits. Returns the number of
/// accounts.
///
/// # Errors
/// [`CheckError::Broken`] names the first currency that breaks the rule.
pub fn totals_are_equal(
    connection: &mut AnyConnection,
    tenant: TenantId,
    progress: &mut dyn FnMut(u64),
) -> Result<u64, CheckError> {
    let mut accounts = accounts(tenant);
    let mut totals: BTreeMap<String, [(i128, i128); 3]> = BTreeMap::new();
    let mut examined = 0_u64;
    while let Some(account) = accounts.next(connection)? {
        let counters = [
            (account.debits_posted, account.credits_posted),
            (account.debits_pending, account.credits_pending),
            (account.debits_released, account.credits_released),
        ];
        let sums = totals.entry(account.currency).or_default();
        for ((debits, credits), (debit, credit)) in sums.iter_mut().zip(counters) {
            *debits += i128::from(debit);
            *credits += i128::from(credit);
        }
        tick(&mut examined, progress);
    }
    for (currency, sums) in totals {
        let mut named = sums.into_iter().zip(["posted", "pending", "released"]);
        let unequal = named.find(|((debits, credits), _)| debits != credits);
        if let Some(((debits, credits), which)) = unequal {
            let detail =
                format!("the accounts hold {debits} of {which} debits and {credits} of credits");
            return Err(CheckError::broken(currency, detail));
        }
    }
    Ok(examined)
}

/// A transaction that another part of the system refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionReference {
    /// The transaction's id.
    pub id: TransactionId,
    /// The caller's own id for the transaction.
    pub external_id: Option<String>,
    /// Amount in minor units and currency of each posting, as stored, in order.
    pub moved: Vec<(i64, String)>,
}

/// All transactions of one kind, in id order.
#[must_use]
pub fn of_kind(tenant: TenantId, kind: Kind) -> Pages<(TransactionId, Option<String>)> {
    Pages::new(
        tenant,
        move |connection, tenant, after: Option<&(TransactionId, _)>| {
            let mut query = ledger_transaction::table
                .filter(ledger_transaction::tenant_id.eq(tenant))
                .filter(ledger_transaction::kind.eq(kind.name()))
                .order(ledger_transaction::id)
                .limit(PAGE)
                .select((ledger_transaction::id, ledger_transaction::external_id))
                .into_boxed();
            if let Some((id, _)) = after {
                query = query.filter(ledger_transaction::id.gt(*id));
            }
            Ok(query.load(connection)?)
        },
    )
}

/// The transactions with these external ids, and the amounts that they move.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn named(
    connection: &mut AnyConnection,
    tenant: TenantId,
    external_ids: &[String],
) -> Result<Vec<TransactionReference>, Error> {
    let found: Vec<(TransactionId, Option<String>)> = ledger_transaction::table
        .filter(ledger_transaction::tenant_id.eq(tenant))
        .filter(ledger_transaction::external_id.eq_any(external_ids))
        .select((ledger_transaction::id, ledger_transaction::external_id))
        .load(connection)?;
    let ids: Vec<TransactionId> = found.iter().map(|(id, _)| *id).collect();
    let rows: Vec<(TransactionId, i64, String)> = posting::table
        .filter(posting::tenant_id.eq(tenant))
        .filter(posting::transaction_id.eq_any(&ids))
        .order((posting::transaction_id, posting::ordinal))
        .select((posting::transaction_id, posting::amount, posting::currency))
        .load(connection)?;
    let mut moved: HashMap<TransactionId, Vec<(i64, String)>> = HashMap::new();
    for (id, amount, currency) in rows {
        moved.entry(id).or_default().push((amount, currency));
    }
    let referred = |(id, external_id)| TransactionReference {
        id,
        external_id,
        moved: moved.remove(&id).unwrap_or_default(),
    };
    Ok(found.into_iter().map(referred).collect())
}

/// All transactions in id order, each with its time of expiry (microseconds since 1970).
#[must_use]
pub fn transactions(tenant: TenantId) -> Pages<(TransactionId, Option<i64>)> {
    Pages::new(
        tenant,
        |connection, tenant, after: Option<&(TransactionId, Option<i64>)>| {
            let mut query = ledger_transaction::table
                .filter(ledger_transaction::tenant_id.eq(tenant))
                .order(ledger_transaction::id)
                .limit(PAGE)
                .select((ledger_transaction::id, ledger_transaction::expires_at))
                .into_boxed();
            if let Some((id, _)) = after {
                query = query.filter(ledger_transaction::id.gt(*id));
            }
            Ok(query.load(connection)?)
        },
    )
}

/// All transactions in id order, each with the number of its step.
pub(crate) fn steps(tenant: TenantId) -> Pages<(TransactionId, i16)> {
    Pages::new(
        tenant,
        |connection, tenant, after: Option<&(TransactionId, i16)>| {
            let mut query = ledger_transaction::table
                .filter(ledger_transaction::tenant_id.eq(tenant))
                .order(ledger_transaction::id)
                .limit(PAGE)
                .select((ledger_transaction::id, ledger_transaction::step))
                .into_boxed();
            if let Some((id, _)) = after {
                query = query.filter(ledger_transaction::id.gt(*id));
            }
            Ok(query.load(connection)?)
        },
    )
}

/// All accounts, in id order.
#[must_use]
pub fn accounts(tenant: TenantId) -> Pages<AccountRow> {
    accounts_by(tenant, PAGE)
}

/// All accounts, in id order, `page` rows at a time.
fn accounts_by(tenant: TenantId, page: i64) -> Pages<AccountRow> {
    Pages::over(move |connection, after: Option<&AccountRow>| {
        let mut query = account::table
            .filter(account::tenant_id.eq(tenant))
            .order(account::id)
            .limit(page)
            .into_boxed();
        if let Some(last) = after {
            query = query.filter(account::id.gt(last.id));
        }
        Ok(query.load(connection)?)
    })
}

/// The only tenant, if there is exactly one. The rows of several tenants are read together.
const fn only(tenants: &[TenantId]) -> Option<TenantId> {
    match tenants {
        [one] => Some(*one),
        _ => None,
    }
}

fn tick(examined: &mut u64, progress: &mut dyn FnMut(u64)) {
    *examined += 1;
    if examined.is_multiple_of(PAGE.unsigned_abs()) {
        progress(*examined);
    }
}

fn name(posting: &PostingRow) -> String {
    format!("{} posting {}", posting.transaction_id, posting.ordinal)
}

/// Checks the phase and the ordinal of a posting against the step of its transaction. If the transaction is
/// about another one, its postings have the ordinals of that one's postings: plus 100 if they release, plus
/// 200 if they exceed what was held. Otherwise they are numbered without a gap.
fn check_place(posting: &PostingRow, step: Step, next: i16) -> Result<(), CheckError> {
    let broken = |detail| Err(CheckError::broken(name(posting), detail));
    let phase = Phase::from_number(posting.phase);
    let is_own = posting.ordinal < RELEASES_FROM;
    let is_beyond = posting.ordinal >= EXCEEDS_FROM;
    let (fits, follows) = match (step, phase) {
        (Step::Pending, Some(Phase::Pending)) | (Step::Posted, Some(Phase::Posted)) => {
            (true, posting.ordinal == next)
        }
        (Step::Fulfilment, Some(Phase::Fulfilled)) => (true, is_own),
        (Step::Fulfilment, Some(Phase::Posted)) => (true, is_beyond),
        (Step::Reversal, Some(Phase::Posted)) => (true, is_own || is_beyond),
        (Step::Fulfilment | Step::Void | Step::Expiry, Some(Phase::Released)) => {
            (true, !is_own && !is_beyond)
        }
        (Step::Pending, _)
        | (Step::Posted, _)
        | (Step::Fulfilment, _)
        | (Step::Void, _)
        | (Step::Expiry, _)
        | (Step::Reversal, _) => (false, false),
    };
    if !fits {
        let phase = phase.map_or("no phase", Phase::name);
        return broken(format!("it is {phase}, its transaction is a {step} one"));
    }
    if !follows {
        return broken(format!("posting {next} is missing"));
    }
    Ok(())
}

/// The currency of each account. Each currency code is kept once, however many accounts use it.
struct Currencies {
    codes: Vec<String>,
    held: HashMap<AccountId, usize>,
}

impl Currencies {
    fn load(connection: &mut AnyConnection, tenant: TenantId) -> Result<Self, Error> {
        let mut accounts = accounts(tenant);
        let mut codes: Vec<String> = Vec::new();
        let mut held = HashMap::new();
        while let Some(account) = accounts.next(connection)? {
            let known = codes.iter().position(|code| *code == account.currency);
            let code = known.unwrap_or_else(|| {
                codes.push(account.currency);
                codes.len() - 1
            });
            held.insert(account.id, code);
        }
        Ok(Self { codes, held })
    }

    fn check(&self, posting: &PostingRow) -> Result<(), CheckError> {
        let broken = |detail| Err(CheckError::broken(name(posting), detail));
        if posting.amount <= 0 {
            return broken(format!("its amount is {}", posting.amount));
        }
        if posting.debit_account == posting.credit_account {
            return broken(format!("it debits and credits {}", posting.debit_account));
        }
        for account in [posting.debit_account, posting.credit_account] {
            let code = self
                .held
                .get(&account)
                .and_then(|code| self.codes.get(*code));
            match code {
                None => return broken(format!("account {account} does not exist")),
                Some(code) if *code != posting.currency => {
                    return broken(format!(
                        "it moves {}, {account} holds {code}",
                        posting.currency
                    ));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }
}
