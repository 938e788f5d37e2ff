//! The output of `florin reconcile`: tables for people, one line of JSON for programs.

use comfy_table::Cell;
use payments::settlement::{CurrencyProof, Sum};

use super::{Done, adds_up};
use crate::check::{mark, plain_table};
use crate::output;

/// Says which file is wrong. Nothing was taken.
pub(crate) fn wrong(path: &str, mistake: &str, json: bool) {
    if json {
        let object = serde_json::json!({ "file": path, "mistake": mistake });
        let _unheard = output::line(&object);
    } else {
        let text = format!("{path}: {mistake}; nothing was taken");
        output::mistake(&text);
    }
}

/// Says what was done.
pub(super) fn done(done: &Done, json: bool) {
    // If the reader of standard output is gone, the exit status still shows the result.
    let _unheard = match json {
        true => output::line(&object(done)),
        false => output::line(&table(done)),
    };
}

fn object(done: &Done) -> serde_json::Value {
    let sum = |sum: Sum| serde_json::json!({ "lines": sum.lines, "net": sum.net });
    let currencies = done.proof.currencies.iter().map(|(currency, of)| {
        let shown = serde_json::json!({
            "matched": sum(of.matched),
            "open": sum(of.open),
            "resolved": sum(of.resolved),
            "ignored": sum(of.ignored),
            "settlements": sum(of.settlements),
            "banked": of.banked,
            "bank_matched": sum(of.bank_matched),
            "bank_open": sum(of.bank_open),
            "bank_resolved": sum(of.bank_resolved),
            "in_transit": of.in_transit,
            "expected_in_transit": of.expected_in_transit(),
            "adds_up": of.adds_up(),
        });
        (currency.clone(), shown)
    });
    let currencies: serde_json::Map<String, serde_json::Value> = currencies.collect();
    let (lines, bank) = (&done.lines, &done.bank);
    let later = done.again.settlements.saturating_add(done.again.payouts);
    serde_json::json!({
        "report": {
            "known": lines.known,
            "matched": lines.matched,
            "open": lines.open,
            "ignored": lines.ignored,
            "unlinked": lines.unlinked,
            "resolved": lines.resolved,
            "missing_there": done.absent,
        },
        "bank": {
            "known": bank.known,
            "settlements": bank.settlements,
            "payouts": bank.payouts,
            "open": bank.open,
            "matched_later": later,
        },
        "currencies": currencies,
        "open_exceptions": done.proof.open_exceptions,
        "adds_up": adds_up(&done.proof),
    })
}

fn table(done: &Done) -> String {
    let (lines, bank) = (&done.lines, &done.bank);
    let mut text = format!(
        "report     {} matched, {} open, {} known, {} ignored, {} missing\nstatement  {} settlements, {} payouts, {} open, {} known, {} matched later\n\n",
        lines.matched,
        lines.open,
        lines.known,
        lines.ignored,
        done.absent,
        bank.settlements,
        bank.payouts,
        bank.open,
        bank.known,
        done.again.settlements.saturating_add(done.again.payouts),
    );
    let mut table = plain_table();
    table.set_header(["", "", "lines", "net", "currency"]);
    for (currency, of) in &done.proof.currencies {
        for (name, sum) in rows(of) {
            table.add_row([
                Cell::new(""),
                Cell::new(name),
                Cell::new(sum.lines),
                Cell::new(sum.net),
                Cell::new(currency),
            ]);
        }
        table.add_row([
            mark(of.adds_up()),
            Cell::new("on its way to the bank"),
            Cell::new(""),
            Cell::new(of.in_transit),
            Cell::new(currency),
        ]);
        if !of.adds_up() {
            table.add_row([
                Cell::new(""),
                Cell::new("should be"),
                Cell::new(""),
                Cell::new(of.expected_in_transit()),
                Cell::new(currency),
            ]);
        }
    }
    text += &table.to_string();
    for (kind, number) in &done.proof.open_exceptions {
        text += &format!("\n{number} open: {kind}");
    }
    if done.proof.open_exceptions.is_empty() {
        text += "\nnothing is open";
    } else {
        text += "\nread them with GET /v1/reconciliation_exceptions?status=open";
    }
    text
}

fn rows(of: &CurrencyProof) -> Vec<(&'static str, Sum)> {
    let banked = Sum {
        lines: of.bank_matched.lines,
        net: of.banked,
    };
    let rows = [
        ("lines matched", of.matched),
        ("lines open", of.open),
        ("lines resolved", of.resolved),
        ("lines ignored", of.ignored),
        ("settlements", of.settlements),
        ("arrived at the bank", banked),
        ("bank lines open", of.bank_open),
        ("bank lines resolved", of.bank_resolved),
    ];
    let rows = rows.into_iter();
    rows.filter(|(_, sum)| sum.lines > 0 || sum.net != 0)
        .collect()
}
