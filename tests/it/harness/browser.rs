//! A person's browser: cookies per host, navigations that follow redirects, scripts that do not.

use std::collections::BTreeMap;

use url::Url;

use super::http::{Answer, Request, exchange};
use super::trust::Trust;

/// A browser's cookies, and how it asks.
#[derive(Debug, Clone)]
pub(crate) struct Browser {
    cookies: BTreeMap<String, BTreeMap<String, String>>,
    /// Everything that this browser was answered, oldest first.
    pub(crate) answers: Vec<Answer>,
    pub(crate) port: u16,
    trust: Option<Trust>,
    /// The access token that goes with every request, for a program that calls without cookies.
    bearer: Option<String>,
}

impl Browser {
    pub(crate) fn new(port: u16) -> Self {
        Self { cookies: BTreeMap::new(), answers: Vec::new(), port, trust: None, bearer: None }
    }

    /// The same, with this access token in every request.
    pub(crate) fn bearing(self, token: &str) -> Self {
        Self { bearer: Some(token.to_owned()), ..self }
    }

    /// The same browser, which believes these authorities over https.
    pub(crate) fn trusting(self, trust: Trust) -> Self {
        Self { trust: Some(trust), ..self }
    }

    /// The value of a cookie on a host.
    pub(crate) fn cookie(&self, host: &str, name: &str) -> Option<&str> {
        self.cookies.get(host)?.get(name).map(String::as_str)
    }

    /// Puts a cookie there.
    pub(crate) fn set_cookie(&mut self, host: &str, name: &str, value: &str) {
        self.cookies.entry(host.to_owned()).or_default().insert(name.to_owned(), value.to_owned());
    }

    /// Forgets one cookie of a host.
    pub(crate) fn forget_cookie(&mut self, host: &str, name: &str) {
        self.cookies.entry(host.to_owned()).or_default().remove(name);
    }

    /// Forgets the cookies of a host.
    pub(crate) fn forget(&mut self, host: &str) {
        self.cookies.remove(host);
    }

    /// Navigates, without following redirects.
    pub(crate) async fn step(&mut self, url: &str) -> Answer {
        self.send(navigation("GET", url)).await
    }

    /// Navigates to the end of all redirects.
    pub(crate) async fn open(&mut self, url: &str) -> Answer {
        let mut answer = self.step(url).await;
        for _ in 0..12 {
            if !(300..400).contains(&answer.status) {
                return answer;
            }
            answer = self.step(answer.location().as_str()).await;
        }
        panic!("still redirected after 12 steps: {}", answer.url);
    }

    /// Opens an address, signs in as `person` on Entra's page, and follows back to where that leads.
    pub(crate) async fn sign_in(&mut self, person: &str, url: &str) -> Answer {
        let page = self.open(url).await;
        assert!(page.url.path().ends_with("/authorize"), "led to Entra, not {}", page.url);
        let chosen = self.choose(person, &page.url).await;
        if !(300..400).contains(&chosen.status) {
            return chosen;
        }
        self.open(chosen.location().as_str()).await
    }

    /// Takes the session of this browser to a further app's host, without asking anything of the app. Gives the cookie.
    pub(crate) async fn enter(&mut self, host: &str) -> String {
        let mut answer = self.step(&format!("http://{host}/_gate/login?return=/")).await;
        for _ in 0..12 {
            if let Some(session) = self.cookie(host, "gate_session") {
                return session.to_owned();
            }
            answer = self.step(answer.location().as_str()).await;
        }
        panic!("no session on {host}: {}", answer.url);
    }

    /// Presses a person's button on Entra's page.
    pub(crate) async fn choose(&mut self, person: &str, page: &Url) -> Answer {
        self.send(navigation("POST", page.as_str()).form(&[("person", person)])).await
    }

    /// Asks as a script of the page would.
    pub(crate) async fn fetch(&mut self, method: &str, url: &str) -> Answer {
        self.send(script(method, url)).await
    }

    /// Every cookie's value.
    pub(crate) fn cookie_values(&self) -> impl Iterator<Item = &String> {
        self.cookies.values().flat_map(BTreeMap::values)
    }

    /// A request with this browser's cookies.
    pub(crate) fn dressed(&self, request: Request) -> Request {
        let cookies = self.cookies.get(request.url.host_str().unwrap()).into_iter().flatten();
        let line: Vec<_> = cookies.map(|(name, value)| format!("{name}={value}")).collect();
        let request = match &self.bearer {
            Some(token) => request.header("authorization", &format!("Bearer {token}")),
            None => request,
        };
        if line.is_empty() { request } else { request.header("cookie", &line.join("; ")) }
    }

    /// Sends a request with this browser's cookies and keeps those that come back. An address without a port is one of
    /// a further app of the rule book, which can't know the gate's: the request goes there all the same.
    pub(crate) async fn send(&mut self, mut request: Request) -> Answer {
        let host = request.url.host_str().unwrap().to_owned();
        let asked = request.url.clone();
        if asked.port().is_none() {
            request = request.header("host", &host);
            request.url.set_port(Some(self.port)).unwrap();
        }
        request = self.dressed(request);
        request.trust = self.trust.clone();
        let answer = Answer { url: asked, ..exchange(request).await };
        self.answers.push(answer.clone());
        for line in answer.headers.get_all("set-cookie") {
            let line = line.to_str().unwrap();
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            let kept = self.cookies.entry(host.clone()).or_default();
            if line.contains("Max-Age=0") {
                kept.remove(name);
            } else {
                kept.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }
}

/// A request as a browser sends it when a person navigates.
pub(crate) fn navigation(method: &str, url: &str) -> Request {
    Request::new(method, url)
        .header("accept", "text/html,application/xhtml+xml,*/*;q=0.8")
        .header("sec-fetch-mode", "navigate")
        .header("sec-fetch-dest", "document")
}

/// A request as a script of the same page sends it.
pub(crate) fn script(method: &str, url: &str) -> Request {
    Request::new(method, url)
        .header("accept", "*/*")
        .header("sec-fetch-mode", "cors")
        .header("sec-fetch-site", "same-origin")
        .header("sec-fetch-dest", "empty")
}
