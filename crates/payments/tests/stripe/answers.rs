//! The answers to requests.

use super::*;

#[test]
fn each_status_of_a_payment_intent_has_its_meaning() {
    let (charge, authorize) = (
        leased(OperationKind::Charge),
        leased(OperationKind::Authorize),
    );
    for (leased, answer, expected) in [
        (
            &charge,
            intent("succeeded", "automatic", 1_000),
            "succeeded pi_1 charge EUR 10.00",
        ),
        (
            &charge,
            intent("succeeded", "automatic_async", 1_000),
            "succeeded pi_1 charge EUR 10.00",
        ),
        // The core compares the amount with what was asked for.
        (
            &charge,
            intent("succeeded", "automatic", 999),
            "succeeded pi_1 charge EUR 9.99",
        ),
        (
            &authorize,
            intent("requires_capture", "manual", 0),
            "succeeded pi_1 authorize EUR 10.00",
        ),
        (
            &authorize,
            intent("succeeded", "manual", 1_000),
            "wrong: the authorization was captured by somebody else",
        ),
        (&charge, intent("processing", "automatic", 0), "waits"),
        (&charge, intent("requires_action", "automatic", 0), "waits"),
        (
            &charge,
            intent("requires_payment_method", "automatic", 0),
            "failed requires_payment_method pi_1 charge EUR 10.00",
        ),
        (
            &charge,
            intent("canceled", "automatic", 0),
            "failed canceled pi_1 charge EUR 10.00",
        ),
        (
            &charge,
            intent("requires_confirmation", "automatic", 0),
            "nothing",
        ),
        (&charge, intent("dreaming", "automatic", 0), "nothing"),
    ] {
        assert_eq!(answered(leased, 200, &answer), expected, "{answer}");
    }
    let url = "https://hooks.stripe.com/3d_secure/1";
    let action = json!({"type": "redirect_to_url", "redirect_to_url": {"url": url}});
    let waits = with(
        intent("requires_action", "automatic", 0),
        "/next_action",
        action,
    );
    assert_eq!(
        answered(&charge, 200, &waits),
        format!("waits at {url} pi_1")
    );
    let of_sdk = json!({"type": "use_stripe_sdk", "use_stripe_sdk": {}});
    let waits = with(waits, "/next_action", of_sdk);
    assert_eq!(answered(&charge, 200, &waits), "waits");
    // What an older server does not tell is not compared.
    let silent = without(intent("succeeded", "automatic", 0), "amount_received");
    let expected = "succeeded pi_1 charge EUR 10.00";
    assert_eq!(answered(&charge, 200, &silent), expected);
}

#[test]
fn what_is_not_about_the_operation_is_wrong() {
    let charge = leased(OperationKind::Charge);
    let good = intent("succeeded", "automatic", 1_000);
    for (pointer, value, word) in [
        (
            "/metadata/florin_operation",
            json!("op_2"),
            "something else",
        ),
        ("/metadata", json!({}), "something else"),
        ("/currency", json!("EUR"), "/currency"),
        ("/currency", json!("eurx"), "/currency"),
        ("/amount", json!("1000"), "/amount"),
        ("/amount", json!(0), "/amount"),
        ("/amount", json!(10.5), "/amount"),
        ("/amount_received", json!(-1), "/amount_received"),
        ("/object", json!("charge"), "/object"),
        ("/id", json!(""), "/id"),
        ("/status", json!(7), "/status"),
        (
            "/next_action",
            json!({"redirect_to_url": {"url": "javascript:x"}}),
            "/next_action",
        ),
    ] {
        let said = answered(&charge, 200, &with(good.clone(), pointer, value));
        assert!(
            said.starts_with("wrong: ") && said.contains(word),
            "{pointer}: {said}"
        );
    }
    let of_another = with(good.clone(), "/metadata/florin_reference", json!("pay_2"));
    assert!(answered(&charge, 200, &of_another).ends_with("of another payment"));
    // An amount in another unit than Stripe's: half a krona.
    let krona = with(
        with(good, "/currency", json!("isk")),
        "/amount",
        json!(1_050),
    );
    assert!(answered(&charge, 200, &krona).starts_with("wrong: "));
    let dialect = stripe();
    let twice = br#"{"id":"pi_1","id":"pi_2"}"#.to_vec();
    assert!(said(&charge, &dialect.answered(&charge, 200, twice)).starts_with("wrong: "));
    let cut = br#"{"id":"pi_1","#.to_vec();
    assert_eq!(
        said(&charge, &dialect.answered(&charge, 200, cut)),
        "nothing"
    );
}

#[test]
fn a_step_is_compared_with_the_amounts_of_the_payment_intent() {
    let done = |kind: &str, amount: &str| format!("succeeded pi_1/{KEY} {kind} EUR {amount}");
    let whole = capture(1_000, 1_000, 0);
    let last = capture(700, 1_000, 0);
    let part = capture(300, 300, 0);
    let void = leased(OperationKind::Void);
    let mut more = leased(OperationKind::Increment);
    more.operation.money = euros(250);
    let open = |amount: i64, received: i64| {
        with(
            intent("requires_capture", "manual", received),
            "/amount",
            json!(amount),
        )
    };
    for (leased, answer, expected) in [
        (
            &whole,
            intent("succeeded", "manual", 1_000),
            done("capture", "10.00"),
        ),
        (
            &last,
            intent("succeeded", "manual", 700),
            done("capture", "7.00"),
        ),
        // More was taken than was asked for.
        (
            &last,
            intent("succeeded", "manual", 1_000),
            done("capture", "10.00"),
        ),
        (
            &capture(200, 300, 700),
            intent("succeeded", "manual", 900),
            done("capture", "2.00"),
        ),
        (&part, open(1_000, 300), done("capture", "3.00")),
        (
            &part,
            open(1_000, 299),
            "wrong: less was received than was captured".to_owned(),
        ),
        (&whole, open(1_000, 0), "nothing".to_owned()),
        (
            &whole,
            intent("processing", "manual", 0),
            "waits".to_owned(),
        ),
        (
            &void,
            intent("canceled", "manual", 0),
            done("void", "10.00"),
        ),
        (
            &void,
            intent("requires_capture", "manual", 0),
            "nothing".to_owned(),
        ),
        (&more, open(1_250, 0), done("increment", "2.50")),
        // The core refuses another amount.
        (&more, open(1_300, 0), done("increment", "3.00")),
        (
            &more,
            open(1_000, 0),
            "wrong: its amounts are not those of the operation".to_owned(),
        ),
    ] {
        assert_eq!(answered(leased, 200, &answer), expected, "{answer}");
    }
    // After a part was captured, a void leaves a PaymentIntent that succeeded.
    let mut rest = leased(OperationKind::Void);
    rest.operation.money = euros(700);
    rest.captured = 300;
    for status in ["canceled", "succeeded"] {
        let answer = intent(status, "manual", 300);
        assert_eq!(answered(&rest, 200, &answer), done("void", "7.00"));
    }
    let other = with(intent("canceled", "manual", 0), "/id", json!("pi_2"));
    assert_eq!(
        answered(&void, 200, &other),
        "wrong: it is another PaymentIntent"
    );
}

#[test]
fn each_status_of_a_refund_and_of_a_payout_has_its_meaning() {
    let (back, out) = (leased(OperationKind::Refund), leased(OperationKind::Payout));
    let failed = |value: Value, key: &str, code: &str| with(value, &format!("/{key}"), json!(code));
    for (leased, answer, expected) in [
        (
            &back,
            refund("succeeded"),
            "succeeded re_1 refund EUR 10.00",
        ),
        (&back, refund("pending"), "waits"),
        (&back, refund("requires_action"), "waits"),
        (
            &back,
            refund("canceled"),
            "failed canceled re_1 refund EUR 10.00",
        ),
        (
            &back,
            refund("failed"),
            "failed failed re_1 refund EUR 10.00",
        ),
        (
            &back,
            failed(
                refund("failed"),
                "failure_reason",
                "expired_or_canceled_card",
            ),
            "failed expired_or_canceled_card re_1 refund EUR 10.00",
        ),
        (&back, refund("dreaming"), "nothing"),
        (
            &back,
            with(refund("succeeded"), "/payment_intent", json!("pi_2")),
            "wrong: the provider's answer is about something else",
        ),
        (
            &out,
            payout("paid"),
            "succeeded po_1 payout EUR 10.00 of no payment",
        ),
        (&out, payout("pending"), "waits"),
        (&out, payout("in_transit"), "waits"),
        (
            &out,
            payout("canceled"),
            "failed canceled po_1 payout EUR 10.00 of no payment",
        ),
        (
            &out,
            failed(payout("failed"), "failure_code", "account_closed"),
            "failed account_closed po_1 payout EUR 10.00 of no payment",
        ),
    ] {
        assert_eq!(answered(leased, 200, &answer), expected, "{answer}");
    }
    // The core compares the destination.
    let answer = payout("paid").to_string().into_bytes();
    let answer = stripe().answered(&out, 200, answer);
    let ProviderAnswer::Done { fact, .. } = answer else {
        panic!("{answer:?}");
    };
    let method = fact.record().unwrap().payment_method.as_deref();
    assert_eq!(method, Some("ba_1"));
}

#[test]
fn a_refusal_fails_the_operation_unless_its_outcome_is_open() {
    let (charge, capture) = (leased(OperationKind::Charge), capture(1_000, 1_000, 0));
    let failing = with(
        intent("requires_payment_method", "automatic", 0),
        "/last_payment_error",
        json!({"code": "card_declined", "decline_code": "insufficient_funds"}),
    );
    let card = |more: &str, value: Value| {
        let error = json!({"error": {"type": "card_error", "code": "card_declined"}});
        with(error, &format!("/error/{more}"), value)
    };
    let request = |code: &str| json!({"error": {"type": "invalid_request_error", "code": code}});
    let bare = json!({"error": {"type": "invalid_request_error", "message": "no"}});
    let reused = json!({"error": {"type": "idempotency_error"}});
    let expired = "failed charge_expired_for_capture";
    for (leased, status, answer, expected) in [
        (
            &charge,
            402,
            card("decline_code", json!("stolen_card")),
            "failed stolen_card",
        ),
        (
            &charge,
            402,
            card("charge", json!("ch_1")),
            "failed card_declined",
        ),
        (
            &charge,
            402,
            card("payment_intent", failing.clone()),
            "failed card_declined pi_1 charge EUR 10.00",
        ),
        (
            &charge,
            402,
            card("payment_intent", intent("succeeded", "automatic", 1_000)),
            "nothing",
        ),
        (
            &charge,
            400,
            request("amount_too_small"),
            "failed amount_too_small",
        ),
        (&charge, 400, bare.clone(), "failed refused_by_provider"),
        (
            &charge,
            404,
            request("resource_missing"),
            "failed resource_missing",
        ),
        (
            &capture,
            402,
            request("charge_expired_for_capture"),
            expired,
        ),
        // The step may have been done by the request whose answer was lost.
        (
            &capture,
            400,
            request("payment_intent_unexpected_state"),
            "nothing",
        ),
        (&charge, 404, json!("no such page"), "nothing"),
        (&charge, 401, bare.clone(), "nothing"),
        (&charge, 403, bare.clone(), "nothing"),
        (&charge, 409, request("idempotency_key_in_use"), "nothing"),
        (&charge, 429, request("lock_timeout"), "nothing"),
        (&charge, 424, bare.clone(), "nothing"),
        (&charge, 500, bare, "nothing"),
        (&charge, 503, json!({}), "nothing"),
        (&charge, 302, json!({}), "nothing"),
    ] {
        assert_eq!(answered(leased, status, &answer), expected, "{answer}");
    }
    assert!(answered(&charge, 400, &reused).contains("idempotency key"));
    let others = with(failing, "/metadata/florin_operation", json!("op_2"));
    let said = answered(&charge, 402, &card("payment_intent", others));
    assert!(said.contains("another operation"), "{said}");
}
