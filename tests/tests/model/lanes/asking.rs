//! The commands that the lanes get, and the sending of each.

use books::accounts::{ChangeAccount, OpenAccount};
use books::periods::ClosePeriod;
use books::transactions::{Action, Bulk, Expire, Transact};
use engine::{Answer, Command, Engine, LaneError, Origin, Request, Show, ShowRefusal, Tenant};
use idempotency::Claim;
use ledger::NewAccount;

use super::wording;

/// One command.
#[derive(Debug, Clone)]
pub(super) enum Ask {
    Provision,
    Open(NewAccount),
    Change(ChangeAccount),
    ClosePeriod(ClosePeriod),
    Expire(Expire),
    Transact {
        action: Action,
        is_dry_run: bool,
    },
    Bulk {
        actions: Vec<Action>,
        is_atomic: bool,
        is_dry_run: bool,
    },
}

/// One command of one tenant, with or without a key.
#[derive(Debug, Clone)]
pub(super) struct Envelope {
    pub(super) tenant: Tenant,
    pub(super) ask: Ask,
    pub(super) claim: Option<Claim>,
}

impl Envelope {
    /// Sends the command. The answer is `None` for a command that has no reply.
    pub(super) async fn send(self, engine: Engine) -> Result<Option<Answer>, LaneError> {
        match self.ask.clone() {
            Ask::Provision => {
                let command = access::Provision {
                    mode: access::Mode::Sandbox,
                    key: None,
                };
                self.silent(engine, command).await
            }
            Ask::Expire(command) => self.silent::<Expire>(engine, command).await,
            Ask::Open(new) => {
                let (show, show_refusal) = (wording::opened, wording::refused_so);
                self.heard(engine, OpenAccount(new), false, show, show_refusal)
                    .await
            }
            Ask::Change(command) => {
                let (show, show_refusal) = (wording::opened, wording::refused_so);
                self.heard(engine, command, false, show, show_refusal).await
            }
            Ask::ClosePeriod(command) => {
                let (show, show_refusal) = (wording::period_closed, wording::refused_so);
                self.heard(engine, command, false, show, show_refusal).await
            }
            Ask::Transact { action, is_dry_run } => {
                let (show, show_refusal) = (wording::made_so, wording::refused_so);
                self.heard(engine, Transact(action), is_dry_run, show, show_refusal)
                    .await
            }
            Ask::Bulk {
                actions,
                is_atomic,
                is_dry_run,
            } => {
                let command = Bulk { actions, is_atomic };
                let (show, show_refusal) = (wording::all_made, wording::refused_so);
                self.heard(engine, command, is_dry_run, show, show_refusal)
                    .await
            }
        }
    }

    async fn silent<C: Command>(
        self,
        engine: Engine,
        command: C,
    ) -> Result<Option<Answer>, LaneError> {
        let request = Request::of_system(self.tenant, "model", command);
        engine.submit(request).await.map(|_| None)
    }

    async fn heard<C: Command>(
        self,
        engine: Engine,
        command: C,
        is_dry_run: bool,
        show: Show<C>,
        show_refusal: ShowRefusal<C>,
    ) -> Result<Option<Answer>, LaneError> {
        let request = Request {
            tenant: self.tenant,
            command,
            claim: self.claim,
            origin: Origin {
                kind: "system",
                id: "model".into(),
                request: None,
            },
            is_dry_run,
            show,
            show_refusal,
        };
        let outcome = engine.submit(request).await?;
        Ok(Some(outcome.answer))
    }
}
