//! The parameters of a route.

use crate::Shape;

/// A parameter of a path or of a query.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// The name.
    pub name: &'static str,
    /// The meaning in words.
    pub says: &'static str,
    /// True if the parameter is required.
    pub required: bool,
    /// The kind.
    pub kind: ParameterKind,
}

/// The kind of a parameter.
#[derive(Debug, Clone, Copy)]
pub enum ParameterKind {
    /// One value of this shape.
    One(Shape),
    /// One value for each key: `name.KEY`.
    ByKey {
        /// The shape of the whole name: the name of the parameter, a dot, and the key.
        key: Shape,
        /// The shape of the values.
        value: Shape,
        /// Greatest number of keys.
        max_entries: usize,
    },
    /// Any number of values, each given by itself: `name[]=a&name[]=b`.
    Several {
        /// The shape of each value.
        item: Shape,
        /// Greatest number of values.
        most: usize,
    },
    /// The `limit` of a page.
    Limit,
    /// The `cursor` of a page.
    Cursor,
}

impl Parameter {
    pub(crate) const fn new(name: &'static str, says: &'static str, kind: ParameterKind) -> Self {
        Self {
            name,
            says,
            required: false,
            kind,
        }
    }

    /// A parameter for each key, with the shape of its names and that of its values.
    #[must_use]
    pub const fn by_key(
        name: &'static str,
        says: &'static str,
        [key, value]: [Shape; 2],
        max_entries: usize,
    ) -> Self {
        Self::new(
            name,
            says,
            ParameterKind::ByKey {
                key,
                value,
                max_entries,
            },
        )
    }

    pub(super) fn is(&self, name: &str) -> bool {
        match self.kind {
            ParameterKind::ByKey { .. } => {
                let rest = name.strip_prefix(self.name);
                rest.is_some_and(|rest| rest.starts_with('.'))
            }
            ParameterKind::One(_)
            | ParameterKind::Several { .. }
            | ParameterKind::Limit
            | ParameterKind::Cursor => self.name == name,
        }
    }
}
