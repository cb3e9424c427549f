//! What to do about errors of the system.

use std::io::{Error, ErrorKind};
use std::path::Path;

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
