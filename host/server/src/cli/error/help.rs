//! What to do about errors of the system.

use std::io::{Error, ErrorKind};
use std::path::Path;

use redress_sandbox::Refusal;

use crate::publish;

pub(super) fn listen(error: &Error) -> &'static str {
    use ErrorKind as K;
    match error.kind() {
        K::AddrInUse => "another program listens there: stop it, or choose another port with --listen 127.0.0.1:PORT",
        K::PermissionDenied => "ports below 1024 are for the system: choose another with --listen ADDR:PORT",
        K::AddrNotAvailable => "the address is none of this machine's: 127.0.0.1 is for this machine, 0.0.0.0 for all",
        _ => "give an address and a port, as --listen 127.0.0.1:7373",
    }
}

/// What to do about a file that cannot be read.
pub(super) fn read(path: &Path, source: &Error) -> Option<&'static str> {
    match source.kind() {
        ErrorKind::IsADirectory => Some("it is a folder; of a plugin's the component is build/NAME.wasm"),
        ErrorKind::NotFound if path.extension().is_some_and(|extension| extension == "wasm") => {
            Some("redress plugin build FOLDER writes FOLDER/build/NAME.wasm")
        }
        ErrorKind::NotFound if path.is_relative() => Some(
            "it was looked for in the folder in which the command runs; an option or a variable may have the whole path",
        ),
        _ => None,
    }
}

/// What to do about something that was not published.
pub(super) fn publish(error: &publish::Error) -> Option<&'static str> {
    use publish::Error as E;
    Some(match error {
        E::Refused(refusal) if refusal.is_infrastructure() => {
            "nothing was changed and nothing is wrong with the plugin; look at the machine, then push it again"
        }
        E::Refused(Refusal::NotWasm | Refusal::NoManifest) => {
            "nothing was changed; push what redress plugin build wrote: build/NAME.wasm in the plugin's folder"
        }
        E::Refused(Refusal::NoHook) => {
            "in Rust the type that answers has #[redress_plugin::plugin(...)] on its implementation of the hook; mend it and build it again"
        }
        E::Refused(_) => "nothing was changed; mend the plugin and build it again",
        E::CasesDiffer { .. } => {
            "nothing was changed; mend the plugin, or where the rule is meant to change the cases: redress plugin cases push NAME DIR"
        }
        E::CasesUnasked { .. } => {
            "nothing was changed; push it again, or keep fewer cases: redress plugin cases list NAME"
        }
        E::Breaks { .. } => {
            "nothing was changed; publish a workflow that suits both, or push the plugin under another name"
        }
        E::SignatureMissing | E::SignatureInvalid(_) => {
            "nothing was changed; sign the file with a registered key (minisign -S -m FILE), and push it with --signature FILE.minisig"
        }
        E::NotGranted { .. } => {
            "nothing was changed; look at what it asks for, then: redress plugin grant NAME FACT..., and push it again"
        }
        E::Name(_) => {
            "a name is lower-case letters, digits, - and _; a version is major.minor.patch; --name gives another name"
        }
        _ => return None,
    })
}
