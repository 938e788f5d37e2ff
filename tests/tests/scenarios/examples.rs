//! `examples/*.http` and the `curl` lines of `docs/api.md`, sent to a real server: each answer has the status that the
//! example states, or the fields that the page shows.

use std::collections::HashMap;
use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Database, Florin, on_both_databases};

use crate::books_hold;
use crate::given::text;

/// One request of an example.
#[derive(Debug)]
struct Step {
    title: String,
    /// The name by which later requests refer to its answer.
    name: Option<String>,
    status: u16,
    method: Method,
    url: String,
    headers: Vec<(String, String)>,
    body: String,
}

on_both_databases!(every_example_is_answered_as_it_says_and_again_when_sent_again);
async fn every_example_is_answered_as_it_says_and_again_when_sent_again(database: Database) {
    let florin = Florin::start(&database, &[]);
    let examples = examples();
    assert!(examples.len() >= 6, "{examples:?}");

    for (file, text) in &examples {
        let steps = steps(file, text);
        assert!(!steps.is_empty(), "{file} has no request");
        let first = replay(&florin, file, &steps).await;
        let again = replay(&florin, file, &steps).await;
        assert_eq!(first, again, "{file}: other answers the second time");
    }
    // A reader who has tried the examples tries the page on the same books.
    replay_page(&florin).await;
    books_hold(&database);
}

/// Sends the requests of `docs/api.md`, in order. Each answer has the fields of the answer on the page.
async fn replay_page(florin: &Florin) {
    let shown = curls();
    assert!(shown.len() >= 4, "{shown:?}");
    // The ids on the page, and the ids here.
    let mut ids: HashMap<String, String> = HashMap::new();
    for (number, curl) in shown.iter().enumerate() {
        let mut body = curl.body.clone();
        for id in account_ids(&body) {
            if !ids.contains_key(&id) {
                let new = json!({"code": format!("liabilities:page:{}", ids.len()), "currency": "EUR", "floor": null});
                let made = florin.client().post("/v1/accounts", None, &new).await;
                ids.insert(id.clone(), text(&made.json(), "/id"));
            }
            body = body.replace(&id, &ids[&id]);
        }
        let key = format!("page-{number}");
        let headers = [
            ("content-type", "application/json"),
            ("idempotency-key", &key),
        ];
        let client = florin.client();
        let reply = client.send(Method::POST, &curl.path, &headers, body).await;
        let said = String::from_utf8_lossy(&reply.body).into_owned();
        assert_eq!(reply.status, 201, "{curl:?}: {said}");
        let reply = reply.json();
        let shown: Value = serde_json::from_str(&curl.answer).expect("the page shows JSON");
        assert_eq!(
            names(&shown),
            names(&reply),
            "the page shows other fields: {said}"
        );
        if let (Some(id), Some(own)) = (shown["id"].as_str(), reply["id"].as_str()) {
            ids.insert(id.to_owned(), own.to_owned());
        }
    }
}

fn names(value: &Value) -> Vec<&String> {
    let fields = value.as_object().map(|object| object.keys().collect());
    let mut names: Vec<&String> = fields.unwrap_or_default();
    names.sort();
    names
}

fn account_ids(text: &str) -> Vec<String> {
    let quoted = text.split('"').filter(|part| part.starts_with("acc_"));
    quoted.map(str::to_owned).collect()
}

/// A request of the page, and the answer below it.
#[derive(Debug)]
struct Curl {
    path: String,
    body: String,
    answer: String,
}

/// The requests with a body and an answer. The others have words in the place of ids.
fn curls() -> Vec<Curl> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/api.md");
    let page = std::fs::read_to_string(page).expect("text");
    let curls = page.split("$ curl ").skip(1).filter_map(|rest| {
        let block = rest.split("```").next()?;
        let (request, answer) = block.split_once("}'\n")?;
        let (url, _) = request.split_once(' ')?;
        let body = request.split_once("-d '")?.1;
        Some(Curl {
            path: url.strip_prefix("http://127.0.0.1:8080")?.to_owned(),
            body: format!(
                "{}}}",
                body.split_whitespace().collect::<Vec<_>>().join(" ")
            ),
            answer: answer.trim().to_owned(),
        })
    });
    curls.filter(|curl| curl.answer.starts_with('{')).collect()
}

/// Sends all requests, and returns the named answers.
async fn replay(florin: &Florin, file: &str, steps: &[Step]) -> HashMap<String, Value> {
    let mut answers = HashMap::new();
    let client = florin.client();
    for step in steps {
        let fill = |text: &str| filled(text, florin, &answers);
        let url = fill(&step.url);
        let path = url.strip_prefix(florin.api()).unwrap_or(&url);
        let headers: Vec<(String, String)> = step
            .headers
            .iter()
            .map(|(name, value)| (name.clone(), fill(value)))
            // The client adds its own header, and two would be refused.
            .filter(|(name, _)| name != "authorization")
            .collect();
        let headers: Vec<(&str, &str)> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let method = step.method.clone();
        let reply = client.send(method, path, &headers, fill(&step.body)).await;
        let said = String::from_utf8_lossy(&reply.body).into_owned();
        assert_eq!(reply.status, step.status, "{file}, {}: {said}", step.title);
        if let Some(name) = &step.name {
            answers.insert(name.clone(), reply.json());
        }
    }
    answers
}

/// The text with each `{{…}}` replaced: by the address or the key of the server, or by a field of an answer.
fn filled(text: &str, florin: &Florin, answers: &HashMap<String, Value>) -> String {
    let mut parts = text.split("{{");
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (place, rest) = part.split_once("}}").expect("a place ends");
        match place {
            "host" => whole.push_str(florin.api()),
            "key" => whole.push_str(florin.key()),
            _ => {
                let (name, path) = place
                    .split_once(".response.body.$.")
                    .unwrap_or_else(|| panic!("{place} is no variable"));
                let pointer = format!("/{}", path.replace('.', "/"));
                let value = answers
                    .get(name)
                    .and_then(|answer| answer.pointer(&pointer));
                let value = value.and_then(Value::as_str);
                whole.push_str(value.unwrap_or_else(|| panic!("no answer has {place}")));
            }
        }
        whole.push_str(rest);
    }
    whole
}

/// The contents of the files, by name, in order.
fn examples() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the examples are there") {
        let path = entry.expect("readable").path();
        if path
            .extension()
            .is_some_and(|extension| extension == "http")
        {
            let text = std::fs::read_to_string(&path).expect("text");
            found.push((path.display().to_string(), text));
        }
    }
    found.sort();
    found
}

/// The lines before the first request are variables.
fn steps(file: &str, text: &str) -> Vec<Step> {
    let requests = text.split("\n### ").skip(1);
    requests.map(|request| step(file, request)).collect()
}

fn step(file: &str, request: &str) -> Step {
    let mut lines = request.lines();
    let title = lines.next().unwrap_or_default().to_owned();
    let (mut name, mut status) = (None, None);
    let mut lines = lines.skip_while(|line| {
        if let Some(said) = line.strip_prefix("# @name ") {
            name = Some(said.to_owned());
        } else if let Some(said) = line.strip_prefix("# -> ") {
            status = said.parse().ok();
        }
        line.starts_with('#')
    });
    let target = lines.next().unwrap_or_default().to_owned();
    let mut headers = Vec::new();
    for line in lines.by_ref() {
        let Some((name, value)) = line.split_once(": ") else {
            break;
        };
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let body = lines.collect::<Vec<_>>().join("\n");
    let (method, url) = target
        .split_once(' ')
        .unwrap_or_else(|| panic!("{file}, {title}: no request line"));
    Step {
        status: status.unwrap_or_else(|| panic!("{file}, {title}: no status")),
        method: Method::from_bytes(method.as_bytes()).expect("a method"),
        url: url.to_owned(),
        body: body.trim().to_owned(),
        title,
        name,
        headers,
    }
}
