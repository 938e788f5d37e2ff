//! A schedule by chance: the events of one history in any order, with copies, forgeries, stale signatures and lost
//! answers. Each event is delivered rightly, and heard, at least once.

use crate::chance::Chance;
use crate::order::Event;
use crate::plan::{Delivery, Expected, Manner, Signing, Track};

/// Greatest number of copies of an event, besides those at the end.
const MOST_COPIES: u32 = 3;

/// What happens to one copy of an event.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Right,
    /// The consumer may get it, and nobody hears the answer.
    Lost,
    Forged,
    Stale,
}

impl Fate {
    fn drawn(chance: &mut Chance) -> Self {
        match chance.between(0, 9) {
            0 => Self::Lost,
            1 | 2 => Self::Forged,
            3 => Self::Stale,
            _ => Self::Right,
        }
    }
}

/// The deliveries of a schedule about the events of one history.
pub(crate) fn shuffled(chance: &mut Chance, history: &str, events: &[Event]) -> Track {
    let mut copies: Vec<&Event> = Vec::new();
    for event in events {
        for _ in 0..chance.between(1, MOST_COPIES) {
            copies.push(event);
        }
    }
    for last in (1..copies.len()).rev() {
        let other = chance.between(0, u32::try_from(last).unwrap_or(u32::MAX));
        copies.swap(last, usize::try_from(other).unwrap_or(0));
    }
    let mut steps: Vec<Vec<Delivery>> = Vec::new();
    let mut heard: Vec<&str> = Vec::new();
    for event in copies {
        let fate = Fate::drawn(chance);
        if fate == Fate::Right {
            heard.push(&event.id);
        }
        let delivery = delivery(event, fate, chance);
        // A fifth of all deliveries race with the one before.
        match steps.last_mut() {
            Some(step) if chance.between(0, 4) == 0 => step.push(delivery),
            Some(_) | None => steps.push(vec![delivery]),
        }
    }
    // What was dropped is delivered again, the newest first.
    let unheard = events.iter().rev();
    let unheard = unheard.filter(|event| !heard.contains(&&*event.id));
    let again = unheard.map(|event| vec![delivery(event, Fate::Right, chance)]);
    steps.extend(again.collect::<Vec<_>>());
    Track {
        order: history.to_owned(),
        effect: 0,
        steps,
    }
}

/// The events of a history, each once, in order.
pub(crate) fn plain(history: &str, events: &[Event], chance: &mut Chance) -> Track {
    let steps = events.iter();
    let steps = steps.map(|event| vec![delivery(event, Fate::Right, chance)]);
    Track {
        order: history.to_owned(),
        effect: 0,
        steps: steps.collect(),
    }
}

fn delivery(event: &Event, fate: Fate, chance: &mut Chance) -> Delivery {
    let (case, signing, manner, expected) = match fate {
        Fate::Right => {
            let signing = Signing::Right { age: 0 };
            ("right", signing, Manner::Whole, Expected::Accepted)
        }
        Fate::Lost => {
            let signing = Signing::Right { age: 0 };
            let manner = match chance.between(0, 1) {
                0 => Manner::Unheard,
                _ => Manner::Cut,
            };
            ("lost", signing, manner, Expected::Nothing)
        }
        Fate::Forged => {
            let signing = match chance.between(0, 3) {
                0 => Signing::WithAnotherSecret,
                1 => Signing::Missing,
                2 => Signing::Altered,
                _ => Signing::Borrowed(event.changed.clone()),
            };
            ("forged", signing, Manner::Whole, Expected::Refused)
        }
        Fate::Stale => {
            let age = i64::from(chance.between(400, 86_400));
            let signing = Signing::Right { age };
            ("stale", signing, Manner::Whole, Expected::Refused)
        }
    };
    Delivery {
        case,
        event: event.id.clone(),
        kind: event.kind.clone(),
        body: event.body.clone(),
        signing,
        manner,
        expected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events() -> Vec<Event> {
        let event = |id: u32| Event {
            id: format!("evt_{id}"),
            kind: "charge.succeeded".to_owned(),
            body: format!("{{\"id\":\"evt_{id}\"}}"),
            changed: "{}".to_owned(),
            effect: 0,
        };
        (1..=5).map(event).collect()
    }

    #[test]
    fn a_schedule_by_chance_delivers_each_event_rightly_and_is_repeated_by_its_seed() {
        let events = events();
        let mut orders = std::collections::BTreeSet::new();
        let mut cases = std::collections::BTreeSet::new();
        for seed in 0..200 {
            let track = shuffled(&mut Chance::of(seed, 0, 0), "h", &events);
            assert_eq!(track, shuffled(&mut Chance::of(seed, 0, 0), "h", &events));
            let all: Vec<&Delivery> = track.steps.iter().flatten().collect();
            for event in &events {
                let is_right = |one: &&Delivery| {
                    one.event == event.id
                        && one.expected == Expected::Accepted
                        && one.signing == Signing::Right { age: 0 }
                        && one.manner == Manner::Whole
                };
                assert!(all.iter().any(is_right), "seed {seed}: {}", event.id);
            }
            cases.extend(all.iter().map(|one| one.case));
            let mut first: Vec<&str> = Vec::new();
            for one in all.iter().filter(|one| one.expected == Expected::Accepted) {
                if !first.contains(&&*one.event) {
                    first.push(&one.event);
                }
            }
            orders.insert(first.join(" "));
        }
        // Of 120 orders of five events most are there.
        assert!(orders.len() > 80, "{} orders", orders.len());
        assert_eq!(Vec::from_iter(cases), ["forged", "lost", "right", "stale"]);
    }
}
