//! The approvals that a batch holds in memory, and their table.

use diesel::prelude::*;
use engine::Loading;
use store::bulk::Writes;
use store::find::Lock;
use store::rows::Rows;
use store::{AnyConnection, Error, TenantId, Timestamp};

use super::{Action, Approval, ApprovalId, ApprovalState};
use crate::Shelf;
use crate::schema::approval;

store::bulk_insert! {
    /// A row of `approval`. Times are in microseconds since 1970.
    pub struct ApprovalRow in approval {
        tenant_id: TenantId,
        id: ApprovalId,
        subject: Vec<u8>,
        action: String,
        status: String,
        proposed_by: String,
        decided_by: Option<String>,
        reason: Option<String>,
        expires_at: i64,
        created_at: i64,
        decided_at: Option<i64>,
    }
}

store::bulk_update! {
    /// A decided approval, with the status that it had.
    pub struct ApprovalChange in approval {
        find { tenant_id: TenantId = tenant_id, id: ApprovalId = id, seen_status: String = status }
        set {
            status: String = status,
            decided_by: Option<String> = decided_by,
            reason: Option<String> = reason,
            decided_at: Option<i64> = decided_at,
        }
    }
}

store::bulk_find! {
    /// An approval by its id.
    pub struct ApprovalById => ApprovalRow in approval {
        /// Its id.
        id: ApprovalId,
    }
}

/// The approvals that a batch names, with its changes.
#[derive(Debug, Default)]
pub struct ApprovalShelf {
    rows: Rows<ApprovalId, ShelfRow>,
}

store::savepoint!(ApprovalShelf { rows });

#[derive(Debug, Clone)]
struct ShelfRow {
    approval: Approval,
    /// The state in the database; `None` if it is new.
    found: Option<ApprovalState>,
}

impl ApprovalShelf {
    /// An approval, with the changes of this batch.
    #[must_use]
    pub fn approval(&self, id: &ApprovalId) -> Option<&Approval> {
        self.rows.get(id).map(|held| &held.approval)
    }

    pub(super) fn add(&mut self, approval: Approval) {
        let found = None;
        self.rows.put(approval.id, ShelfRow { approval, found });
    }

    pub(super) fn change(&mut self, approval: Approval) {
        if let Some(held) = self.rows.get_mut(&approval.id) {
            held.approval = approval;
        }
    }
}

impl engine::Shelf for ApprovalShelf {
    type Asks = Vec<ApprovalId>;
    type Memory = ();

    fn must_lock(asks: &Vec<ApprovalId>) -> bool {
        !asks.is_empty()
    }

    fn is_nothing(asks: &Vec<ApprovalId>) -> bool {
        asks.is_empty()
    }

    /// Also asks for what the approvals are about.
    fn load(&mut self, from: &mut Loading<'_>, mut asks: Vec<ApprovalId>) -> Result<(), Error> {
        asks.sort_unstable();
        asks.dedup();
        let wanted: Vec<ApprovalById> = asks.into_iter().map(|id| ApprovalById { id }).collect();
        let rows = ApprovalById::find(from.connection, Lock::Rows, from.tenant, &wanted)?;
        for row in rows {
            let approval = row.read()?;
            if let Some(needs) = from.ask::<Shelf>() {
                approval.action.ask(approval.subject, needs);
            }
            let found = Some(approval.state);
            self.rows.put(approval.id, ShelfRow { approval, found });
        }
        Ok(())
    }

    fn save(&self, tenant_id: TenantId, writes: &mut Writes) {
        let (mut new, mut changed) = (Vec::new(), Vec::new());
        for held in self.rows.values() {
            match held.found {
                None => new.push(ApprovalRow::of(tenant_id, &held.approval)),
                Some(state) if state != held.approval.state => changed.push(ApprovalChange {
                    tenant_id,
                    id: held.approval.id,
                    seen_status: state.name().to_owned(),
                    status: held.approval.state.name().to_owned(),
                    decided_by: held.approval.decided_by.clone(),
                    reason: held.approval.reason.clone(),
                    decided_at: held.approval.decided_at.map(Timestamp::micros),
                }),
                Some(_) => {}
            }
        }
        writes.add(new);
        writes.add(changed);
    }
}

impl ApprovalRow {
    fn of(tenant_id: TenantId, row: &Approval) -> Self {
        Self {
            tenant_id,
            id: row.id,
            subject: row.subject.to_vec(),
            action: row.action.name().to_owned(),
            status: row.state.name().to_owned(),
            proposed_by: row.proposed_by.clone(),
            decided_by: row.decided_by.clone(),
            reason: row.reason.clone(),
            expires_at: row.expires_at.micros(),
            created_at: row.created_at.micros(),
            decided_at: row.decided_at.map(Timestamp::micros),
        }
    }

    fn read(self) -> Result<Approval, Error> {
        let wrong = |column: &str| Error::Refused(format!("approval {}: bad {column}", self.id));
        let subject = self.subject.as_slice().try_into();
        Ok(Approval {
            id: self.id,
            action: Action::from_name(&self.action).ok_or_else(|| wrong("action"))?,
            subject: subject.map_err(|_length| wrong("subject"))?,
            state: ApprovalState::from_name(&self.status).ok_or_else(|| wrong("status"))?,
            proposed_by: self.proposed_by,
            decided_by: self.decided_by,
            reason: self.reason,
            expires_at: Timestamp::from_micros(self.expires_at),
            created_at: Timestamp::from_micros(self.created_at),
            decided_at: self.decided_at.map(Timestamp::from_micros),
        })
    }
}

/// One approval of the tenant, if it exists.
pub(super) fn approval(
    connection: &mut AnyConnection,
    tenant: TenantId,
    id: ApprovalId,
) -> Result<Option<Approval>, Error> {
    let row: Option<ApprovalRow> = approval::table
        .find((tenant, id))
        .first(connection)
        .optional()?;
    row.map(ApprovalRow::read).transpose()
}

/// At most `limit` approvals, newest first, that were proposed before the approval `before`.
pub(super) fn approvals(
    connection: &mut AnyConnection,
    tenant: TenantId,
    before: Option<ApprovalId>,
    limit: i64,
) -> Result<Vec<Approval>, Error> {
    let newest = ApprovalId::from_bytes([0xff; 16]);
    let rows: Vec<ApprovalRow> = approval::table
        .filter(approval::tenant_id.eq(tenant))
        .filter(approval::id.lt(before.unwrap_or(newest)))
        .order(approval::id.desc())
        .limit(limit)
        .load(connection)?;
    rows.into_iter().map(ApprovalRow::read).collect()
}
