//! Revisions: what is live, on which of them cases run, and how cases come from one to another.

mod bundles;
mod canary;
mod doors;
mod drafts;
mod gc;
mod hold;
mod lanes;
mod live;
mod migrate;

use redress::engine::stay::Stay;
use redress_domain::case::Case;
use redress_domain::case::entry::Entry;
use redress_domain::codec;
use redress_domain::decision::Turn;
use redress_store::row::{RowKey, Standing};
use redress_tests::world::Merchant;

/// A case stands once in the index, under the revision on which it runs, with what came of it there.
pub(super) fn stands_where_it_runs(merchant: &Merchant, case: &Case, turns: &[Turn]) {
    let Some(revision) = case.revision else { return };
    let snapshot = merchant.engine.store().read().unwrap();
    let row = |standing| snapshot.row(&RowKey::case_of_revision(revision, standing, case.id)).unwrap();
    let (stands, stood) = match case.is_closed() {
        true => (row(Standing::Past), row(Standing::Open)),
        false => (row(Standing::Open), row(Standing::Past)),
    };
    assert_eq!(stood, None, "case {} stands twice", case.number);
    let stay: Stay = codec::decode(&stands.expect("a row of the case")).unwrap();
    // What came of it before it went on with this revision stands with the one that it left.
    let came = |turn: &Turn| turn.entries.iter().any(|entry| matches!(entry, Entry::Migrated(_)));
    let since = turns.iter().rposition(came).unwrap_or(0);
    let entries = || turns[since..].iter().flat_map(|turn| &turn.entries);
    let failed = entries().any(|entry| matches!(entry, Entry::Failed { .. }));
    let refunded = Some(case.refunded()).filter(|money| !money.is_zero());
    assert_eq!((stay.failed, stay.refunded), (failed, refunded), "case {}", case.number);
    assert!(!stay.late || entries().any(|entry| matches!(entry, Entry::TimedOut { .. })), "case {}", case.number);
}
