//! The demo merchant that extends a base: every row of its README, with the stock plugins.

use anyhow::Context as _;
use redress::engine::tenant::TenantRecord;
use redress::keys::Role;
use redress_domain::case::Case;
use redress_domain::case::command::{Body, Complete, Settle, Settled};
use redress_domain::clock::{Span, Zone};
use redress_domain::ids::{Slug, TenantId};
use redress_domain::value::{Fields, Value};
use redress_tests::shop::{effect, stands, the_task};
use redress_tests::web::Web;
use redress_tests::world::{Merchant, World};
use serde_json::{Value as Json, json};

const WORKFLOW: &str = include_str!("../../workflows/apparel/return.yaml");
const ORDERS: &str = include_str!("../../workflows/apparel/orders.json");

struct Shop {
    world: World,
    merchant: Merchant,
    web: Web,
    key: String,
}

impl Shop {
    async fn new() -> anyhow::Result<Self> {
        let world = World::new()?;
        let (clock, id) = (world.app.clock(), TenantId::mint(world.app.clock().now(), world.app.clock().random()));
        let merchant = world.merchant_of(TenantRecord {
            id,
            slug: Slug::new("apparel")?,
            zone: Zone::Europe__Berlin,
            currency: "EUR".parse().context("a currency")?,
            locale: "en".to_owned(),
            jurisdiction: "EU".to_owned(),
            created_at: clock.now(),
        })?;
        merchant.publish(WORKFLOW)?;
        let web = Web::of(&world)?;
        let key = web.key(id, Role::Integrator)?;
        let file: Json = serde_json::from_str(ORDERS)?;
        for (order, body) in file["orders"].as_object().context("orders by their number")? {
            let got = web.ask("PUT", &format!("/v1/orders/{order}")).by(&key).json(body).send().await;
            assert_eq!(got.status, 201, "{order}: {}", String::from_utf8_lossy(&got.bytes));
        }
        Ok(Self { world, merchant, web, key })
    }

    async fn open(&self, sku: &str, reason: &str) -> anyhow::Result<Case> {
        let body = json!({
            "kind": "return", "order": "AP1001", "reason": reason, "customer": { "id": "c3001" },
            "lines": [{ "sku": sku, "quantity": 1 }],
        });
        let got = self.web.ask("POST", "/v1/cases").by(&self.key).named(sku).json(&body).send().await;
        assert_eq!(got.status, 201, "{}", String::from_utf8_lossy(&got.bytes));
        self.merchant.case(got.json()["id"].as_str().context("an id")?.parse()?)
    }

    fn told(&self, case: &Case, event: &str) -> anyhow::Result<Case> {
        let rma = Fields::from([("rma".to_owned(), Value::text(&case.number))]);
        self.merchant.event(case.id, event, rma)?;
        self.merchant.case(case.id)
    }

    fn answer(&self, case: &Case, outcome: &str, form: &[(&str, Value)]) -> anyhow::Result<Case> {
        let task = the_task(&self.merchant.case(case.id)?).0;
        let form = form.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let complete = Complete { task, outcome: outcome.to_owned(), form, live: false, lines: Vec::new() };
        self.merchant.command(case.id, Body::Complete(complete))?;
        self.merchant.case(case.id)
    }

    fn inspected(&self, case: &Case, state: &str, tags: bool) -> anyhow::Result<Case> {
        self.answer(case, "looked", &[("state", Value::text(state)), ("tags", Value::Bool(tags))])
    }

    fn settled(&self, case: &Case, steps: &[&str]) -> anyhow::Result<Case> {
        for step in steps {
            let effect = effect(&self.merchant.case(case.id)?, step, None);
            self.merchant.settle(case.id, effect, Settled::Confirmed)?;
        }
        self.merchant.case(case.id)
    }
}

fn ended(case: &Case) -> (&str, String) {
    (stands(case), case.refunded().to_string())
}

#[tokio::test]
async fn a_small_fault_is_paid_at_once_and_a_small_amount_on_the_scan() -> anyhow::Result<()> {
    let shop = Shop::new().await?;
    let fault = shop.open("TSHIRT-M", "damaged").await?;
    assert_eq!(stands(&fault), "refund_now");
    assert_eq!(ended(&shop.settled(&fault, &["refund_now"])?), ("refunded", "EUR 24.90".to_owned()));

    let dress = shop.open("DRESS-38", "changed_mind").await?;
    assert_eq!(stands(&dress), "goods");
    let dress = shop.told(&dress, "carrier_scan")?;
    assert_eq!(stands(&dress), "pay");
    assert_eq!(ended(&shop.settled(&dress, &["pay", "shelf"])?), ("refunded", "EUR 89.00".to_owned()));
    Ok(())
}

#[tokio::test]
async fn what_is_worth_more_is_looked_at_first() -> anyhow::Result<()> {
    let (new, worn, stained) = (Shop::new().await?, Shop::new().await?, Shop::new().await?);
    for shop in [&new, &worn, &stained] {
        let coat = shop.open("COAT-L", "changed_mind").await?;
        assert_eq!(stands(&shop.told(&coat, "carrier_scan")?), "warehouse");
        let coat = shop.told(&coat, "goods_received")?;
        assert_eq!(the_task(&coat).1.queue.as_str(), "warehouse");
        let ends = if std::ptr::eq(shop, &new) {
            let coat = shop.inspected(&coat, "new", true)?;
            ended(&shop.settled(&coat, &["pay", "shelf"])?).0 == "refunded"
        } else if std::ptr::eq(shop, &worn) {
            assert_eq!(stands(&shop.inspected(&coat, "worn", true)?), "worn");
            stands(&shop.answer(&coat, "pay_all", &[])?) == "pay"
        } else {
            stands(&shop.inspected(&coat, "stained", false)?) == "denied"
        };
        assert!(ends);
    }
    Ok(())
}

#[tokio::test]
async fn a_large_amount_is_a_persons_and_a_parcel_that_does_not_come_ends_it() -> anyhow::Result<()> {
    let shop = Shop::new().await?;
    let suit = shop.open("SUIT-50", "changed_mind").await?;
    assert_eq!(stands(&suit), "large");
    let suit = shop.answer(&suit, "approve", &[])?;
    assert_eq!(stands(&suit), "goods");
    shop.world.pass(Span::from_days(22));
    shop.merchant.run_due()?;
    let suit = shop.merchant.case(suit.id)?;
    assert_eq!((stands(&suit), suit.reserved.is_empty()), ("goods_not_received", true));
    Ok(())
}

const EXCHANGE_BASE: &str = include_str!("../../workflows/std/exchange/1.yaml");

#[tokio::test]
async fn what_the_shop_has_no_more_becomes_money() -> anyhow::Result<()> {
    let shop = Shop::new().await?;
    shop.merchant.publish(EXCHANGE_BASE)?;
    let body = json!({
        "kind": "exchange", "order": "AP1001", "customer": { "id": "c3001" }, "attributes": { "wanted": "DRESS-40" },
        "lines": [{ "sku": "DRESS-38", "quantity": 1 }],
    });
    let got = shop.web.ask("POST", "/v1/cases").by(&shop.key).named("x").json(&body).send().await;
    let case = shop.merchant.case(got.json()["id"].as_str().context("an id")?.parse()?)?;
    let case = shop.told(&case, "goods_received")?;
    assert_eq!(stands(&case), "swap");
    let out_of_stock = Some("out_of_stock".to_owned());
    let settle = Settle { code: out_of_stock, ..Settle::new(effect(&case, "swap", None), Settled::Declined) };
    shop.merchant.command(case.id, Body::Settle(settle))?;
    let case = shop.answer(&case, "pay_back", &[])?;
    assert_eq!(stands(&case), "pay");
    let case = shop.settled(&case, &["pay", "shelf_paid"])?;
    assert_eq!(ended(&case), ("refunded", "EUR 89.00".to_owned()));
    Ok(())
}
