//! The bugs that are planted in the reference are noticed. What the real ledger answers to random
//! sequences is written down once; each bug in turn is then run along the same sequences until the
//! reference says something else.

use std::collections::BTreeMap;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use proptest_state_machine::ReferenceStateMachine;
use tests::{Database, Kind};

use crate::books::Books;
use crate::bugs::Bug;
use crate::model::Model;
use crate::reference::Reference;
use crate::words::{Act, Answer};

/// So many sequences at most until all are noticed; it is done much earlier.
const MOST: u32 = 200;

/// What happened to empty books, and what was answered.
type Transcript = Vec<(Act, Vec<Answer>)>;

#[test]
fn every_planted_bug_is_noticed() {
    let mut books = Books::on(Database::fresh(Kind::Sqlite).expect("it is embedded"));
    let mut runner = TestRunner::new(crate::config(MOST));
    let sequences = Model::sequential_strategy(30..90);
    let mut unnoticed: Vec<(Bug, &str)> = Bug::ALL.to_vec();
    assert!(unnoticed.len() >= 30);
    let mut noticed: BTreeMap<String, usize> = BTreeMap::new();
    for number in 0..runner.config().cases.max(MOST) {
        let sequence = sequences.new_tree(&mut runner).expect("a sequence");
        let (model, transitions, _) = sequence.current();
        let transcript = write_down(&mut books, model, &transitions);
        let honest = disagrees(Reference::default(), &transcript);
        assert_eq!(honest, None, "without a bug");
        unnoticed.retain(|(bug, _)| {
            let at = disagrees(Reference::with(*bug), &transcript);
            if at.is_some() {
                noticed.insert(format!("{bug:?}"), usize::try_from(number).expect("small"));
            }
            at.is_none()
        });
        if unnoticed.is_empty() {
            break;
        }
    }
    println!("noticed, in sequence: {noticed:?}");
    assert_eq!(unnoticed, [], "never noticed");
}

/// Lets the real ledger answer. The reference decides only what is asked next.
fn write_down(
    books: &mut Books,
    mut model: Model,
    transitions: &[crate::commands::Next],
) -> Transcript {
    books.begin();
    let mut transcript = Vec::with_capacity(transitions.len() + 1);
    for next in transitions.iter().chain([&crate::commands::Next::Look]) {
        model.go(next);
        transcript.push((model.act.clone(), books.perform(&model.act)));
    }
    transcript
}

/// Where the reference says something else.
fn disagrees(mut reference: Reference, transcript: &Transcript) -> Option<usize> {
    transcript
        .iter()
        .position(|(act, answers)| reference.perform(act) != *answers)
}
