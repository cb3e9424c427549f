//! A process that is killed in the middle of an import loses nothing and repeats nothing.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use redress_domain::case::entry::Entry;
use redress_domain::codec;
use redress_domain::decision::Turn;
use redress_domain::ledger::Ledger;
use redress_store::audit::{self, Verified};
use redress_store::batch::Version;
use redress_tests::world::World;

use crate::import::{cases, outcome};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const TENANT: &str = "online-retail";
/// How often the process is killed.
const KILLS: usize = 20;
const CUSTOMERS: u32 = 40;
const RETURNS: u32 = 36;

#[test]
fn an_import_killed_twenty_times_comes_to_the_same_end_and_does_nothing_twice() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("shop.csv");
    std::fs::write(&file, shop())?;
    let whole = prepared(&folder.path().join("whole"))?;
    assert!(import(&whole, &file).wait()?.success());
    let expected = outcomes(&whole)?;
    assert_eq!(expected.lines().count(), (CUSTOMERS * RETURNS) as usize);

    let killed = prepared(&folder.path().join("killed"))?;
    let (mut kills, mut before, mut useful, mut delay) = (0, 0, 0, Duration::from_millis(150));
    while kills < KILLS {
        let mut child = import(&killed, &file);
        // Killing at some moment is what is tried here; nothing waits for a condition.
        std::thread::sleep(delay);
        assert!(child.try_wait()?.is_none(), "the import ended after {kills} kills: its data is too small");
        child.kill()?;
        child.wait()?;
        kills += 1;
        let done = sound(&killed)?;
        assert!(done >= before, "{before} cases were there, now {done}");
        // So late that something happens, so early that something is left for the next.
        let step = done - before;
        useful += usize::from(step > 0);
        delay = if step == 0 { delay.mul_f64(1.4) } else { delay };
        delay = if step > 60 { delay.mul_f64(0.8) } else { delay };
        before = done;
    }
    println!("{kills} kills, {useful} of them among the cases, {before} of {} decided by then", CUSTOMERS * RETURNS);
    assert!(useful >= KILLS / 2, "only {useful} kills came while cases were decided");
    assert!(import(&killed, &file).wait()?.success());
    assert_eq!(sound(&killed)?, (CUSTOMERS * RETURNS) as usize);
    assert_eq!(outcomes(&killed)?, expected);
    Ok(())
}

/// Orders and returns of our own making: a few purchases of each customer, returned piece by piece, more often than there are units.
pub(crate) fn shop() -> String {
    let mut rows = String::from("InvoiceNo,StockCode,Quantity,InvoiceDate,UnitPrice,CustomerID\n");
    for customer in 0..CUSTOMERS {
        for order in 0..3 {
            let invoice = 100_000 + customer * 10 + order;
            for (line, quantity) in (0..4).zip([9, 1, 4, 2]) {
                let (sku, price) = (30_000 + (order + line) % 5, 1 + line);
                writeln!(rows, "{invoice},{sku},{quantity},2011-01-1{order} 09:0{line}:00,{price}.25,{customer}.0")
                    .ok();
            }
        }
        for n in 0..RETURNS {
            let (invoice, sku, day) = (200_000 + customer * 100 + n, 30_000 + n % 6, 10 + n / 2);
            writeln!(rows, "C{invoice},{sku},-{},2011-02-{day} 10:0{}:00,1.25,{customer}.0", 1 + n % 3, n % 2).ok();
        }
    }
    rows
}

/// A data folder with the demo merchant, its plugins and its workflow.
fn prepared(folder: &Path) -> anyhow::Result<std::path::PathBuf> {
    let root = Path::new(ROOT);
    redress(
        folder,
        &[
            "tenant",
            "create",
            TENANT,
            "--zone",
            "Europe/London",
            "--currency",
            "GBP",
            "--locale",
            "en",
            "--jurisdiction",
            "UK",
        ],
    )?;
    let world = World::on(folder)?;
    let merchant = world.reopen(TENANT)?;
    for name in ["purchase-match", "refund-quote"] {
        merchant.push(name, redress::publish::stock::find(name).expect("a stock plugin").bytes)?;
    }
    merchant.publish(&std::fs::read_to_string(root.join("workflows/online-retail/return.yaml"))?)?;
    Ok(folder.to_owned())
}

fn redress(folder: &Path, args: &[&str]) -> anyhow::Result<()> {
    let output = command(folder).args(args).output()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_redress-under-test"));
    command.arg("--data").arg(folder);
    command
}

fn import(folder: &Path, file: &Path) -> Child {
    let map = Path::new(ROOT).join("workflows/online-retail/import.yaml");
    let mut command = command(folder);
    command.args(["--tenant", TENANT, "import", "--map"]).arg(map).arg(file);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the command line starts")
}

/// Whether everything that is there is whole: the chain, each snapshot against its journal, each ledger against all journals.
/// Answers how many cases there are.
fn sound(folder: &Path) -> anyhow::Result<usize> {
    let world = World::on(folder)?;
    let merchant = world.reopen(TENANT)?;
    let verified = audit::verify(&merchant.engine.store().read()?)?;
    assert!(matches!(verified, Verified::Intact(_)), "{verified:?}");
    let cases = cases(&merchant)?;
    let mut returned: BTreeMap<(String, u32), u32> = BTreeMap::new();
    for (_, case) in &cases {
        for row in merchant.engine.store().journal(case.id, Version(1), 100)? {
            let turn: Turn = codec::decode(&row.record)?;
            for entry in &turn.entries {
                if let Entry::Booked { items } = entry {
                    for item in items {
                        *returned.entry((item.take.order.to_string(), item.take.line)).or_default() +=
                            item.take.quantity;
                    }
                }
            }
        }
    }
    let snapshot = merchant.engine.store().read()?;
    for ((order, line), quantity) in returned {
        let head = snapshot.load_ledgers(&[redress_domain::ids::OrderId::new(&order)?])?.remove(0).expect("a ledger");
        let ledger: Ledger = codec::decode(&head.bytes)?;
        assert_eq!(ledger.line(line).map(|line| (line.reserved, line.returned)), Some((0, quantity)), "{order} {line}");
    }
    Ok(cases.len())
}

fn outcomes(folder: &Path) -> anyhow::Result<String> {
    let world = World::on(folder)?;
    let cases = cases(&world.reopen(TENANT)?)?;
    Ok(cases.iter().map(|(id, case)| outcome(id, case)).collect())
}
