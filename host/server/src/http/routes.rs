//! The router, the OpenAPI document and the table of roles, all made from one list of routes.

use axum::Router;
use axum::middleware::from_fn_with_state;
use serde_json::Value as Json;
use utoipa::openapi::OpenApi;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use super::access::Access;
use super::tenancy::State;
use super::{auth, document};

/// Routes as they are gathered.
pub struct Api {
    entries: Vec<(Access, UtoipaMethodRouter<State>)>,
}

/// One route of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// `GET`, `POST` ...
    pub method: &'static str,
    /// With parameters in braces.
    pub path: String,
    /// The name of the operation.
    pub operation: String,
    /// Who may use it.
    pub access: Access,
}

impl Api {
    pub(super) fn new() -> Self {
        Self { entries: Vec::new() }
    }

    /// Add a handler with who may use it.
    pub(super) fn route(mut self, access: Access, routes: UtoipaMethodRouter<State>) -> Self {
        self.entries.push((access, routes));
        self
    }

    /// The table of routes.
    pub fn table(&self) -> Vec<Served> {
        let mut table = Vec::new();
        for (access, (_, paths, _)) in &self.entries {
            for (path, item) in &paths.paths {
                for (method, operation) in operations(item) {
                    let operation = operation.operation_id.clone().unwrap_or_default();
                    table.push(Served { method, path: path.clone(), operation, access: *access });
                }
            }
        }
        table
    }

    /// The router, and the document that describes it.
    pub fn build(self, state: &State) -> (Router, Json) {
        let table = self.table();
        let mut router = OpenApiRouter::with_openapi(OpenApi::default());
        for (access, (schemas, paths, methods)) in self.entries {
            let check = from_fn_with_state((state.clone(), access), auth::check);
            router = router.routes((schemas, paths, methods.layer(check)));
        }
        let (router, document) = router.split_for_parts();
        (router.with_state(state.clone()), document::complete(&document, &table))
    }
}

fn operations(item: &PathItem) -> impl Iterator<Item = (&'static str, &Operation)> {
    let all = [
        ("GET", &item.get),
        ("PUT", &item.put),
        ("POST", &item.post),
        ("DELETE", &item.delete),
        ("PATCH", &item.patch),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_ref()?)))
}
