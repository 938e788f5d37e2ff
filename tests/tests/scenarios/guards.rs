//! Refusals by the database itself, for every writer: each guard of the ledger's tables is tried with raw SQL, and
//! so is the most similar statement that is allowed.

use store::{DatabaseUrl, Store};
use tests::{Database, Kind, on_both_databases};

/// Statements in which `#7` stands for an id, and whether the database allows them, in this order.
pub(crate) const TRIED: &[(&str, Result<(), &str>)] = &[
    // Counters, versions and revisions grow.
    (
        "UPDATE account SET debits_pending = 5, credits_pending = 5, debits_posted = 5, \
         credits_posted = 5, debits_released = 5, credits_released = 5, version = 5, revision = 5",
        Ok(()),
    ),
    (
        "UPDATE account SET debits_pending = 4, debits_released = 4",
        Err("only grow"),
    ),
    (
        "UPDATE account SET credits_pending = 4, credits_released = 4",
        Err("only grow"),
    ),
    ("UPDATE account SET debits_posted = 4", Err("only grow")),
    ("UPDATE account SET credits_posted = 4", Err("only grow")),
    ("UPDATE account SET debits_released = 4", Err("only grow")),
    ("UPDATE account SET credits_released = 4", Err("only grow")),
    ("UPDATE account SET version = 4", Err("only grow")),
    ("UPDATE account SET revision = 4", Err("only grow")),
    ("UPDATE account SET debits_released = 6", Err("")),
    ("UPDATE account SET credits_released = 6", Err("")),
    // The identity of an account stays; its metadata may change.
    (
        "UPDATE account SET metadata = '{}', floor = 1, ceiling = 2, credit_line = 3",
        Ok(()),
    ),
    ("UPDATE account SET credit_line = -1", Err("")),
    (
        "UPDATE account SET id = #9 WHERE id = #1",
        Err("never changes"),
    ),
    (
        "UPDATE account SET code = 'other' WHERE id = #1",
        Err("never changes"),
    ),
    (
        "UPDATE account SET currency = 'USD' WHERE id = #1",
        Err("never changes"),
    ),
    (
        "UPDATE account SET normal_side = 1 WHERE id = #1",
        Err("never changes"),
    ),
    (
        "UPDATE account SET class = 3 WHERE id = #1",
        Err("never changes"),
    ),
    (
        "UPDATE account SET class = NULL WHERE id = #1",
        Err("never changes"),
    ),
    (
        "UPDATE account SET opened_at = 1 WHERE id = #1",
        Err("never changes"),
    ),
    (
        "DELETE FROM account WHERE id = #1",
        Err("never changed or deleted"),
    ),
    // Only open and frozen can follow each other; nothing follows after closed.
    ("UPDATE account SET status = 2 WHERE id = #1", Ok(())),
    ("UPDATE account SET status = 1 WHERE id = #1", Ok(())),
    ("UPDATE account SET status = 3 WHERE id = #1", Ok(())),
    (
        "UPDATE account SET status = 2 WHERE id = #1",
        Err("never opened again"),
    ),
    (
        "UPDATE account SET status = 1 WHERE id = #1",
        Err("never opened again"),
    ),
    // An asset is registered with one exponent before accounts may hold it.
    ("INSERT INTO asset VALUES (0, 1, 6, 'USDC', 'x')", Ok(())),
    ("INSERT INTO asset VALUES (0, 2, 8, 'USDC', 'x')", Ok(())),
    ("INSERT INTO asset VALUES (0, 1, 8, 'USDC', 'x')", Err("")),
    ("INSERT INTO asset VALUES (0, 9, 8, 'USDC', 'x')", Err("")),
    (
        "INSERT INTO asset VALUES (0, 1, 0, 'A1Z2E3R4T5', 'x')",
        Ok(()),
    ),
    ("INSERT INTO asset VALUES (0, 1, 18, 'ABC', 'x')", Ok(())),
    ("INSERT INTO asset VALUES (0, 1, 19, 'ABCD', 'x')", Err("")),
    ("INSERT INTO asset VALUES (0, 1, -1, 'ABCD', 'x')", Err("")),
    ("INSERT INTO asset VALUES (0, 1, 0, 'AB', 'x')", Err("")),
    (
        "INSERT INTO asset VALUES (0, 1, 0, 'ABCDEFGHIJK', 'x')",
        Err(""),
    ),
    ("INSERT INTO asset VALUES (0, 1, 0, '1ABC', 'x')", Err("")),
    ("INSERT INTO asset VALUES (0, 1, 0, 'ABc', 'x')", Err("")),
    ("INSERT INTO asset VALUES (0, 1, 0, 'AB/C', 'x')", Err("")),
    ("INSERT INTO asset VALUES (0, 1, 0, 'ÄBC', 'x')", Err("")),
    (
        "UPDATE asset SET exponent = 7",
        Err("never changed or deleted"),
    ),
    (
        "UPDATE asset SET name = 'y'",
        Err("never changed or deleted"),
    ),
    ("DELETE FROM asset", Err("never changed or deleted")),
    (
        "INSERT INTO account (debits_pending, debits_posted, credits_pending, credits_posted, \
         version, opened_at, tenant_id, normal_side, status, class, id, code, name, currency) \
         VALUES (0, 0, 0, 0, 0, 0, 1, 2, 1, 2, #5, 'coins', '', 'USDC/6')",
        Ok(()),
    ),
    (
        "INSERT INTO account (debits_pending, debits_posted, credits_pending, credits_posted, \
         version, opened_at, tenant_id, normal_side, status, class, id, code, name, currency) \
         VALUES (0, 0, 0, 0, 0, 0, 1, 2, 1, 2, #6, 'other', '', 'USDC/8')",
        Err("what is registered"),
    ),
    (
        "INSERT INTO account (debits_pending, debits_posted, credits_pending, credits_posted, \
         version, opened_at, tenant_id, normal_side, status, class, id, code, name, currency) \
         VALUES (0, 0, 0, 0, 0, 0, 1, 2, 1, 2, #6, 'other', '', 'USDT/6')",
        Err("what is registered"),
    ),
    (
        "INSERT INTO account (debits_pending, debits_posted, credits_pending, credits_posted, \
         version, opened_at, tenant_id, normal_side, status, class, id, code, name, currency) \
         VALUES (0, 0, 0, 0, 0, 0, 2, 2, 1, 2, #6, 'other', '', 'ABC/18')",
        Err("what is registered"),
    ),
    // A posting's accounts exist, are of its tenant and hold its currency.
    (
        "INSERT INTO posting VALUES (1, 1, 0, 1, 0, 1, 0, #7, #1, #2, 'EUR', 2)",
        Ok(()),
    ),
    (
        "INSERT INTO posting VALUES (1, 2, 0, 2, 0, 1, 1, #7, #1, #9, 'EUR', 2)",
        Err("both its accounts"),
    ),
    (
        "INSERT INTO posting VALUES (1, 2, 0, 2, 0, 1, 1, #7, #9, #1, 'EUR', 2)",
        Err("both its accounts"),
    ),
    (
        "INSERT INTO posting VALUES (1, 2, 0, 2, 0, 1, 1, #7, #1, #3, 'EUR', 2)",
        Err("both its accounts"),
    ),
    (
        "INSERT INTO posting VALUES (1, 2, 0, 2, 0, 1, 1, #7, #3, #1, 'EUR', 2)",
        Err("both its accounts"),
    ),
    (
        "INSERT INTO posting VALUES (1, 2, 0, 2, 0, 1, 1, #7, #1, #2, 'USD', 2)",
        Err("both its accounts"),
    ),
    (
        "INSERT INTO posting VALUES (1, 2, 0, 2, 0, 1, 1, #7, #1, #4, 'EUR', 2)",
        Err("both its accounts"),
    ),
    (
        "INSERT INTO posting VALUES (1, 2, 0, 2, 0, 2, 1, #7, #1, #2, 'EUR', 2)",
        Err("both its accounts"),
    ),
    (
        "INSERT INTO posting VALUES (1, 2, 0, 2, 0, 1, 1, #7, #1, #2, 'EUR', 5)",
        Err(""),
    ),
    (
        "INSERT INTO posting SELECT amount, 8, 0, 8, 0, tenant_id, 8, transaction_id, \
         debit_account, credit_account, currency, phase FROM posting UNION ALL SELECT amount, 9, 0, 9, \
         0, tenant_id, 9, transaction_id, debit_account, #9, currency, phase FROM posting",
        Err("both its accounts"),
    ),
    // Only steps 3 to 6 are about another transaction.
    (
        "INSERT INTO ledger_transaction (effective_at, recorded_at, tenant_id, step, id, kind, about) \
         VALUES (0, 0, 1, 3, #7, 'transfer', #8)",
        Ok(()),
    ),
    (
        "INSERT INTO ledger_transaction (effective_at, recorded_at, tenant_id, step, id, kind, about) \
         VALUES (0, 0, 1, 2, #6, 'transfer', #8)",
        Err(""),
    ),
    (
        "INSERT INTO ledger_transaction (effective_at, recorded_at, tenant_id, step, id, kind) \
         VALUES (0, 0, 1, 6, #6, 'transfer')",
        Err(""),
    ),
    // Only a pending transaction expires.
    (
        "INSERT INTO ledger_transaction (effective_at, recorded_at, tenant_id, step, id, kind, expires_at) \
         VALUES (0, 0, 1, 1, #5, 'transfer', 9)",
        Ok(()),
    ),
    (
        "INSERT INTO ledger_transaction (effective_at, recorded_at, tenant_id, step, id, kind, expires_at) \
         VALUES (0, 0, 1, 2, #6, 'transfer', 9)",
        Err(""),
    ),
    (
        "UPDATE ledger_transaction SET expires_at = 10",
        Err("never changed or deleted"),
    ),
    (
        "UPDATE ledger_transaction SET metadata = '{}'",
        Err("never changed or deleted"),
    ),
    (
        "UPDATE ledger_transaction SET about = #9",
        Err("never changed or deleted"),
    ),
    (
        "DELETE FROM ledger_transaction",
        Err("never changed or deleted"),
    ),
    (
        "UPDATE posting SET amount = 2",
        Err("never changed or deleted"),
    ),
    ("DELETE FROM posting", Err("never changed or deleted")),
    // The posted and released amounts of a hold grow up to its amount, and the way in which it ended stays.
    (
        "INSERT INTO hold VALUES (10, 0, 0, NULL, 1, 1, 1, #8)",
        Err("states what its posting does not"),
    ),
    (
        "INSERT INTO hold VALUES (10, 0, 0, 99, 1, 0, 1, #7), (10, 0, 1, NULL, 1, 1, 1, #7)",
        Ok(()),
    ),
    ("UPDATE hold SET posted = 3, released = 2", Ok(())),
    ("UPDATE hold SET posted = 2", Err("only what is posted")),
    ("UPDATE hold SET released = 1", Err("only what is posted")),
    ("UPDATE hold SET amount = 11", Err("only what is posted")),
    (
        "UPDATE hold SET posted = posted - 1, released = released + 1",
        Err("only what is posted"),
    ),
    (
        "UPDATE hold SET expires_at = 100 WHERE ordinal = 0",
        Err("only what is posted"),
    ),
    (
        "UPDATE hold SET expires_at = NULL WHERE ordinal = 0",
        Err("only what is posted"),
    ),
    (
        "UPDATE hold SET ordinal = 2 WHERE ordinal = 0",
        Err("only what is posted"),
    ),
    (
        "UPDATE hold SET transaction_id = #8",
        Err("only what is posted"),
    ),
    ("UPDATE hold SET posted = 9, status = 2", Err("")),
    ("UPDATE hold SET posted = 8", Err("")),
    ("UPDATE hold SET status = 3", Err("")),
    (
        "UPDATE hold SET posted = 8, status = 2 WHERE ordinal = 0",
        Ok(()),
    ),
    (
        "UPDATE hold SET released = 7, status = 4 WHERE ordinal = 1",
        Ok(()),
    ),
    ("UPDATE hold SET status = 3", Err("stays as it ended")),
    ("UPDATE hold SET status = 1", Err("")),
    ("DELETE FROM hold", Err("never changed or deleted")),
    // The reversed amount of a correction grows up to its amount.
    ("INSERT INTO correction VALUES (10, 4, 1, 0, #7)", Ok(())),
    ("UPDATE correction SET reversed = 10", Ok(())),
    (
        "UPDATE correction SET reversed = 9",
        Err("only what is reversed"),
    ),
    ("UPDATE correction SET reversed = 11", Err("")),
    (
        "UPDATE correction SET amount = 11",
        Err("only what is reversed"),
    ),
    (
        "UPDATE correction SET ordinal = 1",
        Err("only what is reversed"),
    ),
    ("DELETE FROM correction", Err("never changed or deleted")),
    // An exchange has a given leg and a known rounding, and stays as it was written.
    (
        "INSERT INTO exchange VALUES (10, 11, 0, 1, 1, #7, '1.1', 'half_even', 'ECB')",
        Ok(()),
    ),
    (
        "INSERT INTO exchange VALUES (10, 11, 0, 1, 1, #7, '1.1', 'half_even', 'ECB')",
        Err(""),
    ),
    (
        "INSERT INTO exchange VALUES (10, 11, 0, 1, 3, #8, '1.1', 'half_even', 'ECB')",
        Err(""),
    ),
    (
        "INSERT INTO exchange VALUES (10, 11, 0, 1, 2, #8, '1.1', 'nearest', 'ECB')",
        Err(""),
    ),
    (
        "INSERT INTO exchange VALUES (10, 0, 0, 1, 2, #8, '1.1', 'up', 'ECB')",
        Err(""),
    ),
    (
        "INSERT INTO exchange VALUES (0, 11, 0, 1, 2, #8, '1.1', 'up', 'ECB')",
        Err(""),
    ),
    (
        "UPDATE exchange SET rate = '1.2'",
        Err("never changed or deleted"),
    ),
    ("DELETE FROM exchange", Err("never changed or deleted")),
    // A closed period can be closed further and is never opened again.
    ("INSERT INTO period VALUES (5, 1)", Ok(())),
    ("UPDATE period SET closed_before = 6", Ok(())),
    (
        "UPDATE period SET closed_before = 5",
        Err("never opened again"),
    ),
    ("UPDATE period SET tenant_id = 2", Err("never opened again")),
    ("DELETE FROM period", Err("never changed or deleted")),
    // A displaced entry is a debit or a credit, happened at another time, and stays as it was written.
    (
        "INSERT INTO displaced VALUES (1, 5, 6, 7, 0, 1, #1)",
        Ok(()),
    ),
    (
        "INSERT INTO displaced VALUES (2, 6, 6, 7, 0, 1, #1)",
        Err(""),
    ),
    (
        "INSERT INTO displaced VALUES (2, 5, 6, 7, 7, 1, #1)",
        Err(""),
    ),
    (
        "INSERT INTO displaced VALUES (2, 5, 6, 0, 0, 1, #1)",
        Err(""),
    ),
    (
        "UPDATE displaced SET debit = 8",
        Err("never changed or deleted"),
    ),
    ("DELETE FROM displaced", Err("never changed or deleted")),
    // The sums of a time bucket grow, and its place stays.
    (
        "INSERT INTO time_bucket VALUES (0, 1, 2, 3, 4, 1, 0, #1)",
        Ok(()),
    ),
    (
        "INSERT INTO time_bucket VALUES (0, 1, 2, 3, 4, 1, 7, #1)",
        Err(""),
    ),
    (
        "UPDATE time_bucket SET debits_effective = 2, credits_effective = 3, debits_recorded = 4, \
         credits_recorded = 5",
        Ok(()),
    ),
    (
        "UPDATE time_bucket SET debits_effective = 1",
        Err("only grow"),
    ),
    (
        "UPDATE time_bucket SET credits_effective = 2",
        Err("only grow"),
    ),
    (
        "UPDATE time_bucket SET debits_recorded = 3",
        Err("only grow"),
    ),
    (
        "UPDATE time_bucket SET credits_recorded = 4",
        Err("only grow"),
    ),
    ("UPDATE time_bucket SET start = 256", Err("only grow")),
    ("UPDATE time_bucket SET level = 1", Err("only grow")),
    ("UPDATE time_bucket SET account_id = #2", Err("only grow")),
    ("UPDATE time_bucket SET tenant_id = 2", Err("only grow")),
    ("DELETE FROM time_bucket", Err("never changed or deleted")),
    // Metadata rows by which a transaction is found stay, unless the metadata was set later.
    (
        "INSERT INTO transaction_metadata VALUES (1, #7, 'order', '17')",
        Ok(()),
    ),
    (
        "UPDATE transaction_metadata SET value = '18'",
        Err("never changed or deleted"),
    ),
    ("DELETE FROM transaction_metadata", Err("stays")),
    (
        "INSERT INTO current_metadata VALUES (0, 5, 1, #7, NULL)",
        Err(""),
    ),
    (
        "INSERT INTO current_metadata VALUES (1, 5, 1, #8, '{}')",
        Ok(()),
    ),
    ("DELETE FROM transaction_metadata", Err("stays")),
    (
        "INSERT INTO current_metadata VALUES (1, 5, 1, #7, NULL)",
        Ok(()),
    ),
    (
        "UPDATE current_metadata SET metadata = '{}'",
        Err("only grows"),
    ),
    ("UPDATE current_metadata SET revision = 0", Err("")),
    (
        "UPDATE current_metadata SET revision = 2, metadata = '{}'",
        Ok(()),
    ),
    (
        "UPDATE current_metadata SET revision = 3, transaction_id = #6 WHERE transaction_id = #7",
        Err("only grows"),
    ),
    (
        "UPDATE current_metadata SET revision = 3, tenant_id = 2 WHERE transaction_id = #7",
        Err("only grows"),
    ),
    (
        "DELETE FROM current_metadata",
        Err("never changed or deleted"),
    ),
    ("DELETE FROM transaction_metadata", Ok(())),
    (
        "INSERT INTO transaction_metadata VALUES (1, #6, 'order', '17')",
        Ok(()),
    ),
];

on_both_databases!(the_database_refuses_what_the_ledger_would_never_write);
async fn the_database_refuses_what_the_ledger_would_never_write(database: Database) {
    try_all(&database);
}

/// Tries all statements one after the other on new books.
pub(crate) fn try_all(database: &Database) {
    let url = DatabaseUrl::parse(database.url()).expect("a URL");
    drop(Store::open(&url).expect("the migrations are applied"));
    let account = |tenant: i64, id: u8, currency: &str| {
        format!(
            "INSERT INTO account (debits_pending, debits_posted, credits_pending, credits_posted, \
             version, opened_at, tenant_id, normal_side, status, class, id, code, name, currency) \
             VALUES (0, 0, 0, 0, 0, 0, {tenant}, 2, 1, 2, #{id}, 'code {id}', '', '{currency}');"
        )
    };
    let given = [
        "INSERT INTO tenant (created_at, tenant_id, name) VALUES (0, 1, 'one'), (0, 2, 'two');"
            .to_owned(),
        account(1, 1, "EUR"),
        account(1, 2, "EUR"),
        account(1, 3, "USD"),
        account(2, 4, "EUR"),
    ];
    database.execute_raw(&with_ids(database, &given.concat()));
    for (text, expected) in TRIED {
        let done = database.try_raw(&with_ids(database, text));
        match (expected, &done) {
            (Ok(()), Ok(())) => {}
            (Err(reason), Err(said)) => assert!(said.contains(reason), "{text}: {said}"),
            (Ok(()) | Err(_), Ok(()) | Err(_)) => panic!("{text}: {done:?}"),
        }
    }
}

/// The text with `#7` replaced by sixteen bytes in the form of this database.
pub(crate) fn with_ids(database: &Database, text: &str) -> String {
    let mut written = String::new();
    for (number, part) in text.split('#').enumerate() {
        let rest = if number == 0 {
            part
        } else {
            let (digit, rest) = part.split_at(1);
            let hex = digit.repeat(32);
            written.push_str(&match database.kind() {
                Kind::Sqlite => format!("x'{hex}'"),
                Kind::Postgres => format!("'\\x{hex}'::bytea"),
            });
            rest
        };
        written.push_str(rest);
    }
    written
}
