//! A crash at every commit and at every request of the two processes: the case comes to the same end, and the provider does
//! everything once.
//!
//! A process is played once, and at each of these moments the data folder is copied as it lies there: before a commit, with all of
//! it written and nothing kept; after it, before anybody was answered; before a request leaves; after the provider did what it was
//! asked, with its answer lost. On each copy another host is started, which knows nothing but the folder. Whoever was not answered
//! asks again, as clients do, and what is played goes on.

mod book;
mod end;
mod plans;
mod stage;

use std::sync::Mutex;

use plans::Plan;
use stage::tried;

/// What came of one plan.
struct Tried {
    /// Commits while it was played.
    commits: usize,
    /// Requests that left.
    sends: usize,
    /// Moments at which it was cut.
    points: usize,
    /// Where it came to another end, and to which.
    failures: Vec<String>,
}

/// Play all plans of a process, as many at once as there are cores.
fn all_plans(plans: Vec<Plan>) {
    let (left, wrong) = (Mutex::new(plans), Mutex::new(Vec::new()));
    let work = || {
        loop {
            let Some(plan) = left.lock().unwrap().pop() else { return };
            let tried = tried(&plan).unwrap_or_else(|error| panic!("{}: {error:?}", plan.name));
            println!(
                "{}: cut at {} points, {} commits, {} requests",
                plan.name, tried.points, tried.commits, tried.sends
            );
            let mut wrong = wrong.lock().unwrap();
            wrong.extend(tried.failures.iter().map(|failure| format!("{}, {failure}", plan.name)));
            // A test that cuts nowhere proves nothing. Each commit and each request are two moments.
            let expected = (plan.commits_min, plan.sends_min, 2 * (tried.commits + tried.sends));
            if tried.commits < expected.0 || tried.sends < expected.1 || tried.points != expected.2 {
                wrong.push(format!("{}: blind, expected {expected:?}", plan.name));
            }
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..2).map(|_| scope.spawn(work)).collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong[..wrong.len().min(5)].join("\n"));
}

#[test]
fn a_device_that_may_be_faulty_comes_to_the_same_end_wherever_the_host_dies() {
    all_plans(plans::devices());
}

#[test]
fn an_exchange_comes_to_the_same_end_wherever_the_host_dies() {
    all_plans(plans::clothes());
}
