//! The condition of all other scenarios: a separate database for each.

use tests::{Cluster, Database, on_both_databases};

on_both_databases!(a_fresh_database_is_empty_and_nobody_elses);
async fn a_fresh_database_is_empty_and_nobody_elses(database: Database) {
    let other = Database::fresh(database.kind()).expect("one of this kind is there already");
    database.execute_raw("CREATE TABLE marks (mark BIGINT); INSERT INTO marks VALUES (1), (2)");
    other.execute_raw("CREATE TABLE marks (mark BIGINT)");
    assert_ne!(database.url(), other.url());
    assert_eq!(database.number("SELECT count(*) FROM marks"), 2);
    assert_eq!(other.number("SELECT count(*) FROM marks"), 0);
}

#[test]
fn a_private_server_loses_nothing_when_it_is_stopped_or_killed() {
    let Some(cluster) = Cluster::private() else {
        return;
    };
    let database = Database::within(&cluster);
    database.execute_raw("CREATE TABLE marks (mark BIGINT); INSERT INTO marks VALUES (1)");
    cluster.stop();
    cluster.start();
    database.execute_raw("INSERT INTO marks VALUES (2)");
    cluster.kill();
    cluster.start();
    assert_eq!(database.number("SELECT count(*) FROM marks"), 2);
}
