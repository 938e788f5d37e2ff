//! The state that all handlers share: the engine, and the parts that families add.

use std::any::{Any, TypeId, type_name};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use engine::{Command, Engine, Key, Reply, Request, Show, ShowRefusal};
use store::{AnyConnection, Error};

use crate::strict_json::{Body, CardNumbers};
use crate::{Call, Problem, Response, Submission, code, respond};

/// The state, as a handler gets it.
pub type Shared = Arc<State>;

/// The state that all handlers share.
pub struct State {
    /// The engine, which leads to the lane.
    pub engine: Engine,
    cards: &'static CardNumbers,
    parts: HashMap<TypeId, Box<dyn Any + Send + Sync>>,
}

impl State {
    /// A state without parts. `cards` tells where in a body a card number is refused.
    #[must_use]
    pub fn new(engine: Engine, cards: &'static CardNumbers) -> Self {
        Self {
            engine,
            cards,
            parts: HashMap::new(),
        }
    }

    /// The same state with another part. A part is found by its type, so there is one of each type.
    #[must_use]
    pub fn with<P: Any + Send + Sync>(mut self, part: P) -> Self {
        self.parts.insert(TypeId::of::<P>(), Box::new(part));
        self
    }

    /// A part, by its type.
    ///
    /// # Errors
    /// [`code::INTERNAL`] if no family has added it.
    pub fn part<P: Any + Send + Sync>(&self) -> Result<&P, Problem> {
        let part = self.parts.get(&TypeId::of::<P>());
        part.and_then(|part| part.downcast_ref()).ok_or_else(|| {
            tracing::error!(part = type_name::<P>(), "a part of the state is missing");
            Problem::new(code::INTERNAL)
        })
    }

    /// Reads the body of a request that changes something.
    ///
    /// # Errors
    /// Everything that is wrong with the JSON; if nothing is, a missing idempotency key.
    pub fn submission(&self, call: Call) -> Result<Submission, Problem> {
        Submission::of(call, self.cards)
    }

    /// Reads the body of a request whose caller has no tenant.
    ///
    /// # Errors
    /// Everything that is wrong with the body.
    pub fn read_body<B: Body>(&self, call: &Call<()>, reader: &B) -> Result<B::Out, Problem> {
        reader
            .whole(call.json()?, self.cards)
            .map_err(Problem::from)
    }

    /// Asks the database a question.
    ///
    /// # Errors
    /// A 503 or a 500: there is no answer.
    pub async fn read<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut AnyConnection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Problem> {
        let answer = self.engine.read(question).await;
        answer.map_err(|error| respond::unavailable(&error))
    }

    /// Submits a command, and makes the response of the lane's answer.
    ///
    /// # Errors
    /// The lane has no answer, or the idempotency key is not free.
    pub async fn submit<C: Command>(
        &self,
        submission: Submission,
        command: C,
        show: Show<C>,
        show_refusal: ShowRefusal<C>,
    ) -> Result<Response, Problem> {
        let outcome = self
            .engine
            .submit(submission.request(command, show, show_refusal))
            .await;
        respond::to_command(outcome.map_err(respond::lane_error)?.answer)
    }

    /// Submits a command whose outcome takes longer than one commit, and waits at most `wait` for the outcome.
    /// After that, the command of `answer_now` answers the request with the present state.
    ///
    /// # Errors
    /// The request has no idempotency key, the key is not free, or the lane has no answer.
    pub async fn submit_and_wait<C, N>(
        &self,
        submission: Submission,
        wait: Duration,
        command: C,
        show: Show<C>,
        show_refusal: ShowRefusal<C>,
        answer_now: impl FnOnce(Key, C::Done) -> N,
    ) -> Result<Response, Problem>
    where
        C: Command,
        N: Command<Done = Option<Reply>>,
    {
        let (tenant, origin, key) = (
            submission.tenant(),
            submission.origin(),
            submission.key().cloned(),
        );
        let key = key.ok_or_else(|| Problem::new(code::IDEMPOTENCY_KEY_REQUIRED))?;
        let request = submission.request(command, show, show_refusal);
        let answer_now = |begun: C::Done| {
            let request = Request::of_system(tenant, "waiting", answer_now(key, begun));
            Request { origin, ..request }
        };
        let answer = self.engine.submit_and_wait(request, wait, answer_now).await;
        respond::to_command(answer.map_err(respond::lane_error)?)
    }
}
