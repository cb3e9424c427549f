//! The demo merchant of medical devices: every way that its workflow goes, on its own orders, with the stock plugins.

use anyhow::Context as _;
use redress::engine::tenant::TenantRecord;
use redress::keys::Role;
use redress_domain::case::command::{Body, Complete, Settled};
use redress_domain::case::{Case, What};
use redress_domain::clock::{Span, Zone};
use redress_domain::ids::{Slug, TenantId};
use redress_domain::value::{Fields, Value};
use redress_tests::shop::{effect, stands, the_task};
use redress_tests::web::Web;
use redress_tests::world::{Merchant, World};
use serde_json::{Map, Value as Json, json};

const WORKFLOW: &str = include_str!("../../workflows/medical-device/return.yaml");
const ORDERS: &str = include_str!("../../workflows/medical-device/orders.json");

/// The merchant with its orders, on the day that the orders were written for.
struct Clinic {
    world: World,
    merchant: Merchant,
    web: Web,
    key: String,
}

impl Clinic {
    async fn new() -> anyhow::Result<Self> {
        let world = World::new()?;
        let (clock, id) = (world.app.clock(), TenantId::mint(world.app.clock().now(), world.app.clock().random()));
        let merchant = world.merchant_of(TenantRecord {
            id,
            slug: Slug::new("medical-device")?,
            zone: Zone::Asia__Shanghai,
            currency: "CNY".parse().context("a currency")?,
            locale: "zh-CN".to_owned(),
            jurisdiction: "CN".to_owned(),
            created_at: clock.now(),
        })?;
        merchant.publish(WORKFLOW)?;
        let web = Web::of(&world)?;
        let key = web.key(id, Role::Integrator)?;
        let clinic = Self { world, merchant, web, key };
        clinic.put_orders().await?;
        Ok(clinic)
    }

    async fn put_orders(&self) -> anyhow::Result<()> {
        let file: Json = serde_json::from_str(ORDERS)?;
        for (id, order) in file["orders"].as_object().context("orders by their number")? {
            let got = self.web.ask("PUT", &format!("/v1/orders/{id}")).by(&self.key).json(order).send().await;
            assert_eq!(got.status, 201, "{id}: {}", String::from_utf8_lossy(&got.bytes));
        }
        Ok(())
    }

    /// A return of some units of one stock code, of which the customer says nothing unusual but this.
    async fn open(&self, customer: &str, order: &str, sku: &str, quantity: u32, said: Json) -> anyhow::Result<Case> {
        let mut attributes = json!({
            "defect": false, "transit_damage": false, "wrong_item": false, "opened": false, "inner_seal": "intact",
            "used": false,
        });
        merge(&mut attributes, said);
        let body = json!({
            "kind": "return", "order": order, "customer": { "id": customer },
            "lines": [{ "sku": sku, "quantity": quantity, "attributes": attributes }],
        });
        let name = format!("{order}-{sku}-{quantity}");
        let got = self.web.ask("POST", "/v1/cases").by(&self.key).named(&name).json(&body).send().await;
        assert_eq!(got.status, 201, "{}", String::from_utf8_lossy(&got.bytes));
        let id = got.json()["id"].as_str().context("an id")?.parse()?;
        self.merchant.case(id)
    }

    fn case(&self, case: &Case) -> anyhow::Result<Case> {
        self.merchant.case(case.id)
    }

    fn answer(&self, case: &Case, outcome: &str) -> anyhow::Result<Case> {
        let task = the_task(&self.case(case)?).0;
        let outcome = outcome.to_owned();
        let complete = Complete { task, outcome, form: Fields::new(), live: false, lines: Vec::new() };
        self.merchant.command(case.id, Body::Complete(complete))?;
        self.case(case)
    }

    /// The parcel comes, with the number of the return on it.
    fn goods(&self, case: &Case) -> anyhow::Result<Case> {
        let rma = Fields::from([("rma".to_owned(), Value::text(&case.number))]);
        self.merchant.event(case.id, "goods_received", rma)?;
        self.case(case)
    }

    fn settle(&self, case: &Case, step: &str, outcome: Settled) -> anyhow::Result<Case> {
        self.merchant.settle(case.id, effect(&self.case(case)?, step, None), outcome)?;
        self.case(case)
    }

    /// The money is paid and the goods are put away.
    fn paid(&self, case: &Case) -> anyhow::Result<Case> {
        self.settle(case, "pay", Settled::Confirmed)?;
        self.settle(case, "shelf", Settled::Confirmed)
    }

    fn left(&self, order: &str, line: u32) -> anyhow::Result<(u32, u32)> {
        let ledger = self.merchant.ledger(order)?;
        Ok(ledger.as_ref().and_then(|ledger| ledger.line(line)).map_or((0, 0), |line| (line.reserved, line.returned)))
    }
}

fn merge(into: &mut Json, from: Json) {
    if let (Some(into), Json::Object(from)) = (into.as_object_mut(), from) {
        into.extend(from.into_iter().collect::<Map<_, _>>());
    }
}

fn notices(case: &Case) -> Vec<&str> {
    let template = |what: &'_ What| matches!(what, What::Notice { .. });
    let of = case.effects.values().filter(|effect| template(&effect.what)).map(|effect| effect.step.as_str());
    let mut steps: Vec<_> = of.collect();
    steps.sort_unstable();
    steps
}

fn shelved(case: &Case) -> Vec<(String, u32)> {
    let goods = case.effects.values().filter_map(|effect| match &effect.what {
        What::Restock { to, goods, .. } if to == "quarantine" => Some(goods),
        _ => None,
    });
    goods.flatten().map(|(sku, quantity)| (sku.to_string(), *quantity)).collect()
}

#[tokio::test]
async fn an_intact_device_within_seven_days_is_refunded_when_it_came_and_goes_to_quarantine() -> anyhow::Result<()> {
    let clinic = Clinic::new().await?;
    let case = clinic.open("c2001", "MD1001", "THERM-01", 1, json!({})).await?;
    assert_eq!((stands(&case), notices(&case).as_slice()), ("goods", ["tell_send"].as_slice()));
    assert!(case.decisive_reasons().contains(&"seven_day_return"), "{:?}", case.decisive_reasons());
    assert_eq!(clinic.left("MD1001", 0)?, (1, 0));

    assert_eq!(stands(&clinic.goods(&case)?), "pay");
    let case = clinic.paid(&case)?;
    assert_eq!((stands(&case), case.refunded().to_string()), ("refunded", "CNY 128.00".to_owned()));
    assert_eq!(shelved(&case), [("THERM-01".to_owned(), 1)]);
    assert_eq!(notices(&case), ["tell_refunded", "tell_send"]);
    assert_eq!(clinic.left("MD1001", 0)?, (0, 1));
    Ok(())
}

#[tokio::test]
async fn what_the_law_gives_no_right_to_is_denied_with_its_article() -> anyhow::Result<()> {
    let clinic = Clinic::new().await?;
    let denied = [
        ("c2001", "MD1001", "MASK-50", json!({}), "exclusion_confirmed"),
        ("c2002", "MD1002", "GLUCO-KIT", json!({}), "withdrawal_period_over"),
        (
            "c2004",
            "MD1004",
            "DRESS-10",
            json!({ "inner_seal": "broken", "opened": true, "seal_disputed": false }),
            "sealed_pack_damaged",
        ),
        ("c2006", "MD1006", "HEAR-FIT", json!({}), "excluded_by_law"),
        ("c2001", "MD1001", "TAPE-5M", json!({}), "not_purchased"),
    ];
    for (customer, order, sku, said, reason) in denied {
        let case = clinic.open(customer, order, sku, 1, said).await?;
        assert_eq!((stands(&case), notices(&case).as_slice()), ("denied", ["tell_denied"].as_slice()), "{sku}");
        assert!(case.decisive_reasons().contains(&reason), "{sku}: {:?}", case.decisive_reasons());
        assert!(shelved(&case).is_empty() && case.reserved.is_empty());
    }
    Ok(())
}

#[tokio::test]
async fn a_fact_that_nobody_stated_is_a_quality_persons_and_what_they_accept_is_paid_and_put_away() -> anyhow::Result<()>
{
    let clinic = Clinic::new().await?;
    let case = clinic.open("c2007", "MD1007", "NEBUL-2", 1, json!({})).await?;
    let (_, task) = the_task(&case);
    assert_eq!((stands(&case), task.queue.as_str()), ("quality", "quality"));
    assert_eq!(task.title, format!("Quality review of return {}, CNY 268.00", case.number));
    assert!(case.decisive_reasons().contains(&"facts_missing"), "{:?}", case.decisive_reasons());

    assert_eq!(stands(&clinic.answer(&case, "accept")?), "goods");
    assert_eq!(stands(&clinic.goods(&case)?), "pay");
    let case = clinic.paid(&case)?;
    assert_eq!((stands(&case), case.refunded().to_string()), ("refunded", "CNY 268.00".to_owned()));
    assert_eq!(shelved(&case), [("NEBUL-2".to_owned(), 1)]);
    Ok(())
}

#[tokio::test]
async fn an_implant_and_an_opened_sterile_pack_are_looked_at_even_where_the_law_allows_them() -> anyhow::Result<()> {
    let clinic = Clinic::new().await?;
    let implant = clinic.open("c2003", "MD1003", "IMPLANT-42", 1, json!({})).await?;
    assert_eq!(stands(&implant), "quality");
    let opened = clinic.open("c2004", "MD1004", "DRESS-10", 2, json!({ "opened": true })).await?;
    assert_eq!(stands(&opened), "quality");
    let sealed = clinic.open("c2004", "MD1004", "DRESS-10", 1, json!({})).await?;
    assert_eq!(stands(&sealed), "goods");

    let implant = clinic.answer(&implant, "refuse")?;
    assert_eq!((stands(&implant), notices(&implant).as_slice()), ("denied", ["tell_denied"].as_slice()));
    assert_eq!(clinic.left("MD1003", 0)?, (0, 0));
    Ok(())
}

#[tokio::test]
async fn goods_that_do_not_come_in_time_end_the_return_and_free_the_units() -> anyhow::Result<()> {
    let clinic = Clinic::new().await?;
    let case = clinic.open("c2001", "MD1001", "THERM-01", 2, json!({})).await?;
    assert_eq!(clinic.left("MD1001", 0)?, (2, 0));
    clinic.world.pass(Span::from_days(29));
    clinic.merchant.run_due()?;
    assert_eq!(stands(&clinic.case(&case)?), "goods");
    clinic.world.pass(Span::from_days(1));
    clinic.merchant.run_due()?;
    let case = clinic.case(&case)?;
    assert_eq!((stands(&case), case.refunded().is_zero()), ("goods_not_received", true));
    assert_eq!(notices(&case), ["tell_late", "tell_send"]);
    assert_eq!(clinic.left("MD1001", 0)?, (0, 0));
    Ok(())
}

#[tokio::test]
async fn a_large_refund_waits_for_a_manager() -> anyhow::Result<()> {
    let clinic = Clinic::new().await?;
    let case = clinic.open("c2005", "MD1005", "WHEEL-A3", 1, json!({ "transit_damage": true })).await?;
    assert!(case.decisive_reasons().contains(&"transit_damage"), "{:?}", case.decisive_reasons());
    let case = clinic.goods(&case)?;
    assert_eq!((stands(&case), the_task(&case).1.queue.as_str()), ("large", "manager"));
    assert_eq!(stands(&clinic.answer(&case, "approve")?), "pay");
    assert_eq!(clinic.paid(&case)?.refunded().to_string(), "CNY 2980.00");
    Ok(())
}

#[tokio::test]
async fn a_declined_refund_is_a_matter_of_finance_and_what_nobody_decides_does_not_end_by_itself() -> anyhow::Result<()>
{
    let clinic = Clinic::new().await?;
    let case = clinic.open("c2001", "MD1001", "THERM-01", 1, json!({})).await?;
    clinic.goods(&case)?;
    let case = clinic.settle(&case, "pay", Settled::Declined)?;
    assert_eq!((stands(&case), the_task(&case).1.queue.as_str()), ("finance", "finance"));
    let case = clinic.answer(&case, "paid_otherwise")?;
    assert_eq!(stands(&case), "settled_by_hand");

    let waiting = clinic.open("c2003", "MD1003", "IMPLANT-42", 2, json!({})).await?;
    clinic.world.pass(Span::from_days(10));
    clinic.merchant.run_due()?;
    let waiting = clinic.case(&waiting)?;
    assert_eq!((stands(&waiting), the_task(&waiting).1.queue.as_str()), ("undecided", "finance"));
    Ok(())
}
