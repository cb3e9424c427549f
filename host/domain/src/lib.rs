//! The pure core: cases, money, the workflow language, decisions. No clock, no randomness, no files, no network, no plugins:
//! time, ids and answers are arguments, so that equal inputs give equal decisions on every replay.
//!
//! # Glossary
//!
//! One noun per thing, in code, records, logs and docs alike.
//!
//! | word | meaning |
//! | --- | --- |
//! | case | one customer matter |
//! | line | an item in a case |
//! | unit | one physical thing, with lot or serial |
//! | workflow | the YAML definition |
//! | revision | the content hash of a workflow with its plugins |
//! | step | one element of a workflow |
//! | lane | a branch or an iteration of a case that is in several places at once |
//! | turn | one load, decide, commit of a case |
//! | ask | a question to a plugin |
//! | verdict | its answer about lines, in our words |
//! | take | so many units of one order line |
//! | quote | the money for each take |
//! | ledger | what of an order is reserved, returned, refunded |
//! | command | what is to happen |
//! | entry | a fact of the journal |
//! | event | something that happened outside and that a step may await |
//! | decision | all that one commit holds |
//! | effect | what the outbox carries |
//! | delivery | one attempt of an effect |
//! | rejection | a command that the rules refuse |
//! | problem | the HTTP form of a failure |
//! | facts | what a turn reads beside the case |
//! | backtest | what was decided once, decided again by other rules |
//! | replay | what was decided once, decided again by the same rules |

pub mod ask;
pub mod backtest;
pub mod case;
pub mod clock;
pub mod codec;
pub mod decision;
pub mod facts;
pub mod ids;
pub mod ledger;
pub mod money;
pub mod order;
pub mod replay;
pub mod value;
pub mod verdict;
pub mod workflow;
