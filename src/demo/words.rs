//! What the demo says when it is ready.

use secrecy::{ExposeSecret, SecretString};
use tempfile::TempDir;
use url::Url;

use super::{Places, SecureSim};
use crate::sim::people;

/// Who can sign in at Contoso.
const PEOPLE: &str = "\
\x20 uma     group Finance              olive   group IT-Admins, owner of the console
  rob     app role Reports.Read      eddie, pat, aude   editor, publisher, auditor
  nora    in no group                max     in 450 groups, one of them Finance
  gia     guest from another tenant  zed     not assigned to the app: Entra refuses him";

/// Addresses, people, and what to try.
pub(super) fn welcome(places: &Places, throwaway: Option<&TempDir>) -> String {
    let (gate, app, sim) = (places.gate(), places.app(), places.simulator());
    let kept = || places.data.display().to_string();
    let secure = secure(places);
    let (tenant, client) = (people::TENANT, people::CLIENT);
    let (job, secret) = (people::NIGHTLY_JOB, people::NIGHTLY_JOB_SECRET);
    let (port, host) = (places.port, app.trim_start_matches("http://"));
    let data = throwaway.map_or_else(kept, |_| "thrown away when the demo stops".to_owned());
    format!(
        "Cedargate is running. Stop it with Ctrl+C.

  sample app   {app}/
  console      {gate}/console/
  Entra        {sim}/  (a simulator with knobs; nothing leaves this machine){secure}
  data         {data}

People (choose one on the sign-in page, no passwords):
{PEOPLE}

Try this:
  1. Open {app}/finance/summary and choose uma: the app greets her by name, and it never saw a password.
  2. Sign out there, open the same page as nora, and read why she is refused and where that is on record.
  3. Open {gate}/console/ as olive in another browser profile, let a group open /reports, publish the draft, and see it work at once.
  4. Call the app as the service nightly-job, which holds the app role Jobs.Run, with an access token of its own:
     TOKEN=$(curl -s {sim}/{tenant}/oauth2/v2.0/token -d grant_type=client_credentials \\
       -d client_id={job} -d client_secret={secret} -d scope=api://{client}/.default \\
       | sed 's/.*\"access_token\":\"\\([^\"]*\\).*/\\1/')
     curl -H 'Host: {host}' -H \"Authorization: Bearer $TOKEN\" http://127.0.0.1:{port}/api/hello"
    )
}

/// What a client needs to sign in against the simulator alone.
pub(super) fn simulator(places: &Places, secret: &SecretString, redirects: &[Url]) -> String {
    let (sim, secure) = (places.simulator(), secure(places));
    let further: Vec<String> =
        redirects.iter().map(|uri| format!("\n                 {uri}")).collect();
    format!(
        "The simulated Entra is running. Stop it with Ctrl+C.

  authority      {sim}/{tenant}{secure}
  knobs          {sim}/_sim/  (people, groups, errors, outages, clock, keys)

For an app of your own:
  client id      {own}
  client secret  {own_secret}
  redirect URI   http://localhost/getAToken  (any port){further}

For a Cedargate at {gate}:
  client id      {client}
  client secret  {secret}
  redirect URI   {gate}/_gate/callback

For a workload, which holds the app role {role} of that Cedargate:
  client id      {job}
  client secret  {job_secret}
  scope          api://{client}/.default

People (choose one on the sign-in page, no passwords):
{PEOPLE}
  fay     of fabrikam.example, with the e-mail address of uma: she appears at {sim}/organizations",
        tenant = people::TENANT,
        own = people::OWN_APP,
        own_secret = people::OWN_APP_SECRET,
        further = further.concat(),
        gate = places.gate(),
        client = people::CLIENT,
        secret = secret.expose_secret(),
        role = people::JOBS_RUN,
        job = people::NIGHTLY_JOB,
        job_secret = people::NIGHTLY_JOB_SECRET,
    )
}

/// Where https is spoken, and what makes a client trust it; nothing when it is not.
fn secure(places: &Places) -> String {
    let said = |sim: &SecureSim| {
        format!(
            "\n                 {}/{}\n                 REQUESTS_CA_BUNDLE={}",
            sim.origin(),
            people::TENANT,
            sim.authority.display(),
        )
    };
    places.secure_sim.as_ref().map_or_else(String::new, said)
}
