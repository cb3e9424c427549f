//! What is played: the two processes by their main ways.

use anyhow::Context as _;
use redress::engine::tenant::TenantRecord;
use redress_domain::case::Line;
use redress_domain::case::command::Open;
use redress_domain::clock::{Span, Zone};
use redress_domain::ids::{CustomerId, OrderId, Sku, Slug, TenantId};
use redress_domain::money::{Currency, Money, Price};
use redress_domain::order::{Order, OrderLine, Payment};
use redress_domain::value::{Fields, Value};
use redress_tests::world::{World, days_ago};

use super::book::{Declines, Says};
use super::stage::hours;

const DEVICES: &str = "medical-device/quality.yaml";
const CLOTHES: &str = "apparel/exchange.yaml";
/// The orders that there are.
pub(super) const ORDERS: [&str; 2] = ["MD1", "AP1"];
const NOTHING: Declines = &[];
/// Photographs, as a form names them.
const PHOTOS: [&str; 2] = [
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "sha256:60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
];

/// A process on one of its ways.
#[derive(Clone)]
pub(super) struct Plan {
    pub(super) name: &'static str,
    /// Its file in `workflows`.
    pub(super) workflow: &'static str,
    pub(super) acts: Vec<Act>,
    pub(super) declines: Declines,
    /// How the case ends.
    pub(super) ends: &'static str,
    /// Fewer commits or requests than these would be another way.
    pub(super) commits_min: usize,
    pub(super) sends_min: usize,
}

/// Something that happens, so long after the beginning.
#[derive(Clone)]
pub(super) struct Act {
    pub(super) at: Span,
    pub(super) by: &'static str,
    pub(super) does: Does,
}

/// What happens.
#[derive(Debug, Clone)]
pub(super) enum Does {
    Open(Box<Open>),
    Event(&'static str),
    Answer { step: &'static str, outcome: &'static str, form: Vec<(&'static str, Value)> },
    Nothing,
}

impl Plan {
    /// The merchant: small, in China.
    pub(super) fn merchant(&self, world: &World) -> anyhow::Result<TenantRecord> {
        Ok(TenantRecord {
            id: TenantId::mint(world.app.clock().now(), world.app.clock().random()),
            slug: Slug::new("shop")?,
            zone: Zone::Asia__Shanghai,
            currency: cny()?,
            locale: "zh-CN".to_owned(),
            jurisdiction: "CN".to_owned(),
            created_at: world.app.clock().now(),
        })
    }

    /// The text of the workflow.
    pub(super) fn text(&self) -> anyhow::Result<String> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../workflows");
        Ok(std::fs::read_to_string(std::path::Path::new(folder).join(self.workflow))?)
    }

    /// What was bought: two devices, and a coat and a shirt that were paid by card and by voucher.
    pub(super) fn orders(&self) -> anyhow::Result<Vec<Order>> {
        let facts = [("implantable", false), ("registered_at_sale", true), ("expired_at_sale", false)];
        let more = [("distance_sale", true), ("exclusion_confirmed", false)];
        let mut device: Fields =
            facts.into_iter().chain(more).map(|(name, is)| (name.to_owned(), Value::Bool(is))).collect();
        device.insert("device_class".to_owned(), Value::text("II"));
        device.insert("excluded_kind".to_owned(), Value::text("none"));
        let devices = [("PUMP-2", 2, "640.00", device)];
        let clothes = [("COAT-L", 1, "499.00", Fields::new()), ("SHIRT-M", 2, "39.90", Fields::new())];
        let paid = [("card", 30_000), ("voucher", 27_880)];
        Ok(vec![order("MD1", &devices, &[])?, order("AP1", &clothes, &paid)?])
    }
}

fn cny() -> anyhow::Result<Currency> {
    "CNY".parse().context("a currency")
}

fn order(id: &str, lines: &[(&str, u32, &str, Fields)], paid: &[(&str, i64)]) -> anyhow::Result<Order> {
    let (at, currency) = (days_ago(5), cny()?);
    let line = |(sku, quantity, price, attributes): &(&str, u32, &str, Fields)| {
        let unit_price = Price::new(price.parse()?, currency);
        Ok(OrderLine {
            sku: Sku::new(sku)?,
            quantity: *quantity,
            at,
            delivered_at: Some(days_ago(3)),
            unit_price,
            paid: OrderLine::price_of(unit_price, *quantity)?,
            units: Vec::new(),
            attributes: attributes.clone(),
        })
    };
    let payment = |(id, minor): &(&str, i64)| Payment {
        id: (*id).to_owned(),
        provider: (*id).to_owned(),
        reference: (*id).to_owned(),
        captured: Money::from_minor(*minor, currency),
    };
    Ok(Order {
        id: OrderId::new(id)?,
        customer: Some(CustomerId::new("c1")?),
        currency,
        placed_at: at,
        lines: lines.iter().map(line).collect::<anyhow::Result<_>>()?,
        payments: paid.iter().map(payment).collect(),
        attributes: Fields::new(),
    })
}

fn open(kind: &str, order: &str, sku: &str, about: (&str, Value), line: Fields) -> Act {
    let line = Line {
        sku: Sku::new(sku).unwrap(),
        quantity: 1,
        reason: None,
        bought: None,
        unit: None,
        attributes: line,
        outcome: None,
    };
    let open = Open {
        kind: Slug::new(kind).unwrap(),
        external: None,
        history: false,
        customer: Some(CustomerId::new("c1").unwrap()),
        order: Some(OrderId::new(order).unwrap()),
        currency: cny().unwrap(),
        reason: Some("damaged".to_owned()),
        claim: None,
        called: None,
        start: None,
        attributes: Fields::from([(about.0.to_owned(), about.1)]),
        lines: vec![line],
    };
    Act { at: hours(0), by: "shop", does: Does::Open(Box::new(open)) }
}

/// A pump that does not work, or of which nobody said whether it does; and whether somebody was hurt.
fn pump(harm: bool, is_found_faulty: bool) -> Act {
    let said = [("transit_damage", false), ("wrong_item", false), ("opened", true), ("used", false)];
    let mut line: Fields = said.into_iter().map(|(name, is)| (name.to_owned(), Value::Bool(is))).collect();
    if is_found_faulty {
        line.insert("defect".to_owned(), Value::Bool(true));
    }
    line.insert("inner_seal".to_owned(), Value::text("intact"));
    open("quality_return", "MD1", "PUMP-2", ("harm", Value::Bool(harm)), line)
}

/// A coat that is to be another one.
fn coat() -> Act {
    let mut act = open("exchange", "AP1", "COAT-L", ("wanted", Value::text("COAT-XL")), Fields::new());
    if let Does::Open(open) = &mut act.does {
        open.reason = Some("wrong_size".to_owned());
    }
    act
}

fn at(after: i64, does: Does) -> Act {
    Act { at: hours(after), by: "ada", does }
}

fn event(after: i64, name: &'static str) -> Act {
    at(after, Does::Event(name))
}

fn answer(after: i64, step: &'static str, outcome: &'static str, form: &[(&'static str, Value)]) -> Act {
    at(after, Does::Answer { step, outcome, form: form.to_vec() })
}

fn nothing(after: i64) -> Act {
    at(after, Does::Nothing)
}

fn photos(count: usize) -> Value {
    Value::List(PHOTOS[..count].iter().map(|photo| Value::text(*photo)).collect())
}

fn inspected(after: i64, seal: &str) -> Act {
    let form = [("seal", Value::text(seal)), ("serial_ok", Value::Bool(true)), ("photos", photos(2))];
    answer(after, "check", "done", &form)
}

fn graded(after: i64, state: &str, tags: bool) -> Act {
    let form = [("state", Value::text(state)), ("tags", Value::Bool(tags)), ("photos", photos(1))];
    answer(after, "check", "done", &form)
}

/// A way of a process: its name, how the case ends there, and how many commits and requests there are at least.
fn plan(
    workflow: &'static str,
    (name, ends, (commits_min, sends_min)): (&'static str, &'static str, (usize, usize)),
    declines: Declines,
    acts: Vec<Act>,
) -> Plan {
    Plan { name, workflow, acts, declines, ends, commits_min, sends_min }
}

/// The devices.
pub(super) fn devices() -> Vec<Plan> {
    let plan = |name, ends, least, declines, acts| plan(DEVICES, (name, ends, least), declines, acts);
    let clean = [("contaminated", Value::Bool(true))];
    let safe = |after, by| Act { by, ..answer(after, "safety", "take_back", &clean) };
    vec![
        plan(
            "harm is claimed, two people let it come, all is paid",
            "refunded",
            (41, 10),
            NOTHING,
            // Two reminders, two escalations; then two people.
            vec![
                pump(true, true),
                safe(48, "ada"),
                safe(49, "bo"),
                event(120, "goods_received"),
                inspected(126, "intact"),
            ],
        ),
        plan(
            "a broken seal pays a part, the provider declines it and finance pays",
            "settled_by_hand",
            (34, 8),
            &[("refund.requested", "", Says::No(None))],
            vec![
                pump(false, true),
                event(24 * 8, "goods_received"),
                inspected(24 * 8 + 2, "broken"),
                answer(24 * 12, "finance", "paid_otherwise", &[("reference", Value::text("T-1"))]),
            ],
        ),
        plan(
            "no parcel comes and the label is voided",
            "goods_not_received",
            (25, 6),
            NOTHING,
            vec![pump(false, true), nothing(24 * 31)],
        ),
        plan(
            "the customer keeps it and the label is voided",
            "called_off",
            (11, 3),
            NOTHING,
            vec![pump(false, true), event(30, "called_off")],
        ),
        plan(
            "a fact is missing and the quality people refuse it",
            "denied",
            (10, 2),
            NOTHING,
            vec![pump(false, false), answer(30, "quality", "refuse", &clean)],
        ),
        plan(
            "nobody decides in ten days of work, somebody does then, the carrier has no label",
            "refunded",
            (28, 5),
            &[("http.requested", "carrier-label", Says::No(Some("no_service")))],
            vec![
                pump(false, false),
                answer(24 * 20, "stuck", "go_on", &[]),
                answer(24 * 21, "collect", "arranged", &[]),
                event(24 * 22, "goods_received"),
                inspected(24 * 22 + 1, "intact"),
            ],
        ),
    ]
}

/// The clothes.
pub(super) fn clothes() -> Vec<Plan> {
    let plan = |name, ends, least, declines, acts| plan(CLOTHES, (name, ends, least), declines, acts);
    let sold_out: Declines = &[("exchange.requested", "", Says::No(Some("out_of_stock")))];
    let came = |graded: Act| vec![coat(), event(24 * 6, "carrier_scan"), event(24 * 8, "goods_received"), graded];
    let shirt = || open("try_on", "AP1", "SHIRT-M", ("wanted", Value::text("-")), Fields::new());
    vec![
        plan("another size is sent", "completed", (24, 6), NOTHING, came(graded(24 * 8 + 3, "new", true))),
        plan(
            "it is sold out and paid back in two legs",
            "completed",
            (29, 9),
            sold_out,
            came(graded(24 * 8 + 3, "new", true)),
        ),
        plan("it was worn and a part is paid", "completed", (37, 9), NOTHING, came(graded(24 * 11, "worn", true))),
        plan(
            "one leg is declined and finance pays it",
            "completed",
            (35, 8),
            &[("refund.requested", "voucher", Says::No(Some("expired")))],
            [came(graded(24 * 8 + 3, "worn", false)), vec![answer(24 * 12, "finance_goods", "paid_otherwise", &[])]]
                .concat(),
        ),
        plan("it is stained and denied", "rejected", (18, 4), NOTHING, came(graded(24 * 8 + 3, "stained", false))),
        plan(
            "no parcel comes and the label is voided",
            "goods_not_received",
            (25, 6),
            NOTHING,
            vec![coat(), nothing(24 * 22)],
        ),
        plan("a small fault is paid at once", "completed", (7, 2), NOTHING, vec![shirt()]),
    ]
}
