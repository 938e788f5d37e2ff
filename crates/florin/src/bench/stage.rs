//! The stage of a run: a new tenant, with accounts and money.

use std::sync::Arc;

use access::{Mode, Provision};
use books::accounts::OpenAccount;
use books::transfers::Transfer;
use engine::{Answer, Command, Engine, LaneError, Outcome, Request, Tenant};
use ledger::{AccountClass, AccountCode, AccountId, AccountName, Limits, NewAccount};
use money::{Amount, Currency, Money};

use super::BenchError;
use super::tally::{Tally, closed_loop};

/// Opening balance of each account, in minor units: more than any run moves, so that no transfer is refused.
const FUNDS: i64 = 1_000_000_000;
/// Commands in flight while the stage is set.
const IN_FLIGHT: u32 = 256;
const FUNDING_CODE: &str = "bench:funding";
const WALLET_CODES: &str = "bench:wallet:";

/// A tenant that exists only to be measured.
#[derive(Clone)]
pub(crate) struct Stage {
    pub(crate) engine: Engine,
    pub(crate) tenant: Tenant,
    /// Name of the caller in the audit log.
    pub(crate) label: Arc<str>,
    /// The wallets, in the order of their ids.
    pub(crate) accounts: Arc<[AccountId]>,
    /// The amount of each transfer: one cent.
    pub(crate) money: Money,
}

impl Stage {
    /// Makes a new tenant, allows `api_key` to act for it, and opens its accounts.
    pub(crate) async fn set(
        engine: &Engine,
        api_key: &str,
        accounts: u32,
    ) -> Result<Self, BenchError> {
        let id = store::Ids::random().tenant();
        let currency = Currency::from_code("EUR");
        let currency = currency.map_err(|error| BenchError::stage("name a currency", error))?;
        let amount = Amount::new(1).map_err(|error| BenchError::stage("name an amount", error))?;
        let mut stage = Self {
            engine: engine.clone(),
            tenant: Tenant {
                id,
                name: format!("bench-{id}").into(),
            },
            label: access::label(api_key).into(),
            accounts: Arc::default(),
            money: Money { amount, currency },
        };
        let key = Some((access::hash(api_key), access::label(api_key)));
        let provisioned = engine
            .submit(stage.request(Provision {
                mode: Mode::Sandbox,
                key,
            }))
            .await;
        let provisioned = provisioned.map_err(|error| BenchError::stage("make a tenant", error))?;
        if provisioned.done().is_none() {
            let live = "these are live books: name others with --database-url";
            return Err(BenchError::stage("make a tenant", live));
        }
        stage.open_accounts(accounts).await?;
        stage.accounts = stage.wallets().await?.into();
        if stage.accounts.len() == usize::try_from(accounts).unwrap_or(usize::MAX) {
            Ok(stage)
        } else {
            Err(BenchError::stage(
                "open the accounts",
                format!("{} are there", stage.accounts.len()),
            ))
        }
    }

    /// Gives every account so much money that no transfer will be refused.
    pub(crate) async fn fund(&self) -> Result<(), BenchError> {
        let funding = self
            .engine
            .read({
                let tenant = self.tenant.id;
                move |connection| ledger::find_by_code(connection, tenant, FUNDING_CODE)
            })
            .await?
            .ok_or_else(|| BenchError::stage("fund the accounts", "the funding account is gone"))?;
        let amount =
            Amount::new(FUNDS).map_err(|error| BenchError::stage("name an amount", error))?;
        let money = Money {
            amount,
            ..self.money
        };
        self.all(
            "fund the accounts",
            self.accounts.len(),
            move |stage, number| {
                stage.accounts.get(number).map(|to| {
                    let transfer = Transfer {
                        from: funding.id,
                        to: *to,
                        money,
                        description: None,
                    };
                    let request = stage.request(transfer);
                    Request {
                        show: books::transfers::show::made,
                        show_refusal: books::show_refusal,
                        ..request
                    }
                })
            },
        )
        .await
    }

    /// A command of this tenant, outside of any request.
    fn request<C: Command>(&self, command: C) -> Request<C> {
        Request::of_system(self.tenant.clone(), "bench", command)
    }

    async fn open_accounts(&self, accounts: u32) -> Result<(), BenchError> {
        let currency = self.money.currency;
        let account = move |code: String, limits| {
            OpenAccount(NewAccount {
                name: AccountName::trusted(code.as_str()),
                code: AccountCode::trusted(code),
                currency,
                class: AccountClass::Liability,
                limits,
                metadata: None,
            })
        };
        let count = usize::try_from(accounts)
            .unwrap_or(usize::MAX)
            .saturating_add(1);
        self.all("open the accounts", count, move |stage, number| {
            let request = stage.request(match number.checked_sub(1) {
                None => account(FUNDING_CODE.to_owned(), Limits::NONE),
                Some(wallet) => account(format!("{WALLET_CODES}{wallet}"), Limits::NO_OVERDRAFT),
            });
            Some(Request {
                show: books::accounts::show::opened,
                show_refusal: books::show_refusal,
                ..request
            })
        })
        .await
    }

    async fn wallets(&self) -> Result<Vec<AccountId>, BenchError> {
        let tenant = self.tenant.id;
        let mut wallets = Vec::new();
        let mut before = None;
        loop {
            let page = self
                .engine
                .read(move |connection| ledger::accounts(connection, tenant, before, 1_000))
                .await?;
            let Some(last) = page.last() else { break };
            before = Some(last.id);
            let page = page
                .iter()
                .filter(|account| account.code.starts_with(WALLET_CODES));
            wallets.extend(page.map(|account| account.id));
        }
        wallets.sort_unstable();
        Ok(wallets)
    }

    /// Submits `count` commands. Each must be answered with 201.
    async fn all<C: Command>(
        &self,
        what: &'static str,
        count: usize,
        request: impl Fn(&Self, usize) -> Option<Request<C>> + Clone + Send + Sync + 'static,
    ) -> Result<(), BenchError> {
        let total = u64::try_from(count).unwrap_or(u64::MAX);
        let block = closed_loop(IN_FLIGHT, total, |_, tickets| {
            let (stage, request) = (self.clone(), request.clone());
            async move {
                let mut tally = Tally::default();
                while let Some(number) = tickets.next() {
                    let number = usize::try_from(number).unwrap_or(usize::MAX);
                    if let Some(request) = request(&stage, number) {
                        match created(stage.engine.submit(request).await) {
                            Ok(_) => tally.done(),
                            Err(said) => tally.error(|| said),
                        }
                    }
                }
                tally
            }
        })
        .await;
        match block.first_error {
            None => Ok(()),
            Some(said) => Err(BenchError::stage(what, said)),
        }
    }
}

/// The outcome, if the lane has made something new; otherwise its answer as an error.
pub(crate) fn created<C: Command>(
    outcome: Result<Outcome<C>, LaneError>,
) -> Result<C::Done, String> {
    match outcome {
        Ok(Outcome {
            answer: Answer::Replied { reply, .. },
            decided: Some(Ok(done)),
        }) if reply.status == 201 => Ok(done),
        Ok(Outcome {
            answer: Answer::Replied { reply, .. },
            ..
        }) => Err(format!(
            "{} {}",
            reply.status,
            String::from_utf8_lossy(&reply.body)
        )),
        Ok(Outcome { answer, .. }) => Err(format!("{answer:?}")),
        Err(error) => Err(error.to_string()),
    }
}
