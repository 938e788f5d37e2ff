//! Bugs that are planted in a database: guards that are gone, rows that are lost or changed, comparisons
//! that are skipped. Each must be noticed by `florin check`'s invariants, or be a conflict.

use ledger::{
    AccountClass, AccountId, Heading, Kind as Purpose, NewReversal, NewSettlement, NewTransaction,
    Pending, Posting, Shelf, TransactionId,
};
use money::{Amount, Currency};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngSeed, TestRunner};
use proptest_state_machine::ReferenceStateMachine;
use store::{Error, Timestamp};
use tests::{Database, Kind, on_both_databases};

use crate::books::Books;
use crate::model::Model;
use crate::words::{Act, Answer, Asked, Bounds, Opening};

/// What is wrong, how it comes about, and the invariant that must be found broken. `@` is the tenant,
/// `$posting(…)` and the like the key of the first such row.
const TAMPERED: &[(&str, &str, &str)] = &[
    (
        "a posting is lost",
        "DELETE FROM posting WHERE $posting(phase = 2)",
        "L2",
    ),
    (
        "a transaction is lost, its postings are not",
        "DELETE FROM ledger_transaction WHERE $transaction(step = 2)",
        "L1",
    ),
    (
        "an amount is one more",
        "UPDATE posting SET amount = amount + 1 WHERE $posting(phase = 2 AND amount < 1000)",
        "L2",
    ),
    (
        "debit and credit are swapped",
        "UPDATE posting SET debit_account = credit_account, credit_account = debit_account, \
         debit_version = credit_version, credit_version = debit_version WHERE $posting(phase = 2)",
        "L2",
    ),
    (
        "a promise is taken for final",
        "UPDATE posting SET phase = 2 WHERE $posting(phase = 1)",
        "L1",
    ),
    (
        "a promise is called posted",
        "UPDATE ledger_transaction SET step = 2 WHERE $transaction(step = 1)",
        "L1",
    ),
    (
        "a reversal is called a posting of its own",
        "UPDATE ledger_transaction SET step = 2, about = NULL WHERE $transaction(step = 6)",
        "L5",
    ),
    (
        "a release is lost with its transaction",
        "DELETE FROM posting WHERE $posting(phase = 4)",
        "L5",
    ),
    (
        "a posting is not the next of its transaction",
        "UPDATE posting SET ordinal = 77 WHERE $posting(phase = 2 AND ordinal = 0)",
        "L1",
    ),
    (
        "an entry has another one's number",
        "UPDATE posting SET debit_version = debit_version + 1000 WHERE $posting(phase = 2)",
        "L2",
    ),
    (
        "an entry states another balance",
        "UPDATE posting SET credit_balance = credit_balance - 1 WHERE $posting(phase = 2)",
        "L2",
    ),
    (
        "an account's last entry is not counted",
        "UPDATE account SET version = version - 1 WHERE $account(version > 0)",
        "L2",
    ),
    (
        "money from nowhere",
        "UPDATE account SET credits_posted = credits_posted + 5 WHERE $account(credits_posted < 1000)",
        "L3",
    ),
    (
        "a release is forgotten by one side",
        "UPDATE account SET debits_released = debits_released - 1 WHERE $account(debits_released > 0)",
        "L3",
    ),
    (
        "what is pending is counted twice",
        "UPDATE account SET credits_pending = credits_pending + 1 \
         WHERE $account(credits_pending BETWEEN 1 AND 1000)",
        "L2",
    ),
    (
        "an account holds another currency",
        "UPDATE account SET currency = 'JPY' WHERE $account(version > 0)",
        "L1",
    ),
    (
        "an account is lost",
        "DELETE FROM account WHERE $account(version > 0)",
        "L1",
    ),
    (
        "a hold is lost",
        "DELETE FROM hold WHERE $hold(1 = 1)",
        "L5",
    ),
    (
        "a hold counts what was not posted",
        "UPDATE hold SET posted = posted + 1 \
         WHERE $hold(status = 1 AND posted + released + 1 < amount)",
        "L5",
    ),
    (
        "a hold is larger than the promise",
        "UPDATE hold SET amount = amount + 1 WHERE $hold(status = 1 AND amount < 1000)",
        "L5",
    ),
    (
        "what was voided is said to have expired",
        "UPDATE hold SET status = 4 WHERE $hold(status = 3)",
        "L5",
    ),
    (
        "what was posted is said to have been voided",
        "UPDATE hold SET status = 3 WHERE $hold(status = 2)",
        "L5",
    ),
    (
        "a reversal is not counted",
        "DELETE FROM correction WHERE $correction(1 = 1)",
        "L5",
    ),
    (
        "a reversal is counted as less",
        "UPDATE correction SET reversed = reversed - 1 WHERE $correction(reversed > 1)",
        "L5",
    ),
    (
        "a correction is larger than what was posted",
        "UPDATE correction SET amount = amount + 1 WHERE $correction(amount < 1000)",
        "L5",
    ),
    (
        "a transaction has no posting",
        "INSERT INTO ledger_transaction (tenant_id, id, kind, step, effective_at, recorded_at) \
         SELECT tenant_id, id, 'lost', 2, 0, 0 FROM account WHERE $account(1 = 1)",
        "L1",
    ),
];

on_both_databases!(rows_that_are_changed_or_lost_are_noticed);
async fn rows_that_are_changed_or_lost_are_noticed(database: Database) {
    let mut books = Books::on(database);
    busy(&mut books);
    books.check();
    for (what, statement, invariant) in TAMPERED {
        let statement = spelled_out(statement, books.tenant.0);
        let broken = books.broken_after(&statement);
        assert!(broken.contains(invariant), "{what}: {broken:?}");
    }
    books.check();
}

on_both_databases!(guards_that_are_gone_are_noticed);
async fn guards_that_are_gone_are_noticed(database: Database) {
    let mut books = Books::on(database);
    let mut gone: Vec<&str> = Vec::new();
    for guard in ledger::check::GUARDS {
        assert_eq!(books.missing_guards(), gone);
        gone.push(guard);
        books.database.execute_raw(&dropped(books.kind(), guard));
    }
    assert_eq!(books.missing_guards(), gone);
}

/// Two writers do the same, and the second compares nothing: what it has seen is put back before it
/// writes. What is left to notice it is first the numbers of the entries, which are unique, and then the
/// check.
const SKIPPED: &[(&str, Later, &[&str], &str)] = &[
    (
        "the version of an account",
        Later::Post,
        &["UPDATE account SET version = version - 1 WHERE tenant_id = @"],
        "L2",
    ),
    (
        "what of a hold is posted",
        Later::Settle,
        &[
            "UPDATE account SET version = version - 1 WHERE tenant_id = @",
            "UPDATE hold SET posted = posted - 20 WHERE tenant_id = @",
        ],
        "L5",
    ),
    (
        "how much was reversed",
        Later::Reverse,
        &[
            "UPDATE account SET version = version - 1 WHERE tenant_id = @",
            "UPDATE correction SET reversed = reversed - 20 WHERE tenant_id = @",
        ],
        "L5",
    ),
];

/// What both writers do.
#[derive(Debug, Clone, Copy)]
enum Later {
    Post,
    Settle,
    Reverse,
}

on_both_databases!(a_writer_that_compares_nothing_is_noticed);
async fn a_writer_that_compares_nothing_is_noticed(database: Database) {
    let mut books = Books::on(database);
    for guard in ledger::check::GUARDS {
        books.database.execute_raw(&dropped(books.kind(), guard));
    }
    for (_, later, statements, _) in SKIPPED {
        let stale = overtaken(&mut books, *later);
        assert!(matches!(books.save(&stale), Err(Error::Conflict(_))));
        put_back(&mut books, statements);
        let numbered_twice = books.save(&stale);
        assert!(
            matches!(numbered_twice, Err(Error::Conflict(_))),
            "{later:?}"
        );
    }
    for index in ["posting_debit", "posting_credit"] {
        books.database.execute_raw(&format!("DROP INDEX {index}"));
    }
    for (what, later, statements, invariant) in SKIPPED {
        let stale = overtaken(&mut books, *later);
        assert!(matches!(books.save(&stale), Err(Error::Conflict(_))));
        put_back(&mut books, statements);
        books.save(&stale).expect("nothing is in its way");
        let broken = books.broken();
        assert!(broken.contains(invariant), "{what}: {broken:?}");
    }
}

/// What one writer has decided, and another one was quicker to write.
fn overtaken(books: &mut Books, later: Later) -> Shelf {
    books.begin();
    let [(source, opening), (wallet, opening_too)] = [1, 2].map(account);
    let now = Timestamp::from_micros(1_000);
    let moved = |id, debit, credit, pending| {
        let id = TransactionId::from_bytes(u128::to_be_bytes(id));
        let posting = Posting {
            debit,
            credit,
            amount: units(100),
            currency: opening.currency,
        };
        let mut new = NewTransaction::plain(id, Purpose::Transfer, vec![posting], now);
        new.pending = pending;
        Asked::Post(new)
    };
    let part = |id: u128, amount| {
        let id = TransactionId::from_bytes(id.to_be_bytes());
        (
            Heading::plain(id, Purpose::Transfer, now),
            Some(vec![(0, units(amount))]),
        )
    };
    let reverse = |id, amount| {
        let (heading, amounts) = part(id, amount);
        let of = TransactionId::from_bytes(u128::to_be_bytes(3));
        Asked::Reverse(NewReversal {
            heading,
            of,
            amounts,
            conditions: Vec::new(),
        })
    };
    let settle = |id, amount| {
        let (heading, amounts) = part(id, amount);
        Asked::Settle(NewSettlement {
            heading,
            pending: TransactionId::from_bytes(u128::to_be_bytes(4)),
            amounts,
            last: false,
            conditions: Vec::new(),
        })
    };
    let given = vec![
        Asked::Open(source, opening.clone(), now),
        Asked::Open(wallet, opening_too, now),
        moved(3, source, wallet, None),
        moved(4, wallet, source, Some(Pending { expires_at: None })),
        reverse(5, 1),
    ];
    let both = |id| match later {
        Later::Post => moved(id, source, wallet, None),
        Later::Settle => settle(id, 20),
        Later::Reverse => reverse(id, 20),
    };
    let batch = |asked| Act::Batch {
        asked,
        locks: false,
        crashes: false,
    };
    let answers = books.perform(&batch(given));
    let (stale, decided) = books.decide(&[both(7)]);
    let answers = [answers, decided, books.perform(&batch(vec![both(6)]))].concat();
    let refused = answers
        .iter()
        .find(|answer| matches!(answer, Answer::Refused(_)));
    assert_eq!(refused, None);
    stale
}

fn put_back(books: &mut Books, statements: &[&str]) {
    for statement in statements {
        let statement = spelled_out(statement, books.tenant.0);
        books.database.execute_raw(&statement);
    }
}

fn account(number: u128) -> (AccountId, Opening) {
    let opening = Opening {
        code: format!("a:{number}"),
        currency: Currency::from_code("EUR").expect("known"),
        class: AccountClass::Equity,
        bounds: Bounds {
            floor: None,
            ceiling: None,
            line: None,
        },
    };
    (AccountId::from_bytes(number.to_be_bytes()), opening)
}

fn units(amount: i64) -> Amount {
    Amount::new(amount).expect("positive")
}

/// Random books in which all that is tampered with is found.
fn busy(books: &mut Books) {
    // Always the same: other books may lack a row that is to be tampered with.
    let rng_seed = RngSeed::Fixed(1);
    let mut runner = TestRunner::new(Config {
        rng_seed,
        ..crate::config(1)
    });
    let sequence = Model::sequential_strategy(400).new_tree(&mut runner);
    let (mut model, transitions, _) = sequence.expect("a sequence").current();
    for next in transitions {
        model.go(&next);
        assert_eq!(books.perform(&model.act), model.answers);
    }
}

/// The statement with its tenant, and with the keys of the rows that it is about.
fn spelled_out(statement: &str, tenant: i32) -> String {
    const KEYS: [(&str, &str, &str); 5] = [
        ("$posting(", "posting", "transaction_id, ordinal"),
        ("$transaction(", "ledger_transaction", "id"),
        ("$account(", "account", "id"),
        ("$hold(", "hold", "transaction_id, ordinal"),
        ("$correction(", "correction", "transaction_id, ordinal"),
    ];
    let mut statement = statement.to_owned();
    for (mark, table, key) in KEYS {
        let row = format!("({key}) IN (SELECT {key} FROM {table} WHERE tenant_id = @ AND ");
        if let Some((before, condition)) = statement.split_once(mark) {
            let condition = condition.trim_end_matches(')');
            statement =
                format!("{before}tenant_id = @ AND {row}{condition} ORDER BY {key} LIMIT 1)");
        }
    }
    statement.replace('@', &tenant.to_string())
}

pub(crate) fn dropped(kind: Kind, guard: &str) -> String {
    let (table, _) = guard.rsplit_once('_').expect("a table and what it guards");
    match kind {
        Kind::Sqlite => format!("DROP TRIGGER {guard}"),
        Kind::Postgres => format!("DROP TRIGGER {guard} ON {table}"),
    }
}
