//! Programs that read `docs/openapi.json` and know nothing else of Florin: two linters, generated clients, and
//! schemathesis, which tries everything that the document allows and forbids.
//!
//! Their versions stand in `tests/clients`. `REQUIRE_CLIENTS=1` installs them below `target/` with npm and pip, and
//! fails if that is not possible. Without it, if they are not installed, the scenarios print a message.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use tests::{Database, Florin, Kind, on_both_databases};

/// Greatest number of requests that schemathesis generates for a route, in each of its phases.
const EXAMPLES: &str = "50";

/// The places where the programs are installed.
struct Programs {
    /// A separate package, with `node_modules`.
    node: PathBuf,
    /// A virtual environment.
    python: PathBuf,
}

static PROGRAMS: LazyLock<Option<Programs>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients");
    let programs = Programs {
        node: folder.join("node"),
        python: folder.join("python"),
    };
    // The lists from which the programs were installed.
    let lists = ["package-lock.json", "requirements.txt"].map(own);
    let wanted = lists.map(|list| std::fs::read_to_string(list).expect("it is there"));
    let wanted = wanted.concat();
    let stamp = folder.join("installed");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Some(programs);
    }
    if std::env::var_os("REQUIRE_CLIENTS").is_none_or(|value| value != "1") {
        println!("clients: SKIPPED, they are not installed: REQUIRE_CLIENTS=1 installs them");
        return None;
    }
    programs.install();
    std::fs::write(&stamp, wanted).expect("the folder is writable");
    Some(programs)
});

impl Programs {
    fn install(&self) {
        std::fs::create_dir_all(&self.node).expect("the folder is writable");
        for name in ["package.json", "package-lock.json"] {
            copy(name, &self.node);
        }
        let install = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
        run(Command::new("npm").args(install).current_dir(&self.node));
        run(Command::new("python3")
            .args(["-m", "venv"])
            .arg(&self.python));
        let mut pip = self.of_python("pip");
        run(pip
            .args(["install", "--quiet", "--requirement"])
            .arg(own("requirements.txt")));
    }

    fn of_node(&self, program: &str) -> Command {
        let mut command = Command::new(self.node.join("node_modules/.bin").join(program));
        command
            .current_dir(&self.node)
            .env("REDOCLY_TELEMETRY", "off");
        command
    }

    fn of_python(&self, program: &str) -> Command {
        Command::new(self.python.join("bin").join(program))
    }

    /// Generates both clients, and compiles the one whose language is compiled.
    fn make_clients(&self) {
        let mut typescript = self.of_node("openapi-typescript");
        run(typescript.arg(description()).args(["--output", "api.d.ts"]));
        for name in ["scenario.ts", "tsconfig.json"] {
            copy(name, &self.node);
        }
        run(self.of_node("tsc").args(["--project", "."]));
        let mut python = self.of_python("openapi-python-client");
        python.args(["generate", "--meta", "none", "--overwrite", "--path"]);
        python
            .arg(description())
            .arg("--config")
            .arg(own("openapi-python-client.yaml"));
        run(python
            .arg("--output-path")
            .arg(self.python.join("florin_client")));
        copy("scenario.py", &self.python);
    }
}

static CLIENTS: LazyLock<Option<&'static Programs>> = LazyLock::new(|| {
    let programs = PROGRAMS.as_ref()?;
    programs.make_clients();
    Some(programs)
});

fn description() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json")
}

fn own(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("clients")
        .join(name)
}

fn copy(name: &str, folder: &Path) {
    std::fs::copy(own(name), folder.join(name)).expect("it can be copied");
}

/// Runs a program, and prints its output if it fails.
fn run(command: &mut Command) -> String {
    let output = command.output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(
        output.status.success(),
        "{command:?}: {}\n{said}",
        output.status
    );
    said
}

#[test]
fn two_linters_find_neither_an_error_nor_a_warning() {
    let Some(programs) = PROGRAMS.as_ref() else {
        return;
    };
    let mut redocly = programs.of_node("redocly");
    redocly.arg("lint").arg("--config").arg(own("redocly.yaml"));
    let said = run(redocly.arg("--max-problems=1000").arg(description()));
    assert!(
        !said.to_lowercase().contains("warning was generated"),
        "{said}"
    );
    let mut spectral = programs.of_node("spectral");
    spectral.args(["lint", "--fail-severity=hint", "--ruleset"]);
    run(spectral.arg(own("spectral.yaml")).arg(description()));
}

on_both_databases!(clients_that_are_made_from_the_description_get_what_it_says);
async fn clients_that_are_made_from_the_description_get_what_it_says(database: Database) {
    let Some(programs) = *CLIENTS else {
        return;
    };
    let florin = Florin::start(&database, &[]);
    let mut typescript = Command::new("node");
    typescript.current_dir(&programs.node).arg("scenario.js");
    let said = run(typescript.args([florin.api(), florin.key()]));
    assert!(said.contains("the TypeScript client agrees"), "{said}");
    let mut python = programs.of_python("python");
    python.current_dir(&programs.python).arg("scenario.py");
    let said = run(python.args([florin.api(), florin.key()]));
    assert!(said.contains("the Python client agrees"), "{said}");
}

/// These tests concern the API, which does not depend on the database, and take minutes: one database is enough.
#[test]
fn nothing_that_is_allowed_is_refused_and_nothing_that_is_forbidden_taken() {
    let Some(programs) = PROGRAMS.as_ref() else {
        return;
    };
    let database = Database::fresh(Kind::Sqlite).expect("it is built in");
    let florin = Florin::start(&database, &[]);
    let folder = database.folder();
    for name in ["schemathesis.toml", "schemathesis_rules.py"] {
        copy(name, folder);
    }
    let mut schemathesis = programs.of_python("schemathesis");
    schemathesis
        .current_dir(folder)
        .arg("run")
        .arg(description());
    schemathesis.args(["--url", florin.api(), "--max-examples", EXAMPLES]);
    schemathesis.args([
        "--header",
        &format!("Authorization: Bearer {}", florin.key()),
    ]);
    // One check is replaced by a stricter one: schemathesis.toml gives the reason.
    schemathesis.args(["--exclude-checks", "positive_data_acceptance"]);
    run(schemathesis.args(["--continue-on-failure", "--seed", "1", "--no-shrink"]));
}
