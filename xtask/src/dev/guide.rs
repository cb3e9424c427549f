//! What is told once the demo runs: where everything is, a request for each merchant, and what to try next.

use super::Demo;
use super::api::shown;

/// What is told.
pub(super) fn text(demo: &Demo) -> String {
    let folder = shown(demo.folder.shown().as_ref());
    let (host, provider) = (&demo.host, &demo.provider);
    let (retail, medical, parcel) = (retail(demo), medical(demo), parcel(demo, "00013"));
    format!(
        "\
Redress listens on {host}

  the provider    {provider}/stats and {provider}/effects
  keys            {folder}/keys/<merchant>-<role>.key; the operator's is {folder}/data/operator.key
  mails           {folder}/mail/<merchant>/
  rules           workflows/<merchant>/return.yaml: what you save holds for new cases a second later
  plugins         {folder}/plugins/<merchant>/<name>.wasm: the same
  logs            {folder}/log/

Open a return of the wholesaler; it is decided and refunded at once:

{retail}

Open a return of the medical devices; it waits until the parcel comes:

{medical}

The parcel comes with the number of the return on it (the first one is 00013, the answer above tells):

{parcel}

Next: the README's five minutes change a rule and a plugin while cases run. Ctrl-C stops the demo, starting it again goes on where
it stopped, `--fresh` begins anew.
"
    )
}

/// A return of something bought twenty days ago.
pub(super) fn retail(demo: &Demo) -> String {
    let body = r#"{"kind":"return","customer":{"id":"31001","name":"Ada Byron","email":"ada@example.com"},"lines":[{"sku":"41001","quantity":2}]}"#;
    tell(demo, "online-retail", "cases", "first-return", body)
}

/// A return of a device within its seven days.
pub(super) fn medical(demo: &Demo) -> String {
    let body = r#"{"kind":"return","order":"MD1001","customer":{"id":"c2001","name":"张伟","email":"zhangwei@example.com"},"lines":[{"sku":"THERM-01","quantity":1,"attributes":{"defect":false,"transit_damage":false,"wrong_item":false,"opened":false,"inner_seal":"intact","used":false}}]}"#;
    tell(demo, "medical-device", "cases", "first-return", body)
}

/// The parcel of a return of a device.
pub(super) fn parcel(demo: &Demo, number: &str) -> String {
    let body = format!(r#"{{"name":"goods_received","fields":{{"rma":"{number}"}}}}"#);
    tell(demo, "medical-device", &format!("cases/{number}/events"), &format!("parcel-{number}"), &body)
}

fn tell(demo: &Demo, merchant: &str, address: &str, name: &str, body: &str) -> String {
    let key = shown(format!("{}/keys/{merchant}-integrator.key", demo.folder.shown()).as_ref());
    format!(
        "\
curl -sS {host}/v1/{address} \\
  -H \"Authorization: Bearer $(cat {key})\" \\
  -H 'Content-Type: application/json' -H 'Idempotency-Key: {name}' \\
  -d '{body}'",
        host = demo.host
    )
}
