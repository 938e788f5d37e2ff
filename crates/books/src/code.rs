//! The codes that the books give: their own, and two that every route has.
#![expect(
    ambiguous_glob_reexports,
    reason = "each folder has a list ALL, and only its capability names that one"
)]

pub(crate) use edge::code::{INVALID_FIELD, NOT_FOUND};

pub use crate::accounts::codes::*;
pub use crate::assets::codes::*;
pub use crate::exchanges::codes::*;
pub use crate::periods::codes::*;
pub use crate::transactions::codes::*;
