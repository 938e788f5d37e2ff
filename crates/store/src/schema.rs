//! Comparison of the present schema with the schema that the migrations make.
//!
//! Both are printed by the same query in the same database, one line for each object, so the comparison does not
//! depend on the output of a certain version. The schema of the migrations is created for this purpose: in memory, or
//! in a schema of its own within a transaction that is rolled back.

use std::collections::BTreeMap;

use diesel::connection::{AnsiTransactionManager, SimpleConnection};
use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::connection::{Purpose, by_any_plan};
use crate::{AnyConnection, DatabaseUrl, Error, Tuning, migrations};

/// A schema, one line for each object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema(BTreeMap<Object, String>);

/// The type of an object, and its table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Object {
    kind: String,
    owner: String,
    name: String,
}

/// A difference from the schema that the migrations make.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{object} {what}")]
pub struct Difference {
    /// The object, for example `unique index posting_debit of posting`.
    pub object: String,
    /// The kind of the difference.
    pub what: &'static str,
}

/// The schema that the migrations make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpectedSchema {
    /// The schema could be created and printed.
    Schema(Schema),
    /// The schema could not be created here; the reason.
    Unknown(String),
}

/// An index that is not unique changes no answer, so an operator may add some.
const PLAIN_INDEX: &str = "index";
/// Functions of others may be in the same schema.
const FUNCTION: &str = "function";

impl Schema {
    /// Prints the schema that the connection sees.
    ///
    /// # Errors
    /// [`Error`] if the database fails.
    pub fn of(connection: &mut AnyConnection) -> Result<Self, Error> {
        let lines: Vec<Line> = match connection {
            AnyConnection::Postgres(c) => print_postgres(c)?,
            AnyConnection::Sqlite(c) => print_sqlite(c)?,
        };
        let lines = lines.into_iter().map(|line| {
            let words: Vec<&str> = line.definition.split_whitespace().collect();
            let object = Object {
                kind: line.kind,
                owner: line.owner,
                name: line.name,
            };
            (object, words.join(" "))
        });
        Ok(Self(lines.collect()))
    }

    /// Number of objects.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no objects.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first object that differs from the schema that was made; `None` if all agree.
    #[must_use]
    pub fn difference(&self, made: &Self) -> Option<Difference> {
        for (object, definition) in &made.0 {
            let what = match self.0.get(object) {
                None => "is missing",
                Some(found) if found != definition => "is not what the migrations make",
                Some(_) => continue,
            };
            return Some(object.differs(what));
        }
        let is_ours = |object: &Object| {
            made.0.keys().any(|known| known.owner == object.owner)
                && object.kind != FUNCTION
                && object.kind != PLAIN_INDEX
        };
        let others = self.0.keys();
        let mut others = others.filter(|object| !made.0.contains_key(object) && is_ours(object));
        others
            .next()
            .map(|object| object.differs("is nothing that the migrations make"))
    }
}

impl Object {
    fn differs(&self, what: &'static str) -> Difference {
        let Self { kind, owner, name } = self;
        let object = match (owner.as_str(), name.as_str()) {
            ("", name) => format!("{kind} {name}"),
            (owner, "") => format!("{kind} {owner}"),
            (owner, name) => format!("{kind} {name} of {owner}"),
        };
        Difference { object, what }
    }
}

/// The schema that the migrations make on a database of this kind.
///
/// # Errors
/// [`Error`] if the database fails.
pub(crate) fn made(url: &DatabaseUrl, tuning: &Tuning) -> Result<ExpectedSchema, Error> {
    match url {
        DatabaseUrl::Sqlite(_) => Schema::of(&mut crate::in_memory()?).map(ExpectedSchema::Schema),
        DatabaseUrl::Postgres(_) => {
            // The session of a reader has no idle time-out, and the migrations may take a while.
            let mut connection = AnyConnection::open(url, Purpose::Read, tuning)?;
            let begun = match &mut connection {
                AnyConnection::Postgres(c) => begin_elsewhere(c),
                AnyConnection::Sqlite(_) => Ok(()),
            };
            if let Err(error) = begun {
                return unknown(error);
            }
            migrations::apply_here(&mut connection)?;
            by_any_plan(&mut connection)?;
            // The transaction ends with the connection and leaves nothing behind.
            Schema::of(&mut connection).map(ExpectedSchema::Schema)
        }
    }
}

/// If the schema may not be created, it cannot be compared.
fn unknown(error: Error) -> Result<ExpectedSchema, Error> {
    let text = error.to_string();
    let is_forbidden = ["permission denied", "read-only transaction"]
        .iter()
        .any(|words| text.contains(words));
    if is_forbidden {
        Ok(ExpectedSchema::Unknown(text))
    } else {
        Err(error)
    }
}

/// Begins a transaction in which every object that is created goes into a separate schema.
fn begin_elsewhere(connection: &mut diesel::PgConnection) -> Result<(), Error> {
    AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN")?;
    connection.batch_execute(
        "CREATE SCHEMA florin_comparison; SET LOCAL search_path = florin_comparison",
    )?;
    Ok(())
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    owner: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    definition: String,
}

fn print_postgres(connection: &mut diesel::PgConnection) -> Result<Vec<Line>, Error> {
    Ok(diesel::sql_query(include_str!("schema/postgres.sql")).load(connection)?)
}

/// SQLite keeps the text of each object as it was written.
fn print_sqlite(connection: &mut diesel::SqliteConnection) -> Result<Vec<Line>, Error> {
    Ok(diesel::sql_query(include_str!("schema/sqlite.sql")).load(connection)?)
}
