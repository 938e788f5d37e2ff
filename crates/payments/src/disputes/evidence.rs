//! Evidence: what a merchant says about a dispute.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// A text of the evidence. The names are those of Stripe, which are known best. There is none for the name, the
/// addresses or the network address of a payer: personal data is not kept here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EvidenceField {
    /// What was sold.
    ProductDescription,
    /// Who delivered it.
    ShippingCarrier,
    /// The number under which the carrier can be asked.
    ShippingTrackingNumber,
    /// When it was handed to the carrier.
    ShippingDate,
    /// When the service was given.
    ServiceDate,
    /// Why the payer gets no refund.
    RefundRefusalExplanation,
    /// Why the subscription was not canceled.
    CancellationRebuttal,
    /// Why this is not the same payment as another one.
    DuplicateChargeExplanation,
    /// Everything else.
    UncategorizedText,
}

impl EvidenceField {
    /// Every text, in the order of the description.
    pub const ALL: [Self; 9] = [
        Self::ProductDescription,
        Self::ShippingCarrier,
        Self::ShippingTrackingNumber,
        Self::ShippingDate,
        Self::ServiceDate,
        Self::RefundRefusalExplanation,
        Self::CancellationRebuttal,
        Self::DuplicateChargeExplanation,
        Self::UncategorizedText,
    ];

    /// The name, as it is stored, shown and sent.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ProductDescription => "product_description",
            Self::ShippingCarrier => "shipping_carrier",
            Self::ShippingTrackingNumber => "shipping_tracking_number",
            Self::ShippingDate => "shipping_date",
            Self::ServiceDate => "service_date",
            Self::RefundRefusalExplanation => "refund_refusal_explanation",
            Self::CancellationRebuttal => "cancellation_rebuttal",
            Self::DuplicateChargeExplanation => "duplicate_charge_explanation",
            Self::UncategorizedText => "uncategorized_text",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }
}

/// The texts of evidence. There is at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence(BTreeMap<EvidenceField, String>);

/// A change of evidence: each text that is named is set, or removed if it is `None`.
pub type EvidenceChange = Vec<(EvidenceField, Option<String>)>;

impl Evidence {
    /// The evidence after a change; `None` if no text is left.
    #[must_use]
    pub fn changed(before: Option<&Self>, change: &EvidenceChange) -> Option<Self> {
        let mut texts = before
            .map(|evidence| evidence.0.clone())
            .unwrap_or_default();
        for (field, text) in change {
            match text {
                Some(text) => texts.insert(*field, text.clone()),
                None => texts.remove(field),
            };
        }
        (!texts.is_empty()).then_some(Self(texts))
    }

    /// A text.
    #[must_use]
    pub fn text(&self, field: EvidenceField) -> Option<&str> {
        self.0.get(&field).map(String::as_str)
    }

    /// The texts with their names, in the order of the description.
    pub fn texts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let texts = self.0.iter();
        texts.map(|(field, text)| (field.name(), text.as_str()))
    }

    /// The evidence as a JSON object of texts.
    #[must_use]
    pub fn as_json(&self) -> String {
        let texts = self.texts();
        let object: Map<String, Value> = texts
            .map(|(name, text)| (name.to_owned(), Value::from(text)))
            .collect();
        Value::Object(object).to_string()
    }

    /// Stored evidence; `None` if this program never wrote it.
    #[must_use]
    pub fn stored(json: &str) -> Option<Self> {
        let object: BTreeMap<String, String> = serde_json::from_str(json).ok()?;
        let texts = object.into_iter();
        let texts = texts.map(|(name, text)| Some((EvidenceField::from_name(&name)?, text)));
        let texts: Option<BTreeMap<EvidenceField, String>> = texts.collect();
        texts.filter(|texts| !texts.is_empty()).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_is_changed_text_by_text_and_stored_whole() {
        use EvidenceField as F;
        let first = vec![(F::ShippingCarrier, Some("DHL".to_owned()))];
        let draft = Evidence::changed(None, &first);
        let more = vec![
            (F::UncategorizedText, Some("a \"b\"\nc".to_owned())),
            (F::ServiceDate, None),
        ];
        let draft = Evidence::changed(draft.as_ref(), &more);
        let json = draft.as_ref().map(Evidence::as_json).unwrap_or_default();
        assert_eq!(
            json,
            r#"{"shipping_carrier":"DHL","uncategorized_text":"a \"b\"\nc"}"#
        );
        assert_eq!(Evidence::stored(&json), draft);
        let nothing = vec![(F::UncategorizedText, None), (F::ShippingCarrier, None)];
        assert_eq!(Evidence::changed(draft.as_ref(), &nothing), None);
        for wrong in [
            "{}",
            "[]",
            r#"{"customer_name":"x"}"#,
            r#"{"service_date":1}"#,
        ] {
            assert_eq!(Evidence::stored(wrong), None, "{wrong}");
        }
    }
}
