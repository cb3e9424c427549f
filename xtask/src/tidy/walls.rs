//! Who may know whom among packages. The table is the one place that says so; `deny.toml` repeats the last part for CI tools.

use super::Problem;
use crate::metadata::Graph;

/// One package and what it never reaches, by any way that is linked into it.
struct Wall {
    package: &'static str,
    /// Which of the workspace's packages it may use directly.
    may_know: &'static [&'static str],
    never: &'static [&'static [&'static str]],
}

const RUNTIME: &[&str] = &["tokio", "async-std", "smol"];
const DATABASE: &[&str] = &["redb"];
const WASM: &[&str] = &["wasmtime", "wasmparser", "wit-component"];
const HTTP: &[&str] = &["axum", "hyper", "reqwest", "ureq", "tonic"];

const WALLS: &[Wall] = &[
    Wall { package: "redress-domain", may_know: &[], never: &[RUNTIME, DATABASE, WASM, HTTP] },
    Wall { package: "redress-store", may_know: &["redress-domain"], never: &[WASM, HTTP] },
    Wall { package: "redress-sandbox", may_know: &[], never: &[DATABASE, HTTP] },
    Wall { package: "redress-plugin", may_know: &["redress-plugin-macros"], never: &[RUNTIME, DATABASE, HTTP] },
];

/// A package that only these of ours may name in their manifests, tests included. The tests of the whole product put routes of
/// their own beside its.
const SOLE: &[(&str, &[&str])] =
    &[("redb", &["redress-store"]), ("wasmtime", &["redress-sandbox"]), ("axum", &["redress", "redress-tests"])];

/// Every way over a wall.
pub(super) fn check(graph: &Graph) -> Vec<Problem> {
    let mut problems: Vec<Problem> = WALLS.iter().flat_map(|wall| over_wall(graph, wall)).collect();
    problems.extend(SOLE.iter().flat_map(|(package, only)| strangers(graph, package, only)));
    problems
}

fn over_wall(graph: &Graph, wall: &Wall) -> Vec<Problem> {
    if !graph.members.contains(wall.package) {
        return vec![Problem::of_file(
            wall.package,
            "is not in the workspace, so its wall guards nothing: mend tidy/walls.rs",
        )];
    }
    let never = wall.never.iter().copied().flatten().filter_map(|package| graph.way(wall.package, package));
    let own =
        graph.members.iter().filter(|member| *member != wall.package && !wall.may_know.contains(&member.as_str()));
    let own = own.filter_map(|member| graph.way(wall.package, member));
    let problem = |way: Vec<String>| Problem::of_file(wall.package, format!("must not know {}", way.join(" > ")));
    never.chain(own).map(problem).collect()
}

fn strangers(graph: &Graph, package: &str, only: &[&str]) -> Vec<Problem> {
    let names = |member: &&String| {
        let edges = [&graph.needs, &graph.tests_need];
        edges.iter().any(|edges| edges.get(*member).is_some_and(|needs| needs.contains(package)))
    };
    let others = graph.members.iter().filter(|member| !only.contains(&member.as_str())).filter(names);
    others
        .map(|member| Problem::of_file(member, format!("depends on {package}, which only {} may", only.join(" and "))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The workspace as it should be, with more edges.
    fn graph(needs: &[(&str, &str)], tests_need: &[(&str, &str)]) -> Graph {
        let members = WALLS.iter().map(|wall| wall.package.to_owned()).chain(["redress".to_owned()]).collect();
        let mut graph = Graph { members, ..Graph::default() };
        let good = [
            ("redress-store", "redb"),
            ("redress-sandbox", "wasmtime"),
            ("redress", "redress-store"),
            ("redress-store", "redress-domain"),
        ];
        for (from, to) in good.iter().chain(needs) {
            graph.needs.entry((*from).to_owned()).or_default().insert((*to).to_owned());
        }
        for (from, to) in tests_need {
            graph.tests_need.entry((*from).to_owned()).or_default().insert((*to).to_owned());
        }
        graph
    }

    fn told(needs: &[(&str, &str)], tests_need: &[(&str, &str)]) -> Vec<String> {
        check(&graph(needs, tests_need)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_house_as_drawn_keeps_its_walls() {
        assert_eq!(told(&[], &[]), [""; 0]);
    }

    #[test]
    fn a_runtime_behind_an_innocent_package_is_found_with_the_way_to_it() {
        assert_eq!(
            told(&[("redress-domain", "innocent"), ("innocent", "tokio")], &[]),
            ["redress-domain: must not know redress-domain > innocent > tokio"]
        );
    }

    #[test]
    fn nobody_calls_upwards_or_sideways() {
        assert_eq!(
            told(&[("redress-sandbox", "redress-domain")], &[]),
            ["redress-sandbox: must not know redress-sandbox > redress-domain"]
        );
        assert_eq!(
            told(&[("redress-store", "redress")], &[]),
            ["redress-store: must not know redress-store > redress"]
        );
    }

    #[test]
    fn only_the_store_names_the_database_even_in_tests() {
        assert_eq!(told(&[], &[("redress", "redb")]), ["redress: depends on redb, which only redress-store may"]);
    }

    #[test]
    fn a_wall_around_a_package_that_is_gone_is_told() {
        let mut graph = graph(&[], &[]);
        graph.members.remove("redress-domain");
        assert!(check(&graph).iter().any(|problem| problem.what.contains("guards nothing")));
    }
}
