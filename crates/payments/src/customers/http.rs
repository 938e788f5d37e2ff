//! `/v1/customers`.

use books::metadata::kept;
use edge::cursor::Cursor;
use edge::query::{PageQuery, Query};
use edge::strict_json::{Body, Slot, nullable, object, prose};
use edge::{Call, Page, Problem, Reader, Response, Right, Routes, Shared, code};
use ledger::Metadata;
use text::Identifier;

use super::codes::CUSTOMER_STANDING_CONFLICT;
use super::read::{self, Search};
use super::{ChangeCustomer, ChangeStanding, CreateCustomer, CustomerId, Standing, show};
use crate::described::texts_wanted;
use crate::{Description, ExternalId, answers, shapes};

/// The reason of a person.
type Reason = Identifier<255>;

/// Every route of customers.
pub(super) fn routes(r: &mut Routes) {
    r.tag(
        "customers",
        "Payers whom you know, and the payment methods with which they can pay again",
    );
    r.post(
        "/v1/customers",
        "createCustomer",
        "Makes a customer.",
        create,
    )
    .body(|known| new_customer().describe(known))
    .gives::<show::Customer>(201, "The customer")
    .refuses(
        409,
        "The external id is taken",
        &[books::code::EXTERNAL_ID_TAKEN],
    )
    .refuses(422, "A field is wrong", &[]);
    r.patch(
        "/v1/customers/{id}",
        "updateCustomer",
        "Replaces the description or the metadata of a customer, or both.",
        patch,
    )
    .segment("id", shapes::CustomerId::SHAPE, "cus_…")
    .body(|known| customer_patch().describe(known))
    .gives::<show::Customer>(200, "The customer as it is now")
    .refuses(404, "No such customer", &[])
    .refuses(422, "A field is wrong", &[]);
    r.post(
        "/v1/customers/{id}/suspend",
        "suspendCustomer",
        "Suspends a customer: nothing is paid by them or paid out to them any more. Refunds are still made.",
        |state, call| turn(state, call, Standing::Suspended),
    )
    .may(Right::Admin)
    .segment("id", shapes::CustomerId::SHAPE, "cus_…")
    .body(|known| reason().describe(known))
    .gives::<show::Customer>(200, "The customer as it is now")
    .refuses(404, "No such customer", &[])
    .refuses(409, "The customer is suspended already", &[CUSTOMER_STANDING_CONFLICT])
    .refuses(422, "A field is wrong", &[]);
    r.post(
        "/v1/customers/{id}/reinstate",
        "reinstateCustomer",
        "Reinstates a customer who was suspended.",
        |state, call| turn(state, call, Standing::Active),
    )
    .may(Right::Admin)
    .segment("id", shapes::CustomerId::SHAPE, "cus_…")
    .body(|known| reason().describe(known))
    .gives::<show::Customer>(200, "The customer as it is now")
    .refuses(404, "No such customer", &[])
    .refuses(
        409,
        "The customer is active already",
        &[CUSTOMER_STANDING_CONFLICT],
    )
    .refuses(422, "A field is wrong", &[]);
    r.get(
        "/v1/customers/{id}",
        "getCustomer",
        "Reads one customer.",
        |state, call| answers::one(state, call, read::one, show::customer),
    )
    .segment("id", shapes::CustomerId::SHAPE, "cus_…")
    .gives::<show::Customer>(200, "The customer")
    .refuses(404, "No such customer", &[]);
    r.get(
        "/v1/customers",
        "listCustomers",
        "Lists the customers that match all given parameters, newest first.",
        list,
    )
    .more("With several texts of metadata, a page may be shorter than its limit, or empty, and still have a\n`next_cursor`: only null means the end.")
    .asks(|query| drop(search(query)))
    .gives_page::<show::Customer>("A page of customers")
    .refuses(400, "A parameter is wrong", &[]);
}

async fn create(state: Shared, call: Call) -> Result<Response, Problem> {
    let mut submission = state.submission(call)?;
    let command = submission.read_by(&new_customer())?;
    let done = state.submit(submission, command, show::created, show::show_refusal);
    done.await
}

async fn patch(state: Shared, call: Call) -> Result<Response, Problem> {
    let id = call.named::<CustomerId>("id", code::NOT_FOUND);
    let mut submission = state.submission(call)?;
    let id = id?;
    let (description, metadata) = submission.read_by(&customer_patch())?;
    let command = ChangeCustomer {
        id,
        description,
        metadata,
    };
    let done = state.submit(submission, command, show::changed, show::show_refusal);
    done.await
}

async fn turn(state: Shared, call: Call, standing: Standing) -> Result<Response, Problem> {
    let id = call.named::<CustomerId>("id", code::NOT_FOUND);
    let mut submission = state.submission(call)?;
    let id = id?;
    let reason = submission.read_by(&reason())?;
    let command = ChangeStanding {
        id,
        standing,
        reason: reason.into(),
    };
    let done = state.submit(submission, command, show::changed, show::show_refusal);
    done.await
}

async fn list(state: Shared, call: Call) -> Result<Response, Problem> {
    let tenant = call.caller.tenant.id;
    let (search, page) = call.query.ask(search)?;
    let after = page.cursor.map(|cursor| CustomerId::from_bytes(cursor.id));
    let limit = usize::from(page.limit);
    let (found, next) = state
        .read(move |connection| read::customers(connection, tenant, &search, after, limit))
        .await?;
    let cursor = |id: CustomerId| Cursor {
        id: id.bytes(),
        position: None,
    };
    let page = Page {
        next_cursor: next.map(|id| page.next(cursor(id))),
        data: found.iter().map(show::customer).collect(),
    };
    Ok(Response::json(200, &page))
}

/// Reads the parameters of a list.
fn search(query: &mut Query) -> Slot<(Search, PageQuery)> {
    let external_id = query.optional(
        "external_id",
        shapes::ShortText::SHAPE,
        "Your own name for the customer: at most one customer has it",
        |text| ExternalId::parse(text),
    );
    let metadata = texts_wanted(query);
    let search = Slot::together((external_id, metadata));
    let search = search.map(|(external_id, metadata)| Search {
        external_id: external_id.map(String::from),
        metadata,
    });
    Slot::together((search, query.page()))
}

/// Reads the body that says why a customer gets another standing.
fn reason() -> impl Body<Out = Reason> {
    object(
        "StandingReason",
        "Says why a customer is suspended or reinstated.",
        |fields| {
            let reason = prose::<Reason>(shapes::ShortText::SHAPE)
                .says("The reason, for the audit log: at most 255 characters.");
            fields.required("reason", reason)
        },
    )
}

/// Reads the body that makes a customer.
fn new_customer() -> impl Body<Out = CreateCustomer> {
    object(
        "NewCustomer",
        "Makes a customer. Personal data such as a name or an e-mail address is not accepted.",
        |fields| {
            let external_id = prose::<ExternalId>(shapes::ShortText::SHAPE)
                .says("Your own name for the customer, unique among all customers: at most 255 characters.");
            let external_id = fields.optional("external_id", nullable(external_id));
            let description = fields.optional("description", nullable(description()));
            let metadata = fields.optional("metadata", nullable(metadata()));
            let slots = (external_id, description, metadata);
            Slot::together(slots).map(|(external_id, description, metadata)| CreateCustomer {
                external_id: external_id.flatten(),
                description: description.flatten(),
                metadata: metadata.flatten().flatten(),
            })
        },
    )
}

type Patch = (Option<Option<Description>>, Option<Option<Metadata>>);

/// Reads the body that changes a customer.
fn customer_patch() -> impl Body<Out = Patch> {
    object(
        "CustomerPatch",
        "Changes a customer. A field that is absent stays as it is; null removes it.",
        |fields| {
            let description = fields.optional("description", nullable(description()));
            let metadata = fields.optional("metadata", nullable(metadata()));
            Slot::together((description, metadata)).map(|(description, metadata)| {
                let metadata: Option<Option<Option<Metadata>>> = metadata;
                (description, metadata.map(Option::flatten))
            })
        },
    )
}

fn description() -> impl Reader<Out = Description> {
    prose(shapes::LongText::SHAPE).says("A description for people: at most 500 characters.")
}

fn metadata() -> impl Reader<Out = Option<Metadata>> {
    kept().says("The metadata that you keep with it: at most 50 texts of at most 500 characters.")
}
