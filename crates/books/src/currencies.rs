//! The currencies that a request may name: those of ISO 4217, and the assets that its tenant has registered.
//!
//! An asset never changes and is never deleted, so it is remembered for ever. Another process may have
//! registered an asset that is not remembered, so an unknown code is looked up in the database. A request that
//! names only currencies of ISO 4217 needs no look-up.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use edge::strict_json::{Object, Value, currency};
use edge::{Problem, Reader, State, Submission};
use money::Currency;
use store::TenantId;

use crate::shapes;

/// The name of a field with a currency, anywhere in a body.
const FIELD: &str = "currency";
const UNKNOWN: &str = "There is no such currency. Use an ISO 4217 code in capitals, such as EUR, or the code of an asset that you have registered: POST /v1/assets.";

/// The assets that requests have named, by tenant and code.
#[derive(Debug, Default)]
pub(crate) struct Assets(Mutex<HashMap<TenantId, BTreeMap<String, Currency>>>);

/// The currencies that one request may name.
#[derive(Debug, Default)]
pub(crate) struct Currencies {
    /// The registered assets among the codes that the request names.
    assets: BTreeMap<String, Currency>,
}

/// Finds the currencies that a request may name, from the codes in its body.
pub(crate) async fn named(state: &State, submission: &Submission) -> Result<Currencies, Problem> {
    let known: &Assets = state.part()?;
    known
        .of(state, submission.tenant().id, submission.body())
        .await
}

impl Assets {
    /// Finds the currencies that a body of this tenant may name.
    async fn of(
        &self,
        state: &State,
        tenant: TenantId,
        body: &Object,
    ) -> Result<Currencies, Problem> {
        let mut named = AssetCodes::default();
        named.note(body);
        let (mut assets, mut unknown) = (BTreeMap::new(), Vec::new());
        if named.assets.is_empty() {
            return Ok(Currencies { assets });
        }
        {
            let remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let remembered = remembered.get(&tenant);
            for code in named.assets {
                match remembered.and_then(|assets| assets.get(code)) {
                    Some(asset) => drop(assets.insert(code.to_owned(), *asset)),
                    None => unknown.push(code.to_owned()),
                }
            }
        }
        if !unknown.is_empty() {
            let found = state
                .read(move |connection| ledger::assets_named(connection, tenant, unknown))
                .await?;
            let found = found.into_iter().map(|asset| asset.currency);
            let found = found.map(|asset| (asset.code().to_owned(), asset));
            let found: BTreeMap<String, Currency> = found.collect();
            let mut remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            remembered.entry(tenant).or_default().extend(found.clone());
            assets.extend(found);
        }
        Ok(Currencies { assets })
    }
}

impl Currencies {
    /// Reads a currency by its code.
    pub(crate) fn reader(&self) -> impl Reader<Out = Currency> {
        let known = |code: &str| {
            let of_iso = Currency::from_code(code).ok();
            of_iso.or_else(|| self.assets.get(code).copied())
        };
        currency(known, UNKNOWN, shapes::CurrencyCode::SHAPE)
    }
}

/// The codes in a body that may belong to assets.
#[derive(Default)]
struct AssetCodes<'b> {
    assets: BTreeSet<&'b str>,
    /// The code that was examined last. Most bodies name only one currency, perhaps many times.
    latest: &'b str,
}

impl<'b> AssetCodes<'b> {
    fn note(&mut self, body: &'b Object) {
        for (name, value) in body.iter() {
            match value {
                Value::Text(code) if name == FIELD && code != self.latest => {
                    self.latest = code;
                    if Currency::custom(code, 0).is_ok() {
                        self.assets.insert(code);
                    }
                }
                Value::Object(object) => self.note(object),
                Value::Array(items) => {
                    for item in items {
                        if let Value::Object(object) = item {
                            self.note(object);
                        }
                    }
                }
                Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Text(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "a test may stop at the first surprise"
    )]

    use edge::strict_json::parse;

    use super::*;

    #[test]
    fn only_what_may_be_an_asset_is_looked_up() {
        let noted = |body: &str| {
            let body = parse(body.as_bytes()).unwrap();
            let mut named = AssetCodes::default();
            named.note(&body);
            named
                .assets
                .into_iter()
                .map(str::to_owned)
                .collect::<Vec<String>>()
        };
        let of_iso = r#"{"currency":"EUR","code":"USDC","postings":[{"currency":"JPY"}]}"#;
        assert_eq!(noted(of_iso), Vec::<String>::new());
        for never_one in ["XAU", "DEM", "usdc", "US", "USDC/6", ""] {
            let body = format!(r#"{{"currency":"{never_one}"}}"#);
            assert_eq!(noted(&body), Vec::<String>::new(), "{never_one}");
        }
        let many = r#"{"currency":"B10","transactions":[{"postings":[{"currency":"USDC"},
            {"currency":"EUR"},{"currency":"USDC"}]},{"currency":1}]}"#;
        assert_eq!(noted(many), ["B10", "USDC"]);
    }

    #[test]
    fn a_currency_is_of_iso_or_registered() {
        let usdc = Currency::custom("USDC", 6).unwrap();
        let known = Currencies {
            assets: BTreeMap::from([("USDC".to_owned(), usdc)]),
        };
        let text = |code: &str| Value::Text(code.to_owned());
        let euro = Currency::from_code("EUR");
        assert_eq!(known.reader().read(text("USDC")), Ok(usdc));
        assert_eq!(known.reader().read(text("EUR")).ok(), euro.ok());
        for unknown in ["USDT", "usdc", "USDC/6", "XAU"] {
            let refused = known.reader().read(text(unknown)).unwrap_err();
            assert_eq!(refused[0].code, "unknown_currency");
            assert!(refused[0].detail.contains("POST /v1/assets"));
        }
    }
}
