//! Rows gathered into orders and cases: rows of one number are one order or one case, in the order in which they stand.
//!
//! What the rows of a group have in common comes from the first of them. Everything is held in memory until the last row was read,
//! because the lines of one order may stand anywhere, in any file; nothing has been changed by then.

use std::collections::BTreeMap;

use redress_domain::case::command::Open;
use redress_domain::case::{External, LINES_MAX};
use redress_domain::clock::Instant;
use redress_domain::ids::{CustomerId, OrderId};
use redress_domain::order::Order;
use redress_domain::value::Value;

use super::draft::Draft;
use super::mapping::{CaseFields, Mapping, OrderFields, Then};
use super::rows::{Row, RowError};
use super::tally::Tally;
use crate::engine::report::Place;

/// Most rows of one import. A row takes about 400 bytes until it is handed in, so this is 2 GB; ten years of the first data set.
pub const ROWS_MAX: u64 = 5_000_000;

/// A case to open, with what orders it among the others.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CaseDraft {
    /// Its number in the source.
    pub(super) id: String,
    /// When it was opened: the time of its first line.
    pub(super) opened_at: Instant,
    /// The command.
    pub(super) open: Open,
}

/// What the rows come to.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// Whole orders, in the order of their first rows.
    pub(super) orders: Vec<Order>,
    /// Whole cases, in the order of their first rows.
    pub(super) cases: Vec<CaseDraft>,
    /// What was counted on the way.
    pub(super) tally: Tally,
}

/// Gathers rows.
pub(super) struct Gather<'m> {
    mapping: &'m Mapping,
    order_places: BTreeMap<OrderId, usize>,
    case_places: BTreeMap<String, usize>,
    gathered: Gathered,
}

impl<'m> Gather<'m> {
    pub(super) fn new(mapping: &'m Mapping) -> Self {
        let (order_places, case_places) = (BTreeMap::new(), BTreeMap::new());
        Self { mapping, order_places, case_places, gathered: Gathered::default() }
    }

    /// Take one more row; what is wrong with it is counted and told.
    pub(super) fn take(&mut self, file: &str, row: Row) {
        self.gathered.tally.rows += 1;
        let place = Place { file: file.to_owned(), line: row.line };
        if let Err(error) = row.value.and_then(|value| self.line(&place, &value)) {
            self.gathered.tally.row_error(place, error);
        }
    }

    /// How many rows there were so far.
    pub(super) fn rows(&self) -> u64 {
        self.gathered.tally.rows
    }

    /// Everything, with the groups that cannot be an order or a case refused.
    pub(super) fn finish(self) -> Gathered {
        let Gathered { mut orders, mut cases, mut tally } = self.gathered;
        tally.orders.found = orders.len() as u64;
        tally.cases.found = cases.len() as u64;
        orders.retain(|order| match order.check() {
            Ok(()) => true,
            Err(error) => tally.orders.refuse(order.id.as_str(), "bad_order", error.to_string()),
        });
        cases.retain(|case| {
            let lines = case.open.lines.len();
            let message = || format!("a case has at most {LINES_MAX} lines, found {lines}");
            lines <= LINES_MAX || tally.cases.refuse(&case.id, "too_many_lines", message())
        });
        Gathered { orders, cases, tally }
    }

    fn line(&mut self, place: &Place, row: &Value) -> Result<(), RowError> {
        let draft = Draft::new(row, self.mapping);
        match (draft.classify(self.mapping)?, &self.mapping.order, &self.mapping.case) {
            (Then::OrderLine, Some(fields), _) => self.order_line(place, &draft, fields),
            (Then::CaseLine, _, Some(fields)) => self.case_line(place, &draft, fields),
            (Then::Skip(reason), ..) => {
                self.gathered.tally.skip(reason);
                Ok(())
            }
            // A mapping does not load with a rule whose section is missing.
            (Then::OrderLine | Then::CaseLine, ..) => {
                Err(RowError::new("no_section", "the mapping has no such section"))
            }
        }
    }

    fn order_line(&mut self, place: &Place, draft: &Draft<'_>, fields: &'m OrderFields) -> Result<(), RowError> {
        let id = draft.order_id(fields)?;
        let orders = &mut self.gathered.orders;
        if let Some(&at) = self.order_places.get(&id) {
            let order = &mut orders[at];
            let customer = draft.customer(fields.customer.as_ref())?;
            order.lines.push(draft.order_line(fields, order.placed_at)?);
            if customer != order.customer {
                self.gathered.tally.odd_customer(place.clone(), id.as_str());
            }
        } else {
            let head = draft.order_head(fields)?;
            let line = draft.order_line(fields, head.placed_at)?;
            self.order_places.insert(id.clone(), orders.len());
            orders.push(Order {
                id,
                customer: head.customer,
                currency: self.mapping.source.currency,
                placed_at: head.placed_at,
                lines: vec![line],
                payments: Vec::new(),
                attributes: head.attributes,
            });
        }
        self.gathered.tally.order_lines += 1;
        Ok(())
    }

    fn case_line(&mut self, place: &Place, draft: &Draft<'_>, fields: &'m CaseFields) -> Result<(), RowError> {
        let id = draft.case_id(fields)?;
        let line = draft.case_line(fields)?;
        let cases = &mut self.gathered.cases;
        if let Some(&at) = self.case_places.get(&id) {
            let case = &mut cases[at];
            let customer: Option<CustomerId> = draft.customer(fields.customer.as_ref())?;
            case.open.lines.push(line);
            if customer != case.open.customer {
                self.gathered.tally.odd_customer(place.clone(), &id);
            }
        } else {
            let head = draft.case_head(fields)?;
            let external = External { source: self.mapping.source.name.as_str().to_owned(), id: id.clone() };
            let open = Open {
                kind: head.kind,
                external: Some(external),
                history: true,
                customer: head.customer,
                order: head.order,
                currency: self.mapping.source.currency,
                reason: head.reason,
                claim: head.claim,
                attributes: head.attributes,
                lines: vec![line],
            };
            self.case_places.insert(id.clone(), cases.len());
            cases.push(CaseDraft { id, opened_at: head.opened_at, open });
        }
        self.gathered.tally.case_lines += 1;
        Ok(())
    }
}
