//! The schedules by name: what each one does to the deliveries of its events.

use webhook_signatures::Scheme;

/// A way in which deliveries go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Schedule {
    /// Each event once, in order. Whoever fails here should repair that first.
    Once,
    /// Each event several times, one after another.
    Duplicates,
    /// Each event several times at once.
    Racing,
    /// A refund before the credit that it belongs to.
    Reordered,
    /// Deliveries that were signed a while ago, and are still within the tolerance.
    Delayed,
    /// Deliveries whose answer is lost on its way, so that they are sent again.
    Dropped,
    /// Deliveries that were signed too long ago.
    Stale,
    /// Deliveries that were signed with a clock too far ahead.
    Future,
    /// Wrong, missing and borrowed signatures, and changed bodies.
    Forged,
    /// Bodies with unusual spaces: signed like this, or changed after they were signed.
    Reserialised,
    /// Two signatures, because a secret is being replaced: one of the consumer's secret and one of another.
    Rotated,
    /// Events of a type that the consumer does not know.
    Unknown,
    /// Many events at the same moment.
    Burst,
    /// Bodies that arrive in small pieces.
    Slow,
    /// Connections that break in the middle of the body.
    Cut,
    /// Events that only name what they are about.
    Thin,
    /// All of these, drawn by chance for each order.
    Mixed,
}

impl Schedule {
    /// Every schedule, in the order in which they run.
    pub const ALL: [Self; 17] = [
        Self::Once,
        Self::Duplicates,
        Self::Racing,
        Self::Reordered,
        Self::Delayed,
        Self::Dropped,
        Self::Stale,
        Self::Future,
        Self::Forged,
        Self::Reserialised,
        Self::Rotated,
        Self::Unknown,
        Self::Burst,
        Self::Slow,
        Self::Cut,
        Self::Thin,
        Self::Mixed,
    ];

    /// The name on the command line and in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Once => "once",
            Self::Duplicates => "duplicates",
            Self::Racing => "racing",
            Self::Reordered => "reordered",
            Self::Delayed => "delayed",
            Self::Dropped => "dropped",
            Self::Stale => "stale",
            Self::Future => "future",
            Self::Forged => "forged",
            Self::Reserialised => "reserialised",
            Self::Rotated => "rotated",
            Self::Unknown => "unknown",
            Self::Burst => "burst",
            Self::Slow => "slow",
            Self::Cut => "cut",
            Self::Thin => "thin",
            Self::Mixed => "mixed",
        }
    }

    /// What the schedule does, in one line.
    pub const fn what(self) -> &'static str {
        match self {
            Self::Once => "each event once, in order",
            Self::Duplicates => "each event several times, one after another",
            Self::Racing => "each event several times at once",
            Self::Reordered => "a refund before the credit that it belongs to",
            Self::Delayed => "signed a while ago, and still within the tolerance",
            Self::Dropped => "the answer is lost, and the event is sent again",
            Self::Stale => "signed too long ago",
            Self::Future => "signed with a clock too far ahead",
            Self::Forged => "wrong, missing and borrowed signatures, changed bodies",
            Self::Reserialised => "unusual spaces in the body, signed so or added later",
            Self::Rotated => "two signatures, one of them of another secret",
            Self::Unknown => "a type that the consumer does not know",
            Self::Burst => "many events at the same moment",
            Self::Slow => "bodies that arrive in small pieces",
            Self::Cut => "connections that break in the middle of the body",
            Self::Thin => "events that only name what they are about",
            Self::Mixed => "all of these, drawn by chance for each order",
        }
    }

    /// The schedule of this exact name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|schedule| schedule.name() == name)
    }

    /// The number of the schedule, for [`Chance`](crate::chance::Chance). It never changes.
    pub(crate) const fn number(self) -> u64 {
        match self {
            Self::Once => 0,
            Self::Duplicates => 1,
            Self::Racing => 2,
            Self::Reordered => 3,
            Self::Delayed => 4,
            Self::Dropped => 5,
            Self::Stale => 6,
            Self::Future => 7,
            Self::Forged => 8,
            Self::Reserialised => 9,
            Self::Rotated => 10,
            Self::Unknown => 11,
            Self::Burst => 12,
            Self::Slow => 13,
            Self::Cut => 14,
            Self::Thin => 15,
            Self::Mixed => 16,
        }
    }
}

/// Whether the signatures of a scheme have a time. `None` if that depends on its form.
pub(crate) const fn has_time(scheme: Scheme) -> Option<bool> {
    match scheme {
        Scheme::Stripe
        | Scheme::StandardWebhooks
        | Scheme::StandardWebhooksV1a
        | Scheme::Svix
        | Scheme::Paddle
        | Scheme::Rfc9421HmacSha256 => Some(true),
        Scheme::Github
        | Scheme::Shopify
        | Scheme::Square
        | Scheme::AdyenStandard
        | Scheme::AdyenPlatform
        | Scheme::CheckoutCom
        | Scheme::Paypal
        | Scheme::Mollie
        | Scheme::Hyperswitch
        | Scheme::Column => Some(false),
        Scheme::Generic => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Schedule;

    #[test]
    fn every_schedule_is_found_by_its_name_and_has_a_number_of_its_own() {
        for (number, schedule) in (0..).zip(Schedule::ALL) {
            assert_eq!(Schedule::from_name(schedule.name()), Some(schedule));
            assert_eq!(schedule.number(), number);
        }
        assert_eq!(Schedule::from_name("Once"), None);
    }
}
