//! What `redress plugin new` writes: templates, the contract, and the Rust SDK, all of it inside this program.

use redress_sandbox::Hook;

/// A file of the kit: where it lies below `plugin-sdk`, and its text.
pub(super) type File = (&'static str, &'static str);

include!(concat!(env!("OUT_DIR"), "/kit.rs"));

/// A language that plugins are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(in crate::cli) enum Lang {
    /// Rust, with the SDK: the smallest and fastest.
    Rust,
    /// C, with clang alone: as small and as fast.
    C,
    /// JavaScript, through componentize-js.
    Js,
    /// Python, through componentize-py.
    Python,
}

/// A question as the command line names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(in crate::cli) enum HookName {
    /// May it be returned, how much, and from which purchases.
    Eligibility,
    /// What law and safety ask.
    Compliance,
    /// How much money, per take.
    Refund,
    /// Parameters in, values out.
    Step,
}

impl HookName {
    pub(super) fn hook(self) -> Hook {
        match self {
            Self::Eligibility => Hook::Eligibility,
            Self::Compliance => Hook::Compliance,
            Self::Refund => Hook::Refund,
            Self::Step => Hook::Step,
        }
    }
}

/// The text of a file of the kit; nothing where there is none.
pub(super) fn text(path: &str) -> Option<&'static str> {
    KIT.iter().find(|(known, _)| *known == path).map(|(_, text)| *text)
}

/// The files of the kit below a folder, with what is left of their paths.
pub(super) fn below(folder: &str) -> impl Iterator<Item = File> {
    KIT.iter().filter_map(move |(path, text)| path.strip_prefix(folder).map(|rest| (rest, *text)))
}

/// Names in double braces are replaced by what they stand for.
pub(super) fn fill(text: &str, name: &str, hook: Hook) -> String {
    let [wit_bindgen, proc_macro2, quote, syn] = VERSIONS;
    text.replace("{{name}}", name)
        .replace("{{hook}}", hook.name())
        .replace("{{sdk_version}}", env!("CARGO_PKG_VERSION"))
        .replace("{{wit_bindgen}}", wit_bindgen)
        .replace("{{proc_macro2}}", proc_macro2)
        .replace("{{quote}}", quote)
        .replace("{{syn}}", syn)
}
