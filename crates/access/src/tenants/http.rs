//! `/v1/admin/tenants`, for the operator, and `/sandbox/tenants`, for anybody if the server is in sandbox mode.

use edge::strict_json::{Body, BrokenRule, guarded, object};
use edge::{
    Call, Method, Problem, Proof, Reader, Response, Right, Routes, Shape, Shared, State, code,
    headers, respond,
};
use engine::{Origin, Request, Tenant};
use store::Ids;

use super::codes::TENANT_EXISTS;
use super::show;
use crate::{MAX_NAME_LENGTH, Mode, Provision, ProvisionError, hash, label, new_key, parse_name};

/// A name of a tenant.
const NAME: Shape = Shape::pattern("^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$")
    .length(1, MAX_NAME_LENGTH)
    .named(
        "TenantName",
        "The name of a tenant: lower-case letters and digits, with - _ . between them.",
    )
    .example("acme");

/// The settings of the server that the routes of tenants need.
#[derive(Debug, Clone, Copy)]
pub struct Operator {
    /// The mode of the books.
    pub mode: Mode,
    /// SHA-256 of the operator's key; `None` if there is no operator.
    pub key: Option<[u8; 32]>,
}

/// The routes that make tenants.
pub(super) fn routes(r: &mut Routes) {
    r.tag("tenants", "Tenants, each of which has books of its own");
    r.open(
        Method::Post,
        "/v1/admin/tenants",
        ["createTenant", "Makes a tenant, with books of its own and an API key."],
        create_named,
    )
    .more("Only this answer shows the key. If the answer is lost, `florin key create --tenant NAME` makes another one.")
    .wants(Proof::OperatorKey)
    .may(Right::Admin)
    .admit(is_operator)
    .body(|known| named().describe(known))
    .gives::<show::NewTenant>(201, "The tenant was made")
    .refuses(409, "The name is taken", &[TENANT_EXISTS]);
    r.open(
        Method::Post,
        "/sandbox/tenants",
        [
            "createSandboxTenant",
            "Makes a tenant for a test, with books of its own. No key is needed.",
        ],
        create_for_a_test,
    )
    .more("Only a server in sandbox mode has this route.")
    .may(Right::Admin)
    .admit(is_sandbox)
    .body(|known| perhaps_named().describe(known))
    .gives::<show::NewTenant>(201, "The tenant was made")
    .refuses(404, "The server is in live mode", &[])
    .refuses(409, "The name is taken", &[TENANT_EXISTS]);
}

fn is_operator(state: &State, call: &Call<()>) -> Result<(), Problem> {
    let operator: &Operator = state.part()?;
    let sent = headers::bearer(&call.headers)?;
    // Hashes are compared, so the time of the comparison tells nothing about the key.
    if operator.key == Some(hash(sent)) {
        Ok(())
    } else {
        Err(Problem::new(code::UNAUTHORIZED).with_detail("This route takes the operator's key."))
    }
}

fn is_sandbox(state: &State, _call: &Call<()>) -> Result<(), Problem> {
    let operator: &Operator = state.part()?;
    match operator.mode {
        Mode::Sandbox => Ok(()),
        Mode::Live => Err(Problem::new(code::NOT_FOUND)),
    }
}

async fn create_named(state: Shared, call: Call<()>) -> Result<Response, Problem> {
    let name = state.read_body(&call, &named())?;
    create(&state, call, ("operator", "operator"), name).await
}

async fn create_for_a_test(state: Shared, call: Call<()>) -> Result<Response, Problem> {
    let name = state.read_body(&call, &perhaps_named())?;
    let name = name.unwrap_or_else(|| format!("t-{:x}", Ids::random().tenant().0));
    create(&state, call, ("anybody", "sandbox"), name).await
}

async fn create(
    state: &State,
    call: Call<()>,
    (kind, author): (&'static str, &'static str),
    name: String,
) -> Result<Response, Problem> {
    let operator: &Operator = state.part()?;
    let key = new_key(operator.mode);
    let command = Provision {
        mode: operator.mode,
        key: Some((hash(&key), label(&key))),
    };
    let tenant = Tenant {
        id: Ids::random().tenant(),
        name: name.into(),
    };
    let origin = Origin {
        kind,
        id: author.into(),
        request: Some(call.request_id),
    };
    let request = Request::of_system(tenant.clone(), author, command);
    let outcome = state.engine.submit(Request { origin, ..request }).await;
    match outcome.map_err(respond::lane_error)?.decided {
        Some(Ok(())) => Ok(Response::json(201, &show::made(&tenant, key))),
        Some(Err(rule @ ProvisionError::NameTaken)) => Err(Problem::new(TENANT_EXISTS)
            .with_detail(rule.to_string())
            .at("/name")),
        Some(Err(ProvisionError::OtherMode(_))) | None => Err(Problem::new(code::INTERNAL)),
    }
}

/// Reads the name of a tenant.
fn name() -> impl Reader<Out = String> {
    let parse =
        |text: String| parse_name(&text).map_err(|rule| BrokenRule::new("malformed_name", &rule));
    guarded(parse, NAME)
}

/// Reads the body that makes a tenant.
fn named() -> impl Body<Out = String> {
    object("NewTenantName", "Makes a tenant.", |fields| {
        let name = name().says("The name of the tenant. No other tenant may have it.");
        fields.required("name", name)
    })
}

/// Reads the body that makes a tenant for a test.
fn perhaps_named() -> impl Body<Out = Option<String>> {
    object("NewSandboxTenant", "Makes a tenant for a test.", |fields| {
        let name =
            name().says("The name of the tenant. No other tenant may have it. If it is absent, the server makes one.");
        fields.optional("name", name)
    })
}
