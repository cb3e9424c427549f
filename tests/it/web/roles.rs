//! Every cell of role × route × {own, another merchant's, missing}: as the router's table says.

mod house;
mod requests;

use std::collections::BTreeSet;
use std::path::PathBuf;

use redress::http::access::Access;
use redress::http::events::TYPES;
use redress::http::{Served, api};
use redress::keys::Role;

use house::{House, Things};

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    /// Nobody: there is no key.
    Nobody,
    /// A key that was taken back.
    Revoked,
    /// A key of a role.
    Key(Role),
}

/// Whose the thing is that the request names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Own,
    Others,
    Missing,
}

const EVERYBODY: [Who; 7] = [
    Who::Nobody,
    Who::Revoked,
    Who::Key(Role::Operator),
    Who::Key(Role::Admin),
    Who::Key(Role::Agent),
    Who::Key(Role::Integrator),
    Who::Key(Role::Viewer),
];

/// What puts a thing under a name that the client chooses: nothing has to be there.
const PUTS: [&str; 8] = [
    "order.put",
    "plugin.put",
    "plugin.grant",
    "plugin.grants",
    "plugin_case.put",
    "plugin_case.list",
    "connector.set",
    "draft.put",
];

/// Whose things the requests of a route name.
fn whose(served: &Served) -> &'static [Whose] {
    match served.access {
        _ if !served.path.contains('{') || PUTS.contains(&&*served.operation) => &[Whose::Own],
        // To the operator nobody is another.
        Access::Host => &[Whose::Own, Whose::Missing],
        _ => &[Whose::Own, Whose::Others, Whose::Missing],
    }
}

/// What the table says.
fn expected(served: &Served, who: Who, whose: Whose) -> (u16, &'static str) {
    match who {
        Who::Nobody => (401, "key_required"),
        Who::Revoked => (401, "key_invalid"),
        Who::Key(role) if !served.access.allows(role) => (403, "not_allowed"),
        Who::Key(_) if whose != Whose::Own => (404, "_not_found"),
        Who::Key(_) => (200, ""),
    }
}

#[tokio::test]
async fn every_cell_of_role_and_route_and_owner_is_as_the_table_says() {
    let house = House::new().unwrap();
    let (mut cells, mut wrong) = (0, Vec::new());
    for served in api().table() {
        for who in EVERYBODY {
            for whose in whose(&served) {
                let (status, code) = house.ask(&served, who, *whose).await;
                let (expected, word) = expected(&served, who, *whose);
                let good = if expected == 200 { (200..300).contains(&status) } else { status == expected };
                if !good || !code.ends_with(word) {
                    wrong.push(format!(
                        "{} {} by {who:?} for {whose:?}: {status} {code:?}, the table says {expected} {word:?}",
                        served.method, served.path
                    ));
                }
                cells += 1;
            }
        }
    }
    println!("{cells} cells");
    assert!(wrong.is_empty(), "{} of {cells} cells are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(cells > 600, "{cells} cells are fewer than the routes have");
}

#[tokio::test]
async fn an_operator_names_the_merchant_and_nobody_else_names_another() {
    let house = House::new().unwrap();
    let operator = house.key(Who::Key(Role::Operator)).unwrap().to_owned();
    let admin = house.key(Who::Key(Role::Admin)).unwrap().to_owned();
    for served in api().table().into_iter().filter(|served| matches!(served.access, Access::Tenant(_))) {
        let things = house.own.base.clone();
        let nameless = house.request(&served, &things).by(&operator).outcome().await;
        assert_eq!(nameless, (400, "tenant_required".to_owned()), "{}", served.operation);
        for (name, key) in [("beta", &admin), ("nobody", &operator)] {
            let request = house.request(&served, &things).by(key).header("redress-tenant", name);
            assert_eq!(request.outcome().await, (404, "tenant_not_found".to_owned()), "{}", served.operation);
        }
    }
}

#[test]
fn every_route_has_an_operation_of_its_own() {
    let table = api().table();
    let operations: BTreeSet<&str> = table.iter().map(|served| &*served.operation).collect();
    assert_eq!(operations.len(), table.len());
    assert!(operations.iter().all(|operation| operation.contains('.')), "{operations:?}");
}

/// What the guide has between two marks is written by the program.
#[test]
fn the_guide_has_the_tables_of_the_program() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/api.md");
    let mut guide = std::fs::read_to_string(&path).unwrap();
    let parts = [
        ("<!-- roles: written from the router by its test -->\n", "<!-- end of roles -->", table()),
        ("<!-- events: written from the program by its test -->\n", "<!-- end of events -->", event_table()),
    ];
    for (begin, end, table) in parts {
        let (before, rest) = guide.split_once(begin).unwrap();
        let (written, after) = rest.split_once(end).unwrap();
        if std::env::var_os("REDRESS_BLESS").is_none() {
            assert_eq!(written, table, "run it again with REDRESS_BLESS=1");
        }
        guide = format!("{before}{begin}{table}{end}{after}");
    }
    if std::env::var_os("REDRESS_BLESS").is_some() {
        std::fs::write(&path, guide).unwrap();
    }
}

fn event_table() -> String {
    let rows = TYPES.iter().map(|(name, tells)| format!("| `{name}` | {tells} |\n"));
    format!("| Type | What happened |\n|---|---|\n{}", rows.collect::<String>())
}

fn table() -> String {
    let mut table = String::from("| Route | Operation | operator | admin | agent | integrator | viewer |\n");
    table += "|---|---|---|---|---|---|---|\n";
    for served in api().table() {
        let roles = Role::ALL.map(|role| if served.access.allows(role) { "yes" } else { "–" });
        let route = format!("`{} {}`", served.method, served.path);
        table += &format!("| {route} | `{}` | {} |\n", served.operation, roles.join(" | "));
    }
    table
}

/// A base of things that reads and refusals name; what changes something gets things of its own.
fn changes(served: &Served) -> bool {
    served.method != "GET"
}

impl House {
    /// Ask for one cell.
    async fn ask(&self, served: &Served, who: Who, whose: Whose) -> (u16, String) {
        let is_allowed = matches!(who, Who::Key(role) if served.access.allows(role));
        let things = match whose {
            Whose::Own if is_allowed && changes(served) => self.own.fresh(self).unwrap(),
            Whose::Own => self.own.base.clone(),
            Whose::Others => self.others.base.clone(),
            Whose::Missing => Things::missing(),
        };
        let mut request = self.request(served, &things);
        if let Some(key) = self.key(who) {
            request = request.by(key);
        }
        if who == Who::Key(Role::Operator) && served.access != Access::Host {
            request = request.header("redress-tenant", "alpha");
        }
        request.outcome().await
    }
}
