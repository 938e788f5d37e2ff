//! The schema: both databases have the same tables.

use crate::files::{holds, read, root, words};

/// Each table with its columns, each index and each view by name, in the order of the file. Objects that the file
/// drops or renames are left out, because they existed before.
fn schema(sql: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut made_again = Vec::new();
    let mut table: Option<&str> = None;
    for line in sql.lines() {
        let line = line.split("--").next().unwrap_or_default();
        let mut said = words(line);
        let first = said.next().unwrap_or_default();
        let renames = line.starts_with("ALTER TABLE") && line.contains(" RENAME TO ");
        if first == "DROP" || renames {
            made_again.extend(said.nth(1).map(str::to_owned));
        } else if first == "CREATE" {
            let kinds = ["TABLE", "VIEW", "INDEX"];
            let name = said
                .by_ref()
                .find(|word| kinds.contains(word))
                .and_then(|_| said.next());
            table = name.filter(|_| line.starts_with("CREATE TABLE"));
            found.extend(name.map(str::to_owned));
        } else if line.starts_with(')') {
            table = None;
        } else if let Some(table) = table
            && line.starts_with("    ")
            && first.starts_with(|c: char| c.is_ascii_lowercase())
        {
            found.push(format!("{table}.{first}"));
        }
    }
    let of = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
    found.retain(|name| !made_again.contains(&of(name)));
    found
}

fn differences(one: &str, other: &str) -> Vec<String> {
    let (one, other) = (schema(one), schema(other));
    let missing = |from: &[String], of: &[String]| -> Vec<String> {
        from.iter()
            .filter(|name| !of.contains(name))
            .cloned()
            .collect()
    };
    let mut found = [missing(&one, &other), missing(&other, &one)].concat();
    if found.is_empty() && one != other {
        found.push("the order".to_owned());
    }
    found
}

#[test]
fn both_databases_have_the_same_tables_with_the_same_columns() {
    let one = "CREATE TABLE a (\n    id BIGINT,  -- the id\n    PRIMARY KEY (id)\n);\nCREATE UNIQUE INDEX i\n    ON a (id);\n";
    assert_eq!(schema(one), ["a", "a.id", "i"]);
    let other = "CREATE TABLE a (\n    id INTEGER,\n    b TEXT\n) STRICT;\nCREATE VIEW v AS\n    SELECT id FROM a;\n";
    assert_eq!(differences(one, other), ["i", "a.b", "v"]);
    let again = format!("DROP VIEW v;\n{other}");
    assert_eq!(differences(one, &again), ["i", "a.b"]);
    let renamed = format!("ALTER TABLE a RENAME TO a_before;\n{other}");
    assert_eq!(differences(one, &renamed), ["a", "a.id", "i", "v"]);

    let named = |kind: &str| -> Vec<String> {
        let folder = std::fs::read_dir(root().join("migrations").join(kind)).expect("readable");
        let names = folder.map(|entry| entry.expect("readable").file_name());
        let mut names: Vec<String> = names
            .map(|name| name.to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    };
    let (sqlite, postgres) = (named("sqlite"), named("postgres"));
    assert_eq!(sqlite, postgres, "each migration is written for both");
    let mut found = Vec::new();
    for name in sqlite {
        let up = |kind: &str| read(&format!("migrations/{kind}/{name}/up.sql"));
        found.extend(
            differences(&up("sqlite"), &up("postgres"))
                .into_iter()
                .map(|what| format!("{name}: {what}")),
        );
    }
    let all = schema(&read(
        "migrations/sqlite/2026-11-21-000001_foundation/up.sql",
    ));
    assert!(all.len() > 100, "{all:?}");
    holds("only one of the two schemas has", found);
}
