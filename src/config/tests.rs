//! What settings are taken, and what is said of the others.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use secrecy::ExposeSecret;

use super::*;
use crate::model::entra::{Cloud, Credential, GroupSource};

const TENANT: &str = "11111111-2222-3333-4444-555555555555";
const CLIENT: &str = "66666666-7777-8888-9999-000000000000";
const OTHER: &str = "11111111-2222-3333-4444-666666666666";
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

#[track_caller]
fn secret(credential: &Credential) -> &str {
    let Credential::Secret { value, .. } = credential else { panic!("{credential:?}") };
    value.expose_secret()
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
    assert_eq!(config.audit.outlet, None);
    assert_eq!(config.session.idle, Duration::from_hours(1));
    assert_eq!(config.session.absolute, Duration::from_hours(12));
    assert_eq!(config.session.recheck, Duration::from_mins(15));
    assert_eq!(config.entra.authority.to_string(), "https://login.microsoftonline.com");
    assert_eq!(config.entra.api, None);
    assert_eq!(config.entra.allowed_tenants, [TENANT.parse().unwrap()]);
    assert_eq!(secret(&config.entra.credential), SECRET);
    assert!(config.entra.second.is_none());
    assert_eq!(config.entra.groups, GroupSource::GraphOnOverage);
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
fn unusable_settings_of_access_tokens_are_refused_with_a_remedy() {
    let table = [
        ("CEDARGATE_ENTRA__AUDIENCE", "api://gate", "application (client) id"),
        ("CEDARGATE_ENTRA__AUDIENCE", "00000003-0000-0000-C000-000000000000", "Microsoft Graph"),
        ("CEDARGATE_ENTRA__ACCESS_TOKENS", "2", "neither v1 nor v2"),
        ("CEDARGATE_ENTRA__ACCESS_TOKENS", "v1", "nothing without entra.audience"),
        ("CEDARGATE_ENTRA__SCOPE", "access_as_user", "nothing without entra.audience"),
        ("CEDARGATE_ENTRA__SCOPE", "one two", "not one scope"),
    ];
    for (name, value, expected) in table {
        check_variable(name, value, expected);
    }
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
    assert_eq!(secret(&config.entra.credential), "from-a-file");
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
        ("CEDARGATE_ENTRA__TENANT", "contoso", "Directory (tenant) ID"),
        ("CEDARGATE_ENTRA__TENANT", "contoso..com", "Directory (tenant) ID"),
        ("CEDARGATE_ENTRA__TENANT", "contoso.com/x", "Directory (tenant) ID"),
        ("CEDARGATE_ENTRA__TENANT", "common", "personal accounts"),
        ("CEDARGATE_ENTRA__TENANT", "consumers", "personal accounts"),
        ("CEDARGATE_ENTRA__CLIENT_ID", "gate", "Application (client) ID"),
        ("CEDARGATE_ENTRA__CLIENT_SECRET", " ", "is empty"),
        ("CEDARGATE_ENTRA__CLIENT_SECRET", CLIENT, "copy its value"),
        ("CEDARGATE_ENTRA__FEDERATED_TOKEN_FILE", "x", "a second kind of credential in [entra]"),
        ("CEDARGATE_ENTRA__CLIENT_SECRET_EXPIRES", "31.1.2027", "2027-01-31"),
        ("CEDARGATE_ENTRA__CLIENT_SECRET_EXPIRES", "2027-02-29", "2027-01-31"),
        ("CEDARGATE_ENTRA__SECOND__CLIENT_SECRET", "", "is empty"),
        ("CEDARGATE_ENTRA__SECOND__CERTIFICATE_FILE", "x", "entra.second.key_file"),
        ("CEDARGATE_ENTRA__SECOND__KEY_FILE", "x", "entra.second.certificate_file"),
        ("CEDARGATE_ENTRA__SECOND__CLIENT_SECRET_EXPIRES", "2027-01-31", "add entra.second"),
        ("CEDARGATE_ENTRA__GROUPS", "all", "graph_on_overage"),
        ("CEDARGATE_ENTRA__ALLOWED_TENANTS", OTHER, "does not list entra.tenant"),
        ("CEDARGATE_ENTRA__CLOUD", "germany", "us_government"),
        ("CEDARGATE_ENTRA__AUTHORITY", "http://login.example.com", "https://"),
        ("CEDARGATE_ENTRA__ALLOWED_TENANTS", "common", "a GUID"),
        ("CEDARGATE_ENTRA__MFA_CONTEXT", "c0", "c1 to c99"),
        ("CEDARGATE_ENTRA__MFA_CONTEXT", "c01", "c1 to c99"),
        ("CEDARGATE_CONTACT", " ", "is empty"),
        ("CEDARGATE_CONTACT", "help\ndesk", "one line"),
        ("CEDARGATE_CONSOLE__OWNERS", "olive@contoso.com", "group:<object id>"),
        ("CEDARGATE_CONSOLE__OWNERS", "group:Finance", "a GUID"),
        ("CEDARGATE_CONSOLE__OWNERS", "user:olive", "two GUIDs"),
        ("CEDARGATE_CONSOLE__SECOND_PERSON", "maybe", "is neither off nor required"),
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
        ("CEDARGATE_AUDIT__OUTLET", "/var/log/a.jsonl", "write stdout or file:<path>"),
        ("CEDARGATE_AUDIT__OUTLET", "file:", "is empty"),
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
fn unknown_keys_are_refused_by_line_a57() {
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
    let here = |path: &str| {
        let (sections, key) =
            path.rsplit_once('.').map_or(("", path), |(before, key)| (before, key));
        let sections = sections.split('.').filter(|section| !section.is_empty());
        let mut sections = sections.map(str::to_owned);
        let inner = sections.try_fold(&table, |table, section| table.get(&section)?.as_table());
        inner.is_some_and(|table| table.contains_key(key))
    };
    let missing: Vec<_> = KEYS.iter().filter(|key| !here(key.path)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn example_is_accepted() {
    // A table takes one kind of credential.
    let other_kind = |line: &&str| {
        let names =
            ["certificate_file = \"entra", "key_file = \"entra", "certificate_file = \"next"];
        let names = names.into_iter().chain(["key_file = \"next", "federated_token_file"]);
        !names.into_iter().any(|name| line.starts_with(name))
    };
    let one_each = everything_on();
    let one_each = one_each.lines().filter(other_kind).collect::<Vec<_>>().join("\n");
    assert_eq!(load_with(&one_each, &[]).map(|_| ()), Ok(()));
    assert!(load_with(EXAMPLE, &[("CEDARGATE_ENTRA__CLIENT_SECRET", SECRET)]).is_ok());
}

#[test]
fn environment_is_readable() {
    assert!(environment().contains_key("PATH"));
}

/// A good file but for its credential.
fn with_credential(lines: &str) -> Result<Config, String> {
    let bare: Vec<_> = minimal().lines().map(str::to_owned).collect();
    let bare = bare.into_iter().filter(|line| !line.starts_with("client_secret"));
    load_with(&format!("{}\n{lines}", bare.collect::<Vec<_>>().join("\n")), &[])
}

#[test]
fn each_kind_of_credential_is_taken_in_both_tables() {
    let kinds = [
        "client_secret = \"x~y\"\nclient_secret_expires = \"2027-01-31\"",
        "certificate_file = \"a.pem\"\nkey_file = \"a.key\"",
        "federated_token_file = \"/var/token\"",
    ];
    let told = |credential: &Credential| match credential {
        Credential::Secret { expires_at, .. } => expires_at.unwrap().to_string(),
        Credential::Certificate { certificate_file, key_file } => {
            format!("{} {}", certificate_file.display(), key_file.display())
        }
        Credential::FederatedToken { file } => file.display().to_string(),
    };
    let expected = ["2027-01-31T00:00:00.000000Z", "a.pem a.key", "/var/token"];
    for (first, expected_first) in kinds.iter().zip(expected) {
        for (second, expected_second) in kinds.iter().zip(expected) {
            let entra = with_credential(&format!("{first}\n[entra.second]\n{second}\n")).unwrap();
            let (first, second) = (entra.entra.credential, entra.entra.second.unwrap());
            assert_eq!(
                (told(&first).as_str(), told(&second).as_str()),
                (expected_first, expected_second)
            );
        }
    }
}

#[test]
fn a_table_holds_exactly_one_credential() {
    let certificate = "certificate_file = \"a.pem\"\nkey_file = \"a.key\"\n";
    let token = "federated_token_file = \"t\"\n";
    for (lines, place, expected) in [
        (format!("client_secret = \"x\"\n{certificate}"), "entra.certificate_file", "second kind"),
        (format!("client_secret = \"x\"\n{token}"), "entra.federated_token_file", "second kind"),
        (format!("{certificate}{token}"), "entra.federated_token_file", "second kind"),
        ("key_file = \"a.key\"\nclient_secret = \"x\"".to_owned(), "entra.key_file", "second kind"),
        ("key_file = \"a.key\"\n".to_owned(), "entra.key_file", "needs entra.certificate_file"),
        (
            format!("{token}client_secret_expires = \"2027-01-31\""),
            "entra.client_secret_expires",
            "goes with",
        ),
    ] {
        let problems = with_credential(&lines).unwrap_err();
        let told = |line: &str| line.contains(place) && line.contains(expected);
        assert!(problems.lines().any(told), "{lines}: {problems}");
    }
}

#[test]
fn several_tenants_are_named_one_by_one() {
    let entra = |tenant: &str, allowed: &str| {
        let variables =
            [("CEDARGATE_ENTRA__TENANT", tenant), ("CEDARGATE_ENTRA__ALLOWED_TENANTS", allowed)];
        let given = if allowed.is_empty() { &variables[..1] } else { &variables };
        load_with(&minimal(), given).map(|config| config.entra)
    };
    let many = entra("organizations", &format!("{TENANT},{OTHER}")).unwrap();
    assert_eq!((many.tenant.as_str(), many.allowed_tenants.len()), ("organizations", 2));
    assert!(entra("organizations", "").unwrap_err().contains("every tenant in the world"));
    let domain = entra("Contoso.onmicrosoft.com", "").unwrap();
    assert_eq!(domain.tenant, "contoso.onmicrosoft.com");
    assert!(domain.allowed_tenants.is_empty());
    let personal = "9188040d-6c67-4c5b-b112-36a304b66dad";
    assert!(entra(personal, "").unwrap_err().contains("personal accounts"));
    assert!(entra(personal, personal).is_ok());
}

const AKS: [(&str, &str); 4] = [
    ("AZURE_FEDERATED_TOKEN_FILE", "/var/run/secrets/azure/tokens/azure-identity-token"),
    ("AZURE_TENANT_ID", OTHER),
    ("AZURE_CLIENT_ID", CLIENT),
    ("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.us/"),
];

#[test]
fn a_workload_identity_of_aks_fills_what_the_settings_leave_open() {
    let bare = "public_url = \"https://gate.contoso.com\"\n";
    let entra = load_with(bare, &AKS).unwrap().entra;
    assert_eq!((entra.tenant.as_str(), entra.client_id.as_str()), (OTHER, CLIENT));
    assert_eq!(entra.cloud, Cloud::UsGovernment);
    let Credential::FederatedToken { file } = entra.credential else { panic!() };
    assert_eq!(file, Path::new(AKS[0].1));
    let named = format!("{bare}[entra]\ntenant = \"{TENANT}\"\ncloud = \"public\"\n");
    let entra = load_with(&named, &AKS).unwrap().entra;
    assert_eq!((entra.tenant.as_str(), entra.cloud), (TENANT, Cloud::Public));
    let odd = [AKS[0], AKS[1], AKS[2], ("AZURE_AUTHORITY_HOST", "https://login.example.com/")];
    assert!(load_with(bare, &odd).unwrap_err().contains("AZURE_AUTHORITY_HOST: names no cloud"));
    assert!(load_with(&named, &odd).is_ok());
}

#[test]
fn variables_for_other_programs_change_nothing() {
    let entra = load_with(&minimal(), &AKS).unwrap().entra;
    assert_eq!((entra.tenant.as_str(), secret(&entra.credential)), (TENANT, SECRET));
    assert_eq!(entra.cloud, Cloud::Public);
    let bare = "public_url = \"https://gate.contoso.com\"\n";
    let problems = load_with(bare, &AKS[1..]).unwrap_err();
    assert!(problems.contains("entra.tenant: is missing"), "{problems}");
}

#[test]
fn an_outlet_is_standard_output_or_a_file_of_its_own() {
    let outlet =
        |text| load_with(&minimal(), &[("CEDARGATE_AUDIT__OUTLET", text)]).unwrap().audit.outlet;
    assert_eq!(outlet("stdout"), Some(Outlet::Stdout));
    assert_eq!(outlet("file:/var/log/a.jsonl"), Some(Outlet::File("/var/log/a.jsonl".into())));
    let same = [
        ("CEDARGATE_AUDIT__ANCHOR_FILE", "/mnt/anchors.txt"),
        ("CEDARGATE_AUDIT__OUTLET", "file:/mnt/anchors.txt"),
    ];
    let problems = load_with(&minimal(), &same).unwrap_err();
    assert!(problems.contains("records need a file of their own"), "{problems}");
}

fn in_force(config: &Config, key: &str) -> (Shown, Provenance) {
    let all = config.in_force();
    let found = all.into_iter().find(|row| row.key == key).unwrap();
    (found.value, found.from)
}

#[test]
fn every_key_is_shown_in_force_with_its_source() {
    let owners =
        ("CEDARGATE_CONSOLE__OWNERS", "role:Gate.Owner,group:11111111-2222-3333-4444-555555555555");
    let config = load_with(&minimal(), &[owners]).unwrap();
    let shown: Vec<_> = config.in_force().iter().map(|row| row.key).collect();
    assert_eq!(shown, KEYS.iter().map(|key| key.path).collect::<Vec<_>>());
    let (owners, from) = in_force(&config, "console.owners");
    let named = ["role:Gate.Owner", "group:11111111-2222-3333-4444-555555555555"];
    assert_eq!(owners, Shown::List(named.map(str::to_owned).into()));
    assert_eq!(from, Provenance::Variable("CEDARGATE_CONSOLE__OWNERS".to_owned()));
    let (tenant, from) = in_force(&config, "entra.tenant");
    assert_eq!(tenant, Shown::Text(TENANT.to_owned()));
    assert!(
        matches!(&from, Provenance::File(line) if line.ends_with("cedargate.toml:3")),
        "{from:?}"
    );
    assert_eq!(
        in_force(&config, "session.idle"),
        (Shown::Text("1h".to_owned()), Provenance::Default)
    );
    assert_eq!(in_force(&config, "tls.key_file"), (Shown::NotSet, Provenance::Default));
}

#[test]
fn no_secret_is_shown_in_force() {
    let config =
        load_with(&minimal(), &[("CEDARGATE_ENTRA__SECOND__CLIENT_SECRET", "other~secret")]);
    let config = config.unwrap();
    for key in ["entra.client_secret", "entra.second.client_secret"] {
        assert_eq!(in_force(&config, key).0, Shown::Secret, "{key}");
    }
    let all = format!("{:?}", config.in_force());
    assert!(!all.contains(SECRET) && !all.contains("other~secret"), "{all}");
}
