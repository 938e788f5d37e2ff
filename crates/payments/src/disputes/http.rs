//! `/v1/disputes`.

use edge::reply::json;
use edge::strict_json::{Body, BrokenRule, Fields, Guarded, Slot, nullable, object, prose};
use edge::{Call, KeyRule, Problem, Reader, Response, Routes, Shape, Shared, code, headers};
use engine::Reply;
use text::{Identifier, Text};

use super::codes::{DISPUTE_STATE_CONFLICT, EVIDENCE_REQUIRED};
use super::evidence::{EvidenceChange, EvidenceField};
use super::{BegunSubmission, DisputeId, SubmitEvidence, WriteEvidence, rows, show};
use crate::charging::codes;
use crate::{answers, begun, moved, shapes};

/// Every route of disputes.
pub(crate) fn routes(r: &mut Routes) {
    r.tag(
        "disputes",
        "Captured money that the payer's bank claims back",
    );
    r.get(
        "/v1/disputes/{id}",
        "getDispute",
        "Reads one dispute.",
        |state, call| answers::one(state, call, rows::dispute, show::dispute),
    )
    .segment("id", shapes::DisputeId::SHAPE, "dp_…")
    .gives::<show::Dispute>(200, "The dispute")
    .refuses(404, "No such dispute", &[]);
    r.get(
        "/v1/disputes",
        "listDisputes",
        "Lists disputes, newest first.",
        |state, call| {
            answers::list(
                state,
                call,
                rows::disputes,
                show::dispute,
                DisputeId::from_bytes,
                |row| row.id.bytes(),
            )
        },
    )
    .page()
    .gives_page::<show::Dispute>("A page of disputes");
    r.post(
        "/v1/disputes/{id}/evidence",
        "writeEvidence",
        "Writes texts of the evidence for a dispute. It is a draft until it is submitted.",
        write,
    )
    .segment("id", shapes::DisputeId::SHAPE, "dp_…")
    .body(|known| written().describe(known))
    .gives::<show::Dispute>(200, "The dispute with its evidence")
    .refuses(404, "No such dispute", &[])
    .refuses(
        409,
        "The dispute was decided, or the evidence was sent already, or is too late",
        &[DISPUTE_STATE_CONFLICT],
    )
    .refuses(422, "A field is wrong", &[]);
    r.post(
        "/v1/disputes/{id}/submit",
        "submitEvidence",
        "Sends the evidence for a dispute to the provider. This is possible once.",
        submit,
    )
    .key(KeyRule::Required)
    .waits()
    .segment("id", shapes::DisputeId::SHAPE, "dp_…")
    .body(|known| nothing().describe(known))
    .gives::<show::Dispute>(200, "The provider has the evidence")
    .gives::<show::Dispute>(202, "The provider has not answered yet")
    .refuses(402, "The provider has refused the evidence", &[codes::DECLINED])
    .refuses(404, "No such dispute", &[])
    .refuses(
        409,
        "The dispute was decided, or the evidence was sent already, or is too late",
        &[DISPUTE_STATE_CONFLICT],
    )
    .refuses(
        422,
        "A field is wrong, no evidence was written, or the idempotency key belongs to another request",
        &[EVIDENCE_REQUIRED],
    );
}

async fn write(state: Shared, call: Call) -> Result<Response, Problem> {
    let id = call.named::<DisputeId>("id", code::NOT_FOUND);
    let mut submission = state.submission(call)?;
    let id = id?;
    let change = submission.read_by(&written())?;
    let command = WriteEvidence { id, change };
    let done = state.submit(submission, command, show::written, moved::show_refusal);
    done.await
}

async fn submit(state: Shared, call: Call) -> Result<Response, Problem> {
    let wait = headers::prefer_wait(&call.headers);
    let id = call.named::<DisputeId>("id", code::NOT_FOUND);
    let mut submission = state.submission(call)?;
    let id = id?;
    submission.read_by(&nothing())?;
    let command = SubmitEvidence {
        id,
        key: submission.key_text(),
        providers: begun::providers(&state)?,
    };
    let show_refusal = moved::show_refusal;
    begun::submit(&state, submission, command, wait, begun_now, show_refusal).await
}

/// The reply at the moment of the decision.
fn begun_now(begun: &BegunSubmission, _is_dry_run: bool) -> Reply {
    json(202, &show::dispute(&begun.dispute))
}

/// Reads the body that writes evidence.
fn written() -> impl Body<Out = EvidenceChange> {
    object(
        "EvidenceTexts",
        "Texts of the evidence. A text replaces the one before, null removes it, and all others stay.",
        |fields| {
            let description =
                explanation(fields, EvidenceField::ProductDescription, "What was sold.");
            let carrier = short(fields, EvidenceField::ShippingCarrier, "Who delivered it.");
            let number = short(
                fields,
                EvidenceField::ShippingTrackingNumber,
                "The number under which the carrier can be asked.",
            );
            let shipped = short(
                fields,
                EvidenceField::ShippingDate,
                "When it was handed to the carrier.",
            );
            let served = short(
                fields,
                EvidenceField::ServiceDate,
                "When the service was given.",
            );
            let refund = explanation(
                fields,
                EvidenceField::RefundRefusalExplanation,
                "Why the payer gets no refund.",
            );
            let cancellation = explanation(
                fields,
                EvidenceField::CancellationRebuttal,
                "Why the subscription was not canceled.",
            );
            let duplicate = explanation(
                fields,
                EvidenceField::DuplicateChargeExplanation,
                "Why this is not the same payment as another one.",
            );
            let rest = long(fields, EvidenceField::UncategorizedText, "Everything else.");
            let texts = Slot::together((
                description,
                carrier,
                number,
                shipped,
                served,
                refund,
                cancellation,
                duplicate,
                rest,
            ));
            texts.map(|texts| <[Told; 9]>::from(texts).into_iter().flatten().collect())
        },
    )
}

/// A text of a change, if the body names it.
type Told = Option<(EvidenceField, Option<String>)>;

fn short(fields: &mut Fields, field: EvidenceField, says: &'static str) -> Slot<Told> {
    told::<Identifier<255>>(fields, field, shapes::ShortText::SHAPE, says)
}

fn explanation(fields: &mut Fields, field: EvidenceField, says: &'static str) -> Slot<Told> {
    told::<Text<2_000>>(fields, field, shapes::EvidenceText::SHAPE, says)
}

fn long(fields: &mut Fields, field: EvidenceField, says: &'static str) -> Slot<Told> {
    told::<Text<5_000>>(fields, field, shapes::LongEvidenceText::SHAPE, says)
}

fn told<T: Guarded + Into<String> + 'static>(
    fields: &mut Fields,
    field: EvidenceField,
    shape: Shape,
    says: &'static str,
) -> Slot<Told> {
    let text =
        prose::<T>(shape)
            .map(Into::<String>::into)
            .checked(|text| match text.trim().is_empty() {
                true => Err(BrokenRule::new("blank", &"It has nothing but white space.")),
                false => Ok(text),
            });
    let text = fields.optional(field.name(), nullable(text.says(says)));
    text.map(move |text| text.map(|text| (field, text)))
}

/// Reads the body of a submission, which has no field.
fn nothing() -> impl Body<Out = ()> {
    object(
        "EvidenceSubmission",
        "Sends the evidence to the provider.",
        |_fields| Slot::together(()),
    )
}
