//! Which fields a mapping has: one table for every map in it. `workflows/README.md` explains them in the same order.

use redress_domain::workflow::schema::{Field, Shape, Table};

/// The fields of a mapping.
pub(super) const DOCUMENT: Table = Table {
    fields: &[
        Field::required("format", Shape::Whole, "The version of the language: 1."),
        Field::required("import", Shape::Name, "The name."),
        Field::required("source", Shape::Map(&SOURCE), "Where the files come from."),
        Field::required("columns", Shape::Names(&Shape::Choice(super::COLUMN_TYPES)), "The columns that are read."),
        Field::required("rows", Shape::List(&Shape::Map(&RULE)), "What a row is; the first rule that holds wins."),
        Field::optional("order", Shape::Map(&ORDER), "What becomes of the rows that are order lines."),
        Field::optional("case", Shape::Map(&CASE), "What becomes of the rows that are case lines."),
    ],
    hints: &[
        ("currency", "the currency stands under `source`"),
        ("zone", "the zone stands under `source`"),
        ("orders", "what an order is stands under `order`"),
        ("cases", "what a case is stands under `case`"),
    ],
};

/// The fields of `source`.
pub(super) const SOURCE: Table = Table::new(&[
    Field::required("name", Shape::Name, "The name under which ids of orders and cases are unique."),
    Field::required("format", Shape::Choice(&["csv"]), "How the files are written; gzip is found out."),
    Field::required("zone", Shape::Zone, "The zone of times that are written without one."),
    Field::required("currency", Shape::Currency, "The currency of all amounts."),
]);

/// The fields of an entry of `rows`.
pub(super) const RULE: Table = Table {
    fields: &[
        Field::optional("when", Shape::Condition, "The condition; the last rule has none and takes every other row."),
        Field::optional("as", Shape::Choice(&["order_line", "case_line"]), "What the row is."),
        Field::optional("skip", Shape::Name, "Instead: why the row is left out, counted under this name."),
    ],
    hints: &[("else", "the last rule takes every other row: leave out `when`"), ("if", "a condition is `when`")],
};

/// The fields of `order`.
pub(super) const ORDER: Table = Table::new(&[
    Field::required("id", Shape::Value("text"), "The order's number; rows with the same one are lines of one order."),
    Field::optional("customer", Shape::Value("text?"), "The customer's id."),
    Field::required("placed_at", Shape::Value("instant"), "When it was placed."),
    Field::optional("attributes", Shape::Names(&Shape::Value("any type")), "The merchant's own fields."),
    Field::required("line", Shape::Map(&ORDER_LINE), "What a row is as a line."),
]);

/// The fields of `order.line`.
pub(super) const ORDER_LINE: Table = Table::new(&[
    Field::required("sku", Shape::Value("text"), "The stock code."),
    Field::required("quantity", Shape::Value("number"), "How many were bought; a whole number above 0."),
    Field::optional("at", Shape::Value("instant?"), "When; the order's `placed_at` where it is left out."),
    Field::optional("delivered_at", Shape::Value("instant?"), "When it reached the customer."),
    Field::required("unit_price", Shape::Value("price"), "The exact price of one."),
    Field::optional(
        "paid",
        Shape::Value("money?"),
        "What was paid; price times quantity, rounded up, where it is left out.",
    ),
    Field::optional("tax", Shape::Value("money?"), "Of which tax."),
    Field::optional("discount", Shape::Value("money?"), "What was taken off before."),
    Field::optional("shipping", Shape::Value("money?"), "Of which the line's share of shipping."),
    Field::optional("attributes", Shape::Names(&Shape::Value("any type")), "The merchant's own fields."),
]);

/// The fields of `case`.
pub(super) const CASE: Table = Table {
    fields: &[
        Field::required(
            "id",
            Shape::Value("text"),
            "The case's number there; rows with the same one are lines of one case.",
        ),
        Field::required("type", Shape::Value("text"), "The type of case, which triggers ask for."),
        Field::optional("customer", Shape::Value("text?"), "The customer's id."),
        Field::required("opened_at", Shape::Value("instant"), "When it was opened."),
        Field::optional("order", Shape::Value("text?"), "The order that it is about."),
        Field::optional("reason", Shape::Value("text?"), "Why it was opened, a code."),
        Field::optional("claim", Shape::Value("text?"), "The legal basis that the customer claims."),
        Field::optional("attributes", Shape::Names(&Shape::Value("any type")), "The merchant's own fields."),
        Field::required("line", Shape::Map(&CASE_LINE), "What a row is as a line."),
    ],
    hints: &[("kind", "the type of case is `type`"), ("at", "when a case was opened is `opened_at`")],
};

/// The fields of `case.line`.
pub(super) const CASE_LINE: Table = Table::new(&[
    Field::required("sku", Shape::Value("text"), "The stock code."),
    Field::required("quantity", Shape::Value("number"), "How many are returned; a whole number above 0."),
    Field::optional("reason", Shape::Value("text?"), "Why, a code."),
    Field::optional("order", Shape::Value("text?"), "The order that it was bought with; goes with `order_line`."),
    Field::optional("order_line", Shape::Value("number?"), "The line of that order, counted from 0."),
    Field::optional("attributes", Shape::Names(&Shape::Value("any type")), "The merchant's own fields."),
]);

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: &str = "<!-- made from the tables of mappings, do not edit -->\n\n";
    const END: &str = "<!-- end of what is made from the tables of mappings -->\n";

    fn reference() -> String {
        let tables = [
            ("A mapping", &DOCUMENT),
            ("`source`", &SOURCE),
            ("An entry of `rows`", &RULE),
            ("`order`", &ORDER),
            ("`order.line`", &ORDER_LINE),
            ("`case`", &CASE),
            ("`case.line`", &CASE_LINE),
        ];
        let table = |(title, table): (&str, &Table)| {
            let row = |field: &Field| {
                let required = if field.required { ", required" } else { "" };
                format!("| `{}` | {}{required} | {} |\n", field.name, field.shape, field.doc)
            };
            let rows: String = table.fields.iter().map(row).collect();
            format!("#### {title}\n\n| field | | |\n| --- | --- | --- |\n{rows}\n")
        };
        tables.into_iter().map(table).collect()
    }

    #[test]
    fn the_readme_holds_the_reference() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../workflows/README.md");
        let readme = std::fs::read_to_string(path).unwrap();
        let (before, rest) = readme.split_once(BEGIN).unwrap();
        let (written, after) = rest.split_once(END).unwrap();
        if std::env::var_os("REDRESS_BLESS").is_some() {
            std::fs::write(path, format!("{before}{BEGIN}{}{END}{after}", reference())).unwrap();
        } else {
            assert_eq!(written, reference(), "run it again with REDRESS_BLESS=1");
        }
    }
}
