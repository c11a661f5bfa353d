//! What is wrong with the rules of a folder, by file, line and column.

use anyhow::anyhow;

use crate::authz::compile::CompileError;
use crate::authz::problem::{Object, Problem};
use crate::rule_files::Places;

/// One line for each problem; by object where nothing was read from files.
pub(super) fn by_file(error: &CompileError, places: &Places) -> anyhow::Error {
    let lines: Vec<_> = error.problems.iter().map(|problem| line(problem, places)).collect();
    anyhow!("{}", lines.join("\n"))
}

/// `rules/open.cedar:3:14: what is wrong; what to do about it`
pub(super) fn line(problem: &Problem, places: &Places) -> String {
    match place(&problem.object, places) {
        None => problem.to_string(),
        Some(place) => {
            let at = problem.at.map(|at| format!(":{at}")).unwrap_or_default();
            format!("{place}{at}: {}: {}", problem.object, problem.what())
        }
    }
}

fn place<'p>(object: &Object, places: &'p Places) -> Option<&'p str> {
    match object {
        Object::App(id) => places.of("app", id.as_str()),
        Object::Route(id) => places.of("route", id.as_str()),
        Object::Grant(id) => places.of("grant", id.as_str()),
        Object::Policy(id) => places.of("policy", id.as_str()),
        Object::Assertion(id) => places.of("assertion", id.as_str()),
        Object::RuleBook => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authz::compile::{MfaSetting, Terms, compile};
    use crate::model::id::ReleaseNumber;
    use crate::rule_files::read_with_places;

    #[test]
    fn problems_name_file_line_and_column() {
        let folder = tempfile::tempdir().unwrap();
        let write =
            |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write(
            "routes.toml",
            "[[app]]\nid = \"a\"\nname = \"A\"\norigins = [\"http://a.example\"]\n\
            [[app.route]]\nname = \"x\"\npattern = \"/x\"\n",
        );
        write(
            "grants.toml",
            "\n[[grant]]\nid = \"g\"\nwho = \"everyone\"\nwhat = { methods = [] }\nroute = \"a/x\"\n",
        );
        write("p.cedar", "permit (principal, action, resource)\nwhen { context.mffa };\n");
        let (book, places) = read_with_places(folder.path()).unwrap();
        let terms = Terms { public_host: "gate.example".parse().unwrap(), mfa: MfaSetting::Empty };
        let told =
            by_file(&compile(&book, ReleaseNumber(1), &terms).unwrap_err(), &places).to_string();
        let told = told.replace(&format!("{}/", folder.path().display()), "");
        let expected = "routes.toml:1: app `a`: the origin `http://a.example` must be https; plain http is for loopback hosts only\n\
            grants.toml:2: grant `g`: it names no method\n\
            p.cedar:2:8: policy `p`: attribute `mffa` in context not found; did you mean `mfa`?";
        assert_eq!(told, expected);
    }
}
