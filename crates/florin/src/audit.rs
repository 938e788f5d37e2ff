//! `florin audit verify`: hashes every record of every audit log again, and looks for the record of every
//! change in the books. The second step finds an empty log, or one whose end was cut off: its hashes are right.

use std::io::{self, Write};
use std::process::ExitCode;

use audit_log::{Clean, Tampered};
use comfy_table::Cell;
use engine::Tenant;
use store::{AnyConnection, Error, Store, TenantId};

use crate::check::{Mistake, SOUND, UNSOUND, finish, mark, plain_table, progress_bar};
use families::CHECK;

/// Verbs below `florin audit`.
#[derive(Debug, Clone, clap::Subcommand)]
pub(crate) enum AuditCommand {
    /// Hash every record again, look for the record of every change, and name the first wrong one.
    Verify(VerifyArguments),
}

/// Options of `florin audit verify`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct VerifyArguments {
    /// Print one JSON object instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Verifies the audit logs and prints the results to standard output. The exit status is 0 if all are as they
/// were written, 1 if one is not, 2 if that could not be checked.
pub(crate) fn run(command: &AuditCommand, store: &Store) -> ExitCode {
    let AuditCommand::Verify(arguments) = command;
    finish(
        "audit verify",
        verify(arguments, store, &mut io::stdout().lock()),
        arguments.json,
    )
}

/// The result for one log.
struct LogReport {
    log: TenantId,
    tenant: String,
    found: LogVerdict,
}

enum LogVerdict {
    Clean(Clean),
    Tampered(Tampered),
    /// The tenant has no log: it was never begun, or was deleted as a whole.
    Missing,
    /// Each record is as it was written, but a change has no record.
    Unrecorded {
        /// Number of records.
        records: u64,
        /// The changed row.
        subject: String,
    },
}

fn verify(
    arguments: &VerifyArguments,
    store: &Store,
    output: &mut impl Write,
) -> Result<u8, Mistake> {
    let logs = verify_all(store)?;
    if arguments.json {
        print_json(&logs, store, output)?;
    } else {
        print_table(&logs, store, output)?;
    }
    Ok(if logs.iter().all(LogReport::is_clean) {
        SOUND
    } else {
        UNSOUND
    })
}

fn verify_all(store: &Store) -> Result<Vec<LogReport>, Error> {
    let bar = progress_bar();
    let logs = store.read(|connection| {
        store::set_bulk_hints(connection)?;
        let logs = audit_log::tables::logs(connection)?;
        let mut verified = Vec::with_capacity(logs.len());
        for tenant in access::tenants(connection)? {
            bar.set_prefix(tenant.name.to_string());
            let has_log = logs.contains(&tenant.id);
            let found = verify_one(connection, &tenant, has_log, |done| bar.set_position(done))?;
            verified.push(LogReport {
                log: tenant.id,
                tenant: tenant.name.to_string(),
                found,
            });
        }
        Ok(verified)
    });
    bar.finish_and_clear();
    logs
}

fn verify_one(
    connection: &mut AnyConnection,
    tenant: &Tenant,
    has_log: bool,
    mut progress: impl FnMut(u64),
) -> Result<LogVerdict, Error> {
    if !has_log {
        return Ok(LogVerdict::Missing);
    }
    let clean = match audit_log::verify(connection, tenant.id, &mut progress)? {
        Ok(clean) => clean,
        Err(tampered) => return Ok(LogVerdict::Tampered(tampered)),
    };
    let unrecorded = engine::check::first_unrecorded(CHECK, connection, tenant, &mut progress)?;
    Ok(match unrecorded {
        None => LogVerdict::Clean(clean),
        Some(subject) => LogVerdict::Unrecorded {
            records: clean.head.size,
            subject,
        },
    })
}

impl LogReport {
    const fn is_clean(&self) -> bool {
        matches!(self.found, LogVerdict::Clean(_))
    }

    /// The change without a record, if there is one.
    fn unrecorded(&self) -> Option<&str> {
        match &self.found {
            LogVerdict::Unrecorded { subject, .. } => Some(subject),
            LogVerdict::Clean(_) | LogVerdict::Tampered(_) | LogVerdict::Missing => None,
        }
    }

    /// The damage: the first wrong record and its kind; `None` if there is no damage.
    fn damage(&self) -> Option<(u64, String)> {
        match &self.found {
            LogVerdict::Clean(_) => None,
            LogVerdict::Tampered(tampered) => Some((tampered.seq, tampered.kind.to_string())),
            LogVerdict::Missing => Some((0, "log_missing".to_owned())),
            LogVerdict::Unrecorded { records, .. } => {
                Some((*records, "change_unrecorded".to_owned()))
            }
        }
    }
}

fn print_json(logs: &[LogReport], store: &Store, output: &mut impl Write) -> io::Result<()> {
    let log = |verified: &LogReport| {
        let head = match &verified.found {
            LogVerdict::Clean(clean) => Some(&clean.head),
            LogVerdict::Tampered(_) | LogVerdict::Missing | LogVerdict::Unrecorded { .. } => None,
        };
        let first_bad = verified.damage();
        serde_json::json!({
            "log": verified.log.0,
            "tenant": verified.tenant,
            "clean": verified.is_clean(),
            "size": head.map(|head| head.size),
            "root": head.map(|head| head.root.to_string()),
            "first_bad": first_bad.map(|(seq, kind)| serde_json::json!({ "seq": seq, "kind": kind })),
            "unrecorded": verified.unrecorded(),
        })
    };
    let object = serde_json::json!({
        "database": store.url().to_string(),
        "clean": logs.iter().all(LogReport::is_clean),
        "logs": logs.iter().map(log).collect::<Vec<_>>(),
    });
    writeln!(output, "{object}")
}

fn print_table(logs: &[LogReport], store: &Store, output: &mut impl Write) -> io::Result<()> {
    let mut table = plain_table();
    table.set_header(["", "log", "tenant", "records", "root"]);
    for verified in logs {
        let (size, root) = match &verified.found {
            LogVerdict::Clean(clean) => (clean.head.size.to_string(), clean.head.root.to_string()),
            LogVerdict::Tampered(_) | LogVerdict::Missing | LogVerdict::Unrecorded { .. } => {
                (String::new(), String::new())
            }
        };
        table.add_row([
            mark(verified.is_clean()),
            Cell::new(verified.log.0),
            Cell::new(&verified.tenant),
            Cell::new(size),
            Cell::new(root),
        ]);
    }
    if !logs.is_empty() {
        writeln!(output, "{table}")?;
    }
    for verified in logs {
        if let Some((seq, kind)) = verified.damage() {
            let (log, tenant) = (verified.log.0, &verified.tenant);
            writeln!(
                output,
                "log {log} ({tenant}) is tampered with: record {seq}: {kind}"
            )?;
            if let Some(subject) = verified.unrecorded() {
                writeln!(
                    output,
                    "  the log has {seq} records, and none of them names {subject}: records are gone"
                )?;
            }
        }
    }
    if logs.iter().all(LogReport::is_clean) {
        writeln!(
            output,
            "every audit log is as it was written in {}",
            store.url()
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use diesel::Connection as _;
    use diesel::connection::SimpleConnection as _;
    use store::{DatabaseUrl, Timestamp};

    use super::*;

    /// Verifies a log of three records in two commits, after this SQL has changed it without the server.
    fn verified(sql: &str, json: bool) -> (Result<u8, Mistake>, String) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("florin.db");
        let url = DatabaseUrl::parse(&format!("sqlite:{}", path.display())).unwrap();
        let store = Store::open(&url).unwrap();
        let mut hand = diesel::SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        hand.batch_execute(
            "INSERT INTO tenant (created_at, tenant_id, name) VALUES (0, 1, 'acme')",
        )
        .unwrap();
        let mut writer = store.writer().unwrap();
        let log = TenantId(1);
        let mut writes = store::bulk::Writes::default();
        let at = Timestamp::from_micros(0);
        let mut tip = audit_log::tables::create(&mut writes, log, at);
        let made = br#"{"subject":{"type":"tenant","id":"acme"},"outcome":"ok"}"#;
        for leaves in [
            vec![made.to_vec(), b"two".to_vec()],
            vec![b"three".to_vec()],
        ] {
            audit_log::tables::append(&mut writes, &mut tip, log, leaves, at).unwrap();
        }
        writes.run(&mut writer).unwrap();
        hand.batch_execute(sql).unwrap();
        let mut output = Vec::new();
        let outcome = verify(&VerifyArguments { json }, &store, &mut output);
        (outcome, String::from_utf8(output).unwrap())
    }

    #[test]
    fn a_log_as_it_was_written_is_clean() {
        let (outcome, text) = verified("", true);
        assert_eq!(outcome.unwrap(), SOUND);
        let object: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(object.get("clean"), Some(&true.into()));
        assert_eq!(object.pointer("/logs/0/size"), Some(&3.into()));
        let (outcome, text) = verified("", false);
        assert_eq!(outcome.unwrap(), SOUND);
        assert!(
            text.contains("every audit log is as it was written"),
            "{text}"
        );
    }

    #[test]
    fn the_first_bad_record_is_named_with_its_kind() {
        let sql = "DROP TRIGGER audit_entry_immutable;
                   UPDATE audit_entry SET leaf = CAST('owt' AS BLOB) WHERE seq = 1;";
        let (outcome, text) = verified(sql, false);
        assert_eq!(outcome.unwrap(), UNSOUND);
        assert!(
            text.contains("log 1 (acme) is tampered with: record 1: leaf_changed"),
            "{text}"
        );
        let (_, text) = verified(sql, true);
        let object: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(object.pointer("/logs/0/first_bad/seq"), Some(&1.into()));
        assert_eq!(
            object.pointer("/logs/0/first_bad/kind"),
            Some(&"leaf_changed".into())
        );
    }

    #[test]
    fn a_log_that_was_emptied_or_cut_is_not_as_it_was_written() {
        let tamper = "DROP TRIGGER audit_entry_kept; DROP TRIGGER audit_batch_kept;
                      DELETE FROM audit_entry; DELETE FROM audit_batch WHERE start > 0 OR size > 0;";
        let (outcome, text) = verified(tamper, false);
        assert_eq!(outcome.unwrap(), UNSOUND, "{text}");
        assert!(text.contains("change_unrecorded"), "{text}");
        assert!(
            text.contains("0 records, and none of them names acme"),
            "{text}"
        );
        let (_, text) = verified(tamper, true);
        let object: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(object.get("clean"), Some(&false.into()));
        assert_eq!(object.pointer("/logs/0/unrecorded"), Some(&"acme".into()));
    }

    #[test]
    fn a_log_that_cannot_be_read_gets_no_verdict() {
        let (outcome, text) = verified("DROP TABLE audit_entry", false);
        assert!(
            matches!(outcome, Err(Mistake::Database(Error::Refused(_)))),
            "{text}"
        );
    }
}
