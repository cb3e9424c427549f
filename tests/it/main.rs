//! Every test of the whole product, in one binary.

#![expect(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]
#![expect(clippy::print_stdout, reason = "a test tells its seed, its counts and what it leaves out")]

mod alike;
mod apparel;
mod backtest;
mod cli;
mod conformance;
mod contract;
mod crash;
mod crash_points;
mod deadlines;
mod doors;
mod fold;
mod grants;
mod half_year;
mod hostile;
mod import;
mod kit;
mod lanes;
mod listings;
mod medical;
mod money;
mod outbox;
mod overlays;
mod people;
mod plugin_cases;
mod publish;
mod race;
mod readme;
mod reload;
mod remote;
mod replay;
mod resting;
mod returns;
mod revisions;
mod schema;
mod serve;
mod shapes;
mod signers;
mod stages;
mod starts;
mod steps;
mod storm;
mod subcases;
mod trials;
mod turns;
mod tutorial;
mod uploads;
mod web;
