//! A request as a handler sees it.

use idempotency::Key;

use crate::KeyRule;
use crate::query::Parameters;
use crate::strict_json::{self, Object};
use crate::{Caller, Problem, code};

/// A request whose head is read, with its body within the bound of its route. `C` is the type of the caller.
#[derive(Debug)]
pub struct Call<C = Caller> {
    /// The method, in capitals.
    pub method: &'static str,
    /// The path as it was sent.
    pub path: String,
    /// The named parts of the path, decoded.
    pub segments: Vec<(String, String)>,
    /// The parameters of the query. The route knows each of them.
    pub query: Parameters,
    /// The headers.
    pub headers: Headers,
    /// The body as it was sent; empty if the route reads none.
    pub body: Vec<u8>,
    /// The largest body that the route reads, in bytes.
    pub max_body: usize,
    /// The idempotency key, if the request has one and the route takes it.
    pub key: Option<Key>,
    /// The route's rule for that key.
    pub key_rule: KeyRule,
    /// The id of this request, as the log has it.
    pub request_id: String,
    /// The caller.
    pub caller: C,
}

impl<C> Call<C> {
    /// A part of the path by its name; empty if the route has no such part.
    #[must_use]
    pub fn segment(&self, name: &str) -> &str {
        let found = self.segments.iter().find(|(own, _)| own == name);
        found.map_or("", |(_, text)| text)
    }

    /// Reads a part of the path by its name.
    ///
    /// # Errors
    /// `otherwise` if it cannot be read.
    pub fn named<T: std::str::FromStr>(
        &self,
        name: &str,
        otherwise: &'static code::Code,
    ) -> Result<T, Problem> {
        let read = self.segment(name).parse();
        read.map_err(|_malformed| Problem::new(otherwise))
    }

    /// The body as strict JSON.
    ///
    /// # Errors
    /// Everything that is wrong with the JSON; if nothing is, a missing idempotency key.
    pub fn json(&self) -> Result<Object, Problem> {
        let body = strict_json::parse_within(&self.body, self.max_body)?;
        if self.key.is_none() && self.key_rule == KeyRule::Required {
            return Err(Problem::new(code::IDEMPOTENCY_KEY_REQUIRED));
        }
        Ok(body)
    }

    /// The same request, with a known caller.
    pub fn by<D>(self, caller: D) -> Call<D> {
        Call {
            method: self.method,
            path: self.path,
            segments: self.segments,
            query: self.query,
            headers: self.headers,
            body: self.body,
            max_body: self.max_body,
            key: self.key,
            key_rule: self.key_rule,
            request_id: self.request_id,
            caller,
        }
    }
}

/// The headers of a request: names in lower case, values as they came, in their order.
#[derive(Debug, Clone, Default)]
pub struct Headers(Vec<(String, Vec<u8>)>);

impl Headers {
    /// The values under a name, which is in lower case.
    pub fn all<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h [u8]> {
        let own = self.iter().filter(move |(own, _)| *own == name);
        own.map(|(_, value)| value)
    }

    /// True if the name is there.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }

    /// All headers.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }
}

impl<'h> FromIterator<(&'h str, &'h [u8])> for Headers {
    fn from_iter<I: IntoIterator<Item = (&'h str, &'h [u8])>>(headers: I) -> Self {
        let own = headers
            .into_iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_vec()));
        Self(own.collect())
    }
}
