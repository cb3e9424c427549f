//! What is loaded and kept of plugins: no more than somebody needs, and whatever a case asks for.

use std::sync::Arc;

use redress::clock::FixedClock;
use redress::publish::{Error, plugins};
use redress_domain::clock::Instant;
use redress_domain::ids::Digest;
use redress_store::objects::ObjectError;
use redress_tests::guests::{counting, integer_step};
use redress_tests::shop::stands;
use redress_tests::world::{Merchant, START, World};

use super::{asking, open, seven};

/// A host with a sandbox of its own, so that nobody else loads or forgets anything.
struct Alone {
    world: World,
    acme: Merchant,
    clock: Arc<FixedClock>,
    folder: tempfile::TempDir,
}

impl Alone {
    fn new() -> Self {
        let (folder, clock) = (tempfile::tempdir().unwrap(), Arc::new(FixedClock::at(Instant::from_unix_ms(START))));
        let world = World::started_on(folder.path(), &clock).unwrap();
        let acme = world.bare_merchant("acme").unwrap();
        Self { world, acme, clock, folder }
    }

    fn restart(self) -> Self {
        let Self { world, acme, clock, folder } = self;
        drop((world, acme));
        let world = World::started_on(folder.path(), &clock).unwrap();
        let acme = world.reopen("acme").unwrap();
        Self { world, acme, clock, folder }
    }

    fn is_loaded(&self, component: &[u8]) -> bool {
        self.world.app.sandbox().is_loaded(Digest::of(component).bytes())
    }

    fn is_kept(&self, component: &[u8]) -> bool {
        match self.world.app.host().objects().get(Digest::of(component)) {
            Ok(_) => true,
            Err(ObjectError::Missing { .. }) => false,
            Err(error) => panic!("{error}"),
        }
    }

    fn artifacts(&self) -> usize {
        std::fs::read_dir(self.world.app.host().artifact_folder()).unwrap().count()
    }
}

/// A person looks before the plugin is asked.
fn asking_late() -> String {
    let review = "  - { id: look, review: { queue: q, title: Look, next: { go: ask }, timeout: { never: wait } } }\n";
    asking("one").replace("steps:\n", &format!("steps:\n{review}"))
}

#[test]
fn an_upload_that_is_refused_leaves_nothing_behind() {
    let host = Alone::new();
    host.acme.push("number", &seven()).unwrap();
    host.acme.publish(&asking("one")).unwrap();
    let before = (host.world.app.sandbox().loaded(), host.artifacts());
    for n in 0..20 {
        // Each is another component, and none suits the workflow.
        let unfit = integer_step("amount", &format!("(i64.const {n})")).component().unwrap();
        let refused = host.acme.push("number", &unfit).unwrap_err();
        assert!(matches!(refused.downcast_ref(), Some(Error::Breaks { .. })), "{refused:?}");
        assert!(!host.is_loaded(&unfit) && !host.is_kept(&unfit));
    }
    host.acme.push("hello", b"hello").unwrap_err();
    assert_eq!((host.world.app.sandbox().loaded(), host.artifacts()), before);
    assert!(host.is_loaded(&seven()) && host.is_kept(&seven()));
}

#[test]
fn a_component_that_was_replaced_is_forgotten_and_comes_back_when_a_case_asks_it() {
    let old = counting().component().unwrap();
    let host = Alone::new();
    host.acme.push("number", &old).unwrap();
    host.acme.publish(&asking_late()).unwrap();
    let waiting = [open(&host.acme, "one"), open(&host.acme, "one"), open(&host.acme, "one")];
    host.acme.push("number", &seven()).unwrap();
    assert_eq!((host.is_loaded(&old), host.is_loaded(&seven())), (false, true));
    let answer = |host: &Alone, place: usize| {
        let case = &waiting[place];
        host.acme.complete(case.id, *case.tasks.keys().next().unwrap(), "go").unwrap();
        host.acme.case(case.id).unwrap()
    };
    let first = answer(&host, 0);
    assert_eq!((stands(&first), first.tasks.len()), ("other", 0), "it counts as its revision does");
    // After a restart too nothing is loaded that no new case calls.
    let host = host.restart();
    assert_eq!((host.is_loaded(&old), host.is_loaded(&seven())), (false, true));
    assert_eq!(stands(&answer(&host, 1)), "other");
    // Whoever goes back to it has it loaded again.
    host.acme.activate("number@0", Digest::of(&old)).unwrap();
    assert_eq!((host.is_loaded(&old), host.is_loaded(&seven())), (true, false));
    assert_eq!(stands(&answer(&host, 2)), "other");
    host.acme.roll_back("one", None).unwrap();
    assert_eq!((host.is_loaded(&old), host.is_loaded(&seven())), (true, true), "the name, and the revision");
    assert_eq!(plugins::list(&host.acme.engine).unwrap()[0].digest, Digest::of(&old));
}

#[test]
fn a_component_that_another_merchant_needs_stays() {
    let host = Alone::new();
    let beta = host.world.bare_merchant("beta").unwrap();
    for merchant in [&host.acme, &beta] {
        merchant.push("number", &seven()).unwrap();
        merchant.publish(&asking("one")).unwrap();
    }
    host.acme.push("number", &counting().component().unwrap()).unwrap();
    assert!(host.is_loaded(&seven()));
    assert_eq!(stands(&open(&beta, "one")), "seven");
}
