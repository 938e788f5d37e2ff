//! A warning that is logged at most once a minute, however often it is due.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Least time between two log lines of one kind of warning.
const EVERY: Duration = Duration::from_secs(60);

/// One kind of warning. It is logged at once, and then at most once a minute, with the number of times that it
/// was due.
#[derive(Debug, Default)]
pub struct RepeatedWarning(Mutex<State>);

#[derive(Debug)]
struct State {
    logged: Option<Instant>,
    due: u64,
}

impl Default for State {
    fn default() -> Self {
        State::NEW
    }
}

impl State {
    const NEW: Self = Self {
        logged: None,
        due: 0,
    };
}

impl RepeatedWarning {
    /// A warning that was never due.
    #[must_use]
    pub const fn new() -> Self {
        Self(Mutex::new(State::NEW))
    }

    /// Counts the warning. If it is to be logged now, returns how often it was due since it was last logged,
    /// including this time.
    pub fn due(&self) -> Option<u64> {
        self.due_at(Instant::now())
    }

    fn due_at(&self, now: Instant) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.due = state.due.saturating_add(1);
        if state
            .logged
            .is_some_and(|at| now.saturating_duration_since(at) < EVERY)
        {
            return None;
        }
        state.logged = Some(now);
        Some(std::mem::take(&mut state.due))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_warning_is_logged_and_then_one_a_minute_with_a_count() {
        let warning = RepeatedWarning::new();
        let begin = Instant::now();
        assert_eq!(warning.due_at(begin), Some(1));
        for second in 1..60 {
            assert_eq!(warning.due_at(begin + Duration::from_secs(second)), None);
        }
        assert_eq!(warning.due_at(begin + EVERY), Some(60));
        assert_eq!(warning.due_at(begin + EVERY), None);
        assert_eq!(warning.due_at(begin + EVERY * 3), Some(2));
    }
}
