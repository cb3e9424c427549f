//! Every limit of watched folders, each with its reason.

use redress_domain::workflow::yaml;

/// Bytes of a workflow file: the longest document. One byte more is read, to tell a longer one.
pub(super) const WORKFLOW_BYTES_MAX: usize = yaml::SOURCE_BYTES_MAX;
/// Files of one tenant behind one door. A merchant has a dozen workflows; 2,000 is a script gone wild, and a look at so many still
/// takes well under a second.
pub(super) const TENANT_FILES_MAX: usize = 2_000;
/// Entries of any kind that a look at one tenant's folder, or at the folder of folders, passes over: what does not count as a file
/// must not cost without end either.
pub(super) const ENTRIES_MAX: usize = 20_000;
/// Folders inside each other under a tenant's folder: people need two or three.
pub(super) const DEPTH_MAX: usize = 8;
/// Bytes of a path as a door keeps it: it is the key of a row, which may have 1,024.
pub(super) const PATH_BYTES_MAX: usize = 900;
/// What one tenant may hand in during one look, so that nobody waits long for the files of another: a workflow counts one, ...
pub(super) const EFFORT_MAX: u32 = 64;
/// ... and a plugin, which is compiled, sixteen: four plugins a look.
pub(super) const PLUGIN_EFFORT: u32 = 16;
/// Bytes of all files with tests of one tenant: they are read with every look.
pub(super) const TESTS_BYTES_MAX: usize = 4 << 20;
