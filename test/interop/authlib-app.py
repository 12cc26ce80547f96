"""An app of Flask and Authlib as their guide has it, told nothing but issuer, id and secret."""

import json
import os

from authlib.integrations.flask_client import OAuth
from flask import Flask, jsonify, url_for
from werkzeug.serving import make_server

app = Flask(__name__)
app.secret_key = "of this test only"
# Cookies ignore ports: Flask's own name would meet that of another app on this machine.
app.config["SESSION_COOKIE_NAME"] = "authlib"
kept = {}


def keep(name, token, refresh_token=None, access_token=None):
    kept["token"] = token


citygate = OAuth(app, update_token=keep).register(
    "citygate",
    server_metadata_url=os.environ["ISSUER"] + "/.well-known/openid-configuration",
    client_id=os.environ["CLIENT_ID"],
    client_secret=os.environ["CLIENT_SECRET"],
    client_kwargs={
        "scope": "openid profile email eduinfo",
        **json.loads(os.environ.get("CLIENT_KWARGS", "{}")),
    },
)


@app.get("/login")
def login():
    return citygate.authorize_redirect(url_for("callback", _external=True))


@app.get("/callback")
def callback():
    """Authlib checks state, nonce, signature, issuer, audience and at_hash before it gives the token back."""
    kept["token"] = citygate.authorize_access_token()
    return jsonify(claims=kept["token"]["userinfo"], info=citygate.userinfo())


@app.get("/later")
def later():
    """The access token has expired: Authlib renews it by itself on the next call."""
    old = {**kept["token"], "expires_at": 1}
    info = citygate.userinfo(token=old)
    renewed = kept["token"]["refresh_token"] != old["refresh_token"]
    return jsonify(info=info, renewed=renewed)


server = make_server("127.0.0.1", int(os.environ["PORT"]), app, threaded=True)
print("ready", flush=True)
server.serve_forever()
