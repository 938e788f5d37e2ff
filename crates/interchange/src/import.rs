//! Import of books from a file: either all accounts and transactions of the file, or all mistakes in it, by line.

mod assembly;
mod document;
mod legs;
mod rows;
mod table;

use ledger::{
    AccountClass, AccountCode, AccountCodeError, AccountName, AccountStatus, ForeignAccount,
    Import, Limits, LimitsError, Metadata, NormalSide,
};
use money::{Currency, MinorUnits};

use crate::csv::{side, status};
use assembly::Assembly;

/// Greatest number of mistakes that are reported.
const MAX_MISTAKES: usize = 100;

/// The formats that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// CSV: one row per account, then one row per entry.
    Csv,
    /// JSON: one document.
    Json,
}

/// A mistake in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The line, from 1.
    pub line: u64,
    /// The column or field; empty if the mistake belongs to none.
    pub field: String,
    /// A description of the mistake.
    pub problem: String,
}

/// Reads books. A transaction without an external id gets one: its own id, if that is an id of Florin, or an id that
/// is made from its content.
///
/// # Errors
/// All [`Mistake`]s, at most 100.
pub fn read(source: Source, bytes: &[u8]) -> Result<Import, Vec<Mistake>> {
    let text = decoded(bytes).map_err(|mistake| vec![mistake])?;
    let mut assembly = Assembly::default();
    match source {
        Source::Csv => rows::read(text, &mut assembly),
        Source::Json => document::read(text, &mut assembly),
    }
    assembly.finish()
}

/// The text without the byte-order mark that spreadsheets put in front of it.
fn decoded(bytes: &[u8]) -> Result<&str, Mistake> {
    let wrong = |line, problem: String| Mistake {
        line,
        field: String::new(),
        problem,
    };
    const UTF_16: &str = "the file is UTF-16: save it as UTF-8";
    match bytes {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => {
            let problem = "the file is UTF-32: save it as UTF-8".to_owned();
            return Err(wrong(1, problem));
        }
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, _, ..] | [_, 0, ..] => {
            return Err(wrong(1, UTF_16.to_owned()));
        }
        _ => {}
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.trim_ascii().is_empty() {
        return Err(wrong(1, "the file is empty".to_owned()));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let (line, column) = place(&String::from_utf8_lossy(good));
        wrong(line, format!("column {column}: is not UTF-8"))
    })
}

/// The line and the column after a text, both from 1.
fn place(text: &str) -> (u64, u64) {
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX).saturating_add(1);
    let lines = text.bytes().filter(|byte| *byte == b'\n').count();
    let last = text.rsplit('\n').next().unwrap_or_default();
    (count(lines), count(last.chars().count()))
}

/// The mistakes found so far.
#[derive(Default)]
struct Mistakes(Vec<Mistake>);

impl Mistakes {
    fn add(&mut self, line: u64, field: &str, problem: impl ToString) {
        if !self.are_enough() {
            self.0.push(Mistake {
                line,
                field: field.to_owned(),
                problem: problem.to_string(),
            });
        }
    }

    const fn are_enough(&self) -> bool {
        self.0.len() >= MAX_MISTAKES
    }
}

/// A row or an object: texts by name.
trait Fields {
    fn line(&self) -> u64;

    /// The text of a field; `None` if it is not given.
    fn text(&self, field: &str) -> Result<Option<String>, String>;

    /// A signed number of minor units, in the notation of the file.
    fn units(&self, field: &str, currency: Currency) -> Result<Option<MinorUnits>, String>;

    fn metadata(&self) -> Result<Option<Metadata>, String>;
}

/// Reads fields one after another, and records a mistake for each field that is wrong.
struct Reading<'a> {
    fields: &'a dyn Fields,
    mistakes: &'a mut Mistakes,
}

impl Reading<'_> {
    fn note<T>(&mut self, field: &str, read: Result<T, impl ToString>) -> Option<T> {
        read.map_err(|problem| self.mistakes.add(self.fields.line(), field, problem))
            .ok()
    }

    /// Reads a field: `Some(None)` if it is not given. `None` if it is wrong; the mistake is then recorded.
    fn optional<T, E: ToString>(
        &mut self,
        field: &str,
        parse: impl FnOnce(String) -> Result<T, E>,
    ) -> Option<Option<T>> {
        let given = self.fields.text(field);
        match self.note(field, given)? {
            None => Some(None),
            // One of the databases cannot store U+0000, and no field needs this character.
            Some(text) if text.contains('\0') => {
                self.note(field, Err("holds the character U+0000"))
            }
            Some(text) => self.note(field, parse(text)).map(Some),
        }
    }

    /// Reads a field that must be given. `None` if it is not given or wrong; the mistake is then recorded.
    fn required<T, E: ToString>(
        &mut self,
        field: &str,
        parse: impl FnOnce(String) -> Result<T, E>,
    ) -> Option<T> {
        let read = self.optional(field, parse)?;
        self.note(field, read.ok_or("is missing"))
    }

    fn units(&mut self, field: &str, currency: Currency) -> Option<Option<MinorUnits>> {
        let given = self.fields.units(field, currency);
        self.note(field, given)
    }

    fn metadata(&mut self) -> Option<Option<Metadata>> {
        let given = self.fields.metadata();
        self.note("metadata", given)
    }
}

/// Reads an account; `code_field` is the name of the field with its code. An absent floor means that the account has
/// no floor, as in an export.
fn account(
    fields: &dyn Fields,
    code_field: &str,
    mistakes: &mut Mistakes,
) -> Option<ForeignAccount> {
    let line = fields.line();
    let mut reading = Reading { fields, mistakes };
    let code = reading.required(code_field, AccountCode::parse);
    let name = reading.optional("name", AccountName::parse);
    let currency = reading.required("currency", |text| Currency::from_stored(&text));
    let class = reading.optional("class", class_named);
    let grows = reading.optional("normal_side", side_named);
    let status = reading.optional("status", status_named);
    let metadata = reading.metadata();
    let currency = currency?;
    let floor = reading.units("floor", currency);
    let ceiling = reading.units("ceiling", currency);
    let credit_line = reading.units("credit_line", currency);
    let balance = reading.units("balance", currency);
    let code = code?;
    let class = class_of(&code, class?, grows?);
    let class = reading.note("class", class)?;
    let limits = Limits::new(floor?, ceiling?, credit_line?);
    let field = match limits {
        Err(LimitsError::NegativeCreditLine) => "credit_line",
        Err(LimitsError::CeilingBelowFloor) | Ok(_) => "ceiling",
    };
    let limits = reading.note(field, limits)?;
    Some(ForeignAccount {
        line,
        new: ledger::NewAccount {
            name: name?.unwrap_or_else(|| AccountName::trusted(code.as_str())),
            code,
            currency,
            class,
            limits,
            metadata: metadata?,
        },
        status: status?.unwrap_or(AccountStatus::Open),
        balance: balance?,
    })
}

/// The class that is given, or else the class that follows from the code and the side.
fn class_of(
    code: &str,
    class: Option<AccountClass>,
    grows: Option<NormalSide>,
) -> Result<AccountClass, &'static str> {
    match (class, grows) {
        (Some(class), Some(grows)) if class.normal_side() != grows => {
            Err("grows on the other side than normal_side says")
        }
        (Some(class), _) => Ok(class),
        (None, Some(grows)) => Ok(AccountClass::of(code, grows)),
        (None, None) => {
            let root = code.split(':').next().unwrap_or_default();
            let named = AccountClass::ALL.into_iter();
            let mut named = named.filter(|class| class.root() == root);
            named
                .next()
                .ok_or("is missing, and the code's first level names none")
        }
    }
}

/// The code of the account of an entry.
fn code(text: String) -> Result<String, AccountCodeError> {
    AccountCode::parse(text).map(String::from)
}

/// Metadata from JSON in which no key occurs twice; `None` if it is empty.
fn metadata(json: &str) -> Result<Option<Metadata>, String> {
    if let Some(problem) = document::doubled(json) {
        return Err(problem);
    }
    let read = Metadata::from_json(json).map_err(|error| error.to_string())?;
    Ok(Some(read).filter(|read| read.as_json() != "{}"))
}

fn class_named(text: String) -> Result<AccountClass, &'static str> {
    let found = AccountClass::ALL
        .into_iter()
        .find(|class| class.name() == text);
    found.ok_or("is asset, liability, equity, income or expense")
}

fn side_named(text: String) -> Result<NormalSide, &'static str> {
    let sides = [NormalSide::Debit, NormalSide::Credit];
    let found = sides.into_iter().find(|one| side(*one) == text);
    found.ok_or("is debit or credit")
}

fn status_named(text: String) -> Result<AccountStatus, &'static str> {
    let all = [
        AccountStatus::Open,
        AccountStatus::Frozen,
        AccountStatus::Closed,
    ];
    let found = all.into_iter().find(|one| status(*one) == text);
    found.ok_or("is open, frozen or closed")
}
