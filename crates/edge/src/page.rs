//! One page of a list.

use serde::Serialize;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{self, ArrayItems};
use utoipa::{PartialSchema as _, ToSchema};

use crate::cursor::Cursor;
use crate::query::PageQuery;
use crate::{Describe, Schema};

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T: ToSchema> {
    /// The items of the page.
    pub data: Vec<T>,
    /// Pass it as `cursor` to get the next page; null at the end of the list.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// Makes a page of rows that were read with one row more than the limit. The additional row shows that there is
/// a next page.
pub fn page<T, W: ToSchema>(
    mut rows: Vec<T>,
    wanted: &PageQuery,
    show: impl Fn(&T) -> W,
    cursor: impl Fn(&T) -> Cursor,
) -> Page<W> {
    let more = rows.len() > usize::from(wanted.limit);
    rows.truncate(usize::from(wanted.limit));
    let last = rows.last().filter(|_| more);
    Page {
        next_cursor: last.map(|row| wanted.next(cursor(row))),
        data: rows.iter().map(show).collect(),
    }
}

/// The schema of a page: it is named after its items (`ThingPage`).
pub(crate) fn describe<T: ToSchema>(known: &mut Describe) -> Schema {
    let item = known.reply::<T>();
    let mut page = Page::<T>::schema();
    if let RefOr::T(schema::Schema::Object(page)) = &mut page
        && let Some(RefOr::T(schema::Schema::Array(data))) = page.properties.get_mut("data")
    {
        data.items = ArrayItems::RefOrSchema(Box::new(item));
    }
    known.name(&format!("{}Page", T::name()), page)
}
