//! The HTTP edge: routes, strict JSON, problems, OpenAPI.
