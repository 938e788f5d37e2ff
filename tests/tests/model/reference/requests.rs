//! Requests: a request with a key has one effect, and one answer however often it is sent.

use ledger::AccountId;

use super::{Books, Reference};
use crate::bugs::Bug;
use crate::words::{Answer, Change, Form, Instruction, Refusal, Request, limits};

/// Rules that a request breaks by its content alone, independent of the books. It may be corrected and sent again
/// with the same key.
const MISTAKES: [&str; 21] = [
    "no_postings",
    "too_many_postings",
    "same_account",
    "condition_elsewhere",
    "expires_too_soon",
    "effective_in_the_future",
    "account_not_found",
    "currency_mismatch",
    "no_amounts",
    "posting_named_twice",
    "transaction_not_found",
    "posting_not_found",
    "same_currency",
    "sides_differ",
    "amount_too_small",
    "not_an_exchange",
    "leg_alone",
    "not_in_proportion",
    "amount_too_large",
    "in_the_future",
    "limits",
];

/// A request that was answered.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    body: u128,
    answers: Vec<Answer>,
}

impl Reference {
    /// Executes requests that arrive together. A crash gives no answers and leaves nothing.
    pub(super) fn receive(&mut self, requests: &[Request], crashes: bool) -> Vec<Answer> {
        let before = (self.books.clone(), self.keys.clone());
        let answers = requests
            .iter()
            .map(|request| self.request(request))
            .collect();
        if !crashes {
            return answers;
        }
        if !self.is(Bug::CrashKeepsEffects) {
            self.books = before.0;
        }
        if !self.is(Bug::CrashKeepsKeys) {
            self.keys = before.1;
        }
        self.restart();
        Vec::new()
    }

    fn request(&mut self, request: &Request) -> Answer {
        if let Some(rule) = misread(request) {
            return first(vec![Answer::Refused(rule)]);
        }
        let is_blind = request.dry_run && self.is(Bug::DryRunsLookAtNoKey);
        if let (Some(claim), false) = (&request.claim, is_blind)
            && let Some(kept) = self.keys.get(&claim.key)
        {
            if kept.body != claim.body && !self.is(Bug::AnyBodyIsTheSame) {
                return Answer::KeyReused;
            }
            let answers = kept.answers.iter().map(|answer| self.once_more(answer));
            return Answer::Reply {
                again: true,
                answers: answers.collect(),
            };
        }
        let before = self.books.clone();
        let answers = match &request.form {
            Form::One(asked) => vec![self.decide(asked)],
            Form::Many(asked, true) => self.all_or_none(asked),
            Form::Many(asked, false) => self.one_after_the_other(asked),
        };
        if request.dry_run {
            self.take_back_trial(before);
        }
        let is_kept = self.is_kept(request, &answers);
        if let (Some(claim), true) = (&request.claim, is_kept) {
            let (body, answers) = (claim.body, answers.clone());
            self.keys.insert(claim.key.clone(), Kept { body, answers });
        }
        first(answers)
    }

    fn is_kept(&self, request: &Request, answers: &[Answer]) -> bool {
        if self.is(Bug::KeysAreNotKept) || (request.dry_run && !self.is(Bug::DryRunsKeepKeys)) {
            return false;
        }
        let refused = match (answers, &request.form) {
            ([Answer::Refused(rule)], Form::One(_)) => Some(rule.code()),
            ([Answer::RefusedAt(_, code)], _) => Some(*code),
            (_, Form::One(_) | Form::Many(..)) => None,
        };
        match refused {
            Some(code) if MISTAKES.contains(&code) => self.is(Bug::MistakesAreKept),
            Some(_) => !self.is(Bug::RefusalsAreNotKept),
            None => true,
        }
    }

    /// The reply that was given before, whatever has changed since.
    fn once_more(&self, answer: &Answer) -> Answer {
        if let (Answer::Stands(then), true) = (answer, self.is(Bug::ToldAsItIsNow)) {
            let id: AccountId = then.account.id;
            return Answer::Stands(Box::new(self.standing(id)));
        }
        answer.clone()
    }

    fn all_or_none(&mut self, asked: &[Instruction]) -> Vec<Answer> {
        let before = self.books.clone();
        let mut answers = self.one_after_the_other(asked);
        let is_refusal = |answer: &Answer| matches!(answer, Answer::Refused(_));
        let refused = if self.is(Bug::LastRefusalIsNamed) {
            answers.iter().rposition(is_refusal)
        } else {
            answers.iter().position(is_refusal)
        };
        let Some(place) = refused else {
            return answers;
        };
        let names = self.books.names.clone();
        if !self.is(Bug::AllIsSome) {
            self.books = before;
        }
        if self.is(Bug::NoneKeepsNames) {
            self.books.names = names;
        }
        let Answer::Refused(rule) = answers.swap_remove(place) else {
            unreachable!("it is a refusal");
        };
        vec![Answer::RefusedAt(place, rule.code())]
    }

    fn one_after_the_other(&mut self, asked: &[Instruction]) -> Vec<Answer> {
        let mut stale = self.clone();
        let mut answers = Vec::with_capacity(asked.len());
        for asked in asked {
            let answer = self.decide(asked);
            let is_over = matches!(answer, Answer::Refused(_)) && self.is(Bug::OneStopsTheRest);
            answers.push(if self.is(Bug::EachIsBlind) {
                let stale: &mut Reference = &mut stale.clone();
                stale.decide(asked)
            } else {
                answer
            });
            if is_over {
                break;
            }
        }
        if self.is(Bug::ManyAreOne) && answers.iter().any(|a| matches!(a, Answer::Refused(_))) {
            std::mem::swap(self, &mut stale);
        }
        answers
    }

    fn take_back_trial(&mut self, before: Books) {
        let after = std::mem::replace(&mut self.books, before);
        if self.is(Bug::DryRunsAreReal) {
            self.books = after;
        } else if self.is(Bug::DryRunsKeepNames) {
            self.books.names = after.names;
        } else if self.is(Bug::DryRunsNumberEntries) {
            for (id, purse) in &mut self.books.accounts {
                purse.version = after.accounts[id].version;
            }
        }
    }
}

fn first(answers: Vec<Answer>) -> Answer {
    Answer::Reply {
        again: false,
        answers,
    }
}

/// Limits that are not valid are refused before the books are asked.
fn misread(request: &Request) -> Option<Refusal> {
    let Form::One(asked) = &request.form else {
        return None;
    };
    let bounds = if let Instruction::Open(_, opening, _) = &**asked {
        opening.bounds
    } else if let Instruction::Change(_, Change::Limits(bounds)) = &**asked {
        *bounds
    } else {
        return None;
    };
    limits(bounds).err().map(Refusal::from)
}
