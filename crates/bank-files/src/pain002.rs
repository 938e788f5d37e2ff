//! pain.002 of ISO 20022: what a bank says of an order of credit transfers, for the whole, for groups and for single
//! transfers.
//!
//! Versions .001.03 to .001.12 are read. A transfer without a status of its own has that of its group, and a group
//! that of the message.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use crate::xml::{self, Element};
use crate::{Place, Problem, ReadError};

/// What the reader reads, for errors.
const READ: &str = "pain.002, version .001.03 to .001.12";

/// A bank's report on one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The bank's id of the report.
    pub id: String,
    /// The id of the message that is reported on.
    pub original_message_id: String,
    /// The kind of the message that is reported on, such as `pain.001.001.09`.
    pub original_message: String,
    /// The status of the whole message, if the bank gives one.
    pub status: Option<Status>,
    /// Why.
    pub reasons: Vec<Reason>,
    /// What is said of groups of payments and of their transfers.
    pub groups: Vec<Group>,
}

/// What a report says of a group of payments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The id of the group: with [`pain001`](crate::pain001), that of the message.
    pub original_id: String,
    /// The status of the group, if the bank gives one.
    pub status: Option<Status>,
    /// Why.
    pub reasons: Vec<Reason>,
    /// The transfers that the report names. A bank may name only those that were refused.
    pub transfers: Vec<TransferStatus>,
    /// Where the group begins in the file.
    pub place: Place,
}

/// What a report says of a transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferStatus {
    /// The end-to-end id of the transfer.
    pub original_end_to_end_id: Option<String>,
    /// The status: that of the transfer, else that of the group, else that of the message.
    pub status: Option<Status>,
    /// Why.
    pub reasons: Vec<Reason>,
    /// Where the transfer begins in the file.
    pub place: Place,
}

/// Why a status was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The code: one of ISO 20022, such as `AC01`, or a bank's own.
    pub code: Option<String>,
    /// What the bank adds.
    pub text: Option<String>,
}

/// A status of ISO 20022.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// `ACCC`: the payee's account was credited.
    Credited,
    /// `ACCP`: the bank has checked it and accepted it.
    Accepted,
    /// `ACSC`: the debtor's account was debited.
    Debited,
    /// `ACSP`: it is under way.
    InProcess,
    /// `ACTC`: its form is right.
    FormAccepted,
    /// `ACWC`: it was accepted with a change.
    AcceptedWithChange,
    /// `ACWP`: it was accepted, and the payee's account not yet credited.
    AcceptedWithoutPosting,
    /// `CANC`: it was canceled.
    Canceled,
    /// `PART`: some were accepted and others not.
    Partly,
    /// `PATC`: some of those who must sign have signed.
    PartlySigned,
    /// `PDNG`: it waits for something.
    Pending,
    /// `RCVD`: it was received.
    Received,
    /// `RJCT`: it was refused.
    Rejected,
    /// Another code.
    Other(String),
}

/// All statuses with a meaning of their own.
const STATUSES: [Status; 13] = [
    Status::Credited,
    Status::Accepted,
    Status::Debited,
    Status::InProcess,
    Status::FormAccepted,
    Status::AcceptedWithChange,
    Status::AcceptedWithoutPosting,
    Status::Canceled,
    Status::Partly,
    Status::PartlySigned,
    Status::Pending,
    Status::Received,
    Status::Rejected,
];

impl Status {
    /// The code of ISO 20022.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Credited => "ACCC",
            Self::Accepted => "ACCP",
            Self::Debited => "ACSC",
            Self::InProcess => "ACSP",
            Self::FormAccepted => "ACTC",
            Self::AcceptedWithChange => "ACWC",
            Self::AcceptedWithoutPosting => "ACWP",
            Self::Canceled => "CANC",
            Self::Partly => "PART",
            Self::PartlySigned => "PATC",
            Self::Pending => "PDNG",
            Self::Received => "RCVD",
            Self::Rejected => "RJCT",
            Self::Other(code) => code,
        }
    }

    /// Whether nothing more will happen to the transfer: it was done, refused or canceled.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Credited | Self::Debited | Self::Rejected | Self::Canceled
        )
    }
}

impl FromStr for Status {
    type Err = Infallible;

    fn from_str(code: &str) -> Result<Self, Infallible> {
        let known = STATUSES.into_iter().find(|known| known.code() == code);
        Ok(known.unwrap_or_else(|| Self::Other(code.to_owned())))
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// The report in a file.
///
/// # Errors
/// [`ReadError`], with the first problem of the file. Nothing of such a file may be used.
pub fn read(file: &[u8]) -> Result<Report, ReadError> {
    let document = xml::read(file)?;
    let other = || {
        let found = crate::error::shown(&document.namespace);
        Problem::OtherKind { found, right: READ }.at(document.root.place)
    };
    let message = xml::message(&document.namespace).ok_or_else(other)?;
    let version = message.strip_prefix("pain.002.001.").ok_or_else(other)?;
    if !("03"..="12").contains(&version) || version.len() != 2 {
        return Err(other());
    }
    let body = document.root.needs(&["CstmrPmtStsRpt"], "the document")?;
    let original = body.needs(&["OrgnlGrpInfAndSts"], "the report")?;
    const INSIDE: &str = "the original group";
    let status = status(original, "GrpSts");
    let groups = body.all("OrgnlPmtInfAndSts");
    let groups: Result<Vec<Group>, ReadError> =
        groups.map(|one| group(one, status.as_ref())).collect();
    Ok(Report {
        id: body
            .needs_text(&["GrpHdr", "MsgId"], "the report")?
            .to_owned(),
        original_message_id: original.needs_text(&["OrgnlMsgId"], INSIDE)?.to_owned(),
        original_message: original.needs_text(&["OrgnlMsgNmId"], INSIDE)?.to_owned(),
        reasons: reasons(original),
        groups: groups?,
        status,
    })
}

fn group(element: &Element, of_message: Option<&Status>) -> Result<Group, ReadError> {
    let id = element.needs_text(&["OrgnlPmtInfId"], "a group of payments")?;
    let own = status(element, "PmtInfSts");
    let of_group = own.as_ref().or(of_message);
    let transfers = element.all("TxInfAndSts").map(|transfer| TransferStatus {
        original_end_to_end_id: transfer.own_text_at(&["OrgnlEndToEndId"]),
        status: status(transfer, "TxSts").or_else(|| of_group.cloned()),
        reasons: reasons(transfer),
        place: transfer.place,
    });
    Ok(Group {
        original_id: id.to_owned(),
        reasons: reasons(element),
        transfers: transfers.collect(),
        place: element.place,
        status: own,
    })
}

fn status(element: &Element, name: &str) -> Option<Status> {
    let code = element.text_at(&[name])?;
    let known = code.parse();
    known.ok()
}

fn reasons(element: &Element) -> Vec<Reason> {
    let all = element.all("StsRsnInf").map(|reason| {
        let texts: Vec<&str> = reason.all("AddtlInf").filter_map(Element::text).collect();
        Reason {
            code: reason
                .own_text_at(&["Rsn", "Cd"])
                .or_else(|| reason.own_text_at(&["Rsn", "Prtry"])),
            text: Some(texts.join(" ")).filter(|text| !text.is_empty()),
        }
    });
    all.collect()
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "a test may stop at the first surprise"
    )]

    use super::*;

    const OLD: &str = include_str!("../tests/files/pain.002.001.03.xml");
    const NEW: &str = include_str!("../tests/files/pain.002.001.12.xml");

    #[test]
    fn a_report_has_the_status_of_the_message_of_groups_and_of_transfers() {
        for file in [OLD, NEW] {
            let report = read(file.as_bytes()).unwrap();
            assert_eq!(report.original_message_id, "RUN-1");
            assert_eq!(report.status, Some(Status::Partly));
            let group = &report.groups[0];
            assert_eq!(
                (group.original_id.as_str(), &group.status),
                ("RUN-1", &None)
            );
            let said: Vec<_> = group
                .transfers
                .iter()
                .map(|one| {
                    let id = one.original_end_to_end_id.as_deref().unwrap();
                    let codes: Vec<_> = one
                        .reasons
                        .iter()
                        .filter_map(|one| one.code.as_deref())
                        .collect();
                    (id, one.status.as_ref().unwrap().code(), codes)
                })
                .collect();
            let expected = [
                ("PAY-1", "RJCT", vec!["AC01"]),
                ("PAY-2", "ACSP", vec![]),
                ("PAY-3", "PDNG", vec!["OWN"]),
                // Without a status of its own, it has that of the message.
                ("PAY-4", "PART", vec![]),
            ];
            assert_eq!(said, expected);
            assert_eq!(
                group.transfers[0].reasons[0].text.as_deref(),
                Some("Account is wrong, look at it")
            );
        }
        let accepted = NEW.replacen(
            "<TxInfAndSts>",
            "<PmtInfSts>ACCP</PmtInfSts><TxInfAndSts>",
            1,
        );
        let report = read(accepted.as_bytes()).unwrap();
        assert_eq!(report.groups[0].transfers[3].status, Some(Status::Accepted));
    }

    #[test]
    fn every_code_has_its_status_and_back() {
        for status in STATUSES {
            assert_eq!(status.code().parse(), Ok(status));
        }
        let codes: Vec<String> = STATUSES.iter().map(ToString::to_string).collect();
        assert_eq!(
            codes.join(" "),
            "ACCC ACCP ACSC ACSP ACTC ACWC ACWP CANC PART PATC PDNG RCVD RJCT"
        );
        let other: Status = "BLCK".parse().unwrap();
        assert_eq!((other.code(), other.is_final()), ("BLCK", false));
        let done = STATUSES.iter().filter(|status| status.is_final());
        let done: Vec<&str> = done.map(Status::code).collect();
        assert_eq!(done, ["ACCC", "ACSC", "CANC", "RJCT"]);
    }

    #[test]
    fn other_and_incomplete_documents_are_refused() {
        for (from, to, says) in [
            ("pain.002.001.03", "pain.002.001.02", READ),
            ("pain.002.001.03", "pain.001.001.03", READ),
            ("<MsgId>R-1</MsgId>", "", "the report needs GrpHdr/MsgId"),
            (
                "<OrgnlMsgId>RUN-1</OrgnlMsgId>",
                "",
                "the original group needs OrgnlMsgId",
            ),
            (
                "<OrgnlPmtInfId>RUN-1</OrgnlPmtInfId>",
                "",
                "a group of payments needs OrgnlPmtInfId",
            ),
        ] {
            let text = OLD.replacen(from, to, 1);
            assert_ne!(text, OLD, "{from}");
            let said = read(text.as_bytes()).unwrap_err().to_string();
            assert!(said.contains(says), "{said}");
        }
    }
}
