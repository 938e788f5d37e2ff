//! The one list of what the API is about. Each capability has its rows beside its handlers.

use std::sync::LazyLock;

use crate::server::Routes;
use crate::{
    accounts, assets, payments, periods, system, totals, transactions, transfers, webhooks,
};

/// Every route. The groups stand in the order in which the description has them.
pub(crate) static ROUTES: LazyLock<Routes> = LazyLock::new(|| {
    let mut routes = Routes::default();
    for capability in [
        payments::routes,
        transactions::routes,
        transactions::exchanges::routes,
        periods::routes,
        transfers::routes,
        accounts::routes,
        totals::routes,
        assets::routes,
        webhooks::routes,
        system::routes,
    ] {
        capability(&mut routes);
    }
    routes
});
