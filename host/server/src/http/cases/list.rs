//! `GET /v1/cases`: which cases there are.

use axum::extract::OriginalUri;
use axum::response::Response;
use redress_domain::clock::Instant;
use redress_domain::codec;
use redress_domain::ids::CustomerId;
use redress_store::scan::{Direction, Listed, Scan};
use redress_store::snapshot::Snapshot;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::engine::listing::{CaseListing, Paused};
use crate::engine::{self, Engine};
use crate::http::codes;
use crate::http::page::{self, List, Look, Page, Params};
use crate::http::problem::{Problem, ProblemBody};
use crate::http::tenancy::Tenant;
use crate::http::wire::instant_of;
use crate::http::wire::listing::CaseRow;

/// Which cases are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Filter {
    /// How many rows, at most 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<usize>,
    /// Where to go on: `next_cursor` of the page before.
    cursor: Option<String>,
    /// Only cases of this status.
    status: Option<String>,
    /// Only cases that are paused, or only those that are not.
    paused: Option<bool>,
    /// Only cases of this kind: `return`, `exchange`, `complaint` ...
    kind: Option<String>,
    /// Only cases of this customer.
    customer: Option<String>,
    /// Only the case of this name in another system: `source:id`.
    external: Option<String>,
    /// Only cases that were opened at this time or later.
    #[serde(rename = "opened_at[gte]")]
    #[param(format = DateTime)]
    opened_from: Option<String>,
    /// Only cases that were opened before this time.
    #[serde(rename = "opened_at[lt]")]
    #[param(format = DateTime)]
    opened_before: Option<String>,
}

/// List cases, the newest first.
///
/// A page may be short, or empty, and still have a next one: a filter looks at a limited number of cases each time.
#[utoipa::path(
    get, path = "/v1/cases", operation_id = "case.list", tag = "cases", params(Filter),
    responses((status = 200, body = Page<CaseRow>), (status = "4XX", body = ProblemBody, content_type = "application/problem+json"))
)]
pub(in crate::http) async fn list(
    tenant: Tenant,
    address: OriginalUri,
    Params(filter): Params<Filter>,
) -> Result<Response, Problem> {
    let wanted = Wanted::of(filter)?;
    let page = tenant.read(move |engine| wanted.read(engine)).await?;
    Ok(page.respond(&address))
}

/// What a list is to hold.
struct Wanted {
    place: page::Place,
    scan: Scan,
    external: Option<(String, String)>,
    status: Option<String>,
    paused: Option<bool>,
    kind: Option<String>,
    customer: Option<CustomerId>,
    from: Option<Instant>,
    before: Option<Instant>,
}

impl Wanted {
    fn of(filter: Filter) -> Result<Self, Problem> {
        let wrong = |detail: String| Problem::new(codes::PARAMETER_INVALID, detail);
        let time = |name: &str, text: Option<String>| {
            let read = |text: String| instant_of(&text).ok_or_else(|| wrong(format!("{name} is {text:?}, no time")));
            text.map(read).transpose()
        };
        let external = filter.external.map(|text| {
            let parts = text.split_once(':').map(|(source, id)| (source.to_owned(), id.to_owned()));
            parts.ok_or_else(|| wrong(format!("external is {text:?}, not like \"source:id\"")))
        });
        let customer = filter.customer.as_deref().map(CustomerId::new).transpose();
        let customer = customer.map_err(|error| wrong(error.to_string()))?;
        let list = List::of("cases")
            .with("status", filter.status.as_deref())
            .with("paused", filter.paused.map(|paused| if paused { "true" } else { "false" }))
            .with("kind", filter.kind.as_deref())
            .with("customer", filter.customer.as_deref())
            .with("from", filter.opened_from.as_deref())
            .with("before", filter.opened_before.as_deref());
        Ok(Self {
            place: page::place(list, filter.limit, filter.cursor.as_deref())?,
            scan: customer.clone().map_or(Scan::CasesByOpened, Scan::CasesByCustomer),
            external: external.transpose()?,
            status: filter.status,
            paused: filter.paused,
            kind: filter.kind,
            customer,
            from: time("opened_at[gte]", filter.opened_from)?,
            before: time("opened_at[lt]", filter.opened_before)?,
        })
    }

    fn read(mut self, engine: &Engine) -> Result<Page<CaseRow>, Problem> {
        let snapshot = engine.store().read().map_err(engine::Error::from)?;
        if let Some((source, id)) = &self.external {
            return self.named(engine, &snapshot, source, id);
        }
        // The listing goes by time, so that a page begins where the wanted ones do.
        let start = self.before.map(|before| self.scan.before(before));
        self.place.cursor = self.place.cursor.or(start);
        let paused = Paused::of(&snapshot)?;
        page::listed(&snapshot, &self.scan, Direction::Backward, &self.place, |row| {
            if let (Some(from), Some(at)) = (self.from, row.at)
                && at < from
            {
                return Ok(Look::End);
            }
            let Some(listing) = listing(engine, row)?.filter(|one| self.holds(one)) else { return Ok(Look::Pass) };
            let is_paused = paused.holds(&snapshot, &listing)?;
            if self.paused.is_some_and(|wanted| wanted != is_paused) {
                return Ok(Look::Pass);
            }
            Ok(Look::Take(CaseRow { paused: is_paused, ..(&listing).into() }))
        })
    }

    /// The one case of a name in another system, if it is one that is wanted.
    fn named(&self, engine: &Engine, snapshot: &Snapshot, source: &str, id: &str) -> Result<Page<CaseRow>, Problem> {
        let found = snapshot.case_by_external(source, id).map_err(engine::Error::from)?;
        let case = found.map(|(id, _)| engine.case(id)).transpose()?.flatten();
        let listing = case.as_ref().map(CaseListing::of).filter(|one| self.holds(one));
        let Some(listing) = listing else { return Ok(self.place.page(Vec::new(), None)) };
        let paused = Paused::of(snapshot)?.holds(snapshot, &listing)?;
        let rows = [CaseRow { paused, ..(&listing).into() }];
        let wanted = rows.into_iter().filter(|row| self.paused.is_none_or(|wanted| wanted == row.paused));
        Ok(self.place.page(wanted.collect(), None))
    }

    fn holds(&self, one: &CaseListing) -> bool {
        self.status.as_ref().is_none_or(|status| one.status == *status)
            && self.kind.as_ref().is_none_or(|kind| one.kind.as_str() == kind)
            && (self.customer.is_none() || one.customer == self.customer)
            && self.from.is_none_or(|from| one.opened_at >= from)
            && self.before.is_none_or(|before| one.opened_at < before)
    }
}

/// A row as it is listed; the list of a customer holds the cases alone.
fn listing(engine: &Engine, row: &Listed) -> Result<Option<CaseListing>, Problem> {
    if row.value.is_empty() {
        let case = row.case().map(|id| engine.case(id)).transpose()?.flatten();
        return Ok(case.as_ref().map(CaseListing::of));
    }
    Ok(Some(codec::decode(&row.value).map_err(engine::Error::damaged("listing"))?))
}
