//! The owner of a set of books.

use std::sync::Arc;

use store::TenantId;

/// A tenant: the owner of a set of books, kept apart from all others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Its id, the same in every database.
    pub id: TenantId,
    /// Its name, as the audit log shows it.
    pub name: Arc<str>,
}
