//! The real ledger and the reference answer alike, on both databases.

use proptest::test_runner::TestRunner;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};

use crate::books::Books;
use crate::model::{Model, Real};

#[test]
fn whatever_happens_the_ledger_answers_as_the_reference_does_on_both_databases() {
    let config = crate::config(40);
    Real::on(Books::on_each(), || {
        let mut runner = TestRunner::new(config.clone());
        let sequences = Model::sequential_strategy(10..80);
        let agreed = runner.run(&sequences, |(model, transitions, seen)| {
            Real::test_sequential(config.clone(), model, transitions, seen);
            Ok(())
        });
        if let Err(disagreement) = agreed {
            panic!("{disagreement:#}");
        }
    });
}
