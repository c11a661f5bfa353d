//! The form of an app: empty, as the app is, or as it was sent.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::facts::Fact;
use super::route_form::not_saved;
use super::typed::{line, origin, origins};
use crate::authz::problem::{Object, Problem};
use crate::console::choice::{ChoiceState, Field};
use crate::console::urls;
use crate::model::app::{App, HeaderAlias, Upstream};
use crate::model::difference::revision;
use crate::model::host::Origin;
use crate::model::id::AppId;
use crate::web::link::Link;

/// The form.
#[derive(Debug, Clone)]
pub struct AppForm {
    /// Where it is sent.
    pub action: Link,
    /// The page without it.
    pub cancel: Link,
    /// Of the app that it was made from; empty for a new one.
    pub revision: String,
    /// What is wrong with the whole.
    pub problem: Option<String>,
    /// `id`, for a new one.
    pub id: Field,
    /// `name`
    pub name: Field,
    /// `origins`: one a line.
    pub origins: Field,
    /// `upstream`
    pub upstream: Field,
    /// `cors_origins`: one a line.
    pub cors_origins: Field,
    /// The header aliases, each with a box to tick.
    pub aliases: Vec<AliasBox>,
}

/// A header alias with its box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AliasBox {
    /// The alias.
    pub alias: HeaderAlias,
    state: ChoiceState,
}

impl AliasBox {
    /// Whether it is ticked.
    pub fn is_ticked(&self) -> bool {
        self.state == ChoiceState::Chosen
    }

    /// All of them; those in `ticked` are.
    fn all(ticked: &[HeaderAlias]) -> Vec<Self> {
        let state = |alias| {
            if ticked.contains(&alias) { ChoiceState::Chosen } else { ChoiceState::Open }
        };
        HeaderAlias::ALL.into_iter().map(|alias| Self { alias, state: state(alias) }).collect()
    }
}

/// The form as it was sent. Fields that it does not have are refused.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AppEntry {
    /// Checked by the guard before the form is read.
    #[serde(rename = "_csrf", default)]
    _csrf: Option<IgnoredAny>,
    /// Of the app as it was when the form was made; empty when it is new.
    pub(super) revision: String,
    /// Only a new app is given one.
    #[serde(default)]
    pub(super) id: Option<String>,
    name: String,
    origins: String,
    upstream: String,
    cors_origins: String,
    #[serde(rename = "alias-Remote-User", default)]
    remote_user: Option<IgnoredAny>,
    #[serde(rename = "alias-X-Forwarded-User", default)]
    forwarded_user: Option<IgnoredAny>,
    #[serde(rename = "alias-X-Forwarded-Email", default)]
    forwarded_email: Option<IgnoredAny>,
    #[serde(rename = "alias-X-Forwarded-Groups", default)]
    forwarded_groups: Option<IgnoredAny>,
    #[serde(rename = "alias-X-Auth-Request-User", default)]
    auth_request_user: Option<IgnoredAny>,
    #[serde(rename = "alias-X-Auth-Request-Email", default)]
    auth_request_email: Option<IgnoredAny>,
    #[serde(rename = "alias-X-Auth-Request-Groups", default)]
    auth_request_groups: Option<IgnoredAny>,
    #[serde(rename = "alias-X-Auth-Request-Preferred-Username", default)]
    auth_request_preferred_username: Option<IgnoredAny>,
}

impl AppEntry {
    fn is_ticked(&self, alias: HeaderAlias) -> bool {
        let field = match alias {
            HeaderAlias::RemoteUser => &self.remote_user,
            HeaderAlias::XForwardedUser => &self.forwarded_user,
            HeaderAlias::XForwardedEmail => &self.forwarded_email,
            HeaderAlias::XForwardedGroups => &self.forwarded_groups,
            HeaderAlias::XAuthRequestUser => &self.auth_request_user,
            HeaderAlias::XAuthRequestEmail => &self.auth_request_email,
            HeaderAlias::XAuthRequestGroups => &self.auth_request_groups,
            HeaderAlias::XAuthRequestPreferredUsername => &self.auth_request_preferred_username,
        };
        field.is_some()
    }

    fn ticked(&self) -> Vec<HeaderAlias> {
        HeaderAlias::ALL.into_iter().filter(|alias| self.is_ticked(*alias)).collect()
    }
}

impl AppForm {
    /// The form that adds one.
    pub(super) fn empty() -> Self {
        Self {
            action: urls::new_app(),
            cancel: urls::routes(),
            revision: String::new(),
            problem: None,
            id: Field::default(),
            name: Field::default(),
            origins: Field::default(),
            upstream: Field::default(),
            cors_origins: Field::default(),
            aliases: AliasBox::all(&[]),
        }
    }

    /// The form that changes one, as the app is.
    pub fn of(app: &App) -> Self {
        let upstream = app.upstream.as_ref().map(|Upstream(origin)| origin.to_string());
        Self {
            action: urls::app(&app.id),
            cancel: urls::routes(),
            revision: revision(app),
            problem: None,
            id: Field::of(app.id.as_str()),
            name: Field::of(&app.name),
            origins: Field::of(&one_a_line(&app.origins)),
            upstream: Field::of(upstream.as_deref().unwrap_or_default()),
            cors_origins: Field::of(&one_a_line(&app.cors_origins)),
            aliases: AliasBox::all(&app.header_aliases),
        }
    }

    /// The same form with what was typed into it.
    pub(super) fn typed(self, entry: &AppEntry) -> Self {
        Self {
            id: entry.id.as_deref().map_or(self.id, Field::of),
            name: Field::of(&entry.name),
            origins: Field::of(&entry.origins),
            upstream: Field::of(&entry.upstream),
            cors_origins: Field::of(&entry.cors_origins),
            aliases: AliasBox::all(&entry.ticked()),
            ..self
        }
    }

    /// The app that it asks for; none when a field is wrong, which then says so.
    pub(super) fn read(&mut self) -> Option<App> {
        let id = self.id.read(|typed| {
            let wrong = "Use 1 to 40 of a to z, 0 to 9 and -, beginning with a letter or digit.";
            typed.trim().parse::<AppId>().map_err(|_| wrong.to_owned())
        });
        let name = self.name.read(|typed| {
            let name = line(typed)?;
            if name.is_empty() { Err("Say what people call it.".to_owned()) } else { Ok(name) }
        });
        let origins = self.origins.read(|typed| {
            let all = origins(typed)?;
            if all.is_empty() { Err("Give at least one origin.".to_owned()) } else { Ok(all) }
        });
        let upstream = self.upstream.read(|typed| match typed.trim() {
            "" => Ok(None),
            typed => origin(typed).map(Upstream).map(Some),
        });
        let cors_origins = self.cors_origins.read(super::typed::origins);
        let ticked = self.aliases.iter().filter(|one| one.is_ticked()).map(|one| one.alias);
        let header_aliases = ticked.collect();
        self.focus_first_wrong();
        Some(App {
            id: id?,
            name: name?,
            origins: origins?,
            upstream: upstream?,
            cors_origins: cors_origins?,
            header_aliases,
        })
    }

    /// Says at the origins what compiling found wrong with apps, and of the whole what it found elsewhere.
    pub(super) fn blame(&mut self, problems: &[Problem]) {
        let mut elsewhere = Vec::new();
        for problem in problems {
            match &problem.object {
                Object::App(_) => self.origins.error = Some(problem.to_string()),
                Object::Route(_)
                | Object::Grant(_)
                | Object::Policy(_)
                | Object::Assertion(_)
                | Object::RuleBook => elsewhere.push(problem.to_string()),
            }
        }
        self.problem = Some(not_saved(&elsewhere));
        self.focus_first_wrong();
    }

    /// What it holds, fact by fact.
    pub fn facts(&self) -> Vec<Fact> {
        let listed = |field: &Field| field.value.lines().collect::<Vec<_>>().join(", ");
        let ticked = self.aliases.iter().filter(|one| one.is_ticked());
        let aliases: Vec<_> = ticked.map(|one| one.alias.as_str()).collect();
        vec![
            Fact::new("Name", &self.name.value),
            Fact::new("Origins", &listed(&self.origins)),
            Fact::new("Upstream", &self.upstream.value),
            Fact::new("Other origins that may read refusals", &listed(&self.cors_origins)),
            Fact::new("Header aliases", &aliases.join(", ")),
        ]
    }

    /// In the order of the page.
    pub(super) fn focus_first_wrong(&mut self) {
        Field::focus_first_wrong([
            &mut self.id,
            &mut self.name,
            &mut self.origins,
            &mut self.upstream,
            &mut self.cors_origins,
        ]);
    }
}

fn one_a_line(origins: &[Origin]) -> String {
    origins.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// What is to be told of an app.
pub fn facts_of(app: &App) -> Vec<Fact> {
    AppForm::of(app).facts()
}
