//! The report of a run, with the ratios by which it is judged, in hundredths. It is also the JSON output.

use serde::Serialize;

use super::Level;
use super::floor::Floor;
use super::shape::{BULKS_IN_FLIGHT, Shape};
use super::tally::{Block, median};

/// The results of a run.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// `sqlite` or `postgres`.
    pub(crate) database: &'static str,
    pub(crate) accounts: u32,
    pub(crate) transfers_per_block: u32,
    pub(crate) rounds: u32,
    pub(crate) seed: u64,
    /// The results at the start.
    pub(crate) start: Findings,
    /// The results after the books were filled, if that was requested.
    pub(crate) grown: Option<Growth>,
}

impl Report {
    /// Number of transfers without the expected answer.
    pub(crate) fn errors(&self) -> u64 {
        let grown = self.grown.as_ref();
        self.start.errors() + grown.map_or(0, |grown| grown.findings.errors())
    }
}

/// One series of interleaved rounds: the medians, and the highest peak of memory.
#[derive(Debug, Serialize)]
pub(crate) struct Findings {
    /// Transfers that the tables held when the series began.
    pub(crate) transfers_in_book: u64,
    pub(crate) blocks: Vec<Line>,
    pub(crate) floor: FloorLine,
    pub(crate) ratios: Vec<Ratio>,
}

/// The effects of filling the books.
#[derive(Debug, Serialize)]
pub(crate) struct Growth {
    pub(crate) transfers: u64,
    pub(crate) resident_kib_before: Option<u64>,
    pub(crate) resident_kib_after: Option<u64>,
    pub(crate) peak_kib: Option<u64>,
    pub(crate) findings: Findings,
    pub(crate) ratios: Vec<Ratio>,
}

/// The results for one level, shape and number in flight.
#[derive(Debug, Serialize)]
pub(crate) struct Line {
    pub(crate) level: Level,
    pub(crate) shape: Shape,
    pub(crate) in_flight: u32,
    pub(crate) transfers_per_second: u64,
    pub(crate) p50_us: u64,
    pub(crate) p99_us: u64,
    pub(crate) p99_by_p50_hundredths: u64,
    pub(crate) peak_kib: Option<u64>,
    pub(crate) log_bytes_per_transfer: Option<u64>,
    pub(crate) disk_bytes_per_transfer: Option<u64>,
    pub(crate) errors: u64,
    pub(crate) first_error: Option<String>,
}

/// The floor's medians.
#[derive(Debug, Serialize)]
pub(crate) struct FloorLine {
    pub(crate) transfers_per_second: u64,
    pub(crate) rows_per_second: u64,
    pub(crate) rows_per_transfer_hundredths: u64,
    pub(crate) bare_rows_per_second: u64,
    pub(crate) bare_insert_p50_us: u64,
}

/// A value with its goals.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Ratio {
    pub(crate) name: &'static str,
    /// In hundredths, unless `whole`.
    pub(crate) value: u64,
    pub(crate) must: Option<u64>,
    pub(crate) aim: Option<u64>,
    /// True if value, must and aim are whole numbers.
    pub(crate) whole: bool,
    /// True if less is better.
    pub(crate) at_most: bool,
}

impl Line {
    pub(crate) fn of(level: Level, shape: Shape, in_flight: u32, rounds: &[Block]) -> Self {
        let each = |value: fn(&Block) -> u64| median(rounds.iter().map(value)).unwrap_or(0);
        let some = |value: fn(&Block) -> Option<u64>| median(rounds.iter().filter_map(value));
        let (p50_us, p99_us) = (each(|block| block.p50), each(|block| block.p99));
        Self {
            level,
            shape,
            in_flight,
            transfers_per_second: each(|block| block.per_second),
            p50_us,
            p99_us,
            p99_by_p50_hundredths: hundredths(p99_us, p50_us).unwrap_or(0),
            peak_kib: rounds.iter().filter_map(|block| block.peak_kib).max(),
            log_bytes_per_transfer: some(|block| block.log_bytes),
            disk_bytes_per_transfer: some(|block| block.disk_bytes),
            errors: rounds.iter().map(|block| block.errors).sum(),
            first_error: rounds.iter().find_map(|block| block.first_error.clone()),
        }
    }
}

impl FloorLine {
    pub(crate) fn of(rounds: &[Floor]) -> Self {
        let each = |value: fn(&Floor) -> u64| median(rounds.iter().map(value)).unwrap_or(0);
        Self {
            transfers_per_second: each(|floor| floor.transfers_per_second),
            rows_per_second: each(|floor| floor.rows_per_second),
            rows_per_transfer_hundredths: each(|floor| floor.rows_per_transfer),
            bare_rows_per_second: each(|floor| floor.bare_rows_per_second),
            bare_insert_p50_us: each(|floor| floor.bare_insert_p50),
        }
    }
}

impl Findings {
    /// Adds the ratios to the measurements.
    pub(crate) fn of(transfers_in_book: u64, blocks: Vec<Line>, floor: FloorLine) -> Self {
        let ratios = ratios(&blocks, &floor);
        Self {
            transfers_in_book,
            blocks,
            floor,
            ratios,
        }
    }

    /// One of the lines, if it was measured.
    fn line(&self, level: Level, shape: Shape, in_flight: u32) -> Option<&Line> {
        find(&self.blocks, level, shape, in_flight)
    }

    /// Number of transfers without the expected answer.
    fn errors(&self) -> u64 {
        self.blocks.iter().map(|line| line.errors).sum()
    }
}

/// The cost of a transfer in full books, relative to the cost at the start.
pub(crate) fn growth_ratios(start: &Findings, grown: &Findings) -> Vec<Ratio> {
    let cost = |name, in_flight| {
        let before = start
            .line(Level::Lane, Shape::Uniform, in_flight)?
            .transfers_per_second;
        let after = grown
            .line(Level::Lane, Shape::Uniform, in_flight)?
            .transfers_per_second;
        Some(Ratio::at_most(
            name,
            hundredths(before, after)?,
            Some(150),
            Some(120),
        ))
    };
    let ratios = [
        cost("cost per transfer grown / before, lane 256", 256),
        cost("cost per transfer grown / before, lane 1,024", 1_024),
    ];
    ratios.into_iter().flatten().collect()
}

fn ratios(blocks: &[Line], floor: &FloorLine) -> Vec<Ratio> {
    use Level::{Http, Lane};
    use Shape::{Hot, Uniform};
    let at = |level, shape, in_flight| find(blocks, level, shape, in_flight);
    let rate = |line: Option<&Line>| line.map(|line| line.transfers_per_second);
    let lane = at(Lane, Uniform, 256);
    let rows = rate(lane).map(|rate| rate * floor.rows_per_transfer_hundredths / 100);
    let over = |name, top: Option<u64>, bottom: Option<u64>, must, aim| {
        Some(Ratio::at_least(name, hundredths(top?, bottom?)?, must, aim))
    };
    let under = |name, value: Option<u64>, must, aim| Some(Ratio::at_most(name, value?, must, aim));
    let whole = |ratio: Option<Ratio>| {
        ratio.map(|ratio| Ratio {
            whole: true,
            ..ratio
        })
    };
    let tail = |line: Option<&Line>| line.map(|line| line.p99_by_p50_hundredths);
    let alone = at(Lane, Uniform, 1).map(|line| line.p50_us);
    let peak = blocks.iter().filter(|line| line.in_flight == 1_024);
    let found = [
        over(
            "HTTP 256 / lane 256",
            rate(at(Http, Uniform, 256)),
            rate(lane),
            Some(60),
            Some(75),
        ),
        over(
            "lane hot / uniform, 256",
            rate(at(Lane, Hot, 256)),
            rate(lane),
            Some(90),
            Some(110),
        ),
        over(
            "HTTP hot / uniform, 256",
            rate(at(Http, Hot, 256)),
            rate(at(Http, Uniform, 256)),
            None,
            None,
        ),
        over(
            "lane 256 rows/s / bare inserts",
            rows,
            Some(floor.bare_rows_per_second),
            Some(50),
            Some(100),
        ),
        over(
            "lane 256 rows/s / floor",
            rows,
            Some(floor.rows_per_second),
            None,
            None,
        ),
        under("lane p99 / p50, 256", tail(lane), Some(300), Some(200)),
        under(
            "HTTP p99 / p50, 256",
            tail(at(Http, Uniform, 256)),
            Some(300),
            Some(200),
        ),
        under(
            "one alone p50 / bare insert p50",
            alone.and_then(|alone| hundredths(alone, floor.bare_insert_p50_us)),
            Some(300),
            None,
        ),
        whole(under(
            "WAL bytes per transfer, lane 256",
            lane.and_then(|line| line.log_bytes_per_transfer),
            Some(2_000),
            Some(1_400),
        )),
        whole(under(
            "disk bytes per transfer, lane 256",
            lane.and_then(|line| line.disk_bytes_per_transfer),
            Some(1_200),
            Some(860),
        )),
        whole(under(
            "peak MB at 1,024 in flight",
            peak.filter_map(|line| line.peak_kib).max().map(megabytes),
            Some(150),
            None,
        )),
    ];
    let found = found.into_iter().flatten();
    found.chain(ratios_of_steps(blocks)).collect()
}

/// The speed of other steps, relative to a plain transfer.
fn ratios_of_steps(blocks: &[Line]) -> Vec<Ratio> {
    use Level::{Http, Lane};
    use Shape::{Bulk, TenPostings, TwoPhase, Uniform};
    let rate = |(level, shape, in_flight)| {
        find(blocks, level, shape, in_flight).map(|line| line.transfers_per_second)
    };
    let found = [
        (
            "two-phase / plain, lane 256",
            (Lane, TwoPhase, 256),
            (Lane, Uniform, 256),
            45,
        ),
        (
            "two-phase / plain, lane 1,024",
            (Lane, TwoPhase, 1_024),
            (Lane, Uniform, 1_024),
            45,
        ),
        (
            "ten postings / one, lane 256",
            (Lane, TenPostings, 256),
            (Lane, Uniform, 256),
            25,
        ),
        (
            "bulk / one request alone, HTTP",
            (Http, Bulk, BULKS_IN_FLIGHT),
            (Http, Uniform, 1),
            300,
        ),
        (
            "bulk / 256 requests, HTTP",
            (Http, Bulk, BULKS_IN_FLIGHT),
            (Http, Uniform, 256),
            300,
        ),
    ];
    let found = found.into_iter().filter_map(|(name, top, bottom, must)| {
        let value = hundredths(rate(top)?, rate(bottom)?)?;
        Some(Ratio::at_least(name, value, Some(must), None))
    });
    found.collect()
}

fn find(blocks: &[Line], level: Level, shape: Shape, in_flight: u32) -> Option<&Line> {
    let mut lines = blocks.iter();
    lines.find(|line| (line.level, line.shape, line.in_flight) == (level, shape, in_flight))
}

impl Ratio {
    const fn at_least(name: &'static str, value: u64, must: Option<u64>, aim: Option<u64>) -> Self {
        Self {
            name,
            value,
            must,
            aim,
            whole: false,
            at_most: false,
        }
    }

    const fn at_most(name: &'static str, value: u64, must: Option<u64>, aim: Option<u64>) -> Self {
        Self {
            name,
            value,
            must,
            aim,
            whole: false,
            at_most: true,
        }
    }
}

fn hundredths(top: u64, bottom: u64) -> Option<u64> {
    top.saturating_mul(100).checked_div(bottom)
}

/// Whole megabytes of 1,000,000 bytes, rounded up.
pub(super) fn megabytes(kib: u64) -> u64 {
    (kib * 1_024).div_ceil(1_000_000)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;

    fn line(level: Level, shape: Shape, rate: u64) -> Line {
        let block = Block {
            done: 10,
            errors: 0,
            first_error: None,
            per_second: rate,
            p50: 1_500,
            p99: 4_000,
            peak_kib: Some(100_000),
            log_bytes: Some(1_900),
            disk_bytes: Some(800),
        };
        Line::of(level, shape, 256, &[block])
    }

    const FLOOR: FloorLine = FloorLine {
        transfers_per_second: 20_000,
        rows_per_second: 120_000,
        rows_per_transfer_hundredths: 600,
        bare_rows_per_second: 90_000,
        bare_insert_p50_us: 500,
    };

    fn found() -> Findings {
        let blocks = vec![
            line(Level::Lane, Shape::Uniform, 10_000),
            line(Level::Lane, Shape::Hot, 12_345),
            line(Level::Http, Shape::Uniform, 5_000),
        ];
        Findings::of(0, blocks, FLOOR)
    }

    fn ratio(name: &str) -> (u64, &'static str) {
        let found = found();
        let ratio = found
            .ratios
            .iter()
            .find(|ratio| ratio.name == name)
            .unwrap();
        (ratio.value, ratio.verdict())
    }

    #[test]
    fn a_ratio_is_held_against_its_goals() {
        assert_eq!(ratio("HTTP 256 / lane 256"), (50, "MISSED"));
        assert_eq!(ratio("lane hot / uniform, 256"), (123, "aim"));
        assert_eq!(ratio("lane 256 rows/s / bare inserts"), (66, "must"));
        assert_eq!(ratio("lane 256 rows/s / floor"), (50, ""));
        assert_eq!(ratio("lane p99 / p50, 256"), (266, "must"));
        assert_eq!(ratio("WAL bytes per transfer, lane 256"), (1_900, "must"));
    }

    #[test]
    fn what_was_not_measured_has_no_ratio() {
        let found = found();
        assert!(
            found
                .ratios
                .iter()
                .all(|ratio| !ratio.name.starts_with("one alone"))
        );
        assert_eq!(growth_ratios(&found, &found).len(), 1);
    }

    #[test]
    fn the_table_says_what_was_measured() {
        let text = found().to_text();
        assert!(
            text.contains("| lane  | hot     | 256       | 12345       | 1.500  | 4.000  | 2.66"),
            "{text}"
        );
    }
}
