// Calls, events and the socket of the home page. Pages without these parts are left alone.
"use strict";

function say(output, text, bad) {
  output.textContent = text;
  output.classList.toggle("bad", Boolean(bad));
}

// A sign-in address is shown only when it is an ordinary web address.
function signInLink(output, body) {
  let url;
  try {
    url = new URL(body.login_url, location.href);
  } catch {
    return;
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") return;
  const link = document.createElement("a");
  link.href = url.href;
  const more = body.error === "step_up_required";
  link.textContent = more ? "Needs a second factor: confirm it" : "Session ended: sign in again";
  output.append("\n", link);
}

async function call(button, output) {
  const [method, path] = button.dataset.call.split(" ");
  const options = { method, headers: { accept: "application/json" } };
  if (button.dataset.body) {
    options.body = button.dataset.body;
    options.headers["content-type"] = button.dataset.type || "application/json";
  }
  say(output, `${method} ${path} …`);
  try {
    const response = await fetch(path, options);
    const isJson = (response.headers.get("content-type") || "").includes("json");
    const body = isJson ? await response.json() : null;
    const shown = body ? JSON.stringify(body, null, 2) : "(a page of HTML)";
    say(output, `${method} ${path}: ${response.status}\n${shown}`, !response.ok);
    if (response.status === 401 && body && body.login_url) signInLink(output, body);
  } catch (error) {
    say(output, `${method} ${path}: no answer (${error.message})`, true);
  }
}

function calls() {
  const output = document.getElementById("call-result");
  if (!output) return;
  for (const button of document.querySelectorAll("[data-call]")) {
    button.addEventListener("click", () => call(button, output));
  }
}

function events() {
  const start = document.getElementById("events-start");
  if (!start) return;
  const time = document.getElementById("tick-time");
  const price = document.getElementById("tick-price");
  let source = null;
  const stop = (word) => {
    if (source) source.close();
    source = null;
    time.textContent = word;
  };
  start.addEventListener("click", () => {
    stop("connecting");
    source = new EventSource("/events");
    source.addEventListener("tick", (event) => {
      const tick = JSON.parse(event.data);
      time.textContent = `${tick.time} UTC`;
      price.textContent = `€${(tick.price_cents / 100).toFixed(2)}`;
    });
    source.addEventListener("error", () => stop("refused or cut"));
  });
  document.getElementById("events-stop").addEventListener("click", () => stop("not listening"));
}

function socket() {
  const form = document.getElementById("socket");
  if (!form) return;
  const output = document.getElementById("socket-result");
  let open = null;
  const connect = () =>
    new Promise((resolve, reject) => {
      const scheme = location.protocol === "https:" ? "wss" : "ws";
      const made = new WebSocket(`${scheme}://${location.host}/ws`);
      made.addEventListener("open", () => resolve(made));
      made.addEventListener("error", () => reject(new Error("refused")));
      made.addEventListener("message", (event) => say(output, `came back: ${event.data}`));
      made.addEventListener("close", (event) => {
        open = null;
        say(output, `closed (${event.code})`, event.code !== 1000);
      });
    });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      open = open || (await connect());
      open.send(new FormData(form).get("text"));
    } catch {
      say(output, "The WebSocket was refused.", true);
    }
  });
}

calls();
events();
socket();
