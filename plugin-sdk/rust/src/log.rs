//! The log: in a component the host's, in a native test a recording of this thread.

use crate::types::Level;

/// Write one line.
#[cfg(target_arch = "wasm32")]
pub fn write(level: Level, text: &str) {
    crate::contract::shared::redress::plugin::log::log(level, text);
}

/// Write one line.
#[cfg(not(target_arch = "wasm32"))]
pub fn write(level: Level, text: &str) {
    recording::push(level, text);
}

#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod recording {
    //! The lines that this thread logged since they were last taken.

    use std::cell::RefCell;

    use crate::types::Level;

    thread_local! {
        static LINES: RefCell<Vec<(Level, String)>> = const { RefCell::new(Vec::new()) };
    }

    pub(crate) fn push(level: Level, text: &str) {
        LINES.with_borrow_mut(|lines| lines.push((level, text.to_owned())));
    }

    pub(crate) fn take() -> Vec<(Level, String)> {
        LINES.take()
    }
}
