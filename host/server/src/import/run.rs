//! An import from its files to its report: read everything, hand in the orders, hand in the cases, record what was done.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant as Stopwatch};

use redress_domain::case::command::{Actor, Body};
use redress_domain::clock::Instant;
use redress_domain::ids::CustomerId;
use redress_domain::order::Order;
use redress_store::batch::AppendError;

use super::gather::{CaseDraft, Gather, Gathered, ROWS_MAX};
use super::mapping::Mapping;
use super::plan::{self, Schedule};
use super::progress::{Progress, Unit};
use super::pump::{Reply, pump};
use super::rows::{FileError, Rows};
use super::timings::Timings;
use crate::engine::log::{self, Record, What};
use crate::engine::report::{Handed, Report};
use crate::engine::{self, Engine, Put, Seen, Submission, Target};

/// How often progress is told while rows are read: every so many rows.
const ROWS_PER_TICK: u64 = 1_000;

/// Why an import stopped. What was handed in before stays; the same import, run again, goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read. Nothing was handed in.
    #[error("import stopped at a file")]
    File(#[from] FileError),
    /// Too many rows for one import. Nothing was handed in.
    #[error("import has more than {ROWS_MAX} rows")]
    TooManyRows,
    /// The engine failed at an order.
    #[error("order {id:?} could not be handed in")]
    Order {
        /// Its number.
        id: String,
        /// Why.
        #[source]
        source: Box<engine::Error>,
    },
    /// The engine failed at a case.
    #[error("case {id:?} could not be handed in")]
    Case {
        /// Its number in the source.
        id: String,
        /// Why.
        #[source]
        source: Box<engine::Error>,
    },
    /// What was decided before could not be read, or the report not be kept.
    #[error("import could not be recorded")]
    Record(#[source] Box<engine::Error>),
}

/// Import files through a mapping, on behalf of `by`.
///
/// # Errors
/// A file cannot be read, in which case nothing was changed, or the engine failed.
pub fn import(
    engine: &Engine,
    mapping: &Mapping,
    files: &[PathBuf],
    by: &Actor,
    progress: &mut Progress,
) -> Result<(Report, Timings), Error> {
    let began = Stopwatch::now();
    let Gathered { orders, cases, tally } = gather(mapping, files, progress)?;
    let reading = began.elapsed();
    let named = files.iter().map(|file| file.display().to_string()).collect();
    let mut report = tally.into_report(mapping.name.as_str(), mapping.source.name.as_str(), named);
    let run = Run { engine, source: mapping.source.name.as_str(), by };

    let began = Stopwatch::now();
    run.put(&orders, &mut report.put, progress)?;
    drop(orders);
    let putting = began.elapsed();

    let turns_before = engine.counts().turns;
    let began = Stopwatch::now();
    let latencies = run.open(&plan::sorted(cases), &mut report, progress)?;
    let opening = began.elapsed();
    let turns = engine.counts().turns - turns_before;

    let facts = || vec![What::ImportFinished { report: Box::new(report.clone()) }];
    let finished = |_| Record { facts: facts(), ..Record::default() };
    log::record(engine, by, finished).map_err(|error| Error::Record(Box::new(error)))?;
    Ok((report, Timings::new(reading, putting, opening, turns, latencies)))
}

/// The rows of all files as orders and cases. Every file's first row is looked at before any other.
fn gather(mapping: &Mapping, files: &[PathBuf], progress: &mut Progress) -> Result<Gathered, Error> {
    let mut bytes = 0;
    for file in files {
        Rows::open(file, &mapping.columns)?;
        bytes += std::fs::metadata(file).map_or(0, |metadata| metadata.len());
    }
    progress.begin("rows", bytes, Unit::Bytes);
    let mut gather = Gather::new(mapping);
    let mut before = 0;
    for file in files {
        let name = file.display().to_string();
        let mut rows = Rows::open(file, &mapping.columns)?;
        while let Some(row) = rows.next()? {
            if gather.rows() == ROWS_MAX {
                return Err(Error::TooManyRows);
            }
            gather.take(&name, row);
            if gather.rows().is_multiple_of(ROWS_PER_TICK) {
                progress.reached(before + rows.consumed());
            }
        }
        before += rows.consumed();
    }
    progress.end();
    Ok(gather.finish())
}

/// One run against an engine.
struct Run<'a> {
    engine: &'a Engine,
    source: &'a str,
    by: &'a Actor,
}

impl Run<'_> {
    fn put(&self, orders: &[Order], handed: &mut Handed, progress: &mut Progress) -> Result<(), Error> {
        progress.begin("orders", orders.len() as u64, Unit::Things);
        let mut done = 0;
        let hand_in = |place: usize, reply: Reply<Put>| {
            let order: &Order = &orders[place];
            self.engine.put_order(order, self.source, order.id.as_str(), move |result| reply.give(result))
        };
        pump(&mut Schedule::free(orders.len()), hand_in, |answer| {
            let id = orders[answer.place].id.as_str();
            match answer.result {
                Ok(Put::New) => handed.new += 1,
                Ok(Put::Unchanged) => handed.unchanged += 1,
                Ok(Put::Changed) => handed.change(id),
                Err(error) if is_refusal(&error) => handed.refuse(id, error.code(), error_text(&error)),
                Err(error) => return Err(Error::Order { id: id.to_owned(), source: Box::new(error) }),
            }
            done += 1;
            progress.reached(done);
            Ok(())
        })?;
        progress.end();
        Ok(())
    }

    /// The answer is how long each new case took.
    fn open(&self, cases: &[CaseDraft], report: &mut Report, progress: &mut Progress) -> Result<Vec<Duration>, Error> {
        let last_opened = self.last_opened(cases)?;
        progress.begin("cases", cases.len() as u64, Unit::Things);
        let (mut done, mut latencies) = (0, Vec::new());
        let hand_in = |place: usize, reply: Reply<engine::Receipt>| {
            self.engine.submit(self.submission(&cases[place]), move |result| reply.give(result))
        };
        pump(&mut Schedule::new(cases), hand_in, |answer| {
            let case = &cases[answer.place];
            match answer.result.map(|receipt| receipt.seen) {
                Ok(Seen::New) => {
                    report.opened.new += 1;
                    report.out_of_order += u64::from(is_late(case, &last_opened));
                    latencies.push(answer.took);
                }
                Ok(Seen::Unchanged) => report.opened.unchanged += 1,
                Ok(Seen::Changed) => report.opened.change(&case.id),
                Err(error) if is_refusal(&error) => report.opened.refuse(&case.id, error.code(), error_text(&error)),
                Err(error) => return Err(Error::Case { id: case.id.clone(), source: Box::new(error) }),
            }
            done += 1;
            progress.reached(done);
            Ok(())
        })?;
        progress.end();
        Ok(latencies)
    }

    fn submission(&self, case: &CaseDraft) -> Submission {
        let body = Body::Open(Box::new(case.open.clone()));
        Submission {
            occurred_at: Some(case.opened_at),
            source: Some(self.source.to_owned()),
            ..Submission::new(Target::New, self.by.clone(), "import", body)
        }
    }

    /// When the last case of each customer was opened, as it is before this run.
    fn last_opened<'c>(&self, cases: &'c [CaseDraft]) -> Result<BTreeMap<&'c CustomerId, Instant>, Error> {
        let mut last = BTreeMap::new();
        for customer in cases.iter().filter_map(|case| case.open.customer.as_ref()) {
            if !last.contains_key(customer) {
                let at = self.engine.last_opened(customer).map_err(|error| Error::Record(Box::new(error)))?;
                last.insert(customer, at);
            }
        }
        Ok(last.into_iter().filter_map(|(customer, at)| Some((customer, at?))).collect())
    }
}

/// Whether the case is earlier than one of its customer that was decided before.
fn is_late(case: &CaseDraft, last_opened: &BTreeMap<&CustomerId, Instant>) -> bool {
    let last = case.open.customer.as_ref().and_then(|customer| last_opened.get(customer));
    last.is_some_and(|last| case.opened_at < *last)
}

/// The rules say no: this order or case is counted as refused and the next one follows.
fn is_refusal(error: &engine::Error) -> bool {
    use engine::Error as E;
    match error {
        E::Rejected(_) | E::Order(_) | E::OrderBelowReturned { .. } | E::Amount(_) => true,
        E::Stale { .. } | E::OrderMoved => true,
        E::Append(AppendError::TooLarge { .. }) => true,
        // Once the revision is resumed, or another one is active, the same file goes on.
        E::OnHold { .. } | E::Paused { .. } => false,
        E::Full | E::Conflict(_) | E::Read(_) | E::Append(_) => false,
        E::Damaged { .. } | E::Revision { .. } | E::Stopped | E::Internal => false,
    }
}

/// A refusal for a person: what the rules say, where there is more than the bare fact.
fn error_text(error: &engine::Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}
