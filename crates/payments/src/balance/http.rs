//! `/v1/balance`.

use std::collections::BTreeMap;

use edge::{Call, Problem, Response, Routes, Shared};
use ledger::Scope;
use store::{AnyConnection, Error, TenantId};

use super::show::{Balance, CurrencyBalance};
use crate::postings;

/// More accounts than there are currencies.
const MAX_ACCOUNTS: i64 = 1_000;

/// The route of the balance.
pub(crate) fn routes(r: &mut Routes) {
    r.tag("balance", "The merchant's money that payments have brought");
    r.get(
        "/v1/balance",
        "getBalance",
        "Reads what is pending, available, reserved and in transit, by currency.",
        read,
    )
    .gives::<Balance>(200, "The balance; no currency if nothing was captured yet");
}

async fn read(state: Shared, call: Call) -> Result<Response, Problem> {
    let tenant = call.caller.tenant.id;
    let balances = state
        .read(move |connection| balances(connection, tenant))
        .await?;
    let balance = Balance {
        object: "balance",
        balances,
    };
    Ok(Response::json(200, &balance))
}

fn balances(
    connection: &mut AnyConnection,
    tenant: TenantId,
) -> Result<Vec<CurrencyBalance>, Error> {
    let mut by_currency: BTreeMap<String, [i64; 4]> = BTreeMap::new();
    for (place, code) in postings::BALANCES.into_iter().enumerate() {
        let scope = Scope {
            subtree: Some(code.to_owned()),
            as_of: None,
        };
        for found in ledger::standings(connection, tenant, &scope, None, MAX_ACCOUNTS)? {
            let currency = found.account.currency.code().to_owned();
            let balances = by_currency.entry(currency).or_default();
            if let Some(balance) = balances.get_mut(place) {
                *balance = found.account.posted().get();
            }
        }
    }
    let shown = by_currency.into_iter().map(|(currency, balances)| {
        let [pending, available, reserved, in_transit] = balances;
        CurrencyBalance {
            currency,
            pending,
            available,
            reserved,
            in_transit,
        }
    });
    Ok(shown.collect())
}
