//! L6: the terms of each exchange are compared with its postings. Exchanges are read a page at a time, and with
//! each page the postings of its transactions. Then the check looks for a transaction whose kind is exchange
//! and which has no terms.

use diesel::dsl::{exists, not};
use diesel::prelude::*;
use money::Currency;
use store::{AnyConnection, CheckError, Error, Pages, TenantId};

use super::{PAGE, tick};
use crate::schema::{exchange, ledger_transaction};
use crate::tables::{ExchangeRow, PostingRow, postings_of};
use crate::{Exchange, Kind, Leg, Phase, Step, TransactionId};

/// L6: each exchange belongs to a transaction with two postings, the sold leg and the bought leg, in two currencies.
/// One of the amounts follows from the other by the rate and the rounding. No transaction of the kind exchange is
/// without terms. Returns the number of exchanges.
///
/// # Errors
/// [`CheckError::Broken`] names the first exchange that breaks the rule.
pub fn exchanges_follow(
    connection: &mut AnyConnection,
    tenant: TenantId,
    progress: &mut dyn FnMut(u64),
) -> Result<u64, CheckError> {
    let mut exchanges = rows(tenant);
    let mut examined = 0_u64;
    loop {
        let page = exchanges.page(connection)?;
        if page.is_empty() {
            break;
        }
        let ids: Vec<TransactionId> = page.iter().map(|row| row.transaction_id).collect();
        let mut moved = postings_of(connection, tenant, &ids)?;
        for row in page {
            let id = row.transaction_id;
            let exchange = row
                .read()
                .map_err(|error| CheckError::broken(id, error.to_string()))?;
            check(&exchange, &moved.remove(&id).unwrap_or_default())?;
            tick(&mut examined, progress);
        }
    }
    match without_terms(connection, tenant)? {
        Some(id) => Err(CheckError::broken(
            id,
            "it is an exchange, and its terms are not there",
        )),
        None => Ok(examined),
    }
}

/// The first transaction that was posted with the kind exchange and has no terms. A transaction that is about
/// an exchange may have this kind too, and has no terms of its own.
fn without_terms(
    connection: &mut AnyConnection,
    tenant: TenantId,
) -> Result<Option<TransactionId>, Error> {
    let terms = exchange::table
        .filter(exchange::tenant_id.eq(tenant))
        .filter(exchange::transaction_id.eq(ledger_transaction::id));
    Ok(ledger_transaction::table
        .filter(ledger_transaction::tenant_id.eq(tenant))
        .filter(ledger_transaction::kind.eq(Kind::Exchange.name()))
        .filter(ledger_transaction::step.eq(Step::Posted.number()))
        .filter(not(exists(terms)))
        .order(ledger_transaction::id)
        .select(ledger_transaction::id)
        .first(connection)
        .optional()?)
}

/// All exchanges, in the order of their transactions' ids.
fn rows(tenant: TenantId) -> Pages<ExchangeRow> {
    Pages::new(tenant, |connection, tenant, after: Option<&ExchangeRow>| {
        let mut query = exchange::table
            .filter(exchange::tenant_id.eq(tenant))
            .order(exchange::transaction_id)
            .limit(PAGE)
            .into_boxed();
        if let Some(last) = after {
            query = query.filter(exchange::transaction_id.gt(last.transaction_id));
        }
        Ok(query.load(connection)?)
    })
}

fn check(exchange: &Exchange, postings: &[PostingRow]) -> Result<(), CheckError> {
    let broken = |detail: String| Err(CheckError::broken(exchange.transaction, detail));
    let [sold, bought] = postings else {
        return broken(format!(
            "it exchanges two currencies, with {} postings",
            postings.len()
        ));
    };
    for (posting, leg, recorded) in [
        (sold, Leg::Sold, exchange.sold),
        (bought, Leg::Bought, exchange.bought),
    ] {
        let is_it = posting.ordinal == leg.ordinal() && posting.phase == Phase::Posted.number();
        if !is_it || posting.amount != recorded.get() {
            return broken(format!(
                "{} is recorded as exchanged, posting {} moves {}",
                recorded.get(),
                posting.ordinal,
                posting.amount
            ));
        }
    }
    let (Ok(from), Ok(to)) = (
        Currency::from_stored(&sold.currency),
        Currency::from_stored(&bought.currency),
    ) else {
        return broken(format!(
            "{} or {} is unknown",
            sold.currency, bought.currency
        ));
    };
    if from == to {
        return broken(format!("it exchanges {from} for itself"));
    }
    let given = match exchange.given {
        Leg::Sold => exchange.sold,
        Leg::Bought => exchange.bought,
    };
    let (rate, rounding) = (exchange.quote.rate, exchange.quote.rounding);
    let amounts = rate.amounts((given, exchange.given), (from, to), rounding);
    if amounts != Ok((exchange.sold, exchange.bought)) {
        return broken(format!(
            "{} for {} does not follow from {rate}, rounded {rounding}",
            exchange.bought.get(),
            exchange.sold.get()
        ));
    }
    Ok(())
}
