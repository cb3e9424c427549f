//! The gate of an engine: where this program runs plugins on another engine than the one that made a tenant's last decisions, those
//! are made again before anything is served.

use redress_domain::ids::Slug;

use super::Error;
use crate::app::App;
use crate::backtest::Select;
use crate::engine::Engine;
use crate::replay::{self, Report, report};

/// Cases of each tenant that are decided again: its newest.
const CASES: u64 = 200;

/// Differences that are told in the log.
const TOLD: usize = 10;

/// Make the last decisions of every open tenant again, where another engine made them.
///
/// # Errors
/// One came out otherwise.
pub fn check(app: &App) -> Result<(), Error> {
    let select = Select { limit: Some(CASES), ..Select::default() };
    for engine in app.engines() {
        check_tenant(&engine, &select)?;
    }
    Ok(())
}

fn check_tenant(engine: &Engine, select: &Select) -> Result<(), Error> {
    let tenant = engine.record().slug.clone();
    let again = |engine: &Engine| -> Result<Option<Report>, replay::Error> {
        if !replay::has_other_engine(engine, select)? {
            return Ok(None);
        }
        replay::cases(engine, select, &mut |_, _| {}).map(Some)
    };
    match again(engine) {
        Ok(Some(report)) => tell(&tenant, report),
        Ok(None) => Ok(()),
        // A record that cannot be read is told where it is asked for; the tenants beside it are served.
        Err(error) => {
            tracing::error!(%tenant, code = error.code(), "last decisions could not be made again: {error}");
            Ok(())
        }
    }
}

fn tell(tenant: &Slug, found: Report) -> Result<(), Error> {
    for one in found.differences.iter().take(TOLD) {
        let (recorded, now) = report::sides(&one.what);
        tracing::error!(
            %tenant,
            case.number = one.case.number,
            turn = one.turn,
            step.name = one.step,
            differs = one.what.code(),
            "a decision comes out otherwise on this engine: {recorded} was recorded, now it is {now}"
        );
    }
    tracing::info!(
        %tenant,
        checked = found.checked,
        different = found.different,
        fuel_moved = found.fuel_moved,
        "last decisions were made again on this engine"
    );
    match found.different {
        0 => Ok(()),
        different => Err(Error::Decisions { tenant: tenant.clone(), different }),
    }
}
