//! Export of the books in the format of hledger.
//!
//! Accounts keep their codes; a character that would end a name or has another meaning is written as `%` and two
//! hexadecimal digits. Data for people only (names, descriptions, ids) stands in comments, as tags. The balance of
//! each account is asserted at the end with `==`: exactly this amount, and nothing of another currency.

use std::io::Write;

use ledger::{Account, RecordedTransaction};
use money::Currency;

use crate::commodities::Commodities;
use crate::form::{ExportError, Form, Names, Overview, Price, day, one_line, signed_balance};
use crate::roots::Root;

#[derive(Default)]
pub(crate) struct Hledger {
    commodities: Commodities,
    last_day: String,
}

impl Form for Hledger {
    fn name(&self, account: &Account) -> String {
        name(&account.code)
    }

    fn begin(&mut self, output: &mut dyn Write, overview: &Overview) -> Result<(), ExportError> {
        if let Some((_, last)) = overview.span {
            self.last_day = day(last);
        }
        self.commodities = Commodities::of(&overview.currencies, commodity);
        let tenant = one_line(&overview.tenant);
        writeln!(output, "; The books of {tenant}, written by Florin.")?;
        writeln!(output, "decimal-mark .\n")?;
        for (name, places) in self.commodities.iter() {
            let places = usize::from(places);
            // The decimal mark is written even without decimal places, because hledger requires it.
            writeln!(output, "commodity 1.{:0<places$} {name}", "")?;
        }
        writeln!(output)?;
        Ok(())
    }

    fn account(&mut self, output: &mut dyn Write, account: &Account) -> Result<(), ExportError> {
        let name = self.name(account);
        write!(output, "account {name}")?;
        if Root::named_by(&account.code).is_none() {
            // hledger guesses the type of an account from the names of the five classes. Other accounts state it.
            write!(output, "  ; type:{}", Root::by_class(account).letter())?;
        }
        writeln!(output)?;
        tag(output, "id", &account.id.to_string())?;
        tag(output, "name", &account.name)?;
        tag(output, "opened_at", &account.opened_at.to_string())
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
            writeln!(output, "\nP {day} {of} {} {unit}", price.rate)?;
        }
        let day = day(transaction.effective_at);
        write!(output, "\n{day} * {}", transaction.kind.name())?;
        if let Some(text) = &transaction.description {
            write!(output, " | {}", one_line(text).replace(';', ","))?;
        }
        writeln!(output)?;
        tag(output, "id", &transaction.id.to_string())?;
        tag(
            output,
            "effective_at",
            &transaction.effective_at.to_string(),
        )?;
        tag(output, "recorded_at", &transaction.recorded_at.to_string())?;
        if let Some(external_id) = &transaction.external_id {
            tag(output, "external_id", external_id)?;
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
                writeln!(output, "    {name}  {amount}")?;
            }
        }
        Ok(())
    }

    fn proves_balances(&self) -> bool {
        true
    }

    fn balance(&mut self, output: &mut dyn Write, account: &Account) -> Result<(), ExportError> {
        let nothing = self.commodities.amount(account.currency, 0);
        let balance = self
            .commodities
            .amount(account.currency, signed_balance(account));
        writeln!(output, "\n{} * balance", self.last_day)?;
        let name = self.name(account);
        writeln!(output, "    {name}  {nothing} == {balance}")?;
        Ok(())
    }
}

/// Writes a tag on a line of its own. A comma would end its value, so it is replaced.
fn tag(output: &mut dyn Write, name: &str, value: &str) -> Result<(), ExportError> {
    let value = one_line(value).replace(',', " ");
    writeln!(output, "    ; {name}:{value}")?;
    Ok(())
}

/// The code, in which characters that hledger does not read as part of a name are written as hexadecimal digits.
fn name(code: &str) -> String {
    let mut name = String::with_capacity(code.len());
    for c in code.chars() {
        if matches!(c, '%' | ';' | '*' | '!' | '(' | ')' | '[' | ']' | '"') {
            name.push_str(&format!("%{:02x}", u32::from(c)));
        } else {
            name.push(c);
        }
    }
    name
}

/// The name of a commodity. It needs no quotes if it has letters only.
fn commodity(currency: &Currency, alone: bool) -> String {
    let code = currency.code();
    if !alone {
        return format!("\"{}\"", currency.stored());
    }
    if code.bytes().all(|b| b.is_ascii_alphabetic()) {
        code.to_owned()
    } else {
        format!("\"{code}\"")
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_ordinary_code_is_the_name() {
        for code in [
            "liabilities:wallets:42",
            "assets:psp_clearing:EUR",
            "a@b#c-d/e.f",
        ] {
            assert_eq!(name(code), code);
        }
        assert_eq!(name("*bonus;(x)"), "%2abonus%3b%28x%29");
    }

    #[test]
    fn a_commodity_with_digits_stands_in_quotes() {
        let asset = |code| Currency::custom(code, 6).unwrap();
        assert_eq!(commodity(&asset("USDC"), true), "USDC");
        assert_eq!(commodity(&asset("USDC"), false), "\"USDC/6\"");
        assert_eq!(commodity(&asset("A1B"), true), "\"A1B\"");
    }

    /// The code, found again from a name.
    fn code(name: &str) -> String {
        let mut parts = name.split('%');
        let mut code = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (hex, rest) = part.split_at(2);
            code.push(char::from(u8::from_str_radix(hex, 16).unwrap()));
            code.push_str(rest);
        }
        code
    }

    proptest! {
        #[test]
        fn from_a_name_its_code_can_be_told(text in "[!-~]{1,40}") {
            prop_assert_eq!(code(&name(&text)), text);
        }
    }
}
