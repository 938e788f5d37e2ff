//! The codes that the API gives: those of every route, and those of each capability.

pub(crate) use edge::code::{
    DATABASE_UNAVAILABLE, IDEMPOTENCY_KEY_IN_USE, INTERNAL, INVALID_FIELD, MALFORMED_JSON,
    NOT_ACCEPTABLE, NOT_FOUND, OVERLOADED, PAYLOAD_TOO_LARGE, REQUEST_TIMEOUT, SIGNATURE_REFUSED,
    UNAUTHORIZED,
};

pub(crate) use crate::accounts::codes::*;
pub(crate) use crate::assets::codes::*;
pub(crate) use crate::payments::codes::*;
pub(crate) use crate::periods::codes::*;
pub(crate) use crate::transactions::codes::*;
pub(crate) use crate::transactions::exchanges::codes::*;

/// All codes, in the order of the table in `docs/api.md`.
#[cfg(test)]
pub(crate) fn all() -> Vec<&'static edge::Code> {
    let tables = [
        edge::code::ALL,
        crate::assets::codes::ALL,
        crate::accounts::codes::ALL,
        crate::transactions::codes::ALL,
        crate::transactions::exchanges::codes::ALL,
        crate::periods::codes::ALL,
        crate::payments::codes::ALL,
    ];
    tables.concat()
}

#[cfg(test)]
mod kept;

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn every_code_has_a_name_and_a_title_of_its_own_and_a_known_family() {
        assert_eq!(edge::code::faults(&super::all()), Vec::<String>::new());
    }

    #[test]
    fn the_table_in_the_documents_has_every_code_as_it_is() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/api.md");
        let page = std::fs::read_to_string(path).unwrap_or_default();
        let table = page.split("| code | status | `error.type` |").nth(1);
        let rows = table.unwrap_or_default().lines().skip(2);
        let rows: Vec<&str> = rows.take_while(|row| row.starts_with('|')).collect();
        for code in super::all() {
            let retry = code
                .retry
                .map_or("absent".to_owned(), |retry| retry.to_string());
            let own = format!(
                "| `{}` | {} | `{}` | {retry} | {}",
                code.name, code.status, code.family, code.title
            );
            assert!(rows.iter().any(|row| row.starts_with(&own)), "{own}");
        }
        assert_eq!(rows.len(), super::all().len());
    }
}
