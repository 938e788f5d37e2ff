//! The surface of an API: the parts that differ between APIs.

use crate::{Code, Routes};

/// The part of a capability that the edge needs, as its family lists it.
#[derive(Debug, Clone, Copy)]
pub struct Capability {
    /// Adds the routes of the capability.
    pub routes: fn(&mut Routes),
    /// The codes of its refusals.
    pub codes: &'static [&'static Code],
}

/// The surface of an API.
#[derive(Debug, Clone, Copy)]
pub struct Surface {
    /// The first paragraphs of the description.
    pub about: &'static str,
    /// The capabilities, in groups.
    pub capabilities: &'static [&'static [Capability]],
    /// The schemes of signatures. Routes that take bytes need a signature instead of an API key.
    pub signatures: &'static [Signature],
    /// The fields of answers whose integers are amounts in minor units, in groups. A number under any other name
    /// (a version, a place in a list) stays a number.
    pub amounts: &'static [&'static [&'static str]],
}

impl Surface {
    /// The routes as one table.
    #[must_use]
    pub fn table(&self) -> Routes {
        let mut table = Routes::default();
        for capability in self.capabilities.iter().copied().flatten() {
            (capability.routes)(&mut table);
        }
        table
    }

    /// The codes of refusals: those of every route, and those of each capability.
    #[must_use]
    pub fn codes(&self) -> Vec<&'static Code> {
        let own = self.capabilities.iter().copied().flatten();
        let own = own.flat_map(|capability| capability.codes);
        crate::code::ALL.iter().chain(own).copied().collect()
    }
}

/// A scheme of signatures, for the description.
#[derive(Debug, Clone, Copy)]
pub struct Signature {
    /// The name in the description.
    pub name: &'static str,
    /// The header with the signature.
    pub header: &'static str,
    /// The meaning in words.
    pub says: &'static str,
}
