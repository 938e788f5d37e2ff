//! The elements of the file, in the order of the schemas.

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use super::Checked;
use super::order::{CreditorAccount, Remittance, TransferOrder, Version};
use crate::{Bic, Reference};

/// The id of a bank whose BIC is not known.
const NOT_PROVIDED: &str = "NOTPROVIDED";

pub(super) fn write(
    order: &TransferOrder,
    debtor: &str,
    transfers: &[Checked<'_>],
    control_sum: &str,
    is_sepa: bool,
) -> Vec<u8> {
    let count = transfers.len().to_string();
    let mut xml = Xml::new();
    let namespace = format!("urn:iso:std:iso:20022:tech:xsd:{}", order.version.message());
    xml.inside_with("Document", ("xmlns", &namespace), |xml| {
        xml.inside("CstmrCdtTrfInitn", |xml| {
            xml.inside("GrpHdr", |xml| {
                xml.leaf("MsgId", &order.message_id);
                let created_at = order.created_at.strftime("%Y-%m-%dT%H:%M:%SZ");
                xml.leaf("CreDtTm", &created_at.to_string());
                xml.leaf("NbOfTxs", &count);
                xml.leaf("CtrlSum", control_sum);
                xml.inside("InitgPty", |xml| xml.leaf("Nm", debtor));
            });
            xml.inside("PmtInf", |xml| {
                xml.leaf("PmtInfId", &order.message_id);
                xml.leaf("PmtMtd", "TRF");
                xml.leaf("NbOfTxs", &count);
                xml.leaf("CtrlSum", control_sum);
                if is_sepa {
                    xml.inside("PmtTpInf", |xml| {
                        xml.inside("SvcLvl", |xml| xml.leaf("Cd", "SEPA"));
                    });
                }
                let date = order.requested_on.to_string();
                match order.version {
                    Version::V03 => xml.leaf("ReqdExctnDt", &date),
                    Version::V09 => xml.inside("ReqdExctnDt", |xml| xml.leaf("Dt", &date)),
                }
                xml.inside("Dbtr", |xml| xml.leaf("Nm", debtor));
                xml.inside("DbtrAcct", |xml| {
                    let iban = order.debtor.iban.electronic();
                    xml.inside("Id", |xml| xml.leaf("IBAN", iban));
                });
                bank(xml, "DbtrAgt", order.debtor.bic.as_ref(), order.version);
                // Charges are shared: SEPA has a word of its own for it.
                xml.leaf("ChrgBr", if is_sepa { "SLEV" } else { "SHAR" });
                for checked in transfers {
                    xml.inside("CdtTrfTxInf", |xml| transfer(xml, checked, order.version));
                }
            });
        });
    });
    xml.file()
}

fn transfer(xml: &mut Xml, checked: &Checked<'_>, version: Version) {
    let transfer = checked.transfer;
    let creditor = &transfer.creditor;
    xml.inside("PmtId", |xml| {
        xml.leaf("EndToEndId", &transfer.end_to_end_id)
    });
    xml.inside("Amt", |xml| {
        let currency = transfer.amount.currency;
        xml.leaf_with("InstdAmt", ("Ccy", currency.code()), &checked.amount);
    });
    bank(xml, "CdtrAgt", creditor.bic.as_ref(), version);
    xml.inside("Cdtr", |xml| xml.leaf("Nm", &checked.name));
    xml.inside("CdtrAcct", |xml| {
        xml.inside("Id", |xml| match &creditor.account {
            CreditorAccount::Iban(iban) => xml.leaf("IBAN", iban.electronic()),
            CreditorAccount::Other(id) => xml.inside("Othr", |xml| xml.leaf("Id", id)),
        });
    });
    match (&transfer.remittance, &checked.text) {
        (Remittance::Reference(reference), _) => {
            xml.inside("RmtInf", |xml| {
                xml.inside("Strd", |xml| {
                    xml.inside("CdtrRefInf", |xml| structured(xml, reference));
                });
            });
        }
        (Remittance::Text(_) | Remittance::None, Some(text)) => {
            xml.inside("RmtInf", |xml| xml.leaf("Ustrd", text));
        }
        (Remittance::Text(_) | Remittance::None, None) => {}
    }
}

/// The reference of a payee, with its kind and who defines it.
fn structured(xml: &mut Xml, reference: &Reference) {
    let (kind, issuer) = match reference {
        Reference::Rf(_) => (("Cd", "SCOR"), Some("ISO")),
        Reference::Qrr(_) => (("Prtry", "QRR"), None),
        Reference::Kid(_) | Reference::Finnish(_) => (("Cd", "SCOR"), None),
        Reference::Belgian(_) => (("Cd", "SCOR"), Some("BBA")),
    };
    xml.inside("Tp", |xml| {
        xml.inside("CdOrPrtry", |xml| xml.leaf(kind.0, kind.1));
        if let Some(issuer) = issuer {
            xml.leaf("Issr", issuer);
        }
    });
    xml.leaf("Ref", reference.as_str());
}

fn bank(xml: &mut Xml, name: &str, bic: Option<&Bic>, version: Version) {
    xml.inside(name, |xml| {
        xml.inside("FinInstnId", |xml| match (bic, version) {
            (Some(bic), Version::V03) => xml.leaf("BIC", bic.as_str()),
            (Some(bic), Version::V09) => xml.leaf("BICFI", bic.as_str()),
            (None, Version::V03 | Version::V09) => {
                xml.inside("Othr", |xml| xml.leaf("Id", NOT_PROVIDED));
            }
        });
    });
}

/// A writer of elements. Texts are escaped.
struct Xml(Writer<Vec<u8>>);

impl Xml {
    fn new() -> Self {
        let mut xml = Self(Writer::new_with_indent(Vec::new(), b' ', 2));
        xml.add(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)));
        xml
    }

    #[expect(
        clippy::expect_used,
        reason = "a vector takes everything that is written to it"
    )]
    fn add(&mut self, event: Event<'_>) {
        self.0
            .write_event(event)
            .expect("a vector takes everything");
    }

    fn inside(&mut self, name: &str, content: impl FnOnce(&mut Self)) {
        self.add(Event::Start(BytesStart::new(name)));
        content(self);
        self.add(Event::End(BytesEnd::new(name)));
    }

    fn inside_with(
        &mut self,
        name: &str,
        attribute: (&str, &str),
        content: impl FnOnce(&mut Self),
    ) {
        let start = BytesStart::new(name).with_attributes([attribute]);
        self.add(Event::Start(start));
        content(self);
        self.add(Event::End(BytesEnd::new(name)));
    }

    fn leaf(&mut self, name: &str, text: &str) {
        self.inside(name, |xml| xml.add(Event::Text(BytesText::new(text))));
    }

    fn leaf_with(&mut self, name: &str, attribute: (&str, &str), text: &str) {
        self.inside_with(name, attribute, |xml| {
            xml.add(Event::Text(BytesText::new(text)))
        });
    }

    fn file(self) -> Vec<u8> {
        let mut file = self.0.into_inner();
        file.push(b'\n');
        file
    }
}
