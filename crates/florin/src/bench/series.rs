//! A run: rounds of blocks, interleaved with the floor, once or (around growing the book) twice.

use std::net::SocketAddr;
use std::time::Duration;

use indicatif::ProgressBar;
use store::{Store, measure};

use super::floor::{Bedrock, Floor};
use super::load::{self, Load};
use super::report::{self, Findings, FloorLine, Growth, Line, Report};
use super::shape::Shape;
use super::stage::Stage;
use super::tally::Block;
use super::{BenchArguments, BenchError, Level, in_thread, process};

/// Longest time of a block. A block that takes longer is stuck, and the run ends.
pub(super) const MAX_BLOCK: Duration = Duration::from_secs(1_800);
/// Number of transfers in flight while the books are filled.
pub(super) const FILLING: u32 = 1_024;
/// Number of transfers of each block while the books are filled.
const FILL: u64 = 50_000;

/// A run under way.
pub(super) struct Bench {
    pub(super) arguments: BenchArguments,
    pub(super) store: Store,
    pub(super) stage: Stage,
    pub(super) api_key: String,
    pub(super) server: Option<SocketAddr>,
    /// The floor. A thread has it while it is measured.
    pub(super) bedrock: Option<Bedrock>,
    pub(super) progress: ProgressBar,
    /// Number of transfers of this run in the tables.
    pub(super) posted: u64,
    /// Number of blocks so far, so that no two blocks draw the same keys.
    pub(super) block: u64,
}

impl Bench {
    /// Measures, fills the books if that is requested, and measures again.
    pub(super) async fn report(&mut self, database: &'static str) -> Result<Report, BenchError> {
        let start = self.series().await?;
        let grown = match self.arguments.grow {
            Some(target) => Some(self.grow(target, &start).await?),
            None => None,
        };
        Ok(Report {
            database,
            accounts: self.arguments.accounts,
            transfers_per_block: self.arguments.transfers,
            rounds: self.arguments.rounds,
            seed: self.arguments.seed,
            start,
            grown,
        })
    }

    /// Measures everything, in interleaved rounds.
    async fn series(&mut self) -> Result<Findings, BenchError> {
        let transfers_in_book = self.posted;
        let mut cells: Vec<(Level, Shape, u32, Vec<Block>)> = Vec::new();
        for level in &self.arguments.levels {
            for shape in &self.arguments.shapes {
                for in_flight in shape.in_flight(*level, &self.arguments.in_flight) {
                    cells.push((*level, *shape, in_flight, Vec::new()));
                }
            }
        }
        // The first use of connections and prepared statements is not measured.
        for level in self.arguments.levels.clone() {
            let load = self.load(
                Shape::Uniform,
                32,
                self.arguments.transfers.div_ceil(10).into(),
            );
            self.block(level, load).await?;
        }
        // Refreshes the plans that were made for empty tables. In normal operation that happens within a minute
        // after the first request.
        self.refresh_statistics().await?;
        let rounds = self.arguments.rounds;
        let steps = u64::try_from(cells.len()).unwrap_or(0).saturating_add(1);
        self.progress.set_length(steps * u64::from(rounds));
        self.progress.set_position(0);
        let mut floors = Vec::new();
        for round in 1..=rounds {
            for (level, shape, in_flight, blocks) in &mut cells {
                let (level, shape, in_flight) = (*level, *shape, *in_flight);
                let (way, spread) = (level.name(), shape.name());
                self.show(format!(
                    "round {round}/{rounds}: {way} {spread}, {in_flight} in flight"
                ));
                let load = self.load(shape, in_flight, self.transfers(shape, in_flight));
                blocks.push(self.block(level, load).await?);
                self.progress.inc(1);
            }
            self.show(format!("round {round}/{rounds}: the floor"));
            floors.push(self.floor().await?);
            self.progress.inc(1);
        }
        let lines = cells
            .iter()
            .map(|(level, shape, in_flight, blocks)| Line::of(*level, *shape, *in_flight, blocks));
        Ok(Findings::of(
            transfers_in_book,
            lines.collect(),
            FloorLine::of(&floors),
        ))
    }

    /// Fills the book through the lane, and measures again.
    async fn grow(&mut self, target: u64, start: &Findings) -> Result<Growth, BenchError> {
        let before = self.posted;
        let resident_kib_before = process::resident_kib();
        let mut peak_kib = None;
        self.progress.set_length(target.saturating_sub(before));
        self.progress.set_position(0);
        self.show(format!("filling the book up to {target} transfers"));
        while self.posted < target {
            let transfers = FILL.min(target - self.posted);
            let load = Load {
                timed: false,
                ..self.load(Shape::Uniform, FILLING, transfers)
            };
            let block = self.block(Level::Lane, load).await?;
            if let Some(said) = block.first_error {
                return Err(BenchError::stage("fill the book", said));
            }
            peak_kib = peak_kib.max(block.peak_kib);
            self.progress.inc(transfers);
        }
        let transfers = self.posted - before;
        let resident_kib_after = process::resident_kib();
        let findings = self.series().await?;
        let ratios = report::growth_ratios(start, &findings);
        Ok(Growth {
            transfers,
            resident_kib_before,
            resident_kib_after,
            peak_kib,
            findings,
            ratios,
        })
    }

    /// Number of transfers of a block. A block with few in flight is slow, so with one in flight it gets a
    /// thirty-second of the transfers. Requests of a thousand are fast, so their block gets four times as many.
    fn transfers(&self, shape: Shape, in_flight: u32) -> u64 {
        let all = u64::from(self.arguments.transfers);
        if shape == Shape::Bulk {
            return all * 4;
        }
        (all * u64::from(in_flight.min(32)) / 32).max(1)
    }

    fn load(&mut self, shape: Shape, in_flight: u32, transfers: u64) -> Load {
        self.block += 1;
        let seed = self.arguments.seed;
        Load {
            shape,
            in_flight,
            transfers,
            seed,
            block: self.block,
            timed: true,
        }
    }

    async fn block(&mut self, level: Level, load: Load) -> Result<Block, BenchError> {
        let before = self.stage.engine.read(measure::volume).await?;
        let stuck = |_elapsed| BenchError::Stuck {
            level: level.name(),
            shape: load.shape.name(),
            in_flight: load.in_flight,
        };
        let mut block = match (level, self.server) {
            (Level::Lane, _) | (Level::Http, None) => {
                let block = load::through_the_lane(&self.stage, load);
                tokio::time::timeout(MAX_BLOCK, block)
                    .await
                    .map_err(stuck)?
            }
            (Level::Http, Some(server)) => {
                let block = load::over_http(&self.stage, server, &self.api_key, load);
                let block = tokio::time::timeout(MAX_BLOCK, block)
                    .await
                    .map_err(stuck)?;
                block.map_err(|cause| BenchError::system("cannot connect to the server", cause))?
            }
        };
        block.wrote(before, self.stage.engine.read(measure::volume).await?);
        self.posted += block.done;
        Ok(block)
    }

    async fn floor(&mut self) -> Result<Floor, BenchError> {
        let Some(mut bedrock) = self.bedrock.take() else {
            return Err(BenchError::Thread("the floor is gone".to_owned()));
        };
        let (transfers, alone) = (
            self.arguments.transfers.into(),
            self.transfers(Shape::Uniform, 1),
        );
        let (bedrock, floor) = in_thread(move || {
            let floor = bedrock.measure(transfers, alone);
            floor.map(|floor| (bedrock, floor))
        })
        .await?;
        self.bedrock = Some(bedrock);
        self.posted += floor.transfers;
        Ok(floor)
    }

    async fn refresh_statistics(&self) -> Result<(), BenchError> {
        let store = self.store.clone();
        in_thread(move || measure::refresh_statistics(&mut store.writer()?)).await
    }

    fn show(&self, what: String) {
        self.progress.set_message(what);
        self.progress.tick();
    }
}
