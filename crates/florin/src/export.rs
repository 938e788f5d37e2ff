//! `florin export`: the books of a tenant, for other programs.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use interchange::{ExportCounts, ExportError, Format};
use store::Store;

use crate::check::progress_bar;
use crate::output::{self, cannot};
use crate::tenant::{TenantError, chosen};

/// Options of `florin export`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ExportArguments {
    /// The format to write
    #[arg(long, value_enum)]
    format: FormatArgument,
    /// The file to write (default: standard output). It is written whole or not at all
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The tenant whose books are exported (default: the only tenant)
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
}

/// The formats, as they are typed.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum FormatArgument {
    /// A journal that `hledger check` accepts
    Hledger,
    /// A ledger that `bean-check` accepts
    Beancount,
    /// One row per account and per entry
    Csv,
    /// One document, with one account or transaction on each line
    Json,
}

impl FormatArgument {
    const fn format(self) -> Format {
        match self {
            Self::Hledger => Format::Hledger,
            Self::Beancount => Format::Beancount,
            Self::Csv => Format::Csv,
            Self::Json => Format::Json,
        }
    }
}

/// Why the books were not exported.
#[derive(Debug, thiserror::Error)]
enum Mistake {
    #[error("{0}; see that the database runs and --database-url names it")]
    Database(#[from] store::Error),
    #[error(transparent)]
    Export(#[from] ExportError),
    #[error(transparent)]
    Whose(#[from] TenantError),
    #[error("cannot write {path}: {cause}; choose another with --output")]
    Unwritable { path: String, cause: io::Error },
}

/// Exports the books. The exit status is 0 if everything was written, and otherwise 2.
pub(crate) fn run(arguments: &ExportArguments, store: &Store, json: bool) -> ExitCode {
    match answer(arguments, store, json) {
        Ok(()) => ExitCode::SUCCESS,
        Err(mistake) => cannot(&mistake),
    }
}

fn answer(arguments: &ExportArguments, store: &Store, json: bool) -> Result<(), Mistake> {
    let Some(path) = &arguments.output else {
        let mut output = BufWriter::new(io::stdout().lock());
        return write(arguments, store, &mut output).map(|_written| ());
    };
    let unwritable = |cause| Mistake::Unwritable {
        path: path.display().to_string(),
        cause,
    };
    // A path that exists and is no file (a pipe, a terminal) is written to and never replaced.
    if fs::metadata(path).is_ok_and(|there| !there.is_file()) {
        let mut output = BufWriter::new(File::create(path).map_err(unwritable)?);
        return write(arguments, store, &mut output).map(|_written| ());
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    };
    let file = tempfile::NamedTempFile::new_in(folder).map_err(unwritable)?;
    let mut output = BufWriter::new(file);
    let written = write(arguments, store, &mut output)?;
    let file = output
        .into_inner()
        .map_err(|error| unwritable(error.into_error()))?;
    file.as_file().sync_all().map_err(unwritable)?;
    file.persist(path)
        .map_err(|error| unwritable(error.error))?;
    let (accounts, transactions) = (written.accounts, written.transactions);
    let path = path.display();
    // The result is in the file. This line is only for people.
    let _unheard = if json {
        let file = path.to_string();
        let said = serde_json::json!({
            "accounts": accounts, "transactions": transactions, "file": file,
        });
        output::text(&format!("{said}\n"))
    } else {
        writeln!(
            io::stderr(),
            "accounts: {accounts}, transactions: {transactions}, in {path}"
        )
    };
    Ok(())
}

fn write(
    arguments: &ExportArguments,
    store: &Store,
    output: &mut dyn Write,
) -> Result<ExportCounts, Mistake> {
    let bar = progress_bar();
    bar.set_prefix("export");
    let written = store.read(|connection| {
        let tenant = chosen(connection, arguments.tenant.as_deref())?;
        let format = arguments.format.format();
        let mut progress = |done| bar.set_position(done);
        let name = &tenant.name;
        let written =
            interchange::export(connection, tenant.id, name, format, output, &mut progress)?;
        Ok(written)
    });
    bar.finish_and_clear();
    written
}
