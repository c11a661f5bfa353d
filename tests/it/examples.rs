//! What the examples show works: their rules compile, and their settings load.

use std::collections::BTreeMap;
use std::path::PathBuf;

use cedargate::app::terms;
use cedargate::authz::compile::compile;
use cedargate::config::Config;
use cedargate::model::id::ReleaseNumber;
use cedargate::rule_files;

#[test]
fn the_flask_example_loads_and_compiles() {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples/flask");
    let secret = ("CEDARGATE_ENTRA__CLIENT_SECRET".to_owned(), "a~secret".to_owned());
    let config =
        Config::load(Some(&dir.join("cedargate.toml")), &BTreeMap::from([secret])).unwrap();
    let book = rule_files::read(&dir.join("rules")).unwrap();
    let snapshot = compile(&book, ReleaseNumber(1), &terms(&config)).unwrap();
    let app = snapshot.app(&"app.localhost".parse().unwrap()).unwrap();
    for path in ["/", "/orders", "/api/orders", "/admin/", "/static/gate.js"] {
        assert!(snapshot.find(&app.id, path).is_some(), "{path}");
    }
}
