//! The deletion of answers that nobody asks for any more: of each tenant in its file, and of the host in the system file.

use std::time::Duration;

use redress_store::scan::Cursor;

use super::tasks::{Stop, blocking};
use crate::app::App;
use crate::engine::Engine;
use crate::engine::repeat::forget_answers_of_host;

/// From one page of old answers to the next, and from the last page to the first.
const PAGE_PAUSE: Duration = Duration::from_secs(1);
const SWEPT_EVERY: Duration = Duration::from_secs(3_600);
/// After a look that failed.
const FAILED_PAUSE: Duration = Duration::from_secs(5);

/// Delete what a tenant's file remembers for too long, until the host stops.
pub(super) async fn tenant(engine: Engine, mut stop: Stop) {
    let mut from: Option<Cursor> = None;
    while !stop.is_told() {
        let at = from.take();
        let swept = blocking(&engine, move |engine| engine.forget_answers(engine.clock().now(), at.as_ref())).await;
        let pause = match swept {
            Ok((deleted, next)) => {
                if deleted > 0 {
                    tracing::debug!(tenant = %engine.record().slug, deleted, "answers of old requests were deleted");
                }
                from = next;
                if from.is_some() { PAGE_PAUSE } else { SWEPT_EVERY }
            }
            Err(error) => {
                tracing::error!(tenant = %engine.record().slug, code = error.code(), "old answers could not be deleted: {error}");
                FAILED_PAUSE
            }
        };
        rest(pause, &mut stop).await;
    }
}

/// Delete what the system file remembers for too long, until the host stops.
pub(super) async fn host(app: App, mut stop: Stop) {
    let mut behind: Option<String> = None;
    while !stop.is_told() {
        let (looked, at) = (app.clone(), behind.take());
        let swept = tokio::task::spawn_blocking(move || {
            forget_answers_of_host(looked.host(), looked.clock().now(), at.as_deref())
        });
        let pause = match swept.await {
            Ok(Ok((deleted, next))) => {
                if deleted > 0 {
                    tracing::debug!(deleted, "answers of old requests to the host were deleted");
                }
                behind = next;
                if behind.is_some() { PAGE_PAUSE } else { SWEPT_EVERY }
            }
            Ok(Err(error)) => {
                tracing::error!("old answers of the host could not be deleted: {error}");
                FAILED_PAUSE
            }
            Err(panic) => {
                tracing::error!("the deletion of old answers of the host failed inside: {panic}");
                FAILED_PAUSE
            }
        };
        rest(pause, &mut stop).await;
    }
}

async fn rest(pause: Duration, stop: &mut Stop) {
    tokio::select! {
        () = tokio::time::sleep(pause) => {}
        () = stop.told() => {}
    }
}
