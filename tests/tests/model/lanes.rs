//! The real ledger behind the engine: two lanes on one database, as in two processes, each with a memory that the
//! other lane makes stale. A lane makes its own ids, so its answers are compared as text, with the model's ids in
//! place of its own.

mod asking;
mod requests;
mod wording;

use std::sync::atomic::{AtomicI64, Ordering};

use books::accounts::{AccountChange, ChangeAccount};
use books::periods::ClosePeriod;
use books::transactions::{Action, Details, Draft, Expire, Expiry, Swap};
use engine::{Answer as Heard, Engine, LaneError, Tenant};
use ledger::{AccountId, Condition, Posting, TransactionId, check};
use store::{Clock, DatabaseUrl, Error, Ids, Store, Timestamp};
use tests::Database;
use tokio::runtime::Runtime;

use crate::books::{CHECKS, look};
use crate::words::{Act, Answer, Change, Instruction, Moved, Refusal, limits};
use asking::{Ask, Envelope};
use wording::{Translation, made, make_again, names, new_account, saying, tenant};

/// The text for a transaction that did not expire.
const NOT_EXPIRED: &str = "it does not expire";

/// Two lanes, and the model's ids for their rows.
pub(crate) struct Lanes {
    runtime: Runtime,
    database: Database,
    store: Store,
    clock: Clock,
    engines: Vec<Engine>,
    tenant: Tenant,
    ids: Translation,
}

impl Lanes {
    pub(crate) fn on(database: Database) -> Self {
        let url = DatabaseUrl::parse(database.url()).expect("a URL");
        // Tasks that are spawned on one thread are sent in that order.
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let store = Store::open(&url).expect("the migrations are applied");
        database.execute_raw(requests::power_switch(database.kind()));
        Self {
            runtime: runtime.enable_all().build().expect("a runtime"),
            database,
            store,
            clock: Clock::manual(Timestamp::from_micros(0)),
            engines: Vec::new(),
            tenant: tenant(0),
            ids: Translation::default(),
        }
    }

    /// Starts a new tenant, with lanes that remember nothing.
    pub(crate) fn begin(&mut self) {
        static LAST: AtomicI64 = AtomicI64::new(0);
        self.tenant = tenant(LAST.fetch_add(1, Ordering::Relaxed) + 1);
        self.ids = Translation::default();
        // The time of a tenant never goes back, and the model begins earlier than the previous tenant ended.
        self.clock.set(Timestamp::from_micros(0));
        self.restart();
        let provisioned = self.send(0, vec![Ask::Provision]);
        assert_eq!(provisioned, [None]);
    }

    /// The answers as text; `None` if a lane cannot be asked for this.
    pub(crate) fn perform(&mut self, act: &Act) -> Option<Vec<String>> {
        match act {
            Act::Batch {
                asked,
                locks,
                crashes,
            } => {
                self.set_clock(asked);
                let bulk = self.bulk(asked).filter(|_| *locks || *crashes);
                match (bulk, crashes) {
                    (Some(actions), dry_run) => Some(self.together(asked, actions, *dry_run)),
                    (None, true) => None,
                    (None, false) => Some(self.one_by_one(0, asked)),
                }
            }
            // The second lane does not know what the first lane has just done.
            Act::Race { first, second } => {
                self.set_clock(first);
                let mut answers = self.one_by_one(0, first);
                answers.extend(self.one_by_one(1, second));
                Some(answers)
            }
            Act::Requests {
                requests,
                lane,
                crashes,
            } => Some(self.receive(*lane, requests, *crashes)),
            Act::Wait => Some(Vec::new()),
            Act::Restart => {
                self.restart();
                Some(Vec::new())
            }
            Act::Look(now) => {
                let (tenant, ids) = (self.tenant.id, self.ids.clone());
                let place = |id| u128::from_be_bytes(ids.modelled[&id]);
                let seen = self.store.read(|c| look(c, tenant, *now, place));
                let seen = Answer::Seen(Box::new(seen.expect("readable")));
                Some(vec![self.ids.to_model(&format!("{seen:#?}"))])
            }
        }
    }

    /// The answers of the model, in the same words.
    pub(crate) fn expected(act: &Act, answers: &[Answer]) -> Vec<String> {
        let asked: Vec<&Instruction> = match act {
            Act::Batch { asked, .. } => asked.iter().collect(),
            Act::Race { first, second } => first.iter().chain(second).collect(),
            Act::Requests { .. } | Act::Wait | Act::Restart | Act::Look(_) => Vec::new(),
        };
        let said = answers.iter().enumerate().map(|(place, answer)| {
            let is_expiry = matches!(asked.get(place), Some(Instruction::Expire(_)));
            match answer {
                Answer::Refused(_) if is_expiry => NOT_EXPIRED.to_owned(),
                Answer::Seen(_) => format!("{answer:#?}"),
                Answer::Reply { again, answers } => requests::said(*again, answers),
                Answer::Stands(_)
                | Answer::Moved(_)
                | Answer::PeriodClosed
                | Answer::KeyReused
                | Answer::RefusedAt(..)
                | Answer::Refused(_) => format!("{answer:?}"),
            }
        });
        said.collect()
    }

    /// Checks the ledger's invariants of this tenant.
    pub(crate) fn check(&mut self) {
        for (name, check) in CHECKS {
            let checked = self.store.read(|c| check(c, self.tenant.id, &mut |_| ()));
            assert!(checked.is_ok(), "{name}: {checked:?}");
        }
    }

    /// Checks everything that `florin check` checks.
    pub(crate) fn check_everything(&mut self) {
        let report = self
            .store
            .read(|c| engine::check::run(families::CHECK, c, |_, _| ()));
        let report = report.expect("readable");
        let violated = report.first_violated();
        assert!(violated.is_none(), "{violated:?}");
    }

    pub(crate) fn shut_down(&mut self) {
        for engine in self.engines.drain(..) {
            self.runtime.block_on(engine.shut_down());
        }
    }

    fn restart(&mut self) {
        self.shut_down();
        for _ in 0..2 {
            let settings = engine::Settings {
                shelves: families::shelves(),
                make_again,
                after_commit: None,
                max_batch: 100,
                line: 1_000,
                mixes_tenants: true,
                clock: self.clock.clone(),
                key_life_seconds: 30 * 86_400,
            };
            let engine = Engine::start(self.store.clone(), settings, Ids::random());
            self.engines.push(engine.expect("a thread"));
        }
    }

    /// Sets the clock to the moment of the request, if the request has one.
    fn set_clock(&mut self, asked: &[Instruction]) {
        for asked in asked {
            match asked {
                Instruction::Open(_, _, now) | Instruction::ClosePeriod { now, .. } => {
                    self.clock.set(*now)
                }
                Instruction::Post(new) => self.clock.set(new.recorded_at),
                Instruction::Fulfil(new) => self.clock.set(new.heading.recorded_at),
                Instruction::Void(new) | Instruction::Expire(new) => {
                    self.clock.set(new.heading.recorded_at)
                }
                Instruction::Reverse(new) => self.clock.set(new.heading.recorded_at),
                Instruction::Exchange(new) => self.clock.set(new.heading.recorded_at),
                Instruction::Change(..) => {}
            }
        }
    }

    /// Sends the steps at once if possible, so that the lane may take them as one batch. Otherwise it sends each after
    /// the previous answer, because the step names what the previous one made.
    fn one_by_one(&mut self, lane: usize, asked: &[Instruction]) -> Vec<String> {
        let knows_all = |asked: &Instruction| {
            let is_expiry = matches!(asked, Instruction::Expire(_));
            !is_expiry && names(asked).iter().all(|id| self.ids.knows(*id))
        };
        let size = if asked.iter().all(knows_all) {
            asked.len().max(1)
        } else {
            1
        };
        let mut answers = Vec::new();
        for asked in asked.chunks(size) {
            let mut said: Vec<Option<String>> = vec![None; asked.len()];
            let mut commands = Vec::new();
            for (asked, said) in asked.iter().zip(&mut said) {
                match self.command(asked) {
                    Ok(command) => commands.push(command),
                    Err(refusal) => *said = Some(format!("{:?}", Answer::Refused(refusal))),
                }
            }
            let mut heard = self.send(lane, commands).into_iter();
            for (asked, said) in asked.iter().zip(said) {
                let said = said.unwrap_or_else(|| {
                    let heard = heard.next().expect("an answer for each");
                    self.learn(asked, heard)
                });
                answers.push(said);
            }
        }
        answers
    }

    /// Sends the steps as one command. A dry run leaves nothing, as a crash does.
    fn together(
        &mut self,
        asked: &[Instruction],
        actions: Vec<Action>,
        dry_run: bool,
    ) -> Vec<String> {
        let bulk = Ask::Bulk {
            actions,
            is_atomic: false,
            is_dry_run: dry_run,
        };
        let before = self.ids.clone();
        let heard = self.send(1, vec![bulk]).remove(0).expect("a reply");
        let answers = asked.iter().zip(heard.lines());
        let answers = answers
            .map(|(asked, heard)| self.learn(asked, Some(heard.to_owned())))
            .collect();
        if dry_run {
            self.ids = before;
        }
        answers
    }

    /// The steps as actions, if all of them are actions and none names what another one makes.
    fn bulk(&self, asked: &[Instruction]) -> Option<Vec<Action>> {
        let actions = asked.iter().map(|asked| {
            let knows = names(asked).iter().all(|id| self.ids.knows(*id));
            self.action(asked).filter(|_| knows)
        });
        actions.collect()
    }

    /// The bodies of the replies, in order.
    fn send(&self, lane: usize, commands: Vec<Ask>) -> Vec<Option<String>> {
        let envelopes = commands.into_iter();
        let envelopes = envelopes.map(|command| self.envelope(command)).collect();
        let heard = self.submit(lane, envelopes).into_iter();
        let text = |answer| match answer {
            Ok(Some(Heard::Replied { reply, .. })) => {
                Some(String::from_utf8(reply.body).expect("text"))
            }
            Ok(None) => None,
            other => panic!("{other:?}"),
        };
        heard.map(text).collect()
    }

    /// Submits the commands, and returns the answer to each, in order.
    fn submit(
        &self,
        lane: usize,
        envelopes: Vec<Envelope>,
    ) -> Vec<Result<Option<Heard>, LaneError>> {
        self.runtime.block_on(async {
            let sent: Vec<_> = envelopes
                .into_iter()
                .map(|envelope| {
                    let engine = self.engines[lane].clone();
                    tokio::spawn(envelope.send(engine))
                })
                .collect();
            let mut heard = Vec::new();
            for answer in sent {
                heard.push(answer.await.expect("it ends"));
            }
            heard
        })
    }

    fn envelope(&self, ask: Ask) -> Envelope {
        Envelope {
            tenant: self.tenant.clone(),
            ask,
            claim: None,
        }
    }

    /// The answer in the model's words; the id that was made is known from now on.
    fn learn(&mut self, asked: &Instruction, heard: Option<String>) -> String {
        let (id, said) = match heard {
            Some(heard) => {
                let (id, said) = heard.split_once(' ').expect("an id, and what is said");
                (id.parse::<u128>().expect("a number"), said.to_owned())
            }
            None => match self.latest().expect("readable") {
                Some(moved) => (
                    u128::from_be_bytes(moved.id.bytes()),
                    format!("{:?}", Answer::Moved(Box::new(moved))),
                ),
                None => return NOT_EXPIRED.to_owned(),
            },
        };
        if let (Some(modelled), true) = (made(asked), id > 0) {
            self.ids.put(modelled, id.to_be_bytes());
        }
        self.ids.to_model(&said)
    }

    /// The transaction that is not known yet, if there is one.
    fn latest(&self) -> Result<Option<Moved>, Error> {
        self.store.read(|connection| {
            let mut pages = check::transactions(self.tenant.id);
            while let Some((id, _)) = pages.next(connection)? {
                if !self.ids.modelled.contains_key(&id.bytes()) {
                    let posted = ledger::posted(connection, self.tenant.id, &[id])?;
                    return Ok(posted.into_iter().next().map(Moved::from));
                }
            }
            Ok(None)
        })
    }

    fn command(&self, asked: &Instruction) -> Result<Ask, Refusal> {
        if let Some(action) = self.action(asked) {
            let is_dry_run = false;
            return Ok(Ask::Transact { action, is_dry_run });
        }
        Ok(match asked {
            Instruction::Open(_, opening, _) => Ask::Open(new_account(opening)?),
            Instruction::Change(id, change) => Ask::Change(ChangeAccount {
                id: self.account(*id),
                change: match change {
                    Change::Freeze => AccountChange::Freeze,
                    Change::Unfreeze => AccountChange::Unfreeze,
                    Change::Close => AccountChange::Close,
                    Change::Limits(bounds) => AccountChange::SetLimits(limits(*bounds)?),
                    Change::Metadata(metadata) => AccountChange::SetMetadata(metadata.clone()),
                },
            }),
            Instruction::ClosePeriod { before, .. } => {
                Ask::ClosePeriod(ClosePeriod { before: *before })
            }
            Instruction::Expire(new) => Ask::Expire(Expire {
                pending: vec![self.transaction(new.pending)],
            }),
            Instruction::Post(_)
            | Instruction::Fulfil(_)
            | Instruction::Void(_)
            | Instruction::Reverse(_)
            | Instruction::Exchange(_) => unreachable!("it is an action"),
        })
    }

    fn action(&self, asked: &Instruction) -> Option<Action> {
        match asked {
            Instruction::Post(new) => {
                let posting = |posting: &Posting| Posting {
                    debit: self.account(posting.debit),
                    credit: self.account(posting.credit),
                    ..*posting
                };
                Some(Action::Post(Draft {
                    kind: new.kind,
                    postings: new.postings.iter().map(posting).collect(),
                    pending: new.pending.map(|pending| match pending.expires_at {
                        Some(moment) => Expiry::At(moment),
                        None => Expiry::Never,
                    }),
                    conditions: self.conditions(&new.conditions),
                    details: Details {
                        external_id: new.external_id.clone().map(ledger::ExternalId::trusted),
                        description: None,
                        metadata: new.metadata.clone(),
                        effective_at: Some(new.effective_at),
                    },
                }))
            }
            Instruction::Exchange(new) => Some(Action::Exchange(Swap {
                from: self.account(new.from),
                to: self.account(new.to),
                sold_to: self.account(new.sold_to),
                bought_from: self.account(new.bought_from),
                amount: new.amount,
                given: new.given,
                quote: new.quote.clone(),
                conditions: self.conditions(&new.conditions),
                details: saying(&new.heading),
            })),
            Instruction::Fulfil(new) => Some(Action::Fulfil {
                pending: self.transaction(new.pending),
                amounts: new.amounts.clone(),
                last: new.last,
                exceed: new.exceed,
                conditions: Vec::new(),
                details: saying(&new.heading),
            }),
            Instruction::Void(new) => Some(Action::Void {
                pending: self.transaction(new.pending),
                conditions: Vec::new(),
                details: saying(&new.heading),
            }),
            Instruction::Reverse(new) => Some(Action::Reverse {
                of: self.transaction(new.of),
                amounts: new.amounts.clone(),
                conditions: Vec::new(),
                details: saying(&new.heading),
            }),
            Instruction::Open(..)
            | Instruction::Expire(_)
            | Instruction::Change(..)
            | Instruction::ClosePeriod { .. } => None,
        }
    }

    fn account(&self, id: AccountId) -> AccountId {
        AccountId::from_bytes(self.ids.real(id.bytes()))
    }

    fn conditions(&self, conditions: &[Condition]) -> Vec<Condition> {
        let of = |condition: &Condition| Condition {
            account: self.account(condition.account),
            ..*condition
        };
        conditions.iter().map(of).collect()
    }

    fn transaction(&self, id: TransactionId) -> TransactionId {
        TransactionId::from_bytes(self.ids.real(id.bytes()))
    }
}
