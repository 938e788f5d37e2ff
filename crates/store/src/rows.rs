//! Rows that a batch holds in memory and that can be put back as they were.
//!
//! A command is decided between [`Savepoint::mark`] and either [`Savepoint::undo`] or [`Savepoint::release`]. Between
//! them each change puts the value that it replaced into an undo list. So a savepoint costs as much as was changed
//! since, and not a copy of everything. Marks can be nested.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::ops::RangeBounds;

/// Things in memory that can be put back as they were at a mark.
pub trait Savepoint {
    /// Remembers the present state.
    fn mark(&mut self);
    /// Puts everything back as it was at the last mark, and forgets the mark.
    fn undo(&mut self);
    /// Forgets the last mark and keeps the changes since then.
    fn release(&mut self);
}

/// Rows by key.
#[derive(Debug, Clone)]
pub struct Rows<K, V> {
    rows: BTreeMap<K, V>,
    /// Keys that were changed since the first mark, with the rows that they had before.
    replaced: Vec<(K, Option<V>)>,
    /// Length of `replaced` at each mark.
    marks: Vec<usize>,
}

impl<K, V> Default for Rows<K, V> {
    fn default() -> Self {
        Self {
            rows: BTreeMap::new(),
            replaced: Vec::new(),
            marks: Vec::new(),
        }
    }
}

impl<K: Ord + Clone, V: Clone> Rows<K, V> {
    /// The row with this key.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.rows.get(key)
    }

    /// True if there is a row with this key.
    pub fn contains<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.rows.contains_key(key)
    }

    /// Puts a row under this key, in place of the present row if there is one.
    pub fn put(&mut self, key: K, row: V) {
        if self.marks.is_empty() {
            self.rows.insert(key, row);
        } else {
            let before = self.rows.insert(key.clone(), row);
            self.replaced.push((key, before));
        }
    }

    /// The row with this key, to be changed.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let row = self.rows.get_mut(key)?;
        if !self.marks.is_empty() {
            self.replaced.push((key.clone(), Some(row.clone())));
        }
        Some(row)
    }

    /// All rows, in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.rows.iter()
    }

    /// All rows without their keys, in the order of their keys.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.rows.values()
    }

    /// All keys, in order.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.rows.keys()
    }

    /// The rows whose keys are within bounds, in order.
    pub fn range(&self, bounds: impl RangeBounds<K>) -> impl Iterator<Item = (&K, &V)> {
        self.rows.range(bounds)
    }
}

impl<K: Ord + Clone, V: Clone> Savepoint for Rows<K, V> {
    fn mark(&mut self) {
        self.marks.push(self.replaced.len());
    }

    fn undo(&mut self) {
        let Some(length) = self.marks.pop() else {
            return;
        };
        // The list is undone backwards, so that a key that was changed twice ends with its first value.
        for (key, before) in self.replaced.drain(length..).rev() {
            match before {
                Some(row) => self.rows.insert(key, row),
                None => self.rows.remove(&key),
            };
        }
    }

    fn release(&mut self) {
        self.marks.pop();
        if self.marks.is_empty() {
            self.replaced.clear();
        }
    }
}

/// Items in the order in which they were added.
#[derive(Debug, Clone)]
pub struct Additions<T> {
    items: Vec<T>,
    marks: Vec<usize>,
}

impl<T> Default for Additions<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            marks: Vec::new(),
        }
    }
}

impl<T> Additions<T> {
    /// Adds an item after all others.
    pub fn push(&mut self, item: T) {
        self.items.push(item);
    }

    /// All items, in order.
    #[must_use]
    pub fn as_slice(&self) -> &[T] {
        &self.items
    }

    /// All items, without a copy.
    #[must_use]
    pub fn into_vec(self) -> Vec<T> {
        self.items
    }
}

impl<T> Savepoint for Additions<T> {
    fn mark(&mut self) {
        self.marks.push(self.items.len());
    }

    fn undo(&mut self) {
        if let Some(length) = self.marks.pop() {
            self.items.truncate(length);
        }
    }

    fn release(&mut self) {
        self.marks.pop();
    }
}

/// One value.
#[derive(Debug, Clone, Default)]
pub struct Single<T> {
    /// The value as it is now.
    pub value: T,
    marks: Vec<T>,
}

impl<T> Single<T> {
    /// A value without marks.
    pub const fn of(value: T) -> Self {
        Self {
            value,
            marks: Vec::new(),
        }
    }
}

impl<T: Clone> Savepoint for Single<T> {
    fn mark(&mut self) {
        self.marks.push(self.value.clone());
    }

    fn undo(&mut self) {
        if let Some(value) = self.marks.pop() {
            self.value = value;
        }
    }

    fn release(&mut self) {
        self.marks.pop();
    }
}

/// Implements [`Savepoint`] for a struct by the fields that can change after they were loaded.
#[macro_export]
macro_rules! savepoint {
    ($shelf:ty { $($field:ident),+ $(,)? }) => {
        impl $crate::rows::Savepoint for $shelf {
            fn mark(&mut self) {
                $($crate::rows::Savepoint::mark(&mut self.$field);)+
            }

            fn undo(&mut self) {
                $($crate::rows::Savepoint::undo(&mut self.$field);)+
            }

            fn release(&mut self) {
                $($crate::rows::Savepoint::release(&mut self.$field);)+
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(rows: &Rows<u8, char>) -> Vec<(u8, char)> {
        rows.iter().map(|(key, row)| (*key, *row)).collect()
    }

    #[test]
    fn rows_are_put_back_as_they_were_at_the_mark() {
        let mut rows = Rows::default();
        rows.put(1, 'a');
        rows.mark();
        rows.put(1, 'b');
        rows.put(2, 'x');
        if let Some(row) = rows.get_mut(&1) {
            *row = 'c';
        }
        assert_eq!(all(&rows), [(1, 'c'), (2, 'x')]);
        rows.undo();
        assert_eq!(all(&rows), [(1, 'a')]);
    }

    #[test]
    fn an_inner_mark_that_is_released_is_undone_with_the_outer_one() {
        let mut rows = Rows::default();
        rows.mark();
        rows.put(1, 'a');
        rows.mark();
        rows.put(1, 'b');
        rows.release();
        assert_eq!(all(&rows), [(1, 'b')]);
        rows.mark();
        rows.put(1, 'c');
        rows.undo();
        assert_eq!(all(&rows), [(1, 'b')]);
        rows.undo();
        assert_eq!(all(&rows), []);
    }

    #[test]
    fn what_was_added_and_single_values_are_put_back_too() {
        let (mut added, mut single) = (Additions::default(), Single::of(1));
        added.push('a');
        added.mark();
        single.mark();
        added.push('b');
        single.value = 2;
        added.undo();
        single.undo();
        assert_eq!((added.as_slice(), single.value), (&['a'][..], 1));
    }
}
