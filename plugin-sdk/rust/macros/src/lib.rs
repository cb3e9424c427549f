//! The attribute macro of redress-plugin.
