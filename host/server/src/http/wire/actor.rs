//! Who did something, on the wire.

use redress_domain::case::command::{Actor, ActorKind};
use serde::Serialize;
use utoipa::ToSchema;

/// Who did something.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Actor)]
pub struct ActorView {
    /// `person`, `key`, `import` or `host`.
    pub kind: &'static str,
    /// Which one: of a key its id.
    pub id: String,
    /// In which role.
    pub role: String,
}

impl From<&Actor> for ActorView {
    fn from(actor: &Actor) -> Self {
        let kind = match actor.kind {
            ActorKind::Person => "person",
            ActorKind::Key => "key",
            ActorKind::Import => "import",
            ActorKind::Host => "host",
        };
        Self { kind, id: actor.id.clone(), role: actor.role.clone() }
    }
}
