//! What is sent: half a year of real returns where the data lies beside the checkout, else as many of our own making. Each case
//! is taken from a run of the import, which is compared with an independent script elsewhere, so that its outcome is known.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use redress_domain::case::command::{Body, Open};
use redress_domain::clock::Instant;
use redress_domain::codec;
use redress_domain::decision::Turn;
use redress_domain::order::Order;
use redress_store::batch::Version;
use redress_store::scan::{Direction, Scan};
use serde_json::{Value as Json, json};

use crate::import::{Shop, cases, outcome};

/// How many returns of our own making share nothing with another.
const ALONE: u32 = 150;

/// Orders, returns, and what each return comes to when they are decided one after the other.
pub(super) struct Book {
    pub(super) orders: Vec<Order>,
    pub(super) cases: Vec<Sent>,
    pub(super) outcomes: BTreeMap<String, String>,
}

/// Returns of customers who share no purchase with anybody: what they come to does not depend on who is first.
fn alone() -> String {
    let row = |n: u32| {
        let (sku, customer) = (40_000 + n, 90_000 + n);
        format!(
            "{},{sku},3,2011-01-10 09:00:00,2.50,{customer}.0\nC{},{sku},-2,2011-02-10 10:00:00,2.50,{customer}.0\n",
            300_000 + n,
            400_000 + n
        )
    };
    (0..ALONE).map(row).collect()
}

/// A return as it is sent.
#[derive(Clone)]
pub(super) struct Sent {
    pub(super) name: String,
    pub(super) body: Json,
    purchases: BTreeSet<(String, String)>,
}

impl Book {
    pub(super) fn read() -> anyhow::Result<Self> {
        let shop = Shop::new()?;
        let file = beside();
        if file.is_file() {
            shop.import(&file)?;
        } else {
            super::say(&format!(
                "SKIPPED: {} is not there, returns of our own making are sent instead",
                file.display()
            ));
            let own = shop.folder()?.join("own.csv");
            std::fs::write(&own, crate::crash::shop() + &alone())?;
            shop.import(&own)?;
        }
        let merchant = shop.merchant();
        let (mut sent, mut outcomes) = (Vec::new(), BTreeMap::new());
        for (name, case) in cases(merchant)? {
            let rows = merchant.engine.store().journal(case.id, Version(1), 1)?;
            let turn: Turn = codec::decode(&rows.first().context("a first turn")?.record)?;
            let Body::Open(open) = turn.command.body else { anyhow::bail!("{name} begins with its opening") };
            outcomes.insert(name.clone(), outcome(&name, &case));
            sent.push(Sent::new(name, &open, turn.command.occurred_at));
        }
        Ok(Self { orders: orders(&shop)?, cases: sent, outcomes })
    }

    /// Cases that share no purchase (customer and stock code) with another: their order does not matter.
    pub(super) fn unshared(&self) -> Vec<String> {
        let mut users: BTreeMap<&(String, String), usize> = BTreeMap::new();
        for purchase in self.cases.iter().flat_map(|case| &case.purchases) {
            *users.entry(purchase).or_default() += 1;
        }
        let alone = |case: &&Sent| case.purchases.iter().all(|purchase| users[purchase] == 1);
        self.cases.iter().filter(alone).map(|case| case.name.clone()).collect()
    }
}

impl Sent {
    fn new(name: String, open: &Open, at: Instant) -> Self {
        let line = |line: &redress_domain::case::Line| json!({ "sku": line.sku.as_str(), "quantity": line.quantity });
        let mut body = json!({
            "kind": open.kind.as_str(),
            "currency": open.currency.to_string(),
            "external": { "source": "storm", "id": name },
            "lines": open.lines.iter().map(line).collect::<Vec<_>>(),
            "occurred_at": at.to_string(),
        });
        if let Some(customer) = &open.customer {
            body["customer"] = json!({ "id": customer.as_str() });
        }
        let customer = open.customer.as_ref().map_or_else(|| format!("nobody of {name}"), ToString::to_string);
        let purchases = open.lines.iter().map(|line| (customer.clone(), line.sku.to_string())).collect();
        Self { name, body, purchases }
    }
}

fn orders(shop: &Shop) -> anyhow::Result<Vec<Order>> {
    let snapshot = shop.merchant().engine.store().read()?;
    let (mut orders, mut cursor) = (Vec::new(), None);
    loop {
        let page = snapshot.scan(&Scan::Orders, Direction::Forward, cursor.as_ref(), 1_000)?;
        for row in &page.rows {
            orders.push(codec::decode(&row.value)?);
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(orders);
        }
    }
}

fn beside() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/online-retail/2010-12_2011-05.csv.gz")
}
