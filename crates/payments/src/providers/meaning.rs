//! What an event says, without what a provider may change when it sends the event again.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// Members of a body that hold what an event is about. Each provider has one of them.
const CONTENTS: [&str; 3] = ["data", "resource", "content"];

/// A hash of the type of an event and of what it is about: the object with its money. Other members of the body, such as a
/// count of deliveries, do not matter, unless the body has no member that is known to hold the object.
pub(crate) fn meaning(kind: &str, body: &Value) -> [u8; 32] {
    let said = CONTENTS.iter().find_map(|name| body.get(name));
    let mut hash = Sha256::new();
    hash.update(kind.len().to_be_bytes());
    hash.update(kind);
    // The members of an object are written in the order of their names.
    hash.update(said.unwrap_or(body).to_string());
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_surrounds_the_object_does_not_matter() {
        let first =
            json!({"id": "evt_1", "attempt": 1, "data": {"object": {"amount": 1, "id": "a"}}});
        let again =
            json!({"data": {"object": {"id": "a", "amount": 1}}, "attempt": 2, "id": "evt_1"});
        assert_eq!(meaning("x", &first), meaning("x", &again));
        assert_ne!(meaning("x", &first), meaning("y", &first));
        let other =
            json!({"id": "evt_1", "attempt": 1, "data": {"object": {"amount": 2, "id": "a"}}});
        assert_ne!(meaning("x", &first), meaning("x", &other));
        let (bare, other) = (
            json!({"id": "evt_1", "n": 1}),
            json!({"id": "evt_1", "n": 2}),
        );
        assert_ne!(meaning("x", &bare), meaning("x", &other));
    }
}
