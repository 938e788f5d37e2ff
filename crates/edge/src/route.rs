//! Routes as data: one row for each route. A mount serves the rows, and the description is printed from them.

mod parameter;
mod table;

use std::pin::Pin;

use utoipa::ToSchema;

use crate::query::{Parameters, Query};
use crate::{Call, Code, Describe, KeyRule, Problem, Response, Schema, Shape, Shared, State, page};

pub use parameter::{Parameter, ParameterKind};
pub use table::Routes;

/// The method of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads. A HEAD is served like a GET, and only the head is sent.
    Get,
    /// Makes something.
    Post,
    /// Changes something.
    Patch,
}

impl Method {
    /// Every method, in the order in which they are listed.
    pub const ALL: [Self; 3] = [Self::Get, Self::Post, Self::Patch];

    /// The name, in capitals.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
        }
    }
}

/// The right that a caller needs. It has no effect yet: every key has all rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Right {
    /// To see the books.
    Read,
    /// To enter something in the books.
    Write,
    /// To change how the books are kept.
    Admin,
}

/// The proof that a caller of a route brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// An API key of a tenant.
    ApiKey,
    /// A signature over the body.
    Signature,
    /// The key of the operator, who has no tenant.
    OperatorKey,
    /// None: anybody may call.
    Nothing,
}

/// The body that a route reads.
pub enum Reads {
    /// Strict JSON, as its reader describes it.
    Json(Box<Describes>),
    /// Bytes as they were signed, with their description.
    Bytes(&'static str),
}

/// Adds a schema to a description.
pub type Describes = dyn Fn(&mut Describe) -> Schema + Send + Sync;

/// An answer that a route can give.
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The meaning on this route.
    pub says: &'static str,
    /// The body, unless it is a problem.
    pub reply: Option<fn(&mut Describe) -> Schema>,
    /// The codes of its problems, in addition to those of every route of this kind.
    pub codes: &'static [&'static Code],
}

/// The future of a handler.
pub type HandlerFuture = Pin<Box<dyn Future<Output = Result<Response, Problem>> + Send>>;

/// The function that answers the requests of a route.
pub enum Handler {
    /// A handler that needs a caller.
    Keyed(Box<dyn Fn(Shared, Call) -> HandlerFuture + Send + Sync>),
    /// A handler that anybody may call.
    Open {
        /// Checks the head of a request before the body is read.
        admit: fn(&State, &Call<()>) -> Result<(), Problem>,
        /// Answers the request.
        answer: Box<dyn Fn(Shared, Call<()>) -> HandlerFuture + Send + Sync>,
    },
}

/// A route.
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path, with placeholders for its named parts: `/v1/things/{id}`.
    pub path: &'static str,
    /// The operation id: a verb and a noun, unique among all routes. Empty for a route that is not described.
    pub id: &'static str,
    /// The group that the route belongs to.
    pub tag: &'static str,
    /// The summary: one sentence.
    pub summary: &'static str,
    /// More sentences, if the summary is not enough.
    pub more: &'static str,
    /// The route's rule for the idempotency key.
    pub key: KeyRule,
    /// The proof that the caller brings.
    pub proof: Proof,
    /// The right that the caller needs.
    pub right: Right,
    /// True if the caller may say how long to wait.
    pub waits: bool,
    /// The named parts of its path.
    pub segments: Vec<Parameter>,
    /// The parameters of its query. Others are refused.
    pub query: Vec<Parameter>,
    /// The body that the route reads.
    pub body: Option<Reads>,
    /// The largest body, in bytes.
    pub max_body: usize,
    /// The answers of the route, in addition to those of its kind.
    pub answers: Vec<Answer>,
    /// The function that answers.
    pub handler: Handler,
}

impl Route {
    /// Sets the rule for the idempotency key.
    pub fn key(&mut self, key: KeyRule) -> &mut Self {
        self.key = key;
        self
    }

    /// Sets the right.
    pub fn may(&mut self, right: Right) -> &mut Self {
        self.right = right;
        self
    }

    /// Sets the proof that the caller brings. A route without an API key checks it in [`Route::admit`], or in its
    /// handler if the check needs the body.
    pub fn wants(&mut self, proof: Proof) -> &mut Self {
        self.proof = proof;
        self
    }

    /// Adds to the summary.
    pub fn more(&mut self, more: &'static str) -> &mut Self {
        self.more = more;
        self
    }

    /// Lets the caller say how long to wait for the outcome.
    pub fn waits(&mut self) -> &mut Self {
        self.waits = true;
        self
    }

    /// Names a part of the path, with its shape.
    pub fn segment(&mut self, name: &'static str, shape: Shape, says: &'static str) -> &mut Self {
        let own = Parameter::new(name, says, ParameterKind::One(shape));
        self.segments.push(Parameter {
            required: true,
            ..own
        });
        self
    }

    /// Adds the query parameters that this function reads.
    pub fn asks(&mut self, ask: impl FnOnce(&mut Query)) -> &mut Self {
        self.query = Query::noted(ask);
        self
    }

    /// Adds the query parameters `limit` and `cursor`.
    pub fn page(&mut self) -> &mut Self {
        self.asks(|query| drop(query.page()))
    }

    /// Reads a body of JSON, as its reader describes it.
    pub fn body(
        &mut self,
        describe: impl Fn(&mut Describe) -> Schema + Send + Sync + 'static,
    ) -> &mut Self {
        self.body = Some(Reads::Json(Box::new(describe)));
        self
    }

    /// Reads a body of bytes.
    pub fn bytes(&mut self, says: &'static str) -> &mut Self {
        self.body = Some(Reads::Bytes(says));
        self
    }

    /// Sets the largest body, in bytes.
    pub fn max_body(&mut self, max_body: usize) -> &mut Self {
        self.max_body = max_body;
        self
    }

    /// Sets a check of the head of a request, before its body is read. A route that needs a caller has such a
    /// check already.
    pub fn admit(&mut self, look: fn(&State, &Call<()>) -> Result<(), Problem>) -> &mut Self {
        if let Handler::Open { admit, .. } = &mut self.handler {
            *admit = look;
        }
        self
    }

    /// Adds an answer with a body.
    pub fn gives<T: ToSchema>(&mut self, status: u16, says: &'static str) -> &mut Self {
        self.answer(status, says, Some(reply::<T>), &[])
    }

    /// Adds an answer with a page of a list.
    pub fn gives_page<T: ToSchema>(&mut self, says: &'static str) -> &mut Self {
        self.answer(200, says, Some(page::describe::<T>), &[])
    }

    /// Adds an answer that refuses, with these codes in addition to those of every route of this kind.
    pub fn refuses(
        &mut self,
        status: u16,
        says: &'static str,
        codes: &'static [&'static Code],
    ) -> &mut Self {
        self.answer(status, says, None, codes)
    }

    fn answer(
        &mut self,
        status: u16,
        says: &'static str,
        reply: Option<fn(&mut Describe) -> Schema>,
        codes: &'static [&'static Code],
    ) -> &mut Self {
        self.answers.push(Answer {
            status,
            says,
            reply,
            codes,
        });
        self
    }

    /// The parameters of a request's query.
    ///
    /// # Errors
    /// A 400 at the first parameter that this route does not take.
    pub fn parameters(&self, path: &str, query: &str) -> Result<Parameters, Problem> {
        let is_known = |name: &str| self.query.iter().any(|own| own.is(name));
        Parameters::of(path, query, is_known)
    }

    /// True if the route is in the description.
    #[must_use]
    pub fn is_described(&self) -> bool {
        !self.id.is_empty()
    }
}

/// The schema of a reply, and the schemas of its parts.
fn reply<T: ToSchema>(known: &mut Describe) -> Schema {
    known.reply::<T>()
}
