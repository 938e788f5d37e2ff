//! The bugs that are planted in the reference are noticed. The answers of the real ledger to random sequences are
//! recorded once. Then each bug in turn runs along the same sequences until the reference gives another answer.

use std::collections::BTreeMap;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use proptest_state_machine::ReferenceStateMachine;
use tests::{Database, Kind};

use crate::books::Books;
use crate::bugs::Bug;
use crate::commands::Next;
use crate::lanes::Lanes;
use crate::model::Model;
use crate::reference::Reference;
use crate::requests::Desk;
use crate::words::{Act, Answer};

/// Greatest number of sequences until all bugs are noticed; it takes far fewer.
const MAX_CASES: u32 = 400;

/// The events on empty books, and the answers.
type Transcript<Said> = Vec<(Act, Said)>;

#[test]
fn every_planted_bug_of_the_books_is_noticed() {
    let mut books = Books::on(Database::fresh(Kind::Sqlite).expect("it is embedded"));
    let write_down = |model: Model, transitions: &[Next]| {
        books.begin();
        write_down(model, transitions, |act| Some(books.perform(act)))
    };
    let says = |_: &Act, answers: Vec<Answer>| answers;
    each_is_noticed::<Model, _>(Bug::OF_BOOKS, 30..90, write_down, says);
}

#[test]
fn every_planted_bug_of_requests_is_noticed() {
    let mut lanes = Lanes::on(Database::fresh(Kind::Sqlite).expect("it is embedded"));
    let write_down = |model: Model, transitions: &[Next]| {
        lanes.begin();
        write_down(model, transitions, |act| lanes.perform(act))
    };
    let says = |act: &Act, answers: Vec<Answer>| Lanes::expected(act, &answers);
    each_is_noticed::<Desk, _>(Bug::OF_REQUESTS, 20..60, write_down, says);
    lanes.shut_down();
}

fn each_is_noticed<Machine, Said>(
    bugs: &[(Bug, &'static str)],
    length: std::ops::Range<usize>,
    mut write_down: impl FnMut(Model, &[Next]) -> Transcript<Said>,
    says: impl Fn(&Act, Vec<Answer>) -> Said,
) where
    Machine: ReferenceStateMachine<State = Model, Transition = Next>,
    Said: PartialEq,
{
    let mut runner = TestRunner::new(crate::config(MAX_CASES));
    let sequences = Machine::sequential_strategy(length);
    let mut unnoticed = bugs.to_vec();
    let mut noticed: BTreeMap<String, usize> = BTreeMap::new();
    for number in 0..runner.config().cases.max(MAX_CASES) {
        let sequence = sequences.new_tree(&mut runner).expect("a sequence");
        let (model, transitions, _) = sequence.current();
        let transcript = write_down(model, &transitions);
        // The place where the reference gives another answer.
        let disagrees = |mut reference: Reference| {
            transcript
                .iter()
                .position(|(act, said)| says(act, reference.perform(act)) != *said)
        };
        let honest = disagrees(Reference::default());
        assert_eq!(honest, None, "without a bug");
        unnoticed.retain(|(bug, _)| {
            let at = disagrees(Reference::with(*bug));
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

/// Records the answers of the real ledger. The reference only decides which request comes next.
fn write_down<Said>(
    mut model: Model,
    transitions: &[Next],
    mut perform: impl FnMut(&Act) -> Option<Said>,
) -> Transcript<Said> {
    let mut transcript = Vec::with_capacity(transitions.len() + 1);
    for next in transitions.iter().chain([&Next::Look]) {
        model.go(next);
        if let Some(said) = perform(&model.act) {
            transcript.push((model.act.clone(), said));
        }
    }
    transcript
}
