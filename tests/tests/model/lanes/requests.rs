//! Requests that clients send to one of the lanes, with keys; and a crash before the commit.

use engine::Answer as Heard;
use idempotency::{Claim, Fingerprint, Key};

use super::Lanes;
use super::asking::{Ask, Envelope};
use crate::words::{Answer, Form, Instruction, Request};

impl Lanes {
    /// Sends the requests at once; returns the answer to each. In a crash the only answer is that it failed, and the
    /// lanes remember nothing afterwards.
    pub(super) fn receive(
        &mut self,
        lane: usize,
        requests: &[Request],
        crashes: bool,
    ) -> Vec<String> {
        for request in requests {
            self.set_clock(request.form.asked());
        }
        let sent = requests.iter().map(|request| self.envelope_of(request));
        let mut texts: Vec<Result<Envelope, String>> = sent.collect();
        let envelopes = texts.iter().flatten().cloned().collect();
        if crashes {
            self.set_power(false);
            // A replay is still answered, because it writes nothing.
            drop(self.submit(lane, envelopes));
            self.set_power(true);
            self.restart();
            return Vec::new();
        }
        let mut heard = self.submit(lane, envelopes).into_iter();
        let mut answers = Vec::new();
        for (request, text) in requests.iter().zip(texts.drain(..)) {
            answers.push(match text {
                Err(text) => text,
                Ok(_) => {
                    let heard = heard.next().expect("an answer for each");
                    let heard = heard.expect("an answer");
                    self.reply(request, heard.expect("a reply"))
                }
            });
        }
        answers
    }

    fn envelope_of(&self, request: &Request) -> Result<Envelope, String> {
        let is_dry_run = request.dry_run;
        let ask = match &request.form {
            Form::One(asked) => match self.action(asked) {
                Some(action) => Ask::Transact { action, is_dry_run },
                None => self.command(asked).map_err(|rule| {
                    let answers = [Answer::Refused(rule)];
                    said(false, &answers)
                })?,
            },
            Form::Many(asked, atomic) => Ask::Bulk {
                actions: asked.iter().filter_map(|one| self.action(one)).collect(),
                is_atomic: *atomic,
                is_dry_run,
            },
        };
        let mut envelope = self.envelope(ask);
        envelope.claim = request.claim.as_ref().map(|claimed| Claim {
            key: Key::parse(claimed.key.clone()).expect("visible"),
            fingerprint: Fingerprint::of("POST", "/", "1", &claimed.body.to_be_bytes()),
        });
        Ok(envelope)
    }

    /// The answer in the model's words. The result of a dry run is not known afterwards.
    fn reply(&mut self, request: &Request, heard: Heard) -> String {
        match heard {
            Heard::KeyReused { .. } => format!("{:?}", Answer::KeyReused),
            Heard::Replied { reply, is_replay } => {
                let before = self.ids.clone();
                let body = String::from_utf8(reply.body).expect("text");
                let lines = request.form.asked().iter().zip(body.lines());
                let lines: Vec<String> = lines
                    .map(|(asked, line): (&Instruction, &str)| {
                        self.learn(asked, Some(line.to_owned()))
                    })
                    .collect();
                if request.dry_run {
                    self.ids = before;
                }
                headed(is_replay, &lines)
            }
            Heard::InFlight { .. } => panic!("{heard:?}"),
        }
    }

    /// Turns the power on or off. Without power nothing is committed, whatever a lane does.
    fn set_power(&self, is_on: bool) {
        let is_off = i32::from(!is_on);
        self.database
            .execute_raw(&format!("UPDATE power SET is_off = {is_off}"));
    }
}

/// The text of the model's answer to a request.
pub(super) fn said(again: bool, answers: &[Answer]) -> String {
    let lines: Vec<String> = answers.iter().map(|answer| format!("{answer:?}")).collect();
    headed(again, &lines)
}

fn headed(again: bool, lines: &[String]) -> String {
    let head = if again { "again:" } else { "first:" };
    format!("{head}\n{}", lines.join("\n"))
}

/// The SQL with which the power of a database can be cut: the audit log is part of each commit.
pub(super) fn power_switch(kind: tests::Kind) -> &'static str {
    match kind {
        tests::Kind::Sqlite => {
            "CREATE TABLE power (is_off INTEGER);
             INSERT INTO power VALUES (0);
             CREATE TRIGGER power_cut BEFORE INSERT ON audit_batch
             WHEN (SELECT is_off FROM power) = 1
             BEGIN SELECT RAISE(ABORT, 'terminating connection: the power is cut'); END"
        }
        tests::Kind::Postgres => {
            "CREATE TABLE power (is_off INTEGER);
             INSERT INTO power VALUES (0);
             CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                 IF (SELECT is_off FROM power) = 1 THEN
                     RAISE EXCEPTION 'terminating connection: the power is cut';
                 END IF;
                 RETURN NEW;
             END $$;
             CREATE TRIGGER power_cut BEFORE INSERT ON audit_batch
                 FOR EACH ROW EXECUTE FUNCTION cut()"
        }
    }
}
