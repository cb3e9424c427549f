//! The report in the form that build servers read: a test for each rule, and for each of the author's cases.

use std::fmt::Write as _;

use redress_sandbox::conformance::{Case, Finding, Level, Report, Rule};

/// The document.
pub(super) fn report(report: &Report, own: &[Case]) -> String {
    let rules = report.rules.iter().filter(|rule| rule.checked > 0 && rule.rule != Rule::Expected);
    let mut tests: Vec<(&str, String, Vec<&Finding>)> =
        rules.map(|rule| ("rules", rule.rule.name().to_owned(), of(report, |one| one.rule == rule.rule))).collect();
    for case in own.iter().filter(|case| case.expect.is_some()) {
        let found = of(report, |one| one.rule == Rule::Expected && one.case == case.name);
        tests.push(("cases", case.name.clone(), found));
    }
    let failed = |found: &[&Finding]| found.iter().any(|one| one.level == Level::Error);
    let failures = tests.iter().filter(|(_, _, found)| failed(found)).count();
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let name = escaped(&format!("{} {}", report.plugin, report.version));
    // Writing to a string has no way to fail.
    let _ = writeln!(xml, "<testsuite name=\"{name}\" tests=\"{}\" failures=\"{failures}\">", tests.len());
    for (class, name, found) in &tests {
        let _ = write!(xml, "  <testcase classname=\"{class}\" name=\"{}\"", escaped(name));
        if found.is_empty() {
            xml.push_str("/>\n");
            continue;
        }
        xml.push_str(">\n");
        let told: Vec<_> = found.iter().map(|one| format!("{} ({}): {}", one.case, one.hook, one.detail)).collect();
        let told = escaped(&told.join("\n"));
        let _ = if failed(found) {
            writeln!(xml, "    <failure message=\"{}\">{told}</failure>", escaped(&found[0].detail))
        } else {
            writeln!(xml, "    <system-out>{told}</system-out>")
        };
        xml.push_str("  </testcase>\n");
    }
    xml.push_str("</testsuite>\n");
    xml
}

fn of(report: &Report, is_wanted: impl Fn(&Finding) -> bool) -> Vec<&Finding> {
    report.findings.iter().filter(|one| is_wanted(one)).collect()
}

/// Text that XML takes; characters that it does not have go.
fn escaped(text: &str) -> String {
    let mut clean = String::new();
    for letter in text.chars() {
        match letter {
            '&' => clean.push_str("&amp;"),
            '<' => clean.push_str("&lt;"),
            '>' => clean.push_str("&gt;"),
            '"' => clean.push_str("&quot;"),
            '\n' => clean.push_str("&#10;"),
            letter if letter.is_control() || ('\u{fffe}'..='\u{ffff}').contains(&letter) => {}
            letter => clean.push(letter),
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use redress_sandbox::Hook;
    use redress_sandbox::conformance::{Count, FuelMost};

    use super::*;

    #[test]
    fn rules_and_own_cases_are_tests_and_hostile_text_stays_text() {
        let case = |name: &str| Case::parse(name, r#"{"hook":"step","expect":{"answer":{}}}"#).unwrap();
        let finding = |rule: Rule, case: &str| Finding {
            rule,
            level: rule.level(),
            hook: Hook::Step,
            case: case.to_owned(),
            detail: "<b>\"1 & 2\"\u{1b}".to_owned(),
            written: None,
        };
        let findings = vec![finding(Rule::Expected, "late"), finding(Rule::WithinBudget, "large")];
        let rules = Rule::ALL.map(|rule| Count { rule, level: rule.level(), checked: 1, broken: 0 }).into();
        let (plugin, version, digest) = ("a".to_owned(), "0.1.0".to_owned(), String::new());
        let report = Report {
            plugin,
            version,
            digest,
            hooks: vec![Hook::Step],
            seed: 1,
            cases: 2,
            undecided_because: Vec::new(),
            undecided: 0,
            skipped: 0,
            own_left: 0,
            complete: true,
            fuel: FuelMost::default(),
            rules,
            findings,
        };
        let xml = super::report(&report, &[case("late"), case("early")]);
        assert!(xml.contains("<testsuite name=\"a 0.1.0\" tests=\"10\" failures=\"1\">"), "{xml}");
        assert!(xml.contains("<testcase classname=\"cases\" name=\"early\"/>"), "{xml}");
        assert!(xml.contains("message=\"&lt;b&gt;&quot;1 &amp; 2&quot;\">late (step): &lt;b&gt;"), "{xml}");
        assert!(xml.contains("<system-out>large (step): "), "{xml}");
    }
}
