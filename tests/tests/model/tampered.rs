//! Rows that are changed or lost without the ledger, and the invariant that each of these changes breaks.

/// The fault, the statement that causes it, and the invariant that must be found broken. `@` is the tenant,
/// `$posting(…)` and similar words stand for the key of the first such row.
pub(super) const TAMPERED: &[(&str, &str, &str)] = &[
    (
        "a posting is lost",
        "DELETE FROM posting WHERE $posting(phase = 2)",
        "L2",
    ),
    (
        "a transaction is lost, its postings are not",
        "DELETE FROM ledger_transaction WHERE $transaction(step = 2)",
        "L1",
    ),
    (
        "an amount is one more",
        "UPDATE posting SET amount = amount + 1 WHERE $posting(phase = 2 AND amount < 1000)",
        "L2",
    ),
    (
        "debit and credit are swapped",
        "UPDATE posting SET debit_account = credit_account, credit_account = debit_account, \
         debit_version = credit_version, credit_version = debit_version WHERE $posting(phase = 2)",
        "L2",
    ),
    (
        "a promise is taken for final",
        "UPDATE posting SET phase = 2 WHERE $posting(phase = 1)",
        "L1",
    ),
    (
        "a promise is called posted",
        "UPDATE ledger_transaction SET step = 2, expires_at = NULL WHERE $transaction(step = 1)",
        "L1",
    ),
    (
        "a reversal is called a posting of its own",
        "UPDATE ledger_transaction SET step = 2, about = NULL WHERE $transaction(step = 6)",
        "L5",
    ),
    (
        "a release is lost with its transaction",
        "DELETE FROM posting WHERE $posting(phase = 4)",
        "L5",
    ),
    (
        "a posting is not the next of its transaction",
        "UPDATE posting SET ordinal = 77 WHERE $posting(phase = 1 AND ordinal = 0)",
        "L1",
    ),
    (
        "an entry has another one's number",
        "UPDATE posting SET debit_version = debit_version + 1000 WHERE $posting(phase = 2)",
        "L2",
    ),
    (
        "an entry states another balance",
        "UPDATE posting SET credit_balance = credit_balance - 1 WHERE $posting(phase = 2)",
        "L2",
    ),
    (
        "an account's last entry is not counted",
        "UPDATE account SET version = version - 1 WHERE $account(version > 0)",
        "L2",
    ),
    (
        "money from nowhere",
        "UPDATE account SET credits_posted = credits_posted + 5 WHERE $account(credits_posted < 1000)",
        "L3",
    ),
    (
        "a release is forgotten by one side",
        "UPDATE account SET debits_released = debits_released - 1 WHERE $account(debits_released > 0)",
        "L3",
    ),
    (
        "what is pending is counted twice",
        "UPDATE account SET credits_pending = credits_pending + 1 \
         WHERE $account(credits_pending BETWEEN 1 AND 1000)",
        "L2",
    ),
    (
        "an account holds another currency",
        "UPDATE account SET currency = 'JPY' WHERE $account(version > 0)",
        "L1",
    ),
    (
        "an account is lost",
        "DELETE FROM account WHERE $account(version > 0)",
        "L1",
    ),
    (
        "a hold is lost",
        "DELETE FROM hold WHERE $hold(1 = 1)",
        "L5",
    ),
    (
        "a promise is said to hold for ever",
        "UPDATE ledger_transaction SET expires_at = NULL WHERE $transaction(expires_at IS NOT NULL)",
        "L5",
    ),
    (
        "a hold expires later than was promised",
        "UPDATE hold SET expires_at = expires_at + 1 WHERE $hold(expires_at IS NOT NULL)",
        "L5",
    ),
    (
        "a hold states nothing",
        "UPDATE hold SET posted = 0, released = 0, status = 1, expires_at = NULL \
         WHERE $hold(expires_at IS NULL)",
        "L5",
    ),
    (
        "a hold counts what was not posted",
        "UPDATE hold SET posted = posted + 1 \
         WHERE $hold(status = 1 AND posted + released + 1 < amount)",
        "L5",
    ),
    (
        "a hold is larger than the promise",
        "UPDATE hold SET amount = amount + 1 WHERE $hold(status = 1 AND amount < 1000)",
        "L5",
    ),
    (
        "what was voided is said to have expired",
        "UPDATE hold SET status = 4 WHERE $hold(status = 3)",
        "L5",
    ),
    (
        "what was posted is said to have been voided",
        "UPDATE hold SET status = 3 WHERE $hold(status = 2)",
        "L5",
    ),
    (
        "a reversal is not counted",
        "DELETE FROM correction WHERE $correction(1 = 1)",
        "L5",
    ),
    (
        "a reversal is counted as less",
        "UPDATE correction SET reversed = reversed - 1 WHERE $correction(reversed > 1)",
        "L5",
    ),
    (
        "a correction is larger than what was posted",
        "UPDATE correction SET amount = amount + 1 WHERE $correction(amount < 1000)",
        "L5",
    ),
    (
        "a transaction has no posting",
        "INSERT INTO ledger_transaction (tenant_id, id, kind, step, effective_at, recorded_at) \
         SELECT tenant_id, id, 'lost', 2, 0, 0 FROM account WHERE $account(1 = 1)",
        "L1",
    ),
    (
        "the terms of an exchange are lost",
        "DELETE FROM exchange WHERE $exchange(1 = 1)",
        "L6",
    ),
    (
        "more was exchanged than was posted",
        "UPDATE exchange SET sold = sold + 1 WHERE $exchange(sold < 1000)",
        "L6",
    ),
    (
        "an exchange had another rate",
        "UPDATE exchange SET rate = '11' WHERE $exchange(sold < 1000)",
        "L6",
    ),
    (
        "nothing says that an entry happened earlier",
        "DELETE FROM displaced WHERE $displaced(1 = 1)",
        "L7",
    ),
    (
        "an entry is said to have happened at another time",
        "UPDATE displaced SET effective_at = effective_at - 1000000 WHERE $displaced(1 = 1)",
        "L7",
    ),
    (
        "what happened earlier was less",
        "UPDATE displaced SET debit = debit - 1 WHERE $displaced(debit BETWEEN 2 AND 1000)",
        "L7",
    ),
    (
        "an entry that happened when it was recorded is said to have happened earlier",
        "INSERT INTO displaced (tenant_id, account_id, version, effective_at, recorded_at, debit, credit) \
         SELECT tenant_id, id, 1000000, 1, 2, 0, 3 FROM account WHERE $account(1 = 1)",
        "L7",
    ),
    (
        "a time bucket is lost",
        "DELETE FROM time_bucket WHERE $bucket(level = 0)",
        "L7",
    ),
    (
        "a long time bucket is lost",
        "DELETE FROM time_bucket WHERE $bucket(level = 6)",
        "L7",
    ),
    (
        "a time bucket holds more than its entries",
        "UPDATE time_bucket SET debits_recorded = debits_recorded + 1 \
         WHERE $bucket(level = 0 AND debits_recorded < 1000)",
        "L7",
    ),
    (
        "a long time bucket holds less than the shorter ones",
        "UPDATE time_bucket SET credits_effective = credits_effective - 1 \
         WHERE $bucket(level = 3 AND credits_effective > 0)",
        "L7",
    ),
    (
        "a transaction is not found by its metadata",
        "DELETE FROM transaction_metadata WHERE $metadata(1 = 1)",
        "L7",
    ),
    (
        "a transaction is found by other metadata",
        "UPDATE transaction_metadata SET value = 'other' WHERE $metadata(1 = 1)",
        "L7",
    ),
    (
        "a transaction is found by metadata that it has not",
        "INSERT INTO transaction_metadata (tenant_id, transaction_id, key, value) \
         SELECT tenant_id, id, 'lost', 'x' FROM ledger_transaction WHERE $transaction(1 = 1)",
        "L7",
    ),
];

/// The statement with its tenant, and with the keys of the rows that it is about.
pub(super) fn spelled_out(statement: &str, tenant: i64) -> String {
    const KEYS: [(&str, &str, &str); 9] = [
        ("$posting(", "posting", "transaction_id, ordinal"),
        ("$transaction(", "ledger_transaction", "id"),
        ("$account(", "account", "id"),
        ("$hold(", "hold", "transaction_id, ordinal"),
        ("$correction(", "correction", "transaction_id, ordinal"),
        ("$exchange(", "exchange", "transaction_id"),
        ("$displaced(", "displaced", "account_id, version"),
        ("$bucket(", "time_bucket", "level, account_id, start"),
        (
            "$metadata(",
            "transaction_metadata",
            "key, value, transaction_id",
        ),
    ];
    let mut statement = statement.to_owned();
    for (mark, table, key) in KEYS {
        let row = format!("({key}) IN (SELECT {key} FROM {table} WHERE tenant_id = @ AND ");
        if let Some((before, condition)) = statement.split_once(mark) {
            let condition = condition.trim_end_matches(')');
            statement =
                format!("{before}tenant_id = @ AND {row}{condition} ORDER BY {key} LIMIT 1)");
        }
    }
    statement.replace('@', &tenant.to_string())
}
