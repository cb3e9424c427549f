//! Every limit of the sandbox, each with its unit and the reason for its number.
//!
//! Fuel is the contract with a plugin's author: it is deterministic and shown. Everything else guards the host. The
//! numbers come from measurements with Rust guests on two cores.

use serde::{Deserialize, Serialize};

/// Bytes of the largest component that any class takes: what a way in has to let through.
pub const UPLOAD_BYTES_MAX: usize = 24 << 20;

/// Which limits a plugin runs under; its manifest says so. They differ by what the plugin brings along: rules that were compiled
/// have a few kilobytes of data and take microseconds, an interpreter brings itself and its library, and takes a thousand times
/// as long. The sizes of question and answer are the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Rules that were compiled to WebAssembly: Rust, C.
    #[default]
    Compiled,
    /// Rules and the interpreter that runs them: JavaScript, Python.
    Interpreter,
}

impl Class {
    /// Every class.
    pub const ALL: [Self; 2] = [Self::Compiled, Self::Interpreter];

    /// The name as manifests write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Compiled => "compiled",
            Self::Interpreter => "interpreter",
        }
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference over")]
    pub(crate) fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

impl std::fmt::Display for Class {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// The limits of one class in a sandbox. They hold for every plugin of it; its pool and its compiler are shaped by them. The reasons
/// speak of compiled plugins; [`Limits::interpreter`] has those of the other class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Bytes of an uploaded component. An SDK plugin is 40 to 80 KiB, with serde 150 KiB; 2 MiB leaves room and keeps
    /// the worst compilation at seconds.
    pub upload_bytes_max: usize,
    /// Bytes of all custom sections together, names and producers included. A stripped component has a few hundred;
    /// 256 KiB admits one with function names.
    pub custom_section_bytes_max: usize,
    /// Bytes of the manifest. Those of the stock plugins have 300 bytes; 64 entries in every list fit.
    pub manifest_bytes_max: usize,
    /// Functions in all modules of a component. SDK plugins have 70 to 120; the compiler's time grows with it.
    pub functions_max: usize,
    /// Bytes of one function's body. The compiler's time grows faster than linearly with it; the largest function of
    /// a stock plugin has 30 KiB.
    pub function_bytes_max: usize,
    /// Types and aliases, core and component, in all parts of a component. They follow the contract's records, not the
    /// plugin's size; the bound is far above any contract and keeps validation cheap.
    pub types_max: usize,
    /// Core modules, component instances and nested components together. `wit-component` makes about a dozen.
    pub parts_max: usize,
    /// Core instances of a component: the module, its shims and the contract's adapters make five.
    pub core_instances_max: u32,
    /// Memories of a component; one is enough, a second allows for an allocator of its own.
    pub memories_max: u32,
    /// Tables of a component: one for indirect calls, one or two made by `wit-component`.
    pub tables_max: u32,
    /// Bytes of data segments. They are copied on every call because copy-on-write images are off: with many plugins
    /// re-mapping a slot costs more than copying a few kilobytes.
    pub data_bytes_max: usize,

    /// Whether a memory begins as a copy-on-write image of the module's data. With many small plugins copying the data is faster,
    /// since an image binds a slot of the pool to one module.
    pub copy_on_write: bool,

    /// Processor time of one compilation in seconds. The stock plugins take a tenth of one; whatever takes longer than ten was made to.
    /// It is counted by the processor's clock, so that a busy machine refuses nothing.
    pub compile_cpu_seconds_max: u64,
    /// Wall clock of one compilation in milliseconds, the backstop behind its processor time: it runs behind everything else of the
    /// machine.
    pub compile_wall_clock_ms: u64,
    /// Bytes of memory of one compilation, beside the program that compiles.
    pub compile_memory_bytes_max: u64,
    /// Bytes of compiled code of one component: four to eight times its own are usual.
    pub artifact_bytes_max: usize,
    /// Components that are compiled at once. Each takes a core for up to seconds, and cases need the others.
    pub compilations_at_once_max: usize,
    /// Uploads that wait for a compilation; those beyond come again. Each waits for seconds at most and holds a thread.
    pub compilations_waiting_max: usize,
    /// Loaded plugins that nobody holds, before room is made: cases that are pinned to earlier ones load them when they ask. One
    /// takes some hundred kilobytes.
    pub plugins_idle_max: usize,

    /// Milliseconds for which an upload is asked about the cases of the conformance suite; 0 asks about none. A Rust plugin is
    /// through in a tenth of a second; one that uses up its fuel in every case is cut off here.
    pub dry_run_ms_max: u64,

    /// Fuel of a call before lines are counted. An empty loop burns this in about 8 ms; an SDK plugin uses
    /// 10,000 for two lines, and 2,000,000 to take in 2,000 purchases.
    pub fuel: u64,
    /// Case lines that earn a call its base fuel once more, because one call sees all lines.
    pub fuel_lines: u64,
    /// Wall clock of a call in milliseconds: the backstop behind fuel, for a host that is overloaded. It lies far away
    /// (the fuel of 200 lines is 50 ms), since an interrupt depends on the machine and may never decide a case.
    pub wall_clock_ms: u64,
    /// Milliseconds between two ticks of the epoch, and so the precision of the wall clock. At 5 ms the ticker costs
    /// nothing that can be measured.
    pub tick_ms: u64,
    /// Bytes of linear memory, over all memories of an instance. A Rust plugin touches 64 KiB to 1 MiB; the largest
    /// request is 1 MiB on top.
    pub memory_bytes_max: usize,
    /// Elements of one table. Rust plugins have under 200, interpreters tens of thousands.
    pub table_elements_max: usize,
    /// Bytes of stack that WebAssembly may use on the calling thread. Threads have 2 MiB; the host needs the rest.
    pub stack_bytes_max: usize,
    /// Bytes, as the host holds them, that one host call or one answer may bring over from the guest. It stops nested
    /// lists that all point at the same memory, before the host has allocated for them. An answer of
    /// `answer_bytes_max` must pass, and fuel is spent on the host's records, which are larger than the guest's.
    pub hostcall_fuel: usize,
    /// Calls that may run at once. Workers are as many as cores; 32 keeps what the pool holds resident at 16 MiB.
    pub calls_at_once_max: u32,
    /// Bytes of an unused memory slot that are cleared in place rather than handed back to the kernel. It covers all
    /// that an SDK plugin touches (stack, data and an arena, 64 KiB together), which was worth a factor of seven with two threads.
    pub keep_resident_bytes: usize,

    /// Slots of the pool that were used and wait, before one is used again in place of a fresh one. A slot is cleared after its call, so
    /// a few that stay in the processor's cache are faster than many: with 1,000 plugins 32 of them went through 12 MiB.
    pub warm_slots_max: u32,

    /// Milliseconds in which a process that runs plugins answers, where they run in processes of their own. Fuel and the wall clock end a
    /// call long before: a process that is later hangs, and is ended.
    pub cell_answer_ms: u64,
    /// Bytes of code that such a process keeps; what was not called for longest goes. A stock plugin has some 200 KiB.
    pub cell_code_bytes_max: usize,
    /// Bytes of memory that such a process may write to, beside what it has when it is ready: one call, its answer, and code while it is
    /// taken in.
    pub cell_memory_bytes_max: u64,

    /// Bytes of a request. 2,000 purchases, the most that a request carries, take about 450 KiB.
    pub request_bytes_max: usize,
    /// Purchases of a request: the most that the host collects before it sends the case to a person.
    pub purchases_max: usize,
    /// Bytes of an answer. A hundred lines with three cited reasons each take about 150 KiB.
    pub answer_bytes_max: usize,
    /// Entries of one open bag (`attributes`, `params`, `provides`, `used`): the contract's own number.
    pub bag_entries_max: usize,
    /// Characters of one text in an answer; longer ones belong to a catalogue.
    pub string_chars_max: usize,
    /// Takes of one line. The contract's own number: a line that needs more order lines is a person's.
    pub takes_max: usize,
    /// Reasons of one line. The contract's own number.
    pub line_reasons_max: usize,
    /// Reasons, and duties, of an answer as a whole: what a person can still read.
    pub reasons_max: usize,
    /// Parts (goods, tax, shipping ...) of one quoted take.
    pub parts_of_quote_max: usize,

    /// Log lines kept of one call; further ones are counted.
    pub log_lines_max: usize,
    /// Bytes kept of one log line; the rest is cut.
    pub log_line_bytes_max: usize,
    /// Bytes kept of one call's log.
    pub log_bytes_max: usize,
    /// Fuel that a log line costs besides one unit a byte, so that a flood of lines ends by fuel and not by the clock.
    /// Crossing to the host and back takes about as long as a thousand units.
    pub log_line_fuel: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            upload_bytes_max: 2 << 20,
            custom_section_bytes_max: 256 << 10,
            manifest_bytes_max: 16 << 10,
            functions_max: 10_000,
            function_bytes_max: 256 << 10,
            types_max: 10_000,
            parts_max: 256,
            core_instances_max: 8,
            memories_max: 2,
            tables_max: 4,
            data_bytes_max: 256 << 10,
            copy_on_write: false,
            compile_cpu_seconds_max: 10,
            compile_wall_clock_ms: 30_000,
            compile_memory_bytes_max: 512 << 20,
            artifact_bytes_max: 64 << 20,
            compilations_at_once_max: 2,
            compilations_waiting_max: 8,
            plugins_idle_max: 64,
            dry_run_ms_max: 10_000,
            fuel: 10_000_000,
            fuel_lines: 50,
            wall_clock_ms: 1_000,
            tick_ms: 5,
            memory_bytes_max: 16 << 20,
            table_elements_max: 20_000,
            stack_bytes_max: 512 << 10,
            hostcall_fuel: 1 << 20,
            calls_at_once_max: 32,
            keep_resident_bytes: 512 << 10,
            warm_slots_max: 2,
            cell_answer_ms: 30_000,
            cell_code_bytes_max: 128 << 20,
            cell_memory_bytes_max: 512 << 20,
            request_bytes_max: 1 << 20,
            purchases_max: 2_000,
            answer_bytes_max: 256 << 10,
            bag_entries_max: 64,
            string_chars_max: 1_000,
            takes_max: 1_024,
            line_reasons_max: 16,
            reasons_max: 50,
            parts_of_quote_max: 16,
            log_lines_max: 64,
            log_line_bytes_max: 1_000,
            log_bytes_max: 8 << 10,
            log_line_fuel: 1_000,
        }
    }
}

impl Limits {
    /// The limits of interpreters where they differ, measured with components of componentize-js and componentize-py.
    #[must_use]
    pub fn interpreter() -> Self {
        Self {
            // 12 MiB for JavaScript, 18 for Python.
            upload_bytes_max: UPLOAD_BYTES_MAX,
            // They name their functions and tell what built them.
            custom_section_bytes_max: 1 << 20,
            functions_max: 50_000,
            // The loop of an interpreter is one function.
            function_bytes_max: 1 << 20,
            // Python is linked of its libraries when it starts: 38 instances.
            parts_max: 1_024,
            core_instances_max: 64,
            memories_max: 8,
            tables_max: 40,
            // The heap as it was after loading: 10 MiB. It is not copied but mapped, so that a call pays for what it touches.
            data_bytes_max: UPLOAD_BYTES_MAX,
            copy_on_write: true,
            // JavaScript took 16 s on one core.
            compile_cpu_seconds_max: 60,
            compile_wall_clock_ms: 180_000,
            compile_memory_bytes_max: 2 << 30,
            // 43 MiB for JavaScript.
            artifact_bytes_max: 256 << 20,
            // Each may take 2 GiB.
            compilations_at_once_max: 1,
            compilations_waiting_max: 4,
            // Each is 50 MiB of code.
            plugins_idle_max: 4,
            // JavaScript spends 4 million on a request of one line and up to 7 on one of six lines and ten purchases.
            fuel: 50_000_000,
            // 4 MiB are touched by a call in JavaScript, 7 in Python, out of 20 and more that are there.
            memory_bytes_max: 64 << 20,
            table_elements_max: 60_000,
            // Four times as many as cores; what the pool keeps resident is 64 MiB.
            calls_at_once_max: 8,
            keep_resident_bytes: 8 << 20,
            // A slot is bound to the image that it held last: more of them save mapping it again.
            warm_slots_max: 8,
            // Five times 50 MiB; and one of them three times while it is taken in.
            cell_code_bytes_max: 256 << 20,
            cell_memory_bytes_max: 1 << 30,
            ..Self::default()
        }
    }

    /// The fuel of a call about so many case lines: `fuel × (1 + lines / fuel_lines)`.
    #[must_use]
    pub fn fuel_for(&self, lines: usize) -> u64 {
        let lines = u64::try_from(lines).unwrap_or(u64::MAX);
        let more = self.fuel.saturating_mul(lines).checked_div(self.fuel_lines).unwrap_or(0);
        self.fuel.saturating_add(more)
    }

    /// Ticks of the epoch after which a call is interrupted; one more than the division, since the first tick may
    /// come at once.
    pub(crate) fn ticks(&self) -> u64 {
        self.wall_clock_ms.div_ceil(self.tick_ms.max(1)).saturating_add(1)
    }
}

#[cfg(test)]
mod tests {
    use super::Limits;

    #[test]
    fn fuel_grows_with_the_lines_of_the_case() {
        let limits = Limits::default();
        assert_eq!(limits.fuel_for(0), 10_000_000);
        assert_eq!(limits.fuel_for(1), 10_200_000);
        assert_eq!(limits.fuel_for(50), 20_000_000);
        assert_eq!(Limits { fuel: u64::MAX, ..limits }.fuel_for(7), u64::MAX);
    }

    #[test]
    fn the_wall_clock_is_never_shorter_than_it_says() {
        let limits = Limits { wall_clock_ms: 12, tick_ms: 5, ..Limits::default() };
        assert_eq!(limits.ticks(), 4);
    }
}
