//! Two lanes on one database, whose clocks differ and go back: recorded time does not go back.

use engine::access::Tenant;
use engine::{Command, Engine, Envelope, Origin, Rendered, Reply, Settings};
use ledger::{AccountClass, Limits, NewAccount, entries, find_by_code};
use money::{Amount, Currency, Money};
use payments::Provider;
use store::{Clock, DatabaseUrl, Ids, Store, Timestamp};
use tests::{Database, on_both_databases};
use tokio::sync::mpsc;

use super::TENANT;

fn nothing(_: Rendered<'_>) -> Reply {
    Reply {
        status: 200,
        body: Vec::new(),
    }
}

pub(super) fn lane(store: &Store, seed: u64, clock: &Clock) -> Engine {
    let (submitted, _nobody) = mpsc::unbounded_channel();
    let settings = Settings {
        render: nothing,
        provider: Provider {
            name: "sandbox".to_owned(),
            lease_millis: 60_000,
        },
        max_batch: 16,
        queue: 16,
        clock: clock.clone(),
    };
    Engine::start(store.clone(), settings, Ids::seeded(seed), submitted).expect("a thread")
}

async fn tell(engine: &Engine, command: Command) {
    let envelope = Envelope {
        tenant: Tenant {
            id: TENANT,
            name: "one".into(),
        },
        command,
        claim: None,
        origin: Origin {
            kind: "system",
            id: "test".into(),
            request: None,
        },
    };
    engine.submit(envelope).await.expect("answered");
}

fn eur() -> Currency {
    Currency::from_code("EUR").expect("known")
}

on_both_databases!(recorded_time_never_goes_back_whatever_the_clocks_do);
async fn recorded_time_never_goes_back_whatever_the_clocks_do(database: Database) {
    let url = DatabaseUrl::parse(database.url()).expect("a URL");
    let store = Store::open(&url).expect("the migrations are applied");
    let clocks = [5_000, 2_000].map(|at| Clock::manual(Timestamp::from_micros(at)));
    let lanes = [lane(&store, 1, &clocks[0]), lane(&store, 2, &clocks[1])];
    tell(
        &lanes[0],
        Command::Provision {
            mode: engine::access::Mode::Sandbox,
            key: None,
        },
    )
    .await;
    let codes = ["equity:source", "liabilities:ann"];
    for code in codes {
        let new = NewAccount {
            code: ledger::AccountCode::trusted(code),
            name: ledger::AccountName::trusted(code),
            currency: eur(),
            class: AccountClass::Liability,
            limits: Limits::NONE,
            metadata: None,
        };
        tell(&lanes[0], Command::OpenAccount(new)).await;
    }
    let [from, to] = codes.map(|code| {
        let found = store.read(|connection| find_by_code(connection, TENANT, code));
        found.expect("answered").expect("opened").id
    });
    // The lane, and the time of its clock.
    for (place, at) in [
        (0, 5_000),
        (1, 2_000),
        (1, 7_000),
        (0, 1_000),
        (0, 6_000),
        (1, 6_500),
    ] {
        clocks[place].set(Timestamp::from_micros(at));
        let money = Money {
            amount: Amount::new(1).expect("positive"),
            currency: eur(),
        };
        let description = None;
        let transfer = Command::Transfer {
            from,
            to,
            money,
            description,
        };
        tell(&lanes[place], transfer).await;
    }
    for lane in &lanes {
        lane.shut_down().await;
    }
    let found = store.read(|connection| entries(connection, TENANT, to, None, 10));
    let mut found = found.expect("answered");
    found.reverse();
    let recorded: Vec<i64> = found
        .iter()
        .map(|entry| entry.recorded_at.micros())
        .collect();
    assert_eq!(recorded, [5_000, 5_000, 7_000, 7_000, 7_000, 7_000]);
}
