//! The result for a received request: genuine and on time, or refused with a reason.

use std::borrow::Cow;

use crate::{Request, Scheme, Secret, Setup};

/// The signed data of a genuine request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedData {
    /// The time of signing, in Unix seconds; `None` if the scheme has no time. Such a message can be repeated for ever.
    pub timestamp: Option<i64>,
    /// The sender's signed id of the message, the same in each delivery attempt; `None` if the scheme signs no id. What
    /// identifies the event is told by [`Setup::identities`].
    pub message_id: Option<String>,
    /// How much of the body is genuine.
    pub covers: Covers,
}

/// How much of the body a signature covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Covers {
    /// Every byte.
    Body,
    /// The fields that [`adyen_standard::items`](crate::adyen_standard::items) gives, and nothing else.
    Fields,
    /// A checksum that another body can have too. The message is a hint: fetch what it is about.
    Checksum,
    /// Nothing. The message is a hint: fetch what it is about.
    Nothing,
}

/// Why a request is refused. This is for the receiver's own log: tell the sender only that it failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No secret was given, or no secret of this scheme.
    #[error("no secret of this scheme is configured")]
    NoSecret,
    /// A header of the scheme is missing.
    #[error("header `{name}` is missing")]
    MissingHeader {
        /// The name of the header.
        name: Cow<'static, str>,
    },
    /// A header of the scheme occurs more than once, so it is not clear which one is right.
    #[error("header `{name}` came more than once")]
    DuplicateHeader {
        /// The name of the header.
        name: Cow<'static, str>,
    },
    /// A header of the scheme cannot be read, or has no signature that the scheme knows.
    #[error("header `{name}` is malformed")]
    MalformedHeader {
        /// The name of the header.
        name: Cow<'static, str>,
    },
    /// There are more signatures than any sender makes.
    #[error("header `{name}` holds more than {most} signatures")]
    TooManySignatures {
        /// The name of the header.
        name: Cow<'static, str>,
        /// Greatest number of signatures that are checked.
        most: usize,
    },
    /// The scheme needs more than a secret, and it was not given.
    #[error("the scheme needs a setting that is missing: {what}")]
    NotSetUp {
        /// What is missing.
        what: &'static str,
    },
    /// The signature stands in the body, and the body cannot be read.
    #[error("the body cannot be read: {what}")]
    MalformedBody {
        /// What is wrong with it.
        what: &'static str,
    },
    /// An item of the body has no signature.
    #[error("item {item} of the body has no signature")]
    UnsignedItem {
        /// The number of the item, from 1.
        item: usize,
    },
    /// The signature covers a part of the request that cannot be compared here.
    #[error("the signature covers {component}, which this receiver cannot compare")]
    UnknownComponent {
        /// The component, as it stands in the header.
        component: String,
    },
    /// The signed digest is not that of the body.
    #[error("the digest in the header is not that of the body")]
    WrongDigest,
    /// The sender's certificate is said to be at an address that is not the sender's.
    #[error("the certificate's address is not one of the sender's")]
    UntrustedAddress,
    /// No signature fits any secret. The receiver cannot tell whether the signature or the secret is wrong.
    #[error("no signature matches: the secret is wrong, or the body, id or timestamp was changed")]
    NoMatchingSignature,
    /// The request is genuine, but was signed too long ago.
    #[error("too old, by {by} s beyond the tolerance")]
    TooOld {
        /// Seconds beyond the tolerance.
        by: u64,
    },
    /// The request is genuine, but its time lies in the receiver's future.
    #[error("signed in the future, by {by} s beyond the tolerance")]
    InTheFuture {
        /// Seconds beyond the tolerance.
        by: u64,
    },
}

/// Verifies that a holder of one of the secrets signed exactly this request, and recently.
///
/// `now_unix` is the receiver's clock in Unix seconds. A message may be up to `tolerance_seconds` old or early, with
/// that second included; a negative tolerance counts as zero. Secrets of another scheme are ignored. A scheme that
/// needs more than a secret is verified by a [`Setup`].
///
/// # Errors
///
/// See [`Refusal`]; the crate's documentation gives the order.
pub fn verify(
    scheme: Scheme,
    secrets: &[Secret],
    request: &Request<'_>,
    now_unix: i64,
    tolerance_seconds: i64,
) -> Result<SignedData, Refusal> {
    Setup::new(scheme)
        .with_tolerance(tolerance_seconds)
        .verify(secrets, request, now_unix)
}

/// Differences are unsigned, so no pair of times overflows, however far apart they are.
pub(crate) fn check_time(
    timestamp: i64,
    now_unix: i64,
    tolerance_seconds: i64,
) -> Result<(), Refusal> {
    let tolerance = tolerance_seconds.max(0).unsigned_abs();
    let by = now_unix.abs_diff(timestamp).saturating_sub(tolerance);
    if by == 0 {
        return Ok(());
    }
    Err(if timestamp < now_unix {
        Refusal::TooOld { by }
    } else {
        Refusal::InTheFuture { by }
    })
}

#[cfg(test)]
mod tests {
    use super::{Refusal, check_time};

    #[test]
    fn the_tolerance_includes_its_last_second_both_ways() {
        assert_eq!(check_time(700, 1_000, 300), Ok(()));
        assert_eq!(check_time(699, 1_000, 300), Err(Refusal::TooOld { by: 1 }));
        assert_eq!(check_time(1_300, 1_000, 300), Ok(()));
        assert_eq!(
            check_time(1_301, 1_000, 300),
            Err(Refusal::InTheFuture { by: 1 })
        );
    }

    #[test]
    fn a_negative_tolerance_tolerates_nothing_but_the_same_second() {
        assert_eq!(check_time(5, 5, -1), Ok(()));
        assert_eq!(check_time(5, 6, i64::MIN), Err(Refusal::TooOld { by: 1 }));
    }

    #[test]
    fn the_ends_of_time_do_not_overflow() {
        assert_eq!(
            check_time(i64::MIN, i64::MAX, 0),
            Err(Refusal::TooOld { by: u64::MAX })
        );
        assert_eq!(
            check_time(i64::MAX, i64::MIN, 0),
            Err(Refusal::InTheFuture { by: u64::MAX })
        );
        assert_eq!(check_time(i64::MIN, i64::MIN, i64::MIN), Ok(()));
        assert_eq!(check_time(0, i64::MAX, i64::MAX), Ok(()));
    }
}
