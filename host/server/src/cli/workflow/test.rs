//! `redress workflow test`: the tests of workflows, one line each, and what they do not reach.

pub(in crate::cli) mod files;
mod told;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use redress_domain::clock::{Instant, Zone};
use redress_domain::ids::{Slug, TenantId};
use redress_domain::money::Currency;
use redress_domain::workflow::definition::{Definition, Plugin, PluginRef};
use redress_domain::workflow::diagnostic::Diagnostic;
use redress_domain::workflow::load::{self, Environment};
use redress_domain::workflow::trial::{self, Trial};
use redress_sandbox::{PluginInfo, Sandbox};

use crate::app;
use crate::cli::Global;
use crate::cli::error::Error;
use crate::cli::output::Out;
use crate::clock::SystemClock;
use crate::engine::tenant::TenantRecord;
use crate::engine::workers::Workers;
use crate::publish::{bases, interface, plugins, suite};
use crate::trial::House;
use files::{Suite, Text};
use told::Told;

pub(super) const EXAMPLES: &str = "\
Examples:
  redress workflow test workflows/
  redress workflow test return.yaml --filter declined
  redress workflow test return.test.yaml --plugins target/plugins --coverage
  redress workflow test return.yaml --tenant shop --data data --output json
";

/// Bytes of a plugin's file; the sandbox refuses less.
const PLUGIN_BYTES_MAX: u64 = 64 << 20;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Workflows, *.test.yaml, or folders of them. Of a workflow the tests inside it are run and those in *.test.yaml beside it.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Only the tests whose name holds this text.
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// List what no test reaches.
    #[arg(long)]
    coverage: bool,
    /// A folder of plugins, NAME.wasm each, beside the stock ones; --tenant NAME --data DIR takes those of a merchant instead.
    #[arg(long, value_name = "DIR")]
    plugins: Option<PathBuf>,
}

pub(super) fn run(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let suites = files::suites(&args.paths)?;
    let place = Place::open(args, at)?;
    let mut told = Told::new(at.format(), args.coverage);
    for suite in &suites {
        try_out(suite, &place, args.filter.as_deref(), &mut told, out)?;
    }
    told.end(out)
}

/// Where tests run: a merchant's plugins and settings, or what the command was given.
struct Place {
    house: House,
    /// The merchant's own and those of a folder.
    plugins: BTreeMap<PluginRef, Plugin>,
    /// They are loaded while they are here.
    held: RefCell<Vec<Arc<PluginInfo>>>,
    currency: Option<Currency>,
    zone: Option<Zone>,
}

impl Place {
    fn open(args: &Args, at: &Global) -> Result<Self, Error> {
        let (house, mut plugins, currency, zone) = if at.tenant.is_some() {
            let session = at.session()?;
            let record = session.engine.record();
            let (currency, zone) = (Some(record.currency), Some(record.zone));
            (House::of(&session.engine), plugins::available(&session.engine)?, currency, zone)
        } else {
            (alone(at)?, BTreeMap::new(), None, None)
        };
        let mut held = Vec::new();
        let folder = args.plugins.as_ref().map(|folder| files::plugins(folder, PLUGIN_BYTES_MAX)).transpose()?;
        for (name, bytes) in folder.unwrap_or_default() {
            let component = plugins::component(&house.sandbox, &bytes)?;
            let info = house.sandbox.load(&component).map_err(crate::publish::Error::Refused)?;
            plugins.extend(interface::reference(&name, &info.manifest).zip(interface::plugin(&info)));
            held.push(info);
        }
        Ok(Self { house, plugins, held: RefCell::new(held), currency, zone })
    }

    /// The workflow of a suite, checked. Of the stock plugins only those are loaded that it names; all of them where it names one
    /// that is not there, so that it is told which was meant.
    fn definition(&self, suite: &Suite) -> Result<Result<Definition, Vec<Diagnostic>>, Error> {
        let failed = |error| app::Error::Stock(Box::new(error));
        for text in std::iter::once(&suite.workflow).chain(&suite.beside) {
            self.held.borrow_mut().extend(plugins::hold_named(&self.house.sandbox, &text.source).map_err(failed)?);
        }
        let checked = self.checked(suite);
        match &checked {
            Err(problems) if problems.iter().any(|problem| problem.code == "unknown_plugin") => {
                self.held.borrow_mut().extend(plugins::hold_stock(&self.house.sandbox).map_err(failed)?);
                Ok(self.checked(suite))
            }
            _ => Ok(checked),
        }
    }

    fn checked(&self, suite: &Suite) -> Result<Definition, Vec<Diagnostic>> {
        let mut plugins = self.plugins.clone();
        plugins.extend(plugins::stock(&self.house.sandbox));
        suite::stand_ins(&mut plugins, &suite.beside);
        // A merchant that is there counts, not the one that the tests make up.
        let made_up = suite::merchant(&suite.beside);
        let (currency, zone) = (self.currency.or(made_up.currency), self.zone.or(made_up.zone));
        let bases = bases::shipped();
        let environment = Environment { plugins, currency, zone, bases, ..Environment::default() };
        load::load(&suite.workflow.source, &environment)
    }
}

/// Without a data folder: the stock plugins come with the binary.
fn alone(at: &Global) -> Result<House, Error> {
    let config = redress_sandbox::Config { compiler: at.compiler.clone(), ..Default::default() };
    let sandbox = Sandbox::new(config).map_err(app::Error::Sandbox)?;
    let limits = at.limits();
    let epoch = Instant::from_unix_ms(0);
    Ok(House {
        record: TenantRecord {
            id: TenantId::mint(epoch, 0),
            slug: Slug::new("tests").map_err(|_| Error::Runtime(std::io::Error::other("a name of ours is none")))?,
            zone: Zone::UTC,
            currency: Currency::EUR,
            locale: "en".to_owned(),
            jurisdiction: String::new(),
            created_at: epoch,
        },
        sandbox,
        workers: Workers::start(1, limits.tenant_turns_queued_max, limits.plugin_rate).map_err(app::Error::Workers)?,
        limits,
        clock: Arc::new(SystemClock),
        beside: Vec::new(),
    })
}

fn try_out(
    suite: &Suite,
    place: &Place,
    filter: Option<&str>,
    told: &mut Told,
    out: &mut Out<'_>,
) -> Result<(), Error> {
    let definition = match place.definition(suite)? {
        Ok(definition) => Arc::new(definition),
        Err(problems) => return told.invalid(&suite.workflow, &problems, out),
    };
    told.begin(&definition);
    if suite.takes_inside {
        match trial::inside(&suite.workflow.source, &definition) {
            Ok(trials) => run_all(place, &definition, &suite.workflow, &trials, filter, told, out)?,
            Err(problems) => told.invalid(&suite.workflow, &problems, out)?,
        }
    }
    for file in &suite.beside {
        match trial::load(&file.source, &definition) {
            Ok(trials) => run_all(place, &definition, file, &trials, filter, told, out)?,
            Err(problems) => told.invalid(file, &problems, out)?,
        }
    }
    told.covered(&definition, &suite.workflow, out)
}

fn run_all(
    place: &Place,
    definition: &Arc<Definition>,
    text: &Text,
    trials: &[Trial],
    filter: Option<&str>,
    told: &mut Told,
    out: &mut Out<'_>,
) -> Result<(), Error> {
    let wanted = |trial: &&Trial| filter.is_none_or(|part| trial.name.to_lowercase().contains(&part.to_lowercase()));
    let trials: Vec<Trial> = trials.iter().filter(wanted).cloned().collect();
    if trials.is_empty() {
        return Ok(());
    }
    told.file(text, out)?;
    let mut result = Ok(());
    place.house.run(definition, &trials, |outcome| {
        if result.is_ok() {
            result = told.outcome(text, outcome, out);
        }
    });
    result
}
