//! Export of the books in the format of Beancount.
//!
//! Beancount knows five classes of accounts and allows few characters; `names.rs` explains how a code becomes a
//! name. Beancount adds the accounts below an account to its balance, so a balance asserted here is that of the
//! whole subtree. Without a stated tolerance, Beancount would accept a balance that is off by one in the last
//! digit, so each balance states the tolerance 0.

mod names;

use std::collections::HashMap;
use std::io::Write;

use ledger::{Account, RecordedTransaction};
use money::Currency;

use crate::commodities::Commodities;
use crate::form::{
    ExportError, Form, Names, Overview, Price, day, day_after, one_line, signed_balance,
};

/// Words that Beancount does not read as a commodity.
const RESERVED: [&str; 3] = ["TRUE", "FALSE", "NULL"];

#[derive(Default)]
pub(crate) struct Beancount {
    commodities: Commodities,
    first_day: String,
    /// The day after the last day, because Beancount compares a balance at the beginning of a day.
    day_after: String,
    /// The sum of all accounts below a name, by name and currency. There is one entry for each inner node of the tree,
    /// not for each account.
    below: HashMap<(String, Currency), i128>,
}

impl Form for Beancount {
    fn name(&self, account: &Account) -> String {
        names::name(account)
    }

    fn survey(&mut self, account: &Account) {
        let name = self.name(account);
        let balance = signed_balance(account);
        for (at, _) in name.match_indices(':') {
            if let Some((above, _)) = name.split_at_checked(at) {
                let key = (above.to_owned(), account.currency);
                let sum = self.below.entry(key).or_default();
                *sum = sum.saturating_add(balance);
            }
        }
    }

    fn begin(&mut self, output: &mut dyn Write, overview: &Overview) -> Result<(), ExportError> {
        if let Some((first, last)) = overview.span {
            self.first_day = day(first);
            self.day_after = day_after(last);
        }
        self.commodities = Commodities::of(&overview.currencies, commodity);
        let title = quoted(&format!("{}, by Florin", overview.tenant));
        writeln!(output, "option \"title\" {title}\n")?;
        for (name, places) in self.commodities.iter() {
            writeln!(output, "{} commodity {name}", self.first_day)?;
            writeln!(output, "  exponent: {places}")?;
        }
        Ok(())
    }

    fn account(&mut self, output: &mut dyn Write, account: &Account) -> Result<(), ExportError> {
        let (day, name) = (&self.first_day, self.name(account));
        let commodity = self.commodities.name(&account.currency);
        // The effective time of a transaction may lie before its accounts were opened.
        writeln!(output, "\n{day} open {name} {commodity}")?;
        metadata(output, "code", &account.code)?;
        metadata(output, "id", &account.id.to_string())?;
        metadata(output, "name", &account.name)?;
        metadata(output, "opened-at", &account.opened_at.to_string())
    }

    fn transaction(
        &mut self,
        output: &mut dyn Write,
        transaction: &RecordedTransaction,
        names: &Names,
    ) -> Result<(), ExportError> {
        if let Some(price) = Price::of(transaction, names) {
            let day = day(price.at);
            let of = self.commodities.name(&price.of);
            let unit = self.commodities.name(&price.in_units_of);
            writeln!(output, "\n{day} price {of} {} {unit}", price.rate)?;
        }
        let day = day(transaction.effective_at);
        let kind = quoted(transaction.kind.name());
        let text = quoted(transaction.description.as_deref().unwrap_or_default());
        writeln!(output, "\n{day} * {kind} {text}")?;
        metadata(output, "id", &transaction.id.to_string())?;
        metadata(
            output,
            "effective-at",
            &transaction.effective_at.to_string(),
        )?;
        metadata(output, "recorded-at", &transaction.recorded_at.to_string())?;
        if let Some(external_id) = &transaction.external_id {
            metadata(output, "external-id", external_id)?;
        }
        for posted in &transaction.postings {
            let posting = posted.posting;
            let amount = i128::from(posting.amount.get());
            for (account, amount) in [
                (posting.debit, amount),
                (posting.credit, amount.saturating_neg()),
            ] {
                let name = names.of(account, transaction.id)?;
                let amount = self.commodities.amount(posting.currency, amount);
                writeln!(output, "  {name}  {amount}")?;
            }
        }
        Ok(())
    }

    fn proves_balances(&self) -> bool {
        true
    }

    fn balance(&mut self, output: &mut dyn Write, account: &Account) -> Result<(), ExportError> {
        let name = self.name(account);
        let commodity = self.commodities.name(&account.currency);
        let key = (name, account.currency);
        let below = self.below.get(&key).copied().unwrap_or_default();
        let balance = signed_balance(account).saturating_add(below);
        let balance = account.currency.decimal(balance);
        let (day, name) = (&self.day_after, key.0);
        writeln!(output, "\n{day} balance {name}  {balance} ~ 0 {commodity}")?;
        Ok(())
    }
}

fn metadata(output: &mut dyn Write, key: &str, value: &str) -> Result<(), ExportError> {
    writeln!(output, "  {key}: {}", quoted(value))?;
    Ok(())
}

fn quoted(text: &str) -> String {
    let escaped = one_line(text).replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{escaped}\"")
}

/// The name of a commodity. No code contains a point, so a point can separate the exponent.
fn commodity(currency: &Currency, alone: bool) -> String {
    let code = currency.code();
    if alone && !RESERVED.contains(&code) {
        code.to_owned()
    } else {
        format!("{code}.{}", currency.exponent())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn a_word_of_the_language_is_no_commodity() {
        let asset = |code| Currency::custom(code, 6).unwrap();
        assert_eq!(commodity(&asset("A1B"), true), "A1B");
        assert_eq!(commodity(&asset("A1B"), false), "A1B.6");
        assert_eq!(commodity(&asset("NULL"), true), "NULL.6");
    }

    #[test]
    fn a_text_stays_within_its_quotes() {
        assert_eq!(quoted("a \"b\" \\ c\nd"), r#""a \"b\" \\ c d""#);
    }
}
