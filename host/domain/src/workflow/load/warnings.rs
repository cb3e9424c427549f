//! What is worth a second look, though the document can run: a warning refuses nothing. Said only of what an author hardly meant.

mod attributes;
mod parameters;

use std::borrow::Cow;

use chrono::Datelike as _;

use crate::clock::{Instant, Span};
use crate::value::Value;
use crate::workflow::calendar::delay::Delay;
use crate::workflow::definition::{Compensate, Definition, Kind, Notify, RefundOf, Step, Timeout};
use crate::workflow::diagnostic::suggest;
use crate::workflow::expr::{Context, Expr, Roots, STEPS_MAX};
use crate::workflow::load::outline::{Draft, Outline};
use crate::workflow::reader::{At, Fields};
use crate::workflow::schema;

/// Whom a notice goes to that goes to nobody's queue.
const CUSTOMER: &str = "customer";
/// How far ahead a calendar is looked at in any case: a case that is opened today is hardly over before.
const HORIZON: Span = Span::from_days(92);

/// Look at a document that can run.
pub(super) fn look(document: &Fields<'_>, outline: &Outline<'_>, definition: &Definition, now: Option<Instant>) {
    let queues = queues(definition);
    // A step of the outline stands at the same place in the definition.
    for (draft, step) in outline.drafts.iter().zip(&definition.steps) {
        amount(draft, step, outline, definition);
        recipients(draft, step, &queues);
        texts(document, draft, step);
        attributes::look(draft, step, definition);
        parameters::look(draft, step, definition);
    }
    untold(document, definition);
    if let Some(now) = now {
        years(document, definition, now);
    }
}

/// A refund of a fixed amount that the case's own limit never lets through.
fn amount(draft: &Draft<'_>, step: &Step, outline: &Outline<'_>, definition: &Definition) {
    let Kind::Refund { amount: RefundOf::Amount(amount), .. } = &step.kind else { return };
    let Some(Value::Money(limit)) = definition.limits.refund_max.as_ref().and_then(|max| fixed(max, definition)) else {
        return;
    };
    // A variable that a step sets may have another value by then.
    let is_set = |name: &str| outline.drafts.iter().any(|draft| draft.sets.contains(name));
    if amount.reads().iter().any(|path| is_set(path.strip_prefix("vars.").unwrap_or(path))) {
        return;
    }
    let Some(Value::Money(fixed)) = fixed(amount, definition) else { return };
    if fixed.amount() > limit.amount()
        && let Some(at) = field(draft, "amount")
    {
        let message = format!("this refund of {fixed} is above `limits.refund_max`, which is {limit}");
        let help = "it always fails with `refund_exceeds_limit`: raise the limit, or refund less";
        at.warn("refund_above_limit", message, help);
    }
}

/// What an expression comes to that reads nothing but variables, by their defaults.
fn fixed(expr: &Expr, definition: &Definition) -> Option<Value> {
    let mut context = Context { zone: definition.zone, currency: definition.currency, steps_left: STEPS_MAX };
    expr.evaluate(&Defaults(definition), &mut context).ok()
}

/// The variables as a case begins with them.
struct Defaults<'a>(&'a Definition);

impl Roots for Defaults<'_> {
    fn root(&self, name: &str) -> Option<Cow<'_, Value>> {
        let vars = &self.0.vars;
        if name == "vars" {
            let all = vars.iter().filter_map(|(name, one)| Some((name.clone(), one.default.clone()?)));
            return Some(Cow::Owned(Value::Object(all.collect())));
        }
        vars.get(name)?.default.as_ref().map(Cow::Borrowed)
    }
}

/// The queues that people of this document work on.
fn queues(definition: &Definition) -> Vec<&str> {
    let asked = definition.steps.iter().filter_map(|step| step.kind.asked());
    let of_review = asked.flat_map(|review| {
        let escalated = review.sla.iter().flat_map(|sla| sla.escalate.iter().map(|one| one.to.as_str()));
        std::iter::once(review.queue.as_str()).chain(escalated)
    });
    of_review.collect()
}

/// A notice to somebody who is nearly the customer, or nearly a queue of the document.
fn recipients(draft: &Draft<'_>, step: &Step, queues: &[&str]) {
    if let Kind::Notify(notify) = &step.kind
        && let Some(at) = field(draft, "to")
    {
        recipient(&at, &notify.to, queues);
    }
    if let Some(Compensate::Notify(notify)) = &step.compensate
        && let Some(at) = undone(draft, "to")
    {
        recipient(&at, &notify.to, queues);
    }
}

fn recipient(at: &At<'_>, to: &str, queues: &[&str]) {
    if to == CUSTOMER || queues.contains(&to) {
        return;
    }
    let Some(near) = suggest(to, std::iter::once(CUSTOMER).chain(queues.iter().copied())) else { return };
    let message = format!("`{to}` is taken for a queue, and no step of this workflow has one of that name");
    at.warn("unknown_recipient", message, format!("did you mean `{near}`?"));
}

/// A text that has nearly the name of one of the document's own.
fn texts(document: &Fields<'_>, draft: &Draft<'_>, step: &Step) {
    let own: Vec<&str> = messages(document).into_iter().map(|(name, _)| name).collect();
    let near = |notify: &Notify, at: Option<At<'_>>| {
        let name = notify.template.as_str();
        if let (None, Some(near), Some(at)) = (&notify.message, suggest(name, own.iter().copied()), at) {
            let message = format!("`{name}` is no text of this workflow, which has one of nearly this name");
            at.warn("unknown_template", message, format!("did you mean `{near}`?"));
        }
    };
    if let Kind::Notify(notify) = &step.kind {
        near(notify, field(draft, "template"));
    }
    if let Some(Compensate::Notify(notify)) = &step.compensate {
        near(notify, undone(draft, "template"));
    }
}

/// Texts that nobody is told. What they read is not checked, for nobody knows where they would be told.
fn untold(document: &Fields<'_>, definition: &Definition) {
    let told = definition.templates();
    for (name, at) in messages(document).into_iter().filter(|(name, _)| !told.contains(name)) {
        let help = "name it in a `notify`, or remove it";
        at.warn("never_told", format!("no step tells `{name}`, so that what it reads is not checked"), help);
    }
}

/// The texts of a document, by name.
fn messages<'d>(document: &Fields<'d>) -> Vec<(&'d str, At<'d>)> {
    let written = document.get("messages").and_then(|at| at.names()).unwrap_or_default();
    written.into_iter().map(|(key, at)| (key.text.as_str(), at)).collect()
}

/// Years that a case of today reaches and of which the calendar knows the week alone.
fn years(document: &Fields<'_>, definition: &Definition, now: Instant) {
    let Some(calendar) = &definition.calendar else { return };
    let longest = definition.steps.iter().flat_map(delays).chain(definition.limits.open_for);
    let ends = longest.map(|delay| delay.after(now, Some(calendar))).chain([now.after(HORIZON)]).max();
    let year = |at: Instant| at.date(calendar.zone).year();
    let unknown = calendar.unknown_years(year(now)..=year(ends.unwrap_or(now)));
    let holidays = document.get("calendar").and_then(|at| at.fields(&schema::CALENDAR)?.get("holidays"));
    if let (Some(at), [first, rest @ ..]) = (holidays, &unknown[..]) {
        let to = rest.last().map_or_else(String::new, |last| format!(" to {last}"));
        let message = format!("there is no table of holidays for {first}{to}, which cases of today reach");
        let help = "only the week counts there; a newer program brings newer tables, and makes a new revision of this";
        at.warn("holidays_unknown", message, help);
    }
}

/// How long a step may wait.
fn delays(step: &Step) -> Vec<Delay> {
    let of_timeout = |timeout: &Timeout| match timeout {
        Timeout::After { after, .. } => Some(*after),
        Timeout::Never { .. } => None,
    };
    match &step.kind {
        Kind::Review(review) | Kind::Inspect(review) => {
            let sla = review.sla.iter().flat_map(|sla| {
                let escalated = sla.escalate.iter().map(|one| one.after);
                sla.remind.iter().copied().chain([sla.due]).chain(escalated)
            });
            sla.chain(of_timeout(&review.timeout)).collect()
        }
        Kind::Await { timeout, .. } => of_timeout(timeout).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// A field of what the step does.
fn field<'d>(draft: &Draft<'d>, name: &str) -> Option<At<'d>> {
    let (_, body) = draft.kind.as_ref()?;
    body.names()?.into_iter().find(|(key, _)| key.text == name).map(|(_, at)| at)
}

/// A field of what the step's `compensate` tells.
fn undone<'d>(draft: &Draft<'d>, name: &str) -> Option<At<'d>> {
    let notify = draft.fields.as_ref()?.get("compensate")?.fields(&schema::COMPENSATE)?.get("notify")?;
    notify.names()?.into_iter().find(|(key, _)| key.text == name).map(|(_, at)| at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow::diagnostic::{Severity, render};
    use crate::workflow::load::{Environment, load};

    /// 26 November 2026: a season of ninety days reaches into 2027.
    const NOVEMBER: i64 = 1_795_651_200_000;
    const DAY: i64 = 86_400_000;

    fn document(head: &str, steps: &str) -> String {
        format!(
            "format: 1\nworkflow: warned\ncurrency: EUR\nzone: Europe/Berlin\ntriggers: [{{ case_opened: {{}} }}]\n{head}\nsteps:\n{steps}\n  - {{ id: done, finish: {{ result: done }} }}\n"
        )
    }

    /// Where each warning stands and what it is called; the document is valid.
    fn warned(source: &str, now: Option<i64>) -> Vec<String> {
        let environment = Environment { now: now.map(Instant::from_unix_ms), ..Environment::default() };
        let definition = load(source, &environment).unwrap_or_else(|found| panic!("{found:#?}"));
        assert!(definition.warnings.iter().all(|one| one.severity == Severity::Warning));
        definition.warnings.iter().map(|one| format!("{} {}", one.path, one.code)).collect()
    }

    #[test]
    fn a_refund_that_the_limit_never_lets_through_is_told() {
        let refund = |amount: &str| format!("  - {{ id: pay, refund: {{ amount: {amount} }} }}");
        let told = |head: &str, steps: &str| warned(&document(head, steps), None);
        let limit = "limits: { refund_max: 20.00 }";
        let above = ["steps[0].refund.amount refund_above_limit"];
        assert_eq!(told(limit, &refund("20.01")), above);
        assert_eq!(told(limit, &refund("20.00")), [""; 0]);
        let vars = format!("{limit}\nvars: {{ credit: {{ type: money, default: 25.00 }} }}");
        assert_eq!(told(&vars, &refund("=credit")), above);
        assert_eq!(told(&vars, &refund("'=round(vars.credit * 2, 2)'")), above);
        assert_eq!(told(&vars, &refund("'=round(credit / 2, 2)'")), [""; 0]);
        // A limit may be a variable too, and a variable that is set may be another by then.
        assert_eq!(told(&vars.replace("20.00 }", "=credit }"), &refund("25.01")), above);
        let set = format!("  - {{ id: less, set: {{ credit: 5.00 }} }}\n{}", refund("=credit"));
        assert_eq!(told(&vars, &set), [""; 0]);
    }

    #[test]
    fn a_notice_to_nearly_the_customer_or_nearly_a_queue_is_told() {
        let told = |to: &str| {
            let steps = format!(
                "  - {{ id: tell, notify: {{ template: x, to: {to} }} }}\n  - id: look\n    review:\n      queue: returns-l1\n      title: Look\n      next: {{ go: done }}\n      sla: {{ due: 1d, escalate: [{{ after: 2d, to: leaders }}] }}\n      timeout: {{ after: 3d, then: done }}"
            );
            warned(&document("", &steps), None)
        };
        for near in ["custmer", "returns-l2", "leader"] {
            assert_eq!(told(near), ["steps[0].notify.to unknown_recipient"], "{near}");
        }
        for good in ["customer", "returns-l1", "leaders", "accounting"] {
            assert_eq!(told(good), [""; 0], "{good}");
        }
        let undone =
            "  - id: label\n    http: { target: carrier }\n    compensate: { notify: { template: x, to: costumer } }";
        assert_eq!(warned(&document("", undone), None), ["steps[0].compensate.notify.to unknown_recipient"]);
    }

    #[test]
    fn a_text_that_nobody_is_told_and_one_of_nearly_its_name_are_told() {
        let told = |template: &str| {
            let head = "messages: { sorry: { subject: Sorry, text: 'It is {{ nothing }}' } }";
            warned(
                &document(head, &format!("  - {{ id: tell, notify: {{ template: {template}, to: customer }} }}")),
                None,
            )
        };
        let untold = "messages.sorry never_told";
        assert_eq!(told("sory"), [untold, "steps[0].notify.template unknown_template"]);
        assert_eq!(told("return-done"), [untold]);
    }

    #[test]
    fn years_without_holidays_are_told_as_far_as_a_case_of_today_reaches() {
        let rest = "  - id: look\n    review:\n      queue: desk\n      title: Look\n      next: { go: done }\n      timeout: { after: 5bd, then: done }";
        let head = "calendar: { hours: 'Mon-Fri 09:00-17:00', holidays: de }";
        let told = |head: &str, now: i64| warned(&document(head, rest), Some(now));
        let ends = ["calendar.holidays holidays_unknown"];
        assert_eq!(told(head, NOVEMBER), ends);
        assert_eq!(told(head, NOVEMBER - 150 * DAY), [""; 0], "in June a season ends in the same year");
        assert_eq!(told(&format!("{head}\nlimits: {{ open_for: 300d }}"), NOVEMBER - 150 * DAY), ends);
        assert_eq!(told("calendar: { hours: 'Mon-Fri 09:00-17:00' }", NOVEMBER), [""; 0]);
        assert_eq!(warned(&document(head, rest), None), [""; 0], "nobody knows when");
        let text = document(head, rest);
        let environment = Environment { now: Some(Instant::from_unix_ms(NOVEMBER)), ..Environment::default() };
        let definition = load(&text, &environment).unwrap();
        assert_eq!(definition.revision, load(&text, &Environment::default()).unwrap().revision);
        let told = render("w.yaml", &text, &definition.warnings[0]);
        assert!(
            told.starts_with("w.yaml:6:53: warning: calendar.holidays: there is no table of holidays for 2027, which"),
            "{told}"
        );
    }

    #[test]
    fn a_document_with_a_mistake_is_told_its_mistakes_alone() {
        let text = document(
            "limits: { refund_max: 2.00 }",
            "  - { id: tell, notify: { template: x, to: custmer, loud: true } }",
        );
        let found = load(&text, &Environment::default()).unwrap_err();
        assert!(matches!(&found[..], [one] if one.code == "unknown_field"), "{found:#?}");
    }
}
