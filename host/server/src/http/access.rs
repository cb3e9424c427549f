//! Who may use a route: the sets of roles that routes name.

use crate::keys::Role;

/// Who may use a route. An operator may use each of them; those of a tenant only for a tenant that it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nobody is asked who they are.
    Open,
    /// The operator alone: no tenant is needed.
    Host,
    /// These roles, each in its own tenant.
    Tenant(&'static [Role]),
    /// These roles, each in its own tenant; the operator for a tenant that it names, or for the host itself.
    Either(&'static [Role]),
}

/// Everybody of a tenant.
pub const READ: Access = Access::Tenant(&[Role::Admin, Role::Agent, Role::Integrator, Role::Viewer]);
/// Everybody of a tenant, and the host's operator without one.
pub const READ_OR_HOST: Access = Access::Either(&[Role::Admin, Role::Agent, Role::Integrator, Role::Viewer]);
/// Who brings matters in: people at work, and systems.
pub const ACT: Access = Access::Tenant(&[Role::Admin, Role::Agent, Role::Integrator]);
/// People at work.
pub const DECIDE: Access = Access::Tenant(&[Role::Admin, Role::Agent]);
/// Systems, and who runs the merchant.
pub const CONNECT: Access = Access::Tenant(&[Role::Admin, Role::Integrator]);
/// Who runs the merchant.
pub const RULE: Access = Access::Tenant(&[Role::Admin]);
/// Who runs the merchant, or the host.
pub const ADMIT: Access = Access::Either(&[Role::Admin]);

impl Access {
    /// Whether a role may use the route.
    pub fn allows(self, role: Role) -> bool {
        match self {
            Self::Open => true,
            Self::Host => role == Role::Operator,
            Self::Tenant(roles) | Self::Either(roles) => role == Role::Operator || roles.contains(&role),
        }
    }

    /// The roles that may use the route, the highest first; none where nobody is asked.
    pub fn roles(self) -> Vec<Role> {
        if self == Self::Open {
            return Vec::new();
        }
        Role::ALL.into_iter().filter(|role| self.allows(*role)).collect()
    }
}
