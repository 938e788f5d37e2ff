//! P1 and P3 for reserves: what is left of each, and the posting sets of reserves and of their releases.

use std::collections::HashMap;

use diesel::prelude::*;
use ledger::Kind;
use ledger::check::TransactionReference;
use store::{AnyConnection, CheckError, Error, Pages, TenantId};

use super::{PAGE, tick};
use crate::OperationId;
use crate::postings::{self, Posted, PostingSet};
use crate::reserves::shelf::{ReleaseRow, ReserveRow};
use crate::reserves::{Release, ReleaseId, Reserve, ReserveId};
use crate::schema::{operation, reserve, reserve_release};
use crate::tables::OperationRow;

/// P1: what is left of each reserve is its amount less what was released; the share of a capture belongs to the payment
/// of the capture and is not more than was made available.
pub(super) fn reserves_add_up(
    connection: &mut AnyConnection,
    tenant: TenantId,
) -> Result<(), CheckError> {
    let mut reserves = reserves(tenant);
    let mut releases: Pages<ReleaseRow> = Pages::new(tenant, releases_by_reserve);
    loop {
        let page = reserves.page(connection)?;
        if page.is_empty() {
            break;
        }
        let page = page.into_iter().map(ReserveRow::read);
        let page: Vec<Reserve> = page.collect::<Result<_, _>>()?;
        shares_fit(connection, tenant, &page)?;
        for reserve in page {
            let mut released = 0_i128;
            while let Some(release) =
                releases.next_if(connection, |release| release.reserve_id <= reserve.id)?
            {
                if release.reserve_id != reserve.id {
                    return Err(CheckError::broken(release.id, "its reserve does not exist"));
                }
                released += i128::from(release.amount);
            }
            let left = i128::from(reserve.money.amount.get()) - released;
            if i128::from(reserve.remaining) != left {
                let stored = reserve.remaining;
                let detail = format!("{stored} is left, its releases make it {left}");
                return Err(CheckError::broken(reserve.id, detail));
            }
        }
    }
    match releases.next(connection)? {
        Some(release) => Err(CheckError::broken(release.id, "its reserve does not exist")),
        None => Ok(()),
    }
}

/// Checks the reserves of captures beside the operations whose money they hold.
fn shares_fit(
    connection: &mut AnyConnection,
    tenant: TenantId,
    reserves: &[Reserve],
) -> Result<(), CheckError> {
    let of_captures = reserves.iter().filter_map(|reserve| reserve.of);
    let ids: Vec<OperationId> = of_captures.map(|(_, operation)| operation).collect();
    let rows = operations(connection, tenant, &ids)?;
    for reserve in reserves {
        let Some((payment, operation)) = reserve.of else {
            continue;
        };
        let fits = rows.get(&operation).is_some_and(|row| {
            row.payment() == Some(payment)
                && row.currency == reserve.money.currency.code()
                && reserve.money.amount.get() <= row.made_available
        });
        if !fits {
            let detail = format!("it is more than was made available of {operation}");
            return Err(CheckError::broken(reserve.id, detail));
        }
    }
    Ok(())
}

/// P3: each reserve and each release has its posting set once, with its amount, and each transaction of such a kind has
/// its reserve or its release.
pub(super) fn reserves_are_posted_once(
    connection: &mut AnyConnection,
    tenant: TenantId,
    examined: &mut u64,
    progress: &mut dyn FnMut(u64),
) -> Result<(), CheckError> {
    let mut all = reserves(tenant);
    loop {
        let page = all.page(connection)?;
        if page.is_empty() {
            break;
        }
        let page = page.into_iter().map(ReserveRow::read);
        let page: Vec<Reserve> = page.collect::<Result<_, _>>()?;
        are_posted(connection, tenant, &page, postings::RESERVED)?;
        page.iter().for_each(|_| tick(examined, progress));
    }
    let mut all: Pages<ReleaseRow> = Pages::new(tenant, releases_by_reserve);
    loop {
        let page = all.page(connection)?;
        if page.is_empty() {
            break;
        }
        let page = releases(connection, tenant, page)?;
        are_posted(connection, tenant, &page, postings::RESERVE_RELEASED)?;
        page.iter().for_each(|_| tick(examined, progress));
    }
    for set in postings::OF_RESERVES {
        every_set_has_its_cause(connection, tenant, set, examined, progress)?;
    }
    Ok(())
}

/// Checks that each of these things has this set in the books.
fn are_posted(
    connection: &mut AnyConnection,
    tenant: TenantId,
    things: &[impl Posted],
    set: PostingSet,
) -> Result<(), CheckError> {
    let names = things.iter().map(|thing| set.external_id(thing.name()));
    let names: Vec<String> = names.collect();
    let mut posted: HashMap<String, Vec<TransactionReference>> = HashMap::new();
    for transaction in ledger::check::named(connection, tenant, &names)? {
        if let Some(name) = transaction.external_id.clone() {
            posted.entry(name).or_default().push(transaction);
        }
    }
    for (thing, name) in things.iter().zip(names) {
        let currency = thing.currency().code().to_owned();
        let amounts = set.amounts(thing).into_iter();
        let asked: Vec<(i64, String)> = amounts.map(|amount| (amount, currency.clone())).collect();
        let moved = posted.get(&name).map(Vec::as_slice).unwrap_or_default();
        if !matches!(moved, [only] if only.moved == asked) {
            let detail = format!("its {} is not posted once, with its amount", set.kind);
            return Err(CheckError::broken(thing.name(), detail));
        }
    }
    Ok(())
}

/// Checks that each transaction of a kind has its reserve or its release.
fn every_set_has_its_cause(
    connection: &mut AnyConnection,
    tenant: TenantId,
    set: PostingSet,
    examined: &mut u64,
    progress: &mut dyn FnMut(u64),
) -> Result<(), CheckError> {
    let Ok(kind) = Kind::parse(set.kind) else {
        return Ok(());
    };
    let mut transactions = ledger::check::of_kind(tenant, kind);
    while let Some((id, name)) = transactions.next(connection)? {
        let cause = name.as_deref().and_then(|name| name.split_once(':'));
        let cause = cause.map_or("", |(cause, _)| cause);
        let is_there = if set == postings::RESERVED {
            match cause.parse::<ReserveId>() {
                Ok(id) => !by_id(connection, tenant, &[id])?.is_empty(),
                Err(_) => false,
            }
        } else {
            match cause.parse::<ReleaseId>() {
                Ok(id) => is_release(connection, tenant, id)?,
                Err(_) => false,
            }
        };
        if !is_there {
            return Err(CheckError::broken(id, "it has no reserve as its cause"));
        }
        tick(examined, progress);
    }
    Ok(())
}

/// The releases of these rows, in the currencies of their reserves.
fn releases(
    connection: &mut AnyConnection,
    tenant: TenantId,
    rows: Vec<ReleaseRow>,
) -> Result<Vec<Release>, CheckError> {
    let ids: Vec<ReserveId> = rows.iter().map(|row| row.reserve_id).collect();
    let mut known = HashMap::new();
    for row in by_id(connection, tenant, &ids)? {
        let reserve = row.read()?;
        known.insert(reserve.id, reserve.money);
    }
    let rows = rows.into_iter().map(|row| {
        let money = known.get(&row.reserve_id);
        let money =
            money.ok_or_else(|| CheckError::broken(row.id, "its reserve does not exist"))?;
        row.read(*money).map_err(CheckError::from)
    });
    rows.collect()
}

/// All reserves, in id order.
fn reserves(tenant: TenantId) -> Pages<ReserveRow> {
    Pages::new(tenant, |connection, tenant, after: Option<&ReserveRow>| {
        let first = ReserveId::from_bytes([0; 16]);
        let after = after.map_or(first, |row| row.id);
        Ok(reserve::table
            .filter(reserve::tenant_id.eq(tenant))
            .filter(reserve::id.gt(after))
            .order(reserve::id)
            .limit(PAGE)
            .load(connection)?)
    })
}

/// The releases after a given one, by reserve: first the rest of the same reserve, then those of later reserves.
fn releases_by_reserve(
    connection: &mut AnyConnection,
    tenant: TenantId,
    after: Option<&ReleaseRow>,
) -> Result<Vec<ReleaseRow>, Error> {
    let releases = || {
        reserve_release::table
            .filter(reserve_release::tenant_id.eq(tenant))
            .order((reserve_release::reserve_id, reserve_release::id))
            .limit(PAGE)
    };
    let Some(last) = after else {
        return Ok(releases().load(connection)?);
    };
    let rest: Vec<ReleaseRow> = releases()
        .filter(reserve_release::reserve_id.eq(last.reserve_id))
        .filter(reserve_release::id.gt(last.id))
        .load(connection)?;
    if !rest.is_empty() {
        return Ok(rest);
    }
    Ok(releases()
        .filter(reserve_release::reserve_id.gt(last.reserve_id))
        .load(connection)?)
}

fn by_id(
    connection: &mut AnyConnection,
    tenant: TenantId,
    ids: &[ReserveId],
) -> Result<Vec<ReserveRow>, Error> {
    Ok(reserve::table
        .filter(reserve::tenant_id.eq(tenant))
        .filter(reserve::id.eq_any(ids))
        .load(connection)?)
}

fn is_release(
    connection: &mut AnyConnection,
    tenant: TenantId,
    id: ReleaseId,
) -> Result<bool, Error> {
    let found: Option<i64> = reserve_release::table
        .find((tenant, id))
        .select(reserve_release::amount)
        .first(connection)
        .optional()?;
    Ok(found.is_some())
}

fn operations(
    connection: &mut AnyConnection,
    tenant: TenantId,
    ids: &[OperationId],
) -> Result<HashMap<OperationId, OperationRow>, Error> {
    let rows: Vec<OperationRow> = operation::table
        .filter(operation::tenant_id.eq(tenant))
        .filter(operation::id.eq_any(ids))
        .load(connection)?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}
