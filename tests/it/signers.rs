//! Signed plugins: a signature counts where it is one of this very file by a key that the merchant registered.

use std::collections::BTreeMap;
use std::io::Cursor;

use redress::cli::Exit;
use redress::engine::log::{self, What};
use redress::publish::plugins::{self, Upload};
use redress::publish::signers::{self, Change, Signers};
use redress::publish::way::Way;
use redress_tests::guests::integer_step;
use redress_tests::world::{Merchant, World, admin};

use crate::cli::Shell;

/// A key, as its owner has it, and the signature of a file by it.
struct Key(minisign::KeyPair);

impl Key {
    fn new() -> Self {
        Self(minisign::KeyPair::generate_unencrypted_keypair().unwrap())
    }

    fn public(&self) -> String {
        self.0.pk.to_base64()
    }

    fn sign(&self, file: &[u8]) -> String {
        minisign::sign(Some(&self.0.pk), &self.0.sk, Cursor::new(file), None, None).unwrap().into_string()
    }
}

fn set(merchant: &Merchant, keys: &[(&str, String)], required: bool) -> Result<Signers, redress::publish::Error> {
    let keys: BTreeMap<String, String> = keys.iter().map(|(name, key)| ((*name).to_owned(), key.clone())).collect();
    let (signers, by) = (Signers { keys, required }, admin());
    signers::set(&merchant.engine, &Change { signers: &signers, note: "test", by: &by, way: Way::Api, answer: None })
}

fn push(world: &World, merchant: &Merchant, bytes: &[u8], signature: Option<&str>) -> Result<(), &'static str> {
    let by = admin();
    let upload = Upload { name: "number", bytes, signature, by: &by, way: Way::Api, answer: None };
    let pushed = plugins::push(&merchant.engine, &world.app.host().objects(), &upload);
    pushed.map(drop).map_err(|error| error.code())
}

#[test]
fn a_signature_counts_only_for_its_file_and_by_a_registered_key_and_is_recorded() -> anyhow::Result<()> {
    let world = World::new()?;
    let merchant = world.bare_merchant("acme")?;
    let (one, two) = (integer_step("n", "(i64.const 1)").component()?, integer_step("n", "(i64.const 2)").component()?);
    let (anna, eve) = (Key::new(), Key::new());
    let by_anna = anna.sign(&one);
    assert_eq!(push(&world, &merchant, &one, Some(&by_anna)), Err("signature_invalid"), "nobody is registered");
    set(&merchant, &[("anna", anna.public())], true)?;
    assert_eq!(push(&world, &merchant, &one, None), Err("signature_missing"));
    assert_eq!(push(&world, &merchant, &two, Some(&by_anna)), Err("signature_invalid"), "it is of another file");
    assert_eq!(push(&world, &merchant, &one, Some(&eve.sign(&one))), Err("signature_invalid"));
    for rubbish in ["", "RWQ", &by_anna[..by_anna.len() / 2], &"x".repeat(5_000)] {
        assert_eq!(push(&world, &merchant, &one, Some(rubbish)), Err("signature_invalid"));
    }
    assert_eq!(push(&world, &merchant, &one, Some(&by_anna)), Ok(()));
    let became = plugins::history(&merchant.engine)?;
    assert_eq!(became.len(), 1);
    assert_eq!(became[0].signed_by.as_deref(), Some("anna"));

    // Where none is required, one that is given still has to count.
    set(&merchant, &[("anna", anna.public())], false)?;
    assert_eq!(push(&world, &merchant, &two, Some(&by_anna)), Err("signature_invalid"));
    assert_eq!(push(&world, &merchant, &two, None), Ok(()));
    let digest = became[0].plugin.digest;
    merchant.activate("number@0", digest)?;
    let signed: Vec<_> = plugins::history(&merchant.engine)?.into_iter().map(|became| became.signed_by).collect();
    assert_eq!(signed, [Some("anna".to_owned()), None, Some("anna".to_owned())], "going back, it is signed as it was");
    let facts = log::read(&merchant.engine)?;
    assert_eq!(facts.iter().filter(|one| matches!(one.what, What::SignersSet { .. })).count(), 2);
    Ok(())
}

#[test]
fn signers_that_would_lock_everybody_out_or_are_no_keys_are_refused() -> anyhow::Result<()> {
    let world = World::new()?;
    let merchant = world.bare_merchant("acme")?;
    let code = |keys: &[(&str, String)], required| set(&merchant, keys, required).unwrap_err().code();
    assert_eq!(code(&[], true), "signer_unfit");
    assert_eq!(code(&[("anna", "no key".to_owned())], false), "signer_unfit");
    assert_eq!(code(&[("No Name", Key::new().public())], false), "signer_unfit");
    assert_eq!(signers::of(&merchant.engine)?, Signers::default());
    Ok(())
}

#[test]
fn the_command_line_pushes_and_stages_with_a_signature() -> anyhow::Result<()> {
    let shell = Shell::new()?;
    let (one, two) = (integer_step("n", "(i64.const 1)").component()?, integer_step("n", "(i64.const 2)").component()?);
    let key = Key::new();
    let named = format!("anna={}", key.public());
    shell.ok(&["plugin", "signers", "--key", &named, "--required", "--note", "two eyes"])?;
    assert_eq!(shell.json(&["plugin", "signers"])?["required"], true);
    let file = shell.file("one.wasm", &one)?;
    let unsigned = shell.run(&["plugin", "push", &file, "--name", "number"]);
    assert_eq!(unsigned.exit, Exit::Invalid);
    assert!(unsigned.talk.contains("error[signature_missing]") && unsigned.talk.contains("minisign -S -m FILE"));
    let signature = shell.file("one.wasm.minisig", key.sign(&one).as_bytes())?;
    shell.ok(&["plugin", "push", &file, "--name", "number", "--signature", &signature])?;
    let (file, signature) = (shell.file("two.wasm", &two)?, shell.file("two.minisig", key.sign(&two).as_bytes())?);
    let staged = shell.json(&["plugin", "stage", &file, "--shadow", "--name", "number", "--signature", &signature])?;
    assert_eq!(staged["signed_by"], "anna");
    shell.ok(&["plugin", "signers", "--none", "--note", "enough"])?;
    assert_eq!(shell.json(&["plugin", "signers"])?["required"], false);
    Ok(())
}
