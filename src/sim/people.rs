//! The people, groups and roles of the simulated tenant, under identifiers that never change.
//!
//! Rule books, settings and tests name these constants, so that one throwaway tenant looks the same on every machine.

use std::collections::BTreeSet;

/// The simulated tenant: `tid` of every token.
pub const TENANT: &str = "c0de0000-7e4a-4000-8000-00000000c0de";
/// The verified domain of the tenant, accepted wherever the tenant's GUID is.
pub const DOMAIN: &str = "contoso.example";
/// The tenant of `fabrikam.example`: home of the guest, and of fay.
pub const GUEST_HOME: &str = "fab00000-7e4a-4000-8000-00000000fab0";
/// The verified domain of the second tenant.
pub const OTHER_DOMAIN: &str = "fabrikam.example";
/// Application (client) id of the gate's registration, which is an API, too.
pub const CLIENT: &str = "ca7e0000-0001-4000-8000-0000000000a1";
/// Application (client) id of the workload `nightly-job`.
pub const NIGHTLY_JOB: &str = "ca7e0000-0002-4000-8000-0000000000a2";
/// Object id of the workload's service principal: `oid` and `sub` of its tokens.
pub const NIGHTLY_JOB_OBJECT: &str = "5e4f1ce0-0002-4000-8000-0000000000a2";
/// Client secret of that workload. Everybody knows it, as everybody can be anyone here.
pub const NIGHTLY_JOB_SECRET: &str = "nightly-job~known-to-everybody";
/// Application (client) id of the registration for trying other clients.
pub const OWN_APP: &str = "ca7e0000-0003-4000-8000-0000000000a3";
/// Client secret of that registration, known to everybody as well.
pub const OWN_APP_SECRET: &str = "own-app~known-to-everybody";

/// Group `Finance`: uma and max.
pub const FINANCE: &str = "9a000000-0000-4000-8000-0000000f1a2c";
/// Group `IT-Admins`: olive.
pub const IT_ADMINS: &str = "9a000000-0000-4000-8000-0000000ad315";
/// App role of rob.
pub const REPORTS_READ: &str = "Reports.Read";
/// App role of the workload `nightly-job`.
pub const JOBS_RUN: &str = "Jobs.Run";

/// Object id of olive, who owns the console.
pub const OLIVE: &str = "0b000000-0000-4000-8000-000000000001";
/// Object id of eddie, who edits drafts.
pub const EDDIE: &str = "0b000000-0000-4000-8000-000000000002";
/// Object id of pat, who publishes.
pub const PAT: &str = "0b000000-0000-4000-8000-000000000003";
/// Object id of aude, who audits.
pub const AUDE: &str = "0b000000-0000-4000-8000-000000000004";
/// Object id of uma, of Finance.
pub const UMA: &str = "0b000000-0000-4000-8000-000000000005";
/// Object id of rob, who holds the role `Reports.Read` and no group.
pub const ROB: &str = "0b000000-0000-4000-8000-000000000006";
/// Object id of max, who is in more groups than fit into a token.
pub const MAX: &str = "0b000000-0000-4000-8000-000000000007";
/// Object id of gia, a guest from another tenant.
pub const GIA: &str = "0b000000-0000-4000-8000-000000000008";
/// Object id of nora, who is in no group.
pub const NORA: &str = "0b000000-0000-4000-8000-000000000009";
/// Object id of zed, who is not assigned to the application.
pub const ZED: &str = "0b000000-0000-4000-8000-00000000000a";
/// Object id of fay, who lives in the other tenant and has the same e-mail address as uma.
pub const FAY: &str = "0b000000-0000-4000-8000-00000000000b";

/// How many groups max is in, Finance included.
pub const MAX_GROUPS: u32 = 450;

/// Whether a person may use the application at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Assignment {
    /// The person may sign in.
    Assigned,
    /// Entra holds the person on its own page: AADSTS50105.
    Unassigned,
}

/// Whether an account still works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Account {
    /// The account works.
    Enabled,
    /// The account is switched off: AADSTS50057.
    Disabled,
}

/// Which of the two simulated directories an account is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Directory {
    /// `contoso.example`, the tenant in the settings.
    Contoso,
    /// `fabrikam.example`.
    Fabrikam,
}

/// Where an account comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The tenant's own directory.
    Member,
    /// Another tenant, by invitation.
    Guest {
        /// Tenant id of the guest's own directory.
        home: String,
    },
}

/// One account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Whose directory the account is in: `tid` follows from it.
    pub directory: Directory,
    /// Short name on the sign-in page: `uma`.
    pub user: String,
    /// `oid`.
    pub object_id: String,
    /// `name`.
    pub name: String,
    /// `preferred_username`.
    pub user_name: String,
    /// `email`, which anybody's tenant may claim.
    pub email: String,
    /// What the sign-in page says about the person.
    pub about: String,
    /// Groups by object id.
    pub groups: BTreeSet<String>,
    /// App roles by value. A role that a registration declares stands in that registration's tokens only.
    pub roles: BTreeSet<String>,
    /// Directory roles by template id: `wids`.
    pub directory_roles: BTreeSet<String>,
    /// Own directory or another one.
    pub origin: Origin,
    /// Whether the application is open to the person.
    pub assignment: Assignment,
    /// Whether the account works.
    pub account: Account,
}

impl Person {
    /// A member of the tenant in no group, assigned to the application.
    pub fn member(user: &str, object_id: &str, (name, about): (&str, &str)) -> Self {
        Self {
            directory: Directory::Contoso,
            user: user.to_owned(),
            object_id: object_id.to_owned(),
            name: name.to_owned(),
            user_name: format!("{user}@{DOMAIN}"),
            email: format!("{user}@{DOMAIN}"),
            about: about.to_owned(),
            groups: BTreeSet::new(),
            roles: BTreeSet::new(),
            directory_roles: BTreeSet::new(),
            origin: Origin::Member,
            assignment: Assignment::Assigned,
            account: Account::Enabled,
        }
    }

    /// The same person, also in `group`.
    #[must_use]
    pub fn in_group(mut self, group: &str) -> Self {
        self.groups.insert(group.to_owned());
        self
    }

    /// The same person, also holding `role`.
    #[must_use]
    pub fn with_role(mut self, role: &str) -> Self {
        self.roles.insert(role.to_owned());
        self
    }

    /// The `login_hint` claim: opaque outside, stable, and not the user name.
    pub fn hint(&self) -> String {
        format!("O.{}", self.object_id.replace('-', ""))
    }

    /// Whether a `login_hint` or `logout_hint` parameter means this person.
    pub fn answers_to(&self, hint: &str) -> bool {
        hint == self.hint() || hint.eq_ignore_ascii_case(&self.user_name) || hint == self.user
    }
}

/// Object id of the `number`th group that has no other purpose than to be one of many.
pub fn filler_group(number: u32) -> String {
    format!("9b000000-0000-4000-8000-{number:012x}")
}

/// Everyone of `contoso.example`, in the order of the sign-in page.
pub fn contoso() -> Vec<Person> {
    vec![
        Person::member("olive", OLIVE, ("Olive Ortega", "Owner of the console, in IT-Admins"))
            .in_group(IT_ADMINS),
        Person::member("eddie", EDDIE, ("Eddie Eriksen", "Edits drafts in the console")),
        Person::member("pat", PAT, ("Pat Park", "Publishes releases in the console")),
        Person::member("aude", AUDE, ("Aude Auclair", "Reads and verifies the audit log")),
        Person::member("uma", UMA, ("Uma Umarov", "In the group Finance")).in_group(FINANCE),
        Person::member("rob", ROB, ("Rob Reyes", "Holds the app role Reports.Read, in no group"))
            .with_role(REPORTS_READ),
        max(),
        gia(),
        Person::member("nora", NORA, ("Nora Novak", "Signed in, but in no group")),
        zed(),
    ]
}

/// Everyone of `fabrikam.example`: fay, whose directory claims uma's e-mail address for her. A client that knows people
/// by their address takes her for uma (the attack is known as nOAuth).
pub fn fabrikam() -> Vec<Person> {
    let about = "Of fabrikam.example, with the e-mail address of uma";
    let fay = Person::member("fay", FAY, ("Fay Fischer", about));
    vec![Person {
        directory: Directory::Fabrikam,
        user_name: format!("fay@{OTHER_DOMAIN}"),
        email: format!("uma@{DOMAIN}"),
        ..fay
    }]
}

fn max() -> Person {
    let about = ("Max Mertens", "In 450 groups, one of them Finance: too many for a token");
    let max = Person::member("max", MAX, about).in_group(FINANCE);
    (1..MAX_GROUPS).fold(max, |max, number| max.in_group(&filler_group(number)))
}

fn gia() -> Person {
    let member = Person::member("gia", GIA, ("Gia Greco", "Guest from fabrikam.example"));
    Person {
        user_name: "gia@fabrikam.example".to_owned(),
        email: "gia@fabrikam.example".to_owned(),
        origin: Origin::Guest { home: GUEST_HOME.to_owned() },
        ..member
    }
}

fn zed() -> Person {
    let member = Person::member("zed", ZED, ("Zed Zola", "Not assigned: Entra refuses him"));
    Person { assignment: Assignment::Unassigned, ..member }
}
