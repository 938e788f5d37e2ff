//! The one list of families: what each brings to the engine.

use std::sync::Arc;

use engine::Kind;
use engine::check::Plan;

/// The kinds of shelves, in the order in which they are loaded: what names others comes first. They are saved
/// backwards: what others refer to comes last here.
#[must_use]
pub fn shelves() -> Arc<[Kind]> {
    Arc::new([
        Kind::of::<webhooks::Shelf>(),
        Kind::of::<payments::Shelf>(),
        Kind::of::<idempotency::Shelf>(),
        Kind::of::<engine::errand::Errands>(),
        Kind::of::<books::Books>(),
        Kind::of::<access::Shelf>(),
    ])
}

/// Everything that `check` looks at.
pub const CHECK: Plan = Plan {
    tenants: access::tenants,
    families: &[
        &access::FAMILY,
        &books::FAMILY,
        &payments::FAMILY,
        &webhooks::FAMILY,
    ],
};
