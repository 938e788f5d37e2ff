//! What a consumer has done, by its own word: how much it has credited to each order.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::process::Stdio;

use reqwest::Client;
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::task::JoinSet;

/// Greatest number of questions at a time.
const AT_ONCE: usize = 16;

/// The credited amounts by order, in minor units, or why they are not known.
pub type Credited<'a> =
    Pin<Box<dyn Future<Output = Result<BTreeMap<String, i64>, String>> + Send + 'a>>;

/// A way to ask a consumer for its effects. An order that is absent from the answer was credited nothing.
pub trait Effects: Send + Sync {
    /// How much was credited to each of these orders.
    fn credited<'a>(&'a self, orders: &'a [String]) -> Credited<'a>;
}

/// A function that tells how much was credited to one order.
impl<F: Fn(&str) -> i64 + Send + Sync> Effects for F {
    fn credited<'a>(&'a self, orders: &'a [String]) -> Credited<'a> {
        let told = orders.iter().map(|order| (order.clone(), self(order)));
        let told = Ok(told.collect());
        Box::pin(async move { told })
    }
}

/// A URL with `{order}` in it, asked for each order. The answer is a whole number, or a JSON object with the number in
/// `credited`. A 404 means nothing.
#[derive(Debug, Clone)]
pub(crate) struct ByUrl {
    pub(crate) client: Client,
    pub(crate) url: String,
}

impl Effects for ByUrl {
    fn credited<'a>(&'a self, orders: &'a [String]) -> Credited<'a> {
        Box::pin(async move {
            let mut found = BTreeMap::new();
            for some in orders.chunks(AT_ONCE) {
                let mut asking = JoinSet::new();
                for order in some {
                    let (asked, order) = (self.clone(), order.clone());
                    asking.spawn(async move {
                        let amount = asked.ask(&order).await?;
                        Ok::<_, String>((order, amount))
                    });
                }
                for answer in asking.join_all().await {
                    found.extend([answer?]);
                }
            }
            Ok(found)
        })
    }
}

impl ByUrl {
    async fn ask(&self, order: &str) -> Result<i64, String> {
        let url = self.url.replace("{order}", order);
        let failed = |error: reqwest::Error| format!("{url}: {}", error.without_url());
        let answer = self.client.get(&url).send().await.map_err(failed)?;
        let status = answer.status().as_u16();
        let text = answer.text().await.map_err(failed)?;
        match status {
            404 => Ok(0),
            200 => amount(&text)
                .ok_or_else(|| format!("{url} answered no whole number: {:?}", beginning(&text))),
            other => Err(format!("{url} answered {other}")),
        }
    }
}

/// A command of the shell. It gets the orders on its standard input, one a line, and prints `ORDER AMOUNT` lines.
#[derive(Debug, Clone)]
pub(crate) struct ByCommand(pub(crate) String);

impl Effects for ByCommand {
    fn credited<'a>(&'a self, orders: &'a [String]) -> Credited<'a> {
        Box::pin(async move {
            let failed = |error: std::io::Error| format!("cannot run the command: {error}");
            let mut child = Command::new("sh")
                .args(["-c", &self.0])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .kill_on_drop(true)
                .spawn()
                .map_err(failed)?;
            let input = orders.join("\n") + "\n";
            let pipe = child.stdin.take();
            // A command may answer without reading all of its input.
            let write = async move {
                if let Some(mut pipe) = pipe {
                    let _unread = pipe.write_all(input.as_bytes()).await;
                }
            };
            let ((), output) = tokio::join!(write, child.wait_with_output());
            let output = output.map_err(failed)?;
            if !output.status.success() {
                return Err(format!("the command ended with {}", output.status));
            }
            let text = String::from_utf8_lossy(&output.stdout);
            let lines = text.lines().filter(|line| !line.trim().is_empty());
            lines
                .map(|line| {
                    let pair = line.trim().rsplit_once(char::is_whitespace);
                    let pair = pair.and_then(|(order, text)| Some((order, amount(text)?)));
                    let (order, amount) = pair.ok_or_else(|| {
                        format!(
                            "the command printed no `ORDER AMOUNT`: {:?}",
                            beginning(line)
                        )
                    })?;
                    Ok((order.trim().to_owned(), amount))
                })
                .collect()
        })
    }
}

fn amount(text: &str) -> Option<i64> {
    match serde_json::from_str(text).ok()? {
        Value::Object(fields) => fields.get("credited")?.as_i64(),
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) => None,
    }
}

fn beginning(text: &str) -> String {
    text.trim().chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::{ByCommand, Effects as _, amount};

    #[test]
    fn an_amount_is_a_whole_number_alone_or_in_an_object() {
        for (text, expected) in [
            ("7", Some(7)),
            (" -7\n", Some(-7)),
            ("\"7\"", Some(7)),
            ("{\"credited\":7}", Some(7)),
            ("{\"other\":7}", None),
            ("7.5", None),
            ("7e2", None),
            ("", None),
            ("[7]", None),
        ] {
            assert_eq!(amount(text), expected, "{text}");
        }
    }

    #[tokio::test]
    async fn a_command_reads_the_orders_and_prints_amounts() {
        let orders = ["a".to_owned(), "b".to_owned()];
        let command = |text: &str| ByCommand(text.to_owned());
        let told = command("while read order; do echo $order 5; done");
        let told = told.credited(&orders).await.unwrap();
        assert_eq!(told.get("b"), Some(&5));
        assert_eq!(command("true").credited(&orders).await.unwrap().len(), 0);
        assert!(command("exit 3").credited(&orders).await.is_err());
        assert!(command("echo a").credited(&orders).await.is_err());
    }
}
