"""A small Flask app behind Cedargate.

Cedargate signs people in and decides every request before it arrives here, so the app has no login code.
It reads who is asking from the X-Gate- headers, and checks X-Gate-Assertion first: the signature proves that the
request came through Cedargate and not around it.
"""

import os
from functools import wraps
from urllib.parse import unquote

import jwt
from flask import Flask, abort, g, jsonify, render_template, request

APP_ID = os.environ.get("GATE_APP_ID", "shop")
# Inside the compose network the gate is reached by its service name, but it answers only to hosts that it knows.
JWKS_URL = os.environ.get("GATE_JWKS_URL", "http://app.localhost:8080/_gate/jwks.json")
JWKS_HOST = os.environ.get("GATE_JWKS_HOST", "app.localhost:8080")

app = Flask(__name__)
keys = jwt.PyJWKClient(JWKS_URL, headers={"Host": JWKS_HOST}, cache_keys=True, timeout=5)

orders = [{"id": 1, "item": "Paper", "by": "Contoso"}]


class Caller:
    """Who is asking, as Cedargate says. Anonymous on routes that are open to everybody."""

    def __init__(self, headers):
        def text(name):
            return unquote(headers.get(name, ""))

        def several(name):
            # Split first: a comma inside a value is encoded.
            return [unquote(entry) for entry in headers.get(name, "").split(",") if entry]

        self.user_id = text("X-Gate-User-Id")
        self.name = text("X-Gate-Name") or text("X-Gate-User")
        self.email = text("X-Gate-Email")
        self.groups = several("X-Gate-Groups")
        self.roles = several("X-Gate-Roles")
        self.decision = headers.get("X-Gate-Decision", "")

    @property
    def is_signed_in(self):
        return self.user_id != ""


def verify(assertion):
    """The claims of an assertion that Cedargate signed for this app within the last minute; raises otherwise."""
    key = keys.get_signing_key_from_jwt(assertion)
    return jwt.decode(
        assertion,
        key.key,
        algorithms=["ES256"],
        audience=APP_ID,
        leeway=5,
        options={"require": ["aud", "exp", "sub"]},
    )


@app.before_request
def know_the_caller():
    """Refuses whatever did not come through Cedargate."""
    if request.path == "/healthz":
        return
    g.caller = Caller(request.headers)
    if not g.caller.is_signed_in:
        return
    try:
        claims = verify(request.headers.get("X-Gate-Assertion", ""))
    except jwt.PyJWTError as error:
        app.logger.warning("refused a request without a valid assertion: %s", error)
        abort(401)
    if claims["sub"] != g.caller.user_id:
        app.logger.warning("refused a request whose headers and assertion differ")
        abort(401)


def signed_in(view):
    """Guards a view that must never run for an anonymous caller, even if a rule should open its route by mistake."""

    @wraps(view)
    def guarded(*args, **kwargs):
        if not g.caller.is_signed_in:
            abort(401)
        return view(*args, **kwargs)

    return guarded


@app.get("/")
def home():
    return render_template("home.html", caller=g.caller)


@app.get("/orders")
@signed_in
def order_page():
    return render_template("orders.html", caller=g.caller)


@app.get("/api/orders")
@signed_in
def list_orders():
    return jsonify(orders=orders)


@app.post("/api/orders")
@signed_in
def add_order():
    # Browsers send a cross-site form without asking; they never send JSON without asking.
    if not request.is_json:
        abort(415)
    item = request.get_json().get("item")
    if not isinstance(item, str) or not item.strip():
        abort(400)
    order = {"id": len(orders) + 1, "item": item.strip()[:80], "by": g.caller.name}
    orders.append(order)
    app.logger.info("order %s, decision %s", order["id"], g.caller.decision)
    return jsonify(order), 201


@app.get("/admin/")
@signed_in
def admin():
    return render_template("admin.html", caller=g.caller)


@app.get("/healthz")
def healthz():
    return "ok\n"
