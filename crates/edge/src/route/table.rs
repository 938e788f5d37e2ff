//! All routes of an API, as rows of one table.

use super::{Handler, Method, Proof, Right, Route};
use crate::strict_json::MAX_BYTES;
use crate::{Call, KeyRule, Problem, Response, Shared};

/// The routes of an API, in the order in which they are tried.
#[derive(Default)]
pub struct Routes {
    rows: Vec<Route>,
    tags: Vec<(&'static str, &'static str)>,
}

impl Routes {
    /// Begins a group. The following rows belong to it.
    pub fn tag(&mut self, name: &'static str, says: &'static str) {
        self.tags.push((name, says));
    }

    /// Adds a route that reads.
    pub fn get<F, R>(
        &mut self,
        path: &'static str,
        id: &'static str,
        summary: &'static str,
        handler: F,
    ) -> &mut Route
    where
        F: Fn(Shared, Call) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Response, Problem>> + Send + 'static,
    {
        let handler = keyed(handler);
        self.row(Method::Get, path, [id, summary], handler)
    }

    /// Adds a route that makes something.
    pub fn post<F, R>(
        &mut self,
        path: &'static str,
        id: &'static str,
        summary: &'static str,
        handler: F,
    ) -> &mut Route
    where
        F: Fn(Shared, Call) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Response, Problem>> + Send + 'static,
    {
        let handler = keyed(handler);
        let row = self.row(Method::Post, path, [id, summary], handler);
        row.key(KeyRule::Optional).may(Right::Write)
    }

    /// Adds a route that changes something.
    pub fn patch<F, R>(
        &mut self,
        path: &'static str,
        id: &'static str,
        summary: &'static str,
        handler: F,
    ) -> &mut Route
    where
        F: Fn(Shared, Call) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Response, Problem>> + Send + 'static,
    {
        let handler = keyed(handler);
        let row = self.row(Method::Patch, path, [id, summary], handler);
        row.key(KeyRule::Optional).may(Right::Write)
    }

    /// Adds a route that anybody may call. A route without an id is not described.
    pub fn open<F, R>(
        &mut self,
        method: Method,
        path: &'static str,
        [id, summary]: [&'static str; 2],
        handler: F,
    ) -> &mut Route
    where
        F: Fn(Shared, Call<()>) -> R + Send + Sync + 'static,
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
        handler: Handler,
    ) -> &mut Route {
        let tag = self.tags.last().map_or("", |(name, _)| name);
        self.rows.push_mut(Route {
            method,
            path,
            id,
            tag,
            summary,
            more: "",
            key: KeyRule::None,
            proof: match handler {
                Handler::Keyed(_) => Proof::ApiKey,
                Handler::Open { .. } => Proof::Nothing,
            },
            right: Right::Read,
            waits: false,
            segments: Vec::new(),
            query: Vec::new(),
            body: None,
            max_body: MAX_BYTES,
            answers: Vec::new(),
            handler,
        })
    }

    /// The rows.
    #[must_use]
    pub fn rows(&self) -> &[Route] {
        &self.rows
    }

    /// The groups, with their descriptions.
    #[must_use]
    pub fn tags(&self) -> &[(&'static str, &'static str)] {
        &self.tags
    }

    /// The paths, each once, in the order in which they are tried. If a request matches two of them, the exact
    /// one is tried first. Of the others, each of which is a regular expression, those without a key are first: a
    /// stranger's webhook is refused after a few of them.
    #[must_use]
    pub fn paths(&self) -> Vec<&'static str> {
        let mut paths: Vec<&str> = Vec::new();
        for row in &self.rows {
            if !paths.contains(&row.path) {
                paths.push(row.path);
            }
        }
        paths.sort_by_key(|path| {
            let mut rows = self.of(path);
            let has_key = rows.any(|row| matches!(row.handler, Handler::Keyed(_)));
            (path.contains('{'), has_key)
        });
        paths
    }

    /// The rows of a path.
    pub fn of(&self, path: &str) -> impl Iterator<Item = &Route> {
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

fn keyed<F, R>(handler: F) -> Handler
where
    F: Fn(Shared, Call) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Response, Problem>> + Send + 'static,
{
    Handler::Keyed(Box::new(move |shared, call| {
        Box::pin(handler(shared, call))
    }))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::super::Parameter;
    use super::*;
    use crate::Shape;
    use crate::strict_json::BrokenRule;

    async fn nothing<C>(_: Shared, _: Call<C>) -> Result<Response, Problem> {
        Ok(Response::empty(204))
    }

    fn things() -> Routes {
        let mut r = Routes::default();
        r.tag("things", "Things");
        r.get("/things/{id}", "getThing", "One thing.", nothing)
            .segment("id", Shape::id("thg_"), "thg_…");
        r.get("/things", "listThings", "Things.", nothing)
            .asks(|query| {
                let text = |text: &str| Ok::<String, BrokenRule>(text.to_owned());
                let any = Shape::any_text();
                let colour = query.optional("colour", any, "Its colour", text);
                let labels = Parameter::by_key("label", "Its labels", [any; 2], 5);
                let shown = query.several("shown[]", (any, 2), "Its parts", |part| match part {
                    "wheel" => Ok(()),
                    _ => Err(BrokenRule::new("unknown_value", &"it is wheel")),
                });
                drop((colour, query.by_key(labels), shown, query.page()));
            });
        r.patch("/things/{id}", "updateThing", "Changes it.", nothing);
        r.post("/things/count", "countThings", "Counts them.", nothing)
            .key(KeyRule::Required);
        r.open(Method::Get, "/alive", ["", "Answers."], nothing);
        r
    }

    #[test]
    fn a_path_that_is_named_exactly_is_tried_first_and_then_one_without_a_key() {
        let mut r = things();
        r.open(Method::Post, "/heard/{from}", ["", "Hears."], nothing)
            .segment("from", Shape::any_text(), "who");
        let paths = [
            "/alive",
            "/things",
            "/things/count",
            "/heard/{from}",
            "/things/{id}",
        ];
        assert_eq!(r.paths(), paths);
    }

    #[test]
    fn the_methods_of_a_path_are_listed_in_one_order() {
        let r = things();
        assert_eq!(r.allowed("/things/{id}"), "GET, HEAD, PATCH, OPTIONS");
        assert_eq!(r.allowed("/things/count"), "POST, OPTIONS");
        assert_eq!(r.allowed("/alive"), "GET, HEAD, OPTIONS");
    }

    #[test]
    fn a_row_says_its_group_its_key_and_its_right() {
        let r = things();
        let row = |id: &str| r.rows().iter().find(|row| row.id == id).unwrap();
        let (one, count) = (row("getThing"), row("countThings"));
        assert_eq!(
            (one.tag, one.key, one.right),
            ("things", KeyRule::None, Right::Read)
        );
        assert_eq!((count.key, count.right), (KeyRule::Required, Right::Write));
        assert_eq!(row("updateThing").key, KeyRule::Optional);
        assert!(one.is_described() && !row("").is_described());
    }

    #[test]
    fn a_query_has_the_parameters_of_its_row_and_no_others() {
        let r = things();
        let row = r.of("/things").next().unwrap();
        for query in [
            "",
            "colour=red&limit=3",
            "label.a=1&label.b.c=2&cursor=x",
            "shown[]=wheel&shown%5B%5D=wheel",
        ] {
            assert!(row.parameters("/things", query).is_ok(), "{query}");
        }
        for query in [
            "colours=red",
            "label=1",
            "labels.a=1",
            "COLOUR=red",
            "id=1",
            "shown=wheel",
            "colour=red&colour=red",
        ] {
            let refused = row.parameters("/things", query).unwrap_err();
            assert_eq!(refused.status(), 400, "{query}");
        }
    }
}
