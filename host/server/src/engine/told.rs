//! What plugins are told beside the case: facts that their manifest asks for and that their merchant granted, fetched before the turn
//! and recorded with it. A plugin reaches nothing by itself.
//!
//! What there is to ask for is the platform's ceiling, [`FACTS`]; nothing in it names, describes or reaches a person.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use redress_domain::case::Case;
use redress_domain::case::command::{Body, Command};
use redress_domain::clock::{Instant, Span};
use redress_domain::codec;
use redress_domain::facts::Facts;
use redress_domain::ids::{CaseId, CustomerId};
use redress_domain::value::{Fields, Value};
use redress_domain::workflow::definition::Definition;
use redress_store::row::{Row, RowKey};
use redress_store::scan::{Direction, Scan};
use redress_store::snapshot::Snapshot;

use super::error::Error;
use super::listing::CaseListing;

/// Everything that a plugin may ask for, with what it is.
pub const FACTS: [(&str, &str); 6] = [
    ("customer.cases_365d", "other cases that the customer opened in the 365 days before, at most 1,000; integer"),
    ("customer.refunds_365d", "how many of them refunded money; integer"),
    ("customer.last_case_at", "when the latest of them was opened; timestamp, absent where there is none"),
    ("order.placed_at", "when the order was placed that the case names; timestamp"),
    ("order.lines", "its lines; integer"),
    ("order.paid", "what was paid for it; money"),
];

/// Names of grants in the store's pointers begin with this.
const POINTER: &str = "grant/";
/// How far back the cases of a customer count.
const WINDOW: Span = Span::from_millis(365 * 24 * 60 * 60 * 1_000);
/// Most cases of a customer that are counted.
const CASES_MAX: usize = 1_000;

/// The row of what a plugin is granted, by its name without a version.
fn key(name: &str) -> RowKey {
    RowKey::pointer(&format!("{POINTER}{name}"))
}

/// The row that grants a plugin these facts and no others.
pub(crate) fn granting(name: &str, facts: &BTreeSet<String>) -> Row {
    if facts.is_empty() { Row::Delete(key(name)) } else { Row::Put(key(name), codec::encode(facts)) }
}

/// What a plugin is granted, by its name without a version.
///
/// # Errors
/// The store cannot be read.
pub fn granted(snapshot: &Snapshot, name: &str) -> Result<BTreeSet<String>, Error> {
    match snapshot.row(&key(name))? {
        Some(bytes) => codec::decode(&bytes).map_err(Error::damaged("grant")),
        None => Ok(BTreeSet::new()),
    }
}

/// What a turn can tell of.
struct About<'a> {
    snapshot: &'a Snapshot,
    case: Option<CaseId>,
    customer: Option<&'a CustomerId>,
    now: Instant,
}

/// Put into the facts of a turn what the plugins of these definitions are told.
pub(super) fn load(
    snapshot: &Snapshot,
    definitions: &[Arc<Definition>],
    case: Option<&Case>,
    command: &Command,
    facts: &mut Facts,
) -> Result<(), Error> {
    let customer = match (case, &command.body) {
        (Some(case), _) => case.customer.as_ref(),
        (None, Body::Open(open)) => open.customer.as_ref(),
        (None, _) => None,
    };
    let about = About { snapshot, case: case.map(|case| case.id), customer, now: command.occurred_at };
    let mut known: Option<Fields> = None;
    for (reference, plugin) in definitions.iter().flat_map(|definition| &definition.plugins) {
        let name = reference.to_string();
        if plugin.facts.is_empty() || facts.told.contains_key(&name) {
            continue;
        }
        let granted = granted(snapshot, &reference.name)?;
        let all = match known.take() {
            Some(all) => all,
            None => about.everything(facts)?,
        };
        let may = |key: &&String| plugin.facts.contains(*key) && granted.contains(*key);
        let told: Fields =
            all.iter().filter(|(key, _)| may(key)).map(|(key, value)| (key.clone(), value.clone())).collect();
        facts.told.insert(name, told);
        known = Some(all);
    }
    Ok(())
}

impl About<'_> {
    fn everything(&self, facts: &Facts) -> Result<Fields, Error> {
        let mut all = BTreeMap::new();
        if let Some(customer) = self.customer {
            self.history(customer, &mut all)?;
        }
        if let Some(order) = &facts.order {
            all.insert("order.placed_at".to_owned(), Value::Instant(order.placed_at));
            all.insert("order.lines".to_owned(), Value::whole(i64::try_from(order.lines.len()).unwrap_or(i64::MAX)));
            // A sum that no amount holds is not told.
            if let Ok(paid) = order.paid_total() {
                all.insert("order.paid".to_owned(), Value::Money(paid));
            }
        }
        Ok(all)
    }

    fn history(&self, customer: &CustomerId, all: &mut Fields) -> Result<(), Error> {
        let scan = Scan::CasesByCustomer(customer.clone());
        let page = self.snapshot.scan(&scan, Direction::Backward, Some(&scan.before(self.now)), CASES_MAX)?;
        let from = Instant::from_unix_ms(self.now.unix_ms().saturating_sub(WINDOW.millis()));
        let (mut cases, mut refunds, mut last) = (0, 0, None);
        for row in page.rows {
            let (Some(at), Some(case)) = (row.at, row.case()) else { continue };
            if at < from {
                break;
            }
            if Some(case) == self.case {
                continue;
            }
            cases += 1;
            last = last.or(Some(at));
            if let Some(bytes) = self.snapshot.row(&RowKey::case_opened(at, case))? {
                let listed: CaseListing = codec::decode(&bytes).map_err(Error::damaged("listing"))?;
                refunds += i64::from(listed.refunded.minor() > 0);
            }
        }
        all.insert("customer.cases_365d".to_owned(), Value::whole(cases));
        all.insert("customer.refunds_365d".to_owned(), Value::whole(refunds));
        all.extend(last.map(|at| ("customer.last_case_at".to_owned(), Value::Instant(at))));
        Ok(())
    }
}
