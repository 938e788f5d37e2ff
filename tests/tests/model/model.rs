//! The state machine: what is tried becomes what is asked, of the reference first and then of every
//! database.

use std::cell::RefCell;

use ledger::{
    AccountId, Condition, Demand, Heading, Kind, NewRelease, NewReversal, NewSettlement,
    NewTransaction, Part, Pending, Posting, TransactionId,
};
use money::{Amount, Currency, MinorUnits};
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};
use store::Timestamp;

use crate::books::Books;
use crate::commands::{
    self, Command, Draft, Line, Much, Next, Place, Said, Share, Target, Who, Wish,
};
use crate::reference::Reference;
use crate::words::{Act, Answer, Asked, Opening, difference};

/// How the books stand, which names there are, and what happened last.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    reference: Reference,
    names: Names,
    now: i64,
    last_id: u128,
    pub(crate) act: Act,
    pub(crate) answers: Vec<Answer>,
}

/// What can be chosen from. A crash forgets the latest.
#[derive(Debug, Clone, Default)]
struct Names {
    accounts: Vec<(AccountId, String, Currency)>,
    transactions: Vec<TransactionId>,
    external: Vec<String>,
}

impl Model {
    pub(crate) fn begin() -> Self {
        let now = 1_000;
        Self {
            reference: Reference::default(),
            names: Names::default(),
            now,
            last_id: 0,
            act: Act::Look(Timestamp::from_micros(now)),
            answers: Vec::new(),
        }
    }

    /// Lets it happen.
    pub(crate) fn go(&mut self, next: &Next) {
        match next {
            Next::Batch {
                commands,
                locks,
                crashes,
            } => self.batch(commands, *locks, *crashes),
            Next::Tick(micros) => {
                self.now += micros;
                self.act = Act::Look(self.moment(0));
                self.answers = self.reference.perform(&self.act);
            }
            Next::Restart => {
                self.act = Act::Restart;
                self.answers = self.reference.perform(&self.act);
            }
            Next::Look => {
                self.act = Act::Look(self.moment(0));
                self.answers = self.reference.perform(&self.act);
            }
        }
    }

    /// What a command is about may be what the one before it in the batch has made. So a trial run of
    /// the reference goes along, and the batch as a whole is then performed for good.
    fn batch(&mut self, commands: &[Command], locks: bool, crashes: bool) {
        let reference = self.reference.clone();
        let names = self.names.clone();
        let mut asked = Vec::with_capacity(commands.len());
        for command in commands {
            let one = self.ask(command);
            let answer = self.reference.decide(&one);
            self.names.learn(&answer);
            asked.push(one);
        }
        self.reference = reference;
        if crashes {
            self.names = names;
        }
        self.act = Act::Batch {
            asked,
            locks,
            crashes,
        };
        self.answers = self.reference.perform(&self.act);
    }

    fn ask(&mut self, command: &Command) -> Asked {
        match command {
            Command::Open(class, bounds, odd) => {
                let id = AccountId::from_bytes(self.fresh_id());
                let taken = odd
                    .taken
                    .and_then(|number| chosen(&self.names.accounts, number));
                let code = taken.map_or_else(|| format!("a:{}", self.last_id), |(_, code, _)| code);
                let opening = Opening {
                    code,
                    currency: currency(if odd.dollars { "USD" } else { "EUR" }),
                    class: *class,
                    bounds: *bounds,
                };
                Asked::Open(id, opening, self.moment(0))
            }
            Command::Post(draft) => Asked::Post(self.draft(draft)),
            Command::Settle(of, shares, last, said) => {
                let pending = self.target(*of, &self.reference.promises());
                Asked::Settle(NewSettlement {
                    heading: self.heading(said),
                    pending,
                    amounts: self.parts(pending, shares.as_deref()),
                    last: *last,
                })
            }
            Command::Void(of, said) => Asked::Void(self.release(*of, said)),
            Command::Expire(of, said) => Asked::Expire(self.release(*of, said)),
            Command::Reverse(of, shares, said) => {
                let of = self.target(*of, &self.reference.standing_transactions());
                Asked::Reverse(NewReversal {
                    heading: self.heading(said),
                    of,
                    amounts: self.parts(of, shares.as_deref()),
                })
            }
            Command::Change(who, change) => Asked::Change(self.account(*who).0, change.clone()),
            Command::ClosePeriod(ago) => Asked::ClosePeriod {
                before: self.moment(*ago),
                now: self.moment(0),
            },
        }
    }

    fn draft(&mut self, draft: &Draft) -> NewTransaction {
        let postings: Vec<Posting> = draft.lines.iter().map(|line| self.posting(*line)).collect();
        let conditions = draft.wishes.iter();
        let conditions = conditions.map(|(place, wish)| self.condition(*place, *wish, &postings));
        let conditions = conditions.collect();
        let heading = self.heading(&draft.said);
        NewTransaction {
            id: heading.id,
            kind: heading.kind,
            postings,
            pending: draft.pending.map(|life| Pending {
                expires_at: life.map(|life| self.moment(-life)),
            }),
            conditions,
            external_id: heading.external_id,
            description: None,
            metadata: heading.metadata,
            effective_at: heading.effective_at,
            recorded_at: heading.recorded_at,
        }
    }

    fn posting(&self, line: Line) -> Posting {
        let (debit, held) = self.account(line.debit);
        let further = line.debit.map(|number| number.wrapping_add(line.further));
        let (credit, _) = self.account(further);
        let currency = if line.foreign { currency("JPY") } else { held };
        Posting {
            debit,
            credit,
            amount: Amount::new(line.amount).expect("positive"),
            currency,
        }
    }

    fn condition(&self, place: Place, wish: Wish, postings: &[Posting]) -> Condition {
        let named = match place {
            Place::Debited(number) => chosen(postings, number).map(|posting| posting.debit),
            Place::Credited(number) => chosen(postings, number).map(|posting| posting.credit),
            Place::Any(_) => None,
        };
        let any = match place {
            Place::Debited(number) | Place::Credited(number) => Some(number),
            Place::Any(who) => who,
        };
        let account = named.unwrap_or_else(|| self.account(any).0);
        let stands = self.reference.version_and_available(account);
        let (version, available) = stands.unwrap_or_default();
        let demand = match wish {
            Wish::Version(further) => Demand::AtVersion(version + further),
            Wish::Available(more) => {
                Demand::AvailableAtLeast(MinorUnits::new(available.saturating_add(more)))
            }
        };
        Condition { account, demand }
    }

    fn release(&mut self, of: Target, said: &Said) -> NewRelease {
        let pending = self.target(of, &self.reference.promises());
        NewRelease {
            heading: self.heading(said),
            pending,
        }
    }

    fn parts(&self, of: TransactionId, shares: Option<&[Share]>) -> Option<Vec<Part>> {
        let part = |share: &Share| {
            let remaining = || self.reference.remainder(of, share.ordinal).unwrap_or(1);
            let amount = match share.much {
                Much::Some(amount) => amount,
                Much::Remaining(more) => remaining().saturating_add(more),
            };
            let amount = Amount::new(amount.max(1)).expect("positive");
            (share.ordinal, amount)
        };
        shares.map(|shares| shares.iter().map(part).collect())
    }

    fn heading(&mut self, said: &Said) -> Heading {
        let id = TransactionId::from_bytes(self.fresh_id());
        let kind = Kind::parse("model").expect("a good name");
        let mut heading = Heading::plain(id, kind, self.moment(0));
        heading.effective_at = self.moment(said.ago);
        heading.metadata.clone_from(&said.metadata);
        heading.external_id = said.name.map(|taken| {
            let taken = taken.and_then(|number| chosen(&self.names.external, number));
            taken.unwrap_or_else(|| format!("name {}", self.last_id))
        });
        heading
    }

    fn account(&self, who: Who) -> (AccountId, Currency) {
        let found = who.and_then(|number| chosen(&self.names.accounts, number));
        found.map_or_else(
            || (AccountId::from_bytes([0; 16]), currency("EUR")),
            |(id, _, currency)| (id, currency),
        )
    }

    fn target(&self, target: Target, fitting: &[TransactionId]) -> TransactionId {
        let found = match target {
            Target::Fitting(number) => chosen(fitting, number),
            Target::Any(number) => chosen(&self.names.transactions, number),
            Target::Nobody => None,
        };
        found.unwrap_or_else(|| TransactionId::from_bytes([0; 16]))
    }

    fn fresh_id(&mut self) -> [u8; 16] {
        self.last_id += 1;
        self.last_id.to_be_bytes()
    }

    /// So long ago.
    fn moment(&self, ago: i64) -> Timestamp {
        Timestamp::from_micros(self.now - ago)
    }
}

impl Names {
    fn learn(&mut self, answer: &Answer) {
        match answer {
            Answer::Stands(standing) => {
                let account = &standing.account;
                if self.accounts.iter().all(|(id, ..)| *id != account.id) {
                    let known = (account.id, account.code.clone(), account.currency);
                    self.accounts.push(known);
                }
            }
            Answer::Moved(moved) => {
                self.transactions.push(moved.id);
                self.external.extend(moved.external_id.clone());
            }
            Answer::PeriodClosed | Answer::Refused(_) | Answer::Seen(_) => {}
        }
    }
}

fn chosen<T: Clone>(among: &[T], number: usize) -> Option<T> {
    let place = number.checked_rem(among.len())?;
    among.get(place).cloned()
}

fn currency(code: &str) -> Currency {
    Currency::from_code(code).expect("known")
}

impl ReferenceStateMachine for Model {
    type State = Self;
    type Transition = Next;

    fn init_state() -> BoxedStrategy<Self> {
        Just(Self::begin()).boxed()
    }

    fn transitions(state: &Self) -> BoxedStrategy<Next> {
        // Fewer than these have little to move.
        if state.names.accounts.len() < 4 {
            commands::first()
        } else {
            commands::next()
        }
    }

    fn apply(mut state: Self, next: &Next) -> Self {
        state.go(next);
        state
    }
}

thread_local! {
    /// The databases of the test that runs here.
    static DATABASES: RefCell<Vec<Books>> = const { RefCell::new(Vec::new()) };
}

/// The real ledger on each database at once.
pub(crate) struct Real;

impl Real {
    /// Runs a test with these databases, and takes them away afterwards.
    pub(crate) fn on(databases: Vec<Books>, test: impl FnOnce()) {
        DATABASES.set(databases);
        test();
        drop(DATABASES.take());
    }
}

impl StateMachineTest for Real {
    type SystemUnderTest = ();
    type Reference = Model;

    fn init_test(_model: &Model) {
        DATABASES.with_borrow_mut(|databases| databases.iter_mut().for_each(Books::begin));
    }

    fn apply((): (), model: &Model, _next: Next) {
        DATABASES.with_borrow_mut(|databases| {
            for books in databases {
                let answers = books.perform(&model.act);
                let kind = books.kind();
                if let Some(difference) = difference(&answers, &model.answers) {
                    panic!("{kind:?}: {difference}\nafter {:?}", model.act);
                }
            }
        });
    }

    fn teardown((): (), mut model: Model) {
        model.go(&Next::Restart);
        Self::apply((), &model, Next::Restart);
        model.go(&Next::Look);
        Self::apply((), &model, Next::Look);
        DATABASES.with_borrow_mut(|databases| databases.iter_mut().for_each(Books::check));
    }
}
