//! Evidence for disputes: written, sent once, refused, without an answer, too late.

use serde_json::{Value, json};
use tests::{Client, Database, Reply, on_both_databases};
use tokio::task::JoinSet;

use crate::books_hold;
use crate::disputes::{Bank, dispute, open, paid};
use crate::given::{is_problem, number, text};
use crate::shop::{Shop, list, pointers};
use crate::tenants::verb;

/// A shop, and a dispute of 1000 that it knows.
async fn disputed(database: &Database) -> (Shop, Bank, String) {
    let shop = open(database).await;
    let payment = paid(&shop, "k-1").await;
    let bank = Bank::disputes(&shop, &payment, 1000).await;
    let known = dispute(&shop, "the dispute", |_| true).await;
    let id = text(&known, "/id");
    (shop, bank, id)
}

async fn write(shop: &Shop, id: &str, body: &Value) -> Reply {
    let path = format!("/v1/disputes/{id}/evidence");
    shop.client.post(&path, None, body).await
}

async fn submit(shop: &Shop, id: &str, key: &str) -> Reply {
    let path = format!("/v1/disputes/{id}/submit");
    shop.client.post(&path, key, &json!({})).await
}

/// Asserts that a request about evidence is refused because of this state.
fn is_conflict(reply: &Reply, state: &str) {
    is_problem(state, reply, 409, "dispute_state_conflict");
    let problem = reply.json();
    assert_eq!(
        (&problem["state"], &problem["moves"]),
        (&json!(state), &json!([]))
    );
}

/// The texts that were written.
fn texts(dispute: &Value) -> Value {
    let evidence = dispute["evidence"].as_object().cloned().unwrap_or_default();
    let written = evidence.into_iter().filter(|(_, text)| !text.is_null());
    Value::Object(written.collect())
}

on_both_databases!(evidence_is_a_draft_until_it_is_sent_once);
async fn evidence_is_a_draft_until_it_is_sent_once(database: Database) {
    let (shop, bank, id) = disputed(&database).await;
    let path = format!("/v1/disputes/{id}");
    let before = shop.client.get(&path).await.json();
    assert_eq!(
        (&before["evidence_status"], &before["evidence"]),
        (&json!("none"), &Value::Null)
    );
    assert!(text(&before, "/evidence_due_by") > text(&before, "/created_at"));
    is_problem(
        "nothing",
        &submit(&shop, &id, "s-0").await,
        422,
        "evidence_required",
    );

    // Nothing but white space is no evidence.
    for blank in [" ", "\u{a0}\n"] {
        let refused = write(&shop, &id, &json!({"uncategorized_text": blank})).await;
        is_problem("blank", &refused, 422, "invalid_field");
        assert_eq!(
            refused.json()["errors"][0]["pointer"],
            "/uncategorized_text"
        );
    }
    assert_eq!(shop.client.get(&path).await.json(), before);

    let carrier =
        json!({"shipping_carrier": "DHL", "shipping_tracking_number": "00340434161094021501"});
    let written = write(&shop, &id, &carrier).await;
    assert_eq!(written.status, 200, "{}", written.json());
    let draft = written.json();
    assert_eq!(
        (&draft["evidence_status"], texts(&draft)),
        (&json!("draft"), carrier.clone())
    );
    assert_eq!(number(&draft, "/version"), number(&before, "/version") + 1);
    let more = json!({"uncategorized_text": "It was delivered.\nThe payer has signed.", "shipping_carrier": null});
    let draft = write(&shop, &id, &more).await.json();
    let expected = json!({
        "shipping_tracking_number": "00340434161094021501",
        "uncategorized_text": "It was delivered.\nThe payer has signed.",
    });
    assert_eq!(texts(&draft), expected);
    // The same again changes nothing.
    assert_eq!(write(&shop, &id, &more).await.json(), draft);
    assert_eq!(shop.client.get(&path).await.json(), draft);

    let keyless = shop
        .client
        .post(&format!("{path}/submit"), None, &json!({}))
        .await;
    is_problem("no key", &keyless, 400, "idempotency_key_required");
    let sent = submit(&shop, &id, "s-1").await;
    assert_eq!(sent.status, 200, "{}", sent.json());
    let answered = sent.json();
    assert_eq!(answered["evidence_status"], "submitted");
    assert_eq!(
        (&answered["status"], texts(&answered)),
        (&json!("open"), expected)
    );
    assert!(!answered["evidence_submitted_at"].is_null());
    let again = submit(&shop, &id, "s-1").await;
    assert_eq!((again.status, &again.body), (200, &sent.body));
    is_conflict(&submit(&shop, &id, "s-2").await, "submitted");
    is_conflict(&write(&shop, &id, &carrier).await, "submitted");
    let at_bank = format!("/v1/disputes/{}", bank.dispute);
    let at_bank = bank.provider.get(&at_bank).await.json();
    assert_eq!(at_bank["status"], "under_review");
    // The audit log has digests of the texts, and none of the texts.
    let leaf = match database.url().starts_with("postgres") {
        true => "encode(leaf, 'escape')",
        false => "CAST(leaf AS TEXT)",
    };
    let leaves_with = |word: &str| {
        let wanted = format!("SELECT count(*) FROM audit_entry WHERE {leaf} LIKE '%{word}%'");
        database.number(&wanted)
    };
    // Two changes, and the one that was refused.
    assert_eq!(leaves_with("dispute.evidence_written"), 3);
    for word in ["delivered", "0034043416", "DHL"] {
        assert_eq!(leaves_with(word), 0, "{word}");
    }
    books_hold(&database);
    // The check compares the marks of the dispute with its operations.
    database.execute_raw("UPDATE dispute SET submissions = 2");
    let (code, said, heard) = verb(&database, &["check"]);
    assert_eq!(code, Some(1), "{said}{heard}");
    assert!(
        format!("{said}{heard}").contains("its evidence is submitted"),
        "{said}{heard}"
    );
    let changed = database.try_raw("UPDATE dispute SET evidence = '{}'");
    let changed = changed.expect_err("what was sent is never changed");
    assert!(changed.contains("never changed"), "{changed}");
}

on_both_databases!(evidence_can_win_and_lose_a_dispute);
async fn evidence_can_win_and_lose_a_dispute(database: Database) {
    let shop = open(&database).await;
    for (word, status) in [("winning_evidence", "won"), ("losing_evidence", "lost")] {
        let payment = paid(&shop, word).await;
        let bank = Bank::disputes(&shop, &payment, 1000).await;
        bank.does("withdraw").await;
        let is_this = |one: &Value| one["payment"] == json!(payment);
        let known = dispute(&shop, "it", |one| is_this(one) && one["withdrawn"] == true).await;
        let id = text(&known, "/id");
        write(&shop, &id, &json!({"uncategorized_text": word})).await;
        assert_eq!(submit(&shop, &id, &format!("s-{word}")).await.status, 200);
        let ended = dispute(&shop, status, |one| {
            is_this(one) && one["status"] == status && one["reinstated"] == (status == "won")
        })
        .await;
        assert_eq!(ended["evidence_status"], "submitted");
        is_conflict(&submit(&shop, &id, &format!("t-{word}")).await, status);
        is_conflict(
            &write(&shop, &id, &json!({"uncategorized_text": "x"})).await,
            status,
        );
    }
    shop.assert_as_the_provider_says().await;
    books_hold(&database);
}

on_both_databases!(evidence_that_the_provider_refuses_is_a_draft_again);
async fn evidence_that_the_provider_refuses_is_a_draft_again(database: Database) {
    let (shop, _bank, id) = disputed(&database).await;
    write(
        &shop,
        &id,
        &json!({"uncategorized_text": "refused_evidence"}),
    )
    .await;
    let refused = submit(&shop, &id, "s-1").await;
    is_problem("refused", &refused, 402, "declined");
    assert_eq!(
        (&refused.json()["resource"], &refused.json()["decline_code"]),
        (&json!(id), &json!("refused_by_provider"))
    );
    let draft = shop.client.get(&format!("/v1/disputes/{id}")).await.json();
    assert_eq!(
        (&draft["evidence_status"], &draft["evidence_decline_code"]),
        (&json!("draft"), &json!("refused_by_provider"))
    );
    write(
        &shop,
        &id,
        &json!({"uncategorized_text": "It was delivered."}),
    )
    .await;
    let sent = submit(&shop, &id, "s-2").await;
    assert_eq!(sent.status, 200, "{}", sent.json());
    assert_eq!(sent.json()["evidence_decline_code"], Value::Null);
    books_hold(&database);
}

on_both_databases!(evidence_without_an_answer_is_inquired_and_sent_once);
async fn evidence_without_an_answer_is_inquired_and_sent_once(database: Database) {
    let (shop, _bank, id) = disputed(&database).await;
    write(
        &shop,
        &id,
        &json!({"uncategorized_text": "unanswered_evidence"}),
    )
    .await;
    let sent = submit(&shop, &id, "s-1").await;
    assert_eq!(
        (sent.status, &sent.json()["evidence_status"]),
        (202, &json!("submitting"))
    );
    is_conflict(&submit(&shop, &id, "s-2").await, "submitting");
    is_conflict(
        &write(&shop, &id, &json!({"uncategorized_text": "x"})).await,
        "submitting",
    );
    // The answer is inquired for by another process, which the first one has left nothing but the books.
    shop.florin.kill9();
    let shop = Shop::open(&database);
    dispute(&shop, "it is submitted", |one| {
        one["evidence_status"] == "submitted"
    })
    .await;
    let again = submit(&shop, &id, "s-1").await;
    assert_eq!((again.status, &again.body), (202, &sent.body));
    assert_eq!(
        database.number("SELECT count(*) FROM operation WHERE kind = 'evidence'"),
        1
    );
    books_hold(&database);
}

on_both_databases!(of_many_submissions_at_once_one_is_sent);
async fn of_many_submissions_at_once_one_is_sent(database: Database) {
    let (shop, _bank, id) = disputed(&database).await;
    let beside = shop.beside(&database);
    write(
        &shop,
        &id,
        &json!({"uncategorized_text": "It was delivered."}),
    )
    .await;
    let mut racing = JoinSet::new();
    for number in 0..8 {
        let of = if number % 2 == 0 { &shop } else { &beside };
        let (client, path) = (of.client.clone(), format!("/v1/disputes/{id}/submit"));
        let key = format!("s-{number}");
        racing.spawn(async move { client.post(&path, key.as_str(), &json!({})).await.status });
    }
    let mut statuses = racing.join_all().await;
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409, 409, 409, 409, 409, 409, 409]);
    assert_eq!(
        database.number("SELECT count(*) FROM operation WHERE kind = 'evidence'"),
        1
    );
    books_hold(&database);
}

on_both_databases!(evidence_that_is_too_late_or_wrong_is_refused);
async fn evidence_that_is_too_late_or_wrong_is_refused(database: Database) {
    let (shop, _bank, id) = disputed(&database).await;
    for (field, value, code) in [
        ("product_description", json!(""), "too_short"),
        ("product_description", json!("x".repeat(2_001)), "too_long"),
        ("shipping_carrier", json!("x".repeat(256)), "too_long"),
        ("uncategorized_text", json!("x".repeat(5_001)), "too_long"),
        ("uncategorized_text", json!(["x"]), "expected_text"),
        (
            "uncategorized_text",
            json!("paid with 4242424242424242"),
            "card_number_refused",
        ),
        ("customer_name", json!("Ann"), "unknown_field"),
    ] {
        let refused = write(&shop, &id, &json!({field: value})).await;
        assert_eq!(refused.status, 422, "{field}: {}", refused.json());
        assert_eq!(pointers(&refused), [format!("/{field}")]);
        assert_eq!(refused.json()["errors"][0]["code"], code, "{field}");
    }
    let unknown = "dp_00000000000000000000000000000000";
    let text = json!({"uncategorized_text": "x"});
    is_problem(
        "none",
        &write(&shop, unknown, &text).await,
        404,
        "not_found",
    );
    is_problem(
        "none",
        &submit(&shop, unknown, "s-9").await,
        404,
        "not_found",
    );
    let other = crate::shop::second_tenant(&database).await;
    let other = Client::new(shop.florin.api(), other);
    let path = format!("/v1/disputes/{id}/evidence");
    let foreign = other.post(&path, None, &text).await;
    is_problem("of another tenant", &foreign, 404, "not_found");
    let untouched = list(&shop.client.get("/v1/disputes").await.json());
    assert_eq!(
        (&untouched[0]["evidence"], &untouched[0]["version"]),
        (&Value::Null, &json!(1))
    );

    assert_eq!(write(&shop, &id, &text).await.status, 200);
    // The provider takes evidence for seven days.
    shop.advance(8).await;
    is_conflict(
        &write(&shop, &id, &json!({"uncategorized_text": "y"})).await,
        "overdue",
    );
    is_conflict(&submit(&shop, &id, "s-1").await, "overdue");
    books_hold(&database);
}
