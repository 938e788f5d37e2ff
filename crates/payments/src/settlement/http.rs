//! `/v1/settlements` and `/v1/reconciliation_exceptions`.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use edge::cursor::Cursor;
use edge::query::{PageQuery, Query};
use edge::strict_json::{Body, BrokenRule, Slot, choice, object, prose};
use edge::{Call, KeyRule, Problem, Reader as _, Response, Right, Routes, Shared, code, page};
use store::{AnyConnection, Error, TenantId};
use text::Identifier;

use super::exception::{Exception, ExceptionId, Resolution};
use super::resolve::ResolveException;
use super::rows::{ExceptionRow, OPEN, RESOLVED, SettlementLineRow, SettlementRow};
use super::{EXCEPTION_RESOLVED, NOTHING_TO_POST, SettlementId, SettlementLineId, show};
use crate::answers;
use crate::schema::{reconciliation_exception, settlement, settlement_line};
use crate::shapes;

/// The words of a person.
type Reason = Identifier<255>;

/// Every route of settlement.
pub(super) fn routes(r: &mut Routes) {
    r.tag(
        "reconciliation",
        "What the provider and the bank report, held against the books",
    );
    r.get(
        "/v1/settlements",
        "listSettlements",
        "Lists the settlements of the providers, newest first.",
        settlements,
    )
    .page()
    .gives_page::<show::Settlement>("A page of settlements");
    r.get(
        "/v1/settlements/{id}/lines",
        "listSettlementLines",
        "Lists the lines of a settlement, newest first.",
        lines,
    )
    .segment("id", shapes::SettlementId::SHAPE, "set_…")
    .page()
    .gives_page::<show::SettlementLine>("A page of lines")
    .refuses(404, "No such settlement", &[]);
    r.get(
        "/v1/reconciliation_exceptions",
        "listReconciliationExceptions",
        "Lists the differences that reconciliation has found, newest first.",
        list,
    )
    .asks(|query| drop(wanted(query)))
    .gives_page::<show::ReconciliationException>("A page of exceptions");
    r.get(
        "/v1/reconciliation_exceptions/{id}",
        "getReconciliationException",
        "Reads one exception.",
        |state, call| answers::one(state, call, exception, show::exception),
    )
    .segment("id", shapes::ExceptionId::SHAPE, "exc_…")
    .gives::<show::ReconciliationException>(200, "The exception")
    .refuses(404, "No such exception", &[]);
    r.post(
        "/v1/reconciliation_exceptions/{id}/resolve",
        "resolveReconciliationException",
        "Resolves an exception, with a reason alone or by a posting.",
        resolve,
    )
    .more("`accepted` posts nothing. `posted_as_fee` posts the money of the line as a fee of the provider, and `posted_as_unallocated` as a receipt that belongs to nothing yet.")
    .segment("id", shapes::ExceptionId::SHAPE, "exc_…")
    .key(KeyRule::Required)
    .may(Right::Admin)
    .body(|known| resolution().describe(known))
    .gives::<show::ReconciliationException>(200, "The resolved exception")
    .refuses(404, "No such exception", &[])
    .refuses(409, "It is resolved already", &[EXCEPTION_RESOLVED])
    .refuses(422, "A field is wrong, or there is no money to post", &[NOTHING_TO_POST]);
}

/// The parameters of the list: the status, and the page.
fn wanted(query: &mut Query) -> Slot<(Option<bool>, PageQuery)> {
    let is_open = |text: &str| match text {
        OPEN => Ok(true),
        RESOLVED => Ok(false),
        _ => Err(BrokenRule::new("unknown_value", &"it is open or resolved")),
    };
    let shape = shapes::ExceptionStatus::SHAPE;
    let says = "Only exceptions with this status: `open` or `resolved`";
    let status = query.optional("status", shape, says, is_open);
    Slot::together((status, query.page()))
}

async fn settlements(state: Shared, call: Call) -> Result<Response, Problem> {
    let tenant = call.caller.tenant.id;
    let wanted = call.query.page()?;
    let before = wanted
        .cursor
        .map(|cursor| SettlementId::from_bytes(cursor.id));
    let more = i64::from(wanted.limit).saturating_add(1);
    let found = state.read(move |connection| {
        let newest = SettlementId::from_bytes([0xff; 16]);
        let rows: Vec<SettlementRow> = settlement::table
            .filter(settlement::tenant_id.eq(tenant))
            .filter(settlement::id.lt(before.unwrap_or(newest)))
            .order(settlement::id.desc())
            .limit(more)
            .load(connection)?;
        Ok(rows)
    });
    let cursor = |row: &SettlementRow| Cursor {
        id: row.id.bytes(),
        position: None,
    };
    let page = page(found.await?, &wanted, show::settlement, cursor);
    Ok(Response::json(200, &page))
}

async fn lines(state: Shared, call: Call) -> Result<Response, Problem> {
    let tenant = call.caller.tenant.id;
    let id: SettlementId = call.named("id", code::NOT_FOUND)?;
    let wanted = call.query.page()?;
    let before = wanted
        .cursor
        .map(|cursor| SettlementLineId::from_bytes(cursor.id));
    let more = i64::from(wanted.limit).saturating_add(1);
    let found = state.read(move |connection| {
        let of: Option<SettlementRow> = settlement::table
            .find((tenant, id))
            .first(connection)
            .optional()?;
        let Some(of) = of else { return Ok(None) };
        let newest = SettlementLineId::from_bytes([0xff; 16]);
        let rows: Vec<SettlementLineRow> = settlement_line::table
            .filter(settlement_line::tenant_id.eq(tenant))
            .filter(settlement_line::provider.eq(of.provider))
            .filter(settlement_line::settlement.eq(of.reference))
            .filter(settlement_line::currency.eq(of.currency))
            .filter(settlement_line::id.lt(before.unwrap_or(newest)))
            .order(settlement_line::id.desc())
            .limit(more)
            .load(connection)?;
        Ok(Some(rows))
    });
    let found = found.await?.ok_or_else(|| Problem::new(code::NOT_FOUND))?;
    let cursor = |row: &SettlementLineRow| Cursor {
        id: row.id.bytes(),
        position: None,
    };
    let page = page(found, &wanted, show::line, cursor);
    Ok(Response::json(200, &page))
}

async fn list(state: Shared, call: Call) -> Result<Response, Problem> {
    let tenant = call.caller.tenant.id;
    let (is_open, wanted) = call.query.ask(wanted)?;
    let before = wanted
        .cursor
        .map(|cursor| ExceptionId::from_bytes(cursor.id));
    let more = i64::from(wanted.limit).saturating_add(1);
    let found = state.read(move |connection| exceptions(connection, tenant, is_open, before, more));
    let cursor = |exception: &Exception| Cursor {
        id: exception.id.bytes(),
        position: None,
    };
    let page = page(found.await?, &wanted, show::exception, cursor);
    Ok(Response::json(200, &page))
}

async fn resolve(state: Shared, call: Call) -> Result<Response, Problem> {
    let exception: ExceptionId = call.named("id", code::NOT_FOUND)?;
    let by = call.caller.label.to_string();
    let mut submission = state.submission(call)?;
    let (resolution, reason) = submission.read_by(&resolution())?;
    let command = ResolveException {
        exception,
        resolution,
        reason,
        by,
    };
    state
        .submit(submission, command, show::resolved, show::show_refusal)
        .await
}

/// Reads the body that resolves an exception.
fn resolution() -> impl Body<Out = (Resolution, String)> {
    object(
        "ResolveReconciliationException",
        "Resolves an exception.",
        |fields| {
            let by_person = |name: &str| {
                let resolution = Resolution::from_name(name);
                resolution.filter(|resolution| *resolution != Resolution::Matched)
            };
            let how = choice(shapes::ResolutionName::SHAPE, by_person).says(
                "How it is resolved: `accepted`, `posted_as_fee` or `posted_as_unallocated`.",
            );
            let how = fields.required("resolution", how);
            let reason = prose::<Reason>(shapes::ShortText::SHAPE);
            let reason = fields.required("reason", reason.says("Why: a text for people."));
            Slot::together((how, reason.map(String::from)))
        },
    )
}

/// One exception, if the tenant has it.
fn exception(
    connection: &mut AnyConnection,
    tenant: TenantId,
    id: ExceptionId,
) -> Result<Option<Exception>, Error> {
    let row: Option<ExceptionRow> = reconciliation_exception::table
        .find((tenant, id))
        .first(connection)
        .optional()?;
    row.map(ExceptionRow::read).transpose()
}

/// At most `limit` exceptions, newest first, that were found before the exception `before`.
fn exceptions(
    connection: &mut AnyConnection,
    tenant: TenantId,
    is_open: Option<bool>,
    before: Option<ExceptionId>,
    limit: i64,
) -> Result<Vec<Exception>, Error> {
    let newest = ExceptionId::from_bytes([0xff; 16]);
    let all = || {
        reconciliation_exception::table
            .filter(reconciliation_exception::tenant_id.eq(tenant))
            .filter(reconciliation_exception::id.lt(before.unwrap_or(newest)))
            .order(reconciliation_exception::id.desc())
            .limit(limit)
    };
    let rows: Vec<ExceptionRow> = match is_open {
        None => all().load(connection)?,
        // As texts, so that the indexes of open and of resolved exceptions fit.
        Some(true) => all()
            .filter(sql::<Bool>("status = 'open'"))
            .load(connection)?,
        Some(false) => all()
            .filter(sql::<Bool>("status = 'resolved'"))
            .load(connection)?,
    };
    rows.into_iter().map(ExceptionRow::read).collect()
}
