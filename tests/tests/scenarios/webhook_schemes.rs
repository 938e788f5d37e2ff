//! Every signing scheme over HTTP, and what is done with an event that its signature does not cover.

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Client, Database, Florin, Reply, on_both_databases};
use webhook_signatures::{Form, Scheme, Secret, Setup};

use crate::books_hold;
use crate::given::{is_problem, rows};
use crate::webhooks::{event, kept, now, said};

pub(crate) const FORM: &str = "header=X-Club-Signature; signed={timestamp}.{body}; timestamp-header=X-Club-Time; hash=sha512; encoding=base64";
pub(crate) const URL: &str = "https://pay.example/webhooks/square?a=1,2";
const ADYEN: &str = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056";
const PRIVATE: &str =
    "whsk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8DoQe/884Qvh1w3RjnS8CZZ+TWMJulDV8d3IZkElUxuA==";
const TEXT: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A secret with which the scenario signs, and the server verifies. PayPal alone can sign in its scheme.
pub(crate) const fn secret(scheme: Scheme) -> Option<&'static str> {
    match scheme {
        Scheme::Paypal => None,
        Scheme::StandardWebhooksV1a => Some(PRIVATE),
        Scheme::AdyenStandard | Scheme::AdyenPlatform => Some(ADYEN),
        Scheme::Stripe
        | Scheme::StandardWebhooks
        | Scheme::Svix
        | Scheme::Github
        | Scheme::Shopify
        | Scheme::Square
        | Scheme::Paddle
        | Scheme::CheckoutCom
        | Scheme::Mollie
        | Scheme::Hyperswitch
        | Scheme::Column
        | Scheme::Rfc9421HmacSha256
        | Scheme::Generic => Some(TEXT),
    }
}

/// The name of the provider that signs in this scheme.
pub(crate) fn provider(scheme: Scheme) -> String {
    scheme.name().replace('.', "-")
}

/// Starts a server that knows a provider for each scheme. What some schemes need besides stands in a file.
pub(crate) fn start(database: &Database) -> Florin {
    let path = database.folder().join("webhooks.toml");
    let file = format!(
        "[webhook_options.square]\nurl = \"{URL}\"\n[webhook_options.generic]\nform = \"{FORM}\"\ntolerance = 60\n\
         [webhook_options.paddle]\ntolerance = 300\n"
    );
    std::fs::write(&path, file).expect("the folder is writable");
    let mut arguments = vec!["--config".to_owned(), path.display().to_string()];
    for (scheme, secret) in Scheme::ALL
        .into_iter()
        .filter_map(|scheme| Some((scheme, secret(scheme)?)))
    {
        let setting = format!("{}={}:{secret}", provider(scheme), scheme.name());
        arguments.extend(["--webhook-secret".to_owned(), setting]);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    Florin::start(database, &arguments)
}

fn setup(scheme: Scheme) -> Setup {
    let form = Form::parse(FORM).expect("a form");
    Setup::new(scheme).with_url(URL).with_form(form)
}

/// Sends an event, signed now. Adyen's signature goes into the body, whose only item has a place for it.
async fn deliver(to: &Client, scheme: Scheme, setup: &Setup, body: &[u8]) -> Reply {
    let text = secret(scheme).expect("it signs");
    let key = Secret::parse(scheme, text).expect("a secret");
    let signed = setup.sign(&key, "msg_1", now(), body).expect("signed");
    let mut body = String::from_utf8_lossy(body).into_owned();
    let mut headers = vec![("content-type", "application/json")];
    for (name, value) in &signed {
        if scheme == Scheme::AdyenStandard {
            body = body.replace("SIGNATURE", value);
        } else {
            headers.push((name.as_ref(), value.as_str()));
        }
    }
    let path = format!("/webhooks/{}", provider(scheme));
    to.send(Method::POST, &path, &headers, body.into_bytes())
        .await
}

/// An event of the sandbox's dialect that is a notification of Adyen too.
fn both(event: &[u8]) -> Vec<u8> {
    let mut event: Value = serde_json::from_slice(event).expect("JSON");
    event["notificationItems"] = json!([{ "NotificationRequestItem": {
        "additionalData": { "hmacSignature": "SIGNATURE" },
        "amount": { "value": 1099, "currency": "EUR" },
        "pspReference": "7914073381342284", "eventCode": "AUTHORISATION",
        "merchantAccountCode": "TestMerchant", "merchantReference": "1", "success": "true",
    }}]);
    event.to_string().into_bytes()
}

on_both_databases!(every_scheme_is_verified_over_http);
async fn every_scheme_is_verified_over_http(database: Database) {
    let florin = start(&database);
    let client = Client::new(florin.api(), None);
    let mut stored = 0;
    for scheme in Scheme::ALL {
        if secret(scheme).is_none() {
            continue;
        }
        let name = scheme.name();
        let genuine = both(&event("evt_1", "customer.created", &json!({})));
        let accepted = deliver(&client, scheme, &setup(scheme), &genuine).await;
        assert_eq!(said(&accepted), (200, "stored".to_owned()), "{name}");
        stored += 1;

        let path = format!("/webhooks/{}", provider(scheme));
        let headers = [("content-type", "application/json")];
        let unsigned = client.send(Method::POST, &path, &headers, genuine).await;
        is_problem(name, &unsigned, 401, "signature_refused");
    }
    // The URL is compared byte for byte.
    let other = setup(Scheme::Square).with_url(format!("{URL}/"));
    let again = event("evt_2", "customer.created", &json!({}));
    let refused = deliver(&client, Scheme::Square, &other, &again).await;
    is_problem("another URL", &refused, 401, "signature_refused");
    assert_eq!(kept(&database), (stored, 0));
    books_hold(&database);
}

on_both_databases!(what_a_signature_does_not_cover_is_stored_and_never_applied);
async fn what_a_signature_does_not_cover_is_stored_and_never_applied(database: Database) {
    let florin = start(&database);
    let client = Client::new(florin.api(), None);
    // An event about an operation that is not known yet would be applied later: it is parked.
    let charge = json!({
        "id": "ch_1", "idempotency_key": "op_unknown", "amount": 1099, "currency": "EUR",
    });
    let body = both(&event("evt_1", "charge.succeeded", &charge));
    for (scheme, status, word) in [
        (Scheme::AdyenPlatform, 202, "parked"),
        // Adyen's eight fields are genuine. The fields that the dialect reads are not among them.
        (Scheme::AdyenStandard, 200, "stored"),
    ] {
        let reply = deliver(&client, scheme, &setup(scheme), &body).await;
        assert_eq!(said(&reply), (status, word.to_owned()), "{}", scheme.name());
    }
    assert_eq!(kept(&database), (2, 0));
    books_hold(&database);
}

on_both_databases!(a_header_of_a_signature_comes_once_but_at_mollie);
async fn a_header_of_a_signature_comes_once_but_at_mollie(database: Database) {
    let florin = start(&database);
    let client = Client::new(florin.api(), None);
    let before = rows(&database);
    let body = both(&event("evt_1", "customer.created", &json!({})));
    let mut doubled = 0;
    for scheme in Scheme::ALL {
        // Mollie's header is the subject of the next scenario. Adyen's notification has its signature in the body.
        if matches!(scheme, Scheme::Mollie | Scheme::AdyenStandard) {
            continue;
        }
        let Some(text) = secret(scheme) else { continue };
        let key = Secret::parse(scheme, text).expect("a secret");
        let signed = setup(scheme).sign(&key, "msg_1", now(), &body);
        let signed = signed.expect("signed");
        // `Protocol` names the algorithm to readers, and no signature depends on it.
        for (name, value) in signed.iter().filter(|(name, _)| name != "Protocol") {
            for second in [value.as_str(), "other"] {
                for second_is_last in [true, false] {
                    let mut headers: Vec<(&str, &str)> = signed
                        .iter()
                        .map(|(name, value)| (name.as_ref(), value.as_str()))
                        .collect();
                    let place = if second_is_last { headers.len() } else { 0 };
                    headers.insert(place, (name.as_ref(), second));
                    let path = format!("/webhooks/{}", provider(scheme));
                    let sent = client.send(Method::POST, &path, &headers, body.clone());
                    let case = format!("{}: {name} twice, {second}", scheme.name());
                    is_problem(&case, &sent.await, 401, "signature_refused");
                    doubled += 1;
                }
            }
        }
    }
    assert!(doubled >= 80, "{doubled}");
    assert_eq!(rows(&database), before);
    books_hold(&database);
}

on_both_databases!(mollie_sends_its_header_twice_while_a_secret_is_replaced);
async fn mollie_sends_its_header_twice_while_a_secret_is_replaced(database: Database) {
    let florin = start(&database);
    let client = Client::new(florin.api(), None);
    let before = rows(&database);
    let of = |text: &str, body: &[u8]| {
        let key = Secret::parse(Scheme::Mollie, text).expect("a secret");
        let mut signed = setup(Scheme::Mollie)
            .sign(&key, "", 0, body)
            .expect("signed");
        signed.pop().expect("one header").1
    };
    let bodies: Vec<Vec<u8>> = (0..3)
        .map(|number| event(&format!("evt_{number}"), "customer.created", &json!({})))
        .collect();
    let body = |number: usize| bodies[number].clone();
    let deliver = async |values: &[&str], body: Vec<u8>| {
        let headers: Vec<_> = values
            .iter()
            .map(|value| ("x-mollie-signature", *value))
            .collect();
        client
            .send(Method::POST, "/webhooks/mollie", &headers, body)
            .await
    };
    let (old, new) = (of("the old secret", &body(0)), of(TEXT, &body(0)));
    let tampered = of(TEXT, &body(1));
    for (case, values) in [
        ("the old secret alone", &[old.as_str()][..]),
        ("twice of the old secret", &[&old, &old]),
        ("of another body", &[&old, &tampered]),
        ("no signature at all", &["", ""]),
        ("more than any sender has", &[old.as_str(); 33]),
        (
            "ours among too many",
            &[[new.as_str(); 1].as_slice(), &[old.as_str(); 32]].concat(),
        ),
    ] {
        let refused = deliver(values, body(0)).await;
        is_problem(case, &refused, 401, "signature_refused");
    }
    assert_eq!(rows(&database), before);

    let second = [of("the old secret", &body(1)), of(TEXT, &body(1))];
    let third = [of(TEXT, &body(2)), of("the old secret", &body(2))];
    for (number, values) in [
        (0, vec![new.as_str()]),
        (1, vec![second[0].as_str(), &second[1]]),
        (2, vec![third[0].as_str(), &third[1]]),
    ] {
        let accepted = deliver(&values, body(number)).await;
        assert_eq!(said(&accepted), (200, "stored".to_owned()), "{number}");
    }
    assert_eq!(kept(&database), (3, 0));
    books_hold(&database);
}
