//! Requests that clients send through the lanes: one step or many at once, with or without a key, for real or as a dry
//! run; sent again, to any lane, also after a crash; and other requests with the same key.

use proptest::prelude::*;
use proptest_state_machine::ReferenceStateMachine;
use store::Timestamp;

use crate::commands::{self, Command, Next};
use crate::model::{Model, chosen};
use crate::words::{Act, Answer, Claim, Form, Instruction, Request};

/// A request, before its accounts and transactions are chosen.
#[derive(Debug, Clone)]
pub(crate) enum Sent {
    New {
        what: What,
        dry_run: bool,
        key: Naming,
    },
    /// A request that was sent with a key before, by number.
    Again(usize),
}

#[derive(Debug, Clone)]
pub(crate) enum What {
    One(Command),
    /// Many steps; true if all of them or none are done.
    Many(Vec<Command>, bool),
}

/// The key of a request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Naming {
    Nothing,
    Own,
    /// The key of an earlier request, by number, if there is one.
    Taken(usize),
}

fn several() -> BoxedStrategy<Vec<Sent>> {
    prop_oneof![
        3 => prop::collection::vec(sent(), 1),
        2 => prop::collection::vec(sent(), 2..5),
    ]
    .boxed()
}

/// The first requests open accounts.
fn first() -> BoxedStrategy<Next> {
    let open = commands::open().prop_map(|open| Sent::New {
        what: What::One(open),
        dry_run: false,
        key: Naming::Own,
    });
    prop::collection::vec(open, 1..4)
        .prop_map(|sent| Next::Requests {
            sent,
            lane: 0,
            crashes: false,
        })
        .boxed()
}

fn sent() -> BoxedStrategy<Sent> {
    let what = prop_oneof![
        2 => commands::request().prop_map(What::One),
        3 => (prop::collection::vec(commands::action(), 1..5), any::<bool>())
            .prop_map(|(commands, is_atomic)| What::Many(commands, is_atomic)),
    ];
    let naming = prop_oneof![
        1 => Just(Naming::Nothing),
        8 => Just(Naming::Own),
        2 => any::<usize>().prop_map(Naming::Taken),
    ];
    prop_oneof![
        3 => (what, prop::bool::weighted(0.3), naming)
            .prop_map(|(what, dry_run, key)| Sent::New { what, dry_run, key }),
        2 => any::<usize>().prop_map(Sent::Again),
    ]
    .boxed()
}

/// The model, asked through lanes.
pub(crate) struct Desk;

impl ReferenceStateMachine for Desk {
    type State = Model;
    type Transition = Next;

    fn init_state() -> BoxedStrategy<Model> {
        Model::init_state()
    }

    fn transitions(state: &Model) -> BoxedStrategy<Next> {
        if state.has_few_accounts() {
            return first();
        }
        let crashes = prop::bool::weighted(0.1);
        let requests = (several(), 0..2_usize, crashes);
        let requests = requests.prop_map(|(sent, lane, crashes)| Next::Requests {
            sent,
            lane,
            crashes,
        });
        prop_oneof![4 => Model::transitions(state), 5 => requests].boxed()
    }

    fn apply(mut state: Model, next: &Next) -> Model {
        state.go(next);
        state
    }
}

impl Model {
    /// Sends the requests at once: none of them is about what another one makes.
    pub(crate) fn send(&mut self, sent: &[Sent], lane: usize, crashes: bool) {
        let requests: Vec<Request> = sent.iter().map(|sent| self.request(sent)).collect();
        self.perform(Act::Requests {
            requests: requests.clone(),
            lane,
            crashes,
        });
        let made = self.answers.clone();
        for (request, answer) in requests.iter().zip(made) {
            if let (Answer::Reply { answers, .. }, false) = (answer, request.dry_run) {
                answers.iter().for_each(|answer| self.names.learn(answer));
            }
        }
    }

    /// Sends all requests that were ever sent with a key once more.
    pub(crate) fn send_all_again(&mut self) {
        let all: Vec<Sent> = (0..self.sent.len()).map(Sent::Again).collect();
        self.send(&all, 1, false);
    }

    fn request(&mut self, sent: &Sent) -> Request {
        let request = match sent {
            Sent::Again(number) => {
                chosen(&self.sent, *number).map(|earlier| earlier.at(self.now()))
            }
            Sent::New { what, dry_run, key } => Some(self.new_request(what, *dry_run, *key)),
        };
        // No request was sent before.
        request.unwrap_or_else(|| Request {
            form: Form::Many(Vec::new(), false),
            dry_run: true,
            claim: None,
        })
    }

    fn new_request(&mut self, what: &What, dry_run: bool, naming: Naming) -> Request {
        let form = match what {
            What::One(command) => Form::One(Box::new(self.ask(command))),
            What::Many(commands, is_atomic) => {
                let asked = commands.iter().map(|command| self.ask(command));
                Form::Many(asked.collect(), *is_atomic)
            }
        };
        // A dry run exists for movements only.
        let dry_run = dry_run && !matches!(&form, Form::One(asked) if !asked.is_action());
        let body = self.fresh_number();
        let own = format!("key {body}").replace(' ', "-");
        let key = match naming {
            Naming::Nothing => None,
            Naming::Own => Some(own),
            Naming::Taken(number) => {
                let earlier = chosen(&self.sent, number);
                let claim = earlier.and_then(|earlier| earlier.claim);
                Some(claim.map_or(own, |claim| claim.key))
            }
        };
        let request = Request {
            form,
            dry_run,
            claim: key.map(|key| Claim { key, body }),
        };
        if request.claim.is_some() {
            self.sent.push(request.clone());
        }
        request
    }
}

impl Request {
    /// The same request, sent at this moment.
    fn at(&self, now: Timestamp) -> Self {
        let mut again = self.clone();
        for asked in again.form.asked_mut() {
            asked.is_asked_at(now);
        }
        again
    }
}

impl Instruction {
    fn is_asked_at(&mut self, moment: Timestamp) {
        match self {
            Self::Open(_, _, now) | Self::ClosePeriod { now, .. } => *now = moment,
            Self::Post(new) => new.recorded_at = moment,
            Self::Fulfil(new) => new.heading.recorded_at = moment,
            Self::Void(new) | Self::Expire(new) => new.heading.recorded_at = moment,
            Self::Reverse(new) => new.heading.recorded_at = moment,
            Self::Exchange(new) => new.heading.recorded_at = moment,
            Self::Change(..) => {}
        }
    }
}
