//! Who may use a route: roles, and the sets of them that routes name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Runs the host: makes tenants and keys, and may act for any tenant that it names.
    Operator,
    /// Runs a merchant: rules, keys, money that a person must decide.
    Admin,
    /// Works on cases and tasks.
    Agent,
    /// A shop, a warehouse or a payment provider: hands in orders, cases, events and outcomes.
    Integrator,
    /// Looks.
    Viewer,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 5] = [Self::Operator, Self::Admin, Self::Agent, Self::Integrator, Self::Viewer];

    /// The word in keys, records and tables.
    pub fn word(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Admin => "admin",
            Self::Agent => "agent",
            Self::Integrator => "integrator",
            Self::Viewer => "viewer",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|role| role.word() == text).ok_or_else(|| {
            let words: Vec<_> = Self::ALL.iter().map(|role| role.word()).collect();
            format!("{text:?} is not one of {}", words.join(", "))
        })
    }
}

/// Who may use a route. An operator may use each of them; those of a tenant only for a tenant that it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nobody is asked who they are.
    Open,
    /// The operator alone: no tenant is needed.
    Host,
    /// These roles, each in its own tenant.
    Tenant(&'static [Role]),
}

/// Everybody of a tenant.
pub const READ: Access = Access::Tenant(&[Role::Admin, Role::Agent, Role::Integrator, Role::Viewer]);
/// Who brings matters in: people at work, and systems.
pub const ACT: Access = Access::Tenant(&[Role::Admin, Role::Agent, Role::Integrator]);
/// People at work.
pub const DECIDE: Access = Access::Tenant(&[Role::Admin, Role::Agent]);
/// Systems, and who runs the merchant.
pub const CONNECT: Access = Access::Tenant(&[Role::Admin, Role::Integrator]);
/// Who runs the merchant.
pub const RULE: Access = Access::Tenant(&[Role::Admin]);

impl Access {
    /// Whether a role may use the route.
    pub fn allows(self, role: Role) -> bool {
        match self {
            Self::Open => true,
            Self::Host => role == Role::Operator,
            Self::Tenant(roles) => role == Role::Operator || roles.contains(&role),
        }
    }
}
