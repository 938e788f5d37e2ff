//! What a rehearsal has found: the answers by case, the effects, and the verdict.

use std::collections::BTreeMap;
use std::fmt;

use crate::Schedule;
use crate::drive::{Answer, Sent};
use crate::plan::{Expected, Manner};

/// Greatest number of examples of a wrong answer, or of a wrong effect, that a text shows.
const EXAMPLES: usize = 3;

/// The verdict on a consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All answers and all effects are those of a correct consumer.
    Passed,
    /// Some are not.
    Failed,
    /// The effects could not be asked for, so nothing is proved.
    Unknown,
}

impl Verdict {
    /// The word for the verdict, in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

/// A wrong answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongAnswer {
    /// The order that the event is about.
    pub order: String,
    /// The id of the event.
    pub event: String,
    /// What came back: `500`, or `404 → 200` if it was sent again.
    pub answered: String,
    /// The beginning of the last answer's body.
    pub body: String,
}

/// All deliveries of one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// What was done to the deliveries.
    pub case: &'static str,
    /// What a correct consumer answers.
    pub expected: Expected,
    /// Number of deliveries by answer.
    pub answers: BTreeMap<String, u64>,
    /// The answers that no correct consumer gives.
    pub wrong: Vec<WrongAnswer>,
}

impl Case {
    /// Number of deliveries.
    pub fn sent(&self) -> u64 {
        self.answers.values().sum()
    }
}

/// An order to which something else was credited than by a correct consumer. Amounts are in minor units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongEffect {
    /// The order.
    pub order: String,
    /// What a correct consumer has credited.
    pub expected: i64,
    /// What this one has credited.
    pub credited: i64,
}

impl fmt::Display for WrongEffect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            order,
            expected,
            credited,
        } = self;
        write!(
            formatter,
            "{order} was credited {credited} instead of {expected}"
        )?;
        let times = credited.checked_div(*expected).unwrap_or(0);
        let is_exact = expected.checked_mul(times) == Some(*credited);
        match (times, is_exact) {
            (2, true) => write!(formatter, ": twice"),
            (3.., true) => write!(formatter, ": {times} times"),
            _ => Ok(()),
        }
    }
}

/// The known effects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EffectsFound {
    /// Nobody was asked.
    NotAsked,
    /// The orders that were asked about, and those among them that are wrong.
    Asked {
        /// Number of orders.
        orders: u64,
        /// The wrong ones.
        wrong: Vec<WrongEffect>,
    },
    /// Why the question had no answer.
    NotTold(String),
}

/// The result of one schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleReport {
    /// The schedule.
    pub schedule: Schedule,
    /// Why nothing was sent.
    pub skipped: Option<&'static str>,
    /// The cases, in the order in which they were first sent.
    pub cases: Vec<Case>,
    /// The effects after the schedule.
    pub effects: EffectsFound,
    /// How long it took, in milliseconds.
    pub milliseconds: u64,
}

impl ScheduleReport {
    /// The verdict on this schedule.
    pub fn verdict(&self) -> Verdict {
        if self.cases.iter().any(|case| !case.wrong.is_empty()) {
            return Verdict::Failed;
        }
        match &self.effects {
            EffectsFound::NotAsked => Verdict::Passed,
            EffectsFound::Asked { wrong, .. } if wrong.is_empty() => Verdict::Passed,
            EffectsFound::Asked { .. } => Verdict::Failed,
            EffectsFound::NotTold(_) => Verdict::Unknown,
        }
    }
}

/// The result of a rehearsal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The URL that was sent to.
    pub url: String,
    /// The name of the signing scheme.
    pub scheme: &'static str,
    /// The seed.
    pub seed: u64,
    /// The number of orders in each schedule; a burst has ten times as many.
    pub count: u32,
    /// The schedules, in the order in which they ran.
    pub schedules: Vec<ScheduleReport>,
    /// Effects that were right after their schedule, and wrong at the end of the rehearsal.
    pub late: Vec<WrongEffect>,
}

impl Report {
    /// True if the consumer has passed.
    pub fn passed(&self) -> bool {
        self.verdict() == Verdict::Passed
    }

    /// The verdict on the consumer.
    pub fn verdict(&self) -> Verdict {
        let verdicts: Vec<Verdict> = self.schedules.iter().map(ScheduleReport::verdict).collect();
        if verdicts.contains(&Verdict::Failed) || !self.late.is_empty() {
            Verdict::Failed
        } else if verdicts.contains(&Verdict::Unknown) {
            Verdict::Unknown
        } else {
            Verdict::Passed
        }
    }

    /// The schedules that the consumer did not pass.
    pub fn failed(&self) -> Vec<Schedule> {
        let failed = self.schedules.iter();
        let failed = failed.filter(|one| one.verdict() == Verdict::Failed);
        failed.map(|one| one.schedule).collect()
    }

    /// Number of deliveries, without those that were sent again because the consumer asked for it.
    pub fn deliveries(&self) -> u64 {
        let cases = self.schedules.iter().flat_map(|one| &one.cases);
        cases.map(Case::sent).sum()
    }

    /// How long all schedules took, in milliseconds.
    pub fn milliseconds(&self) -> u64 {
        self.schedules.iter().map(|one| one.milliseconds).sum()
    }
}

/// Gathers what was sent by case.
pub(crate) fn cases(sent: &[Sent]) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for one in sent {
        let known = cases
            .iter_mut()
            .find(|case| case.case == one.case && case.expected == one.expected);
        let answered = answered(one);
        let wrong = (!one.is_right()).then(|| WrongAnswer {
            order: one.order.to_string(),
            event: one.event.clone(),
            answered: answered.clone(),
            body: match one.answers.last() {
                Some(Answer::Status(_, body)) => body.clone(),
                Some(Answer::None(_)) | None => String::new(),
            },
        });
        match known {
            Some(case) => {
                let count = case.answers.entry(answered).or_default();
                *count = count.saturating_add(1);
                case.wrong.extend(wrong);
            }
            None => cases.push(Case {
                case: one.case,
                expected: one.expected,
                answers: BTreeMap::from([(answered, 1)]),
                wrong: wrong.into_iter().collect(),
            }),
        }
    }
    cases
}

fn answered(sent: &Sent) -> String {
    match sent.manner {
        Manner::Cut => return "cut".to_owned(),
        Manner::Unheard => return "not read".to_owned(),
        Manner::Whole | Manner::Slow => {}
    }
    let words = sent.answers.iter().map(|answer| match answer {
        Answer::Status(status, _) => status.to_string(),
        Answer::None(reason) => reason.clone(),
    });
    let mut words: Vec<String> = words.collect();
    words.dedup();
    words.join(" → ")
}

/// A table for people, with a line for each case, and what is wrong below it. It has no times, so that a seed gives the
/// same text for a consumer that always does the same.
impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "  {:<13} {:<27} {:<28} a correct consumer",
            "schedule", "case", "answered"
        )?;
        for schedule in &self.schedules {
            schedule.write(out)?;
        }
        for wrong in &self.late {
            writeln!(out, "✗ at the end: {wrong}")?;
        }
        let failed: Vec<&str> = self.failed().into_iter().map(Schedule::name).collect();
        let ran = self.schedules.iter().filter(|one| one.skipped.is_none());
        let (sent, ran) = (self.deliveries(), ran.count());
        match self.verdict() {
            Verdict::Passed => {
                write!(out, "passed {ran} of {ran} schedules, {sent} deliveries")?;
            }
            Verdict::Failed if failed.is_empty() => write!(out, "failed: effects at the end")?,
            Verdict::Failed => write!(
                out,
                "failed {} of {ran} schedules: {}",
                failed.len(),
                failed.join(", ")
            )?,
            Verdict::Unknown => write!(out, "not known: the effects were not told")?,
        }
        let is_asked = |one: &ScheduleReport| one.effects != EffectsFound::NotAsked;
        if !self.schedules.iter().any(is_asked) {
            write!(
                out,
                "\nonly the answers were judged: a consumer that answers 200 twice may still have credited twice"
            )?;
        }
        Ok(())
    }
}

impl ScheduleReport {
    fn write(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut name = self.schedule.name();
        if let Some(reason) = self.skipped {
            return writeln!(out, "- {name:<13} not run: {reason}");
        }
        for case in &self.cases {
            let answers = case.answers.iter();
            let answers: Vec<String> = answers
                .map(|(answer, count)| match count {
                    1 => answer.clone(),
                    count => format!("{answer} ×{count}"),
                })
                .collect();
            let (mark, what) = (mark(case.wrong.is_empty()), case.expected.what());
            let (answers, case_name) = (answers.join(", "), case.case);
            writeln!(
                out,
                "{mark} {name:<13} {case_name:<27} {answers:<28} {what}"
            )?;
            name = "";
            for wrong in case.wrong.iter().take(EXAMPLES) {
                let WrongAnswer {
                    event, answered, ..
                } = wrong;
                writeln!(out, "    {event} was answered {answered}")?;
            }
            more(out, case.wrong.len())?;
        }
        match &self.effects {
            EffectsFound::NotAsked => Ok(()),
            EffectsFound::NotTold(why) => {
                writeln!(out, "✗ {name:<13} {:<27} not told: {why}", "effects")
            }
            EffectsFound::Asked { orders, wrong } => {
                let found = match wrong.len() {
                    0 => format!("right for {orders} orders"),
                    some => format!("wrong for {some} of {orders} orders"),
                };
                let (mark, what) = (mark(wrong.is_empty()), "each event once");
                writeln!(
                    out,
                    "{mark} {name:<13} {:<27} {found:<28} {what}",
                    "effects"
                )?;
                for wrong in wrong.iter().take(EXAMPLES) {
                    writeln!(out, "    {wrong}")?;
                }
                more(out, wrong.len())
            }
        }
    }
}

fn more(out: &mut fmt::Formatter<'_>, all: usize) -> fmt::Result {
    match all.saturating_sub(EXAMPLES) {
        0 => Ok(()),
        more => writeln!(out, "    and {more} more"),
    }
}

const fn mark(is_right: bool) -> &'static str {
    if is_right { "✓" } else { "✗" }
}

#[cfg(test)]
mod tests {
    use super::WrongEffect;

    #[test]
    fn a_double_credit_is_called_so() {
        let said = |credited| {
            let order = "o".to_owned();
            let wrong = WrongEffect {
                order,
                expected: 50,
                credited,
            };
            wrong.to_string()
        };
        assert_eq!(said(100), "o was credited 100 instead of 50: twice");
        assert_eq!(said(200), "o was credited 200 instead of 50: 4 times");
        assert_eq!(said(0), "o was credited 0 instead of 50");
        assert_eq!(said(120), "o was credited 120 instead of 50");
    }
}
