//! Books in a file: without disk space, with a log that would grow, and where writing is not allowed.

use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};
use serde_json::{Value, json};
use tests::{Database, Florin, Kind};

use crate::books_hold;
use crate::given::{eventually, is_problem, number};
use crate::shop::Shop;

/// Runs a scenario with a separate file.
fn with_file<Ends: Future<Output = ()>>(scenario: impl FnOnce(Database) -> Ends) {
    tests::scenario(Kind::Sqlite, scenario);
}

async fn two_accounts(shop: &Shop) -> (String, String) {
    let cash = json!({"code": "assets:cash", "currency": "EUR", "floor": null});
    let from = shop.account(&cash).await;
    (from, shop.wallet("liabilities:wallets:ann", 0).await)
}

fn shop(florin: Florin) -> Shop {
    let client = florin.client();
    Shop { florin, client }
}

/// True if this program may be used here. Not every user may use it.
fn is_allowed(program: &[&str]) -> bool {
    let (name, arguments) = program.split_first().expect("a program has a name");
    let allowed = Command::new(name).args(arguments).arg("true").output();
    let allowed = allowed.is_ok_and(|output| output.status.success());
    if !allowed {
        println!("{program:?}: SKIPPED, it is not there or not allowed");
    }
    allowed
}

/// Fills the disk completely.
fn fill(path: &Path) {
    let mut filler = std::fs::File::create(path).expect("the disk takes files");
    while filler.write_all(&[0; 4_096]).is_ok() {}
    let mut more = filler;
    while more.write_all(&[0; 1]).is_ok() {}
}

#[test]
fn without_room_reads_go_on_writes_are_503_and_the_log_stays_short() {
    with_file(async |database| {
        // A separate disk, which is removed with the server.
        let disk = database.folder().join("disk");
        std::fs::create_dir(&disk).expect("writable");
        let path = disk.to_str().expect("plain names");
        let mount = format!("mount -t tmpfs -o size=4m none '{path}' && exec \"$@\"");
        let program = ["unshare", "--mount", "sh", "-c", &mount, "sh"];
        if !is_allowed(&program) {
            return;
        }
        let books = format!("sqlite:{path}/florin.db");
        let florin = Florin::start_by(&program, &database, &["--database-url", &books]);
        let seen = PathBuf::from(format!("/proc/{}/root{path}", florin.pid()));
        let shop = shop(florin);
        let (from, to) = two_accounts(&shop).await;
        assert_eq!(shop.transfer("before", &from, &to, 1).await.status, 201);
        assert_eq!(shop.client.get("/readyz").await.status, 200);

        fill(&seen.join("filler"));
        let mut refused = 0;
        for attempt in 0..40 {
            let reply = shop.transfer(&format!("k{attempt}"), &from, &to, 1).await;
            assert!(matches!(reply.status, 201 | 503), "{:?}", reply.body);
            refused += i64::from(reply.status == 503);
        }
        assert!(refused > 20, "{refused}");
        let ready = shop.client.get("/readyz").await;
        is_problem("readiness", &ready, 503, "database_unavailable");
        let ready = ready.json();
        assert_eq!(ready["reads"], "ok", "{ready}");
        assert_eq!(
            ready["writes"], "failing: there is no room on the disk",
            "{ready}"
        );
        assert_eq!(shop.client.get("/v1/accounts").await.status, 200);
        let lines = shop.florin.log().matches("a batch was given up").count();
        assert_eq!(lines, 1, "{}", shop.florin.log());

        std::fs::remove_file(seen.join("filler")).expect("it is there");
        eventually("it is ready again", async || {
            (shop.client.get("/readyz").await.status == 200).then_some(())
        })
        .await;
        for attempt in 0..40 {
            let reply = shop.transfer(&format!("k{attempt}"), &from, &to, 1).await;
            assert_eq!(reply.status, 201, "{:?}", reply.body);
        }
        assert_eq!(number(&shop.read(&to).await, "/balances/posted"), 41);
        let pid = shop.florin.pid().to_string();
        let checked = Command::new("nsenter")
            .args(["--target", &pid, "--mount"])
            .arg(tests::binary())
            .args(["check", "--database-url", &books])
            .output()
            .expect("it is where unshare is");
        let said = [checked.stdout, checked.stderr].concat();
        assert!(
            checked.status.success(),
            "{}",
            String::from_utf8_lossy(&said)
        );
    });
}

#[test]
fn the_log_beside_the_file_is_cut_once_nobody_looks_at_an_old_state() {
    const LIMIT: u64 = 1 << 20;
    with_file(async |database| {
        let shop = Shop::open_with(&database, &["--wal-limit", "1"]);
        let (from, to) = two_accounts(&shop).await;
        let file = database.url().trim_start_matches("sqlite:").to_owned();
        let log = || {
            let log = std::fs::metadata(format!("{file}-wal"));
            log.expect("it stands beside the file").len()
        };
        let mut reader = SqliteConnection::establish(&file).expect("the file is there");
        let begun = reader.batch_execute("BEGIN; SELECT count(*) FROM posting");
        begun.expect("anybody may read");
        let mut bulks = 0;
        eventually("the log has grown beyond its limit", async || {
            bulks += 1;
            let each = json!({"kind": "t", "postings":
                [{"debit": from, "credit": to, "amount": 1, "currency": "EUR"}]});
            let steps: Vec<&Value> = (0..200).map(|_| &each).collect();
            let bulk = json!({"atomic": true, "transactions": steps});
            let key = format!("bulk-{bulks}");
            let reply = shop
                .client
                .post("/v1/transactions/bulk", key.as_str(), &bulk)
                .await;
            assert!(reply.status < 500, "{:?}", reply.body);
            (log() > LIMIT).then_some(())
        })
        .await;
        reader.batch_execute("COMMIT").expect("it held nothing");
        let mut after = 0;
        eventually("the log is cut", async || {
            after += 1;
            let reply = shop
                .transfer(&format!("after-{after}"), &from, &to, 1)
                .await;
            assert_eq!(reply.status, 201, "{:?}", reply.body);
            (log() <= LIMIT).then_some(())
        })
        .await;
        books_hold(&database);
    });
}

#[test]
fn books_that_may_only_be_read_are_read_and_checked_and_not_ready() {
    with_file(async |database| {
        let shop_before = Shop::open(&database);
        let (from, to) = two_accounts(&shop_before).await;
        assert!(shop_before.florin.terminate().success());
        let file = PathBuf::from(database.url().trim_start_matches("sqlite:"));
        // This also concerns root, after the privilege to write everything is given up.
        let is_root = file.metadata().expect("it is there").uid() == 0;
        let program: &[&str] = match is_root {
            true => &["setpriv", "--bounding-set", "-dac_override"],
            false => &["env"],
        };
        if !is_allowed(program) {
            return;
        }
        let mut rights = file.metadata().expect("it is there").permissions();
        rights.set_readonly(true);
        std::fs::set_permissions(&file, rights).expect("it is ours");

        let shop = shop(Florin::start_by(
            program,
            &database,
            &["--database-url", database.url()],
        ));
        assert_eq!(shop.client.get("/v1/accounts").await.status, 200);
        let refused = shop.transfer("k", &from, &to, 1).await;
        is_problem("a transfer", &refused, 503, "database_unavailable");
        let ready = shop.client.get("/readyz").await;
        is_problem("readiness", &ready, 503, "database_unavailable");
        let ready = ready.json();
        assert_eq!(ready["reads"], "ok", "{ready}");
        assert_eq!(
            ready["writes"], "failing: the database may only be read",
            "{ready}"
        );

        let (name, arguments) = program.split_first().expect("a program has a name");
        let checked = Command::new(name)
            .args(arguments)
            .arg(tests::binary())
            .args(["check", "--database-url", database.url()])
            .output()
            .expect("it runs");
        let said = [checked.stdout, checked.stderr].concat();
        assert!(
            checked.status.success(),
            "{}",
            String::from_utf8_lossy(&said)
        );
    });
}
