//! The running host: what clients can do to it, what time does to it, and how it starts and stops.

mod clients;
mod damaged;
mod figures;
mod process;
mod second_wall;
mod time;

use std::sync::Arc;

use redress::engine::Engine;
use redress::engine::tenant::TenantRecord;
use redress::keys::{NewKey, Role};
use redress::publish::way::Way;
use redress::publish::workflows::{self, Publication};
use redress::serve::open::Opened;
use redress_domain::clock::Zone;
use redress_domain::ids::{Slug, TenantId};
use redress_tests::serving::{Hand, opened};
use redress_tests::world::{admin, gbp};

/// Waits for a week, then pays a pound.
const A_WEEK_THEN_MONEY: &str = r#"
format: 1
workflow: tried
currency: GBP
limits: { refund_max: 5.00 }
triggers: [{ case_opened: { type: return } }]
events: { goods_received: {} }
steps:
  - { id: goods, await: { event: goods_received, timeout: { after: 7d, then: money } } }
  - { id: money, refund: { amount: 1.00 } }
  - { id: done, finish: { result: paid } }
"#;

/// A host on a folder of its own.
struct Host {
    opened: Opened,
    hand: Arc<Hand>,
    folder: tempfile::TempDir,
}

impl Host {
    fn new() -> Self {
        let (folder, hand) = (tempfile::tempdir().unwrap(), Hand::new());
        Self { opened: opened(folder.path(), &hand).unwrap(), hand, folder }
    }

    /// The same folder, opened by a host that was started again.
    fn again(self) -> Self {
        let Self { opened: before, hand, folder } = self;
        drop(before);
        Self { opened: opened(folder.path(), &hand).unwrap(), hand, folder }
    }

    fn merchant(&self, slug: &str, workflow: &str) -> Engine {
        let app = &self.opened.app;
        let engine = app
            .create_tenant(TenantRecord {
                id: TenantId::mint(app.clock().now(), app.clock().random()),
                slug: Slug::new(slug).unwrap(),
                zone: Zone::Europe__London,
                currency: gbp(),
                locale: "en".to_owned(),
                jurisdiction: "UK".to_owned(),
                created_at: app.clock().now(),
            })
            .unwrap();
        let by = admin();
        workflows::publish(&engine, &Publication::new(workflow, &by, Way::Api)).unwrap();
        engine
    }

    /// The header with a new key.
    fn key(&self, tenant: Option<TenantId>, role: Role) -> String {
        let new = NewKey { tenant, role, backdate: false, name: role.to_string() };
        let app = &self.opened.app;
        format!("authorization: Bearer {}\r\n", self.opened.keys.create(app.host(), app.clock(), new).unwrap().secret)
    }
}
