//! The codes of approvals.

edge::codes! {
    APPROVAL_DECIDED: "approval_decided" 409 INVALID_REQUEST NEVER KEPT "The approval was decided already";
    SECOND_PERSON_REQUIRED: "second_person_required" 403 INVALID_REQUEST NEVER FREE "Somebody else has to decide";
}
