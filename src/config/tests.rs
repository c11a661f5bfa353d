//! What settings are taken, and what is said of the others.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use secrecy::ExposeSecret;

use super::*;

const TENANT: &str = "11111111-2222-3333-4444-555555555555";
const CLIENT: &str = "66666666-7777-8888-9999-000000000000";
const SECRET: &str = "s3cr~et-that-nobody-sees";

fn minimal() -> String {
    format!(
        "public_url = \"https://gate.contoso.com\"\n[entra]\ntenant = \"{TENANT}\"\n\
         client_id = \"{CLIENT}\"\nclient_secret = \"{SECRET}\"\n"
    )
}

#[expect(
    clippy::unwrap_in_result,
    reason = "only the settings may be refused, not the arrangement"
)]
fn load_with(text: &str, variables: &[(&str, &str)]) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cedargate.toml");
    std::fs::write(&file, text).unwrap();
    let variables: BTreeMap<_, _> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let prefix = format!("{}/", folder.path().display());
    Config::load(Some(&file), &variables)
        .map_err(|problems| problems.to_string().replace(&prefix, ""))
}

/// Adds `lines` before the sections of a good file and `rest` after it.
fn refused(lines: &str, rest: &str) -> String {
    load_with(&format!("{lines}\n{}{rest}", minimal()), &[]).expect_err("must be refused")
}

/// Sets one variable over a good file.
#[track_caller]
fn check_variable(name: &str, value: &str, expected: &str) {
    let problems = load_with(&minimal(), &[(name, value)]).expect_err("must be refused");
    assert!(problems.starts_with(&format!("{name}: ")), "{problems}");
    assert!(problems.contains(expected), "{problems}");
    assert!(!problems.contains(SECRET), "{problems}");
}

#[test]
fn defaults_are_as_documented() {
    let config = load_with(&minimal(), &[]).unwrap();
    assert_eq!(config.listen.to_string(), "0.0.0.0:8080");
    assert_eq!(config.ops_listen.to_string(), "127.0.0.1:9180");
    assert_eq!(config.database_url, "sqlite://data/cedargate.db");
    assert_eq!(config.audit.database_url, "sqlite://data/audit.db");
    assert_eq!(config.audit.strictness, Strictness::Strict);
    assert_eq!(config.audit.retention, Duration::from_hours(400 * 24));
    assert_eq!(config.session.idle, Duration::from_hours(1));
    assert_eq!(config.session.absolute, Duration::from_hours(12));
    assert_eq!(config.session.recheck, Duration::from_mins(15));
    assert_eq!(config.entra.authority.to_string(), "https://login.microsoftonline.com");
    assert_eq!(config.entra.api, None);
    assert_eq!(config.entra.allowed_tenants, [TENANT.parse().unwrap()]);
    assert_eq!(config.entra.client_secret.expose_secret(), SECRET);
    assert_eq!(config.keys.directory, Path::new("data/keys"));
    assert_eq!(config.log, "info");
    assert!(config.tls.is_none() && config.trusted_proxies.is_empty());
}

#[test]
fn variable_wins_over_file() {
    let variables = [
        ("CEDARGATE_PUBLIC_URL", "http://localhost:8080"),
        ("CEDARGATE_TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.7"),
        ("CEDARGATE_CONSOLE__OWNERS", "role:Gate.Owner"),
        ("CEDARGATE_LOG", "debug"),
        ("CEDARGATE_ENTRA__CLOUD", "china"),
        ("CEDARGATE_DATABASE_URL", "sqlite:///var/lib/gate/main.db"),
    ];
    let config = load_with(&minimal(), &variables).unwrap();
    assert_eq!(config.public_url.to_string(), "http://localhost:8080");
    assert_eq!(config.trusted_proxies.len(), 2);
    assert_eq!(config.console.owners, [ConsoleMember::Role("Gate.Owner".parse().unwrap())]);
    assert_eq!(config.log, "debug");
    assert_eq!(config.entra.authority.to_string(), Cloud::China.authority());
    assert_eq!(config.audit.database_url, "sqlite:///var/lib/gate/audit.db");
}

#[test]
fn access_tokens_are_taken_only_with_an_audience() {
    let api = |variables: &[(&str, &str)]| load_with(&minimal(), variables).unwrap().entra.api;
    let audience = "CEDARGATE_ENTRA__AUDIENCE";
    let own = api(&[(audience, &CLIENT.to_ascii_uppercase())]).unwrap();
    assert_eq!((own.audience.as_str(), own.scope.as_str()), (CLIENT, "access_as_user"));
    assert_eq!(own.access_tokens, AccessTokens::V2);
    let v1 = ("CEDARGATE_ENTRA__ACCESS_TOKENS", "v1");
    let uri = api(&[(audience, "api://Gate/"), v1, ("CEDARGATE_ENTRA__SCOPE", "x.y")]).unwrap();
    assert_eq!((uri.audience.as_str(), uri.scope.as_str()), ("api://Gate/", "x.y"));
    let graph = load_with(&minimal(), &[(audience, "https://graph.microsoft.com/"), v1]);
    assert!(graph.unwrap_err().contains("Microsoft Graph"));
}

#[test]
fn file_variable_reads_the_value_without_its_last_line_end() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, "from-a-file\n").unwrap();
    let path = file.to_str().unwrap();
    let name = "CEDARGATE_ENTRA__CLIENT_SECRET_FILE";
    let config = load_with(&minimal(), &[(name, path)]).unwrap();
    assert_eq!(config.entra.client_secret.expose_secret(), "from-a-file");
    let both = load_with(&minimal(), &[(name, path), ("CEDARGATE_ENTRA__CLIENT_SECRET", SECRET)]);
    assert!(both.unwrap_err().contains("keep one of the two"));
    check_variable(name, "/nowhere/at/all", "can't read the file");
}

#[test]
fn key_that_ends_in_file_is_itself() {
    let variables =
        [("CEDARGATE_TLS__CERTIFICATE_FILE", "a.pem"), ("CEDARGATE_TLS__KEY_FILE", "a.key")];
    let tls = load_with(&minimal(), &variables).unwrap().tls.unwrap();
    assert_eq!(tls.key_file, Path::new("a.key"));
}

#[test]
fn variables_of_kubernetes_and_of_tests_are_not_settings() {
    let variables = [
        ("CEDARGATE_PORT", "tcp://10.0.0.1:8080"),
        ("CEDARGATE_PORT_8080_TCP_ADDR", "10.0.0.1"),
        ("CEDARGATE_SERVICE_HOST", "10.0.0.1"),
        ("CEDARGATE_TEST_STRICT", "1"),
    ];
    assert!(load_with(&minimal(), &variables).is_ok());
}

#[test]
fn unusable_values_are_refused_with_a_remedy() {
    let table = [
        ("CEDARGATE_PUBLIC_URL", "http://gate.contoso.com", "must start with https://"),
        ("CEDARGATE_PUBLIC_URL", "https://gate.contoso.com/x", "an origin"),
        ("CEDARGATE_LISTEN", "8080", "0.0.0.0:8080"),
        ("CEDARGATE_OPS_LISTEN", "0.0.0.0:8080", "is the address of `listen`"),
        ("CEDARGATE_TRUSTED_PROXIES", "0.0.0.0/0", "trust everybody"),
        ("CEDARGATE_TRUSTED_PROXIES", "::/0", "trust everybody"),
        ("CEDARGATE_TRUSTED_PROXIES", "10.0.0.1/8", "10.0.0.0/8"),
        ("CEDARGATE_DATABASE_URL", "postgres://u:pass@h/d", "not supported by this version"),
        ("CEDARGATE_DATABASE_URL", "data/cedargate.db", "sqlite://"),
        ("CEDARGATE_DATABASE_URL", "sqlite://x.db?mode=memory", "without options"),
        ("CEDARGATE_AUDIT__DATABASE_URL", "sqlite://data/cedargate.db", "a file of its own"),
        ("CEDARGATE_ENTRA__TENANT", "contoso.onmicrosoft.com", "Directory (tenant) ID"),
        ("CEDARGATE_ENTRA__CLIENT_ID", "gate", "Application (client) ID"),
        ("CEDARGATE_ENTRA__CLIENT_SECRET", " ", "is empty"),
        ("CEDARGATE_ENTRA__CLIENT_SECRET", CLIENT, "copy its value"),
        ("CEDARGATE_ENTRA__CERTIFICATE_FILE", "x", "not supported by this version"),
        ("CEDARGATE_ENTRA__KEY_FILE", "x", "not supported by this version"),
        ("CEDARGATE_ENTRA__FEDERATED_TOKEN_FILE", "x", "not supported by this version"),
        ("CEDARGATE_ENTRA__CLOUD", "germany", "us_government"),
        ("CEDARGATE_ENTRA__AUTHORITY", "http://login.example.com", "https://"),
        ("CEDARGATE_ENTRA__ALLOWED_TENANTS", "common", "a GUID"),
        ("CEDARGATE_ENTRA__AUDIENCE", "api://gate", "application (client) id"),
        ("CEDARGATE_ENTRA__AUDIENCE", "00000003-0000-0000-C000-000000000000", "Microsoft Graph"),
        ("CEDARGATE_ENTRA__ACCESS_TOKENS", "2", "neither v1 nor v2"),
        ("CEDARGATE_ENTRA__ACCESS_TOKENS", "v1", "nothing without entra.audience"),
        ("CEDARGATE_ENTRA__SCOPE", "access_as_user", "nothing without entra.audience"),
        ("CEDARGATE_ENTRA__SCOPE", "one two", "not one scope"),
        ("CEDARGATE_ENTRA__MFA_CONTEXT", "c0", "c1 to c99"),
        ("CEDARGATE_ENTRA__MFA_CONTEXT", "c01", "c1 to c99"),
        ("CEDARGATE_CONSOLE__OWNERS", "olive@contoso.com", "group:<object id>"),
        ("CEDARGATE_CONSOLE__OWNERS", "group:Finance", "a GUID"),
        ("CEDARGATE_CONSOLE__OWNERS", "user:olive", "two GUIDs"),
        ("CEDARGATE_CONSOLE__SECOND_PERSON", "required", "not supported by this version"),
        ("CEDARGATE_SESSION__IDLE", "1", "15m"),
        ("CEDARGATE_SESSION__IDLE", "-1h", "15m"),
        ("CEDARGATE_SESSION__IDLE", "1hh", "15m"),
        ("CEDARGATE_SESSION__IDLE", "99999999999999999999d", "15m"),
        ("CEDARGATE_SESSION__IDLE", "1s", "1m to 1d"),
        ("CEDARGATE_SESSION__ABSOLUTE", "8d", "5m to 7d"),
        ("CEDARGATE_SESSION__RECHECK", "13h", "longer than session.absolute (12h)"),
        ("CEDARGATE_AUDIT__RETENTION", "1h", "1d to 3660d"),
        ("CEDARGATE_AUDIT__STRICTNESS", "lax", "strict-allow"),
        ("CEDARGATE_AUDIT__ANCHOR_FILE", "", "is empty"),
        ("CEDARGATE_TLS__KEY_FILE", "a.key", "tls.certificate_file"),
        ("CEDARGATE_TLS__CERTIFICATE_FILE", "a.pem", "tls.key_file"),
        ("CEDARGATE_ENTRA__SECRET", SECRET, "not a variable that Cedargate knows"),
        ("CEDARGATE_ENTRA_TENANT", TENANT, "not a variable that Cedargate knows"),
    ];
    for (name, value, expected) in table {
        check_variable(name, value, expected);
    }
}

#[test]
fn unknown_keys_are_refused_by_line() {
    assert_eq!(
        refused("listn = \"x\"", ""),
        "cedargate.toml:1: listn: is not a known key; correct or remove it \
         (`cedargate.example.toml` lists every key)"
    );
    let misplaced = refused("tenant = \"x\"", "");
    assert!(misplaced.contains("did you mean `entra.tenant`?"), "{misplaced}");
    assert!(
        refused("", "[nothing]\nx = 1\n").contains("cedargate.toml:7: nothing: is not a known key")
    );
}

#[test]
fn wrong_kinds_are_refused() {
    assert!(
        refused("listen = 8080", "").contains("cedargate.toml:1: listen: must be text in quotes")
    );
    assert!(refused("trusted_proxies = \"10.0.0.0/8\"", "").contains("must be a list of texts"));
    assert!(refused("trusted_proxies = [1]", "").contains("must be a list of texts"));
    assert!(refused("session = \"1h\"", "").contains("cedargate.toml:1: session"));
}

#[test]
fn all_problems_are_told_at_once() {
    let text = "public_url = \"ftp://x\"\nlisten = 1\nnonsense = 2\n[session]\nidle = \"never\"\n";
    let problems = load_with(text, &[("CEDARGATE_NOPE", "1")]).unwrap_err();
    for place in [
        "cedargate.toml:1: public_url",
        "cedargate.toml:2: listen",
        "cedargate.toml:3: nonsense",
        "cedargate.toml:5: session.idle",
        "CEDARGATE_NOPE",
        "entra.tenant: is missing",
        "entra.client_id: is missing",
        "entra.client_secret: is missing; set it in cedargate.toml or as CEDARGATE_ENTRA__CLIENT_SECRET",
    ] {
        assert!(problems.lines().any(|line| line.starts_with(place)), "{place} in {problems}");
    }
}

#[test]
fn secrets_are_never_printed() {
    let config = load_with(&minimal(), &[]).unwrap();
    assert!(!format!("{config:?}").contains(SECRET));
    let broken = format!("[entra]\nclient_secret = \"{SECRET}\nx");
    assert!(!load_with(&broken, &[]).unwrap_err().contains(SECRET));
    let bare = format!("[entra]\nclient_secret = {SECRET}\n");
    assert!(!load_with(&bare, &[]).unwrap_err().contains(SECRET));
    let list = format!("[entra]\nclient_secret = [\"{SECRET}\"]\n");
    assert!(!load_with(&list, &[]).unwrap_err().contains(SECRET));
}

#[test]
fn unreadable_file_is_named() {
    let problems = Config::load(Some(Path::new("/nowhere.toml")), &BTreeMap::new()).unwrap_err();
    assert!(problems.to_string().starts_with("/nowhere.toml: can't read the settings"));
}

const EXAMPLE: &str = include_str!("../../cedargate.example.toml");

/// The example with every switched-off key switched on.
fn everything_on() -> String {
    let on = |line: &'static str| match line.strip_prefix('#') {
        Some(rest) if !rest.starts_with(' ') => rest,
        Some(_) | None => line,
    };
    EXAMPLE.lines().map(on).collect::<Vec<_>>().join("\n")
}

#[test]
fn example_holds_every_key() {
    let table: toml::Table = everything_on().parse().unwrap();
    let here = |path: &str| match path.split_once('.') {
        Some((section, key)) => table.get(section).is_some_and(|inner| inner.get(key).is_some()),
        None => table.contains_key(path),
    };
    let missing: Vec<_> = KEYS.iter().filter(|key| !here(key.path)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn example_is_accepted_but_for_what_is_not_supported() {
    let problems = load_with(&everything_on(), &[]).unwrap_err();
    let (later, wrong): (Vec<_>, Vec<_>) =
        problems.lines().partition(|line| line.contains("not supported by this version"));
    assert!(wrong.is_empty(), "{wrong:?}");
    assert_eq!(later.len(), 5);
    assert!(load_with(EXAMPLE, &[("CEDARGATE_ENTRA__CLIENT_SECRET", SECRET)]).is_ok());
}

#[test]
fn environment_is_readable() {
    assert!(environment().contains_key("PATH"));
}
