//! Rehearsals against Florin: every schedule, in every scheme, and the books after each of them.

use rehearse::{Address, EffectsFound, Rehearsal, Schedule, Signer, Templates, rehearse_books};
use tests::{Database, Florin, on_both_databases};
use webhook_signatures::Scheme;

use crate::books_hold;
use crate::webhook_schemes::{FORM, URL, provider, secret, start};
use crate::webhooks::kept;

const SEED: u64 = 7;
/// An event of a type that the dialect does not know. Its order and its amount are among the signed fields of Adyen's
/// scheme.
const BODY: &str = r#"{"id":"{{id}}","event_id":"{{id}}","type":"customer.created","created":{{created}},"data":{"object":{}},"order":"{{order}}","amount":{{amount}}}"#;
const ADYEN_BODY: &str = r#"{"id":"{{id}}","type":"customer.created","notificationItems":[{"NotificationRequestItem":{"additionalData":{"hmacSignature":"{{signature}}"},"amount":{"value":{{amount}},"currency":"EUR"},"pspReference":"{{id}}","eventCode":"AUTHORISATION","merchantAccountCode":"M","merchantReference":"{{order}}","success":"true"}}]}"#;

on_both_databases!(every_schedule_ends_in_the_same_books);
async fn every_schedule_ends_in_the_same_books(database: Database) {
    // The provider never answers, and no inquiry comes before the events.
    let florin = Florin::start(&database, &["--provider-timeout-ms", "600000"]);
    let address = Address {
        api: florin.api().to_owned(),
        key: florin.key().to_owned(),
        webhook_secret: florin.webhook_secret().to_owned(),
        sandbox: florin.sandbox().to_owned(),
    };
    let rehearsed = rehearse_books(&address, &Schedule::ALL, SEED, 5).await;
    let rehearsed = rehearsed.unwrap_or_else(|error| panic!("{error}"));
    assert!(rehearsed.report.passed(), "{}", rehearsed.report);
    assert_eq!(rehearsed.differences, Vec::new());
    for schedule in &rehearsed.report.schedules {
        assert_eq!(schedule.skipped, None, "{}", schedule.schedule.name());
        let is_asked = matches!(schedule.effects, EffectsFound::Asked { orders: 5, .. });
        assert!(is_asked, "{schedule:?}");
    }
    // The same seed again would prove nothing.
    let again = rehearse_books(&address, &[Schedule::Once], SEED, 5).await;
    let again = again.expect_err("these books know the seed").to_string();
    assert!(again.contains("know the seed 7"), "{again}");
    books_hold(&database);
}

on_both_databases!(every_scheme_is_rehearsed);
async fn every_scheme_is_rehearsed(database: Database) {
    let florin = start(&database);
    let mut skipped = 0;
    for scheme in Scheme::ALL {
        let Some(text) = secret(scheme) else {
            continue;
        };
        let form = (scheme == Scheme::Generic).then_some(FORM);
        // The tolerances of the settings.
        let tolerances = [(Scheme::Generic, 60), (Scheme::Paddle, 300)];
        let tolerance = tolerances.iter().find(|(of, _)| *of == scheme);
        let tolerance = tolerance.map(|(_, seconds)| *seconds);
        let signer = Signer::new(scheme, Some(text), URL, form, tolerance).expect("it signs");
        let is_in_body = scheme == Scheme::AdyenStandard;
        let body = if is_in_body { ADYEN_BODY } else { BODY };
        let url = format!("{}/webhooks/{}", florin.api(), provider(scheme));
        let report = Rehearsal::new(&url, signer)
            .expect("a URL")
            .templates(Templates::own(body.to_owned(), None).expect("a body"))
            .tolerance(tolerance)
            .seed(SEED)
            .count(2)
            .run(|_schedule| {})
            .await
            .expect("it answers");
        assert!(report.passed(), "{}:\n{report}", scheme.name());
        assert!(report.deliveries() > 50, "{}", report.deliveries());
        let skips = report.schedules.iter();
        skipped += skips.filter(|one| one.skipped.is_some()).count();
    }
    // No scheme has a refund here. Nine sign no time (three schedules each), Adyen's in the body is never thin, and nine
    // have one signature in a request.
    assert_eq!(skipped, 16 + 9 * 3 + 1 + 9, "all others were run");
    // What was forged left nothing behind: only events that are genuine are kept, each once.
    let (inbox, quarantine) = kept(&database);
    assert!(inbox > 16 * 20, "{inbox}");
    assert_eq!(quarantine, 0);
    books_hold(&database);
}
