//! What mails say: templates in the languages that are shipped, and codes as words.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, context};
use redress_domain::case::{Case, Line};
use redress_domain::verdict::Remedy;
use serde::Serialize;

use crate::outbox::words::Written;

/// What a template may compute: a mail is some dozen lines, and the templates are our own.
const FUEL: u64 = 50_000;
/// Where the subject ends and the body begins.
const FOLD: &str = "\n---\n";

/// A language that texts are shipped in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    English,
    Chinese,
}

/// The well-known names, each with its texts.
const TEMPLATES: [(&str, &str, &str); 5] = [
    ("return-received", include_str!("return-received.en.txt"), include_str!("return-received.zh-CN.txt")),
    ("return-approved", include_str!("return-approved.en.txt"), include_str!("return-approved.zh-CN.txt")),
    ("return-refunded", include_str!("return-refunded.en.txt"), include_str!("return-refunded.zh-CN.txt")),
    ("return-denied", include_str!("return-denied.en.txt"), include_str!("return-denied.zh-CN.txt")),
    ("return-done", include_str!("return-done.en.txt"), include_str!("return-done.zh-CN.txt")),
];
/// The text under every other name.
const GENERAL: (&str, &str) = (include_str!("general.en.txt"), include_str!("general.zh-CN.txt"));

/// Reason codes in words. A merchant's own codes are shown as they are, with spaces.
const REASONS: [(&str, &str, &str); 18] = [
    ("outside_window", "the time for returns is over", "已超过退货期限"),
    ("withdrawal_period_over", "the withdrawal period is over", "已超过法定撤回期"),
    ("not_purchased", "no purchase of this article was found", "未找到该商品的购买记录"),
    ("purchase_unknown", "the purchase was not found", "未找到购买记录"),
    ("customer_unknown", "the customer is not known", "客户未知"),
    ("quantity_exceeds_purchase", "more units than were bought or are left", "数量超过可退数量"),
    ("not_a_product", "it is not an article that can be returned", "该项不是可退商品"),
    ("denied_by_policy", "the rules of the shop do not allow it", "不符合店铺政策"),
    ("excluded_by_law", "the law excludes it from withdrawal", "法律规定不适用退货"),
    ("unsealed_hygiene_goods", "the hygiene seal was opened", "卫生用品已拆封"),
    ("sterile_pack_compromised", "the sterile pack was opened or damaged", "无菌包装已打开或破损"),
    ("opened_media", "the sealed medium was opened", "音像制品已拆封"),
    ("seal_broken", "the seal is broken", "封条已破损"),
    ("storage_unknown", "how it was stored is not known", "储存条件未知"),
    ("quality_defect", "the article has a defect", "商品存在质量问题"),
    ("lack_of_conformity", "the article is not as agreed", "商品与约定不符"),
    ("seven_day_return", "returned within seven days", "七日内无理由退货"),
    ("amount_over_limit", "the amount needs a second look", "金额需复核"),
];

/// What templates see.
#[derive(Debug, Serialize)]
struct Seen {
    number: String,
    order: Option<String>,
    name: Option<String>,
    amount: Option<String>,
    reasons: Vec<String>,
    allowed: Vec<Article>,
    denied: Vec<Article>,
    result: Option<String>,
}

#[derive(Debug, Serialize)]
struct Article {
    sku: String,
    quantity: u32,
    reasons: Vec<String>,
}

/// The names of the templates.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    TEMPLATES.iter().map(|(name, _, _)| *name)
}

/// The text of a template about a case.
pub(super) fn write(
    template: &str,
    locale: &str,
    case: &Case,
    name: Option<&str>,
) -> Result<Written, minijinja::Error> {
    let language = if locale.starts_with("zh") { Language::Chinese } else { Language::English };
    let seen = seen(case, name, language);
    let mut environment = Environment::new();
    environment.set_fuel(Some(FUEL));
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    let text = environment.render_str(source(template, language), context! { case => Serde(seen) })?;
    let (subject, body) = text.split_once(FOLD).unwrap_or((&text, ""));
    // A subject is one line, whatever a value held.
    let subject = subject.split_whitespace().collect::<Vec<_>>().join(" ");
    Ok(Written { subject, body: format!("{}\n", body.trim()) })
}

fn source(template: &str, language: Language) -> &'static str {
    let known = TEMPLATES.iter().find(|(name, _, _)| *name == template);
    let (english, chinese) = known.map_or(GENERAL, |(_, english, chinese)| (*english, *chinese));
    match language {
        Language::English => english,
        Language::Chinese => chinese,
    }
}

fn seen(case: &Case, name: Option<&str>, language: Language) -> Seen {
    let articles = |remedy: Remedy| {
        let of_line = |line: &Line| {
            let outcome = line.outcome.as_ref().filter(|outcome| outcome.remedy == remedy)?;
            let quantity = if remedy == Remedy::Allow { outcome.quantity } else { line.quantity };
            let reasons = outcome.reasons.iter().map(|reason| words(&reason.code, language)).collect();
            Some(Article { sku: line.sku.to_string(), quantity, reasons })
        };
        case.lines.iter().filter_map(of_line).collect()
    };
    let refunded = case.refunded();
    Seen {
        number: case.number.clone(),
        order: case.order.as_ref().map(ToString::to_string),
        name: name.map(ToOwned::to_owned),
        amount: (!refunded.is_zero()).then(|| refunded.to_string()),
        reasons: case.decisive_reasons().into_iter().map(|code| words(code, language)).collect(),
        allowed: articles(Remedy::Allow),
        denied: articles(Remedy::Deny),
        result: case.result.as_ref().map(|result| result.replace('_', " ")),
    }
}

fn words(code: &str, language: Language) -> String {
    let known = REASONS.iter().find(|(known, _, _)| *known == code);
    match (known, language) {
        (Some((_, english, _)), Language::English) => (*english).to_owned(),
        (Some((_, _, chinese)), Language::Chinese) => (*chinese).to_owned(),
        (None, _) => code.replace('_', " "),
    }
}

#[cfg(test)]
mod tests {
    use redress_domain::case::command::Open;
    use redress_domain::case::entry::Opened;
    use redress_domain::case::evolve::{self, Stamp};
    use redress_domain::clock::Instant;
    use redress_domain::ids::{CaseId, Sku, Slug};
    use redress_domain::value::Fields;
    use redress_domain::verdict::{Outcome, Reason};

    use super::*;

    fn case() -> Case {
        let at = Instant::from_unix_ms(0);
        let outcome = |remedy, code: &str| Outcome {
            remedy,
            quantity: 1,
            amount: None,
            disposition: None,
            reasons: vec![Reason::code(code)],
        };
        let line = |sku: &str, outcome| Line {
            sku: Sku::new(sku).unwrap(),
            quantity: 2,
            reason: None,
            bought: None,
            unit: None,
            attributes: Fields::new(),
            outcome: Some(outcome),
        };
        let submission = Open {
            kind: Slug::new("return").unwrap(),
            external: None,
            history: false,
            customer: None,
            order: None,
            currency: "CNY".parse().unwrap(),
            reason: None,
            claim: None,
            attributes: Fields::new(),
            lines: vec![
                line("A1", outcome(Remedy::Allow, "seven_day_return")),
                line("B2", outcome(Remedy::Deny, "outside_window")),
            ],
            called: None,
            start: None,
        };
        let opened = Opened {
            id: CaseId::mint(at, 1),
            number: "R-000007".to_owned(),
            channel: "api".to_owned(),
            workflow: None,
            revision: None,
            vars: Fields::new(),
            submission,
            parent: None,
            started: None,
        };
        evolve::open(&opened, Stamp { at, turn: 1 })
    }

    #[test]
    fn every_template_is_written_in_every_language_and_names_the_case() {
        let names = TEMPLATES.map(|(name, _, _)| name).into_iter().chain(["a-name-of-the-merchant"]);
        for name in names {
            for locale in ["en", "en-GB", "zh-CN", "fr"] {
                let written = write(name, locale, &case(), Some("Li Lei")).unwrap();
                assert!(written.subject.contains("R-000007"), "{name} {locale}: {written:?}");
                assert!(written.body.contains("Li Lei") && written.body.len() > 40, "{name} {locale}: {written:?}");
                assert!(!written.body.contains('_') && !written.body.contains("{{"), "{name} {locale}: {written:?}");
            }
        }
    }

    #[test]
    fn reasons_are_words_of_the_merchants_language() {
        let body = |locale| write("return-denied", locale, &case(), None).unwrap().body;
        assert!(body("en").contains("B2") && body("en").contains("the time for returns is over"), "{}", body("en"));
        assert!(body("zh-CN").contains("已超过退货期限"), "{}", body("zh-CN"));
        assert_eq!(words("our_own_rule", Language::English), "our own rule");
    }

    #[test]
    fn a_subject_is_one_line() {
        let mut case = case();
        case.number = "R-1\r\nBcc: x@example.com".to_owned();
        assert!(!write("return-denied", "en", &case, None).unwrap().subject.contains(['\r', '\n']));
    }
}
