//! The inquiries.

use super::*;

fn asked(leased: &LeasedOperation) -> String {
    let request = stripe().inquiry(leased);
    assert_eq!((request.method, request.body), ("GET", None));
    request.path
}

fn further(leased: &LeasedOperation, answer: &Value) -> Option<String> {
    let answer = answer.to_string();
    let next = stripe().further(leased, 200, answer.as_bytes());
    next.map(|request| request.path)
}

/// A page with these objects, the newest first.
fn page(data: &[Value], has_more: bool) -> Value {
    json!({"object": "list", "data": data, "has_more": has_more})
}

/// Another object, made so many seconds before the operation.
fn older(seconds: i64) -> Value {
    json!({"id": "other", "created": MADE_AT - seconds, "metadata": {"florin_operation": "op_2"}})
}

#[test]
fn what_has_an_id_is_read_and_the_rest_is_looked_for() {
    use OperationKind as K;
    let listed = "/v1/payment_intents?limit=100";
    let read = "/v1/payment_intents/pi_1";
    for (kind, path) in [
        (K::Charge, listed),
        (K::Authorize, listed),
        (K::Capture, read),
        (K::Void, read),
        (K::Increment, read),
        (K::Refund, "/v1/refunds?payment_intent=pi_1&limit=100"),
        (K::Payout, "/v1/payouts?limit=100"),
        (K::Evidence, "/v1/disputes/du_1"),
    ] {
        assert_eq!(asked(&leased(kind)), path);
    }
}

#[test]
fn a_dispute_tells_whether_it_has_our_evidence() {
    let evidence = leased(OperationKind::Evidence);
    let dispute = |operation: Option<&str>, amount: i64| {
        json!({
            "id": "du_1", "object": "dispute", "amount": amount, "currency": "eur", "status": "under_review",
            "payment_intent": "pi_1", "reason": "fraudulent",
            "evidence_details": {"due_by": 1_800_000_000, "submission_count": 1},
            "metadata": {"florin_operation": operation, "florin_reference": evidence.operation.reference()},
        })
    };
    let ours = dispute(Some(KEY), 1_000);
    let expected = "succeeded du_1 evidence EUR 10.00";
    assert_eq!(inquired(&evidence, &ours), expected);
    assert_eq!(answered(&evidence, 200, &ours), expected);
    // The core compares the amount with that of the dispute.
    let other = inquired(&evidence, &dispute(Some(KEY), 999));
    assert_eq!(other, "succeeded du_1 evidence EUR 9.99");
    for operation in [None, Some("op_2")] {
        let without = dispute(operation, 1_000);
        assert_eq!(inquired(&evidence, &without), "unknown");
        assert!(answered(&evidence, 200, &without).starts_with("wrong"));
    }
    let charge = json!({"id": "ch_1", "object": "charge", "metadata": {"florin_operation": KEY}});
    assert!(inquired(&evidence, &charge).starts_with("wrong"));
    let refused = json!({"error": {"type": "invalid_request_error", "code": "dispute_closed"}});
    assert_eq!(answered(&evidence, 400, &refused), "failed dispute_closed");
}

#[test]
fn an_object_on_the_page_is_the_outcome() {
    let charge = leased(OperationKind::Charge);
    let found = page(&[older(-5), intent("succeeded", "automatic", 1_000)], true);
    assert_eq!(further(&charge, &found), None);
    assert_eq!(inquired(&charge, &found), "succeeded pi_1 charge EUR 10.00");
    let back = leased(OperationKind::Refund);
    let found = page(&[refund("pending")], false);
    assert_eq!(inquired(&back, &found), "waits");
    let out = leased(OperationKind::Payout);
    let found = page(&[payout("paid")], false);
    assert!(inquired(&out, &found).starts_with("succeeded po_1"));
}

#[test]
fn it_is_unknown_only_if_no_page_can_have_it() {
    for kind in [
        OperationKind::Charge,
        OperationKind::Refund,
        OperationKind::Payout,
    ] {
        let leased = leased(kind);
        // There is no more, or all that is left is older than the operation, whatever the clocks say.
        for answer in [
            page(&[], false),
            page(&[older(5)], false),
            page(&[older(5), older(601)], true),
        ] {
            assert_eq!(further(&leased, &answer), None, "{answer}");
            assert_eq!(inquired(&leased, &answer), "unknown", "{answer}");
        }
        // An older object at the top of a page says nothing about the next page.
        for answer in [
            page(&[older(599)], true),
            page(&[older(900), older(5)], true),
        ] {
            assert!(further(&leased, &answer).is_some(), "{answer}");
            assert_eq!(inquired(&leased, &answer), "nothing", "{answer}");
        }
        // A page that does not say whether there is more proves nothing.
        let silent = json!({"object": "list", "data": []});
        assert_eq!(inquired(&leased, &silent), "nothing");
    }
}

#[test]
fn the_next_request_is_a_search_or_the_next_page() {
    let open = page(&[older(5)], true);
    let search = further(&leased(OperationKind::Charge), &open).unwrap();
    let query = search.strip_prefix("/v1/payment_intents/search?").unwrap();
    let query: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect();
    let expected = format!("metadata['florin_operation']:'{KEY}'");
    assert_eq!(query, [("query".to_owned(), expected)]);
    assert_eq!(
        further(&leased(OperationKind::Refund), &open).unwrap(),
        "/v1/refunds?payment_intent=pi_1&limit=100&starting_after=other"
    );
    assert_eq!(
        further(&leased(OperationKind::Payout), &open).unwrap(),
        "/v1/payouts?limit=100&starting_after=other"
    );
    // The search is the last request.
    let charge = leased(OperationKind::Charge);
    let none = json!({"object": "search_result", "data": [], "has_more": false});
    assert_eq!(further(&charge, &none), None);
    assert_eq!(inquired(&charge, &none), "unknown");
    let found = json!({"object": "search_result", "has_more": false,
        "data": [intent("processing", "automatic", 0)]});
    assert_eq!(inquired(&charge, &found), "waits");
}

#[test]
fn a_step_is_seen_in_its_payment_intent() {
    let done = |kind: &str, amount: &str| format!("succeeded pi_1/{KEY} {kind} EUR {amount}");
    let whole = capture(1_000, 1_000, 0);
    let part = capture(300, 300, 0);
    let void = leased(OperationKind::Void);
    let mut more = leased(OperationKind::Increment);
    more.operation.money = euros(250);
    let open = |amount: i64| {
        with(
            intent("requires_capture", "manual", 0),
            "/amount",
            json!(amount),
        )
    };
    let noted = |value: Value| with(value, &format!("/metadata/{KEY}"), json!("300"));
    let never = |reason: &str| format!("failed {reason}");
    for (leased, answer, expected) in [
        (&whole, open(1_000), "unknown".to_owned()),
        (
            &whole,
            intent("succeeded", "manual", 1_000),
            done("capture", "10.00"),
        ),
        (&whole, intent("canceled", "manual", 0), never("canceled")),
        (&part, open(1_000), "unknown".to_owned()),
        (
            &part,
            noted(intent("requires_capture", "manual", 300)),
            done("capture", "3.00"),
        ),
        (
            &part,
            noted(intent("succeeded", "manual", 1_000)),
            done("capture", "3.00"),
        ),
        (
            &part,
            intent("succeeded", "manual", 1_000),
            never("payment_intent_unexpected_state"),
        ),
        (&void, open(1_000), "unknown".to_owned()),
        (
            &void,
            intent("canceled", "manual", 0),
            done("void", "10.00"),
        ),
        (
            &void,
            intent("succeeded", "manual", 1_000),
            never("payment_intent_unexpected_state"),
        ),
        (&more, open(1_000), "unknown".to_owned()),
        (&more, open(1_250), done("increment", "2.50")),
        (&more, intent("canceled", "manual", 0), never("canceled")),
        (
            &more,
            intent("requires_action", "manual", 0),
            "wrong: it was authorized before".to_owned(),
        ),
    ] {
        assert_eq!(inquired(leased, &answer), expected, "{answer}");
    }
    let dialect = stripe();
    for status in [404, 429, 500] {
        let answer = dialect.inquired(&whole, status, b"{}".to_vec());
        assert_eq!(said(&whole, &answer), "nothing");
    }
}
