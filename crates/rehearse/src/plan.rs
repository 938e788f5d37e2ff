//! The plan of a schedule: which deliveries are sent, in which order, and what a correct consumer answers and does. It is
//! made of a seed, without a clock and without a network.

use crate::Schedule;
use crate::chance::Chance;
use crate::order::{Event, Order, spaced};

/// The way in which a delivery is signed, at the moment when it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signing {
    /// Rightly, with a time that is `age` seconds ago. A negative age is in the future.
    Right {
        /// How old the signature is, in seconds.
        age: i64,
    },
    /// With a secret that the consumer does not have.
    WithAnotherSecret,
    /// Not at all.
    Missing,
    /// By headers without a value.
    Empty,
    /// Rightly, and then one character of the signature was changed.
    Altered,
    /// Rightly, for this other body.
    Borrowed(String),
    /// With two secrets, of which the consumer has one.
    Twice {
        /// True if the consumer's own one comes last.
        own_last: bool,
    },
}

/// The way in which the bytes are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// At once, and the answer is read.
    Whole,
    /// At once, and the answer is lost.
    Unheard,
    /// The body in small pieces with pauses.
    Slow,
    /// The connection is closed in the middle of the body.
    Cut,
}

/// The answer of a correct consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Expected {
    /// 2xx. A 429 or 503 is also right, if the next attempt gets a 2xx.
    Accepted,
    /// 2xx. A 4xx or 503 is also right, if a later attempt gets a 2xx.
    AcceptedInTheEnd,
    /// Any 4xx.
    Refused,
    /// Any 2xx or 4xx.
    Answered,
    /// Nothing: there is nobody to answer to.
    Nothing,
}

impl Expected {
    /// The expectation in words.
    pub const fn what(self) -> &'static str {
        match self {
            Self::Accepted => "2xx",
            Self::AcceptedInTheEnd => "2xx, or 2xx when sent again",
            Self::Refused => "any 4xx",
            Self::Answered => "2xx or 4xx",
            Self::Nothing => "nothing",
        }
    }
}

/// One sending of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The fault of the delivery, in words.
    pub case: &'static str,
    /// The id of the event.
    pub event: String,
    /// The type of the event.
    pub kind: String,
    /// The body.
    pub body: String,
    /// How it is signed.
    pub signing: Signing,
    /// How it is sent.
    pub manner: Manner,
    /// What a correct consumer answers.
    pub expected: Expected,
}

/// The deliveries about one order. The deliveries of a step are sent at the same time, the steps one after another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track {
    /// The name of the order.
    pub order: String,
    /// What a correct consumer has credited to the order in the end, in minor units.
    pub effect: i64,
    /// The steps.
    pub steps: Vec<Vec<Delivery>>,
}

/// All deliveries of a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The schedule.
    pub schedule: Schedule,
    /// True if all tracks begin at the same moment.
    pub all_at_once: bool,
    /// The tracks.
    pub tracks: Vec<Track>,
}

/// What a scheme and the bodies allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Abilities {
    /// The tolerance in seconds, if signatures have a time.
    pub tolerance: Option<i64>,
    /// True if a request can carry two signatures.
    pub two_signatures: bool,
    /// True if the signature covers the bytes of the body, and not only some of its fields.
    pub covers_bytes: bool,
    /// True if there are refunds.
    pub refunds: bool,
    /// True if there are events of an unknown type.
    pub unknown: bool,
    /// True if there are thin events.
    pub thin: bool,
}

impl Abilities {
    /// Why a schedule has nothing to send; `None` if it has.
    pub const fn missing(&self, schedule: Schedule) -> Option<&'static str> {
        let no_time = "the scheme signs no time";
        match schedule {
            Schedule::Delayed | Schedule::Stale | Schedule::Future if self.tolerance.is_none() => {
                Some(no_time)
            }
            Schedule::Reordered if !self.refunds => Some("there is no body of a refund"),
            Schedule::Rotated if !self.two_signatures => {
                Some("the scheme has one signature in a request")
            }
            Schedule::Unknown if !self.unknown => Some("the body names no type"),
            Schedule::Thin if !self.thin => Some("the scheme has no thin events"),
            Schedule::Once
            | Schedule::Duplicates
            | Schedule::Racing
            | Schedule::Reordered
            | Schedule::Delayed
            | Schedule::Dropped
            | Schedule::Stale
            | Schedule::Future
            | Schedule::Forged
            | Schedule::Reserialised
            | Schedule::Rotated
            | Schedule::Unknown
            | Schedule::Burst
            | Schedule::Slow
            | Schedule::Cut
            | Schedule::Thin
            | Schedule::Mixed => None,
        }
    }
}

/// Makes the plan of a schedule about these orders.
///
/// # Errors
/// Why the schedule has nothing to send.
pub fn plan(
    schedule: Schedule,
    abilities: &Abilities,
    seed: u64,
    orders: &[Order],
) -> Result<Plan, &'static str> {
    if let Some(missing) = abilities.missing(schedule) {
        return Err(missing);
    }
    let possible: Vec<Schedule> = Schedule::ALL
        .into_iter()
        .filter(|one| *one != Schedule::Mixed && abilities.missing(*one).is_none())
        .collect();
    let tracks = (0..).zip(orders).map(|(number, order)| {
        let mut chance = Chance::of(seed, schedule.number(), number);
        let of_order = if schedule == Schedule::Mixed {
            let last = u32::try_from(possible.len()).unwrap_or(1).saturating_sub(1);
            let drawn = usize::try_from(chance.between(0, last)).unwrap_or(0);
            possible.get(drawn).copied().unwrap_or(Schedule::Once)
        } else {
            schedule
        };
        track(of_order, abilities, &mut chance, order)
    });
    Ok(Plan {
        schedule,
        all_at_once: schedule == Schedule::Burst,
        tracks: tracks.collect(),
    })
}

const NOW: Signing = Signing::Right { age: 0 };

impl Delivery {
    /// The event, signed and sent rightly.
    fn of(case: &'static str, event: &Event) -> Self {
        Self {
            case,
            event: event.id.clone(),
            kind: event.kind.clone(),
            body: event.body.clone(),
            signing: NOW,
            manner: Manner::Whole,
            expected: Expected::Accepted,
        }
    }

    fn signed(self, signing: Signing) -> Self {
        Self { signing, ..self }
    }

    fn sent(self, manner: Manner) -> Self {
        Self { manner, ..self }
    }

    fn expecting(self, expected: Expected) -> Self {
        Self { expected, ..self }
    }

    fn refused(self, signing: Signing) -> Self {
        self.signed(signing).expecting(Expected::Refused)
    }

    fn with_body(self, body: &str) -> Self {
        Self {
            body: body.to_owned(),
            ..self
        }
    }
}

fn track(schedule: Schedule, abilities: &Abilities, chance: &mut Chance, order: &Order) -> Track {
    let credit = &order.credit;
    let send = |case| Delivery::of(case, credit);
    let tolerance = abilities.tolerance.unwrap_or(0);
    let beyond = |chance: &mut Chance| {
        let more = i64::from(chance.between(60, 86_400));
        tolerance.saturating_add(more)
    };
    let mut effect = credit.effect;
    let steps = match schedule {
        // A mixed schedule has drawn another one for this order.
        Schedule::Once | Schedule::Mixed => {
            let refund = order.refund.as_ref();
            effect = effect.saturating_add(refund.map_or(0, |event| event.effect));
            let refund = refund.map(|event| Delivery::of("refund", event));
            in_turn(std::iter::once(send("credit")).chain(refund))
        }
        Schedule::Duplicates => {
            let more = (0..chance.between(1, 3)).map(|_| send("the same again"));
            in_turn(std::iter::once(send("first")).chain(more))
        }
        Schedule::Racing => {
            let racing = (0..chance.between(2, 8))
                .map(|_| send("at once").expecting(Expected::AcceptedInTheEnd));
            vec![racing.collect(), vec![send("once more")]]
        }
        Schedule::Reordered => {
            let refund = order.refund.as_ref();
            effect = effect.saturating_add(refund.map_or(0, |event| event.effect));
            let early = refund
                .map(|event| Delivery::of("refund first", event))
                .map(|early| early.expecting(Expected::AcceptedInTheEnd));
            in_turn(early.into_iter().chain([send("credit after it")]))
        }
        Schedule::Delayed => delayed(credit, tolerance, chance),
        Schedule::Dropped => {
            let lost = send("answer lost")
                .sent(Manner::Unheard)
                .expecting(Expected::Nothing);
            in_turn([lost, send("sent again")])
        }
        Schedule::Stale => {
            let age = beyond(chance);
            in_turn([
                send("signed too long ago").refused(Signing::Right { age }),
                send("signed anew"),
            ])
        }
        Schedule::Future => {
            let age = beyond(chance).saturating_neg();
            in_turn([
                send("signed in the future").refused(Signing::Right { age }),
                send("signed anew"),
            ])
        }
        Schedule::Forged => forged(credit),
        Schedule::Reserialised => reserialised(credit, abilities.covers_bytes),
        Schedule::Rotated => in_turn([
            send("own signature last").signed(Signing::Twice { own_last: true }),
            send("own signature first").signed(Signing::Twice { own_last: false }),
        ]),
        Schedule::Unknown => {
            effect = 0;
            let unknown = order.unknown.iter();
            in_turn(unknown.map(|event| Delivery::of("an unknown type", event)))
        }
        Schedule::Burst => {
            vec![vec![
                send("all at once").expecting(Expected::AcceptedInTheEnd),
            ]]
        }
        Schedule::Slow => in_turn([send("a slow body")
            .sent(Manner::Slow)
            .expecting(Expected::AcceptedInTheEnd)]),
        Schedule::Cut => {
            let cut = send("cut in the body")
                .sent(Manner::Cut)
                .expecting(Expected::Nothing);
            in_turn([cut, send("sent again, whole")])
        }
        Schedule::Thin => {
            effect = 0;
            let thin = order.thin.iter();
            in_turn(thin.map(|event| {
                Delivery::of("thin, without an amount", event).expecting(Expected::Answered)
            }))
        }
    };
    Track {
        order: order.name.clone(),
        effect,
        steps,
    }
}

/// Deliveries whose time is not now, and right.
fn delayed(credit: &Event, tolerance: i64, chance: &mut Chance) -> Vec<Vec<Delivery>> {
    let most = u32::try_from(tolerance / 2).unwrap_or(u32::MAX);
    let age = i64::from(chance.between(1, most.max(1)));
    let ahead = Signing::Right {
        age: age.saturating_neg() / 2,
    };
    in_turn([
        Delivery::of("signed a while ago", credit).signed(Signing::Right { age }),
        Delivery::of("signed a little ahead", credit).signed(ahead),
    ])
}

fn forged(credit: &Event) -> Vec<Vec<Delivery>> {
    let send = |case| Delivery::of(case, credit);
    in_turn([
        send("another secret").refused(Signing::WithAnotherSecret),
        send("no signature").refused(Signing::Missing),
        send("an empty signature").refused(Signing::Empty),
        send("an altered signature").refused(Signing::Altered),
        send("the amount was changed")
            .with_body(&credit.changed)
            .refused(Signing::Borrowed(credit.body.clone())),
        send("the genuine one"),
    ])
}

fn reserialised(credit: &Event, covers_bytes: bool) -> Vec<Vec<Delivery>> {
    let unusual = spaced(&credit.body);
    let after = Delivery::of("spaces added after signing", credit)
        .with_body(&unusual)
        .refused(Signing::Borrowed(credit.body.clone()));
    let before = Delivery::of("spaces that were signed", credit).with_body(&unusual);
    in_turn(covers_bytes.then_some(after).into_iter().chain([before]))
}

/// Steps of one delivery each.
fn in_turn(deliveries: impl IntoIterator<Item = Delivery>) -> Vec<Vec<Delivery>> {
    deliveries.into_iter().map(|one| vec![one]).collect()
}
