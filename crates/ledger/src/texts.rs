//! The kinds of text that the books keep: names, descriptions, external ids and sources. The crate `text`
//! explains how each kind is guarded.

use text::{Identifier, Text};

/// The name of an account, for people.
pub type AccountName = Text<255>;
/// The name of an asset, for people.
pub type AssetName = Text<255>;
/// The description of a transaction, for people.
pub type Description = Text<500>;
/// The caller's own name for a transaction; unique per tenant.
pub type ExternalId = Identifier<255>;
/// The source of a rate.
pub type RateSource = Text<100>;
