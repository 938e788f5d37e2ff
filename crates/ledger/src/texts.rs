//! What people and tenants call things: the kinds of text that the books keep, each guarded as the crate
//! `text` says.

use text::{Identifier, Text};

/// What people call an account.
pub type AccountName = Text<255>;
/// What people call an asset.
pub type AssetName = Text<255>;
/// What a transaction is, for people.
pub type Description = Text<500>;
/// The caller's own name for a transaction; unique per tenant.
pub type ExternalId = Identifier<255>;
/// Where a rate comes from.
pub type RateSource = Text<100>;
