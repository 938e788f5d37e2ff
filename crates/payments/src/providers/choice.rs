//! The choice of the provider of a payment: a pure function of its currency and its payment method.

use std::sync::Arc;

use money::Currency;

use crate::bank_accounts::is_bank_account;
use crate::bank_orders::OwnAccount;
use crate::overdue;

/// A provider that gets operations, and the duration of their first lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// Name of the provider.
    pub name: String,
    /// Duration of the first lease in milliseconds. After it, another worker may take over.
    pub lease_millis: i64,
    /// Time after which what is left of an authorization is voided, in milliseconds.
    pub authorization_millis: i64,
    /// The account from which a bank-file provider pays; `None` for every other provider. A bank-file provider takes
    /// payouts to our bank accounts and nothing else, and gets them in files.
    pub bank: Option<Arc<OwnAccount>>,
}

/// Payment methods that a rule names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Methods {
    /// The payment method with this token.
    One(String),
    /// All payment methods whose token begins with this text.
    Beginning(String),
}

impl Methods {
    /// Reads a token, or the beginning of tokens followed by a star: `pm_card_*`. `None` if the text is empty, or
    /// if a star is not at its end.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let beginning = text.strip_suffix('*');
        if text.is_empty() || beginning.unwrap_or(text).contains('*') {
            return None;
        }
        Some(match beginning {
            Some(beginning) => Self::Beginning(beginning.to_owned()),
            None => Self::One(text.to_owned()),
        })
    }

    fn contain(&self, method: &str) -> bool {
        match self {
            Self::One(token) => token == method,
            Self::Beginning(beginning) => method.starts_with(beginning.as_str()),
        }
    }
}

/// A rule: a provider, and the payments that go to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Name of the provider.
    pub provider: String,
    /// Currencies that the rule takes; if the list is empty, all currencies.
    pub currencies: Vec<Currency>,
    /// Payment methods that the rule takes; if the list is empty, all payment methods.
    pub methods: Vec<Methods>,
}

impl Rule {
    fn takes_currency(&self, currency: Currency) -> bool {
        self.currencies.is_empty() || self.currencies.contains(&currency)
    }

    fn takes_method(&self, method: &str) -> bool {
        self.methods.is_empty() || self.methods.iter().any(|methods| methods.contain(method))
    }
}

/// All providers, and the rules by which a payment goes to one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Providers {
    known: Vec<Provider>,
    /// Each rule with its provider. The first rule that fits a payment decides.
    rules: Vec<(Rule, Provider)>,
    /// The provider of payments that no rule fits.
    default: Option<Provider>,
    /// Number of bank days after which an outcome is overdue.
    overdue_days: u16,
}

/// Why providers and rules do not fit together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProvidersError {
    /// Two providers have one name.
    #[error("two providers are called {0}")]
    Twice(String),
    /// A rule names a provider that does not exist.
    #[error("a rule names the provider {0}, and there is none of that name")]
    UnknownInRule(String),
    /// The default names a provider that does not exist.
    #[error("the default is the provider {0}, and there is none of that name")]
    UnknownDefault(String),
    /// There is neither a rule nor a default.
    #[error("no payment goes to any provider: there is no rule, and no default")]
    NothingServed,
}

/// Why no provider takes a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoProvider {
    /// No provider takes the currency, with any payment method.
    #[error("no provider takes payments in {0}")]
    Currency(Currency),
    /// No provider takes the currency with this payment method. With another one, a provider may take it.
    #[error("no provider takes payments in {0} by this payment method")]
    Method(Currency),
}

impl Providers {
    /// Providers with the rules by which one of them is chosen. The default takes payments that no rule fits. A
    /// bank-file provider that no rule names takes every currency.
    ///
    /// # Errors
    /// [`ProvidersError`] names the first mistake.
    pub fn new(
        known: Vec<Provider>,
        rules: Vec<Rule>,
        default: Option<&str>,
    ) -> Result<Self, ProvidersError> {
        let find = |name: &str| known.iter().find(|provider| provider.name == name).cloned();
        for (place, provider) in known.iter().enumerate() {
            let mut before = known.iter().take(place);
            if before.any(|other| other.name == provider.name) {
                return Err(ProvidersError::Twice(provider.name.clone()));
            }
        }
        let rules = rules.into_iter().map(|rule| match find(&rule.provider) {
            Some(provider) => Ok((rule, provider)),
            None => Err(ProvidersError::UnknownInRule(rule.provider)),
        });
        let mut rules: Vec<_> = rules.collect::<Result<_, _>>()?;
        let unknown = |name: &str| ProvidersError::UnknownDefault(name.to_owned());
        let default = default.map(|name| find(name).ok_or_else(|| unknown(name)));
        let default = default.transpose()?;
        for bank in known.iter().filter(|provider| provider.bank.is_some()) {
            if !rules.iter().any(|(rule, _)| rule.provider == bank.name) {
                let rule = Rule {
                    provider: bank.name.clone(),
                    currencies: Vec::new(),
                    methods: Vec::new(),
                };
                rules.push((rule, bank.clone()));
            }
        }
        if rules.is_empty() && default.is_none() {
            return Err(ProvidersError::NothingServed);
        }
        Ok(Self {
            known,
            rules,
            default,
            overdue_days: overdue::DAYS,
        })
    }

    /// One provider, which takes every payment.
    #[must_use]
    pub fn only(provider: Provider) -> Self {
        Self {
            known: vec![provider.clone()],
            rules: Vec::new(),
            default: Some(provider),
            overdue_days: overdue::DAYS,
        }
    }

    /// The same providers, whose outcomes are overdue after so many bank days.
    #[must_use]
    pub fn with_overdue_days(self, overdue_days: u16) -> Self {
        Self {
            overdue_days,
            ..self
        }
    }

    /// Number of bank days after which an outcome is overdue.
    #[must_use]
    pub const fn overdue_days(&self) -> u16 {
        self.overdue_days
    }

    /// The provider that a payment goes to: the provider of the first rule that fits, otherwise the default. Payouts to
    /// our bank accounts go to bank-file providers, and everything else to the other ones.
    ///
    /// # Errors
    /// [`NoProvider`] if there is none.
    pub fn choose(&self, currency: Currency, method: &str) -> Result<&Provider, NoProvider> {
        let to_bank = is_bank_account(method);
        let mut of_currency = self
            .rules
            .iter()
            .filter(|(rule, provider)| {
                provider.bank.is_some() == to_bank && rule.takes_currency(currency)
            })
            .peekable();
        let refusal = match of_currency.peek() {
            Some(_) => NoProvider::Method(currency),
            None => NoProvider::Currency(currency),
        };
        let fitting = of_currency.find(|(rule, _)| rule.takes_method(method));
        let chosen = fitting.map(|(_, provider)| provider);
        let default = self.default.as_ref().filter(|_| !to_bank);
        chosen.or(default).ok_or(refusal)
    }

    /// The provider of this name, if one of its rules fits a payment, or if it is the default.
    ///
    /// # Errors
    /// [`NoProvider::Method`] if it does not take the payment.
    pub fn choose_named(
        &self,
        name: &str,
        currency: Currency,
        method: &str,
    ) -> Result<&Provider, NoProvider> {
        if is_bank_account(method) || self.named(name).is_some_and(|known| known.bank.is_some()) {
            return Err(NoProvider::Method(currency));
        }
        let fits = |rule: &Rule| rule.takes_currency(currency) && rule.takes_method(method);
        let mut fitting = self.rules.iter().filter(|(rule, _)| fits(rule));
        let by_rule = fitting.find(|(_, provider)| provider.name == name);
        let default = self.default.as_ref().filter(|default| default.name == name);
        let chosen = by_rule.map(|(_, provider)| provider);
        chosen.or(default).ok_or(NoProvider::Method(currency))
    }

    /// The provider of this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Provider> {
        self.known.iter().find(|provider| provider.name == name)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use bank_files::pain001::{Debtor, Version};
    use text::Iban;

    use super::*;

    fn provider(name: &str) -> Provider {
        Provider {
            name: name.to_owned(),
            lease_millis: 1,
            authorization_millis: 1,
            bank: None,
        }
    }

    fn currency(code: &str) -> Currency {
        Currency::from_code(code).unwrap()
    }

    fn rule(provider: &str, currencies: &[&str], methods: &[&str]) -> Rule {
        Rule {
            provider: provider.to_owned(),
            currencies: currencies.iter().map(|code| currency(code)).collect(),
            methods: methods
                .iter()
                .map(|text| Methods::parse(text).unwrap())
                .collect(),
        }
    }

    fn rules() -> Vec<Rule> {
        vec![
            rule("a", &["EUR", "USD"], &["pm_card_*", "pm_one"]),
            rule("b", &["EUR"], &["pm_card_*", "pm_wallet"]),
            rule("b", &["JPY"], &[]),
            rule("a", &[], &["pm_everywhere"]),
        ]
    }

    #[test]
    fn a_named_provider_takes_what_its_rules_or_the_default_allow() {
        let known = || vec![provider("a"), provider("b"), provider("c")];
        let with = Providers::new(known(), rules(), Some("c")).unwrap();
        for (name, code, token, is_taken) in [
            ("b", "EUR", "pm_card_1", true),
            ("a", "EUR", "pm_card_1", true),
            ("b", "EUR", "pm_one", false),
            ("b", "JPY", "pm_one", true),
            ("c", "EUR", "pm_card_1", true),
            ("d", "EUR", "pm_card_1", false),
        ] {
            let chosen = with.choose_named(name, currency(code), token);
            let expected = match is_taken {
                true => Ok(name),
                false => Err(NoProvider::Method(currency(code))),
            };
            assert_eq!(chosen.map(|provider| provider.name.as_str()), expected);
        }
    }

    #[test]
    fn a_bank_gets_payouts_to_bank_accounts_and_nothing_else() {
        const TO_BANK: &str = "bac_019f0d5c2b7a7c3e8f10a1b2c3d4e5f6";
        let bank = |name: &str| Provider {
            bank: Some(Arc::new(OwnAccount {
                debtor: Debtor {
                    name: "A".to_owned(),
                    iban: Iban::parse("DE89370400440532013000").unwrap(),
                    bic: None,
                },
                version: Version::V09,
                statement_name: None,
            })),
            ..provider(name)
        };
        let name = |chosen: Result<&Provider, NoProvider>| chosen.map(|one| one.name.clone());
        let (method, by_currency) = (NoProvider::Method, NoProvider::Currency);
        let euro = currency("EUR");
        // No rule names it, so it takes every currency.
        let known = || vec![bank("house"), provider("a")];
        let free = Providers::new(known(), vec![rule("a", &["EUR"], &[])], Some("a")).unwrap();
        for code in ["EUR", "JPY"] {
            let chosen = name(free.choose(currency(code), TO_BANK));
            assert_eq!(chosen, Ok("house".to_owned()));
            assert_eq!(
                name(free.choose(currency(code), "ba_1")),
                Ok("a".to_owned())
            );
        }
        for (provider, token) in [("house", "ba_1"), ("house", TO_BANK), ("a", TO_BANK)] {
            assert_eq!(
                name(free.choose_named(provider, euro, token)),
                Err(method(euro))
            );
        }
        let ruled = Providers::new(known(), vec![rule("house", &["EUR"], &[])], None).unwrap();
        assert_eq!(name(ruled.choose(euro, TO_BANK)), Ok("house".to_owned()));
        assert_eq!(name(ruled.choose(euro, "ba_1")), Err(by_currency(euro)));
        let yen = currency("JPY");
        assert_eq!(name(ruled.choose(yen, TO_BANK)), Err(by_currency(yen)));
        assert!(Providers::new(vec![bank("house")], Vec::new(), None).is_ok());
    }

    #[test]
    fn the_first_rule_that_fits_chooses() {
        let known = || vec![provider("a"), provider("b"), provider("c")];
        let with = Providers::new(known(), rules(), Some("c")).unwrap();
        let without = Providers::new(known(), rules(), None).unwrap();
        let (method, by_currency) = (NoProvider::Method, NoProvider::Currency);
        for (code, token, expected) in [
            ("EUR", "pm_card_1", Ok("a")),
            ("EUR", "pm_card_", Ok("a")),
            ("USD", "pm_one", Ok("a")),
            ("EUR", "pm_wallet", Ok("b")),
            ("JPY", "pm_card_1", Ok("b")),
            ("JPY", "pm_everywhere", Ok("b")),
            ("CHF", "pm_everywhere", Ok("a")),
            ("USD", "pm_wallet", Err(method(currency("USD")))),
            ("EUR", "pm_one_more", Err(method(currency("EUR")))),
            ("EUR", "pm_car", Err(method(currency("EUR")))),
            // The last rule takes every currency.
            ("CHF", "pm_card_1", Err(method(currency("CHF")))),
        ] {
            let unit = currency(code);
            let name = |chosen: &Provider| chosen.name.clone();
            let chosen = without.choose(unit, token).map(name);
            assert_eq!(chosen, expected.map(str::to_owned), "{code} {token}");
            let chosen = with.choose(unit, token).map(name);
            let expected = expected.unwrap_or("c").to_owned();
            assert_eq!(chosen, Ok(expected), "{code} {token}");
        }
        let euro = Providers::new(known(), vec![rule("a", &["EUR"], &[])], None).unwrap();
        let refused = euro.choose(currency("CHF"), "pm_card_1");
        assert_eq!(refused, Err(by_currency(currency("CHF"))));
    }

    #[test]
    fn providers_and_rules_go_together() {
        let known = || vec![provider("a"), provider("b")];
        let a = || "a".to_owned();
        for (known, rules, default, wrong) in [
            (
                vec![provider("a"), provider("b"), provider("a")],
                Vec::new(),
                Some("b"),
                ProvidersError::Twice(a()),
            ),
            (
                vec![provider("b")],
                rules(),
                Some("b"),
                ProvidersError::UnknownInRule(a()),
            ),
            (
                vec![provider("b")],
                Vec::new(),
                Some("a"),
                ProvidersError::UnknownDefault(a()),
            ),
            (known(), Vec::new(), None, ProvidersError::NothingServed),
        ] {
            assert_eq!(Providers::new(known, rules, default), Err(wrong));
        }
        assert!(Providers::new(known(), rules(), None).is_ok());
    }

    #[test]
    fn a_star_stands_at_the_end_alone() {
        assert_eq!(Methods::parse("*"), Some(Methods::Beginning(String::new())));
        for text in ["", "a*b", "**", "*a"] {
            assert_eq!(Methods::parse(text), None, "{text}");
        }
    }
}
