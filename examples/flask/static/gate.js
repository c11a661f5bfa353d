// fetch for pages behind Cedargate.
//
// 401: the session is over, or this needs a second factor (`error` is "step_up_required"). Go to the sign-in page, which
// comes back to this page. Once per page: many requests may fail together, and a loop of redirects helps nobody.
// 403: signed in, but not allowed. Signing in again would not help, so show why.

let leaving = false;

export async function gateFetch(url, options = {}) {
  const headers = new Headers(options.headers);
  headers.set("Accept", "application/json");
  const answer = await fetch(url, { ...options, headers, credentials: "same-origin" });
  if (answer.status === 401) {
    const body = await answer.json().catch(() => ({}));
    if (body.login_url && !leaving) {
      leaving = true;
      location.assign(body.login_url);
    }
    const more = body.error === "step_up_required";
    throw new Error(more ? "This needs a second factor." : "You are signed out.");
  }
  if (answer.status === 403) {
    const body = await answer.json().catch(() => ({}));
    const reason = body.reason || "no reason given";
    throw new Error(`You may not do this (${reason}). Decision ${body.decision_id || "unknown"}.`);
  }
  if (!answer.ok) {
    throw new Error(`The server answered ${answer.status}.`);
  }
  return answer.json();
}
