//! The codes that the books give: their own, and two that every route has.

use edge::Code;

pub(crate) use edge::code::{INVALID_FIELD, NOT_FOUND};

pub use crate::accounts::codes::*;
pub use crate::assets::codes::*;
pub use crate::exchanges::codes::*;
pub use crate::periods::codes::*;
pub use crate::transactions::codes::*;

/// Those of their own, in the order of the table in `docs/api.md`.
pub const ALL: &[&[&Code]] = &[
    crate::assets::codes::ALL,
    crate::accounts::codes::ALL,
    crate::transactions::codes::ALL,
    crate::exchanges::codes::ALL,
    crate::periods::codes::ALL,
];
