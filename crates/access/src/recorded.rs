//! A3 for tenants: each has an audit record.

use engine::Tenant;
use engine::check::{Leaf, Recorder, Terms, unrecorded};
use store::{AnyConnection, CheckError};

/// The names of the tenants that audit records name.
#[derive(Default)]
pub(crate) struct Tenants(Vec<String>);

impl Recorder for Tenants {
    fn note(&mut self, leaf: &Leaf<'_>) {
        if leaf.kind == "tenant" && !self.0.iter().any(|known| known == leaf.id) {
            self.0.push(leaf.id.to_owned());
        }
    }

    fn compare(
        &self,
        _connection: &mut AnyConnection,
        tenant: &Tenant,
        _terms: Terms,
    ) -> Result<(), CheckError> {
        match self.0.iter().any(|name| *name == *tenant.name) {
            true => Ok(()),
            false => Err(unrecorded(&tenant.name)),
        }
    }
}
