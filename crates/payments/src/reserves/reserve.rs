//! A reserve and its releases, as they are stored.

use money::Money;
use store::Timestamp;

use crate::disputes::dispute::DisputeId;
use crate::{OperationId, PaymentId};

store::typed_id!(
    /// A reserve's id: `rsv_…`.
    ReserveId,
    "rsv"
);

store::typed_id!(
    /// The id of a release of a reserve: `rrl_…`.
    ReleaseId,
    "rrl"
);

/// Kind of the errand that releases a reserve.
pub(super) const RELEASE: &str = "reserve_release";

/// Available money that is held back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reserve {
    /// Its id.
    pub id: ReserveId,
    /// The payment and the capture whose money it is; `None` if a person has made the reserve.
    pub of: Option<(PaymentId, OperationId)>,
    /// The money that was held back at first.
    pub money: Money,
    /// What is left to release, in minor units.
    pub remaining: i64,
    /// The reason of the person who has made it.
    pub reason: Option<String>,
    /// When what is left is released; `None`: when a person asks for it.
    pub release_at: Option<Timestamp>,
    /// Number of the present version, from 1.
    pub version: i64,
    /// Time at which it was made.
    pub created_at: Timestamp,
    /// Time of the last change.
    pub updated_at: Timestamp,
}

/// Why a part of a reserve is released.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// A person has asked for it.
    Asked,
    /// Its time has come.
    Due,
    /// A dispute of the payment needs the money.
    Dispute(DisputeId),
}

impl Cause {
    /// The name, as it is stored and recorded.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Due => "due",
            Self::Dispute(_) => "dispute",
        }
    }

    /// The dispute that needs the money.
    pub(crate) const fn dispute(self) -> Option<DisputeId> {
        match self {
            Self::Dispute(id) => Some(id),
            Self::Asked | Self::Due => None,
        }
    }
}

/// The release of a reserve, or of a part of it. It is never changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Its id.
    pub id: ReleaseId,
    /// The reserve.
    pub reserve: ReserveId,
    /// The released money.
    pub money: Money,
    /// Why it is released.
    pub cause: Cause,
    /// Time of the release.
    pub created_at: Timestamp,
}
