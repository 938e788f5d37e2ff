//! A fact is compared in all of its fields: every pair of a known fact and a further one, and every field
//! in which the further one can differ.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use money::{Amount, Currency, Money};
use payments::terms::TermsShelf;
use payments::{
    CaptureMethod, Fact, FactEffect, NewPayment, Operation, OperationKind, OperationState,
    OutcomeError, PaymentMethod, Provider, ProviderText, Providers, Record, Shelf, create,
    record_outcome,
};
use store::{Ids, Timestamp};

const NOW: Timestamp = Timestamp::from_micros(1_000);

/// The field in which the further fact differs, in the order of the table's columns.
const FIELDS: [&str; 8] = [
    "nothing",
    "kind",
    "amount",
    "currency",
    "payment",
    "payment_method",
    "reference",
    "decline_code",
];

/// The known fact, the further fact, and the verdict for each field. `-`: the further fact has no such field.
#[rustfmt::skip]
const TABLE: [(&str, &str, [&str; 8]); 16] = [
    ("none",      "succeeded", ["settled", "kind", "amount", "amount", "payment", "method", "settled", "-"]),
    ("none",      "failed",    ["settled", "kind", "amount", "amount", "payment", "method", "settled", "settled"]),
    ("none",      "refused",   ["settled", "-", "-", "-", "-", "-", "-", "settled"]),
    ("none",      "unknown",   ["open", "-", "-", "-", "-", "-", "-", "-"]),
    ("succeeded", "succeeded", ["known", "kind", "amount", "amount", "payment", "method", "second", "-"]),
    ("succeeded", "failed",    ["contradiction", "kind", "amount", "amount", "payment", "method", "contradiction", "contradiction"]),
    ("succeeded", "refused",   ["contradiction", "-", "-", "-", "-", "-", "-", "contradiction"]),
    ("succeeded", "unknown",   ["known", "-", "-", "-", "-", "-", "-", "-"]),
    // The money of a failed charge was taken after all.
    ("failed",    "succeeded", ["settled", "kind", "amount", "amount", "payment", "method", "second", "-"]),
    ("failed",    "failed",    ["known", "kind", "amount", "amount", "payment", "method", "second", "reason"]),
    ("failed",    "refused",   ["known", "-", "-", "-", "-", "-", "-", "reason"]),
    ("failed",    "unknown",   ["known", "-", "-", "-", "-", "-", "-", "-"]),
    // The operation was refused without a charge, so there is no reference to compare with.
    ("refused",   "succeeded", ["settled", "kind", "amount", "amount", "payment", "method", "settled", "-"]),
    ("refused",   "failed",    ["known", "kind", "amount", "amount", "payment", "method", "known", "reason"]),
    ("refused",   "refused",   ["known", "-", "-", "-", "-", "-", "-", "reason"]),
    ("refused",   "unknown",   ["known", "-", "-", "-", "-", "-", "-", "-"]),
];

struct Stage {
    shelf: Shelf,
    books: ledger::Shelf,
    ids: Ids,
    operation: Operation,
}

impl Stage {
    /// A payment whose operation was submitted.
    fn submitted() -> Self {
        let mut ids = Ids::seeded(1);
        let mut shelf = Shelf::default();
        let operation = submit(&mut shelf, &mut ids, "k-1");
        Self {
            shelf,
            books: ledger::Shelf::default(),
            ids,
            operation,
        }
    }

    /// Submits another payment, which is the present one from now on.
    fn submit(&mut self, key: &str) {
        self.operation = submit(&mut self.shelf, &mut self.ids, key);
    }

    fn record(&mut self, fact: &Fact) -> Result<FactEffect, OutcomeError> {
        let id = self.operation.id;
        let (shelf, books) = (&mut self.shelf, &mut self.books);
        record_outcome(shelf, books, id, fact, &mut self.ids, NOW)
    }

    /// Everything that a refused fact must not change.
    fn seen(&self) -> String {
        let operation = self.shelf.operation(&self.operation.id);
        let payment = self.shelf.payment(&self.operation.payment());
        let posted = self.books.posted();
        let edges = self.shelf.transitions();
        format!("{operation:?} {payment:?} {posted:?} {edges:?}")
    }

    fn record_with(&self, field: &str) -> Record {
        let own = self.operation.payment().to_string();
        Record {
            reference: ProviderText::parse(vary(field, "reference", "ch_2", "ch_1")).unwrap(),
            kind: Some(match field {
                "kind" => OperationKind::Authorize,
                _ => OperationKind::Charge,
            }),
            money: match field {
                "amount" => euros(1100),
                "currency" => Money {
                    currency: Currency::from_code("USD").unwrap(),
                    ..euros(1099)
                },
                _ => euros(1099),
            },
            payment: Some(vary(field, "payment", "pay_other", &own).to_owned()),
            payment_method: Some(vary(field, "payment_method", "pm_other", "pm_card").to_owned()),
        }
    }

    /// A fact of this kind that differs from the plain one in this field; `None` if the kind has no such field.
    fn fact(&self, kind: &str, field: &str) -> Option<Fact> {
        let decline_code = vary(field, "decline_code", "expired_card", "do_not_honor").to_owned();
        let plain = field == "nothing";
        match kind {
            "succeeded" if field != "decline_code" => Some(Fact::Succeeded {
                record: self.record_with(field),
            }),
            "failed" => Some(Fact::Failed {
                decline_code,
                record: Some(self.record_with(field)),
            }),
            "refused" if plain || field == "decline_code" => Some(Fact::Failed {
                decline_code,
                record: None,
            }),
            "unknown" if plain => Some(Fact::Unknown { retry_at: NOW }),
            _ => None,
        }
    }
}

fn submit(shelf: &mut Shelf, ids: &mut Ids, key: &str) -> Operation {
    let new = NewPayment {
        money: euros(1099),
        capture_method: CaptureMethod::Automatic,
        external_id: None,
        description: None,
        metadata: None,
        customer: None,
        payment_method: Some(PaymentMethod::parse("pm_card").unwrap().into()),
        confirm: true,
    };
    let provider = Provider {
        name: "sandbox".to_owned(),
        lease_millis: 1_000,
        authorization_millis: 1_000,
        bank: None,
    };
    let providers = Providers::only(provider);
    let known = (&providers, &TermsShelf::default());
    let (_, operation) = create(shelf, new, key, known, ids, NOW).unwrap();
    operation.unwrap()
}

fn vary<'a>(field: &str, this: &str, other: &'a str, plain: &'a str) -> &'a str {
    if field == this { other } else { plain }
}

fn euros(minor_units: i64) -> Money {
    Money {
        amount: Amount::new(minor_units).unwrap(),
        currency: Currency::from_code("EUR").unwrap(),
    }
}

fn word(recorded: &Result<FactEffect, OutcomeError>) -> &'static str {
    match recorded {
        Ok(FactEffect::Finished) => "settled",
        Ok(FactEffect::Open) => "open",
        Ok(FactEffect::Known) => "known",
        Err(OutcomeError::WrongKind { .. }) => "kind",
        Err(OutcomeError::WrongAmount { .. }) => "amount",
        Err(OutcomeError::WrongPayment) => "payment",
        Err(OutcomeError::WrongMethod) => "method",
        Err(OutcomeError::Contradiction { .. }) => "contradiction",
        Err(OutcomeError::SecondRecord { .. }) => "second",
        Err(OutcomeError::OtherDeclineCode) => "reason",
        Err(OutcomeError::RecordOfAnother { .. }) => "another's",
        Err(OutcomeError::NotFound | OutcomeError::Ledger(_)) => "something else",
    }
}

#[test]
fn every_pair_of_facts_is_compared_in_every_field() {
    for (known, further, expected) in TABLE {
        for (field, expected) in FIELDS.into_iter().zip(expected) {
            let case = format!("{known}, then {further} with another {field}");
            let mut stage = Stage::submitted();
            if let Some(first) = stage.fact(known, "nothing") {
                assert_eq!(word(&stage.record(&first)), "settled", "{case}");
            }
            let Some(fact) = stage.fact(further, field) else {
                assert_eq!(expected, "-", "{case}");
                continue;
            };
            let before = stage.seen();
            let recorded = stage.record(&fact);
            assert_eq!(word(&recorded), expected, "{case}");
            if recorded.is_err() || recorded == Ok(FactEffect::Known) {
                assert_eq!(stage.seen(), before, "{case} changed something");
            }
        }
    }
}

#[test]
fn money_that_was_taken_late_is_held_once_and_the_operation_stays_failed() {
    for first in ["failed", "refused"] {
        let mut stage = Stage::submitted();
        for fact in [first, "succeeded"] {
            let fact = stage.fact(fact, "nothing").unwrap();
            assert_eq!(word(&stage.record(&fact)), "settled", "{first}");
        }
        let held = stage.seen();
        let operation = stage.shelf.operation(&stage.operation.id).unwrap();
        assert_eq!(
            (operation.state, operation.unallocated),
            (OperationState::Failed, 1099)
        );
        assert_eq!(operation.provider_ref.as_deref(), Some("ch_1"));
        assert_eq!(stage.books.posted().len(), 1);
        for (fact, field, expected) in [
            ("succeeded", "nothing", "known"),
            ("succeeded", "reference", "second"),
            ("succeeded", "amount", "amount"),
            ("failed", "nothing", "known"),
            ("failed", "reference", "second"),
            ("unknown", "nothing", "known"),
        ] {
            let fact = stage.fact(fact, field).unwrap();
            assert_eq!(word(&stage.record(&fact)), expected, "{first}, {field}");
            assert_eq!(stage.seen(), held, "{first}, {field} changed something");
        }
    }
}

#[test]
fn a_record_is_one_operations() {
    for (first, second) in [
        ("succeeded", "succeeded"),
        ("succeeded", "failed"),
        ("failed", "succeeded"),
    ] {
        let mut stage = Stage::submitted();
        let fact = stage.fact(first, "nothing").unwrap();
        stage.record(&fact).unwrap();
        let of = stage.operation.id;
        // Another payment, of which the provider names the same record.
        stage.submit("k-2");
        let fact = stage.fact(second, "nothing").unwrap();
        let before = stage.seen();
        let refused = Err(OutcomeError::RecordOfAnother { of });
        assert_eq!(stage.record(&fact), refused, "{first}, {second}");
        assert_eq!(stage.seen(), before, "{first}, {second}");
        let own = stage.fact(second, "reference").unwrap();
        assert_eq!(word(&stage.record(&own)), "settled");
    }
}

#[test]
fn what_a_provider_does_not_say_is_not_compared() {
    let mut stage = Stage::submitted();
    let first = stage.fact("succeeded", "nothing").unwrap();
    assert_eq!(word(&stage.record(&first)), "settled");
    let record = Record {
        kind: None,
        payment: None,
        payment_method: None,
        ..stage.record_with("nothing")
    };
    let further = Fact::Succeeded { record };
    assert_eq!(stage.record(&further), Ok(FactEffect::Known));
}

#[test]
fn the_first_final_fact_is_kept_with_its_reference_and_its_reason() {
    for (kind, reference, reason) in [
        ("succeeded", Some("ch_1"), None),
        ("failed", Some("ch_1"), Some("do_not_honor")),
        ("refused", None, Some("do_not_honor")),
        ("unknown", None, None),
    ] {
        let mut stage = Stage::submitted();
        let fact = stage.fact(kind, "nothing").unwrap();
        stage.record(&fact).unwrap();
        let operation = stage.shelf.operation(&stage.operation.id).unwrap();
        assert_eq!(
            (
                operation.provider_ref.as_deref(),
                operation.decline_code.as_deref()
            ),
            (reference, reason),
            "{kind}"
        );
    }
}
