//! Reads a provider's settlement report: CSV, by a mapping. Lines are read one by one, so that a report of any length
//! takes little memory.

use std::collections::HashMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use jiff::civil::Date;
use money::{Currency, MinorUnits};
use payments::settlement::{LineKind, ReportLine};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

/// Greatest length of a field that is stored, in bytes.
const MAX_LENGTH: usize = 255;

/// What the columns of a report mean. It can be read from a file of TOML.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReportMapping {
    /// The character between two fields.
    #[serde(default = "comma")]
    pub(crate) delimiter: char,
    /// The form of dates, as `%Y-%m-%d`. Only as many characters are read as the form needs.
    #[serde(default = "date_form")]
    pub(crate) date_format: String,
    /// True if amounts are whole numbers of minor units. Otherwise they are decimal numbers with a point.
    #[serde(default)]
    pub(crate) minor_units: bool,
    /// The columns.
    pub(crate) columns: Columns,
    /// The kind of line for each word in the column `kind`. A word that is not here is an adjustment.
    pub(crate) kinds: HashMap<String, String>,
}

/// The names of the columns.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Columns {
    /// The kind of the line.
    kind: String,
    /// The provider's reference of the record.
    reference: String,
    /// Our own reference.
    our_reference: Option<String>,
    /// The amount before the fee.
    gross: String,
    /// The fee. Without it, the fee is the difference of gross and net.
    fee: Option<String>,
    /// The amount less the fee.
    net: Option<String>,
    /// ISO 4217 code.
    currency: String,
    /// The day.
    day: String,
    /// The provider's name of the settlement.
    settlement: Option<String>,
}

const fn comma() -> char {
    ','
}

fn date_form() -> String {
    "%Y-%m-%d".to_owned()
}

/// The mapping of the sandbox's reports.
const SANDBOX: &str = r#"
[columns]
kind = "type"
reference = "reference"
our_reference = "our_reference"
gross = "gross"
fee = "fee"
net = "net"
currency = "currency"
day = "day"
settlement = "settlement"
[kinds]
capture = "capture"
refund = "refund"
refund_return = "refund_return"
dispute = "dispute"
dispute_reversal = "dispute_reversal"
payout = "payout"
fee = "fee"
"#;

/// The mapping of Stripe's itemized reports of balance changes and payouts.
const STRIPE: &str = r#"
[columns]
kind = "reporting_category"
reference = "source_id"
gross = "gross"
fee = "fee"
net = "net"
currency = "currency"
day = "created"
settlement = "automatic_payout_id"
[kinds]
charge = "capture"
refund = "refund"
refund_failure = "refund_return"
dispute = "dispute"
dispute_reversal = "dispute_reversal"
payout = "payout"
fee = "fee"
"#;

impl ReportMapping {
    /// The mapping with this name, or from the file of this name.
    pub(crate) fn named(name: &str) -> Result<Self, String> {
        let text = match name {
            "sandbox" => SANDBOX.to_owned(),
            "stripe" => STRIPE.to_owned(),
            path => std::fs::read_to_string(path)
                .map_err(|cause| format!("cannot read the mapping {path}: {cause}"))?,
        };
        let mapping: Self =
            toml::from_str(&text).map_err(|cause| format!("the mapping {name}: {cause}"))?;
        for kind in mapping.kinds.values() {
            if LineKind::from_name(kind).is_none() {
                let known = LineKind::ALL.map(LineKind::name).join(", ");
                return Err(format!(
                    "the mapping {name}: {kind:?} is no kind of line; the kinds are {known}"
                ));
            }
        }
        Ok(mapping)
    }
}

/// What is wrong in a report, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column} ({name}): {problem}")]
pub(crate) struct ReportMistake {
    /// Number of the line, from 1.
    pub(crate) line: u64,
    /// Number of the column, from 1.
    pub(crate) column: usize,
    /// Name of the column.
    pub(crate) name: String,
    /// What is wrong, and what is right.
    pub(crate) problem: String,
}

/// A report that is read line by line.
pub(crate) struct Report<'a> {
    mapping: &'a ReportMapping,
    rows: csv::StringRecordsIntoIter<BufReader<File>>,
    places: Places,
    /// How often each content has occurred, by the beginning of its hash.
    seen: HashMap<[u8; 16], u32>,
}

/// The numbers of the columns, from 0.
#[derive(Clone, Copy)]
struct Places {
    kind: usize,
    reference: usize,
    our_reference: Option<usize>,
    gross: usize,
    fee: Option<usize>,
    net: Option<usize>,
    currency: usize,
    day: usize,
    settlement: Option<usize>,
}

impl<'a> Report<'a> {
    /// Opens a report and reads the names of its columns.
    pub(crate) fn open(path: &Path, mapping: &'a ReportMapping) -> Result<Self, ReportMistake> {
        let whole = |problem: String| ReportMistake {
            line: 1,
            column: 1,
            name: "file".to_owned(),
            problem,
        };
        let file =
            File::open(path).map_err(|cause| whole(format!("it cannot be read: {cause}")))?;
        let delimiter = u8::try_from(mapping.delimiter)
            .map_err(|_wide| whole("the delimiter must be one byte".to_owned()))?;
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .from_reader(BufReader::new(file));
        let headers = reader.headers().map_err(|cause| whole(cause.to_string()))?;
        // Some programs write a byte order mark.
        let names: Vec<&str> = headers
            .iter()
            .map(|name| name.trim_start_matches('\u{feff}').trim())
            .collect();
        let place = |name: &str| {
            let found = names.iter().position(|known| *known == name);
            found.ok_or_else(|| whole(format!("there is no column {name:?}")))
        };
        let optional = |name: &Option<String>| name.as_deref().map(place).transpose();
        let columns = &mapping.columns;
        if columns.fee.is_none() && columns.net.is_none() {
            return Err(whole(
                "the mapping needs the column of the fee, or of the net amount".to_owned(),
            ));
        }
        let places = Places {
            kind: place(&columns.kind)?,
            reference: place(&columns.reference)?,
            our_reference: optional(&columns.our_reference)?,
            gross: place(&columns.gross)?,
            fee: optional(&columns.fee)?,
            net: optional(&columns.net)?,
            currency: place(&columns.currency)?,
            day: place(&columns.day)?,
            settlement: optional(&columns.settlement)?,
        };
        Ok(Self {
            mapping,
            rows: reader.into_records(),
            places,
            seen: HashMap::new(),
        })
    }

    fn read(&mut self, record: &csv::StringRecord) -> Result<ReportLine, ReportMistake> {
        let line = record.position().map_or(0, csv::Position::line);
        let (places, columns) = (self.places, &self.mapping.columns);
        let field = |place: usize| record.get(place).unwrap_or_default().trim();
        let wrong = |place: usize, name: &str, problem: String| ReportMistake {
            line,
            column: place.saturating_add(1),
            name: name.to_owned(),
            problem,
        };
        let short = |place: Option<usize>, name: &str| {
            let text = place.map_or("", field);
            let at = place.unwrap_or(0);
            if text.len() > MAX_LENGTH {
                let problem = format!("it has more than {MAX_LENGTH} bytes");
                return Err(wrong(at, name, problem));
            }
            match text::is_card_number(text) {
                true => Err(wrong(at, name, "card numbers are not accepted".to_owned())),
                false => Ok(text.to_owned()),
            }
        };
        let code = field(places.currency).to_ascii_uppercase();
        let currency = Currency::from_code(&code)
            .map_err(|unknown| wrong(places.currency, &columns.currency, unknown.to_string()))?;
        let amount = |place: usize, name: &str| {
            let text = field(place);
            let amount = match self.mapping.minor_units {
                true => text
                    .parse()
                    .map_err(|_no_number| "it is a whole number".to_owned()),
                false => MinorUnits::from_decimal(text, currency)
                    .map(MinorUnits::get)
                    .map_err(|cause| cause.to_string()),
            };
            amount.map_err(|problem| wrong(place, name, format!("{text:?}: {problem}")))
        };
        let gross: i64 = amount(places.gross, &columns.gross)?;
        let named = |name: &Option<String>| name.clone().unwrap_or_default();
        let fee = places.fee.map(|place| amount(place, &named(&columns.fee)));
        let net = places.net.map(|place| amount(place, &named(&columns.net)));
        let (fee, net) = (fee.transpose()?, net.transpose()?);
        let difference = net.map(|net| gross.saturating_sub(net));
        let fee: i64 = fee.or(difference).unwrap_or(0);
        let at = places.net.or(places.fee).unwrap_or(0);
        let of = named(if places.net.is_some() {
            &columns.net
        } else {
            &columns.fee
        });
        if let Some(net) = net
            && gross.checked_sub(fee) != Some(net)
        {
            let left = i128::from(gross) - i128::from(fee) - i128::from(net);
            let problem =
                format!("gross less fee is not net: the difference is {left} minor units");
            return Err(wrong(at, &of, problem));
        }
        let word = field(places.kind);
        let kind = self.mapping.kinds.get(word);
        let kind = kind.and_then(|name| LineKind::from_name(name));
        let kind = kind.unwrap_or(LineKind::Adjustment);
        if fee < 0 {
            return Err(wrong(at, &of, "a fee is not negative".to_owned()));
        }
        if kind.sign() != 0 && gross.signum() != kind.sign() {
            let side = if kind.sign() > 0 {
                "positive"
            } else {
                "negative"
            };
            let problem = format!("the gross amount of a {} is {side}", kind.name());
            return Err(wrong(places.gross, &columns.gross, problem));
        }
        let day = self.day(field(places.day));
        let day = day.map_err(|problem| wrong(places.day, &columns.day, problem))?;
        let reference = short(Some(places.reference), &columns.reference)?;
        let our_reference = short(places.our_reference, &named(&columns.our_reference))?;
        let settlement = short(places.settlement, &named(&columns.settlement))?;
        let texts = [word, &reference, &our_reference, &code, &settlement];
        let content = self.content(texts, [gross, fee, i64::from(day)]);
        Ok(ReportLine {
            number: i64::try_from(line).unwrap_or(i64::MAX),
            content,
            kind,
            reference,
            our_reference,
            gross,
            fee,
            currency,
            day,
            settlement,
        })
    }

    /// The hash of a line: of its content, and of its ordinal among equal lines.
    fn content(&mut self, texts: [&str; 5], numbers: [i64; 3]) -> [u8; 32] {
        let mut content = Sha256::new();
        for text in texts {
            content.update(text.len().to_be_bytes());
            content.update(text);
        }
        for number in numbers {
            content.update(number.to_be_bytes());
        }
        let first = content.clone().finalize();
        let mut beginning = [0; 16];
        beginning
            .iter_mut()
            .zip(first)
            .for_each(|(to, from)| *to = from);
        let ordinal = self.seen.entry(beginning).or_default();
        content.update(ordinal.to_be_bytes());
        *ordinal = ordinal.saturating_add(1);
        content.finalize().into()
    }

    /// A day in days since 1970. What follows the date, such as a time, is not read.
    fn day(&self, text: &str) -> Result<i32, String> {
        let form = &self.mapping.date_format;
        let date = jiff::fmt::strtime::BrokenDownTime::parse_prefix(form, text)
            .and_then(|(parsed, _rest)| parsed.to_date());
        let date: Date =
            date.map_err(|_unreadable| format!("{text:?} is no date of the form {form}"))?;
        let days = date.since(Date::constant(1970, 1, 1));
        let days = days.map(|span| span.get_days());
        days.map_err(|_too_far| format!("{text:?} is too far away"))
    }
}

impl Iterator for Report<'_> {
    type Item = Result<ReportLine, ReportMistake>;

    fn next(&mut self) -> Option<Self::Item> {
        let record = match self.rows.next()? {
            Ok(record) => record,
            Err(cause) => {
                let line = cause.position().map_or(0, csv::Position::line);
                return Some(Err(ReportMistake {
                    line,
                    column: 1,
                    name: "line".to_owned(),
                    problem: cause.to_string(),
                }));
            }
        };
        Some(self.read(&record))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use std::io::Write as _;

    use super::*;

    fn read(mapping: &str, text: &str) -> Result<Vec<ReportLine>, ReportMistake> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let mapping = ReportMapping::named(mapping).unwrap();
        Report::open(file.path(), &mapping)?.collect()
    }

    const HEAD: &str = "id,type,reference,our_reference,gross,fee,net,currency,day,settlement\n";

    #[test]
    fn a_report_of_the_sandbox_is_read() {
        let text = format!(
            "{HEAD}a,capture,ch_1,op_1,10.99,0.20,10.79,EUR,2026-11-30,st_1\nb,refund,rf_1,op_2,-5,0,-5,JPY,2026-12-01,st_1\n"
        );
        let lines = read("sandbox", &text).unwrap();
        let shown: Vec<_> = lines
            .iter()
            .map(|line| {
                (
                    line.number,
                    line.kind,
                    line.gross,
                    line.fee,
                    line.net(),
                    line.day,
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                (2, LineKind::Capture, 1_099, 20, 1_079, 20_787),
                (3, LineKind::Refund, -5, 0, -5, 20_788)
            ]
        );
        assert_eq!(lines.first().unwrap().settlement, "st_1");
    }

    #[test]
    fn equal_lines_are_two_and_the_same_line_in_another_file_is_one() {
        let line = "x,capture,ch_1,op_1,1,0,1,EUR,2026-11-30,st_1\n";
        let both = read("sandbox", &format!("{HEAD}{line}{line}")).unwrap();
        let alone = read(
            "sandbox",
            &format!("{HEAD}y,payout,,,5,0,5,EUR,2026-11-30,\n{line}"),
        )
        .unwrap();
        let contents: Vec<_> = both.iter().map(|line| line.content).collect();
        assert_ne!(contents.first(), contents.last());
        assert_eq!(contents.first(), alone.last().map(|line| &line.content));
    }

    #[test]
    fn a_report_as_stripe_writes_it_is_read() {
        let text = "balance_transaction_id,created,available_on,currency,gross,fee,net,reporting_category,source_id,automatic_payout_id\n\
                    txn_1,2026-11-30 09:30:00,2026-12-02 00:00:00,usd,20.00,0.88,19.12,charge,ch_1,po_1\n\
                    txn_2,2026-11-30 10:00:00,2026-12-02 00:00:00,usd,-0.25,0.00,-0.25,other_adjustment,,po_1\n";
        let lines = read("stripe", text).unwrap();
        let kinds: Vec<_> = lines.iter().map(|line| (line.kind, line.net())).collect();
        assert_eq!(
            kinds,
            [(LineKind::Capture, 1_912), (LineKind::Adjustment, -25)]
        );
    }

    #[test]
    fn a_mistake_names_line_and_column() {
        for (row, expected) in [
            (
                "a,capture,ch_1,op_1,10.999,0,10.999,EUR,2026-11-30,st_1",
                "line 2, column 5 (gross)",
            ),
            (
                "a,capture,ch_1,op_1,10.99,0.20,10.80,EUR,2026-11-30,st_1",
                "line 2, column 7 (net): gross less fee is not net: the difference is -1",
            ),
            (
                "a,capture,ch_1,op_1,-1,0,-1,EUR,2026-11-30,st_1",
                "line 2, column 5 (gross): the gross amount of a capture is positive",
            ),
            (
                "a,capture,ch_1,op_1,1,0,1,EURO,2026-11-30,st_1",
                "line 2, column 8 (currency)",
            ),
            (
                "a,capture,ch_1,op_1,1,0,1,EUR,30.11.2026,st_1",
                "line 2, column 9 (day)",
            ),
            (
                "a,capture,4242424242424242,op_1,1,0,1,EUR,2026-11-30,st_1",
                "line 2, column 3 (reference): card numbers",
            ),
            ("a,capture,ch_1", "line 2, column 1 (line)"),
        ] {
            let mistake = read("sandbox", &format!("{HEAD}{row}\n"))
                .unwrap_err()
                .to_string();
            assert!(mistake.starts_with(expected), "{mistake}");
        }
        let mistake = read("sandbox", "a,b\n1,2\n").unwrap_err().to_string();
        assert!(mistake.contains("there is no column \"type\""), "{mistake}");
    }
}
