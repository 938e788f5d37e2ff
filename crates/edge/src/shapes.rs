//! Shapes that mean the same on every route. A reader of a request takes a `SHAPE`; a field of a reply says
//! `#[schema(value_type = Moment)]` beside the type that it really has.

use crate::Shape;

/// Names shapes, each with the words that the description has for it.
#[macro_export]
macro_rules! shapes {
    ($(#[doc = $says:literal] $name:ident: $built:expr;)+) => {$(
        #[doc = $says]
        #[derive(Debug)]
        pub struct $name;

        impl $name {
            /// The shape.
            pub const SHAPE: $crate::Shape = $built.named(stringify!($name), $says);
        }

        impl ::utoipa::ToSchema for $name {}

        impl ::utoipa::PartialSchema for $name {
            fn schema() -> ::utoipa::openapi::RefOr<::utoipa::openapi::schema::Schema> {
                Self::SHAPE.schema()
            }
        }
    )+};
}

shapes! {
    /// A moment in UTC with microseconds (RFC 3339).
    Moment: Shape::moment(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$").example("2026-11-21T09:30:00.000000Z");
    /// A moment in any zone with at most microseconds (RFC 3339), from 1900-01-01 to 9998-12-31.
    NewMoment: Shape::moment(r"^(19[0-9]{2}|[2-8][0-9]{3}|9[0-8][0-9]{2}|99[0-8][0-9]|999[0-8])-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$").example("2026-11-21T09:30:00Z");
    /// A moment in a query, in any zone with at most microseconds (RFC 3339). A moment outside 1900-01-01 to 9998-12-31 is accepted too, but nothing is dated there.
    AskedMoment: Shape::moment(r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$").example("2026-11-21T09:30:00Z");
    /// A text of 1 to 255 characters.
    ShortText: Shape::text(1, 255);
    /// A text of 1 to 500 characters.
    LongText: Shape::text(1, 500);
    /// An amount in minor units, or a number of things. It is never negative.
    Count: Shape::integer(0, i64::MAX).example_number(0);
}
