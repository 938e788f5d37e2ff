//! The state machine: random commands become requests, first to the reference and then to every database.

use ledger::{
    AccountId, Amounts, Condition, Demand, Heading, Kind, Leg, NewExchange, NewFulfilment,
    NewRelease, NewReversal, NewTransaction, Part, Pending, Posting, Quote, Rate, TransactionId,
};
use money::{Amount, Currency, MinorUnits};
use proptest::prelude::*;
use proptest_state_machine::ReferenceStateMachine;
use store::Timestamp;

use crate::commands::{
    self, Command, Draft, Extent, Line, Much, Next, Place, Said, Share, Target, Trade, Who, Wish,
};
use crate::reference::{Reference, WITHOUT_KUNA};
use crate::words::{Act, Answer, Instruction, Opening, Request};

/// The state of the books, the names that exist, and the last event.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    reference: Reference,
    pub(crate) names: Names,
    /// The requests that were sent with a key.
    pub(crate) sent: Vec<Request>,
    now: i64,
    last_id: u128,
    pub(crate) act: Act,
    pub(crate) answers: Vec<Answer>,
}

/// The names that can be chosen. A crash forgets the latest.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    accounts: Vec<(AccountId, Currency)>,
    codes: Vec<String>,
    transactions: Vec<TransactionId>,
    external: Vec<String>,
}

impl Model {
    pub(crate) fn begin() -> Self {
        // Some commands happen before the end of a currency, some after it.
        let now = WITHOUT_KUNA - 6;
        Self {
            reference: Reference::default(),
            names: Names::default(),
            sent: Vec::new(),
            now,
            last_id: 0,
            act: Act::Wait,
            answers: Vec::new(),
        }
    }

    /// Executes the next event.
    pub(crate) fn go(&mut self, next: &Next) {
        match next {
            Next::Batch {
                commands,
                locks,
                crashes,
            } => self.batch(commands, *locks, *crashes),
            Next::Race(first, second) => self.race(first, second),
            Next::Requests {
                sent,
                lane,
                crashes,
            } => self.send(sent, *lane, *crashes),
            Next::Tick(micros) => {
                self.now += micros;
                self.perform(Act::Wait);
            }
            Next::Restart => self.perform(Act::Restart),
            Next::Look => self.perform(Act::Look(self.moment(0))),
        }
    }

    fn batch(&mut self, commands: &[Command], locks: bool, crashes: bool) {
        let names = self.names.clone();
        let asked = self.ask_all(commands);
        if crashes {
            self.names = names;
        }
        self.perform(Act::Batch {
            asked,
            locks,
            crashes,
        });
    }

    /// Both batches are requested on the books as they are now.
    fn race(&mut self, first: &[Command], second: &[Command]) {
        let first = self.ask_all(first);
        let second = self.ask_all(second);
        self.perform(Act::Race { first, second });
    }

    /// A command may be about something that the previous command makes. So a copy of the reference executes the
    /// commands too, and only the names that it makes are kept.
    fn ask_all(&mut self, commands: &[Command]) -> Vec<Instruction> {
        let reference = self.reference.clone();
        let mut asked = Vec::with_capacity(commands.len());
        for command in commands {
            let one = self.ask(command);
            let answer = self.reference.decide(&one);
            self.names.learn(&answer);
            asked.push(one);
        }
        self.reference = reference;
        asked
    }

    pub(crate) fn perform(&mut self, act: Act) {
        self.answers = self.reference.perform(&act);
        self.act = act;
    }

    pub(crate) fn ask(&mut self, command: &Command) -> Instruction {
        match command {
            Command::Open(class, bounds, odd) => {
                let id = AccountId::from_bytes(self.fresh_id());
                let taken = odd
                    .taken
                    .and_then(|number| chosen(&self.names.codes, number));
                let code = taken.unwrap_or_else(|| format!("a:{}", self.last_id));
                self.names.codes.push(code.clone());
                let opening = Opening {
                    code,
                    currency: currency(odd.currency),
                    class: *class,
                    bounds: *bounds,
                };
                Instruction::Open(id, opening, self.moment(0))
            }
            Command::Post(draft) => Instruction::Post(self.draft(draft)),
            Command::Fulfil(of, shares, manner, said) => {
                let pending = self.target(*of, &self.reference.promises());
                Instruction::Fulfil(NewFulfilment {
                    heading: self.heading(said),
                    pending,
                    amounts: self.parts(pending, shares.as_deref()),
                    last: manner.last,
                    exceed: manner.exceed,
                    conditions: Vec::new(),
                })
            }
            Command::Void(of, said) => Instruction::Void(self.release(*of, said)),
            Command::Expire(of) => Instruction::Expire(self.release(*of, &Said::NOTHING)),
            Command::Reverse(of, extent, said) => {
                let fitting = match extent {
                    Extent::Of(_) => self.reference.standing_transactions(),
                    Extent::OfLeg { .. } => self.reference.standing_exchanges(),
                };
                let of = self.target(*of, &fitting);
                Instruction::Reverse(NewReversal {
                    heading: self.heading(said),
                    of,
                    amounts: self.extent(of, extent),
                    conditions: Vec::new(),
                })
            }
            Command::Exchange(trade) => Instruction::Exchange(self.trade(trade)),
            Command::Change(who, change) => {
                Instruction::Change(self.account(*who).0, change.clone())
            }
            Command::ClosePeriod(ago) => Instruction::ClosePeriod {
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
            beyond_limits: false,
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
        let (credit, _) = if line.stranger {
            self.account(line.credit)
        } else {
            self.account_but(line.credit, |(id, currency)| {
                *id != debit && *currency == held
            })
        };
        let currency = if line.foreign { currency("JPY") } else { held };
        Posting {
            debit,
            credit,
            amount: Amount::new(line.amount).expect("positive"),
            currency,
        }
    }

    fn trade(&mut self, trade: &Trade) -> NewExchange {
        type Known = (AccountId, Currency);
        let is_strange = |place| trade.stranger == Some(place);
        let choose = |place: usize, wanted: &dyn Fn(&Known) -> bool| {
            self.account_but(trade.accounts[place], |known| {
                is_strange(place) || wanted(known)
            })
        };
        let partner = |place, (own, held): Known| {
            choose(place, &|(id, currency)| *id != own && *currency == held)
        };
        let from = choose(0, &|_| true);
        let sold_to = partner(1, from);
        let to = choose(2, &|(id, currency)| {
            *currency != from.1 && self.reference.grow_alike(*id, from.0)
        });
        let bought_from = partner(3, to);
        let amount = Amount::new(trade.amount).expect("positive");
        let legs = [(from, sold_to), (bought_from, to)];
        let legs = legs.map(|((debit, currency), (credit, _))| Posting {
            debit,
            credit,
            amount,
            currency,
        });
        let conditions = trade.wishes.iter();
        let conditions = conditions.map(|(place, wish)| self.condition(*place, *wish, &legs));
        let conditions = conditions.collect();
        let mut heading = self.heading(&trade.said);
        heading.kind = Kind::Exchange;
        NewExchange {
            from: from.0,
            to: to.0,
            sold_to: sold_to.0,
            bought_from: bought_from.0,
            amount,
            given: if trade.is_bought {
                Leg::Bought
            } else {
                Leg::Sold
            },
            quote: Quote {
                rate: Rate::parse(trade.rate).expect("a rate"),
                rounding: trade.rounding,
                source: ledger::RateSource::trusted("the model"),
                quoted_at: heading.effective_at,
            },
            conditions,
            heading,
        }
    }

    fn condition(&self, place: Place, wish: Wish, postings: &[Posting]) -> Condition {
        let named = match place {
            Place::Debited(number) => chosen(postings, number).map(|posting| posting.debit),
            Place::Credited(number) => chosen(postings, number).map(|posting| posting.credit),
            Place::Any(who) => Some(self.account(who).0),
        };
        let account = named.unwrap_or_else(|| AccountId::from_bytes([0; 16]));
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
            conditions: Vec::new(),
        }
    }

    fn extent(&self, of: TransactionId, extent: &Extent) -> Amounts {
        match extent {
            Extent::Of(shares) => self.parts(of, shares.as_deref()).into(),
            Extent::OfLeg { is_bought, much } => {
                let leg = if *is_bought { Leg::Bought } else { Leg::Sold };
                Amounts::OfLeg(leg, self.amount(of, leg.ordinal(), *much))
            }
        }
    }

    fn amount(&self, of: TransactionId, ordinal: i16, much: Much) -> Amount {
        let amount = match much {
            Much::Some(amount) => amount,
            Much::Remaining(more) => {
                let remaining = self.reference.remainder(of, ordinal).unwrap_or(1);
                remaining.saturating_add(more)
            }
        };
        Amount::new(amount.max(1)).expect("positive")
    }

    fn parts(&self, of: TransactionId, shares: Option<&[Share]>) -> Option<Vec<Part>> {
        const ODD: [i16; 5] = [0, 1, 2, 3, 100];
        let mut parts: Vec<Part> = Vec::new();
        for share in shares? {
            let there = self.reference.ordinals(of);
            let among = if share.odd { &ODD[..] } else { &there };
            let ordinal = chosen(among, share.posting).unwrap_or(0);
            if !share.odd && parts.iter().any(|(named, _)| *named == ordinal) {
                continue;
            }
            parts.push((ordinal, self.amount(of, ordinal, share.much)));
        }
        Some(parts)
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
        // Both a name that is taken and a free one may be tried again.
        self.names.external.extend(heading.external_id.clone());
        heading
    }

    fn account(&self, who: Who) -> (AccountId, Currency) {
        self.account_but(who, |_| true)
    }

    /// One of the accounts that are wanted.
    fn account_but(
        &self,
        who: Who,
        wanted: impl Fn(&(AccountId, Currency)) -> bool,
    ) -> (AccountId, Currency) {
        let mut among = self.names.accounts.clone();
        among.retain(wanted);
        let found = match who {
            Who::Open(number) => {
                let mut open = among.clone();
                open.retain(|(id, _)| self.reference.is_open(*id));
                chosen(&open, number).or_else(|| chosen(&among, number))
            }
            Who::Any(number) => chosen(&among, number),
            Who::Nobody => None,
        };
        found.unwrap_or_else(|| (AccountId::from_bytes([0; 16]), currency("EUR")))
    }

    fn target(&self, target: Target, fitting: &[TransactionId]) -> TransactionId {
        let found = match target {
            Target::Fitting(number) if !fitting.is_empty() => chosen(fitting, number),
            Target::Fitting(number) | Target::Any(number) => {
                chosen(&self.names.transactions, number)
            }
            Target::Nobody => None,
        };
        found.unwrap_or_else(|| TransactionId::from_bytes([0; 16]))
    }

    fn fresh_id(&mut self) -> [u8; 16] {
        self.fresh_number().to_be_bytes()
    }

    pub(crate) fn fresh_number(&mut self) -> u128 {
        self.last_id += 1;
        self.last_id
    }

    /// True if there are so few accounts that little can be moved.
    pub(crate) fn has_few_accounts(&self) -> bool {
        self.names.accounts.len() < 5
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.moment(0)
    }

    /// The moment `ago` before now.
    fn moment(&self, ago: i64) -> Timestamp {
        Timestamp::from_micros(self.now - ago)
    }
}

impl Names {
    pub(crate) fn learn(&mut self, answer: &Answer) {
        match answer {
            Answer::Stands(standing) => {
                let account = &standing.account;
                if self.accounts.iter().all(|(id, _)| *id != account.id) {
                    self.accounts.push((account.id, account.currency));
                }
            }
            Answer::Moved(moved) => {
                if !self.transactions.contains(&moved.id) {
                    self.transactions.push(moved.id);
                }
            }
            Answer::PeriodClosed
            | Answer::Refused(_)
            | Answer::RefusedAt(..)
            | Answer::Reply { .. }
            | Answer::KeyReused
            | Answer::Seen(_) => {}
        }
    }
}

pub(crate) fn chosen<T: Clone>(among: &[T], number: usize) -> Option<T> {
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
        if state.has_few_accounts() {
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
