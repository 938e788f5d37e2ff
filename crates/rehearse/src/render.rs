//! The report for programs: JSON, and the XML of JUnit.

use quick_xml::Writer;
use quick_xml::events::BytesText;
use serde_json::{Value, json};

use crate::report::{Case, EffectsFound, Report, ScheduleReport, WrongEffect};

impl Report {
    /// The report as JSON. Amounts are in minor units, times in milliseconds.
    pub fn to_json(&self) -> Value {
        let schedules = self.schedules.iter().map(schedule);
        json!({
            "verdict": self.verdict().name(),
            "url": self.url,
            "scheme": self.scheme,
            "seed": self.seed,
            "count": self.count,
            "deliveries": self.deliveries(),
            "milliseconds": self.milliseconds(),
            "schedules": schedules.collect::<Vec<_>>(),
            "late": self.late.iter().map(wrong_effect).collect::<Vec<_>>(),
        })
    }

    /// The report as XML in the form of JUnit: a test suite for each schedule, a test case for each case and for the
    /// effects.
    ///
    /// # Errors
    /// None that the writing to memory has.
    pub fn to_junit(&self) -> std::io::Result<String> {
        let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
        xml.create_element("testsuites")
            .with_attribute(("name", "florin rehearse"))
            .write_inner_content(|xml| {
                for schedule in &self.schedules {
                    suite(xml, schedule)?;
                }
                if !self.late.is_empty() {
                    let test = Test::of("effects", said(&self.late));
                    suite_of(xml, "at the end", &[test], 0)?;
                }
                Ok(())
            })?;
        let body = String::from_utf8_lossy(&xml.into_inner()).into_owned();
        Ok(format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{body}\n"
        ))
    }
}

fn schedule(report: &ScheduleReport) -> Value {
    let effects = match &report.effects {
        EffectsFound::NotAsked => Value::Null,
        EffectsFound::NotTold(why) => json!({"not_told": why}),
        EffectsFound::Asked { orders, wrong } => json!({
            "orders": orders, "wrong": wrong.iter().map(wrong_effect).collect::<Vec<_>>(),
        }),
    };
    let cases = report.cases.iter().map(case);
    json!({
        "schedule": report.schedule.name(),
        "what": report.schedule.what(),
        "verdict": report.verdict().name(),
        "skipped": report.skipped,
        "cases": cases.collect::<Vec<_>>(),
        "effects": effects,
        "milliseconds": report.milliseconds,
    })
}

fn case(case: &Case) -> Value {
    let wrong = case.wrong.iter().map(|wrong| {
        json!({
            "order": wrong.order, "event": wrong.event, "answered": wrong.answered, "body": wrong.body,
        })
    });
    json!({
        "case": case.case,
        "expected": case.expected.what(),
        "sent": case.sent(),
        "answers": case.answers,
        "wrong": wrong.collect::<Vec<_>>(),
    })
}

fn wrong_effect(wrong: &WrongEffect) -> Value {
    json!({"order": wrong.order, "expected": wrong.expected, "credited": wrong.credited})
}

/// A test case: its name, and what is wrong.
struct Test {
    name: String,
    outcome: Outcome,
}

enum Outcome {
    Passed,
    Failed(Vec<String>),
    Skipped(String),
    Unknown(String),
}

impl Test {
    fn of(name: &str, wrong: Vec<String>) -> Self {
        Self {
            name: name.to_owned(),
            outcome: match wrong.is_empty() {
                true => Outcome::Passed,
                false => Outcome::Failed(wrong),
            },
        }
    }
}

fn said(wrong: &[WrongEffect]) -> Vec<String> {
    wrong.iter().map(ToString::to_string).collect()
}

type Xml = Writer<Vec<u8>>;

fn suite(xml: &mut Xml, report: &ScheduleReport) -> std::io::Result<()> {
    let cases = report.cases.iter().map(|case| {
        let wrong = case.wrong.iter();
        let expected = case.expected.what();
        let wrong = wrong.map(|wrong| {
            format!(
                "{} was answered {}, expected {expected}",
                wrong.event, wrong.answered
            )
        });
        Test::of(case.case, wrong.collect())
    });
    let skipped = report.skipped.map(|why| Test {
        name: report.schedule.name().to_owned(),
        outcome: Outcome::Skipped(why.to_owned()),
    });
    let effects = match &report.effects {
        EffectsFound::NotAsked => None,
        EffectsFound::Asked { wrong, .. } => Some(Test::of("effects", said(wrong))),
        EffectsFound::NotTold(why) => Some(Test {
            name: "effects".to_owned(),
            outcome: Outcome::Unknown(why.clone()),
        }),
    };
    let tests: Vec<Test> = cases.chain(skipped).chain(effects).collect();
    suite_of(xml, report.schedule.name(), &tests, report.milliseconds)
}

fn suite_of(xml: &mut Xml, name: &str, tests: &[Test], milliseconds: u64) -> std::io::Result<()> {
    let count = |is: fn(&Outcome) -> bool| {
        let some = tests.iter().filter(|test| is(&test.outcome));
        some.count().to_string()
    };
    let time = format!("{}.{:03}", milliseconds / 1000, milliseconds % 1000);
    xml.create_element("testsuite")
        .with_attribute(("name", name))
        .with_attribute(("tests", tests.len().to_string().as_str()))
        .with_attribute((
            "failures",
            count(|o| matches!(o, Outcome::Failed(_))).as_str(),
        ))
        .with_attribute((
            "errors",
            count(|o| matches!(o, Outcome::Unknown(_))).as_str(),
        ))
        .with_attribute((
            "skipped",
            count(|o| matches!(o, Outcome::Skipped(_))).as_str(),
        ))
        .with_attribute(("time", time.as_str()))
        .write_inner_content(|xml| {
            for test in tests {
                one(xml, name, test)?;
            }
            Ok(())
        })?;
    Ok(())
}

fn one(xml: &mut Xml, suite: &str, test: &Test) -> std::io::Result<()> {
    let class = format!("rehearse.{suite}");
    let element = xml
        .create_element("testcase")
        .with_attribute(("classname", class.as_str()))
        .with_attribute(("name", test.name.as_str()));
    match &test.outcome {
        Outcome::Passed => element.write_empty()?,
        Outcome::Failed(wrong) => element.write_inner_content(|xml| {
            let first = wrong.first().map_or("", String::as_str);
            xml.create_element("failure")
                .with_attribute(("message", first))
                .write_text_content(BytesText::new(&wrong.join("\n")))?;
            Ok(())
        })?,
        Outcome::Skipped(why) => element.write_inner_content(|xml| {
            let skipped = xml.create_element("skipped");
            skipped
                .with_attribute(("message", why.as_str()))
                .write_empty()?;
            Ok(())
        })?,
        Outcome::Unknown(why) => element.write_inner_content(|xml| {
            let error = xml.create_element("error");
            error
                .with_attribute(("message", why.as_str()))
                .write_empty()?;
            Ok(())
        })?,
    };
    Ok(())
}
