//! All state machines. `docs/payment-states.md` shows them, and a test compares the page with the code. The database
//! refuses an illegal edge as well.

use crate::approvals::{ApprovalEvent, ApprovalState};
use crate::disputes::{DisputeEvent, DisputeState};
use crate::payouts::{PayoutEvent, PayoutState};
use crate::state::{OperationEvent, OperationState, PaymentEvent, PaymentState};

/// A machine by the names of its states and events.
pub(crate) struct Machine {
    /// The name, as in the histories.
    pub(crate) name: &'static str,
    states: Vec<&'static str>,
    events: Vec<&'static str>,
    next: fn(&str, &str) -> Option<&'static str>,
}

/// Makes a machine of the types of its states and its events.
macro_rules! machine {
    ($name:literal, $state:ty, $event:ty) => {
        Machine {
            name: $name,
            states: <$state>::ALL.iter().map(|state| state.name()).collect(),
            events: <$event>::ALL.iter().map(|event| event.name()).collect(),
            next: |state, event| {
                let state = <$state>::from_name(state)?;
                let event = <$event>::ALL.into_iter().find(|one| one.name() == event)?;
                state.on(event).ok().map(<$state>::name)
            },
        }
    };
}

/// Every machine.
pub(crate) fn all() -> [Machine; 5] {
    [
        machine!("payment", PaymentState, PaymentEvent),
        machine!("operation", OperationState, OperationEvent),
        machine!("payout", PayoutState, PayoutEvent),
        machine!("approval", ApprovalState, ApprovalEvent),
        machine!("dispute", DisputeState, DisputeEvent),
    ]
}

impl Machine {
    /// True if a stored history may contain this edge. An edge that leads nowhere is in no history.
    pub(crate) fn is_edge(&self, from: &str, to: &str) -> bool {
        let mut next = self
            .events
            .iter()
            .filter_map(|event| (self.next)(from, event));
        from != to && next.any(|next| next == to)
    }
}

/// Every edge of the machine with this name: from one state to another.
pub(crate) fn edges(machine: &str) -> Vec<(&'static str, &'static str)> {
    let machine = all().into_iter().find(|one| one.name == machine);
    let Some(machine) = machine else {
        return Vec::new();
    };
    let states = machine.states.iter();
    let pairs = states.flat_map(|from| machine.states.iter().map(move |to| (*from, *to)));
    pairs
        .filter(|(from, to)| machine.is_edge(from, to))
        .collect()
}

/// True if the history of a machine may contain this edge.
pub(crate) fn is_edge(machine: &str, from: &str, to: &str) -> bool {
    let machine = all().into_iter().find(|one| one.name == machine);
    machine.is_some_and(|machine| machine.is_edge(from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine as a table: a row for each state, a column for each event.
    fn table(machine: &Machine) -> String {
        let row = |cells: Vec<&str>| format!("| {} |\n", cells.join(" | "));
        let head = std::iter::once(machine.name).chain(machine.events.iter().copied());
        let line = vec!["---"; machine.events.len() + 1];
        let mut text = row(head.collect()) + &row(line).replace(' ', "");
        for state in &machine.states {
            let cells = machine.events.iter();
            let cells = cells.map(|event| (machine.next)(state, event).unwrap_or("–"));
            text += &row(std::iter::once(*state).chain(cells).collect());
        }
        text
    }

    #[test]
    fn the_document_prints_the_machines_as_they_are() {
        let document = include_str!("../../../docs/payment-states.md");
        for machine in all() {
            let table = table(&machine);
            assert!(
                document.contains(&table),
                "docs/payment-states.md should contain:\n{table}"
            );
        }
    }

    #[test]
    fn the_database_refuses_what_the_machines_refuse() {
        let schemas = [
            // The first trigger of a name is the one that counts.
            include_str!("../../../migrations/sqlite/2026-11-30-000082_canceled_payouts/up.sql"),
            include_str!("../../../migrations/sqlite/2026-11-30-000001_operations/up.sql"),
            include_str!("../../../migrations/sqlite/2026-11-30-000004_disputes/up.sql"),
        ]
        .concat();
        let function =
            include_str!("../../../migrations/postgres/2026-11-30-000082_canceled_payouts/up.sql");
        for machine in all() {
            let name = machine.name;
            let trigger = format!("CREATE TRIGGER {}_edges", machine.name);
            let (_, edges) = schemas.split_once(&trigger).unwrap_or_default();
            let (edges, _) = edges.split_once("END;").unwrap_or_default();
            assert!(!edges.is_empty(), "{trigger}");
            for from in &machine.states {
                for to in &machine.states {
                    let is_edge = machine.is_edge(from, to);
                    let listed = edges.contains(&format!("('{from}', '{to}')"));
                    assert_eq!(listed, is_edge, "{trigger}: {from} {to}");
                    let listed = function.contains(&format!("('{name}', '{from}', '{to}')"));
                    assert_eq!(listed, is_edge, "PostgreSQL, {name}: {from} {to}");
                }
            }
        }
    }
}
