//! Components that nobody wrote: made up by chance, or good ones with bytes changed. The whole way in ends each in an answer.

use std::path::Path;
use std::time::{Duration, Instant};

use arbitrary::Unstructured;
use redress_sandbox::{Call, Hook, Limits, Sandbox};

use crate::corpus::question::{request, step_request};
use crate::corpus::uploads::section;
use crate::guests::{counting, deny_all, quoting, taking};
use crate::{sandbox, with};

/// Numbers that look random and are the same in every run; `REDRESS_SEED` begins elsewhere.
struct Chance(u64);

impl Chance {
    fn new() -> Self {
        let seed = std::env::var("REDRESS_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
        println!("REDRESS_SEED={seed}");
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end.max(1) as u64).unwrap()
    }
}

/// How many of each are tried; `REDRESS_MUTATIONS` asks for more.
fn count(usual: usize) -> usize {
    std::env::var("REDRESS_MUTATIONS").ok().and_then(|count| count.parse().ok()).unwrap_or(usual)
}

/// Puts bytes through the whole way in, and asks what is let through; tells the code it ended with.
fn through(sandbox: &Sandbox, bytes: &[u8]) -> &'static str {
    let began = Instant::now();
    let ends = match sandbox.upload(bytes) {
        Err(refusal) => refusal.code(),
        Ok(info) => {
            let (question, step) = (request(), step_request());
            let call = match info.hooks[0] {
                Hook::Eligibility => Call::Eligibility(&question),
                Hook::Compliance => Call::Compliance(&question),
                Hook::Refund => Call::Refund(&question),
                Hook::Step => Call::Step(&step),
            };
            let ends = sandbox.attempt(&info.digest, call).result.map_or_else(|error| error.code(), |_| "answered");
            sandbox.unload(&info.digest);
            ends
        }
    };
    // Far above anything seen: it says "hangs", not "slow".
    assert!(began.elapsed() < Duration::from_secs(60), "{ends} after {:?}", began.elapsed());
    assert!(!ends.ends_with("panic"), "{ends}");
    ends
}

/// Every refusal has its page.
fn assert_known(ends: &str) {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../docs/errors/{ends}.md"));
    assert!(!ends.starts_with("upload_") || page.is_file(), "{ends} has no page");
}

/// One to eight changes: a bit, a byte, a piece cut out, put in twice or filled.
fn mutated(bytes: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=chance.below(8) {
        let at = chance.below(bytes.len());
        let end = (at + 1 + chance.below(64)).min(bytes.len());
        match chance.below(6) {
            0 => bytes[at] ^= 1 << chance.below(8),
            1 => bytes[at] = u8::try_from(chance.below(256)).unwrap(),
            2 => drop(bytes.drain(at..end)),
            3 => {
                let piece = bytes[at..end].to_vec();
                let to = chance.below(bytes.len());
                bytes.splice(to..to, piece);
            }
            4 => bytes[at..end].fill(0xff),
            _ => bytes[at..end].fill(0),
        }
        if bytes.is_empty() {
            break;
        }
    }
    bytes
}

#[test]
fn changed_guests_end_in_an_answer() {
    let guests: Vec<Vec<u8>> =
        [deny_all(), counting(), taking(2), quoting(1, "GBP")].iter().map(|guest| guest.component().unwrap()).collect();
    let mut chance = Chance::new();
    let mut ends = std::collections::BTreeMap::new();
    for n in 0..count(600) {
        let code = through(sandbox(), &mutated(&guests[n % guests.len()], &mut chance));
        assert_known(code);
        *ends.entry(code).or_insert(0) += 1;
    }
    println!("{ends:?}");
    assert!(ends.len() > 3 && ends.contains_key("upload_malformed"), "{ends:?}");
}

#[test]
fn changed_stock_plugins_end_in_an_answer() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/stock-plugins");
    let stock: Vec<Vec<u8>> = std::fs::read_dir(folder)
        .expect("cargo xtask plugins makes them")
        .map(|file| std::fs::read(file.unwrap().path()).unwrap())
        .collect();
    assert!(stock.len() >= 4, "{}", stock.len());
    let mut chance = Chance::new();
    let mut taken = 0;
    for n in 0..count(300) {
        let bytes = mutated(&stock[n % stock.len()], &mut chance);
        // Compiling one takes a second where the compiler itself is not optimised.
        match redress_sandbox::inspect::inspect(&bytes, &Limits::default()) {
            Err(refusal) => assert_known(refusal.code()),
            Ok(_) if taken < count(3) => {
                taken += 1;
                assert_known(through(sandbox(), &bytes));
            }
            Ok(_) => {}
        }
    }
    println!("{taken} were compiled and asked");
}

#[test]
fn components_by_chance_end_in_an_answer() {
    let sandbox = with(crate::patient());
    let mut chance = Chance::new();
    let mut seen = std::collections::BTreeMap::new();
    for _ in 0..count(300) {
        let seed: Vec<u8> = (0..4_096).map(|_| u8::try_from(chance.below(256)).unwrap()).collect();
        let Ok(component) = wasm_smith::Component::new(wasm_smith::Config::default(), &mut Unstructured::new(&seed))
        else {
            continue;
        };
        let code = through(&sandbox, &component.to_bytes());
        assert_known(code);
        *seen.entry(code).or_insert(0) += 1;
    }
    println!("{seen:?}");
    assert!(seen.values().sum::<i32>() > 50, "{seen:?}");
}

#[test]
fn modules_by_chance_in_place_of_a_guests_end_in_an_answer() {
    let mut chance = Chance::new();
    let mut seen = std::collections::BTreeMap::new();
    for _ in 0..count(60) {
        let seed: Vec<u8> = (0..2_048).map(|_| u8::try_from(chance.below(256)).unwrap()).collect();
        let config = wasm_smith::Config {
            simd_enabled: false,
            relaxed_simd_enabled: false,
            threads_enabled: false,
            memory64_enabled: false,
            exceptions_enabled: false,
            tail_call_enabled: false,
            gc_enabled: false,
            multi_value_enabled: true,
            max_imports: 0,
            max_memories: 1,
            max_funcs: 40,
            ..wasm_smith::Config::default()
        };
        let Ok(module) = wasm_smith::Module::new(config, &mut Unstructured::new(&seed)) else { continue };
        // The module stands beside a plugin in its component, and is compiled with it.
        let code = through(sandbox(), &beside_a_plugin(&module.to_bytes()));
        assert_known(code);
        *seen.entry(code).or_insert(0) += 1;
    }
    println!("{seen:?}");
    assert!(seen.contains_key("answered"), "none was compiled: {seen:?}");
}

/// A good plugin with one more core module in its component.
fn beside_a_plugin(module: &[u8]) -> Vec<u8> {
    // Section 1 of a component is a core module.
    [counting().component().unwrap(), section(1, module)].concat()
}
