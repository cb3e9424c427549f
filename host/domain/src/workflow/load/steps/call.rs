//! `call: { plugin: std/purchase-match@0, with: { window_days: 90 } }`

use std::collections::BTreeMap;

use crate::ids::Slug;
use crate::value::Type;
use crate::workflow::builtin;
use crate::workflow::definition::{Kind, Plugin, PluginRef};
use crate::workflow::diagnostic::{Diagnostic, Range, suggest};
use crate::workflow::expr::Expr;
use crate::workflow::load::Environment;
use crate::workflow::load::outline::{Output, Sketch};
use crate::workflow::load::step::Context;
use crate::workflow::problems::Problems;
use crate::workflow::reader::{At, Fields};
use crate::workflow::schema;

pub(super) fn sketch<'d>(body: &At<'d>, environment: &Environment) -> Sketch<'d> {
    let plugin = body.fields(&schema::CALL).and_then(|fields| plugin(&fields.get("plugin")?, environment));
    Sketch::onward(match plugin {
        Some((_, plugin)) => Output::Of(builtin::call_type(plugin.hook, &plugin.provides)),
        None => Output::Broken,
    })
}

pub(super) fn load(body: &At<'_>, context: &Context<'_, '_>) -> Option<Kind> {
    let fields = body.fields_and(&schema::CALL, &params(body, context.environment))?;
    let (name, plugin) = plugin(&fields.require("plugin")?, context.environment)?;
    let with = with(&fields, &name, plugin, context)?;
    Some(Kind::Call { plugin: name, with })
}

/// The parameters of the plugin that is named, where it has been found: written beside `with` they are told where they stand.
fn params<'e>(body: &At<'_>, environment: &'e Environment) -> Vec<&'e str> {
    let silent = Problems::new();
    let named =
        body.reporting_to(&silent).names().unwrap_or_default().into_iter().find(|(key, _)| key.text == "plugin");
    let found = named.and_then(|(_, at)| plugin(&at, environment));
    let names = found.into_iter().flat_map(|(_, plugin)| plugin.params.keys().map(String::as_str));
    names.filter(|name| schema::CALL.field(name).is_none()).collect()
}

/// The plugin that is named here.
fn plugin<'e>(at: &At<'_>, environment: &'e Environment) -> Option<(PluginRef, &'e Plugin)> {
    let text = at.text()?;
    let Some(name) = parse(text) else {
        let plain = text.split('@').next().unwrap_or(text);
        let help = match environment.plugins.keys().find(|known| known.name == plain) {
            Some(known) => format!("with its major version: `{known}`"),
            None => "`name@major`, as `std/purchase-match@0` or `own-rules@2`".to_owned(),
        };
        return at.refuse_with("bad_name", format!("{text:?} does not name a plugin"), help);
    };
    if let Some(plugin) = environment.plugins.get(&name) {
        return Some((name, plugin));
    }
    let majors: Vec<_> =
        environment.plugins.keys().filter(|known| known.name == name.name).map(ToString::to_string).collect();
    let known: Vec<_> = environment.plugins.keys().map(ToString::to_string).collect();
    let help = match suggest(text, known.iter().map(String::as_str)) {
        _ if !majors.is_empty() => format!("of this plugin there is {}", majors.join(", ")),
        Some(near) => format!("did you mean `{near}`?"),
        None => "push the plugin first: `redress plugin push`".to_owned(),
    };
    at.refuse_with("unknown_plugin", format!("there is no plugin `{text}`"), help)
}

fn parse(text: &str) -> Option<PluginRef> {
    let (name, major) = text.split_once('@')?;
    let plain = name.strip_prefix("std/").unwrap_or(name);
    let digits = !major.is_empty() && major.bytes().all(|byte| byte.is_ascii_digit());
    let canonical = digits && (major == "0" || !major.starts_with('0'));
    (Slug::new(plain).is_ok() && canonical).then_some(())?;
    Some(PluginRef { name: name.to_owned(), major: major.parse().ok()? })
}

/// The parameters: each known, of its type, and none missing.
fn with(
    fields: &Fields<'_>,
    name: &PluginRef,
    plugin: &Plugin,
    context: &Context<'_, '_>,
) -> Option<BTreeMap<String, Expr>> {
    let written = match fields.get("with") {
        Some(at) => at.names()?,
        None => Vec::new(),
    };
    let beside: Vec<_> = fields.names().filter(|key| plugin.params.contains_key(&key.text)).collect();
    for key in beside.iter().filter(|key| schema::CALL.field(&key.text).is_none()) {
        let found = Diagnostic::new("unknown_field", key.range, format!("unknown field `{}`", key.text));
        let help = format!("parameters stand under `with`: `with: {{ {}: … }}`", key.text);
        fields.at().report::<()>(found.help(help).at(format!("{}.{}", fields.at().path(), key.text)));
    }
    let mut complete = beside.is_empty();
    for (param, _) in plugin.params.iter().filter(|(_, kind)| !matches!(kind, Type::Optional(_))) {
        // One that stands elsewhere or is misspelt is reported as unknown, with where it belongs or what was meant.
        if fields.is_meant("with") || beside.iter().any(|key| key.text == *param) {
            complete = false;
        } else if !written.iter().any(|(key, _)| key.text == *param || is_meant(&key.text, param, plugin)) {
            let message = format!("`{name}` needs the parameter `{param}`");
            let at = fields.get("with").unwrap_or_else(|| fields.at().clone());
            at.refuse_with::<()>("missing_parameter", message, format!("its type is {}", plugin.params[param]));
            complete = false;
        }
    }
    let mut with = BTreeMap::new();
    for (key, at) in written {
        let value = match plugin.params.get(&key.text) {
            Some(kind) => context.compiler.value(&at, kind),
            None => unknown_parameter(&at, key.range, &key.text, name, plugin),
        };
        match value {
            Some(value) => _ = with.insert(key.text.clone(), value),
            None => complete = false,
        }
    }
    complete.then_some(with)
}

fn is_meant(written: &str, param: &str, plugin: &Plugin) -> bool {
    !plugin.params.contains_key(written) && suggest(written, [param]).is_some()
}

fn unknown_parameter<T>(at: &At<'_>, range: Range, param: &str, name: &PluginRef, plugin: &Plugin) -> Option<T> {
    let names: Vec<_> = plugin.params.keys().map(String::as_str).collect();
    let help = match suggest(param, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if names.is_empty() => "it has no parameters".to_owned(),
        None => format!("it has {}", names.join(", ")),
    };
    at.report(Diagnostic::new("unknown_parameter", range, format!("`{name}` has no parameter `{param}`")).help(help))
}
