//! A pooler between Florin and its database: refused by name if it splits sessions, and nothing is left behind for
//! other programs.

use diesel::dsl::sql;
use diesel::sql_types::Text;
use diesel::{Connection, PgConnection, RunQueryDsl, select};
use serde_json::json;
use tests::{Database, Florin, run};

use crate::books_hold;
use crate::given::number;
use crate::outages::with_private_cluster;
use crate::shop::Shop;

/// The settings that another program finds in a session of the pool.
fn found(url: &str) -> Vec<String> {
    let settings = [
        "current_setting('default_transaction_read_only')",
        "current_setting('enable_seqscan')",
        "current_setting('statement_timeout')",
        "current_setting('lock_timeout')",
        "current_setting('idle_in_transaction_session_timeout')",
    ];
    let mut session = PgConnection::establish(url).expect("the pool lets us in");
    let shown = settings.map(|shown| {
        let shown = select(sql::<Text>(shown)).get_result(&mut session);
        shown.expect("a setting is shown")
    });
    shown.to_vec()
}

#[test]
fn a_pooler_is_refused_where_it_takes_sessions_apart_and_keeps_nothing_of_ours() {
    with_private_cluster(async |cluster| {
        let database = Database::within(&cluster);
        let Some(pooled) = cluster.pooled("transaction", &database) else {
            return;
        };
        let untouched = ["off", "on", "0", "0", "0"];
        assert_eq!(found(&pooled), untouched);
        for verb in ["serve", "check"] {
            let said = run(
                &[verb, "--listen=127.0.0.1:0", "--database-url", &pooled],
                &[],
            );
            let text = String::from_utf8_lossy(&said.stderr).into_owned();
            assert_eq!(said.status.code(), Some(2), "{text}");
            assert!(text.contains("a pooler in transaction mode"), "{text}");
            assert_eq!(found(&pooled), untouched, "after {verb}");
        }

        let pooled = cluster.pooled("session", &database).expect("as before");
        let florin = Florin::start(&database, &["--database-url", &pooled]);
        let client = florin.client();
        let shop = Shop { florin, client };
        let from = shop
            .account(&json!({"code": "assets:cash", "currency": "EUR", "floor": null}))
            .await;
        let to = shop.wallet("liabilities:wallets:ann", 0).await;
        assert_eq!(shop.transfer("k", &from, &to, 1).await.status, 201);
        assert_eq!(number(&shop.read(&to).await, "/balances/posted"), 1);
        assert_eq!(shop.client.get("/readyz").await.status, 200);
        assert!(shop.florin.terminate().success());
        assert_eq!(found(&pooled), untouched);
        books_hold(&database);
    });
}
