"""A web app that signs people in by itself, in the shape that Microsoft's samples teach.

Everything that it knows of its directory comes from the environment; nothing of its libraries is changed.
The first line on standard output is its address.
"""

import os
import socket

import requests
from flask import Flask, render_template_string
from identity.flask import Auth
from werkzeug.serving import make_server

listening = socket.create_server(("127.0.0.1", 0))
port = listening.getsockname()[1]

app = Flask(__name__)
app.config["SESSION_TYPE"] = "filesystem"
app.config["SESSION_FILE_DIR"] = os.environ["SESSIONS"]

auth = Auth(
    app,
    authority=os.environ["AUTHORITY"],
    client_id=os.environ["CLIENT_ID"],
    client_credential=os.environ["CLIENT_SECRET"],
    redirect_uri=f"http://localhost:{port}/getAToken",
)

INDEX = """<title>Home</title><h1>Welcome, {{ user["name"] }}</h1>
<p id="user">{{ user["preferred_username"] }}</p><a href="{{ url_for("identity.logout") }}">Sign out</a>"""
RESULT = """<title>Graph</title><pre id="result">{{ result | tojson }}</pre>"""


@app.route("/")
@auth.login_required
def index(*, context):
    return render_template_string(INDEX, user=context["user"])


@app.route("/call_api")
@auth.login_required(scopes=["User.Read"])
def call_api(*, context):
    result = requests.get(
        os.environ["ENDPOINT"],
        headers={"Authorization": "Bearer " + context["access_token"]},
        timeout=30,
    ).json()
    return render_template_string(RESULT, result=result)


print(f"http://localhost:{port}", flush=True)
make_server("127.0.0.1", port, app, threaded=True, fd=listening.fileno()).serve_forever()
