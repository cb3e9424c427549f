//! Imports: a small year of hard cases against what an independent script makes of it, twice, stopped, and out of order.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use redress::engine::log;
use redress::engine::report::Report;
use redress::import::mapping::{self, Mapping};
use redress::import::progress::Progress;
use redress::import::{Error, import};
use redress_domain::case::Case;
use redress_domain::case::command::{Actor, ActorKind};
use redress_domain::codec;
use redress_domain::verdict::Remedy;
use redress_store::scan::{Direction, Listed, Scan};
use redress_tests::world::{Merchant, World};

const SMALL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/online-retail/small");
const MAPPING: &str = include_str!("../../workflows/online-retail/import.yaml");
const WORKFLOW: &str = include_str!("../../workflows/online-retail/return.yaml");

/// A host with the demo merchant, its plugins and its workflow.
pub(crate) struct Shop {
    world: World,
    merchant: Merchant,
    mapping: Mapping,
}

impl Shop {
    pub(crate) fn new() -> anyhow::Result<Self> {
        Self::with_workflow(WORKFLOW)
    }

    fn with_workflow(workflow: &str) -> anyhow::Result<Self> {
        let world = World::new()?;
        let merchant = world.merchant("online-retail")?;
        merchant.publish(workflow)?;
        let mapping = mapping::load(MAPPING).map_err(|found| anyhow!("{found:#?}"))?;
        Ok(Self { world, merchant, mapping })
    }

    pub(crate) fn import(&self, file: &Path) -> anyhow::Result<Report> {
        Ok(self.import_all(&[file.to_owned()])?)
    }

    fn import_all(&self, files: &[PathBuf]) -> Result<Report, Error> {
        let run = import(&self.merchant.engine, &self.mapping, files, &importer(), &mut Progress::silent());
        run.map(|(report, _)| report)
    }

    /// The merchant.
    pub(crate) fn merchant(&self) -> &Merchant {
        &self.merchant
    }

    /// The data folder.
    pub(crate) fn folder(&self) -> anyhow::Result<PathBuf> {
        self.world.folder().context("a folder")
    }

    fn file(&self, name: &str, content: &str) -> anyhow::Result<PathBuf> {
        let path = self.world.folder().context("a folder")?.join(name);
        std::fs::write(&path, content)?;
        Ok(path)
    }

    /// Every case with its number, in order of time and then number.
    fn cases(&self) -> anyhow::Result<Vec<(String, Case)>> {
        cases(&self.merchant)
    }

    /// The lines that the script writes.
    pub(crate) fn outcomes(&self) -> anyhow::Result<String> {
        Ok(self.cases()?.iter().map(|(id, case)| outcome(id, case)).collect())
    }

    /// The same for one case.
    fn outcome_of(&self, wanted: &str) -> anyhow::Result<String> {
        let cases = self.cases()?;
        let (id, case) = cases.iter().find(|(id, _)| id == wanted).context("the case is there")?;
        Ok(outcome(id, case))
    }
}

/// Every case of a merchant with its number, in order of time and then number.
pub(crate) fn cases(merchant: &Merchant) -> anyhow::Result<Vec<(String, Case)>> {
    let snapshot = merchant.engine.store().read()?;
    let case = |row: &Listed| {
        let head = snapshot.load_case(row.case().context("a case")?)?.context("its snapshot")?;
        let case: Case = codec::decode(&head.bytes)?;
        anyhow::Ok((case.external.clone().context("a number")?.id, case))
    };
    let (mut cases, mut cursor) = (Vec::new(), None);
    loop {
        let page = snapshot.scan(&Scan::CasesByOpened, Direction::Forward, cursor.as_ref(), 1_000)?;
        for row in &page.rows {
            cases.push(case(row)?);
        }
        match page.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    cases.sort_by(|(a, left), (b, right)| (left.opened_at, a).cmp(&(right.opened_at, b)));
    Ok(cases)
}

fn importer() -> Actor {
    Actor { kind: ActorKind::Import, id: "test".to_owned(), role: "importer".to_owned() }
}

/// `invoice,outcome,refund,reasons`, as the script has it: of a review what asks for a person, otherwise what was denied.
pub(crate) fn outcome(id: &str, case: &Case) -> String {
    let word = match case.remedy() {
        Remedy::Allow => "refunded",
        Remedy::Deny => "denied",
        Remedy::Review => "review",
    };
    let reasons: BTreeSet<&str> = case.decisive_reasons().into_iter().collect();
    let reasons = reasons.into_iter().collect::<Vec<_>>().join("|");
    format!("{id},{word},{},{reasons}\n", case.refunded().amount())
}

pub(crate) fn small() -> PathBuf {
    Path::new(SMALL).with_extension("csv")
}

fn expected_cases() -> &'static str {
    include_str!("../fixtures/online-retail/small.cases.csv").trim_start_matches("invoice,outcome,refund_gbp,reasons\n")
}

const HEAD: &str = "InvoiceNo,StockCode,Quantity,InvoiceDate,UnitPrice,CustomerID\n";

#[test]
fn the_product_and_an_independent_script_agree_on_every_case_and_count() -> anyhow::Result<()> {
    let shop = Shop::new()?;
    let report = shop.import(&small())?;
    assert_eq!(shop.outcomes()?, expected_cases());
    let summary = std::fs::read_to_string(format!("{SMALL}.summary.json"))?;
    let summary: serde_json::Value = serde_json::from_str(&summary)?;
    let counted =
        serde_json::json!({ "orders": report.orders, "order_lines": report.order_lines, "cases": report.cases });
    for name in ["orders", "order_lines", "cases"] {
        assert_eq!(counted[name], summary[name], "{name}");
    }
    assert_eq!(serde_json::to_value(&report.skipped)?, summary["skipped"]);
    assert!(report.row_errors.is_empty() && report.examples.is_empty(), "{report:#?}");
    Ok(())
}

#[test]
fn an_import_that_is_run_again_changes_nothing_and_says_so() -> anyhow::Result<()> {
    let shop = Shop::new()?;
    let first = shop.import(&small())?;
    let before = shop.cases()?;
    let again = shop.import(&small())?;
    assert_eq!((first.put.new, first.opened.new), (first.orders, first.cases));
    assert_eq!((again.put.unchanged, again.opened.unchanged), (first.orders, first.cases));
    assert_eq!((again.put.new, again.opened.new, again.out_of_order), (0, 0, 0));
    assert_eq!(shop.cases()?, before);
    Ok(())
}

/// What a stop leaves behind is all orders and the first cases, or some orders and no case.
#[test]
fn an_import_that_was_stopped_goes_on_to_the_same_result() -> anyhow::Result<()> {
    let text = std::fs::read_to_string(small())?;
    let (head, rows) = text.split_once('\n').context("a heading")?;
    let (cases, orders): (Vec<&str>, Vec<&str>) = rows.lines().partition(|row| row.starts_with('C'));
    let expected = expected_cases();
    let in_order: Vec<&str> = expected.lines().map(|line| &line[..7]).collect();
    for (orders_done, cases_done) in [(9, 0), (orders.len(), 1), (orders.len(), 11), (orders.len(), 24)] {
        let begun = cases.iter().filter(|row| in_order[..cases_done].contains(&&row[..7]));
        let done = std::iter::once(&head).chain(&orders[..orders_done]).chain(begun).map(|row| format!("{row}\n"));
        let shop = Shop::new()?;
        let before = shop.import(&shop.file("begun.csv", &done.collect::<String>())?)?;
        let after = shop.import(&small())?;
        assert_eq!(shop.outcomes()?, expected, "stopped after {cases_done} cases");
        assert_eq!((after.opened.unchanged, after.opened.new), (before.opened.new, after.cases - before.opened.new));
        assert_eq!(after.out_of_order, 0);
    }
    Ok(())
}

#[test]
fn a_review_of_the_past_opens_a_task_and_takes_nothing() -> anyhow::Result<()> {
    let shop = Shop::new()?;
    shop.import(&small())?;
    let cases = shop.cases()?;
    let reviews: Vec<_> = cases.iter().filter(|(_, case)| case.remedy() == Remedy::Review).collect();
    assert_eq!(reviews.len(), 3);
    for (_, case) in reviews {
        assert!(!case.tasks.is_empty() && case.effects.is_empty() && case.reserved.is_empty(), "{case:#?}");
        assert!(case.tasks.values().all(|task| task.imported), "{case:#?}");
    }
    Ok(())
}

#[test]
fn another_window_and_another_limit_are_a_change_of_the_yaml() -> anyhow::Result<()> {
    let narrow = Shop::with_workflow(&WORKFLOW.replace("default: 90 }", "default: 30 }"))?;
    narrow.import(&small())?;
    assert_eq!(narrow.outcome_of("C200007")?, "C200007,denied,0.00,outside_window\n");
    let strict = Shop::with_workflow(&WORKFLOW.replace("default: 500.00 }", "default: 250.00 }"))?;
    strict.import(&small())?;
    assert_eq!(strict.outcome_of("C200022")?, "C200022,review,0.00,amount_over_limit\n");
    Ok(())
}

#[test]
fn other_content_under_a_known_number_is_reported_and_not_applied() -> anyhow::Result<()> {
    let shop = Shop::new()?;
    let sale = |quantity| format!("{HEAD}100001,30001A,{quantity},2011-01-10 09:00:00,2.5,20001\n");
    let back = |quantity| format!("C200001,30001A,-{quantity},2011-01-12 10:00:00,2.5,20001\n");
    shop.import(&shop.file("one.csv", &(sale(1) + &back(1)))?)?;
    let before = shop.cases()?;
    let report = shop.import(&shop.file("two.csv", &(sale(5) + &back(2)))?)?;
    assert_eq!((report.put.changed, report.opened.changed), (1, 1));
    assert_eq!(report.opened.examples[0].id, "C200001");
    assert_eq!(shop.cases()?, before);
    Ok(())
}

#[test]
fn a_case_earlier_than_one_that_was_decided_is_taken_and_reported() -> anyhow::Result<()> {
    let shop = Shop::new()?;
    let case = |id: u32, day: u32| format!("C{id},30001A,-1,2011-01-{day:02} 10:00:00,2.5,20001\n");
    shop.import(&shop.file("late.csv", &format!("{HEAD}{}", case(200_002, 20)))?)?;
    let report = shop.import(&shop.file("early.csv", &format!("{HEAD}{}{}", case(200_001, 12), case(200_003, 20)))?)?;
    assert_eq!((report.opened.new, report.out_of_order), (2, 1));
    Ok(())
}

#[test]
fn what_is_wrong_with_a_row_is_counted_and_told_by_its_place() -> anyhow::Result<()> {
    let shop = Shop::new()?;
    let rows = "100001,30001A,2.5,2011-01-10 09:00:00,2.5,20001\n\
                100002,30001A,many,2011-01-10 09:00:00,2.5,20001\n\
                100003,30001A,1,2011-03-27 01:30:00,2.5,20001\n\
                100004,30001A,1,2011-01-10 09:00:00,2.5,20001\n\
                100004,30001B,1,2011-01-10 09:00:00,2.5,20002\n";
    let report = shop.import(&shop.file("rows.csv", &format!("{HEAD}{rows}"))?)?;
    assert_eq!((report.rows, report.orders, report.order_lines), (5, 1, 2));
    let told = report.examples.iter().map(|example| format!("{} {}", example.place.line, example.kind));
    assert_eq!(told.collect::<Vec<_>>(), ["2 bad_quantity", "3 not_a_number", "4 bad_text", "6 customer_differs"]);
    assert_eq!(report.row_errors.values().sum::<u64>(), 3);
    Ok(())
}

#[test]
fn a_file_that_cannot_be_read_changes_nothing() -> anyhow::Result<()> {
    let shop = Shop::new()?;
    let good = shop.file("good.csv", &format!("{HEAD}100001,30001A,1,2011-01-10 09:00:00,2.5,20001\n"));
    let bad = shop.file("bad.csv", "InvoiceNo,StockCode\n");
    assert!(matches!(shop.import_all(&[good?, bad?]), Err(Error::File(_))));
    let orders = shop.merchant.engine.store().read()?.scan(&Scan::Orders, Direction::Forward, None, 1)?;
    assert!(orders.rows.is_empty());
    Ok(())
}

#[test]
fn the_report_is_kept_with_the_tenant() -> anyhow::Result<()> {
    let shop = Shop::new()?;
    let report = shop.import(&small())?;
    let kept = log::read(&shop.merchant.engine)?.into_iter().filter_map(|logged| match logged.what {
        log::What::ImportFinished { report } => Some(*report),
        _ => None,
    });
    assert_eq!(kept.collect::<Vec<_>>(), [report]);
    Ok(())
}
