//! Wiring of `florin bench`: books of its own (unless a database is named), and the real server.

use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;

use store::DatabaseUrl;

use crate::bench::{self, BenchArguments};
use crate::lane;
use crate::output::cannot;
use crate::settings::Settings;
use crate::start;

/// Measures, and prints the results to standard output.
pub(crate) async fn run(settings: &Settings, arguments: BenchArguments) -> ExitCode {
    let folder = match tempfile::tempdir() {
        Ok(folder) => folder,
        Err(error) => return cannot(&error),
    };
    let default = DatabaseUrl::Sqlite(settings.data_dir.join("florin.db"));
    let url = if settings.database == default {
        DatabaseUrl::Sqlite(folder.path().join("florin.db"))
    } else {
        settings.database.clone()
    };
    let mut server = None;
    let serve = |engine| {
        let started =
            TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).and_then(|listener| {
                start::serve_alone(engine, listener).map_err(std::io::Error::other)
            });
        let address = started.map(|started| {
            let address = started.address;
            server = Some(started);
            address
        });
        std::future::ready(address)
    };
    let ended = bench::run(arguments, &url, lane::lane_settings(settings), serve).await;
    if let Some(server) = server {
        server.stop().await;
    }
    ended.unwrap_or_else(|error| cannot(&error))
}
