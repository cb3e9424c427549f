//! This program in front of the compiler, so that a plugin's bytes do not depend on the folder of the checkout.
//!
//! Cargo hashes the full path of a package outside its workspace (the SDK, seen from `plugins/`) into the crate's
//! identity. Symbols carry the identity, the linker orders functions by their symbols, and the digest of a plugin
//! would be another one in every folder. Here a crate of ours is identified by its name instead.

use std::ffi::OsString;
use std::process::{Command, ExitCode};

/// Set where cargo starts us in place of the compiler.
const MARK: &str = "REDRESS_STABLE_RUSTC";

/// Have cargo compile through this program.
pub(super) fn wrap(cargo: &mut Command) -> std::io::Result<()> {
    cargo.env("RUSTC_WRAPPER", std::env::current_exe()?).env(MARK, "1");
    Ok(())
}

/// When cargo started us in place of the compiler: compile, and how it ended.
pub(crate) fn run_if_asked() -> Option<ExitCode> {
    std::env::var_os(MARK)?;
    let mut args = std::env::args_os().skip(1);
    let rustc = args.next()?;
    let status = Command::new(rustc).args(stable(args.collect())).env_remove(MARK).status();
    let code = status.ok().and_then(|status| status.code()).and_then(|code| u8::try_from(code).ok());
    Some(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// The compiler's arguments with the identity of our own crates replaced. Packages of the registry have a stable one,
/// and may be there in two versions.
fn stable(args: Vec<OsString>) -> Vec<OsString> {
    let after = |name: &str| args.iter().position(|arg| arg == name).and_then(|at| args.get(at + 1)).cloned();
    let Some(crate_name) = after("--crate-name") else { return args };
    let is_foreign = args.iter().any(|arg| arg == "--cap-lints");
    if is_foreign {
        return args;
    }
    let is_identity = |arg: &OsString| arg.to_string_lossy().starts_with("metadata=");
    let mut identity = OsString::from("metadata=");
    identity.push(crate_name);
    args.into_iter().map(|arg| if is_identity(&arg) { identity.clone() } else { arg }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stable_text(line: &str) -> String {
        let args = stable(line.split(' ').map(OsString::from).collect());
        args.iter().map(|arg| arg.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn our_own_crates_are_identified_by_their_name() {
        assert_eq!(
            stable_text("--crate-name sdk src/lib.rs -C metadata=0f99 -C extra-filename=-0f99"),
            "--crate-name sdk src/lib.rs -C metadata=sdk -C extra-filename=-0f99"
        );
    }

    #[test]
    fn packages_of_the_registry_and_questions_to_the_compiler_pass_unchanged() {
        for line in ["--crate-name syn src/lib.rs -C metadata=77aa --cap-lints allow", "-vV", "- --print sysroot"] {
            assert_eq!(stable_text(line), line);
        }
    }
}
