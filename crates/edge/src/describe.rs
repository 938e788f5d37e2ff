//! Descriptions that readers give of themselves: schemas, of which some have names.

use std::collections::BTreeMap;

use utoipa::ToSchema;
use utoipa::openapi::schema::{
    AdditionalProperties, ObjectBuilder, OneOfBuilder, SchemaType, Type,
};
use utoipa::openapi::{Ref, RefOr, schema};

use crate::strict_json::Fields;

/// A schema of OpenAPI, or the name of one.
pub type Schema = RefOr<schema::Schema>;

/// The named schemas of a description.
#[derive(Default)]
pub struct Describe {
    named: BTreeMap<String, Schema>,
    clashes: Vec<String>,
}

impl Describe {
    /// Gives a schema its name. A name that has another schema already is a clash.
    pub fn name(&mut self, name: &str, schema: Schema) -> Schema {
        let before = self.named.insert(name.to_owned(), schema.clone());
        if before.is_some_and(|before| before != schema) {
            self.clashes.push(name.to_owned());
        }
        RefOr::Ref(Ref::from_schema_name(name))
    }

    /// Names the schema of a reply, and all that it is made of.
    pub fn reply<T: ToSchema>(&mut self) -> Schema {
        self.parts::<T>();
        self.name(&T::name(), T::schema())
    }

    /// Names all that a reply is made of.
    pub(crate) fn parts<T: ToSchema>(&mut self) {
        let mut parts = Vec::new();
        T::schemas(&mut parts);
        for (name, schema) in parts {
            self.name(&name, schema);
        }
    }

    /// The schemas by name.
    #[must_use]
    pub fn named(&self) -> &BTreeMap<String, Schema> {
        &self.named
    }

    /// The names that were given to different schemas.
    #[must_use]
    pub fn clashes(&self) -> &[String] {
        &self.clashes
    }

    /// The bodies that an object may be: one, or two if one of two fields is there and never both.
    pub(crate) fn bodies(
        &mut self,
        name: &str,
        says: &str,
        read: impl FnOnce(&mut Fields),
    ) -> Vec<Schema> {
        let mut fields = Fields::describing(std::mem::take(self));
        read(&mut fields);
        let (known, form) = fields.described();
        *self = known;
        let Some([one, other]) = form.either else {
            return vec![self.name(name, form.object(says, None))];
        };
        let mut body = |own: &Choice, other: &Choice| {
            let name = format!("{name}{}", own.suffix);
            self.name(&name, form.object(says, Some((own.field, other.field))))
        };
        vec![body(&one, &other), body(&other, &one)]
    }

    /// One schema of several, of which a value is exactly one.
    pub(crate) fn one_of(&mut self, name: &str, says: &str, mut bodies: Vec<Schema>) -> Schema {
        if bodies.len() == 1
            && let Some(only) = bodies.pop()
        {
            return only;
        }
        let own = OneOfBuilder::new().description(Some(says));
        let own = bodies.into_iter().fold(own, OneOfBuilder::item);
        self.name(name, RefOr::T(own.build().into()))
    }
}

/// A field of which another may stand in its place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Choice {
    /// The end of the body's name, if this field is there.
    pub(crate) suffix: &'static str,
    pub(crate) field: &'static str,
}

/// The fields of an object, as they were asked for.
#[derive(Default)]
pub(crate) struct Form {
    pub(crate) required: Vec<&'static str>,
    pub(crate) fields: Vec<(&'static str, Schema)>,
    pub(crate) either: Option<[Choice; 2]>,
}

impl Form {
    /// The object. Of two fields of which one is there, it has the first and not the second.
    fn object(&self, says: &str, either: Option<(&str, &str)>) -> Schema {
        let mut object = ObjectBuilder::new()
            .schema_type(Type::Object)
            .description(Some(says))
            .additional_properties(Some(AdditionalProperties::<schema::Schema>::FreeForm(
                false,
            )));
        for (name, schema) in &self.fields {
            if either.is_none_or(|(_, other)| other != *name) {
                object = object.property(*name, schema.clone());
            }
        }
        let own = either.map(|(own, _)| own);
        for name in self.required.iter().copied().chain(own) {
            object = object.required(name);
        }
        RefOr::T(object.build().into())
    }
}

/// The same schema with words of its own.
pub(crate) fn said(schema: Schema, says: &str) -> Schema {
    match schema {
        RefOr::Ref(mut name) => {
            says.clone_into(&mut name.description);
            RefOr::Ref(name)
        }
        RefOr::T(mut own) => {
            let words = Some(says.to_owned());
            if let schema::Schema::Object(object) = &mut own {
                object.description = words;
            } else if let schema::Schema::Array(array) = &mut own {
                array.description = words;
            } else if let schema::Schema::OneOf(one_of) = &mut own {
                one_of.description = words;
            }
            RefOr::T(own)
        }
    }
}

/// The same schema, or null.
pub(crate) fn or_null(schema: Schema) -> Schema {
    let with_null = |own: SchemaType| match own {
        SchemaType::Type(own) => SchemaType::from_iter([own, Type::Null]),
        SchemaType::Array(_) | SchemaType::AnyValue => own,
    };
    match schema {
        RefOr::T(schema::Schema::Object(mut object)) => {
            object.schema_type = with_null(object.schema_type);
            RefOr::T(schema::Schema::Object(object))
        }
        RefOr::T(schema::Schema::Array(mut array)) => {
            array.schema_type = with_null(array.schema_type);
            RefOr::T(schema::Schema::Array(array))
        }
        named @ (RefOr::Ref(_) | RefOr::T(_)) => {
            let null = ObjectBuilder::new().schema_type(Type::Null);
            RefOr::T(OneOfBuilder::new().item(named).item(null).build().into())
        }
    }
}
