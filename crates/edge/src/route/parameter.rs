//! The parameters of a route.

use crate::Shape;

/// A parameter of a path or of a query.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Its meaning in words.
    pub says: &'static str,
    /// True if it must be given.
    pub required: bool,
    /// Its kind.
    pub kind: ParameterKind,
}

/// The kind of a parameter.
#[derive(Debug, Clone, Copy)]
pub enum ParameterKind {
    /// One value of this shape.
    One(Shape),
    /// One value for each key: `name.KEY`. The shapes are that of a name and that of a value.
    ByKey {
        /// The names: the parameter's own, a dot, and a key.
        key: Shape,
        /// The values.
        value: Shape,
        /// The most keys.
        max_entries: usize,
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
            ParameterKind::One(_) | ParameterKind::Limit | ParameterKind::Cursor => {
                self.name == name
            }
        }
    }
}
