//! Shapes of payments, by their names.

use edge::Shape;
use edge::strict_json::Guarded;

pub(crate) use books::shapes::{
    AccountCode, AccountId, Amount, AskedMoment, Count, LongText, Metadata, MinorUnits, Moment,
    ShortText, TransactionId,
};

edge::shapes! {
    /// The id of a payment.
    PaymentId: Shape::id("pay_").example("pay_019f0d5c2b7a7c3e8f10a1b2c3d4e5f6");
    /// The code of a currency of ISO 4217.
    IsoCurrencyCode: Shape::pattern("^[A-Z]{3}$").example("EUR");
    /// A provider's token: 1 to 255 characters, none of them a control character.
    ProviderToken: Shape::pattern(r"^[^\u0000-\u001f\u007f-\u009f]*$").length(1, <crate::PaymentMethod as Guarded>::MAX_LENGTH).example("pm_succeeds");
    /// The state of a payment.
    PaymentStatus: Shape::words(&["requires_payment_method", "requires_confirmation", "requires_action", "processing", "requires_capture", "succeeded", "canceled"]);
    /// When the money is taken: with the authorization, or later.
    CaptureMethodName: Shape::words(&["automatic", "manual"]);
    /// What a scripted fault is about.
    FaultOperation: Shape::words(&["any", "charge", "capture", "void", "increment", "refund", "payout", "evidence", "inquiry", "webhook"]);
    /// What a scripted fault makes happen.
    FaultName: Shape::words(&["status", "latency", "drop", "duplicate", "reorder", "corrupt"]);
    /// Whether a fault happens before or after the provider does what it is asked for.
    FaultMoment: Shape::words(&["before", "after"]);
    /// The part of a webhook that is corrupted.
    WebhookPart: Shape::words(&["body", "signature"]);
    /// The id of a customer.
    CustomerId: Shape::id("cus_").example("cus_019f0d5c2b7a7c3e8f10a1b2c3d4e5f6");
    /// Whether money is moved for a customer.
    CustomerStanding: Shape::words(&["active", "suspended"]);
    /// The id of a saved payment method. Tokens of providers are not of this form.
    SavedMethodId: Shape::id("pmt_").example("pmt_019f0d5c2b7a7c3e8f10a1b2c3d4e5f6");
    /// The id of an operation.
    OperationId: Shape::id("op_").example("op_019f0d5c2b7a7c3e8f10a1b2c3d4e5f6");
    /// What an operation asks a provider to do.
    OperationKindName: Shape::words(&["charge", "authorize", "capture", "void", "increment", "refund", "refund_return", "payout", "payout_return", "evidence"]);
    /// The id of a dispute.
    DisputeId: Shape::id("dp_").example("dp_019f0d5c2b7a7c3e8f10a1b2c3d4e5f6");
    /// The state of a dispute.
    DisputeStatus: Shape::words(&["open", "won", "lost"]);
    /// How far the evidence for a dispute is.
    EvidenceStatus: Shape::words(&["none", "draft", "submitting", "submitted"]);
    /// A text of evidence: 1 to 2,000 characters. It may have several lines.
    EvidenceText: Shape::text(1, 2_000).example("Delivered on 2026-11-20 to the pick-up point.");
    /// A long text of evidence: 1 to 5,000 characters. It may have several lines.
    LongEvidenceText: Shape::text(1, 5_000).example("The payer wrote on 2026-11-21 that everything had arrived.");
    /// The id of a payout.
    PayoutId: Shape::id("po_").example("po_019f0d5c2b7a7c3e8f10a1b2c3d4e5f6");
    /// The state of a payout.
    PayoutStatus: Shape::words(&["requires_approval", "processing", "paid", "failed", "canceled"]);
    /// The id of a bank account.
    BankAccountId: Shape::id("bac_").example("bac_019f0d5c2b7a7c3e8f10a1b2c3d4e5f6");
    /// The name of the holder of a bank account.
    HolderName: Shape::pattern(r"^[^\u0000-\u001f\u007f-\u009f]*$").length(1, 70).example("Erika Mustermann");
    /// The number of a bank account: an IBAN, with or without blanks.
    IbanText: Shape::pattern("^[A-Za-z]{2}[0-9]{2}( ?[0-9A-Za-z]){11,30}$").length(15, 64).example("DE89370400440532013000");
    /// The BIC of a bank.
    BicText: Shape::pattern("^[A-Za-z]{6}[2-9A-Za-z][0-9A-NP-Za-np-z]([0-9A-Za-z]{3})?$").length(8, 11).example("COBADEFFXXX");
    /// The id of a bank order.
    BankOrderId: Shape::id("bor_").example("bor_019f0d5c2b7a7c3e8f10a1b2c3d4e5f6");
    /// The id of a message in files of a bank.
    MessageId: Shape::pattern("^[0-9a-f]{32}$").example("019f0d5c2b7a7c3e8f10a1b2c3d4e5f6");
    /// A file as text.
    AnyText: Shape::any_text();
    /// The id of an approval.
    ApprovalId: Shape::id("apr_").example("apr_019f0d5c2b7a7c3e8f10a1b2c3d4e5f6");
    /// What is done once an approval is given.
    ApprovalAction: Shape::words(&["payout"]);
    /// The state of an approval.
    ApprovalStatus: Shape::words(&["proposed", "approved", "rejected", "expired", "withdrawn"]);
    /// The state of an operation.
    OperationStatus: Shape::words(&["created", "submitted", "succeeded", "failed", "unknown", "canceled"]);
    /// The id of a settlement.
    SettlementId: Shape::id("set_").example("set_019f0d5c2b7a7c3e8f10a1b2c3d4e5f6");
    /// The id of a line of a settlement report.
    SettlementLineId: Shape::id("srl_").example("srl_019f0d5c2b7a7c3e8f10a1b2c3d4e5f6");
    /// What a line of a settlement report is about.
    SettlementLineKind: Shape::words(&["capture", "refund", "refund_return", "dispute", "dispute_reversal", "payout", "fee", "adjustment"]);
    /// The state of a line of a settlement report.
    SettlementLineStatus: Shape::words(&["matched", "open", "ignored", "resolved"]);
    /// The id of an exception.
    ExceptionId: Shape::id("exc_").example("exc_019f0d5c2b7a7c3e8f10a1b2c3d4e5f6");
    /// The kind of a difference.
    ExceptionKindName: Shape::words(&["missing_here", "missing_there", "amount", "currency", "fee", "duplicate", "timing", "unlinked", "overdue"]);
    /// The state of an exception.
    ExceptionStatus: Shape::words(&["open", "resolved"]);
    /// How a person resolves an exception.
    ResolutionName: Shape::words(&["accepted", "posted_as_fee", "posted_as_unallocated"]);
    /// The id of a refund.
    RefundId: Shape::id("re_").example("re_019f0d5c2b7a7c3e8f10a1b2c3d4e5f6");
    /// The state of a refund.
    RefundStatus: Shape::words(&["pending", "succeeded", "failed"]);
    /// A kind of lines of settlement reports that can have a price.
    PricedLineKind: Shape::words(&["capture", "refund", "refund_return", "dispute", "dispute_reversal"]);
    /// A day in UTC, from 1970-01-01 on.
    PricedDay: Shape::pattern("^[0-9]{4}-[0-9]{2}-[0-9]{2}$").example("2026-12-01");
    /// A share from 0 to 1, as decimal text with at most 6 places.
    FeeRate: Shape::pattern(r"^(0(\.[0-9]{1,6})?|1(\.0{1,6})?)$").length(1, 8).example("0.029");
    /// A number of business days.
    BusinessDays: Shape::integer(0, 365).example_number(2);
    /// A number of days for which money is held back.
    ReserveDays: Shape::integer(0, 3650).example_number(90);
    /// What happens to money that is taken after its operation has failed.
    LateMoneyRule: Shape::words(&["hold", "refund"]);
    /// The id of a reserve.
    ReserveId: Shape::id("rsv_").example("rsv_019f0d5c2b7a7c3e8f10a1b2c3d4e5f6");
    /// A calendar of business days.
    CalendarName: Shape::words(&["every_day", "weekdays", "target", "fedwire", "chaps"]);
    /// A day in UTC.
    Day: Shape::pattern("^-?[0-9]{4,6}-[0-9]{2}-[0-9]{2}$").example("2026-12-01");
    /// A day that a request names, in UTC.
    AskedDay: Shape::pattern("^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$").length(10, 10).example("2026-12-01");
    /// The id of an event that a provider has sent.
    WebhookEventId: Shape::id("whe_").example("whe_019f0d5c2b7a7c3e8f10a1b2c3d4e5f6");
    /// What became of an event.
    WebhookEventStatus: Shape::words(&["applied", "parked", "stored", "dead", "quarantined"]);
    /// The outcome of a webhook.
    ReceiptStatus: Shape::words(&["applied", "duplicate", "parked", "stored", "quarantined"]);
}
