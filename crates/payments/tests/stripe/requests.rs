//! The requests.

use super::*;
use payments::disputes::{Evidence, EvidenceField};
use payments::providers::Unsendable;

/// The path and the fields of a request, decoded.
fn sent(stripe: &dyn Dialect, leased: &LeasedOperation) -> String {
    let request = stripe.request(leased).unwrap();
    assert_eq!(request.method, "POST");
    let header = |name: &str| {
        let found = request.headers.iter().find(|(known, _)| *known == name);
        found.unwrap().1.clone()
    };
    assert_eq!(header("idempotency-key"), KEY);
    assert_eq!(header("content-type"), "application/x-www-form-urlencoded");
    assert_eq!(header("stripe-version"), "2025-09-30.clover");
    let body = request.body.unwrap();
    let pairs = form_urlencoded::parse(&body);
    let pairs: Vec<String> = pairs
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    format!("{} {}", request.path, pairs.join(" "))
}

fn plain(leased: &LeasedOperation) -> String {
    sent(&*stripe(), leased)
}

fn names() -> String {
    format!(
        "metadata[florin_operation]={KEY} metadata[florin_reference]={}",
        reference()
    )
}

#[test]
fn a_payment_is_made_confirmed() {
    for (kind, capture) in [
        (OperationKind::Charge, "automatic"),
        (OperationKind::Authorize, "manual"),
    ] {
        let begin = format!(
            "/v1/payment_intents amount=1000 currency=eur payment_method=pm_1 capture_method={capture} confirm=true"
        );
        assert_eq!(
            plain(&leased(kind)),
            format!("{begin} payment_method_types[]=card {}", names())
        );
        let url = "https://shop.example/paid?a=b".to_owned();
        let redirecting = dialect(STRIPE, Some(url)).unwrap();
        assert_eq!(
            sent(&*redirecting, &leased(kind)),
            format!(
                "{begin} automatic_payment_methods[enabled]=true return_url=https://shop.example/paid?a=b {}",
                names()
            )
        );
    }
}

#[test]
fn steps_name_the_payment_intent() {
    let path = "/v1/payment_intents/pi_1";
    // All at once, and the last part: the rest is released.
    for (amount, reserved, captured) in [(1_000, 1_000, 0), (700, 1_000, 0), (200, 300, 700)] {
        let capture = capture(amount, reserved, captured);
        let expected = format!("{path}/capture amount_to_capture={amount}");
        assert_eq!(plain(&capture), expected);
    }
    // A part that is not the last one. What else was captured meanwhile changes nothing of the request.
    for captured in [0, 300, 700] {
        assert_eq!(
            plain(&capture(300, 300, captured)),
            format!("{path}/capture amount_to_capture=300 final_capture=false metadata[{KEY}]=300")
        );
    }
    let void = leased(OperationKind::Void);
    assert_eq!(plain(&void), format!("{path}/cancel "));
    // The sum is sent, not the difference.
    let mut more = leased(OperationKind::Increment);
    more.operation.money = euros(250);
    assert_eq!(
        plain(&more),
        format!("{path}/increment_authorization amount=1250 metadata[{KEY}]=250")
    );
    more.authorized = i64::MAX;
    assert!(stripe().request(&more).is_err());
    let mut strange = leased(OperationKind::Void);
    strange.operation.charge_ref = Some("pi_1/../x?y".to_owned());
    assert_eq!(
        plain(&strange),
        "/v1/payment_intents/pi_1%2F..%2Fx%3Fy/cancel "
    );
}

#[test]
fn money_goes_back_and_out() {
    assert_eq!(
        plain(&leased(OperationKind::Refund)),
        format!("/v1/refunds payment_intent=pi_1 amount=1000 {}", names())
    );
    let payout = leased(OperationKind::Payout);
    let reference = payout.operation.reference();
    assert_eq!(
        plain(&payout),
        format!(
            "/v1/payouts amount=1000 currency=eur destination=ba_1 metadata[florin_operation]={KEY} \
             metadata[florin_reference]={reference}"
        )
    );
}

#[test]
fn evidence_is_submitted_with_its_texts() {
    let change = vec![
        (EvidenceField::ShippingCarrier, Some("DHL".to_owned())),
        (
            EvidenceField::UncategorizedText,
            Some("a & b\nc".to_owned()),
        ),
    ];
    let mut evidence = leased(OperationKind::Evidence);
    evidence.evidence = Evidence::changed(None, &change);
    let reference = evidence.operation.reference();
    assert!(reference.starts_with("dp_"), "{reference}");
    assert_eq!(
        plain(&evidence),
        format!(
            "/v1/disputes/du_1 evidence[shipping_carrier]=DHL evidence[uncategorized_text]=a & b\nc submit=true \
             metadata[florin_operation]={KEY} metadata[florin_reference]={reference}"
        )
    );
    evidence.operation.charge_ref = None;
    assert!(stripe().request(&evidence).is_err());
}

#[test]
fn an_amount_that_stripe_cannot_take_is_never_sent() {
    let of = |kind, code: &str, amount| {
        let mut leased = leased(kind);
        let currency = Currency::from_code(code).unwrap();
        let amount = Amount::new(amount).unwrap();
        leased.operation.money = Money { amount, currency };
        leased
    };
    let charge = OperationKind::Charge;
    assert!(plain(&of(charge, "MGA", 500)).contains("amount=5 currency=mga"));
    assert!(plain(&of(charge, "ISK", 5)).contains("amount=500 currency=isk"));
    let refused = Err(Unsendable {
        decline_code: "amount_not_expressible",
    });
    for (kind, code, amount) in [
        (charge, "MGA", 501),
        (charge, "KWD", 1_001),
        (OperationKind::Payout, "HUF", 1_050),
    ] {
        let stripe = stripe();
        assert_eq!(stripe.request(&of(kind, code, amount)), refused, "{code}");
    }
    for kind in [OperationKind::RefundReturn, OperationKind::PayoutReturn] {
        assert!(stripe().request(&leased(kind)).is_err());
    }
}
