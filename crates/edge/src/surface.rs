//! The surface of an API: everything of it that is not the same for every API.

use crate::Routes;

/// The surface of an API, as its families make it.
#[derive(Debug, Clone, Copy)]
pub struct Surface {
    /// The first paragraphs of its description.
    pub about: &'static str,
    /// Its routes, in groups.
    pub routes: &'static [fn(&mut Routes)],
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
        for group in self.routes {
            group(&mut table);
        }
        table
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
