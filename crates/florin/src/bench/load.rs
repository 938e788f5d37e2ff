//! The two ways in that are measured: the lane in process, and HTTP over loopback.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use engine::{Command, Envelope, Origin};
use idempotency::{Claim, Fingerprint, Key};
use ledger::AccountId;

use super::http::Client;
use super::shape::{Chance, Shape};
use super::stage::{Stage, created};
use super::tally::{Block, Tally, Tickets, closed_loop};

/// One block's load.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    /// How it spreads over the accounts.
    pub(crate) shape: Shape,
    /// How many transfers wait for their answer at a time.
    pub(crate) in_flight: u32,
    /// How many there are.
    pub(crate) transfers: u64,
    /// The run's seed.
    pub(crate) seed: u64,
    /// Different for each block of a run.
    pub(crate) block: u64,
    /// Whether anybody asks how long each one took.
    pub(crate) timed: bool,
}

/// Submits transfers to the lane.
pub(crate) async fn through_the_lane(stage: &Stage, load: Load) -> Block {
    closed_loop(load.in_flight, load.transfers, |task, tickets| {
        submit_all(stage.clone(), load, task, tickets)
    })
    .await
}

/// Posts transfers to the server, over connections that are opened beforehand and kept.
pub(crate) async fn over_http(
    stage: &Stage,
    address: SocketAddr,
    api_key: &str,
    load: Load,
) -> io::Result<Block> {
    let mut clients = Vec::new();
    for _ in 0..load.in_flight {
        clients.push(Client::connect(address, "/v1/transfers", api_key).await?);
    }
    let clients = Arc::new(std::sync::Mutex::new(clients));
    let block = closed_loop(load.in_flight, load.transfers, |task, tickets| {
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
        let Some((from, to)) = pair(&stage, &mut chance, load.shape) else {
            break;
        };
        let body = body(from, to);
        let key = chance.key();
        let request = Some(format!("req_{key}"));
        let Ok(key) = Key::parse(key) else { break };
        let fingerprint = Fingerprint::of("POST", "/v1/transfers", "1", body.as_bytes());
        let envelope = Envelope {
            tenant: stage.tenant.clone(),
            command: Command::Transfer {
                from,
                to,
                money: stage.money,
                description: None,
            },
            claim: Some(Claim { key, fingerprint }),
            origin: Origin {
                kind: "api_key",
                id: stage.label.clone(),
                request,
            },
        };
        let begun = Instant::now();
        match created(stage.engine.submit(envelope).await) {
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
        let Some((from, to)) = pair(&stage, &mut chance, load.shape) else {
            break;
        };
        let (key, body) = (chance.key(), body(from, to));
        let begun = Instant::now();
        match client.post(&key, &body).await {
            Ok(201) => tally.done_in(begun.elapsed()),
            Ok(status) => tally.error(|| format!("{status} {}", client.last_body())),
            // The connection is good for nothing any more; the others take over its share.
            Err(error) => {
                tally.error(|| error.to_string());
                break;
            }
        }
    }
    tally
}

fn pair(stage: &Stage, chance: &mut Chance, shape: Shape) -> Option<(AccountId, AccountId)> {
    let accounts = &stage.accounts;
    let (from, to) = chance.pair(shape, u64::try_from(accounts.len()).unwrap_or(u64::MAX));
    let account = |place: u64| accounts.get(usize::try_from(place).ok()?).copied();
    account(from).zip(account(to))
}

/// The request's body, as a client would write it.
pub(crate) fn body(from: AccountId, to: AccountId) -> String {
    format!(r#"{{"from":"{from}","to":"{to}","amount":1,"currency":"EUR"}}"#)
}
