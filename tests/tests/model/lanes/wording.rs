//! The translation between a lane and the model: ids and texts of replies.

use std::collections::HashMap;

use engine::access::Tenant;
use engine::{Rendered, Reply, Saying};
use ledger::{Heading, NewAccount};
use store::TenantId;

use crate::words::{Answer, Asked, Moved, Opening, Refusal, Standing, limits};

/// The real id for the model's id, and the reverse.
#[derive(Clone, Default)]
pub(super) struct Translation {
    real: HashMap<[u8; 16], [u8; 16]>,
    pub(super) modelled: HashMap<[u8; 16], [u8; 16]>,
}

impl Translation {
    pub(super) fn put(&mut self, modelled: [u8; 16], real: [u8; 16]) {
        self.real.insert(modelled, real);
        self.modelled.insert(real, modelled);
    }

    pub(super) fn knows(&self, modelled: [u8; 16]) -> bool {
        // No row has the least of all ids, so a request for it gets no row.
        modelled == [0; 16] || self.real.contains_key(&modelled)
    }

    pub(super) fn real(&self, modelled: [u8; 16]) -> [u8; 16] {
        self.real.get(&modelled).copied().unwrap_or(modelled)
    }

    /// The text with the model's ids.
    pub(super) fn to_model(&self, text: &str) -> String {
        const DIGITS: usize = 32;
        let mut said = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = ["acc_", "txn_"]
            .iter()
            .filter_map(|mark| rest.find(mark))
            .min()
        {
            let (before, id) = rest.split_at(at + 4);
            let (digits, after) = id.split_at(DIGITS);
            let real = u128::from_str_radix(digits, 16)
                .expect("an id")
                .to_be_bytes();
            let modelled = self.modelled.get(&real).unwrap_or(&real);
            said.push_str(before);
            said.push_str(&format!("{:032x}", u128::from_be_bytes(*modelled)));
            rest = after;
        }
        said.push_str(rest);
        said
    }
}

/// The ids that a step names.
pub(super) fn names(asked: &Asked) -> Vec<[u8; 16]> {
    match asked {
        Asked::Open(..) | Asked::ClosePeriod { .. } => Vec::new(),
        Asked::Post(new) => {
            let postings = new.postings.iter().flat_map(|p| [p.debit, p.credit]);
            let conditions = new.conditions.iter().map(|condition| condition.account);
            postings.chain(conditions).map(|id| id.bytes()).collect()
        }
        Asked::Exchange(new) => {
            let accounts = [new.from, new.to, new.sold_to, new.bought_from];
            let conditions = new.conditions.iter().map(|condition| condition.account);
            let named = accounts.into_iter().chain(conditions);
            named.map(|id| id.bytes()).collect()
        }
        Asked::Settle(new) => vec![new.pending.bytes()],
        Asked::Void(new) | Asked::Expire(new) => vec![new.pending.bytes()],
        Asked::Reverse(new) => vec![new.of.bytes()],
        Asked::Change(id, _) => vec![id.bytes()],
    }
}

/// The id of the row that a step makes.
pub(super) fn made(asked: &Asked) -> Option<[u8; 16]> {
    match asked {
        Asked::Open(id, ..) => Some(id.bytes()),
        Asked::Post(new) => Some(new.id.bytes()),
        Asked::Settle(new) => Some(new.heading.id.bytes()),
        Asked::Void(new) | Asked::Expire(new) => Some(new.heading.id.bytes()),
        Asked::Reverse(new) => Some(new.heading.id.bytes()),
        Asked::Exchange(new) => Some(new.heading.id.bytes()),
        Asked::Change(..) | Asked::ClosePeriod { .. } => None,
    }
}

pub(super) fn saying(heading: &Heading) -> Saying {
    Saying {
        external_id: heading.external_id.clone().map(ledger::ExternalId::trusted),
        description: None,
        metadata: heading.metadata.clone(),
        effective_at: Some(heading.effective_at),
    }
}

pub(super) fn new_account(opening: &Opening) -> Result<NewAccount, Refusal> {
    Ok(NewAccount {
        code: ledger::AccountCode::trusted(opening.code.as_str()),
        name: ledger::AccountName::trusted(opening.code.as_str()),
        currency: opening.currency,
        class: opening.class,
        limits: limits(opening.bounds)?,
        metadata: None,
    })
}

pub(super) fn tenant(number: i32) -> Tenant {
    Tenant {
        id: TenantId(number),
        name: format!("tenant {number}").into(),
    }
}

/// A line for each step: the number of the row that it made, or 0, and its text.
pub(super) fn render(rendered: Rendered<'_>) -> Reply {
    let stands = |account: &ledger::Account| Answer::Stands(Box::new(Standing::from(account)));
    let body = match rendered {
        Rendered::Account(account) => line(account.id.bytes(), &stands(account)),
        Rendered::Changed(account) => line(account.id.bytes(), &stands(account)),
        Rendered::Transfer(posted, _)
        | Rendered::Transaction(posted, _)
        | Rendered::WouldPost(posted)
        | Rendered::Exchanged { posted, .. } => moved(posted),
        Rendered::Bulk { results, .. } => {
            let results = results.iter().map(|result| match result {
                Ok(posted) => moved(posted),
                Err(refusal) => refused(refusal),
            });
            results.collect::<Vec<String>>().join("\n")
        }
        Rendered::Refused(engine::Refusal::At { index, refusal }) => {
            line([0; 16], &Answer::RefusedAt(*index, rule(refusal).code()))
        }
        Rendered::PeriodClosed(_) => line([0; 16], &Answer::PeriodClosed),
        Rendered::Refused(refusal) => refused(refusal),
        Rendered::Asset(_)
        | Rendered::Payment(_)
        | Rendered::Imported(_)
        | Rendered::Described(_) => {
            unreachable!("nobody asks for these")
        }
    };
    Reply {
        status: 200,
        body: body.into_bytes(),
    }
}

fn moved(posted: &ledger::Posted) -> String {
    let moved = Answer::Moved(Box::new(Moved::from(posted.clone())));
    line(posted.id.bytes(), &moved)
}

fn refused(refusal: &engine::Refusal) -> String {
    line([0; 16], &Answer::Refused(rule(refusal)))
}

fn rule(refusal: &engine::Refusal) -> Refusal {
    match refusal {
        engine::Refusal::Open(rule) => Refusal::from(*rule),
        engine::Refusal::Post(rule) => Refusal::from(*rule),
        engine::Refusal::Settle(rule) => Refusal::from(*rule),
        engine::Refusal::Release(rule) => Refusal::from(*rule),
        engine::Refusal::Reverse(rule) => Refusal::from(*rule),
        engine::Refusal::Exchange(rule) => Refusal::from(*rule),
        engine::Refusal::Change(rule) => Refusal::from(*rule),
        engine::Refusal::Period(rule) => Refusal::from(*rule),
        engine::Refusal::Register(_)
        | engine::Refusal::Transfer { .. }
        | engine::Refusal::Confirm(_)
        | engine::Refusal::Describe(_)
        | engine::Refusal::At { .. } => unreachable!("nobody asks for these"),
    }
}

fn line(id: [u8; 16], answer: &Answer) -> String {
    format!("{} {answer:?}", u128::from_be_bytes(id))
}
