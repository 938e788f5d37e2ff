//! `/v1/transactions`: the routes of transactions and of the steps about them.

pub(crate) mod draft;
mod metadata;
mod search;
mod steps;

use std::collections::HashSet;

use edge::strict_json::{Body, FieldError, Reading, Slot, boolean, list, object};
use edge::{Call, Code, KeyRule, Problem, Reader, Response, Routes, Shared};
use ledger::{Step, TransactionId};

use self::draft::{dry_run, new_transaction};
use self::steps::{Verb, new_step, one_of_many};
use super::codes::STATES;
use super::{Action, Bulk, Transact, show};
use crate::currencies::{self, Currencies};
use crate::{code, shapes, show_refusal};

/// Greatest number of steps in one request.
const MAX_BULK: usize = 1_000;
/// Largest body of a request with many steps, in bytes.
const MAX_BODY_BYTES: usize = 2 * 1024 * 1024;
/// The codes with the status 422 that refuse a new transaction.
const RULES: &[&Code] = &[
    code::SAME_ACCOUNT,
    code::CURRENCY_MISMATCH,
    code::EFFECTIVE_IN_THE_FUTURE,
    code::BALANCE_OVERFLOW,
    code::CURRENCY_WITHDRAWN,
    code::INSUFFICIENT_FUNDS,
    code::LIMIT_EXCEEDED,
    code::CONDITION_FAILED,
];
/// The codes with the status 409 that refuse a step about another transaction.
const ABOUT: &[&Code] = &[
    code::TRANSACTION_STATE_CONFLICT,
    code::TRANSACTION_EXPIRED,
    code::EXTERNAL_ID_TAKEN,
    code::ACCOUNT_FROZEN,
    code::ACCOUNT_CLOSED,
    code::PERIOD_CLOSED,
    code::VERSION_MISMATCH,
];

/// Every route of transactions.
pub(crate) fn routes(r: &mut Routes) {
    r.tag(
        "transactions",
        "Transactions of balanced postings, and steps about them",
    );
    search::routes(r);
    r.post(
        "/v1/transactions",
        "createTransaction",
        "Posts a transaction, or makes it pending.",
        create,
    )
    .key(KeyRule::Required)
    .body(|known| new_transaction(&Currencies::default()).describe(known))
    .gives::<show::Transaction>(200, "A dry run: the transaction as it would be posted")
    .gives::<show::Transaction>(201, "The transaction is posted or pending")
    .refuses(404, "No such account", &[code::ACCOUNT_NOT_FOUND])
    .refuses(
        409,
        "The external id is taken, an account is frozen, closed or at another version, or the period is closed",
        STATES,
    )
    .refuses(
        422,
        "A rule of the ledger refuses it, or a field is wrong",
        RULES,
    );
    r.post(
        "/v1/transactions/bulk",
        "createBulk",
        "Makes up to 1,000 steps in one commit: either all or none of them, or each by itself.",
        bulk,
    )
    .key(KeyRule::Required)
    .max_body(MAX_BODY_BYTES)
    .body(|known| new_bulk(&Currencies::default()).describe(known))
    .gives::<show::BulkReply>(
        200,
        "The outcome of each step. If `atomic` is true, all steps were made",
    )
    .refuses(
        404,
        "`atomic` is true, and a step names a transaction or an account that does not exist",
        &[code::ACCOUNT_NOT_FOUND, code::TRANSACTION_NOT_FOUND],
    )
    .refuses(
        422,
        "A field is wrong; or `atomic` is true, and a step was refused. The status is then that of the refused step, and the pointers name the step",
        RULES,
    );
    r.get(
        "/v1/transactions/{id}",
        "getTransaction",
        "Reads one transaction, with its present status.",
        read_one,
    )
    .segment("id", shapes::TransactionId::SHAPE, "txn_…")
    .gives::<show::Transaction>(200, "The transaction")
    .refuses(404, "No such transaction", &[]);
    metadata::routes(r);
    routes_about_one(r);
}

/// The routes about one transaction.
fn routes_about_one(r: &mut Routes) {
    r.post(
        "/v1/transactions/{id}/post",
        "postTransaction",
        "Posts a pending transaction, or a part of it.",
        |state, call| step(state, call, Verb::Post),
    )
    .key(KeyRule::Required)
    .segment(
        "id",
        shapes::TransactionId::SHAPE,
        "txn_…, a pending transaction",
    )
    .body(|known| new_step(Verb::Post).describe(known))
    .gives::<show::Transaction>(200, "A dry run: the transaction as it would be posted")
    .gives::<show::Transaction>(201, "The transaction was posted")
    .refuses(404, "No such transaction", &[code::TRANSACTION_NOT_FOUND])
    .refuses(
        409,
        "The transaction is not pending any more, or has expired",
        ABOUT,
    )
    .refuses(
        422,
        "An amount is more than remains, a rule of the ledger refuses it, or a field is wrong",
        &[
            code::EXCEEDS_REMAINING,
            code::EFFECTIVE_IN_THE_FUTURE,
            code::BALANCE_OVERFLOW,
            code::CURRENCY_WITHDRAWN,
            code::INSUFFICIENT_FUNDS,
            code::LIMIT_EXCEEDED,
            code::CONDITION_FAILED,
        ],
    );
    r.post(
        "/v1/transactions/{id}/void",
        "voidTransaction",
        "Releases all that a pending transaction still holds.",
        |state, call| step(state, call, Verb::Void),
    )
    .key(KeyRule::Required)
    .segment(
        "id",
        shapes::TransactionId::SHAPE,
        "txn_…, a pending transaction",
    )
    .body(|known| new_step(Verb::Void).describe(known))
    .gives::<show::Transaction>(200, "A dry run: the transaction as it would be voided")
    .gives::<show::Transaction>(201, "The transaction was voided")
    .refuses(404, "No such transaction", &[code::TRANSACTION_NOT_FOUND])
    .refuses(
        409,
        "The transaction is not pending any more, or has expired",
        ABOUT,
    );
    r.post(
        "/v1/transactions/{id}/reverse",
        "reverseTransaction",
        "Reverses a posted transaction, or a part of it, by postings in the opposite direction.",
        |state, call| step(state, call, Verb::Reverse),
    )
    .key(KeyRule::Required)
    .segment(
        "id",
        shapes::TransactionId::SHAPE,
        "txn_…, a posted transaction",
    )
    .body(|known| new_step(Verb::Reverse).describe(known))
    .gives::<show::Transaction>(200, "A dry run: the transaction as it would be reversed")
    .gives::<show::Transaction>(201, "The transaction was reversed")
    .refuses(404, "No such transaction", &[code::TRANSACTION_NOT_FOUND])
    .refuses(
        409,
        "The transaction was not posted, or nothing of it remains to be reversed",
        ABOUT,
    )
    .refuses(
        422,
        "An amount is more than remains, a rule of the ledger refuses it, or a field is wrong",
        &[
            code::EXCEEDS_REMAINING,
            code::LEG_ALONE,
            code::NOT_IN_PROPORTION,
            code::AMOUNT_TOO_SMALL,
            code::EFFECTIVE_IN_THE_FUTURE,
            code::BALANCE_OVERFLOW,
            code::INSUFFICIENT_FUNDS,
            code::LIMIT_EXCEEDED,
            code::CONDITION_FAILED,
        ],
    );
}

async fn create(state: Shared, call: Call) -> Result<Response, Problem> {
    let mut submission = state.submission(call)?;
    let known = currencies::named(&state, &submission).await?;
    let (draft, dry_run) = submission.read_by(&new_transaction(&known))?;
    let action = Action::Post(draft);
    let request = submission.trying(dry_run);
    state
        .submit(request, Transact(action), show::made, show_refusal)
        .await
}

async fn bulk(state: Shared, call: Call) -> Result<Response, Problem> {
    let mut submission = state.submission(call)?;
    let known = currencies::named(&state, &submission).await?;
    let (actions, atomic, dry_run) = submission.read_by(&new_bulk(&known))?;
    let command = Bulk {
        actions,
        is_atomic: atomic,
    };
    let request = submission.trying(dry_run);
    state
        .submit(request, command, show::bulk_made, show_refusal)
        .await
}

/// Reads the body that makes many steps.
fn new_bulk(known: &Currencies) -> impl Body<Out = (Vec<Action>, bool, bool)> {
    let says = "Makes many steps in one commit.";
    object("NewBulk", says, move |fields| {
        let each = list(1, MAX_BULK, one_of_many(known))
            .says("The steps, in order. Each step sees the effects of those before it.");
        let actions = fields.required("transactions", each);
        let atomic = boolean().says("True: either all steps are made, or none. False: each step is made or refused by itself.");
        let atomic = fields.required("atomic", atomic);
        let dry_run = dry_run(fields);
        Slot::together((actions, atomic, dry_run)).check(|(actions, atomic, dry_run)| {
            if atomic {
                each_named_once(&actions)?;
            }
            Ok((actions, atomic, dry_run))
        })
    })
}

/// Refuses an atomic bulk in which an external id occurs twice: the second step with it would always be
/// refused because of the first one.
fn each_named_once(actions: &[Action]) -> Reading<()> {
    let mut names = HashSet::new();
    for (index, action) in actions.iter().enumerate() {
        let name = action.details().external_id.as_deref();
        if name.is_some_and(|name| !names.insert(name)) {
            let error = FieldError::here("named_twice", "Another of these bears this external_id.");
            let error = error.below("external_id").below(&index.to_string());
            return Err(vec![error.below("transactions")]);
        }
    }
    Ok(())
}

async fn read_one(state: Shared, call: Call) -> Result<Response, Problem> {
    let tenant = call.caller.tenant.id;
    let id: TransactionId = call.named("id", code::NOT_FOUND)?;
    let found = state.read(move |connection| {
        let found = ledger::posted(connection, tenant, &[id])?;
        let Some(posted) = ledger::with_current_metadata(connection, tenant, found)?.pop() else {
            return Ok(None);
        };
        // Only transactions of these two steps can have holds or corrections.
        let holds = match posted.step {
            Step::Pending => ledger::holds(connection, tenant, &posted)?,
            Step::Posted | Step::Fulfilment | Step::Void | Step::Expiry | Step::Reversal => {
                Vec::new()
            }
        };
        let corrections = match posted.step {
            Step::Posted | Step::Fulfilment => ledger::corrections(connection, tenant, id)?,
            Step::Pending | Step::Void | Step::Expiry | Step::Reversal => Vec::new(),
        };
        Ok(Some((posted, holds, corrections)))
    });
    let found = found.await?;
    let (posted, holds, corrections) = found.ok_or_else(|| Problem::new(code::NOT_FOUND))?;
    let shown = show::now(&posted, &holds, &corrections);
    Ok(Response::json(200, &shown))
}

async fn step(state: Shared, call: Call, verb: Verb) -> Result<Response, Problem> {
    let id = call.named::<TransactionId>("id", code::TRANSACTION_NOT_FOUND);
    let mut submission = state.submission(call)?;
    let id = id?;
    let (wish, dry_run) = submission.read_by(&new_step(verb))?;
    let action = wish.about(id);
    let request = submission.trying(dry_run);
    state
        .submit(request, Transact(action), show::made, show_refusal)
        .await
}
