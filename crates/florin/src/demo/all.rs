//! `florin demo --all`: every edge of the life of a payment, each with what it posts.
//!
//! The stories are told over HTTP, as a merchant and the merchant's provider would. In the end the histories in the
//! books must have every edge of the state machines.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use money::Currency;
use serde_json::{Value, json};
use store::Store;

use super::{DemoError, Script, wrong};
use crate::output;
use crate::settings::SANDBOX_KEY;

/// The machines whose edges are all shown. A payout needs a second person for the others.
const MACHINES: [&str; 3] = ["payment", "operation", "dispute"];
/// The price of every payment: EUR 20.00.
const PRICE: i64 = 2_000;
/// Time after which a story has stopped.
const PATIENCE: Duration = Duration::from_secs(30);
/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// The stories, told one after the other.
pub(super) struct Stories<'s> {
    pub(super) script: &'s Script,
    /// The beginning of every idempotency key.
    pub(super) name: String,
    requests: u32,
    /// The ids of the transactions that were shown.
    shown: HashSet<String>,
    /// The codes of the accounts, by id.
    codes: HashMap<String, String>,
}

impl<'s> Stories<'s> {
    pub(super) fn new(script: &'s Script) -> Self {
        Self {
            script,
            name: super::unique_name(),
            requests: 0,
            shown: HashSet::new(),
            codes: HashMap::new(),
        }
    }

    pub(super) async fn tell_all(&mut self, store: &Store) -> Result<(), DemoError> {
        let terms = json!({"currency": "EUR", "calendar": "every_day", "available_after_days": 0,
                           "rate": "0.029", "fixed": 30, "dispute_fee": 1500});
        self.ask("/payment_terms", &terms, 201).await?;
        self.tell(
            "terms",
            "2.9 % and EUR 0.30; available at once; EUR 15.00 a dispute",
        )
        .await?;
        self.charges().await?;
        self.authorizations().await?;
        self.payers().await?;
        self.refunds().await?;
        self.payouts().await?;
        self.canceled_payout().await?;
        self.disputes().await?;
        self.reserves().await?;
        self.late_money().await?;
        self.settlements(store).await
    }

    /// Payments that are charged at once, declined, canceled, or unknown for a while.
    async fn charges(&mut self) -> Result<(), DemoError> {
        let paid = self.pay("pm_succeeds", "automatic", 201).await?;
        self.settled(&paid).await?;
        self.tell("charged", "processing → succeeded").await?;

        let declined = self.pay("pm_declines", "automatic", 402).await?;
        self.tell("declined", "processing → requires_payment_method")
            .await?;
        let to_confirm = format!("/payments/{declined}/confirm");
        let same = json!({"payment_method": "pm_declines"});
        self.ask(&to_confirm, &same, 402).await?;
        self.tell(
            "again",
            "requires_payment_method → processing → requires_payment_method",
        )
        .await?;
        let method = json!({"payment_method": "pm_succeeds"});
        self.ask(&to_confirm, &method, 201).await?;
        self.settled(&declined).await?;
        self.tell(
            "other card",
            "requires_payment_method → processing → succeeded",
        )
        .await?;
        self.late(&declined).await?;

        let declined = self.pay("pm_declines", "automatic", 402).await?;
        self.cancel(&declined).await?;
        self.tell("given up", "requires_payment_method → canceled")
            .await?;
        for (ends_canceled, text) in [
            (false, "requires_confirmation → processing → succeeded"),
            (true, "requires_confirmation → canceled"),
        ] {
            let body = json!({"amount": PRICE, "currency": "EUR", "confirm": false,
                              "payment_method": "pm_succeeds"});
            let payment = id_of(&self.ask("/payments", &body, 201).await?);
            if ends_canceled {
                self.cancel(&payment).await?;
            } else {
                let path = format!("/payments/{payment}/confirm");
                self.ask(&path, &json!({}), 201).await?;
                self.settled(&payment).await?;
            }
            self.tell("later", text).await?;
        }

        let unknown = self.pay("pm_server_error", "automatic", 202).await?;
        self.becomes(&unknown, "succeeded").await?;
        self.settled(&unknown).await?;
        self.tell(
            "unknown",
            "the provider answers 500; an inquiry finds the outcome",
        )
        .await
    }

    /// The provider finds out that it has taken the money of a failed charge.
    pub(super) async fn late(&mut self, payment: &str) -> Result<(), DemoError> {
        let charge = self.at_provider(payment, "ch_").await?;
        self.bank(&format!("/v1/charges/{charge}/succeed-late"), &json!({}))
            .await?;
        let path = format!("/payments/{payment}/operations");
        let is_held = |operations: &Value| any(operations, |one| integer(one, "unallocated") > 0);
        self.until(&path, is_held).await?;
        self.tell(
            "late",
            "the declined card was charged after all: the money is held",
        )
        .await
    }

    /// Payments that are authorized first.
    async fn authorizations(&mut self) -> Result<(), DemoError> {
        let hotel = self.pay("pm_succeeds", "manual", 201).await?;
        self.tell("authorized", "processing → requires_capture")
            .await?;
        let path = format!("/payments/{hotel}");
        let part = json!({"amount": 500, "final": false});
        self.ask(&format!("{path}/capture"), &part, 200).await?;
        self.settled(&hotel).await?;
        self.tell("in part", "EUR 5.00 captured; the rest stays authorized")
            .await?;
        let more = json!({"amount": 300});
        self.ask(&format!("{path}/increment"), &more, 200).await?;
        self.tell("increment", "EUR 3.00 more authorized").await?;
        let last = json!({"amount": 1000});
        self.ask(&format!("{path}/capture"), &last, 200).await?;
        self.settled(&hotel).await?;
        self.tell(
            "captured",
            "requires_capture → processing → succeeded; the rest is released",
        )
        .await?;

        let voided = self.pay("pm_capture_declines", "manual", 201).await?;
        self.tell("authorized", "processing → requires_capture")
            .await?;
        let path = format!("/payments/{voided}/capture");
        self.ask(&path, &json!({}), 402).await?;
        self.tell(
            "refused",
            "the capture fails: requires_capture → processing → requires_capture",
        )
        .await?;
        self.cancel(&voided).await?;
        self.tell("voided", "requires_capture → processing → canceled")
            .await
    }

    /// Payments whose payer must do something at the provider.
    async fn payers(&mut self) -> Result<(), DemoError> {
        for (method, word, status) in [
            ("automatic", "complete", "succeeded"),
            ("automatic", "fail", "requires_payment_method"),
            ("manual", "complete", "requires_capture"),
        ] {
            let payment = self.pay("pm_requires_action", method, 201).await?;
            let charge = self.at_provider(&payment, "ch_").await?;
            self.bank(&format!("/pay/{charge}/{word}"), &json!({}))
                .await?;
            self.becomes(&payment, status).await?;
            self.settled(&payment).await?;
            let text = format!("processing → requires_action → {status}");
            self.tell("payer", &text).await?;
        }
        Ok(())
    }

    async fn refunds(&mut self) -> Result<(), DemoError> {
        let paid = self.pay("pm_succeeds", "automatic", 201).await?;
        self.settled(&paid).await?;
        let path = format!("/payments/{paid}/refunds");
        self.ask(&path, &json!({"amount": 500}), 201).await?;
        self.tell("refunded", "EUR 5.00 of EUR 20.00").await?;
        let refund = self.at_provider(&paid, "rf_").await?;
        self.bank(&format!("/v1/refunds/{refund}/return"), &json!({}))
            .await?;
        let operations = format!("/payments/{paid}/operations");
        let is_back = |operations: &Value| any(operations, |one| one["kind"] == "refund_return");
        self.until(&operations, is_back).await?;
        self.tell("returned", "the payer's bank sends it back")
            .await?;

        let paid = self.pay("pm_refund_declines", "automatic", 201).await?;
        self.settled(&paid).await?;
        self.tell("charged", "processing → succeeded").await?;
        let path = format!("/payments/{paid}/refunds");
        self.ask(&path, &json!({}), 402).await?;
        self.tell("refused", "the provider refuses the refund")
            .await
    }

    async fn payouts(&mut self) -> Result<(), DemoError> {
        let payout = |destination: &str| json!({"amount": 700, "currency": "EUR", "destination": destination});
        let paid = id_of(&self.ask("/payouts", &payout("ba_succeeds"), 201).await?);
        self.tell("paid out", "processing → paid").await?;
        let at_bank = self.at_provider(&paid, "po_").await?;
        self.bank(&format!("/v1/payouts/{at_bank}/return"), &json!({}))
            .await?;
        let is_back = |payout: &Value| payout["returned"] == true;
        self.until(&format!("/payouts/{paid}"), is_back).await?;
        self.tell("returned", "the bank sends it back").await?;
        self.ask("/payouts", &payout("ba_declines"), 402).await?;
        self.tell("refused", "processing → failed").await
    }

    async fn disputes(&mut self) -> Result<(), DemoError> {
        for (ending, steps) in [
            ("won", ["withdraw", "win", "reinstate"].as_slice()),
            ("lost", ["withdraw", "lose"].as_slice()),
        ] {
            let paid = self.pay("pm_succeeds", "automatic", 201).await?;
            self.settled(&paid).await?;
            self.tell("charged", "processing → succeeded").await?;
            let charge = self.at_provider(&paid, "ch_").await?;
            let opened = format!("/v1/charges/{charge}/disputes");
            let opened = self.bank(&opened, &json!({"amount": 1200})).await?;
            let at_bank = id_of(&opened);
            let ours = |disputes: &Value| any(disputes, |one| one["provider_reference"] == at_bank);
            let disputes = self.until("/disputes", ours).await?;
            let ours = rows(&disputes).find(|one| one["provider_reference"] == at_bank);
            let path = format!("/disputes/{}", ours.map(id_of).unwrap_or_default());
            self.tell(
                "disputed",
                "EUR 12.00 and the fee are taken from what is available",
            )
            .await?;
            if ending == "lost" {
                self.answer(&path).await?;
            }
            for step in steps {
                let before = integer(&self.read(&path).await?, "version");
                self.bank(&format!("/v1/disputes/{at_bank}/{step}"), &json!({}))
                    .await?;
                self.until(&path, |now| integer(now, "version") > before)
                    .await?;
                self.tell("bank", &format!("the dispute will be {ending}: {step}"))
                    .await?;
            }
        }
        Ok(())
    }

    /// Answers a dispute with evidence.
    async fn answer(&mut self, dispute: &str) -> Result<(), DemoError> {
        let text =
            json!({"shipping_carrier": "a carrier", "uncategorized_text": "It was delivered."});
        self.ask(&format!("{dispute}/evidence"), &text, 200).await?;
        self.ask(&format!("{dispute}/submit"), &json!({}), 200)
            .await?;
        self.tell("evidence", "the provider has it; no money moves")
            .await
    }

    /// Makes a payment. Returns its id.
    pub(super) async fn pay(
        &mut self,
        method: &str,
        capture: &str,
        status: u16,
    ) -> Result<String, DemoError> {
        let body = json!({"amount": PRICE, "currency": "EUR", "payment_method": method,
                          "capture_method": capture});
        Ok(id_of(&self.ask("/payments", &body, status).await?))
    }

    async fn cancel(&mut self, payment: &str) -> Result<Value, DemoError> {
        let path = format!("/payments/{payment}/cancel");
        self.ask(&path, &json!({}), 200).await
    }

    /// Asks for something under a new idempotency key. The answer must have this status.
    pub(super) async fn ask(
        &mut self,
        path: &str,
        body: &Value,
        expected: u16,
    ) -> Result<Value, DemoError> {
        self.requests = self.requests.saturating_add(1);
        let url = format!("{}/v1{path}", self.script.url);
        let key = format!("{}-{}", self.name, self.requests);
        let request = self.script.http.post(url).bearer_auth(SANDBOX_KEY);
        let request = request.header("Idempotency-Key", key).json(body);
        let answer = request.send().await?;
        let status = answer.status().as_u16();
        let said: Value = answer.json().await?;
        if status == expected {
            return Ok(said);
        }
        let got = format!("{status} for {path} {body}: {said}");
        Err(wrong("asked", "another status", got))
    }

    /// Does something that the payer, the bank or the provider does.
    pub(super) async fn bank(&self, path: &str, body: &Value) -> Result<Value, DemoError> {
        let url = format!("{}{path}", self.script.sandbox);
        let answer = self.script.http.post(url).json(body).send().await?;
        let status = answer.status();
        let said = answer.text().await?;
        if status.is_client_error() || status.is_server_error() {
            let got = format!("{status} for {path}: {said}");
            return Err(wrong("provider", "success", got));
        }
        Ok(serde_json::from_str(&said).unwrap_or_default())
    }

    pub(super) async fn read(&self, path: &str) -> Result<Value, DemoError> {
        let url = format!("{}/v1{path}", self.script.url);
        let request = self.script.http.get(url).bearer_auth(SANDBOX_KEY);
        Ok(request.send().await?.json().await?)
    }

    /// Reads until the answer is as wanted.
    pub(super) async fn until(
        &self,
        path: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> Result<Value, DemoError> {
        let reading = async {
            loop {
                let said = self.read(path).await?;
                if wanted(&said) {
                    return Ok(said);
                }
                tokio::time::sleep(PAUSE).await;
            }
        };
        let late = |_| wrong("waited", "another answer within 30 s", path.to_owned());
        tokio::time::timeout(PATIENCE, reading)
            .await
            .map_err(late)?
    }

    async fn becomes(&self, payment: &str, status: &str) -> Result<(), DemoError> {
        let path = format!("/payments/{payment}");
        self.until(&path, |now| now["status"] == status).await?;
        Ok(())
    }

    /// Waits until the captured money of a payment is available.
    pub(super) async fn settled(&self, payment: &str) -> Result<(), DemoError> {
        let path = format!("/payments/{payment}/operations");
        let is_settled = |said: &Value| !any(said, |one| integer(one, "pending") > 0);
        self.until(&path, is_settled).await?;
        Ok(())
    }

    /// The id of the provider's first record of this kind about something of ours.
    pub(super) async fn at_provider(
        &self,
        reference: &str,
        kind: &str,
    ) -> Result<String, DemoError> {
        let url = format!("{}/v1/journal", self.script.sandbox);
        let journal: Value = self.script.http.get(url).send().await?.json().await?;
        let mut ours = rows(&journal).filter(|row| row["reference"] == reference);
        let ours = ours.find(|row| id_of(row).starts_with(kind));
        let missing = || wrong("provider", "a record", format!("none of {reference}"));
        ours.map(id_of).ok_or_else(missing)
    }

    /// Says what has happened, and shows what was posted since the last time.
    pub(super) async fn tell(&mut self, step: &'static str, text: &str) -> Result<(), DemoError> {
        let said = self.read("/transactions?limit=100").await?;
        let mut new: Vec<&Value> = rows(&said).collect();
        new.retain(|one| self.shown.insert(id_of(one)));
        new.reverse();
        self.script.say(step, text, &json!({"transactions": new}));
        if self.script.json {
            return Ok(());
        }
        for transaction in new {
            let mut kind = text_of(transaction, "kind");
            for posting in transaction["postings"].as_array().into_iter().flatten() {
                let debit = self.code(&text_of(posting, "debit")).await?;
                let credit = self.code(&text_of(posting, "credit")).await?;
                let currency = text_of(posting, "currency");
                let currency = Currency::from_code(&currency)
                    .map_err(|error| wrong("postings", "a currency", error.to_string()))?;
                let amount = currency.decimal(integer(posting, "amount").into());
                let line = format!("{kind:<24} {debit:<36} → {credit:<36} {amount:>8}");
                let _unheard = output::line(&format_args!("             {line}"));
                kind.clear();
            }
        }
        Ok(())
    }

    /// The code of an account.
    async fn code(&mut self, account: &str) -> Result<String, DemoError> {
        if let Some(code) = self.codes.get(account) {
            return Ok(code.clone());
        }
        let said = self.read(&format!("/accounts/{account}")).await?;
        let code = text_of(&said, "code");
        self.codes.insert(account.to_owned(), code.clone());
        Ok(code)
    }
}

/// Says for each machine that the histories in the books have all of its edges.
pub(super) async fn every_edge(script: &Script, store: Store) -> Result<(), DemoError> {
    let read = move || {
        store.read(|connection| {
            let of_machine =
                |machine| Ok((machine, payments::check::edges(&mut *connection, machine)?));
            MACHINES
                .into_iter()
                .map(of_machine)
                .collect::<Result<Vec<_>, store::Error>>()
        })
    };
    let found = tokio::task::spawn_blocking(read)
        .await
        .map_err(|panic| wrong("edges", "an answer", panic.to_string()))?
        .map_err(|error| wrong("edges", "an answer", error.to_string()))?;
    for (machine, edges) in found {
        let missing = edges.iter().filter(|edge| !edge.is_taken);
        let missing: Vec<String> = missing
            .map(|edge| format!("{} → {}", edge.from, edge.to))
            .collect();
        if !missing.is_empty() {
            let got = format!("{machine} without {}", missing.join(", "));
            return Err(wrong("edges", "every edge", got));
        }
        let text = format!("{machine}: all {} edges were shown", edges.len());
        script.say(
            "edges",
            &text,
            &json!({"machine": machine, "edges": edges.len()}),
        );
    }
    Ok(())
}

/// The rows of a list.
pub(super) fn rows(list: &Value) -> impl Iterator<Item = &Value> {
    list["data"].as_array().into_iter().flatten()
}

/// True if a row of the list is so.
pub(super) fn any(list: &Value, is_so: impl Fn(&Value) -> bool) -> bool {
    rows(list).any(is_so)
}

fn text_of(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

pub(super) fn integer(value: &Value, name: &str) -> i64 {
    value[name].as_i64().unwrap_or_default()
}

/// The id of a thing, or of the thing that a problem names.
pub(super) fn id_of(value: &Value) -> String {
    let id = value["id"].as_str().or_else(|| value["resource"].as_str());
    id.unwrap_or_default().to_owned()
}
