//! A merchant with a server, and the functions in which scenarios are written.

use engine::{Command, Engine, Request, Show, ShowRefusal, Tenant};
use reqwest::Method;
use serde_json::{Value, json};
use store::{Clock, DatabaseUrl, Ids, Store, TenantId};
use tests::{Client, Database, Florin, Reply};

use crate::given::{eventually, number, text};
use crate::tenants::verb;

/// The price of every payment here: EUR 10.99.
pub(crate) const PRICE: i64 = 1099;
pub(crate) const CLEARING: &str = "assets:psp_clearing:EUR";
/// The accounts, without the currency, that have the merchant's part of the captured money, and ours.
const MERCHANTS: [&str; 7] = [
    "liabilities:merchant_pending",
    "liabilities:merchant_available",
    "liabilities:payouts_in_transit",
    "liabilities:reserve",
    "liabilities:dispute_holds",
    "income:fees",
    "income:dispute_fees",
];
pub(crate) const PENDING: &str = "liabilities:merchant_pending:EUR";

/// A running server, seen by the merchant whose key it seeded.
pub(crate) struct Shop {
    pub(crate) florin: Florin,
    pub(crate) client: Client,
}

impl Shop {
    pub(crate) fn open(database: &Database) -> Self {
        Self::open_with(database, &[])
    }

    pub(crate) fn open_with(database: &Database, arguments: &[&str]) -> Self {
        let florin = Florin::start(database, arguments);
        let client = florin.client();
        Self { florin, client }
    }

    /// A second server on the same database. It has its own files and uses the provider of the first server, because
    /// there is one provider in reality and not one for each process.
    pub(crate) fn beside(&self, database: &Database) -> Self {
        let folder = database.folder().join("second");
        let folder = folder.to_str().expect("scratch folders have plain names");
        let provider = self.florin.sandbox();
        Self::open_with(
            database,
            &["--data-dir", folder, "--provider-url", provider],
        )
    }

    /// Asks for a payment of [`PRICE`].
    pub(crate) async fn pay(&self, key: &str, method: &str) -> Reply {
        self.client.post("/v1/payments", key, &order(method)).await
    }

    /// As [`Shop::pay`], with the number of seconds to wait for the outcome.
    pub(crate) async fn pay_waiting(&self, key: &str, method: &str, seconds: u32) -> Reply {
        self.post_waiting("/v1/payments", key, &order(method), seconds)
            .await
    }

    /// Authorizes [`PRICE`], to be captured later. Returns the payment.
    pub(crate) async fn authorize(&self, key: &str, method: &str) -> Value {
        let mut body = order(method);
        body["capture_method"] = json!("manual");
        let reply = self.client.post("/v1/payments", key, &body).await;
        assert_eq!(reply.status, 201, "{:?}", reply.json());
        reply.json()
    }

    /// Asks for a move of a payment: `capture`, `cancel`, `increment`, `refunds`.
    pub(crate) async fn ask(&self, payment: &str, to: &str, key: &str, body: &Value) -> Reply {
        let path = format!("/v1/payments/{payment}/{to}");
        self.client.post(&path, key, body).await
    }

    /// Asserts that the books and the provider's own totals agree, in EUR, with nothing in flight.
    pub(crate) async fn assert_as_the_provider_says(&self) {
        let provider = Client::new(self.florin.sandbox(), None);
        let totals = list(&provider.get("/v1/totals").await.json());
        let total = |name: &str| {
            let of_euro = totals.iter().find(|total| total["currency"] == "EUR");
            of_euro.map_or(0, |total| number(total, &format!("/{name}")))
        };
        let open = total("authorized") - total("captured") - total("released");
        let taken = total("captured") - total("refunded") - total("withdrawn");
        let mut merchants = 0;
        for code in MERCHANTS {
            merchants += self.posted(&format!("{code}:EUR")).await;
        }
        let expected = taken - total("paid_out");
        assert_eq!(
            merchants, expected,
            "the merchant's money and the provider's {totals:?}"
        );
        for (code, expected) in [
            (CLEARING, taken),
            ("memo:auth_hold:EUR", open),
            ("memo:auth_hold_contra:EUR", open),
            ("liabilities:refunds_in_transit:EUR", 0),
        ] {
            let posted = self.posted(code).await;
            assert_eq!(posted, expected, "{code} and the provider's {totals:?}");
        }
        self.assert_movements_add_up().await;
    }

    /// The movements of the balance in EUR, read page by page, newest first.
    async fn movements(&self) -> Vec<Value> {
        let mut movements = Vec::new();
        let mut next = Some(String::new());
        while let Some(cursor) = next {
            let path = format!("/v1/balance_transactions?currency=EUR&limit=7{cursor}");
            let page = self.client.get(&path).await;
            assert_eq!(page.status, 200, "{}", page.json());
            let page = page.json();
            movements.extend(list(&page));
            let cursor = page["next_cursor"].as_str();
            next = cursor.map(|cursor| format!("&cursor={cursor}"));
        }
        movements
    }

    /// Asserts that the movements of the balance in EUR, read page by page, are the balance. Returns them, newest
    /// first.
    pub(crate) async fn assert_movements_add_up(&self) -> Vec<Value> {
        // Money may become available meanwhile.
        let (movements, balance) = eventually("a balance that stands still", async || {
            let before = crate::funds::balance(self).await;
            let movements = self.movements().await;
            let after = crate::funds::balance(self).await;
            (before == after).then_some((movements, after))
        })
        .await;
        let sum = |name: &str| -> i64 {
            let of = movements.iter();
            of.map(|movement| number(movement, &format!("/{name}")))
                .sum()
        };
        let [pending, available, reserved, _] = balance;
        let sums = ["pending", "available", "reserved"].map(sum);
        assert_eq!(sums, [pending, available, reserved], "{movements:?}");
        assert_eq!(sum("net"), sums.iter().sum::<i64>());
        assert_eq!(sum("amount"), sum("net") + sum("fee"));
        let mut ids: Vec<String> = movements.iter().map(|one| text(one, "/id")).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), movements.len(), "a movement is listed once");
        movements
    }

    /// The posted balance of the account with this code; 0 if it was never opened.
    pub(crate) async fn posted(&self, code: &str) -> i64 {
        let account = self.find(code).await;
        account.map_or(0, |account| number(&account, "/balances/posted"))
    }

    /// A client with another API key of the same tenant.
    pub(crate) fn second_person(&self, database: &Database) -> Client {
        let (code, key, said) = verb(database, &["key", "create", "--tenant", "demo"]);
        assert_eq!(code, Some(0), "{said}");
        Client::new(self.florin.api(), key.as_str())
    }

    pub(crate) async fn post_waiting(
        &self,
        path: &str,
        key: &str,
        body: &Value,
        seconds: u32,
    ) -> Reply {
        let wait = format!("wait={seconds}");
        let headers = [
            ("content-type", "application/json"),
            ("idempotency-key", key),
            ("prefer", wait.as_str()),
        ];
        self.client
            .send(Method::POST, path, &headers, body.to_string())
            .await
    }

    pub(crate) async fn payment(&self, id: &str) -> Value {
        let reply = self.client.get(&format!("/v1/payments/{id}")).await;
        assert_eq!(reply.status, 200, "{id}");
        reply.json()
    }

    /// The payment, after it is no longer processing.
    pub(crate) async fn finished(&self, id: &str) -> Value {
        eventually("the payment settles", async || {
            let payment = self.payment(id).await;
            (payment["status"] != "processing").then_some(payment)
        })
        .await
    }

    /// Opens a wallet (in EUR, never below zero) and puts `amount` into it.
    pub(crate) async fn wallet(&self, code: &str, amount: i64) -> String {
        let wallet = self
            .account(&json!({"code": code, "currency": "EUR"}))
            .await;
        if amount > 0 {
            let world =
                json!({"code": format!("{code}:funding"), "currency": "EUR", "floor": null});
            let world = self.account(&world).await;
            let key = format!("fund-{code}");
            let moved = self.transfer(&key, &world, &wallet, amount).await;
            assert_eq!(moved.status, 201, "{:?}", moved.body);
        }
        wallet
    }

    /// Opens an account and returns its id.
    pub(crate) async fn account(&self, new: &Value) -> String {
        let opened = self.client.post("/v1/accounts", None, new).await;
        assert_eq!(opened.status, 201, "{:?}", opened.body);
        text(&opened.json(), "/id")
    }

    pub(crate) async fn transfer(&self, key: &str, from: &str, to: &str, amount: i64) -> Reply {
        let body = movement(from, to, amount);
        self.client.post("/v1/transfers", key, &body).await
    }

    /// An account as it is now, with its balances and its version.
    pub(crate) async fn read(&self, account: &str) -> Value {
        let reply = self.client.get(&format!("/v1/accounts/{account}")).await;
        assert_eq!(reply.status, 200, "{account}");
        reply.json()
    }

    /// An account's entries, newest first.
    pub(crate) async fn entries(&self, account: &str) -> Vec<Value> {
        let path = format!("/v1/accounts/{account}/entries?limit=100");
        list(&self.client.get(&path).await.json())
    }

    /// The account with this code, if it exists already.
    pub(crate) async fn find(&self, code: &str) -> Option<Value> {
        let accounts = self.client.get("/v1/accounts?limit=100").await.json();
        list(&accounts).into_iter().find(|a| a["code"] == code)
    }

    /// Asserts that exactly this number of payments, and nothing else, was posted: each is one debit of the clearing
    /// account and one credit of the amount that is owed to the merchant.
    pub(crate) async fn assert_captured(&self, payments: usize) {
        for (code, side) in [(CLEARING, "debit"), (PENDING, "credit")] {
            let Some(account) = self.find(code).await else {
                assert_eq!(payments, 0, "{code} was never opened");
                continue;
            };
            let entries = self.entries(&text(&account, "/id")).await;
            assert_eq!(entries.len(), payments, "{code}");
            for entry in &entries {
                assert_eq!(
                    (&entry["side"], &entry["amount"]),
                    (&json!(side), &json!(PRICE))
                );
            }
            let sum = entries.iter().filter_map(|entry| entry["amount"].as_i64());
            assert_eq!(account["balances"]["posted"], sum.sum::<i64>(), "{code}");
        }
    }

    /// The provider's own journal: one row for each key, with the number of its effects and calls.
    pub(crate) async fn journal(&self) -> Vec<Value> {
        let provider = Client::new(self.florin.sandbox(), None);
        list(&provider.get("/v1/journal").await.json())
    }

    /// The charge that the provider made for a payment, after it made one.
    pub(crate) async fn charge_of(&self, payment: &str) -> Value {
        eventually("the provider is called", async || {
            let journal = self.journal().await;
            journal.into_iter().find(|row| row["reference"] == payment)
        })
        .await
    }

    /// A counter of `/metrics`; 0 if nothing was counted.
    pub(crate) async fn counter(&self, name: &str) -> u64 {
        let metrics = self.client.get("/metrics").await;
        let lines = String::from_utf8_lossy(&metrics.body).into_owned();
        let value = lines
            .lines()
            .find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        value.unwrap_or(0)
    }
}

/// A payment of [`PRICE`].
pub(crate) fn order(method: &str) -> Value {
    json!({"amount": PRICE, "currency": "EUR", "description": "ann", "payment_method": method})
}

/// A transfer in EUR.
pub(crate) fn movement(from: &str, to: &str, amount: i64) -> Value {
    json!({"from": from, "to": to, "amount": amount, "currency": "EUR"})
}

/// The items of a page.
pub(crate) fn list(page: &Value) -> Vec<Value> {
    let data = page["data"].as_array();
    data.unwrap_or_else(|| panic!("no list in {page}")).clone()
}

/// The fields that a problem names, as JSON pointers.
pub(crate) fn pointers(reply: &Reply) -> Vec<String> {
    let errors = reply.json()["errors"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    errors.iter().map(|error| text(error, "/pointer")).collect()
}

/// Makes a second tenant through a lane, as a second process would, and returns its API key.
pub(crate) async fn second_tenant(database: &Database) -> &'static str {
    let key = "sk_other_tenant_0123456789abcdef";
    let engine = engine_beside(database, 1);
    let command = access::Provision {
        mode: access::Mode::Sandbox,
        key: Some((access::hash(key), access::label(key))),
    };
    let request = Request::of_system(other_tenant(), "scenario", command);
    let made = engine.submit(request).await;
    assert!(made.expect("answered").done().is_some(), "it is made");
    engine.shut_down().await;
    key
}

/// A lane within the test's own process, on a database that a server has opened.
pub(crate) fn engine_beside(database: &Database, max_batch: usize) -> Engine {
    let url = DatabaseUrl::parse(database.url()).expect("the harness's own URL");
    let store = Store::open(&url).expect("the server has opened it too");
    let settings = engine::Settings {
        shelves: families::shelves(),
        make_again: made_again,
        after_commit: None,
        max_batch,
        line: 10_000,
        mixes_tenants: true,
        clock: Clock::system(),
        key_life_seconds: 30 * 86_400,
    };
    Engine::start(store, settings, Ids::random()).expect("a thread")
}

/// Replies that were kept by reference: those of [`crate::crowds`].
fn made_again(
    connection: &mut store::AnyConnection,
    tenant: TenantId,
    references: &[String],
) -> Result<Vec<Option<engine::Reply>>, store::Error> {
    use books::transactions::ReplaySource;
    let again = books::transactions::again(connection, tenant, references)?;
    let reply = |again| match again {
        ReplaySource::One(..) => engine::Reply {
            status: 201,
            body: Vec::new(),
        },
        ReplaySource::Bulk(results, _) => crate::crowds::posted_of(&results, false),
    };
    Ok(again.into_iter().map(|again| again.map(reply)).collect())
}

/// The second tenant.
pub(crate) fn other_tenant() -> Tenant {
    Tenant {
        id: TenantId(2),
        name: "other".into(),
    }
}

/// A request of the second tenant, with the functions that make its replies.
pub(crate) fn request_of_other<C: Command>(
    command: C,
    show: Show<C>,
    show_refusal: ShowRefusal<C>,
) -> Request<C> {
    Request {
        show,
        show_refusal,
        ..Request::of_system(other_tenant(), "scenario", command)
    }
}
