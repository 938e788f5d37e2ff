//! P2: the histories of the state machines.

use diesel::prelude::*;
use store::{AnyConnection, CheckError, Error, Pages, TenantId};

use super::{PAGE, tick};
use crate::approvals::{ApprovalId, ApprovalState};
use crate::disputes::{DisputeId, DisputeState};
use crate::machines::is_edge;
use crate::payouts::{PayoutId, PayoutState};
use crate::schema::{approval, dispute, operation, payment, payout, transition};
use crate::tables::TransitionRow;
use crate::{OperationId, OperationState, PaymentId, PaymentState};

/// P2: the history of each payment, operation, payout, approval and dispute is an unbroken chain of legal edges, from a
/// state in which it may begin to the state it is in. No edge leaves a final state, so a chain ends there. Returns the
/// number of payments, operations and edges.
///
/// # Errors
/// [`CheckError::Broken`] names the first payment or operation that breaks this.
pub fn histories_are_legal(
    connection: &mut AnyConnection,
    tenant: TenantId,
    progress: &mut dyn FnMut(u64),
) -> Result<u64, CheckError> {
    let mut examined = 0_u64;
    for machine in [&PAYMENT, &OPERATION, &PAYOUT, &APPROVAL, &DISPUTE] {
        let mut standing = (machine.standing)(tenant);
        let name = machine.name;
        let mut edges: Pages<TransitionRow> =
            Pages::new(tenant, move |connection, tenant, after| {
                edges_after(connection, tenant, name, after)
            });
        while let Some((subject, status)) = standing.next(connection)? {
            let mut state: Option<String> = None;
            let mut last = 0;
            while let Some(edge) =
                edges.next_if(connection, |edge| edge.subject.as_slice() <= &subject[..])?
            {
                if edge.subject != subject {
                    return Err(machine.orphan(&edge));
                }
                machine.check_edge(&edge, last, state.as_deref())?;
                last = edge.ordinal;
                state = Some(edge.to_state);
                tick(&mut examined, progress);
            }
            machine.check_end(subject, &status, state.as_deref())?;
            tick(&mut examined, progress);
        }
        if let Some(edge) = edges.next(connection)? {
            return Err(machine.orphan(&edge));
        }
    }
    Ok(examined)
}

/// The subjects of a state machine, each with its present state.
type Standing = Pages<([u8; 16], String)>;

/// One of the state machines, for the check of its history.
struct Machine {
    name: &'static str,
    /// Formats the id of a subject.
    show: fn([u8; 16]) -> String,
    /// True if a history may begin in this state.
    begins: fn(&str) -> bool,
    standing: fn(TenantId) -> Standing,
}

/// Makes the function that reads the subjects of a table with their states, in the order of their ids.
macro_rules! standing {
    ($table:ident, $id:ty) => {
        |tenant| {
            Pages::new(
                tenant,
                |connection, tenant, after: Option<&([u8; 16], _)>| {
                    let mut query = $table::table
                        .filter($table::tenant_id.eq(tenant))
                        .order($table::id)
                        .limit(PAGE)
                        .select(($table::id, $table::status))
                        .into_boxed();
                    if let Some((last, _)) = after {
                        query = query.filter($table::id.gt(<$id>::from_bytes(*last)));
                    }
                    let rows: Vec<($id, String)> = query.load(connection)?;
                    let rows = rows.into_iter();
                    Ok(rows.map(|(id, status)| (id.bytes(), status)).collect())
                },
            )
        }
    };
}

const PAYMENT: Machine = Machine {
    name: "payment",
    show: |id| PaymentId::from_bytes(id).to_string(),
    begins: |state| {
        [
            PaymentState::RequiresPaymentMethod,
            PaymentState::RequiresConfirmation,
        ]
        .into_iter()
        .any(|first| first.name() == state)
    },
    standing: standing!(payment, PaymentId),
};

const OPERATION: Machine = Machine {
    name: "operation",
    show: |id| OperationId::from_bytes(id).to_string(),
    begins: |state| state == OperationState::Created.name(),
    standing: standing!(operation, OperationId),
};

const PAYOUT: Machine = Machine {
    name: "payout",
    show: |id| PayoutId::from_bytes(id).to_string(),
    begins: |state| {
        [PayoutState::RequiresApproval, PayoutState::Processing]
            .into_iter()
            .any(|first| first.name() == state)
    },
    standing: standing!(payout, PayoutId),
};

const APPROVAL: Machine = Machine {
    name: "approval",
    show: |id| ApprovalId::from_bytes(id).to_string(),
    begins: |state| state == ApprovalState::Proposed.name(),
    standing: standing!(approval, ApprovalId),
};

const DISPUTE: Machine = Machine {
    name: "dispute",
    show: |id| DisputeId::from_bytes(id).to_string(),
    begins: |state| state == DisputeState::Open.name(),
    standing: standing!(dispute, DisputeId),
};

impl Machine {
    fn broken(&self, subject: [u8; 16], detail: String) -> CheckError {
        CheckError::broken((self.show)(subject), detail)
    }

    fn orphan(&self, edge: &TransitionRow) -> CheckError {
        let subject = edge.subject.as_slice().try_into();
        let subject = subject.map_or_else(|_| format!("{:?}", edge.subject), self.show);
        CheckError::broken(subject, format!("it has a history and is no {}", self.name))
    }

    /// Checks that an edge has the next ordinal, begins in the state in which the last one ended, and is legal.
    fn check_edge(
        &self,
        edge: &TransitionRow,
        last: i32,
        state: Option<&str>,
    ) -> Result<(), CheckError> {
        let TransitionRow {
            ordinal,
            from_state: from,
            to_state: to,
            ..
        } = edge;
        let broken = |detail| {
            let subject = edge.subject.as_slice().try_into().unwrap_or_default();
            Err(self.broken(subject, detail))
        };
        if *ordinal != last + 1 {
            return broken(format!("after edge {last} comes {ordinal}"));
        }
        match state {
            None if !(self.begins)(from) => {
                return broken(format!("its history begins with {from}"));
            }
            Some(state) if state != from => {
                return broken(format!(
                    "edge {ordinal} leaves {from}, the last one led to {state}"
                ));
            }
            None | Some(_) => {}
        }
        if !is_edge(self.name, from, to) {
            return broken(format!("edge {ordinal} goes from {from} to {to}"));
        }
        Ok(())
    }

    /// Checks that the state of a subject is the one in which its history ends.
    fn check_end(
        &self,
        subject: [u8; 16],
        status: &str,
        state: Option<&str>,
    ) -> Result<(), CheckError> {
        match state {
            Some(state) if state != status => Err(self.broken(
                subject,
                format!("it is {status}, its history led to {state}"),
            )),
            None if !(self.begins)(status) => {
                Err(self.broken(subject, format!("it is {status} and has no history")))
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// The edges of a machine after a given one: first the rest of the same history, then the later histories.
fn edges_after(
    connection: &mut AnyConnection,
    tenant: TenantId,
    machine: &str,
    after: Option<&TransitionRow>,
) -> Result<Vec<TransitionRow>, Error> {
    let edges = transition::table
        .filter(transition::tenant_id.eq(tenant))
        .filter(transition::machine.eq(machine))
        .order((transition::subject, transition::ordinal))
        .limit(PAGE);
    let Some(last) = after else {
        return Ok(edges.load(connection)?);
    };
    let rest: Vec<TransitionRow> = edges
        .filter(transition::subject.eq(&last.subject))
        .filter(transition::ordinal.gt(last.ordinal))
        .load(connection)?;
    if !rest.is_empty() {
        return Ok(rest);
    }
    Ok(edges
        .filter(transition::subject.gt(&last.subject))
        .load(connection)?)
}
