//! The journal: all calls of the provider and their effects, in an append-only file of JSON lines.
//!
//! One call is one line. It is written in one go before anyone learns of the call. The file is the truth; the map
//! in memory is the result of reading it from the top. Lines reach the operating system before a reply, so they
//! survive when the process is killed. They are not forced to the disk, so a power cut may lose the newest of
//! them.

use std::collections::{BTreeMap, HashMap};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::charge::{Charge, Event, Order, ProviderKey, fresh_id};
use crate::method::Effect;
use crate::refusal::Refusal;

/// Greatest length of a line: far more than this module ever writes, so that a foreign file cannot fill the memory.
const MAX_LINE_BYTES: u64 = 64 * 1024;

/// Why a journal cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file cannot be opened, read or cut.
    #[error("the journal cannot be read or written: {0}")]
    File(#[from] io::Error),
    /// Another process uses the file.
    #[error("the journal is in use by another process")]
    InUse,
    /// A complete line has content that no sandbox wrote.
    #[error("line {line} of the journal cannot be understood")]
    Corrupt {
        /// The number of the line, from 1.
        line: u64,
    },
}

/// Why a call could not be recorded; the call then had no effect.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    #[error("the journal is closed")]
    Closed,
    #[error("the entry cannot be written as JSON: {0}")]
    Entry(#[from] serde_json::Error),
    #[error("the journal cannot be written: {0}")]
    File(#[from] io::Error),
}

/// The result of a recorded call.
pub(crate) struct CallRecord {
    /// Whether the key was new, so that the script of the method must be played.
    pub(crate) first: bool,
    /// The event of the charge, if the key was executed.
    pub(crate) event: Option<Event>,
}

/// One provider key in `GET /v1/journal`.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    #[serde(flatten)]
    subject: Subject,
    /// Number of executions of the key. More than one is a defect of the provider.
    effects: u64,
    /// Number of accepted calls with the key; refused calls are not counted.
    calls: u64,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Subject {
    Charge(Charge),
    NeverExecuted { idempotency_key: ProviderKey },
}

/// The file and its index behind one lock, which is never held across an await.
pub(crate) struct Journal {
    pages: Mutex<Pages>,
}

impl Journal {
    /// Opens or creates the file, locks it against other processes and reads it.
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        let file = OpenOptions::new()
            .mode(0o600)
            .read(true)
            .append(true)
            .create(true)
            .open(path)?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => OpenError::InUse,
            TryLockError::Error(error) => OpenError::File(error),
        })?;
        let mut pages = Pages::default();
        pages.read_back(&file)?;
        // A line without its end was never answered: the process died while it wrote the line.
        if file.metadata()?.len() > pages.length {
            tracing::warn!("the journal's last line was torn and is dropped");
            file.set_len(pages.length)?;
        }
        pages.file = Some(file);
        Ok(Self {
            pages: Mutex::new(pages),
        })
    }

    /// Records one call, and its effect if it is the first call with the key.
    ///
    /// The look-up, the decision and the write happen under one lock: of many equal calls that arrive at once, exactly
    /// one is the first.
    pub(crate) fn call(
        &self,
        key: ProviderKey,
        order: Order,
        now: i64,
    ) -> Result<CallRecord, Refusal> {
        let mut pages = self.lock();
        let (entry, called) = match pages.by_key.get(&key) {
            Some(page) if page.order != order => return Err(Refusal::Mismatch),
            Some(page) => {
                let event = page.event.clone();
                (
                    Entry::Repeated {
                        idempotency_key: key,
                    },
                    CallRecord {
                        first: false,
                        event,
                    },
                )
            }
            None => match order.payment_method.script().effect {
                Effect::Nothing => (
                    Entry::Unexecuted {
                        idempotency_key: key,
                        order,
                    },
                    CallRecord {
                        first: true,
                        event: None,
                    },
                ),
                Effect::Executes(decline_code) => {
                    let charge = Charge::executed(fresh_id("ch_")?, key, &order, decline_code);
                    let event = Event::of(fresh_id("evt_")?, now, charge);
                    (
                        Entry::Executed {
                            order,
                            event: event.clone(),
                        },
                        CallRecord {
                            first: true,
                            event: Some(event),
                        },
                    )
                }
            },
        };
        pages.append(&entry)?;
        pages.turn(entry);
        Ok(called)
    }

    /// The charge that was executed under a key.
    pub(crate) fn charge_of(&self, key: &ProviderKey) -> Option<Charge> {
        let pages = self.lock();
        pages
            .by_key
            .get(key)?
            .event
            .as_ref()
            .map(|event| event.charge().clone())
    }

    /// The event of a charge.
    pub(crate) fn event_of(&self, charge_id: &str) -> Option<Event> {
        let pages = self.lock();
        let key = pages.by_charge.get(charge_id)?;
        pages.by_key.get(key)?.event.clone()
    }

    /// All keys that were ever called, in the order of the keys.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let row = |(key, page): (&ProviderKey, &Page)| Row {
            subject: match &page.event {
                Some(event) => Subject::Charge(event.charge().clone()),
                None => Subject::NeverExecuted {
                    idempotency_key: key.clone(),
                },
            },
            effects: page.effects,
            calls: page.calls,
        };
        self.lock().by_key.iter().map(row).collect()
    }

    /// Closes the file; from here on every call is refused.
    pub(crate) fn close(&self) {
        self.lock().file = None;
    }

    fn lock(&self) -> MutexGuard<'_, Pages> {
        // The map changes only after the line is written, so a panic leaves nothing half done.
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One line of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
enum Entry {
    /// The first call of a key, which was executed.
    Executed { order: Order, event: Event },
    /// The first call of a key whose method never executes.
    Unexecuted {
        idempotency_key: ProviderKey,
        order: Order,
    },
    /// A later call of a known key.
    Repeated { idempotency_key: ProviderKey },
}

/// Everything that is known about one key.
struct Page {
    order: Order,
    event: Option<Event>,
    effects: u64,
    calls: u64,
}

#[derive(Default)]
struct Pages {
    file: Option<File>,
    /// Number of bytes of complete lines.
    length: u64,
    by_key: BTreeMap<ProviderKey, Page>,
    by_charge: HashMap<String, ProviderKey>,
}

impl Pages {
    fn read_back(&mut self, file: &File) -> Result<(), OpenError> {
        let mut reader = BufReader::new(file);
        let mut bytes = Vec::new();
        let mut line = 0;
        loop {
            bytes.clear();
            reader
                .by_ref()
                .take(MAX_LINE_BYTES)
                .read_until(b'\n', &mut bytes)?;
            line += 1;
            let Some(text) = bytes.strip_suffix(b"\n") else {
                if byte_count(&bytes) == MAX_LINE_BYTES {
                    return Err(OpenError::Corrupt { line });
                }
                return Ok(());
            };
            let entry = serde_json::from_slice(text).map_err(|error| {
                tracing::error!(%error, line, "a line of the journal cannot be read");
                OpenError::Corrupt { line }
            })?;
            if !self.turn(entry) {
                return Err(OpenError::Corrupt { line });
            }
            self.length += byte_count(&bytes);
        }
    }

    /// Adds an entry to the map; returns false if it repeats a key that was never called.
    fn turn(&mut self, entry: Entry) -> bool {
        match entry {
            Entry::Executed { order, event } => {
                let key = event.charge().idempotency_key.clone();
                self.by_charge
                    .insert(event.charge().id.clone(), key.clone());
                // The executions are counted: a second execution in the file must show in the rows.
                let page = self
                    .by_key
                    .entry(key)
                    .or_insert_with(|| Page::new(order, Some(event)));
                page.effects += 1;
                page.calls += 1;
                true
            }
            Entry::Unexecuted {
                idempotency_key,
                order,
            } => {
                let page = self
                    .by_key
                    .entry(idempotency_key)
                    .or_insert_with(|| Page::new(order, None));
                page.calls += 1;
                true
            }
            Entry::Repeated { idempotency_key } => {
                let page = self.by_key.get_mut(&idempotency_key);
                page.map(|page| page.calls += 1).is_some()
            }
        }
    }

    fn append(&mut self, entry: &Entry) -> Result<(), WriteError> {
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        let Some(file) = &mut self.file else {
            return Err(WriteError::Closed);
        };
        if let Err(error) = file.write_all(&line).and_then(|()| file.flush()) {
            // Half a line may be in the file. It is removed; if that fails too, nothing more is written,
            // because the next line would be joined to it.
            if file.set_len(self.length).is_err() {
                self.file = None;
            }
            return Err(WriteError::File(error));
        }
        self.length += byte_count(&line);
        Ok(())
    }
}

impl Page {
    fn new(order: Order, event: Option<Event>) -> Self {
        Self {
            order,
            event,
            effects: 0,
            calls: 0,
        }
    }
}

fn byte_count(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::panic,
        reason = "a test may stop at the first surprise"
    )]

    use std::fs;

    use serde_json::{Value, json};

    use super::*;

    const METHOD: &str = "pm_succeeds";

    fn key(text: &str) -> ProviderKey {
        ProviderKey::parse(text).unwrap()
    }

    fn order(amount: i64) -> Order {
        let body = json!({ "amount": amount, "currency": "EUR", "payment_method": METHOD });
        Order::parse(body.to_string().as_bytes()).unwrap()
    }

    fn rows(journal: &Journal) -> Value {
        json!(journal.rows())
    }

    #[test]
    fn a_torn_last_line_is_dropped_and_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let journal = Journal::open(&path).unwrap();
        journal.call(key("first"), order(1), 0).unwrap();
        journal.close();
        let whole = fs::read(&path).unwrap();

        // However much of the second line reached the file, only the first line is left.
        let journal = Journal::open(&path).unwrap();
        journal.call(key("second"), order(2), 0).unwrap();
        journal.close();
        let both = fs::read(&path).unwrap();
        for length in whole.len()..both.len() {
            fs::write(&path, both.get(..length).unwrap()).unwrap();
            let journal = Journal::open(&path).unwrap();
            assert!(journal.charge_of(&key("first")).is_some());
            assert!(journal.charge_of(&key("second")).is_none());
            journal.close();
            assert_eq!(fs::read(&path).unwrap(), whole);
        }

        let journal = Journal::open(&path).unwrap();
        journal.call(key("second"), order(2), 0).unwrap();
        journal.close();
        let journal = Journal::open(&path).unwrap();
        assert_eq!(journal.rows().len(), 2);
    }

    #[test]
    fn a_whole_line_that_makes_no_sense_stops_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let repeat_of_nothing = r#"{"entry":"repeated","idempotency_key":"unheard"}"#;
        for nonsense in ["{}", "", repeat_of_nothing] {
            let journal = Journal::open(&path).unwrap();
            journal.call(key("first"), order(1), 0).unwrap();
            journal.close();
            let mut bytes = fs::read(&path).unwrap();
            bytes.extend_from_slice(format!("{nonsense}\n").as_bytes());
            fs::write(&path, bytes).unwrap();

            match Journal::open(&path) {
                Err(OpenError::Corrupt { line: 2 }) => {}
                Err(other) => panic!("{nonsense:?}: {other}"),
                Ok(_) => panic!("{nonsense:?} was taken for an entry"),
            }
            fs::remove_file(&path).unwrap();
        }
    }

    #[test]
    fn a_file_that_is_one_endless_line_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        fs::write(&path, vec![b'x'; 100_000]).unwrap();
        assert!(matches!(
            Journal::open(&path),
            Err(OpenError::Corrupt { line: 1 })
        ));
        assert_eq!(fs::metadata(&path).unwrap().len(), 100_000);
    }

    #[test]
    fn two_owners_cannot_share_a_journal() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let owner = Journal::open(&path).unwrap();
        assert!(matches!(Journal::open(&path), Err(OpenError::InUse)));
        owner.close();
        assert!(Journal::open(&path).is_ok());
    }

    #[test]
    fn a_second_execution_in_the_file_would_show_as_a_second_effect() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let journal = Journal::open(&path).unwrap();
        journal.call(key("twice"), order(1), 0).unwrap();
        journal.close();
        let line = fs::read_to_string(&path).unwrap();
        fs::write(&path, line.repeat(2)).unwrap();

        let rows = rows(&Journal::open(&path).unwrap());
        assert_eq!(rows.pointer("/0/effects"), Some(&json!(2)));
    }

    #[test]
    fn a_call_that_cannot_be_recorded_has_no_effect() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let journal = Journal::open(&path).unwrap();
        // A handle that can only read refuses every write, as a full disk would.
        journal.lock().file = Some(File::open(&path).unwrap());

        for _ in 0..2 {
            let refused = journal.call(key("lost"), order(1), 0);
            assert!(matches!(refused, Err(Refusal::NotRecorded(_))));
        }
        assert_eq!(rows(&journal), json!([]));
    }
}
