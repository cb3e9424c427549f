//! The plugins that are shipped with the binary, known to every tenant as `std/<name>@major`.

/// A plugin shipped with the binary.
#[derive(Debug, Clone, Copy)]
pub struct Stock {
    /// Its name without `std/`.
    pub name: &'static str,
    /// The component.
    pub bytes: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/stock.rs"));

/// The component of a stock plugin.
pub fn find(name: &str) -> Option<&'static Stock> {
    STOCK.iter().find(|stock| stock.name == name)
}
