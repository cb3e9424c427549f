//! Quotes what was paid for the goods that are taken back.
