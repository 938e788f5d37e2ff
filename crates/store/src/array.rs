//! A column of many rows in the binary form of PostgreSQL arrays. It is made while the connection is busy with
//! something else. When the statement is sent, the array is only copied.
//!
//! The form is that of `array_recv` (PostgreSQL 15, `src/backend/utils/adt/arrayfuncs.c`): the number of
//! dimensions, whether there are nulls, the type of the elements; then for the one dimension its length and
//! first index; then for each element its length (-1: null) and its own binary form.

use std::io::Write as _;

use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::AstPass;
use diesel::serialize::{IsNull, Output, Result, ToSql};
use diesel::sql_types as sql;

/// The types of the columns of bulk statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// `SMALLINT`.
    SmallInt,
    /// `INTEGER`.
    Integer,
    /// `BIGINT`.
    BigInt,
    /// `TEXT`.
    Text,
    /// `BYTEA`.
    Binary,
}

impl Element {
    /// The type's number in the catalogue of the server (`pg_type.dat`).
    const fn oid(self) -> u32 {
        match self {
            Self::Binary => 17,
            Self::BigInt => 20,
            Self::SmallInt => 21,
            Self::Integer => 23,
            Self::Text => 25,
        }
    }
}

/// A Rust type that can be a column of a bulk statement.
pub trait Column {
    /// The column's SQL type.
    type Sql: 'static;
    /// The type of the elements in an array.
    const ELEMENT: Element;
    /// Appends the binary form that PostgreSQL reads; appends nothing if the value is null.
    fn put(&self, out: &mut Vec<u8>);
    /// Whether the value is null.
    fn is_null(&self) -> bool {
        false
    }
}

macro_rules! columns {
    ($($rust:ty => $sql:ident, |$value:ident| $bytes:expr;)*) => { $(
        impl Column for $rust {
            type Sql = sql::$sql;
            const ELEMENT: Element = Element::$sql;
            fn put(&self, out: &mut Vec<u8>) {
                let $value = self;
                out.extend_from_slice($bytes);
            }
        }
    )* };
}
columns! {
    i16 => SmallInt, |value| &value.to_be_bytes();
    i32 => Integer, |value| &value.to_be_bytes();
    i64 => BigInt, |value| &value.to_be_bytes();
    String => Text, |value| value.as_bytes();
    Vec<u8> => Binary, |value| value;
    crate::TenantId => BigInt, |value| &value.0.to_be_bytes();
}
impl<T: Column<Sql: diesel::sql_types::SqlType<IsNull = sql::is_nullable::NotNull>>> Column
    for Option<T>
{
    type Sql = sql::Nullable<T::Sql>;
    const ELEMENT: Element = T::ELEMENT;

    fn put(&self, out: &mut Vec<u8>) {
        if let Some(value) = self {
            value.put(out);
        }
    }

    fn is_null(&self) -> bool {
        self.is_none()
    }
}

/// The values of one column.
#[derive(Debug)]
pub struct ColumnArray {
    element: Element,
    bytes: Vec<u8>,
}

impl ColumnArray {
    /// An array of these values, in this order.
    pub fn of<'a, T: Column + 'a>(values: impl ExactSizeIterator<Item = &'a T>) -> Self {
        const HEAD: usize = 20;
        /// The size of most elements: an id and its length.
        const USUAL: usize = 20;
        let count = values.len();
        let mut bytes = Vec::with_capacity(HEAD.saturating_add(count.saturating_mul(USUAL)));
        let mut nulls = 0_i32;
        for head in [1, 0, i32::from_ne_bytes(T::ELEMENT.oid().to_ne_bytes())] {
            bytes.extend_from_slice(&head.to_be_bytes());
        }
        for head in [size(count), 1] {
            bytes.extend_from_slice(&head.to_be_bytes());
        }
        for value in values {
            let length_at = bytes.len();
            bytes.extend_from_slice(&(-1_i32).to_be_bytes());
            if value.is_null() {
                nulls = 1;
                continue;
            }
            let begins = bytes.len();
            value.put(&mut bytes);
            let length = size(bytes.len().saturating_sub(begins));
            put_at(&mut bytes, length_at, length);
        }
        put_at(&mut bytes, 4, nulls);
        Self {
            element: T::ELEMENT,
            bytes,
        }
    }

    /// Binds the values as an array of their type.
    pub(crate) fn push<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        match self.element {
            Element::SmallInt => out.push_bind_param::<sql::Array<sql::SmallInt>, _>(self),
            Element::Integer => out.push_bind_param::<sql::Array<sql::Integer>, _>(self),
            Element::BigInt => out.push_bind_param::<sql::Array<sql::BigInt>, _>(self),
            Element::Text => out.push_bind_param::<sql::Array<sql::Text>, _>(self),
            Element::Binary => out.push_bind_param::<sql::Array<sql::Binary>, _>(self),
        }
    }
}

impl<T: 'static> ToSql<sql::Array<T>, Pg> for ColumnArray {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> Result {
        out.write_all(&self.bytes)?;
        Ok(IsNull::No)
    }
}

/// A length as an `i32`. A greater length than the server can take becomes `i32::MAX`, and the server refuses it.
fn size(length: usize) -> i32 {
    i32::try_from(length).unwrap_or(i32::MAX)
}

fn put_at(bytes: &mut [u8], at: usize, number: i32) {
    let place = bytes.get_mut(at..).and_then(|rest| rest.first_chunk_mut());
    if let Some(place) = place {
        *place = number.to_be_bytes();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_nulls_stand_as_the_server_reads_them() {
        let array = ColumnArray::of([Some(7_i16), None].iter());
        let expected: [&[u8]; 8] = [
            &[0, 0, 0, 1],  // one dimension
            &[0, 0, 0, 1],  // there are nulls
            &[0, 0, 0, 21], // int2
            &[0, 0, 0, 2],  // two elements
            &[0, 0, 0, 1],  // the first is number 1
            &[0, 0, 0, 2],
            &[0, 7],
            &[0xff, 0xff, 0xff, 0xff],
        ];
        assert_eq!(array.bytes, expected.concat());
    }

    #[test]
    fn texts_stand_with_their_lengths() {
        let array = ColumnArray::of([String::new(), "ü".to_owned()].iter());
        let expected: [&[u8]; 6] = [
            &[0, 0, 0, 1, 0, 0, 0, 0],
            &[0, 0, 0, 25],
            &[0, 0, 0, 2, 0, 0, 0, 1],
            &[0, 0, 0, 0],
            &[0, 0, 0, 2],
            "ü".as_bytes(),
        ];
        assert_eq!(array.bytes, expected.concat());
    }
}
