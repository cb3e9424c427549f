//! The child's side: it limits itself, compiles one component, and ends.

use std::io::{self, Read as _, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use super::wire::{Answer, Order, Said};
use crate::confine::{Allowance, Memory, close_others, limit};
use crate::engine::{compatibility, compiling_engine};
use crate::sandbox::message_of;

/// How much less of a core than its parent it gets, so that cases come first.
const NICE: i32 = 10;

/// Compiles the component on standard input to standard output, within the limits that stand before it. A program calls this
/// first when it is started as `Compiler::Child`, and ends with what it gives.
#[must_use]
pub fn answer() -> ExitCode {
    close_others();
    let written = serve(&mut io::stdin().lock(), &mut io::stdout().lock());
    // Who started it is gone, or takes no answer: nobody is left to tell.
    if written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn serve(from: &mut impl io::Read, to: &mut impl Write) -> io::Result<()> {
    let order = Order::read(from)?;
    let allowance = Allowance {
        nice: NICE,
        cpu_seconds: Some(order.cpu_seconds),
        memory: Memory::Mapped(order.memory_bytes),
        file_bytes: 0,
        files: 3,
        ends_with_starter: true,
    };
    let answer = match limit(allowance).and_then(|()| component(&order, from)) {
        Ok(bytes) => compile(&order, &bytes),
        Err(error) => said(Said::Unable, format!("it could not set its limits: {error}")),
    };
    answer.write(to)
}

fn component(order: &Order, from: &mut impl io::Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(order.component_bytes_max.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn compile(order: &Order, bytes: &[u8]) -> Answer {
    let engine = match compiling_engine(&order.limits()) {
        Ok(engine) => engine,
        Err(error) => return of_error(Said::Unable, &error),
    };
    let compiled = catch_unwind(AssertUnwindSafe(|| engine.precompile_component(bytes)));
    let mut answer = match compiled {
        Ok(Ok(code)) => Answer { compatibility: [0; 32], said: Said::Code, payload: code },
        Ok(Err(error)) => of_error(Said::Refused, &error),
        Err(panic) => said(Said::Panicked, message_of(&*panic)),
    };
    answer.compatibility = compatibility(&engine);
    answer
}

/// A failure for want of memory says nothing else about the component.
fn of_error(otherwise: Said, error: &wasmtime::Error) -> Answer {
    let text = format!("{error:#}");
    let is_memory = ["Cannot allocate memory", "out of memory", "memory allocation"];
    let is_memory = is_memory.iter().any(|words| text.contains(words));
    said(if is_memory { Said::OutOfMemory } else { otherwise }, text)
}

fn said(said: Said, text: String) -> Answer {
    Answer { compatibility: [0; 32], said, payload: text.into_bytes() }
}
