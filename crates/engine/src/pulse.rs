//! The pulse: it finds out whether the database answers at all. It is asked when somebody has waited for long.
//!
//! A call to the database blocks its thread. If the database's server is stopped, or if the network loses packets,
//! the thread blocks for as long as that lasts, and nothing can end the call. So the question is asked on a thread
//! that can be left behind, over a connection that is as old as the other connections. While the database is
//! silent, every request is refused at once, and the database is asked again, over a new connection, until it
//! answers.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use store::{AnyConnection, Error, Store, Trouble};
use tokio::sync::{oneshot, watch};

/// Waiting time after which the pulse is asked.
pub(crate) const DOUBT: Duration = Duration::from_secs(2);
/// Time after which a database that has not answered the simplest question counts as silent.
const PATIENCE: Duration = Duration::from_secs(5);
/// Time between two questions to a silent database.
const ASK_AGAIN: Duration = Duration::from_millis(500);
/// Greatest number of threads that may be stuck in a question. If there are more, nothing is asked until one of
/// them is free.
const MAX_STUCK: usize = 4;

/// The channel to the one that waits for the answer.
type Ask = oneshot::Sender<Result<(), Trouble>>;

/// The handle for asking. The thread ends when the last owner drops it.
#[derive(Debug)]
pub(crate) struct Pulse {
    asks: Sender<Ask>,
    silent: watch::Receiver<bool>,
}

impl Pulse {
    /// Starts the thread that asks.
    pub(crate) fn start(store: Store) -> std::io::Result<Self> {
        let (asks, asked) = mpsc::channel();
        let (tell, silent) = watch::channel(false);
        let asker = Asker {
            prober: None,
            probers: Arc::new(()),
            patience: PATIENCE.min(store.longest_answer().unwrap_or(PATIENCE)),
            store,
        };
        std::thread::Builder::new()
            .name("pulse".into())
            .spawn(move || asker.listen(&asked, &tell))?;
        Ok(Self { asks, silent })
    }

    /// Has the database asked, without waiting for the answer.
    pub(crate) fn doubt(&self) {
        let (ask, _nobody_waits) = oneshot::channel();
        // The thread ends when this value is dropped, and not before.
        let _asked = self.asks.send(ask);
    }

    /// Asks the database now and waits for its answer, but not longer than `patience`.
    pub(crate) async fn answers_within(&self, patience: Duration) -> Result<(), Trouble> {
        let (ask, answer) = oneshot::channel();
        let _asked = self.asks.send(ask);
        match tokio::time::timeout(patience, answer).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) | Err(_) => Err(Trouble::Silent),
        }
    }

    /// True if the database is known to be silent.
    pub(crate) fn is_silent(&self) -> bool {
        *self.silent.borrow()
    }

    /// Waits until the database is known to be silent.
    pub(crate) async fn silence(&self) {
        let mut silent = self.silent.clone();
        if silent.wait_for(|silent| *silent).await.is_err() {
            // The asking thread has ended, so silence is never reported.
            std::future::pending::<()>().await;
        }
    }
}

/// The thread that takes the requests and lets a prober ask the database.
struct Asker {
    store: Store,
    prober: Option<Prober>,
    /// Counts the probers by its owners: each prober owns one clone, and this field is another.
    probers: Arc<()>,
    patience: Duration,
}

impl Asker {
    fn listen(mut self, asked: &Receiver<Ask>, tell: &watch::Sender<bool>) {
        loop {
            let first = if *tell.borrow() {
                asked.recv_timeout(ASK_AGAIN)
            } else {
                asked.recv().map_err(|_gone| RecvTimeoutError::Disconnected)
            };
            let mut waiting = Vec::new();
            match first {
                Ok(ask) => waiting.push(ask),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            // One question answers all who wait.
            waiting.extend(asked.try_iter());
            let outcome = self.ask();
            let was_silent = *tell.borrow();
            if outcome == Err(Trouble::Silent) {
                if !was_silent {
                    metrics::counter!("florin_database_silences_total").increment(1);
                    tracing::error!(patience = ?self.patience, "the database does not answer");
                }
                tell.send_replace(true);
            } else if outcome.is_ok() && was_silent {
                // Connections that were stuck during the silence may be stuck for ever.
                self.store.renew_readers();
                tracing::warn!("the database answers again");
                tell.send_replace(false);
            }
            for ask in waiting {
                // The caller may have given up.
                let _gone = ask.send(outcome);
            }
        }
    }

    fn ask(&mut self) -> Result<(), Trouble> {
        let prober = match self.prober.take() {
            Some(prober) => prober,
            None => self.another_prober()?,
        };
        // A prober listens until it is dropped.
        let _sent = prober.questions.send(());
        match prober.answers.recv_timeout(self.patience) {
            Ok(outcome) => {
                self.prober = Some(prober);
                outcome.map_err(|error| error.trouble())
            }
            // The prober is left behind, and ends when its question ends.
            Err(_silent) => Err(Trouble::Silent),
        }
    }

    fn another_prober(&self) -> Result<Prober, Trouble> {
        if Arc::strong_count(&self.probers) > MAX_STUCK {
            return Err(Trouble::Silent);
        }
        let prober = Prober::start(self.store.clone(), Arc::clone(&self.probers));
        prober.map_err(|error| {
            tracing::error!(%error, "no thread to ask the database");
            Trouble::Silent
        })
    }
}

/// A thread that asks the database over a connection of its own.
struct Prober {
    questions: Sender<()>,
    answers: Receiver<Result<(), Error>>,
}

impl Prober {
    fn start(store: Store, counted: Arc<()>) -> std::io::Result<Self> {
        let (questions, asked) = mpsc::channel::<()>();
        let (answer, answers) = mpsc::channel();
        let work = move || {
            let mut connection = None;
            for () in asked {
                if answer.send(question(&store, &mut connection)).is_err() {
                    break;
                }
            }
            drop(counted);
        };
        std::thread::Builder::new()
            .name("pulse-hand".into())
            .spawn(work)?;
        Ok(Self { questions, answers })
    }
}

/// Asks over the kept connection, or over a new one if that is broken.
fn question(store: &Store, kept: &mut Option<AnyConnection>) -> Result<(), Error> {
    if let Some(mut connection) = kept.take()
        && store::probe(&mut connection).is_ok()
    {
        *kept = Some(connection);
        return Ok(());
    }
    let mut connection = store.prober()?;
    store::probe(&mut connection)?;
    *kept = Some(connection);
    Ok(())
}
