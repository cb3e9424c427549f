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
pub(crate) struct CaseDraft {
    /// Its number in the source.
    pub(crate) id: String,
    /// When it was opened: the time of its first line.
    pub(crate) opened_at: Instant,
    /// The command.
    pub(crate) open: Open,
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
                called: None,
                start: None,
            };
            self.case_places.insert(id.clone(), cases.len());
            cases.push(CaseDraft { id, opened_at: head.opened_at, open });
        }
        self.gathered.tally.case_lines += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use redress_domain::order::ORDER_LINES_MAX;

    use super::*;
    use crate::import::mapping;

    const MAPPING: &str = include_str!("../../../../workflows/online-retail/import.yaml");

    /// Rows of `number sku quantity time customer`, gathered from two files in turn.
    fn gathered(rows: &[String]) -> Gathered {
        let mapping = mapping::load(MAPPING).unwrap();
        let mut gather = Gather::new(&mapping);
        for (line, row) in (2..).zip(rows) {
            let fields: Vec<&str> = row.split(',').collect();
            let [number, sku, quantity, time, customer] = fields[..] else { panic!("{row}") };
            let value = Value::object([
                ("InvoiceNo", Some(Value::text(number))),
                ("StockCode", Some(Value::text(sku))),
                ("Quantity", Some(Value::Number(quantity.parse().unwrap()))),
                ("InvoiceDate", Some(Value::text(format!("2011-01-05 {time}:00")))),
                ("UnitPrice", Some(Value::whole(2))),
                ("CustomerID", Some(Value::text(customer))),
            ]);
            gather.take(if line % 2 == 0 { "even.csv" } else { "odd.csv" }, Row { line, value: Ok(value) });
        }
        gather.finish()
    }

    fn rows(text: &[&str]) -> Vec<String> {
        text.iter().map(|row| (*row).to_owned()).collect()
    }

    #[test]
    fn rows_of_one_number_are_one_group_wherever_they_stand() {
        let found = gathered(&rows(&[
            "700002,41001,1,09:30,1.0",
            "700001,41002,1,09:00,",
            "C700003,41001,-1,10:00,1.0",
            "700002,41003,1,09:29,1.0",
            "C700003,41003,-2,10:05,1.0",
        ]));
        let orders = found.orders.iter().map(|order| (order.id.as_str(), order.lines.len(), order.customer.is_some()));
        assert_eq!(orders.collect::<Vec<_>>(), [("700002", 2, true), ("700001", 1, false)]);
        // What a group has in common comes from its first row; each line keeps its own time.
        assert_eq!(found.orders[0].placed_at.to_string(), "2011-01-05T09:30:00.000Z");
        assert_eq!(found.orders[0].lines[1].at.to_string(), "2011-01-05T09:29:00.000Z");
        let case = &found.cases[0];
        assert_eq!((case.id.as_str(), case.open.lines.len()), ("C700003", 2));
        assert_eq!(case.opened_at.to_string(), "2011-01-05T10:00:00.000Z");
        assert!(case.open.history);
        assert_eq!((found.tally.order_lines, found.tally.case_lines), (3, 2));
    }

    #[test]
    fn a_first_row_that_cannot_be_read_does_not_begin_a_group() {
        let found = gathered(&rows(&["700001,,1,09:00,1.0", "700001,41002,1,09:01,2.0"]));
        assert_eq!((found.orders.len(), found.orders[0].lines.len()), (1, 1));
        assert_eq!(found.orders[0].customer.as_ref().unwrap().as_str(), "2");
        let report = found.tally.into_report("m", "s", Vec::new());
        assert_eq!(report.row_errors, [("bad_id".to_owned(), 1)].into());
        assert_eq!((report.examples[0].place.file.as_str(), report.examples[0].place.line), ("even.csv", 2));
    }

    #[test]
    fn groups_beyond_the_limits_are_refused_whole() {
        let lines =
            |number: &str, quantity: i32, count: usize| vec![format!("{number},41001,{quantity},09:00,1.0"); count];
        let many = [
            lines("700001", 1, ORDER_LINES_MAX + 1),
            lines("C700002", -1, LINES_MAX + 1),
            lines("C700003", -1, LINES_MAX),
        ];
        let found = gathered(&many.concat());
        assert_eq!((found.orders.len(), found.cases.len()), (0, 1));
        let report = found.tally.into_report("m", "s", Vec::new());
        assert_eq!((report.orders, report.put.refused, report.opened.refused), (1, 1, 1));
        let codes = report.put.examples.iter().chain(&report.opened.examples).map(|refused| refused.code.as_str());
        assert_eq!(codes.collect::<Vec<_>>(), ["bad_order", "too_many_lines"]);
    }

    #[test]
    fn of_each_kind_of_problem_a_few_are_told_and_all_are_counted() {
        let found = gathered(&vec!["700001,,1,09:00,1.0".to_owned(); 40]);
        let report = found.tally.into_report("m", "s", Vec::new());
        assert_eq!(report.row_errors, [("bad_id".to_owned(), 40)].into());
        assert_eq!(report.examples.len(), 5);
    }
}
