//! The conformance suite: what every plugin is asked before it is trusted, by its author and by the host that takes it.
//!
//! [`check`] asks a loaded plugin about built-in cases, the author's own and generated ones, and holds the answers to named
//! [`Rule`]s. [`dry_run`] is the same, short and limited in time, for an upload. A case is a JSON file ([`Case::parse`]), so
//! that author and platform run the same. Nothing of a case is recorded.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

pub use self::case::{Case, Expect, Question, outcome};
pub use self::form::Mistake;
pub use self::report::{BadCase, Count, Finding, FuelMost, Level, Report, Rule, Undecided};

use self::built_in::is_large;
use self::rules::{because, difference, ending, is_hosts, is_out_of_fuel, over_half, smallest, with_unknown};
use crate::cache::hex;
use crate::call::Attempt;
use crate::inspect::Refusal;
use crate::sandbox::{PluginInfo, Sandbox};
use crate::{Class, Digest, Hook};

mod built_in;
mod case;
mod form;
mod generate;
mod moment;
mod report;
mod rules;

/// Findings that are kept of each rule; all are counted.
const FINDINGS_MOST: usize = 5;
/// Reasons that are told for what was not decided.
const BECAUSE_MOST: usize = 5;
/// Characters of a finding that a refusal tells.
const DETAIL_CHARS: usize = 1_000;
/// Generated cases of a dry run: enough to meet what a host sends every day.
const DRY_RUN_GENERATED: u32 = 24;

/// What a plugin is asked about beside the built-in cases.
#[derive(Clone, Copy)]
pub struct Plan<'a> {
    /// The seed of generated cases.
    pub seed: u64,
    /// How many are generated for each hook.
    pub generated: u32,
    /// The author's own cases. They are asked first, so that time is over for others before it is for them.
    pub own: &'a [Case],
    /// How long it may take; no further case is asked then.
    pub within: Option<Duration>,
    /// Told after each case how many were asked about, of how many; every case twice.
    pub progress: &'a dyn Fn(usize, usize),
}

impl<'a> Plan<'a> {
    /// As many generated cases of a seed as say more than a few, the author's own, and as long as it takes.
    #[must_use]
    pub fn new(seed: u64, own: &'a [Case]) -> Self {
        Self { seed, generated: 200, own, within: None, progress: &|_, _| () }
    }
}

/// Asks a loaded plugin about everything of a plan and holds the answers to every rule.
#[must_use]
pub fn check(sandbox: &Sandbox, plugin: &PluginInfo, plan: &Plan<'_>) -> Report {
    let ask = |case: &Case| sandbox.attempt(&plugin.digest, case.question.call());
    Examination::new(plugin, plan).run(&ask)
}

/// Asks a loaded plugin what an upload is asked: the cases of those who take it, built-in ones, and some generated ones whose seed is its
/// digest. It stops after [`dry_run_ms_max`](crate::Limits::dry_run_ms_max); without it, or where the plugin is not loaded, nothing is asked.
/// [`verdict`] says what follows.
#[must_use]
pub fn dry_run(sandbox: &Sandbox, digest: &Digest, own: &[Case]) -> Option<Report> {
    let within = Duration::from_millis(sandbox.limits().dry_run_ms_max);
    let plugin = sandbox.info(digest).filter(|_| !within.is_zero())?;
    let mut seed = [0; 8];
    seed.copy_from_slice(&digest[..8]);
    let seed = u64::from_be_bytes(seed);
    Some(check(sandbox, &plugin, &Plan { generated: DRY_RUN_GENERATED, within: Some(within), ..Plan::new(seed, own) }))
}

/// Why an upload of which this was found out is not taken: the first rule that was broken, and the case.
///
/// # Errors
///
/// [`Refusal::DryRun`].
pub fn verdict(report: &Report) -> Result<(), Refusal> {
    match report.first_error() {
        Some(found) => Err(Refusal::DryRun {
            rule: found.rule.name(),
            case: found.case.clone(),
            detail: found.detail.chars().take(DETAIL_CHARS).collect(),
        }),
        None => Ok(()),
    }
}

/// The built-in cases of a hook, with the parameters that a plugin requires.
#[must_use]
pub fn built_in(hook: Hook, plugin: &PluginInfo) -> Vec<Case> {
    built_in::cases(hook, &plugin.manifest)
}

/// Generated cases of a hook, with the parameters that a plugin requires: the same seed gives the same.
#[must_use]
pub fn generated(hook: Hook, plugin: &PluginInfo, seed: u64, count: u32) -> Vec<Case> {
    (0..count).map(|number| generate::case(hook, &plugin.manifest, seed, number)).collect()
}

/// A plugin under examination.
struct Examination<'a> {
    plan: &'a Plan<'a>,
    cases: Vec<Case>,
    own_to: usize,
    built_in_to: usize,
    /// An interpreter spends on a value what compiled code spends on hundreds. Where the largest request of all is too much
    /// for it a person decides, and that is a warning.
    is_interpreted: bool,
    /// Why cases were not decided, of how many, and the first of them.
    undecided: BTreeMap<String, (usize, Case)>,
    report: Report,
}

impl<'a> Examination<'a> {
    fn new(plugin: &PluginInfo, plan: &'a Plan<'a>) -> Self {
        let manifest = &plugin.manifest;
        let can_be_asked = |case: &&Case| plugin.hooks.contains(&case.question.hook());
        let mut cases: Vec<Case> = plan.own.iter().filter(can_be_asked).cloned().collect();
        let own_to = cases.len();
        cases.extend(plugin.hooks.iter().flat_map(|hook| built_in::cases(*hook, manifest)));
        let built_in_to = cases.len();
        for hook in &plugin.hooks {
            cases.extend((0..plan.generated).map(|number| generate::case(*hook, manifest, plan.seed, number)));
        }
        let count = |rule: Rule| Count { rule, level: rule.level(), checked: 0, broken: 0 };
        let report = Report {
            plugin: manifest.name.clone(),
            version: manifest.version.clone(),
            digest: hex(&plugin.digest),
            hooks: plugin.hooks.clone(),
            seed: plan.seed,
            cases: 0,
            undecided: 0,
            undecided_because: Vec::new(),
            skipped: 0,
            own_left: plan.own.len(),
            complete: false,
            fuel: FuelMost::default(),
            rules: Rule::ALL.map(count).into(),
            findings: Vec::new(),
        };
        let is_interpreted = manifest.class == Class::Interpreter;
        Self { plan, cases, own_to, built_in_to, is_interpreted, undecided: BTreeMap::new(), report }
    }

    fn run(mut self, ask: &dyn Fn(&Case) -> Attempt) -> Report {
        let began = Instant::now();
        // A host that had no room may have some now.
        let ask = &|case: &Case| Some(ask(case)).filter(|ended| !is_hosts(ended)).unwrap_or_else(|| ask(case));
        let is_over = || self.plan.within.is_some_and(|within| began.elapsed() > within);
        let cases = std::mem::take(&mut self.cases);
        let mut firsts: Vec<Option<Attempt>> = Vec::new();
        for (at, case) in cases.iter().enumerate() {
            if is_over() {
                break;
            }
            firsts.push(self.examine(at, case, ask));
            (self.plan.progress)(at + 1, cases.len() * 2);
        }
        // The other way round: whatever was kept between calls would be another now.
        let asked = firsts.len();
        let mut again = 0;
        for (case, first) in cases.iter().zip(&firsts).rev() {
            if is_over() {
                break;
            }
            again += 1;
            (self.plan.progress)(asked + again, cases.len() * 2);
            let Some(first) = first else { continue };
            let last = ask(case);
            if !is_hosts(&last) {
                self.look(Rule::Stateless, case, difference(first, &last));
            }
        }
        self.decided();
        self.report.complete = asked == cases.len() && again == asked;
        self.report.findings.sort_by_key(|finding| finding.rule);
        self.report
    }

    /// Asks about one case, and gives how it ended the first time.
    fn examine(&mut self, at: usize, case: &Case, ask: &dyn Fn(&Case) -> Attempt) -> Option<Attempt> {
        self.report.cases += 1;
        let first = ask(case);
        if is_hosts(&first) {
            self.report.skipped += 1;
            return None;
        }
        self.weigh(case, &first);
        let is_own = at < self.own_to;
        let is_built_in = (self.own_to..self.built_in_to).contains(&at);
        let is_too_large = self.is_interpreted && is_built_in && is_out_of_fuel(&first) && is_large(&case.name);
        let broke = ending(&first).filter(|_| !is_too_large);
        if broke.is_none() {
            self.undecided(case, &first);
        }
        for rule in [Rule::Total, Rule::Conserving, Rule::Providing] {
            let detail = broke.as_ref().filter(|(broken, _)| *broken == rule).map(|(_, detail)| detail.clone());
            let shown = match (&detail, is_own) {
                (Some(_), false) => {
                    smallest(case, |smaller| ending(&ask(smaller)).is_some_and(|(broken, _)| broken == rule))
                }
                _ => case.clone(),
            };
            self.look(rule, &shown, detail);
        }
        if let Some(expect) = &case.expect {
            self.look(Rule::Expected, case, expect.difference(case.question.hook(), &first));
        }
        let second = ask(case);
        if !is_hosts(&second) {
            self.report.own_left -= usize::from(is_own);
            self.look(Rule::Deterministic, case, difference(&first, &second));
        }
        // What a plugin does with more than it can take is not about attributes.
        if let Some(unknown) = with_unknown(case).filter(|_| broke.is_none() && !is_too_large) {
            let other = ask(&unknown);
            if !is_hosts(&other) && !matches!(other.result, Err(crate::CallError::RequestTooLarge { .. })) {
                let differs = first.result != other.result;
                self.look(Rule::AttributeTolerant, &unknown, differs.then(|| "the answer is another one".to_owned()));
            }
        }
        Some(first)
    }

    fn undecided(&mut self, case: &Case, ended: &Attempt) {
        let Some(because) = because(ended) else { return };
        self.report.undecided += 1;
        self.undecided.entry(because).or_insert_with(|| (0, case.clone())).0 += 1;
    }

    /// Says why cases were not decided, and whether that were nearly all.
    fn decided(&mut self) {
        let mut because: Vec<_> = std::mem::take(&mut self.undecided).into_iter().collect();
        because.sort_by_key(|(_, (cases, _))| std::cmp::Reverse(*cases));
        let (asked, undecided) = (self.report.cases - self.report.skipped, self.report.undecided);
        let most = because.first().cloned().filter(|_| undecided * 10 > asked * 9);
        if let Some((words, (_, case))) = &most {
            let detail = format!("it decides {} of {asked} cases; most often it says {words}", asked - undecided);
            self.look(Rule::Decides, case, Some(detail));
        }
        // It is about all of them and not about one.
        let broken = if most.is_some() { undecided } else { 0 };
        let of_all = self.report.rules.iter_mut().filter(|count| count.rule == Rule::Decides);
        of_all.for_each(|count| (count.checked, count.broken) = (asked, broken));
        because.truncate(BECAUSE_MOST);
        let told = |(because, (cases, _))| Undecided { because, cases };
        self.report.undecided_because = because.into_iter().map(told).collect();
    }

    fn weigh(&mut self, case: &Case, ended: &Attempt) {
        let most = &self.report.fuel;
        let part = |used: u64, given: u64| u128::from(used) * 1_000_000 / u128::from(given.max(1));
        if part(ended.fuel, ended.fuel_max) > part(most.used, most.given) {
            self.report.fuel = FuelMost { used: ended.fuel, given: ended.fuel_max, case: case.name.clone() };
        }
        self.look(Rule::WithinBudget, case, over_half(ended));
    }

    /// Counts that a rule was looked at, and keeps what broke it.
    fn look(&mut self, rule: Rule, case: &Case, broken: Option<String>) {
        let Some(count) = self.report.rules.iter_mut().find(|count| count.rule == rule) else { return };
        count.checked += 1;
        let Some(detail) = broken else { return };
        count.broken += 1;
        if count.broken > FINDINGS_MOST {
            return;
        }
        let is_own = self.plan.own.iter().any(|own| own.name == case.name);
        let written = (!is_own).then(|| case.written());
        let (level, hook, case) = (rule.level(), case.question.hook(), case.name.clone());
        self.report.findings.push(Finding { rule, level, hook, case, detail, written });
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::call::Answer;
    use crate::contract::{Attribute, Major, StepAnswer, Value};
    use crate::failure::CallError;
    use crate::manifest::Manifest;

    fn plugin(hook: &str) -> PluginInfo {
        let text = format!(r#"{{"name":"a","version":"0.1.0","sdk":"x","hook":"{hook}"}}"#);
        let manifest = Manifest::parse(text.as_bytes()).unwrap();
        PluginInfo { digest: [0; 32], major: Major::Zero, hooks: manifest.hooks.clone(), manifest }
    }

    fn ended(result: Result<Answer, CallError>) -> Attempt {
        Attempt { result, fuel: 10, fuel_max: 100, log: Vec::new(), log_dropped: 0, major: None }
    }

    fn number(number: i64) -> Attempt {
        let provides = vec![Attribute { key: "n".to_owned(), value: Value::Integer(number) }];
        ended(Ok(Answer::Step(StepAnswer { provides, reasons: Vec::new() })))
    }

    fn found(hook: &str, ask: &dyn Fn(&Case) -> Attempt) -> Vec<Rule> {
        let (plugin, plan) = (plugin(hook), Plan { generated: 4, ..Plan::new(1, &[]) });
        let report = Examination::new(&plugin, &plan).run(ask);
        assert!(report.complete);
        let mut rules: Vec<Rule> = report.findings.iter().map(|finding| finding.rule).collect();
        rules.dedup();
        rules
    }

    #[test]
    fn who_answers_the_same_breaks_nothing() {
        assert_eq!(found("step", &|_| number(1)), []);
        let rarely = |case: &Case| match case.name.as_str() {
            name if name.ends_with('1') => number(1),
            _ => ended(Err(CallError::BadInput("no percent".to_owned()))),
        };
        assert_eq!(found("step", &rarely), []);
    }

    #[test]
    fn who_decides_next_to_nothing_is_told_why() {
        let never = |_: &Case| ended(Err(CallError::BadInput("no percent".to_owned())));
        let (plugin, plan) = (plugin("refund"), Plan { generated: 4, ..Plan::new(1, &[]) });
        let report = Examination::new(&plugin, &plan).run(&never);
        let because = Undecided { because: "bad_input: no percent".to_owned(), cases: report.cases };
        assert_eq!((report.undecided, report.undecided_because), (report.cases, vec![because]));
        let [found] = &*report.findings else { panic!("{:?}", report.findings) };
        assert_eq!((found.rule, found.level), (Rule::Decides, Level::Warning));
        assert_eq!(
            found.detail,
            format!("it decides 0 of {} cases; most often it says bad_input: no percent", report.cases)
        );
    }

    #[test]
    fn who_decides_a_tenth_is_not_warned_and_who_decides_one_case_less_is() {
        let plugin = plugin("refund");
        // So many that a tenth of them is whole.
        let generated = 10 - built_in(Hook::Refund, &plugin).len() as u32 % 10;
        let plan = Plan { generated, ..Plan::new(1, &[]) };
        let names: Vec<String> = Examination::new(&plugin, &plan).cases.iter().map(|case| case.name.clone()).collect();
        let warned = |decided: usize| {
            let ask = |case: &Case| match names[..decided].contains(&case.name) {
                true => number(1),
                false => ended(Err(CallError::BadInput("no percent".to_owned()))),
            };
            let report = Examination::new(&plugin, &plan).run(&ask);
            assert_eq!(report.undecided, report.cases - decided);
            report.findings.iter().any(|finding| finding.rule == Rule::Decides)
        };
        let tenth = names.len() / 10;
        assert!(tenth > 1 && !warned(tenth) && warned(tenth - 1), "of {} cases", names.len());
    }

    #[test]
    fn an_answer_that_changes_with_each_call_is_not_deterministic() {
        let calls = Cell::new(0);
        let counting = |_: &Case| {
            calls.set(calls.get() + 1);
            number(calls.get())
        };
        assert_eq!(found("step", &counting), [Rule::Deterministic, Rule::Stateless]);
        let fuel = Cell::new(0);
        let thirsty = |_: &Case| {
            fuel.set(fuel.get() + 5);
            Attempt { fuel: fuel.get(), ..number(1) }
        };
        assert_eq!(found("step", &thirsty), [Rule::Deterministic, Rule::Stateless, Rule::WithinBudget]);
    }

    #[test]
    fn an_answer_that_depends_on_the_question_before_is_not_stateless() {
        // The same question twice in a row is answered the same: only the order tells.
        let (last, same) = (std::cell::RefCell::new(String::new()), Cell::new(0));
        let remembering = |case: &Case| {
            if *last.borrow() != case.name {
                same.set(i64::from(last.borrow().len() as u32));
                last.borrow_mut().clone_from(&case.name);
            }
            number(same.get())
        };
        assert_eq!(found("step", &remembering), [Rule::Stateless]);
    }

    #[test]
    fn a_trap_and_a_reaction_to_an_unknown_attribute_are_found_and_shown_as_a_case() {
        let trap = || ended(Err(CallError::StackOverflow));
        assert_eq!(found("refund", &|_| trap()), [Rule::Total]);
        let nosy = |case: &Case| match &case.question {
            Question::Decision(_, request) if request.facts.iter().any(|fact| fact.key.contains("unknown")) => {
                number(2)
            }
            _ => number(1),
        };
        assert_eq!(found("refund", &nosy), [Rule::AttributeTolerant]);
        // What is shown of a trap has nothing in it that the trap does not need.
        let (plugin, plan) = (plugin("refund"), Plan { generated: 40, ..Plan::new(1, &[]) });
        let picky = |case: &Case| match &case.question {
            Question::Decision(_, request) if request.lines.len() > 2 => trap(),
            _ => number(1),
        };
        let report = Examination::new(&plugin, &plan).run(&picky);
        for finding in &report.findings {
            let request = &finding.written.as_ref().unwrap()["request"];
            assert_eq!(request["lines"].as_array().unwrap().len(), 3, "{finding:?}");
            assert_eq!(request["purchases"].as_array().unwrap().len(), 0, "{finding:?}");
        }
        assert_eq!(report.rules[2].broken, report.findings.len().max(report.rules[2].broken));
    }

    #[test]
    fn an_answer_that_breaks_a_promise_is_found_under_the_rule_of_the_promise() {
        use crate::answer::{Invalid, Rule as Kept};
        for (kept, rule) in [
            (Kept::AmountAbovePaid, Rule::Conserving),
            (Kept::QuantityAboveLeft, Rule::Conserving),
            (Kept::LineUnknown, Rule::Conserving),
            (Kept::ProvidesMissing, Rule::Providing),
        ] {
            let broken = || ended(Err(CallError::AnswerInvalid(Invalid { rule: kept, detail: String::new() })));
            assert_eq!(found("refund", &|_| broken()), [rule]);
        }
    }

    #[test]
    fn the_largest_request_may_be_too_much_for_an_interpreter_and_for_nobody_else() {
        let tired = |case: &Case| match case.name.as_str() {
            "most_purchases" => Attempt { fuel: 100, ..ended(Err(CallError::OutOfFuel { fuel: 100 })) },
            _ => number(1),
        };
        assert_eq!(found("refund", &tired), [Rule::Total, Rule::WithinBudget]);
        assert_eq!(found(r#"refund","class":"interpreter"#, &tired), [Rule::WithinBudget]);
        let always = |_: &Case| ended(Err(CallError::OutOfFuel { fuel: 100 }));
        assert_eq!(found(r#"refund","class":"interpreter"#, &always), [Rule::Total]);
    }

    #[test]
    fn the_hosts_own_troubles_are_no_findings() {
        let busy = |_: &Case| ended(Err(CallError::Busy));
        let (plugin, plan) = (plugin("step"), Plan { generated: 4, ..Plan::new(1, &[]) });
        let report = Examination::new(&plugin, &plan).run(&busy);
        assert!(report.is_clean() && report.skipped == report.cases && report.cases > 4);
    }

    #[test]
    fn own_cases_are_held_to_what_they_expect() {
        let case = |expect: &str| Case::parse("mine", &format!(r#"{{"hook":"step","expect":{expect}}}"#)).unwrap();
        let own = [case(r#"{"answer":{"provides":{"n":2}}}"#)];
        let (plugin, plan) = (plugin("step"), Plan { generated: 0, ..Plan::new(1, &own) });
        let report = Examination::new(&plugin, &plan).run(&|_| number(1));
        let found = report.first_error().unwrap();
        assert_eq!((found.rule, found.case.as_str(), &found.written), (Rule::Expected, "mine", &None));
        assert!(found.detail.starts_with("/provides/n is 1 and not 2"), "{}", found.detail);
    }

    #[test]
    fn own_cases_come_first_are_asked_twice_and_those_that_were_not_are_counted() {
        let own = ["a", "b"].map(|name| Case::parse(name, r#"{"hook":"step"}"#).unwrap());
        let asked = std::cell::RefCell::new(Vec::new());
        let ask = |case: &Case| {
            asked.borrow_mut().push(case.name.clone());
            number(1)
        };
        let left =
            |plan: &Plan<'_>, ask: &dyn Fn(&Case) -> Attempt| Examination::new(&plugin("step"), plan).run(ask).own_left;
        let plan = Plan { generated: 1, ..Plan::new(1, &own) };
        assert_eq!(left(&plan, &ask), 0);
        assert_eq!(asked.borrow()[..4], ["a", "a", "b", "b"]);
        assert_eq!(left(&Plan { within: Some(Duration::ZERO), ..plan }, &ask), 2);
        // The host fails the second time that it asks about one of them, and once more.
        let count = Cell::new(0);
        let failing = |case: &Case| {
            count.set(count.get() + 1);
            if case.name == "b" && count.get() > 3 { ended(Err(CallError::Busy)) } else { number(1) }
        };
        assert_eq!(left(&plan, &failing), 1);
        // Once is nothing.
        let failed = Cell::new(false);
        let once = |case: &Case| {
            let fails = case.name == "b" && !failed.replace(true);
            if fails { ended(Err(CallError::Busy)) } else { number(1) }
        };
        assert_eq!(left(&plan, &once), 0);
        let other = [Case::parse("a", r#"{"hook":"refund","request":{"lines":[{"sku":"A1"}]}}"#).unwrap()];
        assert_eq!(left(&Plan { own: &other, ..plan }, &ask), 1, "it cannot be asked");
    }

    #[test]
    fn it_stops_when_its_time_is_over() {
        let (plugin, plan) = (plugin("step"), Plan { within: Some(Duration::ZERO), ..Plan::new(1, &[]) });
        let report = Examination::new(&plugin, &plan).run(&|_| number(1));
        assert!(!report.complete && report.cases == 0);
    }
}
