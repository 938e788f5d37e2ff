//! The accounts from which bank-file providers pay.

use std::collections::BTreeMap;
use std::sync::Arc;

use bank_files::Bic;
use bank_files::pain001::{Creditor, CreditorAccount, Debtor, Version};
use payments::bank_orders::OwnAccount;
use serde::Deserialize;
use text::Iban;

use super::webhooks::check_name;
use super::{Settings, WrongSetting};

/// The account of each bank-file provider, by the provider's name.
pub(crate) type Banks = BTreeMap<String, Arc<OwnAccount>>;

/// The name of the sandbox's bank.
pub(super) const SANDBOX_BANK: &str = "bank";
/// The account of the sandbox's bank. The number is the one of many examples, and nobody's.
pub(super) const SANDBOX_ACCOUNT: &str = "bank=DE89370400440532013000/COBADEFFXXX:Florin Sandbox";

/// An account in the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenBank {
    name: String,
    iban: String,
    bic: Option<String>,
    version: Option<String>,
    statement_account: Option<String>,
}

/// Reads `PROVIDER=IBAN[/BIC]:HOLDER`.
pub(super) fn add_bank(banks: &mut Banks, text: &str) -> Result<(), WrongSetting> {
    let parts = text.split_once('=');
    let parts = parts.and_then(|(provider, rest)| Some((provider, rest.split_once(':')?)));
    let Some((provider, (account, holder))) = parts else {
        return Err(WrongSetting(
            "a bank account is PROVIDER=IBAN:HOLDER or PROVIDER=IBAN/BIC:HOLDER".to_owned(),
        ));
    };
    let (iban, bic) = match account.split_once('/') {
        Some((iban, bic)) => (iban, Some(bic.to_owned())),
        None => (account, None),
    };
    let written = WrittenBank {
        name: holder.to_owned(),
        iban: iban.to_owned(),
        bic,
        version: None,
        statement_account: None,
    };
    add_written(banks, provider, written)
}

/// Adds an account of the file.
pub(super) fn add_written(
    banks: &mut Banks,
    provider: &str,
    written: WrittenBank,
) -> Result<(), WrongSetting> {
    check_name(provider)?;
    let wrong = |what: String| WrongSetting(format!("the bank account of {provider}: {what}"));
    let iban = Iban::parse(&written.iban).map_err(|rule| wrong(rule.to_string()))?;
    let bic = written.bic.as_deref().map(Bic::parse).transpose();
    let bic = bic.map_err(|rule| wrong(rule.to_string()))?;
    let version = match written.version.as_deref() {
        None => Version::V09,
        Some(name) => {
            let known = Version::ALL.into_iter();
            let mut known = known.filter(|version| version.message() == name);
            let names = Version::ALL.map(Version::message).join(" or ");
            (known.next()).ok_or_else(|| wrong(format!("the version is {names}")))?
        }
    };
    // The name is checked as that of a payee: the same rules are for both.
    let creditor = Creditor {
        name: written.name,
        account: CreditorAccount::Iban(iban.clone()),
        bic,
    };
    creditor.check().map_err(|rule| wrong(rule.about_one()))?;
    let debtor = Debtor {
        name: creditor.name,
        iban,
        bic: creditor.bic,
    };
    let statement_name = written.statement_account;
    if statement_name
        .as_ref()
        .is_some_and(|name| name.trim().is_empty())
    {
        return Err(wrong("statement_account is empty".to_owned()));
    }
    let own = Arc::new(OwnAccount {
        debtor,
        version,
        statement_name,
    });
    banks.insert(provider.to_owned(), own);
    Ok(())
}

impl Settings {
    /// True if the only providers are bank-file providers, which are never called and send no webhooks.
    pub(super) fn has_only_banks(&self) -> bool {
        self.provider.is_empty()
            && self.provider_url.is_none()
            && self.other_providers.is_empty()
            && self.no_default_provider
            && !self.bank_accounts.is_empty()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn an_account_is_read_with_or_without_a_bic() {
        let mut banks = Banks::new();
        add_bank(&mut banks, SANDBOX_ACCOUNT).unwrap();
        add_bank(&mut banks, "house=AT61 1904 3002 3457 3201:A: B & C").unwrap();
        let bank = banks.get(SANDBOX_BANK).unwrap();
        assert_eq!(bank.debtor.bic.as_ref().unwrap().as_str(), "COBADEFFXXX");
        let house = banks.get("house").unwrap();
        assert_eq!(house.debtor.name, "A: B & C");
        assert_eq!((&house.debtor.bic, house.version), (&None, Version::V09));
        for (text, words) in [
            ("bank", "PROVIDER=IBAN"),
            ("bank=DE89370400440532013000", "PROVIDER=IBAN"),
            ("a b=DE89370400440532013000:A", "a provider's name"),
            ("bank=DE89370400440532013001:A", "check digits"),
            ("bank=DE89370400440532013000/XX:A", "BIC"),
            ("bank=DE89370400440532013000:", "empty"),
            ("bank=DE89370400440532013000:\u{4e2d}", "Latin letters"),
        ] {
            let said = add_bank(&mut banks, text).unwrap_err().to_string();
            assert!(said.contains(words), "{text}: {said}");
        }
    }
}
