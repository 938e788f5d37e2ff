//! The report as a table, for people.

use comfy_table::Table;
use comfy_table::presets::ASCII_MARKDOWN;

use super::report::{Findings, Ratio, Report, megabytes};

impl Report {
    /// The report as a table.
    pub(crate) fn to_text(&self) -> String {
        let mut text = self.start.to_text();
        if let Some(grown) = &self.grown {
            let megabytes =
                |kib: Option<u64>| kib.map_or("?".into(), |kib| megabytes(kib).to_string());
            text.push_str(&format!(
                "\n{} transfers later: {} MB in use before, {} MB after, {} MB at the peak\n\n",
                grown.transfers,
                megabytes(grown.resident_kib_before),
                megabytes(grown.resident_kib_after),
                megabytes(grown.peak_kib),
            ));
            text.push_str(&grown.findings.to_text());
            text.push_str(&format!("\n{}\n", ratio_table(&grown.ratios)));
        }
        text
    }
}

impl Findings {
    pub(super) fn to_text(&self) -> String {
        let mut table = Table::new();
        table.load_style(ASCII_MARKDOWN);
        table.set_header([
            "level",
            "shape",
            "in flight",
            "transfers/s",
            "p50 ms",
            "p99 ms",
            "p99/p50",
            "peak MB",
        ]);
        for line in &self.blocks {
            table.add_row([
                line.level.name().to_owned(),
                line.shape.name().to_owned(),
                line.in_flight.to_string(),
                line.transfers_per_second.to_string(),
                milliseconds(line.p50_us),
                milliseconds(line.p99_us),
                two_decimals(line.p99_by_p50_hundredths),
                line.peak_kib
                    .map_or(String::new(), |kib| megabytes(kib).to_string()),
            ]);
        }
        let mut text = format!(
            "{} transfers in the book\n{table}\n",
            self.transfers_in_book
        );
        for line in self.blocks.iter().filter(|line| line.errors > 0) {
            text.push_str(&format!(
                "{} {} {}: {} ERRORS, the first: {}\n",
                line.level.name(),
                line.shape.name(),
                line.in_flight,
                line.errors,
                line.first_error.as_deref().unwrap_or_default(),
            ));
        }
        text.push_str(&format!(
            "\nfloor: {} transfers/s, {} rows/s ({} rows a transfer); bare inserts: {} rows/s, \
             one alone {} ms\n\n{}\n",
            self.floor.transfers_per_second,
            self.floor.rows_per_second,
            two_decimals(self.floor.rows_per_transfer_hundredths),
            self.floor.bare_rows_per_second,
            milliseconds(self.floor.bare_insert_p50_us),
            ratio_table(&self.ratios),
        ));
        text
    }
}

fn ratio_table(ratios: &[Ratio]) -> Table {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    table.set_header(["figure", "value", "must", "aim", "reached"]);
    for ratio in ratios {
        let bound = if ratio.at_most { "≤" } else { "≥" };
        let goal = |goal: Option<u64>| {
            goal.map_or(String::new(), |goal| {
                format!("{bound} {}", ratio.shown(goal))
            })
        };
        table.add_row([
            ratio.name.to_owned(),
            ratio.shown(ratio.value),
            goal(ratio.must),
            goal(ratio.aim),
            ratio.verdict().to_owned(),
        ]);
    }
    table
}

impl Ratio {
    fn shown(&self, value: u64) -> String {
        if self.whole {
            value.to_string()
        } else {
            two_decimals(value)
        }
    }

    /// The verdict on a value: whether it reaches its goals.
    pub(super) fn verdict(&self) -> &'static str {
        let reached = |goal: u64| {
            if self.at_most {
                self.value <= goal
            } else {
                self.value >= goal
            }
        };
        match (self.must, self.aim) {
            (_, Some(aim)) if reached(aim) => "aim",
            (Some(must), _) if reached(must) => "must",
            (Some(_), _) => "MISSED",
            (None, _) => "",
        }
    }
}

fn two_decimals(hundredths: u64) -> String {
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

fn milliseconds(micros: u64) -> String {
    format!("{}.{:03}", micros / 1_000, micros % 1_000)
}
