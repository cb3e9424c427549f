//! Whether the rows of a table meet every combination of its inputs, which rows never match, and which match together.
//!
//! Each input falls into classes: a word, yes or no, a number that some cell names, what lies between two such numbers. Within a
//! class no cell tells one value from another, so one value of each stands for all, and every answer comes with an example. What
//! is left open by the rows is looked for input by input; sets of rows that were met before are not looked at again.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::{Cell, Row, Test};
use crate::clock::{Instant, Span};
use crate::value::{Type, Value};

/// How much is looked at before a table counts as too complex to be checked; the largest that people read needs a tenth.
pub const LOOKS_MAX: usize = 20_000;

/// What an input may be.
#[derive(Debug, Clone)]
pub struct Domain {
    /// Its type.
    pub kind: Type,
    /// Whether a number is always whole.
    pub whole: bool,
    /// The least number that it can be.
    pub least: Option<Decimal>,
    /// How many decimals an amount has.
    pub exponent: u32,
}

/// One value per input, as a cell would write it.
pub type Example = Vec<String>;

/// The table is too complex to be checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooComplex;

/// Rows of a table over the classes of its inputs.
pub struct Cover {
    inputs: Vec<Vec<Class>>,
    rows: usize,
    looks: usize,
}

/// Values of an input that no cell tells apart.
struct Class {
    example: String,
    /// The rows whose cell holds for them.
    rows: Rows,
}

/// A set of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
struct Rows([u64; super::ROWS_MAX / 64]);

impl Cover {
    /// The rows over the classes that their cells make.
    pub fn new(domains: &[Domain], rows: &[Row]) -> Self {
        let column = |input: usize| rows.iter().filter_map(move |row| row.cells.get(input)).collect::<Vec<_>>();
        let inputs = domains.iter().enumerate().map(|(input, domain)| classes(domain, &column(input)));
        Self { inputs: inputs.collect(), rows: rows.len(), looks: 0 }
    }

    /// A combination that no row meets.
    ///
    /// # Errors
    /// The table is too complex.
    pub fn gap(&mut self) -> Result<Option<Example>, TooComplex> {
        let all = (0..self.rows).fold(Rows::default(), Rows::with);
        self.open(&self.everything(), all)
    }

    /// Whether no value of some input fits the row.
    pub fn is_empty(&self, row: usize) -> bool {
        self.of_row(row).iter().any(Vec::is_empty)
    }

    /// Whether the rows before it leave nothing to this one; and where one of them does so alone, which.
    ///
    /// # Errors
    /// The table is too complex.
    pub fn shadowed(&mut self, row: usize) -> Result<Option<Option<usize>>, TooComplex> {
        let own = self.of_row(row);
        let holds = |other: usize, input: usize, class: &usize| self.inputs[input][*class].rows.has(other);
        let covers = |other: &usize| {
            own.iter().enumerate().all(|(input, own)| own.iter().all(|class| holds(*other, input, class)))
        };
        if let Some(alone) = (0..row).find(covers) {
            return Ok(Some(Some(alone)));
        }
        let before = (0..row).fold(Rows::default(), Rows::with);
        Ok(self.open(&own, before)?.is_none().then_some(None))
    }

    /// A combination that both rows meet.
    pub fn both(&self, one: usize, other: usize) -> Option<Example> {
        let common = |classes: &Vec<Class>| {
            let class = classes.iter().find(|class| class.rows.has(one) && class.rows.has(other));
            class.map(|class| class.example.clone())
        };
        self.inputs.iter().map(common).collect()
    }

    fn everything(&self) -> Vec<Vec<usize>> {
        self.inputs.iter().map(|classes| (0..classes.len()).collect()).collect()
    }

    /// The classes that the cells of a row hold for, by input.
    fn of_row(&self, row: usize) -> Vec<Vec<usize>> {
        let own = |classes: &Vec<Class>| {
            classes.iter().enumerate().filter(|(_, class)| class.rows.has(row)).map(|(place, _)| place).collect()
        };
        self.inputs.iter().map(own).collect()
    }

    /// A combination of these classes that none of the rows meets.
    fn open(&mut self, region: &[Vec<usize>], rows: Rows) -> Result<Option<Example>, TooComplex> {
        let mut search = Search { inputs: &self.inputs, region, seen: BTreeSet::new(), looks: self.looks };
        let found = search.from(0, rows);
        self.looks = search.looks;
        found
    }
}

struct Search<'c> {
    inputs: &'c [Vec<Class>],
    region: &'c [Vec<usize>],
    /// From this input on these rows leave nothing open.
    seen: BTreeSet<(usize, Rows)>,
    looks: usize,
}

impl Search<'_> {
    /// Recursive: a table has few inputs (`INPUTS_MAX`).
    fn from(&mut self, input: usize, rows: Rows) -> Result<Option<Example>, TooComplex> {
        let Some(region) = self.region.get(input) else {
            return Ok((rows == Rows::default()).then(Vec::new));
        };
        if rows == Rows::default() {
            return Ok(self.anything(input));
        }
        if self.seen.contains(&(input, rows)) {
            return Ok(None);
        }
        // Classes that the same rows hold for lead to the same answer.
        let mut ways: BTreeMap<Rows, &str> = BTreeMap::new();
        for class in region {
            self.looks += 1;
            let class = &self.inputs[input][*class];
            ways.entry(rows.and(class.rows)).or_insert(&class.example);
        }
        if self.looks > LOOKS_MAX {
            return Err(TooComplex);
        }
        for (left, example) in ways {
            if let Some(mut found) = self.from(input + 1, left)? {
                found.insert(0, example.to_owned());
                return Ok(Some(found));
            }
        }
        self.seen.insert((input, rows));
        Ok(None)
    }

    /// Any combination of what is left; none where some input has no value at all.
    fn anything(&self, input: usize) -> Option<Example> {
        let first = |(place, region): (usize, &Vec<usize>)| Some(self.inputs[place][*region.first()?].example.clone());
        self.region.iter().enumerate().skip(input).map(first).collect()
    }
}

impl Rows {
    fn with(mut self, row: usize) -> Self {
        self.0[row / 64] |= 1 << (row % 64);
        self
    }

    fn has(&self, row: usize) -> bool {
        self.0[row / 64] & (1 << (row % 64)) != 0
    }

    fn and(self, other: Self) -> Self {
        Self(std::array::from_fn(|place| self.0[place] & other.0[place]))
    }
}

/// The classes of an input, by the cells of all rows.
fn classes(domain: &Domain, column: &[&Cell]) -> Vec<Class> {
    let class = |example: String, value: &Value| {
        let rows = column.iter().enumerate().filter(|(_, cell)| cell.holds(value));
        Class { example, rows: rows.fold(Rows::default(), |rows, (row, _)| rows.with(row)) }
    };
    let tests = || column.iter().flat_map(|cell| cell.tests());
    match &domain.kind {
        Type::Bool => [true, false].map(|yes| class(yes.to_string(), &Value::Bool(yes))).into(),
        Type::Enum(words) => words.iter().map(|word| class(format!("\"{word}\""), &Value::text(word))).collect(),
        Type::Text => {
            let named = tests().filter_map(|test| if let Test::Text(text) = test { Some(text) } else { None });
            let named: BTreeSet<&String> = named.collect();
            // Longer than every text that is named, and so none of them.
            let other = "x".repeat(named.iter().map(|text| text.len()).max().unwrap_or(0) + 1);
            let other = class("any other text".to_owned(), &Value::text(other));
            named.into_iter().map(|text| class(format!("\"{text}\""), &Value::text(text))).chain([other]).collect()
        }
        _ => {
            let bounds = tests().flat_map(|test| match test {
                Test::Range { from, to } => [*from, *to],
                Test::Text(_) | Test::Bool(_) => [None, None],
            });
            let points: BTreeSet<Decimal> = bounds.flatten().map(|bound| bound.at).collect();
            let probes = domain.probes(&points.into_iter().collect::<Vec<_>>());
            // A number stands for any measure: cells compare nothing else.
            probes.into_iter().map(|at| class(domain.written(at), &Value::Number(at))).collect()
        }
    }
}

impl Domain {
    /// One value of each stretch that these points make, and the points themselves.
    fn probes(&self, points: &[Decimal]) -> Vec<Decimal> {
        let Some((first, last)) = points.first().zip(points.last()) else {
            return vec![self.least.unwrap_or_default()];
        };
        let mut probes = Vec::new();
        let below = self.before(*first);
        probes.extend(below.filter(|at| self.least.is_none_or(|least| *at >= least)));
        for (place, at) in points.iter().enumerate() {
            if self.least.is_none_or(|least| *at >= least) && self.is_value(*at) {
                probes.push(*at);
            }
            let between = points.get(place + 1).and_then(|next| self.between(*at, *next));
            probes.extend(between.filter(|at| self.least.is_none_or(|least| *at >= least)));
        }
        let above = self.after(*last).map(|at| self.least.map_or(at, |least| at.max(least)));
        probes.extend(above);
        probes
    }

    /// The step between two neighbours, where there are neighbours.
    fn unit(&self) -> Option<Decimal> {
        match self.kind {
            Type::Number if self.whole => Some(Decimal::ONE),
            Type::Money => Some(Decimal::new(1, self.exponent)),
            Type::Date | Type::Instant | Type::Duration => Some(Decimal::ONE),
            _ => None,
        }
    }

    fn is_value(&self, at: Decimal) -> bool {
        self.unit().is_none_or(|unit| (at % unit).is_zero())
    }

    /// The next value after a point; without neighbours one further on.
    fn after(&self, at: Decimal) -> Option<Decimal> {
        match self.unit() {
            Some(unit) => (at / unit).floor().checked_mul(unit)?.checked_add(unit),
            None => at.checked_add(Decimal::ONE),
        }
    }

    fn before(&self, at: Decimal) -> Option<Decimal> {
        match self.unit() {
            Some(unit) => (at / unit).ceil().checked_mul(unit)?.checked_sub(unit),
            None => at.checked_sub(Decimal::ONE),
        }
    }

    /// A value between two points.
    fn between(&self, low: Decimal, high: Decimal) -> Option<Decimal> {
        let next = self.after(low)?;
        if next < high {
            return Some(next);
        }
        if self.unit().is_some() {
            return None;
        }
        let half = high.checked_sub(low)?.checked_div(Decimal::TWO)?;
        low.checked_add(half).filter(|middle| *middle > low && *middle < high)
    }

    /// A measure as a cell would write it.
    fn written(&self, at: Decimal) -> String {
        use rust_decimal::prelude::ToPrimitive as _;
        match self.kind {
            Type::Money => format!("{at:.*}", self.exponent as usize),
            Type::Date => {
                let epoch = chrono::NaiveDate::default();
                let days = at.to_i64().and_then(chrono::TimeDelta::try_days);
                days.and_then(|days| epoch.checked_add_signed(days)).unwrap_or(epoch).to_string()
            }
            Type::Instant => Instant::from_unix_ms(at.to_i64().unwrap_or_default()).to_string(),
            Type::Duration => Span::from_millis(at.to_i64().unwrap_or_default()).to_string(),
            _ => at.normalize().to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::workflow::table::cell;

    fn number(whole: bool) -> Domain {
        Domain { kind: Type::Number, whole, least: None, exponent: 2 }
    }

    fn of(kind: Type) -> Domain {
        Domain { kind, whole: false, least: None, exponent: 2 }
    }

    fn rows(domains: &[Domain], rows: &[&[&str]]) -> Vec<Row> {
        let cell = |(text, domain): (&&str, &Domain)| cell::parse(text, &domain.kind, "GBP".parse().unwrap()).unwrap();
        let row = |cells: &&[&str]| Row { cells: cells.iter().zip(domains).map(cell).collect(), sets: Vec::new() };
        rows.iter().map(row).collect()
    }

    fn gap(domains: &[Domain], table: &[&[&str]]) -> Option<String> {
        Cover::new(domains, &rows(domains, table)).gap().unwrap().map(|example| example.join(" "))
    }

    fn shadowed(domains: &[Domain], table: &[&[&str]]) -> Option<Option<usize>> {
        Cover::new(domains, &rows(domains, table)).shadowed(table.len() - 1).unwrap()
    }

    #[test]
    fn what_no_row_meets_is_found_with_an_example() {
        let seal = of(Type::words(["intact", "broken"]));
        let inputs = [seal, of(Type::Bool), number(true)];
        let table: &[&[&str]] =
            &[&["\"intact\"", "true", "<= 14"], &["\"broken\"", "-", "-"], &["-", "-", "> 20"], &["-", "false", "-"]];
        assert_eq!(gap(&inputs, table), Some("\"intact\" true 15".to_owned()));
        let mended: &[&[&str]] = &[table[0], table[1], table[2], table[3], &["-", "-", "[15..20]"]];
        assert_eq!(gap(&inputs, mended), None);
        assert_eq!(gap(&[of(Type::Text)], &[&["\"a\""]]), Some("any other text".to_owned()));
        assert_eq!(gap(&[of(Type::Text)], &[&["\"a\""], &["not(\"a\")"]]), None);
    }

    #[test]
    fn between_whole_numbers_days_and_pennies_lies_nothing() {
        let split: &[&[&str]] = &[&["<= 14"], &[">= 15"]];
        assert_eq!(gap(&[number(true)], split), None);
        assert_eq!(gap(&[number(false)], split), Some("14.5".to_owned()));
        assert_eq!(gap(&[of(Type::Money)], &[&["<= 14.99"], &[">= 15"]]), None);
        assert_eq!(gap(&[of(Type::Price)], &[&["<= 14.99"], &[">= 15"]]), Some("14.995".to_owned()));
        assert_eq!(gap(&[of(Type::Date)], &[&["<= 2026-02-28"], &[">= 2026-03-01"]]), None);
        assert_eq!(gap(&[of(Type::Date)], &[&["<= 2026-02-27"], &[">= 2026-03-01"]]), Some("2026-02-28".to_owned()));
        assert_eq!(gap(&[of(Type::Duration)], &[&["<= 1d"]]), Some("86400001ms".to_owned()));
        let sized = Domain { least: Some(Decimal::ZERO), ..number(true) };
        assert_eq!(gap(&[sized], &[&["0"], &[">= 1"]]), None);
    }

    #[test]
    fn a_row_that_others_cover_together_is_shadowed() {
        let two = [of(Type::Bool), number(false)];
        assert_eq!(shadowed(&two, &[&["true", "-"], &["-", "< 5"], &["true", "7"]]), Some(Some(0)));
        assert_eq!(shadowed(&two, &[&["true", "-"], &["false", "< 5"], &["-", "4"]]), Some(None));
        assert_eq!(shadowed(&two, &[&["true", "-"], &["false", "< 5"], &["-", "5"]]), None);
    }

    #[test]
    fn rows_that_match_together_are_found_with_an_example() {
        let two = [of(Type::Bool), number(false)];
        let cover = Cover::new(&two, &rows(&two, &[&["true", "<= 5"], &["-", ">= 5"], &["-", "> 5"]]));
        assert_eq!(cover.both(0, 1), Some(vec!["true".to_owned(), "5".to_owned()]));
        assert_eq!(cover.both(0, 2), None);
    }

    #[test]
    fn a_table_that_cannot_be_checked_is_told_so_in_time() {
        // Each pair of rows forbids one value of two inputs: to see that nothing is open, all combinations must be looked at.
        let inputs: Vec<Domain> = (0..12).map(|_| number(false)).collect();
        let text = |row: usize, input: usize| {
            if (row * 7 + input * 3) % 5 < 2 { format!("[{row}..{}]", row + 40) } else { "-".to_owned() }
        };
        let table: Vec<Vec<String>> = (0..256).map(|row| (0..12).map(|input| text(row, input)).collect()).collect();
        let cells: Vec<Vec<&str>> = table.iter().map(|row| row.iter().map(String::as_str).collect()).collect();
        let cells: Vec<&[&str]> = cells.iter().map(Vec::as_slice).collect();
        let mut cover = Cover::new(&inputs, &rows(&inputs, &cells));
        let answers: Vec<_> = (0..256).map(|row| cover.shadowed(row)).collect();
        assert!(answers.contains(&Err(TooComplex)));
    }

    proptest! {
        /// Every answer agrees with trying all values of small inputs.
        #[test]
        fn answers_agree_with_trying_everything(
            table in proptest::collection::vec((0_usize..8, 0_usize..8, 0_usize..8), 1..7)
        ) {
            const WORDS: [&str; 8] = ["-", "\"a\"", "\"b\"", "\"a\", \"c\"", "not(\"a\")", "not(\"b\", \"c\")", "-", "\"c\""];
            const NUMBERS: [&str; 8] = ["-", "< 2", ">= 2", "[1..3)", "(1..3]", "not(2)", "0, 4", "-"];
            const BOOLS: [&str; 8] = ["-", "-", "true", "false", "-", "true", "false", "not(true)"];
            let inputs = [of(Type::words(["a", "b", "c"])), number(true), of(Type::Bool)];
            let cells: Vec<[&str; 3]> = table.iter().map(|(a, b, c)| [WORDS[*a], NUMBERS[*b], BOOLS[*c]]).collect();
            let cells: Vec<&[&str]> = cells.iter().map(<[&str; 3]>::as_slice).collect();
            let rows = rows(&inputs, &cells);
            let values = || ["a", "b", "c"].into_iter().flat_map(|word| (-2..7).flat_map(move |n: i32| {
                [true, false].map(|yes| [Value::text(word), Value::whole(n), Value::Bool(yes)])
            }));
            let matches = |row: usize, value: &[Value; 3]| rows[row].cells.iter().zip(value).all(|(cell, value)| cell.holds(value));
            let mut cover = Cover::new(&inputs, &rows);
            let open = values().any(|value| !(0..rows.len()).any(|row| matches(row, &value)));
            prop_assert_eq!(cover.gap().unwrap().is_some(), open);
            for row in 0..rows.len() {
                let own = || values().filter(|value| matches(row, value));
                let hidden = own().all(|value| (0..row).any(|before| matches(before, &value)));
                prop_assert_eq!(cover.is_empty(row), own().next().is_none());
                prop_assert_eq!(cover.shadowed(row).unwrap().is_some(), hidden);
                for other in 0..row {
                    prop_assert_eq!(cover.both(other, row).is_some(), own().any(|value| matches(other, &value)));
                }
            }
        }
    }
}
