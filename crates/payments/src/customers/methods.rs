//! `/v1/customers/{id}/payment_methods` and `/v1/payment_methods/{id}`.

use edge::cursor::Cursor;
use edge::strict_json::{Body, Slot, nullable, object, prose};
use edge::{Call, Problem, Reader, Response, Routes, Shared, code, page};

use super::{AttachMethod, CustomerId, DetachMethod, SavedMethod, SavedMethodId, read, show};
use crate::charging::codes::NO_PROVIDER;
use crate::reading::nothing;
use crate::{PaymentMethod, answers, begun, shapes};

/// Every route of payment methods. They belong to the group of customers.
pub(super) fn routes(r: &mut Routes) {
    r.post(
        "/v1/customers/{id}/payment_methods",
        "attachPaymentMethod",
        "Attaches a provider's token to a customer. Nothing is asked of the provider.",
        attach,
    )
    .segment("id", shapes::CustomerId::SHAPE, "cus_…")
    .body(|known| wanted().describe(known))
    .gives::<show::PaymentMethod>(201, "The payment method")
    .refuses(404, "No such customer", &[])
    .refuses(
        422,
        "A field is wrong, or there is no such provider",
        &[NO_PROVIDER],
    );
    r.get(
        "/v1/customers/{id}/payment_methods",
        "listPaymentMethods",
        "Lists the payment methods that are attached to a customer, newest first.",
        list,
    )
    .segment("id", shapes::CustomerId::SHAPE, "cus_…")
    .page()
    .gives_page::<show::PaymentMethod>("A page of payment methods")
    .refuses(404, "No such customer", &[]);
    r.get(
        "/v1/payment_methods/{id}",
        "getPaymentMethod",
        "Reads one payment method, attached or detached.",
        |state, call| answers::one(state, call, read::method, show::method),
    )
    .segment("id", shapes::SavedMethodId::SHAPE, "pmt_…")
    .gives::<show::PaymentMethod>(200, "The payment method")
    .refuses(404, "No such payment method", &[]);
    r.post(
        "/v1/payment_methods/{id}/detach",
        "detachPaymentMethod",
        "Detaches a payment method from its customer, for ever.",
        detach,
    )
    .segment("id", shapes::SavedMethodId::SHAPE, "pmt_…")
    .body(|known| nothing().describe(known))
    .gives::<show::PaymentMethod>(200, "The payment method, which takes no further payment")
    .refuses(404, "No such payment method", &[])
    .refuses(422, "A field is wrong", &[]);
}

async fn attach(state: Shared, call: Call) -> Result<Response, Problem> {
    let customer = call.named::<CustomerId>("id", code::NOT_FOUND);
    let mut submission = state.submission(call)?;
    let customer = customer?;
    let (provider, token) = submission.read_by(&wanted())?;
    let command = AttachMethod {
        customer,
        provider: provider.map(String::from),
        token,
        providers: begun::providers(&state)?,
    };
    let done = state.submit(submission, command, show::attached, show::show_refusal);
    done.await
}

async fn detach(state: Shared, call: Call) -> Result<Response, Problem> {
    let id = call.named::<SavedMethodId>("id", code::NOT_FOUND);
    let mut submission = state.submission(call)?;
    let id = id?;
    submission.read_by(&nothing())?;
    let command = DetachMethod { id };
    let done = state.submit(submission, command, show::detached, show::show_refusal);
    done.await
}

async fn list(state: Shared, call: Call) -> Result<Response, Problem> {
    let tenant = call.caller.tenant.id;
    let customer: CustomerId = call.named("id", code::NOT_FOUND)?;
    let wanted = call.query.page()?;
    let after = wanted.cursor;
    let after = after.map(|cursor| SavedMethodId::from_bytes(cursor.id));
    let more = i64::from(wanted.limit).saturating_add(1);
    let found = state
        .read(move |connection| {
            let customer = read::one(connection, tenant, customer)?;
            let customer = customer.map(|customer| customer.id);
            let attached = customer.map(|id| read::attached(connection, tenant, id, after, more));
            attached.transpose()
        })
        .await?;
    let found = found.ok_or_else(|| Problem::new(code::NOT_FOUND))?;
    let cursor = |method: &SavedMethod| Cursor {
        id: method.id.bytes(),
        position: None,
    };
    let page = page(found, &wanted, show::method, cursor);
    Ok(Response::json(200, &page))
}

/// Reads the body that attaches a payment method.
fn wanted() -> impl Body<Out = (Option<PaymentMethod>, PaymentMethod)> {
    object(
        "NewPaymentMethod",
        "Attaches a payment method to a customer.",
        |fields| {
            let provider = prose::<PaymentMethod>(shapes::ProviderToken::SHAPE).says(
                "The name of the provider that the token belongs to. If absent, it is whichever provider a payment goes to.",
            );
            let provider = fields.optional("provider", nullable(provider));
            let token = prose::<PaymentMethod>(shapes::ProviderToken::SHAPE)
                .says("The provider's token for the payment method.");
            let token = fields.required("token", token);
            Slot::together((provider, token)).map(|(provider, token)| (provider.flatten(), token))
        },
    )
}
