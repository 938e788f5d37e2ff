//! The schemas by which readers describe themselves. Some of them have names.

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
    /// Gives a name to a schema. It is a clash if the name already has another schema.
    pub fn name(&mut self, name: &str, schema: Schema) -> Schema {
        let before = self.named.insert(name.to_owned(), schema.clone());
        if before.is_some_and(|before| before != schema) {
            self.clashes.push(name.to_owned());
        }
        RefOr::Ref(Ref::from_schema_name(name))
    }

    /// Names the schema of a reply, and the schemas of its parts.
    pub fn reply<T: ToSchema>(&mut self) -> Schema {
        self.parts::<T>();
        self.name(&T::name(), T::schema())
    }

    /// Names the schemas of the parts of a reply.
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

    /// The possible bodies of an object: one, or two if exactly one of two fields must be present.
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

    /// A schema of which a value is exactly one of several others.
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

/// One of two fields of which exactly one must be present.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Choice {
    /// Suffix of the body's name, if this field is present.
    pub(crate) suffix: &'static str,
    pub(crate) field: &'static str,
}

/// The fields of an object, as its reader has named them.
#[derive(Default)]
pub(crate) struct Form {
    pub(crate) required: Vec<&'static str>,
    pub(crate) fields: Vec<(&'static str, Schema)>,
    pub(crate) either: Option<[Choice; 2]>,
}

impl Form {
    /// The schema of the object. `either` names two fields: the object has the first and not the second.
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

/// The same schema with another description.
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
