//! Two lanes on one database, whose clocks differ and go back: recorded time does not go back.

use access::Provision;
use books::accounts::OpenAccount;
use books::transfers::Transfer;
use engine::{Command, Engine, Request, Settings, Tenant};
use ledger::{AccountClass, Limits, NewAccount, entries, find_by_code};
use money::{Amount, Currency, Money};
use store::{Clock, DatabaseUrl, Ids, Store, Timestamp};
use tests::{Database, on_both_databases};

use super::TENANT;

pub(super) fn lane(store: &Store, seed: u64, clock: &Clock) -> Engine {
    let settings = Settings {
        shelves: families::shelves(),
        make_again: |_, _, _| unreachable!("nothing is sent again"),
        after_commit: None,
        max_batch: 16,
        line: 16,
        mixes_tenants: true,
        clock: clock.clone(),
        key_life_seconds: 30 * 86_400,
    };
    Engine::start(store.clone(), settings, Ids::seeded(seed)).expect("a thread")
}

async fn tell<C: Command>(engine: &Engine, command: C) {
    let tenant = Tenant {
        id: TENANT,
        name: "one".into(),
    };
    let request = Request::of_system(tenant, "test", command);
    let outcome = engine.submit(request).await.expect("answered");
    assert!(outcome.done().is_some(), "it is not refused");
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
        Provision {
            mode: access::Mode::Sandbox,
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
        tell(&lanes[0], OpenAccount(new)).await;
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
        let transfer = Transfer {
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
