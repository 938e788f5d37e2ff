//! The commands that a block submits to the lane: a transfer, a transaction in two steps, a transaction with
//! ten postings; and the body of a request with a thousand transactions.

use books::transactions::{Action, Details, Draft, Expiry, Transact};
use books::transfers::Transfer;
use engine::{Command, Origin, Request, Show, ShowRefusal};
use idempotency::{Claim, Fingerprint, Key};
use ledger::{AccountId, Kind, Posting, RecordedTransaction};

use super::shape::{BULK, Chance, Shape};
use super::stage::{Stage, created};

/// Number of postings of [`Shape::TenPostings`].
const POSTINGS: u64 = 10;
const NOBODY: &str = "there are no accounts";

/// Submits one unit of the shape, and waits for it.
pub(super) async fn submit(stage: &Stage, chance: &mut Chance, shape: Shape) -> Result<(), String> {
    match shape {
        Shape::Uniform | Shape::Zipf | Shape::Hot | Shape::Bulk => {
            transfer(stage, chance, shape).await
        }
        Shape::TwoPhase => two_phase(stage, chance).await,
        Shape::TenPostings => {
            let pairs = payout(stage, chance, shape, POSTINGS).ok_or(NOBODY)?;
            let postings = pairs.into_iter().map(|pair| posting(stage, pair)).collect();
            post(stage, chance, postings, None).await.map(drop)
        }
    }
}

/// A transfer's request, as a client would write it.
pub(super) fn transfer_body(from: AccountId, to: AccountId) -> String {
    format!(r#"{{"from":"{from}","to":"{to}","amount":1,"currency":"EUR"}}"#)
}

/// The request of a thousand transactions, each by itself, as a client would write it.
pub(super) fn bulk_body(stage: &Stage, chance: &mut Chance) -> Option<String> {
    let transaction = |(from, to)| {
        format!(
            r#"{{"kind":"payout","postings":[{{"debit":"{from}","credit":"{to}","amount":1,"currency":"EUR"}}]}}"#
        )
    };
    let pairs = payout(stage, chance, Shape::Bulk, BULK)?;
    let transactions: Vec<String> = pairs.into_iter().map(transaction).collect();
    let transactions = transactions.join(",");
    Some(format!(
        r#"{{"atomic":false,"transactions":[{transactions}]}}"#
    ))
}

/// The payer and the payee.
pub(super) fn pair(
    stage: &Stage,
    chance: &mut Chance,
    shape: Shape,
) -> Option<(AccountId, AccountId)> {
    let (from, to) = chance.pair(shape, count(stage));
    account(stage, from).zip(account(stage, to))
}

/// The payer and the payees, if one account pays all.
fn payout(
    stage: &Stage,
    chance: &mut Chance,
    shape: Shape,
    payees: u64,
) -> Option<Vec<(AccountId, AccountId)>> {
    let (payer, _) = chance.pair(shape, count(stage));
    let from = account(stage, payer)?;
    let mut payee = || account(stage, chance.payee(payer, shape, count(stage)));
    (0..payees).map(|_| Some((from, payee()?))).collect()
}

fn count(stage: &Stage) -> u64 {
    u64::try_from(stage.accounts.len()).unwrap_or(u64::MAX)
}

fn account(stage: &Stage, place: u64) -> Option<AccountId> {
    stage.accounts.get(usize::try_from(place).ok()?).copied()
}

async fn transfer(stage: &Stage, chance: &mut Chance, shape: Shape) -> Result<(), String> {
    let (from, to) = pair(stage, chance, shape).ok_or(NOBODY)?;
    let body = transfer_body(from, to);
    let command = Transfer {
        from,
        to,
        money: stage.money,
        description: None,
    };
    let path = ("/v1/transfers", &*body);
    let request = request(
        stage,
        chance,
        command,
        path,
        books::transfers::show::made,
        books::show_refusal,
    )?;
    created(stage.engine.submit(request).await).map(drop)
}

async fn two_phase(stage: &Stage, chance: &mut Chance) -> Result<(), String> {
    let pair = pair(stage, chance, Shape::TwoPhase).ok_or(NOBODY)?;
    let posting = posting(stage, pair);
    let pending = Some(Expiry::Never);
    let pended = post(stage, chance, vec![posting], pending).await?;
    let fulfil = Action::Fulfil {
        pending: pended.id,
        amounts: None,
        last: false,
        exceed: false,
        conditions: Vec::new(),
        details: Details::default(),
    };
    transact(stage, chance, fulfil, "/v1/transactions/{id}/post", "{}")
        .await
        .map(drop)
}

async fn post(
    stage: &Stage,
    chance: &mut Chance,
    postings: Vec<Posting>,
    pending: Option<Expiry>,
) -> Result<RecordedTransaction, String> {
    let body: Vec<String> = postings
        .iter()
        .map(|posting| transfer_body(posting.debit, posting.credit))
        .collect();
    let draft = Draft {
        // The kind is not `transfer`, because a transfer has another reply.
        kind: Kind::parse("payout").map_err(|error| error.to_string())?,
        postings,
        pending,
        conditions: Vec::new(),
        details: Details::default(),
    };
    let action = Action::Post(draft);
    transact(stage, chance, action, "/v1/transactions", &body.concat()).await
}

async fn transact(
    stage: &Stage,
    chance: &mut Chance,
    action: Action,
    path: &str,
    body: &str,
) -> Result<RecordedTransaction, String> {
    let command = Transact(action);
    let request = request(
        stage,
        chance,
        command,
        (path, body),
        books::transactions::show::made,
        books::show_refusal,
    )?;
    let made = created(stage.engine.submit(request).await)?;
    Ok(made.posted)
}

fn request<C: Command>(
    stage: &Stage,
    chance: &mut Chance,
    command: C,
    (path, body): (&str, &str),
    show: Show<C>,
    show_refusal: ShowRefusal<C>,
) -> Result<Request<C>, String> {
    let key = chance.key();
    let request = Some(format!("req_{key}"));
    let key = Key::parse(key).map_err(|error| error.to_string())?;
    let fingerprint = Fingerprint::of("POST", path, "1", body.as_bytes());
    Ok(Request {
        tenant: stage.tenant.clone(),
        command,
        claim: Some(Claim { key, fingerprint }),
        origin: Origin {
            kind: "api_key",
            id: stage.label.clone(),
            request,
        },
        is_dry_run: false,
        show,
        show_refusal,
    })
}

fn posting(stage: &Stage, (debit, credit): (AccountId, AccountId)) -> Posting {
    Posting {
        debit,
        credit,
        amount: stage.money.amount,
        currency: stage.money.currency,
    }
}
