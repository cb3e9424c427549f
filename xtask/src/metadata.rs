//! What `cargo metadata` says of the workspace, as far as we ask.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Deserialize;

use crate::shell;

/// The graph is asked for one platform, so that it is the same on every machine and leaves out what only others would link.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";

/// The workspace: where it builds and who depends on whom.
pub(crate) struct Workspace {
    /// Where cargo puts what it builds.
    pub(crate) target_folder: PathBuf,
    /// Its packages and all that they need.
    pub(crate) graph: Graph,
}

impl Workspace {
    /// Ask cargo about the workspace in this folder; refuses a lock file that is out of date.
    pub(crate) fn load(root: &Path) -> anyhow::Result<Self> {
        let args = ["metadata", "--format-version", "1", "--locked", "--filter-platform", PLATFORM];
        let answer = shell::output(&mut shell::cargo(root, &args))?;
        let metadata: Metadata = serde_json::from_slice(&answer).context("could not read what cargo metadata says")?;
        let target_folder = metadata.target_directory.clone();
        Ok(Self { target_folder, graph: metadata.into_graph()? })
    }
}

/// Packages by name. Two versions of one package are one node: a wall stands against both.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    /// The workspace's own packages.
    pub(crate) members: BTreeSet<String>,
    /// Package to the packages it links or builds with.
    pub(crate) needs: BTreeMap<String, BTreeSet<String>>,
    /// Package to the packages that only its tests use.
    pub(crate) tests_need: BTreeMap<String, BTreeSet<String>>,
}

impl Graph {
    /// The shortest way from one package to another through what is linked, both ends included.
    pub(crate) fn way(&self, from: &str, to: &str) -> Option<Vec<String>> {
        let mut came_from: BTreeMap<&str, &str> = BTreeMap::new();
        let mut queue = VecDeque::from([from]);
        while let Some(package) = queue.pop_front() {
            if package == to {
                let mut way = vec![to];
                while let Some(&previous) = way.last().and_then(|last| came_from.get(last)) {
                    way.push(previous);
                }
                return Some(way.into_iter().rev().map(str::to_owned).collect());
            }
            for next in self.needs.get(package).into_iter().flatten().map(String::as_str) {
                if next != from && !came_from.contains_key(next) {
                    came_from.insert(next, package);
                    queue.push_back(next);
                }
            }
        }
        None
    }
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_members: Vec<String>,
    target_directory: PathBuf,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    pkg: String,
    dep_kinds: Vec<Kind>,
}

#[derive(Deserialize)]
struct Kind {
    kind: Option<String>,
}

impl Metadata {
    fn into_graph(self) -> anyhow::Result<Graph> {
        let names: BTreeMap<&str, &str> = self.packages.iter().map(|p| (p.id.as_str(), p.name.as_str())).collect();
        let name = |id: &str| {
            names
                .get(id)
                .map(|name| (*name).to_owned())
                .with_context(|| format!("cargo metadata names no package {id:?}"))
        };
        let mut graph = Graph::default();
        for id in &self.workspace_members {
            graph.members.insert(name(id)?);
        }
        for node in &self.resolve.nodes {
            for dependency in &node.deps {
                let only_tests = dependency.dep_kinds.iter().all(|kind| kind.kind.as_deref() == Some("dev"));
                let edges = if only_tests { &mut graph.tests_need } else { &mut graph.needs };
                edges.entry(name(&node.id)?).or_default().insert(name(&dependency.pkg)?);
            }
        }
        Ok(graph)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = r#"{
        "packages": [{"id": "a 1", "name": "a"}, {"id": "b 1", "name": "b"}, {"id": "b 2", "name": "b"}, {"id": "c 1", "name": "c"}],
        "workspace_members": ["a 1"], "target_directory": "somewhere",
        "resolve": {"nodes": [
            {"id": "a 1", "deps": [{"pkg": "b 1", "dep_kinds": [{"kind": null}]}, {"pkg": "c 1", "dep_kinds": [{"kind": "dev"}]}]},
            {"id": "b 1", "deps": [{"pkg": "b 2", "dep_kinds": [{"kind": "build"}]}]},
            {"id": "b 2", "deps": [{"pkg": "c 1", "dep_kinds": [{"kind": "dev"}, {"kind": null}]}]}
        ]}
    }"#;

    #[test]
    fn what_only_tests_use_is_kept_apart_from_what_is_linked() {
        let graph = serde_json::from_str::<Metadata>(ANSWER).unwrap().into_graph().unwrap();
        assert_eq!(graph.members, BTreeSet::from(["a".to_owned()]));
        assert_eq!(graph.needs["a"], BTreeSet::from(["b".to_owned()]));
        assert_eq!(graph.tests_need["a"], BTreeSet::from(["c".to_owned()]));
    }

    #[test]
    fn a_way_leads_through_other_packages_and_there_is_none_backwards() {
        let graph = serde_json::from_str::<Metadata>(ANSWER).unwrap().into_graph().unwrap();
        assert_eq!(graph.way("a", "c").unwrap(), ["a", "b", "c"]);
        assert_eq!(graph.way("c", "a"), None);
    }
}
