//! More stories of `florin demo --all`: money that is held back, money that comes late, and money that is settled.

use std::path::PathBuf;

use serde_json::{Value, json};
use store::Store;

use super::all::{Stories, any, id_of, integer, rows};
use super::{DemoError, wrong};
use crate::reconcile::reconcile_files;

/// The names of the columns of the sandbox's reports.
const COLUMNS: &str = "id,type,reference,our_reference,gross,fee,net,currency,day,settlement\n";

impl Stories<'_> {
    /// Available money that is held back, and released.
    pub(super) async fn reserves(&mut self) -> Result<(), DemoError> {
        let held = json!({"amount": 300, "currency": "EUR", "reason": "the shop is new"});
        let held = id_of(&self.ask("/reserves", &held, 201).await?);
        self.tell("reserve", "EUR 3.00 are held back").await?;
        self.ask(&format!("/reserves/{held}/release"), &json!({}), 200)
            .await?;
        self.tell("released", "they are available again").await
    }

    /// A payout to a bank account, which is canceled before the bank gets a file with it.
    pub(super) async fn canceled_payout(&mut self) -> Result<(), DemoError> {
        let account = json!({"holder": "Erika Mustermann", "iban": "AT61 1904 3002 3457 3201"});
        let account = id_of(&self.ask("/bank_accounts", &account, 201).await?);
        let payout = json!({"amount": 600, "currency": "EUR", "destination": account});
        let payout = id_of(&self.ask("/payouts", &payout, 202).await?);
        self.tell("to a bank", "it waits for a file of payouts")
            .await?;
        self.ask(&format!("/payouts/{payout}/cancel"), &json!({}), 200)
            .await?;
        self.tell("canceled", "processing → canceled, before the bank has it")
            .await
    }

    /// Late money: of one charge it is given to the merchant, of another one back to the payer, whose bank returns it.
    pub(super) async fn late_money(&mut self) -> Result<(), DemoError> {
        let (payment, operation) = self.taken_late().await?;
        let allocate = format!("/operations/{operation}/allocate");
        self.ask(&allocate, &json!({}), 200).await?;
        self.settled(&payment).await?;
        self.tell("allocated", "late money is given to the merchant")
            .await?;
        let (payment, operation) = self.taken_late().await?;
        let refund = format!("/operations/{operation}/refund");
        self.ask(&refund, &json!({}), 201).await?;
        self.tell("given back", "late money goes back to the payer")
            .await?;
        let refund = self.at_provider(&payment, "rf_").await?;
        self.bank(&format!("/v1/refunds/{refund}/return"), &json!({}))
            .await?;
        let operations = format!("/payments/{payment}/operations");
        let is_back = |said: &Value| any(said, |one| one["kind"] == "refund_return");
        self.until(&operations, is_back).await?;
        self.tell(
            "returned",
            "the payer's bank sends it back: it is held again",
        )
        .await
    }

    /// A charge that fails, and whose money is taken after all. Returns the payment and the operation.
    async fn taken_late(&mut self) -> Result<(String, String), DemoError> {
        let payment = self.pay("pm_declines", "automatic", 402).await?;
        self.late(&payment).await?;
        let operations = self
            .read(&format!("/payments/{payment}/operations"))
            .await?;
        let late = rows(&operations).find(|one| integer(one, "unallocated") > 0);
        Ok((payment, late.map(id_of).unwrap_or_default()))
    }

    /// The provider settles, its money arrives at the bank, and a fee that belongs to nothing is resolved.
    pub(super) async fn settlements(&mut self, store: &Store) -> Result<(), DemoError> {
        let folder = tempfile::tempdir();
        let folder = folder.map_err(|cause| wrong("settled", "a folder", cause.to_string()))?;
        let write = |name: &str, text: &str| -> Result<PathBuf, DemoError> {
            let path = folder.path().join(name);
            let written = std::fs::write(&path, text);
            written.map_err(|cause| wrong("settled", "a file", cause.to_string()))?;
            Ok(path)
        };
        let reconciled = async |files: [Option<PathBuf>; 2]| {
            let [report, statement] = files;
            let done = reconcile_files(store, report, statement).await;
            done.map_err(|error| wrong("settled", "nothing that is wrong", error.to_string()))
        };
        let settlement = id_of(&self.bank("/v1/settlements", &json!({})).await?);
        let report = format!("/v1/settlements/{settlement}/report");
        let report = self.provider_file(&report).await?;
        reconciled([Some(write("report.csv", &report)?), None]).await?;
        self.tell("settled", "the provider's report has a line for each")
            .await?;
        let statement = self.provider_file("/v1/bank/statement").await?;
        reconciled([None, Some(write("statement.sta", &statement)?)]).await?;
        self.tell("arrived", "the bank's statement has the whole sum")
            .await?;

        // A settlement with nothing but a refund takes money back.
        let paid = self.pay("pm_succeeds", "automatic", 201).await?;
        let settlement = id_of(&self.bank("/v1/settlements", &json!({})).await?);
        let report = format!("/v1/settlements/{settlement}/report");
        let report = self.provider_file(&report).await?;
        reconciled([Some(write("second.csv", &report)?), None]).await?;
        let refunds = format!("/payments/{paid}/refunds");
        self.ask(&refunds, &json!({"amount": 500}), 201).await?;
        let settlement = id_of(&self.bank("/v1/settlements", &json!({})).await?);
        let report = format!("/v1/settlements/{settlement}/report");
        let report = self.provider_file(&report).await?;
        let statement = self.provider_file("/v1/bank/statement").await?;
        let files = [
            Some(write("third.csv", &report)?),
            Some(write("statement.sta", &statement)?),
        ];
        reconciled(files).await?;
        self.tell("taken back", "a settlement of a refund alone is negative")
            .await?;

        let name = &self.name;
        let line = format!("1,fee,{name},,0.00,3.00,-3.00,EUR,2026-11-30,\n");
        let report = write("fee.csv", &format!("{COLUMNS}{line}"))?;
        reconciled([Some(report), None]).await?;
        let open = self
            .read("/reconciliation_exceptions?status=open&limit=100")
            .await?;
        let fee = rows(&open).find(|one| one["kind"] == "fee");
        let fee = fee.ok_or_else(|| wrong("exception", "a fee", open.to_string()))?;
        let path = format!("/reconciliation_exceptions/{}/resolve", id_of(fee));
        let resolution = json!({"resolution": "posted_as_fee", "reason": "monthly fee"});
        self.ask(&path, &resolution, 200).await?;
        self.tell("resolved", "a fee that belongs to no payment is posted")
            .await
    }

    /// A file of the provider, or of the bank.
    async fn provider_file(&self, path: &str) -> Result<String, DemoError> {
        let url = format!("{}{path}", self.script.sandbox);
        Ok(self.script.http.get(url).send().await?.text().await?)
    }
}
