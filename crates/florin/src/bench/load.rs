//! The two ways in that are measured: the lane in process, and HTTP over loopback.
//!
//! | shape | over | what is counted |
//! |---|---|---|
//! | uniform, zipf, hot | both | a transfer |
//! | two-phase | the lane | a transaction that was pending and then posted: two commands |
//! | ten-postings | the lane | a transaction |
//! | bulk | HTTP | a transaction, of the thousand in a request |

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use super::http::Client;
use super::shape::{BULK, Chance, Shape};
use super::stage::Stage;
use super::steps;
use super::tally::{Block, Tally, Tickets, closed_loop};

/// One block's load.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    /// How the load is spread over the accounts.
    pub(crate) shape: Shape,
    /// Number of transfers in flight.
    pub(crate) in_flight: u32,
    /// Number of transfers.
    pub(crate) transfers: u64,
    /// The seed of the run.
    pub(crate) seed: u64,
    /// Number of the block, different for each block of a run.
    pub(crate) block: u64,
    /// True if the time of each transfer is recorded.
    pub(crate) timed: bool,
}

/// Submits transfers to the lane.
pub(crate) async fn through_the_lane(stage: &Stage, load: Load) -> Block {
    closed_loop(load.in_flight, load.transfers, |task, tickets| {
        submit_all(stage.clone(), load, task, tickets)
    })
    .await
}

/// Posts transfers to the server, over connections that are opened beforehand and used again.
pub(crate) async fn over_http(
    stage: &Stage,
    address: SocketAddr,
    api_key: &str,
    load: Load,
) -> io::Result<Block> {
    let mut clients = Vec::new();
    let (path, requests) = match load.shape {
        Shape::Bulk => ("/v1/transactions/bulk", load.transfers.div_ceil(BULK)),
        Shape::Uniform | Shape::Zipf | Shape::Hot | Shape::TwoPhase | Shape::TenPostings => {
            ("/v1/transfers", load.transfers)
        }
    };
    for _ in 0..load.in_flight {
        clients.push(Client::connect(address, path, api_key).await?);
    }
    let clients = Arc::new(std::sync::Mutex::new(clients));
    let block = closed_loop(load.in_flight, requests, |task, tickets| {
        let client = clients.lock().ok().and_then(|mut clients| clients.pop());
        let stage = stage.clone();
        async move {
            match client {
                Some(client) => post_all(client, stage, load, task, tickets).await,
                None => Tally::default(),
            }
        }
    });
    Ok(block.await)
}

async fn submit_all(stage: Stage, load: Load, task: u64, tickets: Tickets) -> Tally {
    let mut tally = Tally::default();
    let mut chance = Chance::of(load.seed, load.block, task);
    while tickets.next().is_some() {
        let begun = Instant::now();
        match steps::submit(&stage, &mut chance, load.shape).await {
            Ok(()) if load.timed => tally.done_in(begun.elapsed()),
            Ok(()) => tally.done(),
            Err(said) => tally.error(|| said),
        }
    }
    tally
}

async fn post_all(
    mut client: Client,
    stage: Stage,
    load: Load,
    task: u64,
    tickets: Tickets,
) -> Tally {
    let mut tally = Tally::default();
    let mut chance = Chance::of(load.seed, load.block, task);
    while tickets.next().is_some() {
        let body = if load.shape == Shape::Bulk {
            steps::bulk_body(&stage, &mut chance)
        } else {
            let pair = steps::pair(&stage, &mut chance, load.shape);
            pair.map(|(from, to)| steps::transfer_body(from, to))
        };
        let Some(body) = body else { break };
        let key = chance.key();
        let begun = Instant::now();
        match client.post(&key, &body).await {
            Ok(200) if load.shape == Shape::Bulk => tally.done_together(BULK, begun.elapsed()),
            Ok(201) => tally.done_in(begun.elapsed()),
            Ok(status) => tally.error(|| format!("{status} {}", client.last_body())),
            // The connection is broken. The others take over its share.
            Err(error) => {
                tally.error(|| error.to_string());
                break;
            }
        }
    }
    tally
}
