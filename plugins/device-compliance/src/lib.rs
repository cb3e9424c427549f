//! The first rules of the law for medical devices, each with its citation.
