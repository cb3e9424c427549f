//! Mail over a real connection: a small server that keeps what it is handed, and refuses when it is told to.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};

use redress::outbox::connectors::{Connector, Kind, Smtp};
use redress::outbox::delivery::Outcome;
use redress::outbox::secret::Secret;
use redress_domain::case::EffectState;
use redress_tests::delivery::Trial;
use redress_tests::shop::effect;

use super::messages::{TELL, reached, state};
use super::{HOUR, last, outcomes};

/// Serve as many connections as there are replies to `RCPT`, and hand out the mails.
fn server(replies: &'static [&'static str]) -> (SocketAddr, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, (sender, mails)) = (listener.local_addr().unwrap(), channel());
    let serve = move || replies.iter().for_each(|reply| session(listener.accept().unwrap().0, reply, &sender));
    std::thread::Builder::new().name("mail".to_owned()).spawn(serve).unwrap();
    (address, mails)
}

/// One session; the client hangs up at its end.
fn session(mut stream: TcpStream, rcpt: &str, mails: &Sender<String>) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let mut say = |text: &str| stream.write_all(format!("{text}\r\n").as_bytes()).unwrap();
    say("220 mail.example ready");
    while let Some(Ok(line)) = lines.next() {
        match line.split_whitespace().next().unwrap_or_default() {
            "EHLO" => say("250-mail.example\r\n250 AUTH PLAIN LOGIN"),
            "AUTH" => say("235 welcome"),
            "RCPT" => say(rcpt),
            "DATA" => {
                say("354 go on");
                let text: Vec<String> = lines.by_ref().map_while(Result::ok).take_while(|line| line != ".").collect();
                mails.send(text.join("\n")).unwrap();
                say("250 taken");
            }
            "QUIT" => {
                say("221 bye");
                return;
            }
            _ => say("250 good"),
        }
    }
}

fn connect(trial: &Trial, address: SocketAddr) {
    let (user, password) = (Some("shop".to_owned()), Some(Secret::new("hunter2")));
    let (url, from) = (format!("smtp-plain://{address}"), "Acme <shop@acme.example>".to_owned());
    trial.connect(Kind::Mail, Connector::Smtp(Smtp { url, from, user, password, queues: BTreeMap::new() })).unwrap();
}

#[test]
fn a_mail_is_handed_to_its_server_and_a_busy_one_is_asked_again_for_the_same_message() {
    let trial = Trial::with(TELL).unwrap();
    let (address, mails) = server(&["450 busy, li.lei@example.com", "250 good"]);
    connect(&trial, address);
    let case = reached(&trial, &[("email", "li.lei@example.com")]);
    let tell = effect(&case, "tell", None);
    trial.send().unwrap();
    assert_eq!(
        (outcomes(&trial, tell), last(&trial, tell).reason.as_deref()),
        (vec![Outcome::Retry], Some("smtp_450"))
    );
    trial.send_after(HOUR).unwrap();
    assert_eq!(state(&trial, &case, "tell"), EffectState::Confirmed);
    let mail = mails.recv().unwrap();
    assert!(mail.contains(&format!("Message-ID: <{tell}@acme.example>")) && mail.contains(&case.number), "{mail}");
    assert!(!format!("{:?}", trial.log(tell).unwrap()).contains("example.com"), "no address reaches the log");
}

#[test]
fn a_mailbox_that_does_not_exist_is_a_declined_message() {
    let trial = Trial::with(TELL).unwrap();
    let (address, _mails) = server(&["550 no such mailbox"]);
    connect(&trial, address);
    let case = reached(&trial, &[("email", "nobody@example.com")]);
    trial.send().unwrap();
    assert_eq!(state(&trial, &case, "tell"), EffectState::Declined);
    assert_eq!(last(&trial, effect(&case, "tell", None)).reason.as_deref(), Some("smtp_550"));
}
