//! All routes of an API, as rows of one table.

use super::{Handler, KeyRule, Method, Right, Route};
use crate::strict_json::MAX_BYTES;
use crate::{Call, Problem, Response};

/// The routes of an API, in the order in which they are tried.
pub struct Routes<S, C> {
    rows: Vec<Route<S, C>>,
    tags: Vec<(&'static str, &'static str)>,
}

impl<S, C> Default for Routes<S, C> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            tags: Vec::new(),
        }
    }
}

impl<S: 'static, C: 'static> Routes<S, C> {
    /// Begins a group: the rows that follow belong to it.
    pub fn tag(&mut self, name: &'static str, says: &'static str) {
        self.tags.push((name, says));
    }

    /// A route that reads.
    pub fn get<F, R>(
        &mut self,
        path: &'static str,
        id: &'static str,
        summary: &'static str,
        handler: F,
    ) -> &mut Route<S, C>
    where
        F: Fn(S, Call<C>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Response, Problem>> + Send + 'static,
    {
        let handler = keyed(handler);
        self.row(Method::Get, path, [id, summary], handler)
    }

    /// A route that makes something.
    pub fn post<F, R>(
        &mut self,
        path: &'static str,
        id: &'static str,
        summary: &'static str,
        handler: F,
    ) -> &mut Route<S, C>
    where
        F: Fn(S, Call<C>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Response, Problem>> + Send + 'static,
    {
        let handler = keyed(handler);
        let row = self.row(Method::Post, path, [id, summary], handler);
        row.key(KeyRule::Optional).may(Right::Write)
    }

    /// A route that changes something.
    pub fn patch<F, R>(
        &mut self,
        path: &'static str,
        id: &'static str,
        summary: &'static str,
        handler: F,
    ) -> &mut Route<S, C>
    where
        F: Fn(S, Call<C>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Response, Problem>> + Send + 'static,
    {
        let handler = keyed(handler);
        let row = self.row(Method::Patch, path, [id, summary], handler);
        row.key(KeyRule::Optional).may(Right::Write)
    }

    /// A route that anybody may call. Without an id, the description leaves it out.
    pub fn open<F, R>(
        &mut self,
        method: Method,
        path: &'static str,
        [id, summary]: [&'static str; 2],
        handler: F,
    ) -> &mut Route<S, C>
    where
        F: Fn(S, Call<()>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Response, Problem>> + Send + 'static,
    {
        let handler = Handler::Open {
            admit: |_, _| Ok(()),
            answer: Box::new(move |shared, call| Box::pin(handler(shared, call))),
        };
        self.row(method, path, [id, summary], handler)
    }

    fn row(
        &mut self,
        method: Method,
        path: &'static str,
        [id, summary]: [&'static str; 2],
        handler: Handler<S, C>,
    ) -> &mut Route<S, C> {
        let tag = self.tags.last().map_or("", |(name, _)| name);
        self.rows.push_mut(Route {
            method,
            path,
            id,
            tag,
            summary,
            more: "",
            key: KeyRule::None,
            right: Right::Read,
            waits: false,
            segments: Vec::new(),
            query: Vec::new(),
            body: None,
            most: MAX_BYTES,
            answers: Vec::new(),
            handler,
        })
    }

    /// The rows.
    #[must_use]
    pub fn rows(&self) -> &[Route<S, C>] {
        &self.rows
    }

    /// The groups, with what they are about.
    #[must_use]
    pub fn tags(&self) -> &[(&'static str, &'static str)] {
        &self.tags
    }

    /// The paths, each once, in the order in which they are tried: of two that a request may mean, the one that
    /// names it exactly comes first.
    #[must_use]
    pub fn paths(&self) -> Vec<&'static str> {
        let mut paths: Vec<&str> = Vec::new();
        for row in &self.rows {
            if !paths.contains(&row.path) {
                paths.push(row.path);
            }
        }
        paths.sort_by_key(|path| path.contains('{'));
        paths
    }

    /// The rows of a path.
    pub fn of(&self, path: &str) -> impl Iterator<Item = &Route<S, C>> {
        self.rows.iter().filter(move |row| row.path == path)
    }

    /// The methods that a path takes, as the header `Allow` lists them.
    #[must_use]
    pub fn allowed(&self, path: &str) -> String {
        let mut names = Vec::new();
        for method in Method::ALL {
            if self.of(path).any(|row| row.method == method) {
                names.push(method.name());
                names.extend((method == Method::Get).then_some("HEAD"));
            }
        }
        names.push("OPTIONS");
        names.join(", ")
    }
}

fn keyed<S, C, F, R>(handler: F) -> Handler<S, C>
where
    F: Fn(S, Call<C>) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Response, Problem>> + Send + 'static,
{
    Handler::Keyed(Box::new(move |shared, call| {
        Box::pin(handler(shared, call))
    }))
}
