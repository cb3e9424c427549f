//! What is checked of uploaded bytes before they are compiled, and every reason to refuse them.
//!
//! Nothing is executed here. The order is from cheap to dear: size and file type, counts, validation with the features
//! that plugins may use, then imports, exports and manifest. The exact types of the exports are checked at load.

use wasmparser::{Validator, types::Types};

use self::structure::Structure;
use crate::contract::{Hook, Major, PACKAGE};
use crate::engine::FEATURES;
use crate::limits::{Class, Limits};
use crate::manifest::{self, Manifest};

mod shape;
mod structure;

pub use self::shape::{Shape, shape};

/// What a component says about itself, after everything that can be known without compiling it was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspected {
    /// Its manifest.
    pub manifest: Manifest,
    /// The contract it speaks.
    pub major: Major,
    /// The hooks it exports; the same as the manifest's.
    pub hooks: Vec<Hook>,
}

/// Why bytes are not accepted as a plugin. The message is for the plugin's author.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The upload was empty.
    #[error("plugin was empty")]
    Empty,
    /// The upload is larger than a plugin may be.
    #[error("plugin had {got} bytes, at most {max}")]
    TooLarge {
        /// Its bytes.
        got: usize,
        /// The most it may have.
        max: usize,
    },
    /// Compiled code is never accepted: it would run outside the sandbox.
    #[error("plugin was machine code; upload the WebAssembly component that it was compiled from")]
    Precompiled,
    /// The upload is packed.
    #[error("plugin was packed as {format}; upload the component itself")]
    Packed {
        /// How it was packed.
        format: &'static str,
    },
    /// The upload is a core module that says nothing of its types.
    #[error(
        "plugin was a core module without the types of the contract, so no component can be made of it; build it with the \
         SDK or with wit-bindgen, and keep its custom sections"
    )]
    CoreModule,
    /// The upload is a core module that says its types, and is not what they say.
    #[error("plugin was a core module of which no component could be made: {detail}")]
    NoComponent {
        /// What was wrong.
        detail: String,
    },
    /// The upload is something else.
    #[error("plugin was not WebAssembly")]
    NotWasm,
    /// There is more of something than a plugin may have.
    #[error("plugin had {got} {what}, at most {max}")]
    TooMany {
        /// What was counted.
        what: &'static str,
        /// How many there were.
        got: usize,
        /// How many there may be.
        max: usize,
    },
    /// The bytes do not form a valid component, or use a part of WebAssembly that plugins may not use.
    #[error("plugin was not a valid component: {detail}")]
    Malformed {
        /// What was wrong and where.
        detail: String,
    },
    /// The component wants something of the host that no plugin gets.
    #[error("plugin imported {import:?}, which it may not; {advice}")]
    ForbiddenImport {
        /// The import's name.
        import: String,
        /// How to do without.
        advice: &'static str,
    },
    /// The component exports a hook of another version of the contract.
    #[error("plugin exported {export:?}; this host speaks {speaks}")]
    OtherVersion {
        /// The export's name.
        export: String,
        /// The versions that it could be of.
        speaks: String,
    },
    /// The component exports no hook.
    #[error("plugin exported no hook; it must export one of eligibility, compliance, refund and step")]
    NoHook,
    /// A hook, or the imported log, does not have the contract's types.
    #[error("plugin's {interface} did not have the contract's types: {detail}")]
    WrongType {
        /// The interface.
        interface: String,
        /// wasmtime's words.
        detail: String,
    },
    /// There is no manifest.
    #[error("plugin had no manifest; the SDK writes it into the custom section `redress:manifest`")]
    NoManifest,
    /// There is more than one manifest.
    #[error("plugin had {count} manifests; it must have one")]
    ManifestTwice {
        /// How many.
        count: usize,
    },
    /// The manifest cannot be read.
    #[error("plugin's manifest was refused")]
    Manifest(#[source] manifest::Problem),
    /// The class stands where it is not found in time.
    #[error("plugin's class stood behind too many other sections; put its manifest at the front")]
    ClassHidden,
    /// The manifest names other hooks than the component exports.
    #[error("plugin's manifest named the hooks {manifest:?}, its exports are {exports:?}")]
    HooksDisagree {
        /// The manifest's.
        manifest: Vec<Hook>,
        /// The component's.
        exports: Vec<Hook>,
    },
    /// The compiler refused the component, or it needs more than the pool holds.
    #[error("plugin could not be compiled: {detail}")]
    Compile {
        /// wasmtime's words.
        detail: String,
    },
    /// It broke a rule of the conformance suite when it was tried.
    #[error("plugin broke the rule {rule} when it was asked about the case {case}: {detail}")]
    DryRun {
        /// The rule.
        rule: &'static str,
        /// The case.
        case: String,
        /// What happened.
        detail: String,
    },
    /// Compiling the component took longer than it may.
    #[error(
        "plugin could not be compiled in {seconds} s; the compiler's time grows with the largest functions, so split them or \
         optimise the plugin for size"
    )]
    CompileTimeout {
        /// The processor time that a compilation has.
        seconds: u64,
    },
    /// Compiling the component took more memory than it may.
    #[error(
        "plugin could not be compiled in {} MiB of memory; the compiler's memory grows with the largest functions, so split \
         them or optimise the plugin for size",
        max >> 20
    )]
    CompileMemory {
        /// The memory that a compilation has, in bytes.
        max: u64,
    },
    /// The process that compiles did not do its work. It says nothing about these bytes.
    #[error("plugin could not be compiled because the compiler's process failed: {detail}")]
    Compiler {
        /// What the system said.
        detail: String,
    },
    /// The process that plugins run in did not do its work. It says nothing about these bytes.
    #[error("plugin could not be loaded because the process that runs plugins failed: {detail}")]
    Process {
        /// How it ended.
        detail: String,
    },
    /// Too many plugins are compiled already. It says nothing about these bytes.
    #[error("too many plugins are being compiled, a retry may succeed")]
    Busy,
    /// The host's compiler panicked.
    #[error("plugin could not be compiled because the compiler panicked: {detail}")]
    CompilerPanic {
        /// The panic's message.
        detail: String,
    },
}

impl Refusal {
    /// The stable code of this refusal.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "upload_empty",
            Self::TooLarge { .. } => "upload_too_large",
            Self::Precompiled => "upload_precompiled",
            Self::Packed { .. } => "upload_packed",
            Self::CoreModule | Self::NoComponent { .. } => "upload_core_module",
            Self::NotWasm => "upload_not_wasm",
            Self::TooMany { .. } => "upload_too_many",
            Self::Malformed { .. } => "upload_malformed",
            Self::ForbiddenImport { .. } => "upload_forbidden_import",
            Self::OtherVersion { .. } => "upload_other_version",
            Self::NoHook => "upload_no_hook",
            Self::WrongType { .. } => "upload_wrong_type",
            Self::NoManifest => "upload_no_manifest",
            Self::ManifestTwice { .. } => "upload_manifest_twice",
            Self::Manifest(_) | Self::ClassHidden => "upload_manifest",
            Self::HooksDisagree { .. } => "upload_hooks_disagree",
            Self::Compile { .. } => "upload_compile",
            Self::CompilerPanic { .. } => "upload_compiler_panic",
            Self::DryRun { .. } => "upload_dry_run",
            Self::CompileTimeout { .. } => "upload_compile_timeout",
            Self::CompileMemory { .. } => "upload_compile_memory",
            Self::Compiler { .. } => "compiler_failed",
            Self::Process { .. } => "plugin_process_failed",
            Self::Busy => "overloaded",
        }
    }

    /// Whether the host could not look at the bytes to the end: it says nothing about them, and a retry may succeed.
    #[must_use]
    pub fn is_infrastructure(&self) -> bool {
        matches!(self, Self::Busy | Self::Compiler { .. } | Self::Process { .. })
    }
}

/// Checks the bytes of a plugin and reads its manifest, without running or compiling anything.
///
/// # Errors
///
/// The first [`Refusal`] that applies.
pub fn inspect(bytes: &[u8], limits: &Limits) -> Result<Inspected, Refusal> {
    inspect_for(bytes, limits, Major::OFFERED)
}

/// As [`inspect`], for a host that speaks these majors.
pub(crate) fn inspect_for(bytes: &[u8], limits: &Limits, spoken: &[Major]) -> Result<Inspected, Refusal> {
    check_format(bytes, limits)?;
    let structure = Structure::read(bytes, limits)?;
    validate(bytes)?;
    for import in &structure.imports {
        check_import(import, spoken)?;
    }
    let (major, hooks) = hooks_of(&structure.exports, spoken)?;
    for import in &structure.imports {
        check_import(import, &[major])?;
    }
    let manifest = manifest_of(&structure.manifests, limits)?;
    if manifest.hooks != hooks {
        return Err(Refusal::HooksDisagree { manifest: manifest.hooks, exports: hooks });
    }
    Ok(Inspected { manifest, major, hooks })
}

/// Counts what there is of a module or component, without looking at what it is.
pub(crate) fn check_counts(bytes: &[u8], limits: &Limits) -> Result<(), Refusal> {
    check_size(bytes, limits)?;
    Structure::read(bytes, limits).map(drop)
}

fn check_size(bytes: &[u8], limits: &Limits) -> Result<(), Refusal> {
    if bytes.len() > limits.upload_bytes_max {
        return Err(Refusal::TooLarge { got: bytes.len(), max: limits.upload_bytes_max });
    }
    Ok(())
}

/// The class that a component says it is of, before anything was checked. What cannot be read is checked by the stricter limits.
pub(crate) fn class_of(bytes: &[u8]) -> Class {
    structure::first_manifest(bytes).and_then(manifest::class_of).unwrap_or_default()
}

fn check_format(bytes: &[u8], limits: &Limits) -> Result<(), Refusal> {
    if bytes.is_empty() {
        return Err(Refusal::Empty);
    }
    check_size(bytes, limits)?;
    if bytes.starts_with(b"\x7fELF") || wasmtime::Engine::detect_precompiled(bytes).is_some() {
        return Err(Refusal::Precompiled);
    }
    if bytes.starts_with(b"\x1f\x8b") {
        return Err(Refusal::Packed { format: "gzip" });
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return Err(Refusal::Packed { format: "zip" });
    }
    if wasmparser::Parser::is_core_wasm(bytes) {
        return Err(Refusal::CoreModule);
    }
    if !bytes.starts_with(b"\0asm") {
        return Err(Refusal::NotWasm);
    }
    Ok(())
}

fn validate(bytes: &[u8]) -> Result<Types, Refusal> {
    Validator::new_with_features(FEATURES)
        .validate_all(bytes)
        .map_err(|error| Refusal::Malformed { detail: error.to_string() })
}

fn check_import(import: &str, spoken: &[Major]) -> Result<(), Refusal> {
    if spoken.iter().any(|major| import == major.log() || import == major.types()) {
        return Ok(());
    }
    Err(forbidden(import))
}

/// An import that no plugin gets, with the way to do without.
pub(crate) fn forbidden(import: &str) -> Refusal {
    let advice = if import.starts_with("env.") {
        "a symbol was left open when it was linked: link what defines it, and build without a C library that wants a system"
    } else if import.starts_with("wasi") {
        "build for wasm32-unknown-unknown, or use the SDK: a plugin has no files, clock, network, environment or \
         randomness, and finds time and seed in its request"
    } else if import.starts_with("redress:plugin/") {
        "build with the SDK of this host, whose contract is redress:plugin@0.1.0"
    } else {
        "a plugin may import redress:plugin/log@0.1.0 and nothing else; what it needs to know is in its request"
    };
    Refusal::ForbiddenImport { import: cut(import), advice }
}

/// A name as a message shows it; a hostile one may be as long as the upload.
fn cut(name: &str) -> String {
    name.chars().take(120).collect()
}

/// The major of its hooks, and the hooks. A plugin has those of one alone: a host that learns another would ask it otherwise than before.
fn hooks_of(exports: &[String], spoken: &[Major]) -> Result<(Major, Vec<Hook>), Refusal> {
    let hooks_in = |major: Major| Hook::ALL.into_iter().filter(move |hook| exports.contains(&major.interface(*hook)));
    let of_one = spoken.iter().find(|major| hooks_in(**major).next().is_some());
    let is_of_it = |export: &str| of_one.is_some_and(|major| export.ends_with(&format!("@{}", major.version())));
    let other = exports.iter().find(|export| export.starts_with("redress:plugin/") && !is_of_it(export));
    match (of_one, other) {
        (_, Some(export)) => Err(Refusal::OtherVersion { export: cut(export), speaks: versions(spoken) }),
        (Some(&major), None) => Ok((major, hooks_in(major).collect())),
        (None, None) => Err(Refusal::NoHook),
    }
}

fn versions(spoken: &[Major]) -> String {
    let versions: Vec<String> = spoken.iter().map(|major| format!("{PACKAGE}@{}", major.version())).collect();
    versions.join(" and ")
}

fn manifest_of(manifests: &[&[u8]], limits: &Limits) -> Result<Manifest, Refusal> {
    let [bytes] = manifests else {
        return Err(match manifests.len() {
            0 => Refusal::NoManifest,
            count => Refusal::ManifestTwice { count },
        });
    };
    if bytes.len() > limits.manifest_bytes_max {
        return Err(Refusal::TooMany { what: "bytes of manifest", got: bytes.len(), max: limits.manifest_bytes_max });
    }
    Manifest::parse(bytes).map_err(Refusal::Manifest)
}

#[cfg(all(test, feature = "trial"))]
mod tests {
    use super::{hooks_of, versions};
    use crate::contract::{Hook, Major};
    use crate::inspect::Refusal;

    #[test]
    fn a_plugin_has_the_hooks_of_one_major_that_the_host_speaks() {
        let of = |major: Major, hook| major.interface(hook);
        let (older, newer) = (of(Major::Zero, Hook::Step), of(Major::Two, Hook::Refund));
        assert_eq!(hooks_of(std::slice::from_ref(&older), Major::WITH_TRIAL), Ok((Major::Zero, vec![Hook::Step])));
        let two = [of(Major::Two, Hook::Step), newer.clone()];
        assert_eq!(hooks_of(&two, Major::WITH_TRIAL), Ok((Major::Two, vec![Hook::Refund, Hook::Step])));
        let other = |exports: &[String], spoken: &[Major]| match hooks_of(exports, spoken) {
            Err(Refusal::OtherVersion { export, .. }) => export,
            found => panic!("{found:?}"),
        };
        // Of two it would be the other one that is asked, once a host learns it.
        for spoken in [Major::OFFERED, Major::WITH_TRIAL] {
            assert_eq!(other(&[older.clone(), newer.clone()], spoken), newer);
        }
        assert_eq!(other(std::slice::from_ref(&newer), Major::OFFERED), newer);
        assert_eq!(hooks_of(&["redress:other/step@0.1.0".to_owned()], Major::OFFERED), Err(Refusal::NoHook));
        assert_eq!(versions(Major::WITH_TRIAL), "redress:plugin@0.1.0 and redress:plugin@2.0.0");
    }
}
