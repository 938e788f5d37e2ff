//! The closed loop of tasks, and its counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use store::measure::Volume;
use tokio::task::JoinSet;

use super::process;

/// Hands out the transfers of a block, up to their number.
#[derive(Debug, Clone)]
pub(crate) struct Tickets {
    taken: Arc<AtomicU64>,
    total: u64,
}

impl Tickets {
    /// The next transfer's number from 0, as long as there is one.
    pub(crate) fn next(&self) -> Option<u64> {
        let ticket = self.taken.fetch_add(1, Ordering::Relaxed);
        (ticket < self.total).then_some(ticket)
    }
}

/// The counts of one task.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    micros: Vec<u32>,
    done: u64,
    errors: u64,
    first_error: Option<String>,
}

impl Tally {
    /// Counts a transfer, with its time.
    pub(crate) fn done_in(&mut self, took: Duration) {
        self.done_together(1, took);
    }

    /// Counts several transfers of one request, with their time.
    pub(crate) fn done_together(&mut self, count: u64, took: Duration) {
        self.micros.push(micros(took));
        self.done += count;
    }

    /// Counts a transfer without its time.
    pub(crate) fn done(&mut self) {
        self.done += 1;
    }

    /// Counts a failed transfer.
    pub(crate) fn error(&mut self, what: impl FnOnce() -> String) {
        self.errors += 1;
        self.first_error.get_or_insert_with(what);
    }

    fn add(&mut self, mut other: Self) {
        self.micros.append(&mut other.micros);
        self.done += other.done;
        self.errors += other.errors;
        self.first_error = self.first_error.take().or(other.first_error);
    }
}

/// Whole microseconds, at most about an hour.
pub(crate) fn micros(took: Duration) -> u32 {
    u32::try_from(took.as_micros()).unwrap_or(u32::MAX)
}

/// One measured block.
#[derive(Debug)]
pub(crate) struct Block {
    /// Number of transfers with the expected answer.
    pub(crate) done: u64,
    /// Number of other transfers.
    pub(crate) errors: u64,
    /// The first error.
    pub(crate) first_error: Option<String>,
    /// Transfers per second, on the average of the block.
    pub(crate) per_second: u64,
    /// Median of the response times, in microseconds.
    pub(crate) p50: u64,
    /// 99th percentile of the response times, in microseconds.
    pub(crate) p99: u64,
    /// Peak of memory, including the load generator.
    pub(crate) peak_kib: Option<u64>,
    /// Bytes of write-ahead log per transfer.
    pub(crate) log_bytes: Option<u64>,
    /// Bytes of tables and indexes per transfer.
    pub(crate) disk_bytes: Option<u64>,
}

impl Block {
    /// Sets the number of bytes that the block wrote for each transfer.
    pub(crate) fn wrote(&mut self, before: Volume, after: Volume) {
        let each = |bytes: u64| bytes.checked_div(self.done);
        let log = after
            .log
            .zip(before.log)
            .map(|(after, before)| after.saturating_sub(before));
        self.log_bytes = log.and_then(each);
        self.disk_bytes = each(after.disk.saturating_sub(before.disk));
    }
}

/// Runs `in_flight` tasks, each of which takes one ticket after the other until there are none.
pub(crate) async fn closed_loop<F>(
    in_flight: u32,
    total: u64,
    task: impl Fn(u64, Tickets) -> F,
) -> Block
where
    F: Future<Output = Tally> + Send + 'static,
{
    process::forget_peak();
    let tickets = Tickets {
        taken: Arc::default(),
        total,
    };
    let mut tasks = JoinSet::new();
    let begun = Instant::now();
    for number in 0..u64::from(in_flight) {
        tasks.spawn(task(number, tickets.clone()));
    }
    let mut all = Tally::default();
    while let Some(joined) = tasks.join_next().await {
        match joined {
            Ok(tally) => all.add(tally),
            Err(panic) => all.error(|| panic.to_string()),
        }
    }
    let took = begun.elapsed();
    all.micros.sort_unstable();
    Block {
        done: all.done,
        errors: all.errors,
        first_error: all.first_error,
        per_second: per_second(all.done, took),
        p50: percentile(&all.micros, 50),
        p99: percentile(&all.micros, 99),
        peak_kib: process::peak_kib(),
        log_bytes: None,
        disk_bytes: None,
    }
}

/// The rate per second, as a whole number.
pub(crate) fn per_second(done: u64, took: Duration) -> u64 {
    let rate = u128::from(done) * 1_000_000_000 / took.as_nanos().max(1);
    u64::try_from(rate).unwrap_or(u64::MAX)
}

/// The value that `percent` of the sorted values do not exceed (nearest rank).
pub(crate) fn percentile(sorted: &[u32], percent: usize) -> u64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default().into()
}

/// The median; for an even number of values, the smaller of the two in the middle.
pub(crate) fn median(values: impl IntoIterator<Item = u64>) -> Option<u64> {
    let mut values: Vec<u64> = values.into_iter().collect();
    values.sort_unstable();
    values.get(values.len().saturating_sub(1) / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let hundred: Vec<u32> = (1..=100).collect();
        assert_eq!(
            (percentile(&hundred, 50), percentile(&hundred, 99)),
            (50, 99)
        );
        assert_eq!((percentile(&[7], 50), percentile(&[7], 99)), (7, 7));
        assert_eq!(percentile(&[], 50), 0);
        assert_eq!((percentile(&[1, 2], 50), percentile(&[1, 2], 99)), (1, 2));
    }

    #[test]
    fn a_median_is_one_of_the_values() {
        assert_eq!(median([3, 1, 2]), Some(2));
        assert_eq!(median([4, 1, 2, 3]), Some(2));
        assert_eq!(median([]), None);
    }

    #[test]
    fn a_rate_is_per_second() {
        assert_eq!(per_second(500, Duration::from_millis(250)), 2_000);
    }

    #[tokio::test]
    async fn every_ticket_is_taken_once() {
        let block = closed_loop(7, 1_000, |number, tickets| async move {
            let mut tally = Tally::default();
            while let Some(ticket) = tickets.next() {
                if ticket == 13 {
                    tally.error(|| format!("unlucky {number}"));
                } else {
                    tally.done();
                }
            }
            tally
        })
        .await;
        assert_eq!((block.done, block.errors), (999, 1));
        assert!(
            block
                .first_error
                .is_some_and(|said| said.starts_with("unlucky"))
        );
    }
}
