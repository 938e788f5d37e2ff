//! A new, empty database of either kind for each scenario.

use std::path::{Path, PathBuf};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::sql_types::{BigInt, Text};
use diesel::{Connection, PgConnection, RunQueryDsl, SqliteConnection, select, sql_query};
use tempfile::TempDir;

use crate::cluster::Cluster;
use crate::{postgres, scratch};

/// The databases that Florin supports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// SQLite, embedded: a file.
    Sqlite,
    /// PostgreSQL, a server.
    Postgres,
}

/// An empty database of one scenario. It has no tables of Florin until a server is started on it.
///
/// When it is dropped, the database is removed, even if connections exist. Bind it before the [`crate::Florin`] that
/// uses it, so that it is dropped after it.
#[derive(Debug)]
pub struct Database {
    kind: Kind,
    url: String,
    folder: TempDir,
    on_server: Option<OnServer>,
}

/// The data that is needed to drop a database of a server.
#[derive(Debug)]
struct OnServer {
    administration_url: String,
    name: String,
}

impl Database {
    /// A new database; `None` if it should be PostgreSQL and this machine has none (the run prints `postgres:
    /// SKIPPED`).
    pub fn fresh(kind: Kind) -> Option<Self> {
        match kind {
            Kind::Sqlite => {
                let folder = fresh_folder();
                let url = format!("sqlite:{}", folder.path().join("florin.db").display());
                Some(Self {
                    kind,
                    url,
                    folder,
                    on_server: None,
                })
            }
            Kind::Postgres => postgres::administration_url().map(Self::on_server),
        }
    }

    /// A new database in a server that the scenario may stop.
    pub fn within(cluster: &Cluster) -> Self {
        Self::on_server(&cluster.administration_url())
    }

    /// A copy of the database and of its folder. No server may be running on it.
    pub fn copy(&self) -> Self {
        let copy = match &self.on_server {
            None => Self::fresh(self.kind).expect("SQLite is built in"),
            Some(OnServer {
                administration_url,
                name,
            }) => {
                let made = postgres::copy_database(administration_url, name);
                Self::called(administration_url, made)
            }
        };
        copy_folder(self.folder(), copy.folder());
        copy
    }

    fn on_server(administration_url: &str) -> Self {
        let made = postgres::create_database(administration_url);
        Self::called(administration_url, made)
    }

    fn called(administration_url: &str, (name, url): (String, String)) -> Self {
        let on_server = Some(OnServer {
            administration_url: administration_url.to_owned(),
            name,
        });
        Self {
            kind: Kind::Postgres,
            url,
            folder: fresh_folder(),
            on_server,
        }
    }

    /// The kind of the database.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The URL in the form that `florin --database-url` takes.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A folder that exists as long as the database, for the files of a scenario.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The `--data-dir` of servers on this database; a later server uses the same one.
    pub fn data_dir(&self) -> PathBuf {
        self.folder().join("data")
    }

    /// Runs SQL without the server, to write what the server itself would never write.
    pub fn execute_raw(&self, text: &str) {
        self.try_raw(text)
            .unwrap_or_else(|error| panic!("{text}: {error}"));
    }

    /// As [`execute_raw`](Self::execute_raw), for SQL that the database may refuse.
    pub fn try_raw(&self, text: &str) -> Result<(), String> {
        match self.kind {
            Kind::Sqlite => self
                .sqlite()
                .batch_execute(text)
                .map_err(|error| error.to_string()),
            Kind::Postgres => postgres::execute(&self.url, text),
        }
    }

    /// The one number that a query returns: `SELECT count(*) FROM payments`.
    pub fn number(&self, query: &str) -> i64 {
        let query_of_one = select(sql::<BigInt>(&format!("({query})")));
        let answer = match self.kind {
            Kind::Sqlite => query_of_one.get_result(&mut self.sqlite()),
            Kind::Postgres => {
                let mut connection =
                    PgConnection::establish(&self.url).expect("the database is there");
                query_of_one.get_result(&mut connection)
            }
        };
        answer.unwrap_or_else(|error| panic!("{query}: {error}"))
    }

    /// The one text that a query returns.
    pub fn text(&self, query: &str) -> String {
        let query_of_one = select(sql::<Text>(&format!("({query})")));
        let answer = match self.kind {
            Kind::Sqlite => query_of_one.get_result(&mut self.sqlite()),
            Kind::Postgres => {
                let mut connection =
                    PgConnection::establish(&self.url).expect("the database is there");
                query_of_one.get_result(&mut connection)
            }
        };
        answer.unwrap_or_else(|error| panic!("{query}: {error}"))
    }

    /// The plan of SQLite for a statement, one step on each line (`EXPLAIN QUERY PLAN`).
    pub fn plan(&self, statement: &str) -> Vec<String> {
        let explained = format!("EXPLAIN QUERY PLAN {statement}");
        let steps: Result<Vec<Step>, _> = sql_query(&explained).load(&mut self.sqlite());
        let steps = steps.unwrap_or_else(|error| panic!("{explained}: {error}"));
        steps.into_iter().map(|step| step.detail).collect()
    }

    fn sqlite(&self) -> SqliteConnection {
        let path = self
            .url
            .strip_prefix("sqlite:")
            .expect("an embedded database's URL is its path");
        let mut connection = SqliteConnection::establish(path).expect("the file can be opened");
        // A server may be writing: wait for it, as any second process must.
        connection
            .batch_execute("PRAGMA busy_timeout = 10000")
            .expect("a known setting");
        connection
    }
}

/// A row of `EXPLAIN QUERY PLAN`.
#[derive(diesel::QueryableByName)]
struct Step {
    #[diesel(sql_type = diesel::sql_types::Text)]
    detail: String,
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some(OnServer {
            administration_url,
            name,
        }) = &self.on_server
        {
            // A scenario may have stopped its server, and a failing scenario must not panic twice.
            let _gone_with_the_server = postgres::drop_database(administration_url, name);
        }
    }
}

/// Copies the files and the folders in a folder.
fn copy_folder(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("readable") {
        let entry = entry.expect("readable");
        let copy = to.join(entry.file_name());
        if entry.path().is_dir() {
            std::fs::create_dir_all(&copy).expect("a folder in the scratch folder");
            copy_folder(&entry.path(), &copy);
        } else {
            std::fs::copy(entry.path(), &copy).expect("a file in the scratch folder");
        }
    }
}

fn fresh_folder() -> TempDir {
    tempfile::Builder::new()
        .prefix("db-")
        .tempdir_in(scratch::folder())
        .expect("a folder in the scratch folder")
}

/// Greatest time that a scenario may take. It only ends a scenario that hangs.
const LIMIT: Duration = Duration::from_secs(180);

/// Runs a scenario on a new database; see [`on_both_databases!`](crate::on_both_databases).
pub fn scenario<Ends: Future<Output = ()>>(kind: Kind, given: impl FnOnce(Database) -> Ends) {
    let Some(database) = Database::fresh(kind) else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(async {
        let ended = tokio::time::timeout(LIMIT, given(database)).await;
        assert!(ended.is_ok(), "the scenario did not end within {LIMIT:?}");
    });
}

/// Makes two tests of each scenario: `NAME::sqlite` and `NAME::postgres`.
///
/// A scenario is an `async fn` that takes a [`Database`](crate::Database) and panics at the first failure. Without
/// PostgreSQL its test prints `postgres: SKIPPED` and passes, unless `REQUIRE_PG=1`.
///
/// ```
/// use tests::{Database, on_both_databases};
///
/// on_both_databases!(one_is_one);
/// async fn one_is_one(database: Database) {
///     assert_eq!(database.number("SELECT 1"), 1);
/// }
/// ```
#[macro_export]
macro_rules! on_both_databases {
    ($($scenario:ident),+ $(,)?) => {
        $(
            mod $scenario {
                #[test]
                fn sqlite() {
                    $crate::scenario($crate::Kind::Sqlite, super::$scenario);
                }

                #[test]
                fn postgres() {
                    $crate::scenario($crate::Kind::Postgres, super::$scenario);
                }
            }
        )+
    };
}
