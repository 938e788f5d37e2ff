//! The real ledger and the reference give the same answers, on both databases: its rules and tables alone, and behind
//! two lanes.

use std::cell::RefCell;

use proptest::test_runner::TestRunner;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};
use tests::{Database, on_both_databases};

use crate::books::Books;
use crate::commands::Next;
use crate::lanes::Lanes;
use crate::model::Model;
use crate::requests::Desk;
use crate::words::{difference, first_line};

#[test]
fn whatever_happens_the_ledger_answers_as_the_reference_does_on_both_databases() {
    Real::on(Books::on_each(), || runs::<Real>(40, 80));
}

on_both_databases!(two_lanes_that_make_each_other_stale_answer_as_the_reference_does);
async fn two_lanes_that_make_each_other_stale_answer_as_the_reference_does(database: Database) {
    let test = std::thread::spawn(move || {
        LANES.set(Some(Lanes::on(database)));
        runs::<TwoLanes>(12, 60);
        let mut lanes = LANES.take().expect("set above");
        lanes.shut_down();
        lanes.check_everything();
    });
    assert!(test.join().is_ok());
}

fn runs<Test>(cases: u32, longest: usize)
where
    Test: StateMachineTest,
    Test::Reference: ReferenceStateMachine<State = Model, Transition = Next>,
{
    let config = crate::config(cases);
    let mut runner = TestRunner::new(config.clone());
    let sequences = Test::Reference::sequential_strategy(10..longest);
    let agreed = runner.run(&sequences, |(model, transitions, seen)| {
        Test::test_sequential(config.clone(), model, transitions, seen);
        Ok(())
    });
    if let Err(disagreement) = agreed {
        panic!("{disagreement:#}");
    }
}

thread_local! {
    /// The databases of the running test.
    static DATABASES: RefCell<Vec<Books>> = const { RefCell::new(Vec::new()) };
}

/// The real ledger on all databases at once.
struct Real;

impl Real {
    /// Runs a test with these databases, and removes them afterwards.
    fn on(databases: Vec<Books>, test: impl FnOnce()) {
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

thread_local! {
    /// The lanes of the running test.
    static LANES: RefCell<Option<Lanes>> = const { RefCell::new(None) };
}

/// The real ledger behind the engine.
struct TwoLanes;

impl StateMachineTest for TwoLanes {
    type SystemUnderTest = ();
    type Reference = Desk;

    fn init_test(_model: &Model) {
        LANES.with_borrow_mut(|lanes| lanes.as_mut().expect("set by the test").begin());
    }

    fn apply((): (), model: &Model, _next: Next) {
        LANES.with_borrow_mut(|lanes| {
            let answers = lanes.as_mut().and_then(|lanes| lanes.perform(&model.act));
            let Some(answers) = answers else { return };
            let expected = Lanes::expected(&model.act, &model.answers);
            if answers != expected {
                let difference = first_line(&answers.join("\n"), &expected.join("\n"));
                panic!("{difference}\nafter {:?}", model.act);
            }
        });
    }

    fn teardown((): (), mut model: Model) {
        model.go(&Next::Restart);
        Self::apply((), &model, Next::Restart);
        // Each key gets its first answer again, and nothing more is written.
        model.send_all_again();
        Self::apply((), &model, Next::Look);
        model.go(&Next::Look);
        Self::apply((), &model, Next::Look);
        LANES.with_borrow_mut(|lanes| lanes.as_mut().expect("set by the test").check());
    }
}
