//! The check of whole books: clean books pass, and each invariant finds a violation that is planted in them. A
//! check that never found anything proves nothing.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

use std::any::Any;
use std::path::PathBuf;
use std::sync::Arc;

use access::{Mode, Provision};
use books::accounts::OpenAccount;
use books::assets::RegisterAsset;
use books::transfers::Transfer;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use engine::check::{self, Report};
use engine::{
    Answer, Command, Engine, RefusalReply, Reply, Request, Settings, Show, ShowRefusal, Tenant,
};
use idempotency::{Claim, Fingerprint, Key};
use ledger::{
    Account, AccountClass, AccountId, Asset, Limits, NewAccount, NewAsset, RecordedTransaction,
};
use money::{Amount, Currency, MinorUnits, Money};
use payments::charging::{CreatePayment, RecordOutcome};
use payments::notices::{ReceiveWebhook, WebhookOutcome};
use payments::providers::{SANDBOX, dialect};
use payments::settlement::{LineKind, ReportLine, SettleLines};
use payments::{
    Begun, CaptureMethod, Fact, LeasedOperation, NewPayment, PaymentId, Provider, ProviderText,
    Providers, Record, Refusal,
};
use store::{Clock, DatabaseUrl, Ids, Store, TenantId};
use tokio::sync::mpsc;
use webhooks::Event;

fn reply(text: String) -> Reply {
    Reply {
        status: 200,
        body: text.into_bytes(),
    }
}

fn asset(asset: &Asset, _: bool) -> Reply {
    reply(asset.currency.stored().into_owned())
}

fn account(account: &Account, _: bool) -> Reply {
    reply(account.id.to_string())
}

fn posted(posted: &RecordedTransaction, _: bool) -> Reply {
    reply(posted.id.to_string())
}

fn payment(begun: &Begun, _: bool) -> Reply {
    reply(begun.payment.id.to_string())
}

fn refused(refusal: &books::Refusal) -> RefusalReply {
    RefusalReply {
        reply: reply(format!("{refusal:?}")),
        ..books::refusal_reply(refusal)
    }
}

fn tenant() -> Tenant {
    Tenant {
        id: TenantId(1),
        name: "acme".into(),
    }
}

fn usd(amount: i64) -> Money {
    Money {
        amount: Amount::new(amount).unwrap(),
        currency: Currency::from_code("USD").unwrap(),
    }
}

/// An engine on a database of its own.
struct Writer {
    engine: Engine,
    after_commit: mpsc::UnboundedReceiver<(Tenant, Box<dyn Any + Send>)>,
    requests: u32,
}

impl Writer {
    fn start(store: Store) -> Self {
        let (sender, after_commit) = mpsc::unbounded_channel();
        let settings = Settings {
            shelves: families::shelves(),
            make_again: |_, _, _| unreachable!("nothing is sent again"),
            after_commit: Some(sender),
            max_batch: 256,
            line: 1_024,
            mixes_tenants: true,
            clock: Clock::system(),
            key_life_seconds: 30 * 86_400,
        };
        let engine = Engine::start(store, settings, Ids::seeded(1)).unwrap();
        Self {
            engine,
            after_commit,
            requests: 0,
        }
    }

    /// Sends a command without a key, as a worker or a webhook does.
    async fn tell<C: Command>(&self, command: C) -> C::Done {
        let request = Request::of_system(tenant(), "test", command);
        self.engine.submit(request).await.unwrap().done().unwrap()
    }

    /// Sends a command under a new key, as a client does. Returns the reply, if there is one already.
    async fn ask<C: Command>(
        &mut self,
        command: C,
        show: Show<C>,
        show_refusal: ShowRefusal<C>,
    ) -> String {
        self.requests += 1;
        let key = Key::parse(self.key()).unwrap();
        let fingerprint = Fingerprint::of("POST", "/", "1", key.as_str().as_bytes());
        let request = Request {
            claim: Some(Claim { key, fingerprint }),
            show,
            show_refusal,
            ..Request::of_system(tenant(), "test", command)
        };
        match self.engine.submit(request).await.unwrap().answer {
            Answer::Replied { reply, .. } => String::from_utf8(reply.body).unwrap(),
            Answer::InFlight { .. } => String::new(),
            other @ Answer::KeyReused { .. } => panic!("{other:?}"),
        }
    }

    fn key(&self) -> String {
        format!("request-{}", self.requests)
    }

    async fn open(&mut self, code: &str, floor: Option<MinorUnits>) -> AccountId {
        let new = NewAccount {
            code: ledger::AccountCode::trusted(code),
            name: ledger::AccountName::trusted(code),
            currency: Currency::from_code("USD").unwrap(),
            class: AccountClass::Liability,
            limits: floor.map_or(Limits::NONE, Limits::at_least),
            metadata: None,
        };
        let show_refusal = |_: &_, refusal: &_| refused(refusal);
        self.ask(OpenAccount(new), account, show_refusal)
            .await
            .parse()
            .unwrap()
    }

    async fn register(&mut self, new: NewAsset) -> String {
        self.ask(RegisterAsset(new), asset, |_, refusal| refused(refusal))
            .await
    }

    /// Opens an account in loyalty points.
    async fn open_points(&mut self) -> String {
        let new = NewAccount {
            code: ledger::AccountCode::trusted("liabilities:points"),
            name: ledger::AccountName::trusted("Points"),
            currency: Currency::custom("POINTS", 0).unwrap(),
            class: AccountClass::Liability,
            limits: Limits::NONE,
            metadata: None,
        };
        self.ask(OpenAccount(new), account, |_, refusal| refused(refusal))
            .await
    }

    async fn transfer(&mut self, from: AccountId, to: AccountId, amount: i64) -> String {
        let money = usd(amount);
        let transfer = Transfer {
            from,
            to,
            money,
            description: None,
        };
        self.ask(transfer, posted, |_, refusal| refused(refusal))
            .await
    }

    /// Makes a payment that goes to the provider, and returns its operation.
    async fn pay(&mut self, amount: i64) -> LeasedOperation {
        let new = NewPayment {
            money: usd(amount),
            capture_method: CaptureMethod::Automatic,
            external_id: None,
            description: None,
            metadata: None,
            customer: None,
            payment_method: Some(payments::PaymentMethod::trusted("pm_card").into()),
            confirm: true,
        };
        self.create(new).await;
        let (_, leased) = self.after_commit.recv().await.unwrap();
        *leased.downcast().unwrap()
    }

    async fn create(&mut self, new: NewPayment) -> String {
        let command = CreatePayment {
            new,
            saved: None,
            // The key of the request in which the command is sent.
            key: format!("request-{}", self.requests + 1),
            providers: Arc::new(Providers::only(Provider {
                name: "sandbox".to_owned(),
                lease_millis: 60_000,
                authorization_millis: 60_000,
                bank: None,
            })),
        };
        let show_refusal = |_: &_, rule: &Refusal| panic!("{rule}");
        self.ask(command, payment, show_refusal).await
    }

    /// The provider settles a payment, and charges 20 for it.
    async fn settle(&self, paid: &LeasedOperation) {
        let line = ReportLine {
            number: 2,
            content: [7; 32],
            kind: LineKind::Capture,
            reference: String::new(),
            our_reference: paid.operation.provider_key.clone(),
            gross: paid.operation.money.amount.get(),
            fee: 20,
            currency: paid.operation.money.currency,
            day: 20_787,
            settlement: "st_1".to_owned(),
        };
        let command = SettleLines {
            provider: "sandbox".to_owned(),
            report: "report.csv".to_owned(),
            lines: vec![line],
        };
        assert_eq!(self.tell(command).await.matched, 1);
    }

    async fn hear(&self, leased: &LeasedOperation, fact: Fact) {
        let command = RecordOutcome {
            operation: leased.operation.id,
            epoch: leased.epoch,
            fact,
            answer: None,
            is_overdue: false,
        };
        self.tell(command).await;
    }

    /// Records the outcome under a lease that has run out. The outcome is ignored.
    async fn speak_late(&self, paid: &LeasedOperation, record: &Record) {
        let stale = LeasedOperation {
            epoch: 0,
            ..paid.clone()
        };
        let record = record.clone();
        self.hear(&stale, Fact::Succeeded { record }).await;
        let id = paid.operation.payment();
        let seen = self
            .engine
            .read(move |connection| payments::payment(connection, tenant().id, id))
            .await;
        assert_eq!(seen.unwrap().unwrap().state.name(), "processing");
    }

    async fn receive(
        &self,
        id: &str,
        kind: &str,
        provider_key: &str,
        amount: i64,
    ) -> WebhookOutcome {
        let body = format!(
            r#"{{"id":"{id}","type":"{kind}","data":{{"object":{{"id":"ch_{provider_key}","amount":{amount},
                "currency":"USD","idempotency_key":"{provider_key}","decline_code":null}}}}}}"#
        );
        let read = dialect(SANDBOX, None)
            .unwrap()
            .event(body.as_bytes())
            .unwrap();
        let event = Event {
            provider: "sandbox".to_owned(),
            id: read.id,
            kind: read.kind,
            reference: read.fact.as_ref().map(|(about, _)| about.text().to_owned()),
            meaning: None,
            delivery: None,
            body: body.into_bytes(),
            received_at: self.engine.clock().now(),
        };
        self.tell(ReceiveWebhook {
            event,
            fact: read.fact,
        })
        .await
    }
}

/// Books with something of everything in them. The engine that has written them is shut down.
struct Book {
    _folder: tempfile::TempDir,
    path: PathBuf,
    store: Store,
}

impl Book {
    async fn written() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("florin.db");
        let url = DatabaseUrl::parse(&format!("sqlite:{}", path.display())).unwrap();
        let store = Store::open(&url).unwrap();
        let mut writer = Writer::start(store.clone());
        writer
            .tell(Provision {
                mode: Mode::Sandbox,
                key: None,
            })
            .await;
        let source = writer.open("equity:source", None).await;
        let anna = writer
            .open("liabilities:anna", Some(MinorUnits::ZERO))
            .await;
        let bert = writer
            .open("liabilities:bert", Some(MinorUnits::ZERO))
            .await;
        writer.transfer(source, anna, 1_000).await;
        writer.transfer(anna, bert, 250).await;
        writer.transfer(bert, anna, 50).await;
        let refused = writer.transfer(bert, anna, 201).await;
        assert!(refused.contains("InsufficientFunds"), "{refused}");

        // An asset is registered once, and accounts can hold it only after that.
        let points = |exponent| NewAsset::new("POINTS", exponent, None).unwrap();
        let early = writer.open_points().await;
        assert!(early.contains("AssetNotRegistered"), "{early}");
        let made = writer.register(points(0)).await;
        assert_eq!(made, "POINTS/0");
        let again = writer.register(points(2)).await;
        assert!(again.contains("CodeTaken { by: POINTS/0 }"), "{again}");
        let opened = writer.open_points().await;
        assert!(opened.starts_with("acc_"), "{opened}");

        // The outcome is reported by the worker, and once more by a webhook.
        let paid = writer.pay(700).await;
        let record = Record {
            reference: ProviderText::parse(&format!("ch_{}", paid.operation.provider_key)).unwrap(),
            kind: None,
            money: usd(700),
            payment: None,
            payment_method: None,
        };
        writer.speak_late(&paid, &record).await;
        writer.hear(&paid, Fact::Succeeded { record }).await;
        writer
            .receive(
                "evt_paid",
                "charge.succeeded",
                &paid.operation.provider_key,
                700,
            )
            .await;
        // The worker reports an unknown outcome, and only a webhook reports the final one.
        let declined = writer.pay(300).await;
        let retry_at = writer.engine.clock().now();
        writer.hear(&declined, Fact::Unknown { retry_at }).await;
        writer
            .receive(
                "evt_declined",
                "charge.failed",
                &declined.operation.provider_key,
                300,
            )
            .await;
        // One payment is still with the provider, and another one is not confirmed yet.
        writer.pay(44).await;
        let later = NewPayment {
            money: usd(9),
            capture_method: CaptureMethod::Automatic,
            external_id: None,
            description: None,
            metadata: None,
            customer: None,
            payment_method: None,
            confirm: false,
        };
        let later: PaymentId = writer.create(later).await.parse().unwrap();
        assert_ne!(later, paid.operation.payment());
        // An event before its cause, an event of an unknown type, and an event that contradicts a known fact.
        writer
            .receive("evt_early", "charge.succeeded", "op_unheard_of", 1)
            .await;
        writer.receive("evt_other", "balance.changed", "", 1).await;
        writer
            .receive(
                "evt_wrong",
                "charge.failed",
                &paid.operation.provider_key,
                700,
            )
            .await;
        writer.settle(&paid).await;
        writer.engine.shut_down().await;
        Self {
            _folder: folder,
            path,
            store,
        }
    }

    fn check(&self) -> Report {
        self.store
            .read(|connection| check::run(families::CHECK, connection, |_, _| ()))
            .unwrap()
    }

    /// The names of the invariants that do not hold.
    fn violated(&self) -> Vec<&'static str> {
        let report = self.check();
        assert_eq!(report.invariants.len(), 18);
        let broken = report
            .invariants
            .iter()
            .filter(|verdict| verdict.violation.is_some());
        broken.map(|verdict| verdict.name).collect()
    }

    /// The first violation, as text.
    fn first(&self) -> String {
        let report = self.check();
        let violation = report.first_violated().unwrap().violation.clone().unwrap();
        format!(
            "{} {}: {}",
            violation.tenant.unwrap_or_default(),
            violation.subject,
            violation.detail
        )
    }

    /// Changes rows without the engine. The triggers are removed meanwhile, and are back afterwards.
    fn tamper(&self, sql: &str) {
        #[derive(QueryableByName)]
        struct Trigger {
            #[diesel(sql_type = diesel::sql_types::Text)]
            name: String,
            #[diesel(sql_type = diesel::sql_types::Text)]
            sql: String,
        }
        let mut connection = self.connection();
        let triggers: Vec<Trigger> =
            diesel::sql_query("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
                .load(&mut connection)
                .unwrap();
        for trigger in &triggers {
            connection
                .batch_execute(&format!("DROP TRIGGER {}", trigger.name))
                .unwrap();
        }
        let changed = diesel::sql_query(sql).execute(&mut connection).unwrap();
        assert!(changed > 0, "the violation was not planted: {sql}");
        for trigger in &triggers {
            connection.batch_execute(&trigger.sql).unwrap();
        }
    }

    fn connection(&self) -> SqliteConnection {
        let mut connection = SqliteConnection::establish(self.path.to_str().unwrap()).unwrap();
        connection
            .batch_execute("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON")
            .unwrap();
        connection
    }
}

/// Plants one violation in clean books. Returns the names of the invariants that find it.
async fn caught(sql: &str) -> Vec<&'static str> {
    let book = Book::written().await;
    book.tamper(sql);
    book.violated()
}

#[tokio::test]
async fn a_clean_book_keeps_every_invariant() {
    let book = Book::written().await;
    let report = book.check();
    assert_eq!(report.first_violated(), None);
    let names: Vec<&str> = report
        .invariants
        .iter()
        .map(|verdict| verdict.name)
        .collect();
    assert_eq!(
        names,
        [
            "L1", "L2", "L3", "L4", "L5", "L6", "L7", "L8", "P1", "P2", "P3", "P4", "R2", "B1",
            "I1", "W1", "A1", "A3"
        ]
    );
    for verdict in report.invariants {
        // These books have no exchanges, no displaced entries, no metadata and no orders for banks.
        if ["L6", "L7", "B1"].contains(&verdict.name) {
            continue;
        }
        assert!(verdict.examined > 0, "{} looked at nothing", verdict.name);
    }
}

#[tokio::test]
async fn an_empty_database_keeps_every_invariant() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("florin.db");
    let url = DatabaseUrl::parse(&format!("sqlite:{}", path.display())).unwrap();
    let store = Store::open(&url).unwrap();
    let report = store
        .read(|connection| check::run(families::CHECK, connection, |_, _| ()))
        .unwrap();
    assert_eq!(report.first_violated(), None);
}

/// An invariant that cannot be checked is reported neither as broken nor as sound.
#[tokio::test]
async fn a_row_that_cannot_be_read_is_no_verdict() {
    let book = Book::written().await;
    book.tamper(
        "INSERT INTO ledger_transaction (effective_at, recorded_at, tenant_id, step, id, kind) \
         SELECT effective_at, recorded_at, tenant_id, step, zeroblob(17), kind \
         FROM ledger_transaction LIMIT 1",
    );
    assert!(
        book.store
            .read(|connection| check::run(families::CHECK, connection, |_, _| ()))
            .is_err()
    );
}

#[tokio::test]
async fn l1_catches_a_posting_in_a_currency_that_its_accounts_do_not_hold() {
    let book = Book::written().await;
    book.tamper(
        "UPDATE posting SET currency = 'EUR' WHERE transaction_id = \
         (SELECT min(id) FROM ledger_transaction WHERE kind = 'transfer')",
    );
    assert_eq!(book.violated(), ["L1"]);
    let said = book.first();
    assert!(
        said.starts_with("acme txn_") && said.contains("posting 0: it moves EUR"),
        "{said}"
    );
}

#[tokio::test]
async fn l1_catches_a_posting_that_belongs_to_no_transaction() {
    let sql = "DELETE FROM ledger_transaction WHERE kind = 'transfer'";
    assert_eq!(caught(sql).await, ["L1"]);
}

#[tokio::test]
async fn l1_catches_a_gap_among_the_postings() {
    assert_eq!(
        caught("UPDATE posting SET ordinal = 1 WHERE amount = 250").await,
        ["L1"]
    );
}

#[tokio::test]
async fn l2_catches_a_changed_balance() {
    let book = Book::written().await;
    book.tamper("UPDATE posting SET debit_balance = debit_balance + 1 WHERE amount = 250");
    assert_eq!(book.violated(), ["L2"]);
    let said = book.first();
    assert!(
        said.starts_with("acme acc_") && said.contains("states the balance 751"),
        "{said}"
    );
}

#[tokio::test]
async fn l2_catches_counters_that_were_raised_in_step() {
    let sql = "UPDATE account SET debits_posted = debits_posted + 5, \
               credits_posted = credits_posted + 5 WHERE code = 'liabilities:anna'";
    assert_eq!(caught(sql).await, ["L2"]);
}

#[tokio::test]
async fn l2_catches_an_entry_out_of_order() {
    let sql = "UPDATE posting SET credit_version = 9 WHERE amount = 50";
    assert_eq!(caught(sql).await, ["L2"]);
}

#[tokio::test]
async fn l8_catches_an_account_in_an_asset_that_is_not_registered() {
    let book = Book::written().await;
    book.tamper("UPDATE account SET currency = 'POINTS/2' WHERE currency = 'POINTS/0'");
    assert_eq!(book.violated(), ["L8"]);
    let said = book.first();
    assert!(
        said.contains("it holds POINTS/2, which is not registered"),
        "{said}"
    );
}

#[tokio::test]
async fn l8_catches_an_asset_that_nobody_could_register() {
    let sql = "INSERT INTO asset SELECT created_at, tenant_id, 2, 'EUR', 'Euro' FROM asset";
    assert_eq!(caught(sql).await, ["L8", "A3"]);
}

#[tokio::test]
async fn a3_catches_an_asset_without_a_record() {
    let sql = "INSERT INTO asset SELECT created_at, tenant_id, 2, 'NOBODYS', 'x' FROM asset";
    assert_eq!(caught(sql).await, ["A3"]);
}

/// If L1 and L2 hold, L3 follows from them. It is a second check of the same facts, and never breaks alone.
#[tokio::test]
async fn l3_catches_money_from_nowhere() {
    let sql = "UPDATE account SET credits_posted = credits_posted + 5 \
               WHERE code = 'liabilities:anna'";
    assert_eq!(caught(sql).await, ["L2", "L3"]);
}

#[tokio::test]
async fn l4_catches_a_trigger_that_is_gone() {
    let book = Book::written().await;
    book.connection()
        .batch_execute("DROP TRIGGER posting_immutable")
        .unwrap();
    assert_eq!(book.violated(), ["L4"]);
    assert!(book.first().contains("trigger posting_immutable"));
}

#[tokio::test]
async fn l4_catches_a_trigger_that_refuses_nothing() {
    let book = Book::written().await;
    let toothless = "DROP TRIGGER audit_entry_kept; \
        CREATE TRIGGER audit_entry_kept BEFORE DELETE ON audit_entry BEGIN SELECT 1; END";
    book.connection().batch_execute(toothless).unwrap();
    assert_eq!(book.violated(), ["L4"]);
}

#[tokio::test]
async fn l6_catches_an_exchange_whose_terms_are_not_there() {
    let sql = "UPDATE ledger_transaction SET kind = 'exchange' \
               WHERE id = (SELECT min(id) FROM ledger_transaction WHERE kind = 'transfer')";
    assert_eq!(caught(sql).await, ["L6"]);
}

#[tokio::test]
async fn l7_catches_an_entry_that_is_said_to_have_happened_earlier() {
    let sql =
        "INSERT INTO displaced SELECT version, 1, 2, 5, 0, tenant_id, id FROM account LIMIT 1";
    assert_eq!(caught(sql).await, ["L7"]);
}

#[tokio::test]
async fn l7_catches_a_time_bucket_of_nothing() {
    let sql = "INSERT INTO time_bucket SELECT 0, 1, 0, 1, 0, tenant_id, 0, id FROM account LIMIT 1";
    assert_eq!(caught(sql).await, ["L7"]);
}

#[tokio::test]
async fn l7_catches_metadata_that_no_transaction_has() {
    let sql = "INSERT INTO transaction_metadata SELECT tenant_id, id, 'order', '17' \
               FROM ledger_transaction LIMIT 1";
    assert_eq!(caught(sql).await, ["L7"]);
}

#[tokio::test]
async fn p1_catches_a_payment_that_states_less_than_was_taken() {
    assert_eq!(
        caught("UPDATE payment SET captured = 699 WHERE amount = 700").await,
        ["P1"]
    );
}

#[tokio::test]
async fn p1_catches_a_payment_that_gave_back_more_than_it_took() {
    assert_eq!(
        caught("UPDATE payment SET refunded = 701 WHERE amount = 700").await,
        ["P1"]
    );
}

#[tokio::test]
async fn p1_catches_an_authorization_with_a_part_too_much() {
    for column in ["authorized", "capturable", "released", "incrementing"] {
        let sql = format!("UPDATE payment SET {column} = {column} + 1 WHERE amount = 700");
        assert_eq!(caught(&sql).await, ["P1"], "{column}");
    }
}

#[tokio::test]
async fn p1_catches_money_of_a_capture_that_is_nowhere() {
    for column in ["fee", "unreleased", "made_available", "from_pending"] {
        let sql = format!("UPDATE operation SET {column} = 1 WHERE amount = 700");
        let found = caught(&sql).await;
        // A fee, and money that was made available, have postings too.
        let expected: &[&str] = match column {
            "fee" | "made_available" => &["P1", "P3"],
            "from_pending" => &[],
            _ => &["P1"],
        };
        assert_eq!(found, expected, "{column}");
    }
}

#[tokio::test]
async fn p3_catches_money_of_a_failed_charge_that_was_never_posted() {
    let sql = "UPDATE operation SET unallocated = amount WHERE status = 'failed'";
    assert_eq!(caught(sql).await, ["P3"]);
}

/// A customer, a payment method, and a text of metadata, of the payment of 700.
const WITH_CUSTOMER: &str = "
    INSERT INTO customer (version, created_at, updated_at, tenant_id, id) SELECT 1, 0, 0, 1, CAST('0123456789abcdef' AS BLOB);
    INSERT INTO payment_method (created_at, tenant_id, id, customer_id, token)
    SELECT 0, 1, id, id, 'pm_card' FROM customer;
    UPDATE payment SET metadata = '{\"order\":\"17\"}', customer_id = (SELECT id FROM customer),
           saved_method = (SELECT id FROM customer)
     WHERE amount = 700;
    INSERT INTO metadata_text (tenant_id, kind, key, value, subject)
    SELECT tenant_id, 1, 'order', '17', id FROM payment WHERE amount = 700;";

async fn with_customer() -> Book {
    let book = Book::written().await;
    book.connection().batch_execute(WITH_CUSTOMER).unwrap();
    book
}

#[tokio::test]
async fn p4_catches_a_payment_without_its_customer_or_its_metadata() {
    // What is planted has no audit records, and is in order otherwise.
    assert_eq!(with_customer().await.violated(), ["A3"]);
    for sql in [
        "UPDATE payment SET customer_id = randomblob(16) WHERE amount = 700",
        "UPDATE payment SET customer_id = NULL WHERE amount = 700",
        "UPDATE payment SET saved_method = randomblob(16) WHERE amount = 700",
        "UPDATE payment SET payment_method = 'pm_other' WHERE amount = 700",
        "UPDATE payment_method SET customer_id = randomblob(16)",
        "UPDATE payment SET metadata = NULL WHERE amount = 700",
        "UPDATE payment SET metadata = '{\"order\":\"18\"}' WHERE amount = 700",
        "UPDATE customer SET metadata = '{\"tier\":\"gold\"}'",
        "DELETE FROM metadata_text",
        "UPDATE metadata_text SET kind = 2",
        "UPDATE metadata_text SET subject = randomblob(16)",
    ] {
        let book = with_customer().await;
        book.tamper(sql);
        assert_eq!(book.violated(), ["P4", "A3"], "{sql}");
    }
}

/// An order for a bank, of the charge of 700 as if it were a payout.
const WITH_ORDER: [&str; 3] = [
    "UPDATE operation SET kind = 'payout' WHERE amount = 700",
    "INSERT INTO bank_order (sum, transfers, requested_on, created_at, tenant_id, id, provider, currency, file)
     SELECT 700, 1, 0, 0, tenant_id, CAST('0123456789abcdef' AS BLOB), provider, currency, x'00'
       FROM operation WHERE amount = 700",
    "INSERT INTO bank_order_transfer (position, tenant_id, operation_id, order_id)
     SELECT 1, o.tenant_id, o.id, b.id FROM operation o, bank_order b WHERE o.amount = 700",
];

#[tokio::test]
async fn b1_catches_an_order_that_is_not_the_sum_of_its_payouts() {
    let with_order = async || {
        let book = Book::written().await;
        for sql in WITH_ORDER {
            book.tamper(sql);
        }
        book
    };
    let others = with_order().await.violated();
    assert!(!others.contains(&"B1"), "{others:?}");
    for sql in [
        "UPDATE bank_order SET sum = 701",
        "UPDATE bank_order SET transfers = 2",
        "UPDATE bank_order SET provider = 'other'",
        "UPDATE bank_order SET currency = 'CHF'",
        "UPDATE operation SET kind = 'refund' WHERE amount = 700",
        "DELETE FROM bank_order_transfer",
        "INSERT INTO errand (due_at, epoch, tenant_id, kind, place, subject)
         SELECT 0, 0, tenant_id, 'bank_transfer', provider, id FROM operation WHERE amount = 700",
    ] {
        let book = with_order().await;
        book.tamper(sql);
        let found = book.violated();
        assert!(found.contains(&"B1"), "{sql}: {found:?}");
    }
}

#[tokio::test]
async fn p2_catches_an_edge_that_does_not_exist() {
    let sql = "UPDATE transition SET from_state = 'canceled' \
               WHERE machine = 'payment' AND to_state = 'succeeded'";
    assert_eq!(caught(sql).await, ["P2"]);
}

#[tokio::test]
async fn p2_catches_a_final_state_that_was_left() {
    let sql = "UPDATE payment SET status = 'processing' WHERE amount = 700";
    assert_eq!(caught(sql).await, ["P2"]);
}

#[tokio::test]
async fn p2_catches_a_history_with_a_gap() {
    let sql = "UPDATE transition SET ordinal = 7 WHERE to_state = 'failed'";
    assert_eq!(caught(sql).await, ["P2"]);
}

#[tokio::test]
async fn p2_catches_a_history_that_is_gone() {
    let sql = "DELETE FROM transition WHERE machine = 'operation'";
    assert_eq!(caught(sql).await, ["P2"]);
}

#[tokio::test]
async fn p3_catches_an_operation_that_was_never_posted() {
    let sql = "UPDATE ledger_transaction SET external_id = NULL WHERE kind = 'capture'";
    assert_eq!(caught(sql).await, ["P3"]);
}

#[tokio::test]
async fn p3_catches_a_posting_set_of_an_operation_that_did_not_succeed() {
    let sql = "UPDATE ledger_transaction SET kind = 'capture', \
               external_id = 'op_' || lower(hex(zeroblob(16))) || ':capture' \
               WHERE id = (SELECT min(id) FROM ledger_transaction WHERE kind = 'transfer')";
    assert_eq!(caught(sql).await, ["P3"]);
}

#[tokio::test]
async fn r2_catches_settlements_and_lines_that_do_not_add_up() {
    for sql in [
        "UPDATE settlement SET gross = gross + 1, net = net + 1",
        "UPDATE settlement SET lines = 2",
        "UPDATE settlement SET banked = 5",
        "UPDATE settlement SET currency = 'EUR'",
        "DELETE FROM settlement",
        "UPDATE settlement_line SET fee = fee + 1, net = net - 1",
        "UPDATE settlement_line SET transaction_id = NULL",
        "UPDATE settlement_line SET subject = 'op_' || lower(hex(zeroblob(16)))",
        "UPDATE settlement_line SET kind = 'refund'",
    ] {
        assert_eq!(caught(sql).await, ["R2"], "{sql}");
    }
    let sql = "UPDATE ledger_transaction SET external_id = NULL WHERE kind = 'payment_settled'";
    assert_eq!(caught(sql).await, ["R2"]);
}

#[tokio::test]
async fn a3_catches_a_line_and_an_exception_without_their_records() {
    let sql = "UPDATE settlement_line SET id = randomblob(16)";
    assert_eq!(caught(sql).await, ["A3"]);
    let sql = "INSERT INTO reconciliation_exception (amount, version, opened_at, tenant_id, day, id, kind, subject, \
               provider, currency, detail, status) \
               VALUES (1, 1, 0, 1, 0, randomblob(16), 'fee', 'x', 'sandbox', 'USD', 'x', 'open')";
    assert_eq!(caught(sql).await, ["A3"]);
}

#[tokio::test]
async fn a3_catches_a_price_without_its_record() {
    let sql = "INSERT INTO provider_price (rate_millionths, fixed, least, tolerance, created_at, tenant_id, version, \
               valid_from, provider, currency, kind) \
               VALUES (0, 1, 0, 1, 0, 1, 1, 0, 'sandbox', 'EUR', 'capture')";
    assert_eq!(caught(sql).await, ["A3"]);
}

#[tokio::test]
async fn i1_catches_a_request_that_nothing_will_answer() {
    let sql = "UPDATE idempotency_key SET resource = NULL WHERE status IS NULL";
    assert_eq!(caught(sql).await, ["I1"]);
}

#[tokio::test]
async fn i1_catches_half_a_reply() {
    let sql = "UPDATE idempotency_key SET body = NULL WHERE key = 'request-1'";
    assert_eq!(caught(sql).await, ["I1"]);
}

#[tokio::test]
async fn i1_catches_a_payment_whose_key_is_gone() {
    let sql = "DELETE FROM idempotency_key WHERE key = \
               (SELECT idempotency_key FROM payment WHERE amount = 700)";
    assert_eq!(caught(sql).await, ["I1"]);
}

#[tokio::test]
async fn i1_catches_two_payments_of_one_key() {
    let sql = "UPDATE payment SET idempotency_key = \
               (SELECT idempotency_key FROM payment WHERE amount = 9)";
    assert_eq!(caught(sql).await, ["I1"]);
}

#[tokio::test]
async fn w1_catches_changed_bytes() {
    let sql = "UPDATE inbox SET body = CAST('{}' AS BLOB) WHERE event_id = 'evt_other'";
    assert_eq!(caught(sql).await, ["W1"]);
}

#[tokio::test]
async fn w1_catches_an_event_that_was_applied_to_nothing() {
    let sql = "UPDATE inbox SET status = 'applied' WHERE event_id = 'evt_early'";
    assert_eq!(caught(sql).await, ["W1"]);
}

#[tokio::test]
async fn w1_catches_an_event_that_was_applied_and_contradicts_its_operation() {
    let sql = "UPDATE inbox SET status = 'applied' WHERE event_id = 'evt_wrong'";
    assert_eq!(caught(sql).await, ["W1"]);
}

#[tokio::test]
async fn a1_catches_a_changed_record() {
    let book = Book::written().await;
    book.tamper(
        "UPDATE audit_entry SET leaf = \
         CAST(replace(CAST(leaf AS TEXT), '\"outcome\":\"ok\"', '\"outcome\":\"no\"') AS BLOB) \
         WHERE seq = 4",
    );
    assert_eq!(book.violated(), ["A1"]);
    assert_eq!(book.first(), "acme audit record 4: leaf_changed");
}

#[tokio::test]
async fn a1_catches_a_record_that_was_added() {
    let sql = "INSERT INTO audit_entry SELECT 99, log, leaf, leaf_hash FROM audit_entry LIMIT 1";
    assert_eq!(caught(sql).await, ["A1"]);
}

#[tokio::test]
async fn a3_catches_an_account_without_a_record() {
    let sql = "INSERT INTO account (debits_pending, debits_posted, credits_pending, \
               credits_posted, version, opened_at, tenant_id, normal_side, status, id, code, \
               name, currency) SELECT 0, 0, 0, 0, 0, opened_at, tenant_id, normal_side, \
               status, randomblob(16), 'liabilities:nobody', name, currency FROM account LIMIT 1";
    assert_eq!(caught(sql).await, ["A3"]);
}

#[tokio::test]
async fn a3_catches_an_event_without_a_record() {
    let sql = "UPDATE inbox SET event_id = 'evt_nobody' WHERE event_id = 'evt_other'";
    assert_eq!(caught(sql).await, ["A3"]);
}
