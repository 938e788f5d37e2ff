//! The surface of an API: everything of it that is not the same for every API.

use crate::{Code, Routes};

/// A capability, as its family lists it: what the edge needs of it.
#[derive(Debug, Clone, Copy)]
pub struct Capability {
    /// Enters its routes.
    pub routes: fn(&mut Routes),
    /// The codes of its refusals.
    pub codes: &'static [&'static Code],
}

/// The surface of an API, as its families make it.
#[derive(Debug, Clone, Copy)]
pub struct Surface {
    /// The first paragraphs of its description.
    pub about: &'static str,
    /// Its capabilities, in groups.
    pub capabilities: &'static [&'static [Capability]],
    /// The schemes of signatures that stand in the place of an API key where a route takes bytes.
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

/// A scheme of signatures, as the description has it.
#[derive(Debug, Clone, Copy)]
pub struct Signature {
    /// Its name in the description.
    pub name: &'static str,
    /// The header that bears the signature.
    pub header: &'static str,
    /// Its meaning in words.
    pub says: &'static str,
}
