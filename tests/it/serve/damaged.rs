//! One merchant's file is damaged: its requests are refused, everybody sees it, and the others are served.

use std::fs;
use std::path::{Path, PathBuf};

use axum::Router;
use redress::config::Connections;
use redress::keys::Role;
use redress_domain::ids::TenantId;
use redress_tests::serving::{ask, get, serving};

use super::{A_WEEK_THEN_MONEY, Host};

/// What happens to files.
#[derive(Debug, Clone, Copy)]
enum Damage {
    Emptied,
    Overwritten,
    CutInHalf,
    Scratched,
    Gone,
}

impl Damage {
    const ALL: [Self; 5] = [Self::Emptied, Self::Overwritten, Self::CutInHalf, Self::Scratched, Self::Gone];

    fn befalls(self, file: &Path) {
        let whole = fs::read(file).unwrap();
        match self {
            Self::Emptied => fs::write(file, "").unwrap(),
            Self::Overwritten => fs::write(file, vec![7; whole.len()]).unwrap(),
            Self::CutInHalf => fs::write(file, &whole[..whole.len() / 2]).unwrap(),
            // Its head is good, and nothing behind it.
            Self::Scratched => fs::write(file, [&whole[..512], &vec![0xff; whole.len() - 512]].concat()).unwrap(),
            Self::Gone => fs::remove_file(file).unwrap(),
        }
    }
}

impl Host {
    /// The same folder after a restart, with what happened to the files of these tenants meanwhile.
    fn after(self, damage: Damage, tenants: &[TenantId]) -> Self {
        let files: Vec<PathBuf> =
            tenants.iter().map(|id| self.folder.path().join("tenants").join(format!("{id}.redb"))).collect();
        let Self { opened: before, hand, folder } = self;
        drop(before);
        files.iter().for_each(|file| damage.befalls(file));
        Self { opened: redress_tests::serving::opened(folder.path(), &hand).unwrap(), hand, folder }
    }
}

/// A host with the merchants `good` and `bad`, after what happened to the second one's file.
fn with_a_bad_one(damage: Damage) -> (Host, [TenantId; 2]) {
    let host = Host::new();
    let ids = ["good", "bad"].map(|name| host.merchant(name, A_WEEK_THEN_MONEY).record().id);
    (host.after(damage, &ids[1..]), ids)
}

#[test]
fn whatever_became_of_a_file_the_other_merchants_are_opened() {
    for damage in Damage::ALL {
        let (host, _) = with_a_bad_one(damage);
        let app = &host.opened.app;
        let failed: Vec<String> = app.not_opened().keys().map(ToString::to_string).collect();
        assert_eq!((app.engines().len(), failed), (1, vec!["bad".to_owned()]), "{damage:?}");
        assert!(app.engine("good").is_ok(), "{damage:?}");
        assert_eq!(app.engine("bad").map(drop).map_err(|error| error.code()), Err("tenant_not_opened"), "{damage:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merchant_whose_file_is_damaged_takes_no_other_down() {
    let (host, ids) = with_a_bad_one(Damage::Scratched);
    let keys = ids.map(|id| host.key(Some(id), Role::Admin));
    let operator = host.key(None, Role::Operator);
    let serving = serving(&host.opened, Connections::default(), Router::new()).await.unwrap();
    let cases = async |key: &str| ask(serving.address(), "GET", "/v1/cases", key, "").await.unwrap();
    assert_eq!(cases(&keys[0]).await.status, 200);
    let refused = cases(&keys[1]).await;
    assert_eq!(refused.problem(), (503, "tenant_not_opened".to_owned()));
    assert!(refused.head.contains("retry-after: "), "{}", refused.head);
    // Whoever runs the host sees it, and so does its operator who names the merchant.
    let named = cases(&format!("{operator}redress-tenant: bad\r\n")).await;
    assert_eq!(named.problem(), (503, "tenant_not_opened".to_owned()));
    let all = ask(serving.address(), "GET", "/v1/tenants", &operator, "").await.unwrap().json();
    assert_eq!(all["data"].as_array().map(Vec::len), Some(2));
    let ready = get(serving.address(), "/readyz").await.unwrap();
    assert_eq!((ready.status, &ready.json()["status"]), (200, &"ready".into()), "{}", ready.body);
    let told = ready.json()["checks"].as_array().unwrap().iter().find(|check| check["name"] == "tenants").cloned();
    let told = told.unwrap();
    assert_eq!(told["ok"], false, "{told}");
    let detail = told["detail"].as_str().unwrap();
    assert!(detail.starts_with("1 of 2 tenants could not be opened, bad among them ["), "{detail}");
    let figures = get(serving.address(), "/metrics").await.unwrap().body;
    assert!(figures.lines().any(|line| line == "redress_tenants_not_opened 1"), "{figures}");
    serving.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_can_open_none_of_its_merchants_is_not_ready() {
    let host = Host::new();
    let ids = ["one", "two"].map(|name| host.merchant(name, A_WEEK_THEN_MONEY).record().id);
    let host = host.after(Damage::Overwritten, &ids);
    let serving = serving(&host.opened, Connections::default(), Router::new()).await.unwrap();
    let ready = get(serving.address(), "/readyz").await.unwrap();
    assert_eq!((ready.status, &ready.json()["status"]), (503, &"not_ready".into()), "{}", ready.body);
    assert_eq!(get(serving.address(), "/livez").await.unwrap().status, 200);
    serving.stop().await;
}
