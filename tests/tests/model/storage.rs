//! Bugs that are planted in a database: guards that are missing, rows that are lost or changed, comparisons that are
//! skipped. Each must be noticed by an invariant of `florin check`, or be a conflict.

use ledger::{
    AccountClass, AccountId, Heading, Kind as Purpose, NewFulfilment, NewReversal, NewTransaction,
    Pending, Posting, Shelf, TransactionId,
};
use money::{Amount, Currency};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngSeed, TestRunner};
use proptest_state_machine::ReferenceStateMachine;
use store::{Error, Timestamp};
use tests::{Database, Kind, on_both_databases};

use crate::books::Books;
use crate::commands::{Command, Draft, Line, Manner, Much, Next, Odd, Said, Share, Target, Who};
use crate::model::Model;
use crate::tampered::{TAMPERED, spelled_out};
use crate::words::{Act, Answer, Bounds, Instruction, Opening};

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

/// Two writers do the same step, and the second one compares nothing: before it writes, the rows are put back as
/// it has seen them. This is noticed first by the numbers of the entries, which are unique, and then by the check.
const SKIPPED: &[(&str, Later, &[&str], &str)] = &[
    (
        "the version of an account",
        Later::Post,
        &["UPDATE account SET version = version - 1 WHERE tenant_id = @"],
        "L2",
    ),
    (
        "whether anything was done about a hold",
        Later::Fulfil { expires_at: None },
        &[
            "UPDATE account SET version = version - 1 WHERE tenant_id = @",
            "DELETE FROM hold WHERE tenant_id = @",
        ],
        "L5",
    ),
    (
        "what of a hold is posted",
        Later::Fulfil {
            expires_at: Some(Timestamp::from_micros(2_000)),
        },
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

/// The step that both writers do.
#[derive(Debug, Clone, Copy)]
enum Later {
    Post,
    Fulfil { expires_at: Option<Timestamp> },
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

/// The decision of one writer, which another one has overtaken.
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
        Instruction::Post(new)
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
        Instruction::Reverse(NewReversal {
            heading,
            of,
            amounts: amounts.into(),
            conditions: Vec::new(),
        })
    };
    let fulfil = |id, amount| {
        let (heading, amounts) = part(id, amount);
        Instruction::Fulfil(NewFulfilment {
            heading,
            pending: TransactionId::from_bytes(u128::to_be_bytes(4)),
            amounts,
            last: false,
            exceed: false,
            conditions: Vec::new(),
        })
    };
    let expires_at = match later {
        Later::Fulfil { expires_at } => expires_at,
        Later::Post | Later::Reverse => None,
    };
    let given = vec![
        Instruction::Open(source, opening.clone(), now),
        Instruction::Open(wallet, opening_too, now),
        moved(3, source, wallet, None),
        moved(4, wallet, source, Some(Pending { expires_at })),
        reverse(5, 1),
    ];
    let both = |id| match later {
        Later::Post => moved(id, source, wallet, None),
        Later::Fulfil { .. } => fulfil(id, 20),
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

/// Accounts; movements between any accounts, final, pending without expiry and pending for a while; and a part of
/// each pending one fulfilled. Whatever the random choices are, something was posted and some holds are open.
fn unfinished() -> impl Iterator<Item = Next> {
    let movement = |number, pending| {
        let line = Line {
            debit: Who::Open(number),
            credit: Who::Open(number + 1),
            amount: 9,
            stranger: false,
            foreign: false,
        };
        Command::Post(Draft {
            lines: vec![line],
            pending,
            wishes: Vec::new(),
            said: Said::NOTHING,
        })
    };
    let part = |number| {
        let share = Share {
            posting: 0,
            odd: false,
            much: Much::Some(1),
        };
        let of = Target::Fitting(number);
        Command::Fulfil(
            of,
            Some(vec![share]),
            Manner {
                last: false,
                exceed: false,
            },
            Said::NOTHING,
        )
    };
    let movements = (0..8).flat_map(move |number| {
        [None, Some(None), Some(Some(5))].map(|pending| movement(number, pending))
    });
    let accounts = (0..6).map(|_| {
        let bounds = Bounds {
            floor: None,
            ceiling: None,
            line: None,
        };
        let odd = Odd {
            currency: "EUR",
            taken: None,
        };
        Command::Open(AccountClass::Equity, bounds, odd)
    });
    let commands = accounts.chain(movements).chain((0..24).map(part));
    commands.map(|command| Next::Batch {
        commands: vec![command],
        locks: true,
        crashes: false,
    })
}

/// Random books that contain every row that is tampered with.
fn busy(books: &mut Books) {
    // Always the same books, because others may lack a row that is tampered with.
    let rng_seed = RngSeed::Fixed(3);
    let mut runner = TestRunner::new(Config {
        rng_seed,
        ..crate::config(1)
    });
    let sequence = Model::sequential_strategy(400).new_tree(&mut runner);
    let (mut model, transitions, _) = sequence.expect("a sequence").current();
    for next in transitions.into_iter().chain(unfinished()) {
        model.go(&next);
        assert_eq!(books.perform(&model.act), model.answers);
    }
}

pub(crate) fn dropped(kind: Kind, guard: &str) -> String {
    let (table, _) = guard.rsplit_once('_').expect("a table and what it guards");
    match kind {
        Kind::Sqlite => format!("DROP TRIGGER {guard}"),
        Kind::Postgres => format!("DROP TRIGGER {guard} ON {table}"),
    }
}
