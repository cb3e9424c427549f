//! Messages in the words of the workflow: with the text of the case's revision and the values of the moment at which they are wanted.

use super::*;
use crate::case::{Message, Piece};

const SORRY: &str = r#"
vars: { left: { type: number, default: 2 } }
messages:
  sorry:
    subject: { en: 'About {{ case.number }}', zh-CN: '关于 {{ case.number }}' }
    text: 'Hello {{ recipient.name }}, {{ left }} are left.'
  task-reminder: { subject: Look, text: 'Look at {{ case.number }}: {{ left }}' }
steps:
  - { id: first, notify: { template: sorry, to: customer } }
  - { id: less, set: { left: 1 } }
  - id: look
    review:
      queue: desk
      title: Look
      next: { go: again }
      sla: { due: 2d, remind: [1d] }
      timeout: { after: 9d, then: again }
    as: looked
  - { id: again, notify: { template: sorry, to: customer } }
  - { id: plain, notify: { template: return-done, to: customer } }
  - { id: done, finish: { result: done } }
"#;

/// The messages of a case in the order in which they were wanted: their names, and the message where it is the workflow's own.
fn told(desk: &Desk, case: Nth) -> Vec<(String, Option<Message>)> {
    let entries = desk.journals[case].iter().flat_map(|(_, entries)| entries);
    let notice = |entry: &Entry| match entry {
        Entry::Intended { effect, .. } => match &effect.what {
            What::Notice { template, message, .. } => {
                Some((template.to_string(), message.as_ref().map(|one| (**one).clone())))
            }
            _ => None,
        },
        _ => None,
    };
    entries.filter_map(notice).collect()
}

fn english(message: &Message) -> (String, String) {
    let whole = |pieces: &[Piece]| pieces.iter().map(Piece::as_str).collect();
    let (subject, text) = message.at("en");
    (whole(subject), whole(text))
}

#[test]
fn a_message_says_what_was_so_when_it_was_wanted_and_names_the_text_that_it_was_written_with() {
    let mut desk = Desk::of(SORRY);
    let case = desk.open(1);
    let number = desk.cases[case].number.clone();
    let (_, first) = &told(&desk, case)[0];
    let first = first.clone().unwrap();
    assert_eq!(english(&first), (format!("About {number}"), "Hello person:recipient.name, 2 are left.".to_owned()));
    assert_eq!(first.at("zh-CN").0[0], Piece::Text("关于 ".to_owned()));
    assert!(first.says("2 are left") && first.says("关于") && !first.says("1 are left"));

    desk.pass(Span::from_days(1));
    desk.answer(case, "go").unwrap();
    let all = told(&desk, case);
    let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["sorry", "task-reminder", "sorry", "return-done"]);
    assert_eq!(english(all[1].1.as_ref().unwrap()).1, format!("Look at {number}: 1"));
    let again = all[2].1.as_ref().unwrap();
    assert_eq!(english(again).1, "Hello person:recipient.name, 1 are left.");
    assert_eq!(
        (again.digest, all[3].1.as_ref()),
        (first.digest, None),
        "a text that is shipped is none of the workflow's"
    );

    // Other words are another text, and another revision.
    let mut other = Desk::of(&SORRY.replace("are left", "stay"));
    let second = other.open(1);
    assert_ne!(told(&other, second)[0].1.as_ref().unwrap().digest, first.digest);
    assert_ne!(other.cases[second].revision, desk.cases[case].revision);
}
