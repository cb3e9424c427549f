//! Messages and goods: what leaves through which connector, and what mails hold.

use std::collections::BTreeMap;

use redress::engine::Target;
use redress::outbox::Settings;
use redress::outbox::connectors::{self, Connector, Kind};
use redress::outbox::delivery::Outcome;
use redress_domain::case::command::{Body, Complete};
use redress_domain::case::{Case, EffectState, What};
use redress_domain::clock::Span;
use redress_domain::value::Value;
use redress_tests::delivery::{Trial, outbox, settings, webhook};
use redress_tests::provider::Trick;
use redress_tests::shop::{effect, stands, the_task};
use redress_tests::world::{a_return, admin, submission};

use super::{HOUR, last, outcomes};

pub(super) const TELL: &str = "
steps:
  - { id: match, call: { plugin: std/purchase-match@0, with: { window_days: 90 } }, as: matched }
  - { id: hold, approve: { lines: =matched.lines, until: 30d } }
  - { id: tell, notify: { template: return-approved, to: customer } }
  - { id: shelf, restock: { to: quarantine } }
  - { id: done, finish: { result: told } }
";

/// A return of a customer who is reached so.
pub(super) fn reached(trial: &Trial, contact: &[(&str, &str)]) -> Case {
    let open = a_return("c1", &[("A1", 1)]).unwrap();
    let mut submission = submission(Target::New, Body::Open(Box::new(open)));
    let pair = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
    submission.contact = contact.iter().map(pair).collect::<BTreeMap<_, _>>();
    let receipt = trial.engine().execute(submission).unwrap();
    trial.shop.merchant.case(receipt.case).unwrap()
}

pub(super) fn state(trial: &Trial, case: &Case, step: &str) -> EffectState {
    let case = trial.shop.case(case).unwrap();
    case.effects[&effect(&case, step, None)].state
}

#[test]
fn goods_and_messages_go_to_their_own_receivers_and_any_thanks_will_do_for_a_message() {
    let trial = Trial::with(TELL).unwrap();
    let provider = trial.provider(|_| {}).unwrap();
    trial.connect(Kind::Stock, webhook(&provider, "stock")).unwrap();
    trial.connect(Kind::Notification, webhook(&provider, "notification")).unwrap();
    let case = reached(&trial, &[]);
    let tell = effect(&case, "tell", None);
    provider.next(Trick::Refuse(204));
    provider.next(Trick::Refuse(204));
    trial.send().unwrap();
    assert_eq!((state(&trial, &case, "tell"), last(&trial, tell).status), (EffectState::Confirmed, Some(204)));
    assert_eq!(state(&trial, &case, "shelf"), EffectState::Intended, "204 says nothing of goods");
    trial.send_after(HOUR).unwrap();
    assert_eq!(state(&trial, &case, "shelf"), EffectState::Confirmed);
    assert_eq!(provider.effects().iter().map(|known| known.kind.as_str()).collect::<Vec<_>>(), ["restock.requested"]);
}

#[test]
fn a_message_that_nobody_takes_for_three_days_is_given_up_and_said_to_be() {
    let trial = Trial::with(TELL).unwrap();
    let provider = trial.provider(|_| {}).unwrap();
    trial.connect(Kind::Notification, webhook(&provider, "notification")).unwrap();
    let case = reached(&trial, &[]);
    for _ in 0..80 {
        provider.next(Trick::Refuse(404));
        trial.send_after(HOUR).unwrap();
    }
    let tell = effect(&case, "tell", None);
    assert_eq!((state(&trial, &case, "tell"), last(&trial, tell).outcome), (EffectState::Declined, Outcome::Declined));
    let tries = outcomes(&trial, tell).len();
    assert!((60..=74).contains(&tries), "{tries} tries in three days");
    let listing = trial.engine().effect(tell).unwrap().unwrap();
    assert_eq!((listing.state, listing.what.as_str()), (EffectState::Declined, "notice"));
}

#[test]
fn a_mail_is_one_file_whose_message_has_one_name_however_often_it_is_sent() {
    let trial = Trial::with(TELL).unwrap();
    let generous = Settings { allow_simulated: true, ..settings() };
    let outbox = outbox(&trial.shop.world, &trial.runtime, &generous).unwrap();
    let folder = trial.folder().join("mail");
    let connector = Connector::Folder {
        path: folder.clone(),
        from: "Acme <shop@acme.example>".to_owned(),
        queues: BTreeMap::new(),
    };
    let key = trial.shop.world.app.host().key();
    connectors::set(trial.engine(), key, &generous, &Kind::Mail, &connector, &admin()).unwrap();

    let case = reached(&trial, &[("email", "li.lei@example.com"), ("name", "Li Lei")]);
    trial.runtime.block_on(outbox.pass(trial.engine())).unwrap();
    assert_eq!(state(&trial, &case, "tell"), EffectState::Confirmed);
    let tell = effect(&case, "tell", None);
    let mail = std::fs::read_to_string(folder.join(format!("{tell}.eml"))).unwrap();
    assert!(mail.contains(&format!("Message-ID: <{tell}@acme.example>")), "{mail}");
    assert!(mail.contains("li.lei@example.com") && mail.contains("Li Lei") && mail.contains(&case.number), "{mail}");
    assert!(mail.contains("1 x A1"), "{mail}");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    let log = format!("{:?}", trial.log(tell).unwrap());
    assert!(!log.contains("example.com") && !log.contains("Lei"), "no address and no name reaches the log");

    let case = reached(&trial, &[("email", "no address at all")]);
    trial.runtime.block_on(outbox.pass(trial.engine())).unwrap();
    assert_eq!(state(&trial, &case, "tell"), EffectState::Declined);
    assert_eq!(last(&trial, effect(&case, "tell", None)).reason.as_deref(), Some("address_invalid"));
}

#[test]
fn who_has_no_address_gets_no_mail_and_the_log_says_so() {
    let trial = Trial::with(TELL).unwrap();
    let generous = Settings { allow_simulated: true, ..settings() };
    let outbox = outbox(&trial.shop.world, &trial.runtime, &generous).unwrap();
    let connector = Connector::Folder {
        path: trial.folder().join("mail"),
        from: "shop@acme.example".to_owned(),
        queues: BTreeMap::new(),
    };
    let key = trial.shop.world.app.host().key();
    connectors::set(trial.engine(), key, &generous, &Kind::Mail, &connector, &admin()).unwrap();
    let case = reached(&trial, &[("phone", "555")]);
    trial.runtime.block_on(outbox.pass(trial.engine())).unwrap();
    assert_eq!(state(&trial, &case, "tell"), EffectState::Declined);
    assert_eq!(last(&trial, effect(&case, "tell", None)).reason.as_deref(), Some("no_address"));

    // Where the merchant's own system takes messages, it may know better.
    let provider = trial.provider(|_| {}).unwrap();
    trial.connect(Kind::Notification, webhook(&provider, "notification")).unwrap();
    let case = reached(&trial, &[]);
    trial.runtime.block_on(outbox.pass(trial.engine())).unwrap();
    assert_eq!((state(&trial, &case, "tell"), provider.stats().effects), (EffectState::Confirmed, 1));
    assert_eq!(trial.send_after(Span::from_days(1)).unwrap(), 2, "goods still wait for a receiver");
}

/// People of a queue are told, and then the customer.
const TELL_BOTH: &str = "
steps:
  - { id: match, call: { plugin: std/purchase-match@0, with: { window_days: 90 } }, as: matched }
  - { id: desk, notify: { template: new-return, to: desk } }
  - { id: night, notify: { template: new-return, to: night-shift } }
  - { id: tell, notify: { template: return-received, to: customer } }
  - { id: done, finish: { result: told } }
";

#[test]
fn what_is_meant_for_the_people_of_a_queue_never_goes_to_the_customer() {
    let trial = Trial::with(TELL_BOTH).unwrap();
    let generous = Settings { allow_simulated: true, ..settings() };
    let outbox = outbox(&trial.shop.world, &trial.runtime, &generous).unwrap();
    let path = trial.folder().join("mail");
    let key = trial.shop.world.app.host().key();
    let reached_at = |address: &str| {
        let queues = BTreeMap::from([("desk".to_owned(), address.to_owned())]);
        let connector = Connector::Folder { path: path.clone(), from: "shop@acme.example".to_owned(), queues };
        connectors::set(trial.engine(), key, &generous, &Kind::Mail, &connector, &admin())
    };
    assert_eq!(reached_at("nobody").unwrap_err().code(), "connector_invalid");
    reached_at("desk@acme.example").unwrap();
    let case = reached(&trial, &[("email", "li.lei@example.com"), ("name", "Li Lei")]);
    trial.runtime.block_on(outbox.pass(trial.engine())).unwrap();
    let mail = |step: &str| std::fs::read_to_string(path.join(format!("{}.eml", effect(&case, step, None))));
    let desk = mail("desk").unwrap();
    assert!(desk.contains("To: desk@acme.example") && !desk.contains("li.lei"), "{desk}");
    assert!(mail("tell").unwrap().contains("li.lei@example.com"));
    // A queue that no address is known of has no mail at all.
    assert_eq!(state(&trial, &case, "night"), EffectState::Declined);
    assert_eq!(last(&trial, effect(&case, "night", None)).reason.as_deref(), Some("no_address"));
    assert!(mail("night").is_err());
}

/// A text of the workflow's own, with what a person wrote in it.
const SORRY: &str = "
messages:
  sorry:
    subject: { en: 'About {{ case.number }}', zh-CN: '关于 {{ case.number }}' }
    text:
      en: |
        Hello {{ recipient.name }},
        we found: {{ seen.note }}. It is about {{ size(case.lines) }} line.
steps:
  - id: look
    review:
      queue: desk
      title: Look
      ask: { note: text }
      next: { go: tell }
      timeout: { after: 5d, then: lost }
    as: seen
  - { id: tell, notify: { template: sorry, to: customer } }
  - { id: done, finish: { result: told } }
  - { id: lost, finish: { result: lost } }
";

/// A merchant whose mails become files here.
fn mails(trial: &Trial) -> (redress::outbox::Outbox, std::path::PathBuf) {
    let generous = Settings { allow_simulated: true, ..settings() };
    let outbox = outbox(&trial.shop.world, &trial.runtime, &generous).unwrap();
    let path = trial.folder().join("mail");
    let connector =
        Connector::Folder { path: path.clone(), from: "shop@acme.example".to_owned(), queues: BTreeMap::new() };
    let key = trial.shop.world.app.host().key();
    connectors::set(trial.engine(), key, &generous, &Kind::Mail, &connector, &admin()).unwrap();
    (outbox, path)
}

fn noted(trial: &Trial, case: &Case, note: &str) -> Case {
    trial.shop.answer(case, "go", &[("note", Value::text(note))]).unwrap();
    trial.shop.case(case).unwrap()
}

#[test]
fn a_text_of_the_workflow_is_mailed_and_what_a_person_wrote_stays_out_of_the_journal() {
    let trial = Trial::with(SORRY).unwrap();
    let (outbox, path) = mails(&trial);
    let case = reached(&trial, &[("email", "li.lei@example.com"), ("name", "Li Lei")]);
    let case = noted(&trial, &case, "a dent below the lid");
    trial.runtime.block_on(outbox.pass(trial.engine())).unwrap();
    let tell = effect(&case, "tell", None);
    let mail = std::fs::read_to_string(path.join(format!("{tell}.eml"))).unwrap();
    assert!(mail.contains(&format!("Subject: About {}", case.number)), "{mail}");
    assert!(
        mail.contains("Hello Li Lei,") && mail.contains("we found: a dent below the lid. It is about 1 line."),
        "{mail}"
    );
    let What::Notice { message: Some(message), .. } = &case.effects[&tell].what else { panic!("{case:?}") };
    let kept = format!("{message:?}");
    assert!(!kept.contains("a dent") && !kept.contains("Li Lei") && kept.contains("person:"), "{kept}");

    // The merchant's own system gets the words as well.
    connectors::remove(trial.engine(), &Kind::Mail, &admin()).unwrap();
    let provider = trial.provider(|_| {}).unwrap();
    trial.connect(Kind::Notification, webhook(&provider, "notification")).unwrap();
    let case = reached(&trial, &[]);
    let case = noted(&trial, &case, "a scratch");
    trial.runtime.block_on(outbox.pass(trial.engine())).unwrap();
    assert_eq!(state(&trial, &case, "tell"), EffectState::Confirmed);
    let body = provider.last_body();
    assert_eq!(body["data"]["message"]["digest"], message.digest.to_string());
    assert_eq!(body["data"]["message"]["subject"], format!("About {}", case.number));
    let text = body["data"]["message"]["text"].as_str().unwrap();
    assert!(text.starts_with("Hello Li Lei,\nwe found: a scratch."), "{text}");
}

#[test]
fn a_person_is_told_once_of_messages_that_reached_nobody_and_can_have_them_sent() {
    let trial = Trial::with(TELL_TWICE).unwrap();
    let (outbox, path) = mails(&trial);
    let case = reached(&trial, &[]);
    assert_eq!(stands(&case), "told", "nobody waits for a message");
    trial.runtime.block_on(outbox.pass(trial.engine())).unwrap();
    let asked = trial.shop.case(&case).unwrap();
    assert_eq!((stands(&asked), asked.tasks.len()), ("told", 1), "one question for both");
    let (task, question) = the_task(&asked);
    assert_eq!((question.queue.as_str(), question.reasons[0].code.as_str()), ("problems", "no_address"));
    let complete = |outcome: &str| {
        let (outcome, form) = (outcome.to_owned(), Default::default());
        let complete = Complete { task, outcome, form, live: false, lines: Vec::new() };
        trial.shop.merchant.command(case.id, Body::Complete(complete))
    };
    assert!(complete("paid").is_err(), "no money is meant");

    // Another case of the customer says where they are reached.
    reached(&trial, &[("email", "li.lei@example.com")]);
    complete("resend").unwrap();
    trial.runtime.block_on(outbox.pass(trial.engine())).unwrap();
    let told = trial.shop.case(&case).unwrap();
    assert!(told.tasks.is_empty());
    for step in ["tell", "again"] {
        assert_eq!(state(&trial, &case, step), EffectState::Confirmed, "{step}");
        assert!(path.join(format!("{}.eml", effect(&case, step, None))).exists(), "{step}");
    }
}

#[test]
fn a_message_that_reached_nobody_may_be_left_or_told_in_another_way() {
    for (outcome, state_then) in [("told", EffectState::Confirmed), ("leave", EffectState::Declined)] {
        let trial = Trial::with(TELL_TWICE).unwrap();
        let (outbox, path) = mails(&trial);
        let case = reached(&trial, &[]);
        trial.runtime.block_on(outbox.pass(trial.engine())).unwrap();
        trial.shop.answer(&case, outcome, &[]).unwrap();
        trial.runtime.block_on(outbox.pass(trial.engine())).unwrap();
        let after = trial.shop.case(&case).unwrap();
        assert!(after.tasks.is_empty() && !path.exists(), "{outcome}");
        assert_eq!((state(&trial, &case, "tell"), state(&trial, &case, "again")), (state_then, state_then));
    }
}

const TELL_TWICE: &str = "
steps:
  - { id: tell, notify: { template: return-received, to: customer } }
  - { id: again, notify: { template: return-approved, to: customer } }
  - { id: done, finish: { result: told } }
";
