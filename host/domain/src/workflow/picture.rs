//! The process of a document as a picture: a box for each step, an arrow for each way from one to another.
//!
//! Made from the text and the tables of the language, so that a document can be drawn while it is being written, and a new kind
//! of step is drawn as soon as its fields stand in a table.

mod dot;
mod gather;
mod layout;
mod mermaid;
mod order;
mod svg;
mod wrap;

use crate::workflow::yaml::Node;

/// The boxes and arrows of a document. The first box is what starts a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// What people see the process called.
    pub title: String,
    /// The boxes.
    pub boxes: Vec<Step>,
    /// The arrows.
    pub ways: Vec<Way>,
}

/// A box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The step's name; empty for the start.
    pub id: String,
    /// The word of its kind.
    pub kind: String,
    /// What people see it called, where it says so.
    pub title: Option<String>,
    /// What it is about: the plugin, the queue, the event.
    pub about: Option<String>,
    /// The condition without which it is skipped.
    pub when: Option<String>,
    /// The steps that it stands in, outermost first.
    pub inside: Vec<String>,
}

/// An arrow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// The place of the box that it comes from.
    pub from: usize,
    /// The place of the box that it leads to.
    pub to: usize,
    /// What it is taken on: a condition, a choice, an event; nothing where it is simply what follows.
    pub label: Option<String>,
    /// What kind of way it is.
    pub sort: Sort,
}

/// Why an arrow is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sort {
    /// The step has done its work.
    Done,
    /// It was waited for long enough.
    Late,
    /// The step failed.
    Failed,
    /// The step was skipped.
    Skipped,
}

impl Sort {
    /// Whether the arrow is drawn with dashes.
    pub fn is_dashed(self) -> bool {
        self != Self::Done
    }

    /// The word for programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Late => "late",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// What a box looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Start,
    Choice,
    Person,
    Waiting,
    Effect,
    Plain,
    End,
}

impl Step {
    fn look(&self) -> Look {
        match self.kind.as_str() {
            "start" => Look::Start,
            "decide" | "table" => Look::Choice,
            "review" | "inspect" => Look::Person,
            "await" | "wait" => Look::Waiting,
            "refund" | "restock" | "exchange" | "notify" | "http" | "undo" => Look::Effect,
            "finish" | "fail" => Look::End,
            _ => Look::Plain,
        }
    }

    /// What stands in the box, line by line; the first is the largest.
    fn lines(&self) -> Vec<String> {
        if self.look() == Look::Start {
            return vec![self.title.clone().unwrap_or_default()];
        }
        let about = self.about.as_ref().map_or_else(|| self.kind.clone(), |about| format!("{} {about}", self.kind));
        let name = match &self.title {
            Some(title) => vec![title.clone(), format!("{}: {about}", self.id)],
            None => vec![self.id.clone(), about],
        };
        name.into_iter().chain(self.when.as_ref().map(|when| format!("when {when}"))).collect()
    }
}

impl Picture {
    /// The picture of a document; none where it has no steps that could be read.
    pub fn of(document: &Node) -> Option<Self> {
        gather::gather(document)
    }

    /// As SVG, with a layout of its own.
    pub fn svg(&self) -> String {
        svg::write(self)
    }

    /// For Mermaid.
    pub fn mermaid(&self) -> String {
        mermaid::write(self)
    }

    /// For Graphviz.
    pub fn dot(&self) -> String {
        dot::write(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow::problems::Problems;
    use crate::workflow::yaml;

    pub(super) fn drawn(source: &str) -> Picture {
        Picture::of(&yaml::parse(source, &Problems::new()).unwrap()).unwrap()
    }

    const DOCUMENT: &str = r#"
format: 1
workflow: small
title: { en: Small & <simple>, zh-CN: 小 }
triggers: [{ case_opened: { type: [return, exchange] } }]
steps:
  - { id: match, call: { plugin: std/purchase-match@0 }, as: matched, on_error: [{ match: any, then: look }] }
  - id: pick
    decide:
      - { when: 'matched.remedy == "allow"', then: pay }
      - { else: look }
  - id: look
    title: A person looks
    when: case.lines.exists(l, l.quantity > 1)
    review:
      queue: desk
      title: Look
      next: { accept: pay, refuse: refused }
      timeout: { after: 5d, then: refused }
  - { id: pay, refund: { quote: =quote } }
  - { id: done, finish: { result: refunded } }
  - { id: refused, fail: { code: refused } }
"#;

    fn ways(picture: &Picture) -> Vec<String> {
        let name = |place: usize| picture.boxes[place].id.as_str();
        let way = |way: &Way| {
            let label = way.label.as_deref().unwrap_or("-");
            format!("{} > {} {} [{label}]", name(way.from), name(way.to), way.sort.word())
        };
        picture.ways.iter().map(way).collect()
    }

    #[test]
    fn every_way_is_an_arrow_with_what_it_is_taken_on() {
        let picture = drawn(DOCUMENT);
        assert_eq!(picture.title, "Small & <simple>");
        assert_eq!(picture.boxes[0].title.as_deref(), Some("case opened: return, exchange"));
        assert_eq!(
            ways(&picture),
            [
                " > match done [-]",
                "match > look failed [any]",
                "match > pick done [-]",
                "pick > pay done [matched.remedy == \"allow\"]",
                "pick > look done [else]",
                "look > pay done [accept]",
                "look > refused done [refuse]",
                "look > refused late [after 5d]",
                "look > pay skipped [-]",
                "pay > done done [-]",
            ]
        );
    }

    #[test]
    fn a_box_says_what_it_is_about() {
        let picture = drawn(DOCUMENT);
        let lines: Vec<_> = picture.boxes.iter().map(|step| step.lines().join(" | ")).collect();
        assert_eq!(lines[1], "match | call std/purchase-match@0");
        assert_eq!(lines[3], "A person looks | look: review desk | when case.lines.exists(l, l.quantity > 1)");
        assert_eq!(lines[5], "done | finish refunded");
    }

    #[test]
    fn words_of_a_document_cannot_leave_their_place() {
        let picture = drawn(&DOCUMENT.replace("Small & <simple>", "'a \"<script>\" & ] b'"));
        let svg = picture.svg();
        assert!(svg.contains("a &quot;&lt;script&gt;&quot; &amp; ] b") && !svg.contains("<script"), "{svg}");
        let mermaid = drawn(&DOCUMENT.replace("A person looks", "'\"] --> x[\"'")).mermaid();
        assert!(!mermaid.contains("\"] --> x[\""), "{mermaid}");
        assert!(mermaid.contains("#quot;"), "{mermaid}");
    }

    #[test]
    fn a_document_without_readable_steps_has_no_picture() {
        for source in ["a: 1\n", "steps: 5\n", "- 1\n"] {
            assert_eq!(Picture::of(&yaml::parse(source, &Problems::new()).unwrap()), None, "{source}");
        }
    }
}
