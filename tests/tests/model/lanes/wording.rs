//! The translation between a lane and the model: ids and texts of replies.

use std::collections::HashMap;

use books::transactions::{Details, Results, StepResult};
use engine::{RefusalReply, Reply, Tenant};
use ledger::{Heading, NewAccount};
use store::TenantId;

use crate::words::{Answer, Instruction, Moved, Opening, Refusal, Standing, limits};

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
pub(super) fn names(asked: &Instruction) -> Vec<[u8; 16]> {
    match asked {
        Instruction::Open(..) | Instruction::ClosePeriod { .. } => Vec::new(),
        Instruction::Post(new) => {
            let postings = new.postings.iter().flat_map(|p| [p.debit, p.credit]);
            let conditions = new.conditions.iter().map(|condition| condition.account);
            postings.chain(conditions).map(|id| id.bytes()).collect()
        }
        Instruction::Exchange(new) => {
            let accounts = [new.from, new.to, new.sold_to, new.bought_from];
            let conditions = new.conditions.iter().map(|condition| condition.account);
            let named = accounts.into_iter().chain(conditions);
            named.map(|id| id.bytes()).collect()
        }
        Instruction::Fulfil(new) => vec![new.pending.bytes()],
        Instruction::Void(new) | Instruction::Expire(new) => vec![new.pending.bytes()],
        Instruction::Reverse(new) => vec![new.of.bytes()],
        Instruction::Change(id, _) => vec![id.bytes()],
    }
}

/// The id of the row that a step makes.
pub(super) fn made(asked: &Instruction) -> Option<[u8; 16]> {
    match asked {
        Instruction::Open(id, ..) => Some(id.bytes()),
        Instruction::Post(new) => Some(new.id.bytes()),
        Instruction::Fulfil(new) => Some(new.heading.id.bytes()),
        Instruction::Void(new) | Instruction::Expire(new) => Some(new.heading.id.bytes()),
        Instruction::Reverse(new) => Some(new.heading.id.bytes()),
        Instruction::Exchange(new) => Some(new.heading.id.bytes()),
        Instruction::Change(..) | Instruction::ClosePeriod { .. } => None,
    }
}

pub(super) fn saying(heading: &Heading) -> Details {
    Details {
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

pub(super) fn tenant(number: i64) -> Tenant {
    Tenant {
        id: TenantId(number),
        name: format!("tenant {number}").into(),
    }
}

// The reply to each command has a line for each step: the id of the row that the step made, or 0, and its text.

pub(super) fn opened(account: &ledger::Account, _is_dry_run: bool) -> Reply {
    let stands = Answer::Stands(Box::new(Standing::from(account)));
    reply(line(account.id.bytes(), &stands))
}

pub(super) fn made_so(made: &StepResult, _is_dry_run: bool) -> Reply {
    reply(moved(&made.posted))
}

pub(super) fn all_made(results: &Results, _is_dry_run: bool) -> Reply {
    let lines = results.0.iter().map(|result| match result {
        Ok(posted) => moved(posted),
        Err(refusal) => refused(refusal),
    });
    reply(lines.collect::<Vec<String>>().join("\n"))
}

pub(super) fn period_closed(_before: &store::Timestamp, _is_dry_run: bool) -> Reply {
    reply(line([0; 16], &Answer::PeriodClosed))
}

pub(super) fn refused_so<C>(_command: &C, refusal: &books::Refusal) -> RefusalReply {
    let text = if let books::Refusal::At { index, refusal } = refusal {
        line([0; 16], &Answer::RefusedAt(*index, rule(refusal).code()))
    } else {
        refused(refusal)
    };
    RefusalReply {
        reply: reply(text),
        ..books::refusal_reply(refusal)
    }
}

/// Replies that were kept by reference, made again.
pub(super) fn make_again(
    connection: &mut store::AnyConnection,
    tenant: TenantId,
    references: &[String],
) -> Result<Vec<Option<Reply>>, store::Error> {
    use books::transactions::ReplaySource;
    let again = books::transactions::again(connection, tenant, references)?;
    let text = |again| match again {
        ReplaySource::One(posted, _) => reply(moved(&posted)),
        ReplaySource::Bulk(results, _) => all_made(&results, false),
    };
    Ok(again.into_iter().map(|again| again.map(text)).collect())
}

fn reply(body: String) -> Reply {
    Reply {
        status: 200,
        body: body.into_bytes(),
    }
}

fn moved(posted: &ledger::RecordedTransaction) -> String {
    let moved = Answer::Moved(Box::new(Moved::from(posted.clone())));
    line(posted.id.bytes(), &moved)
}

fn refused(refusal: &books::Refusal) -> String {
    line([0; 16], &Answer::Refused(rule(refusal)))
}

fn rule(refusal: &books::Refusal) -> Refusal {
    match refusal {
        books::Refusal::Open(rule) => Refusal::from(*rule),
        books::Refusal::Step(rule) | books::Refusal::Exchange(rule) => Refusal::from(*rule),
        books::Refusal::Change(rule) => Refusal::from(*rule),
        books::Refusal::Period(rule) => Refusal::from(*rule),
        books::Refusal::Register(_)
        | books::Refusal::Transfer { .. }
        | books::Refusal::At { .. } => unreachable!("nobody asks for these"),
    }
}

fn line(id: [u8; 16], answer: &Answer) -> String {
    format!("{} {answer:?}", u128::from_be_bytes(id))
}
