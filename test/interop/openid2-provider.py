"""An OpenID 2.0 provider: python3-openid's own server, which everybody comes signed in to."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from openid.association import SessionNegotiator
from openid.extensions import ax, sreg
from openid.server.server import Server
from openid.server.trustroot import verifyReturnTo
from openid.store.memstore import MemoryStore

# What it is to do; the port it got goes to the first line of standard output.
settings = json.loads(os.environ["SETTINGS"])
server_types = "http://specs.openid.net/auth/2.0/server"
xrds = """<?xml version="1.0" encoding="UTF-8"?>
<xrds:XRDS xmlns:xrds="xri://$xrds" xmlns="xri://$xrd*($v*2.0)"><XRD>
<Service priority="0"><Type>%s</Type><URI>%s</URI></Service></XRD></xrds:XRDS>"""


def answer(request):
    response = request.answer(True, identity=base + "/user/wang")
    asked = sreg.SRegRequest.fromOpenIDRequest(request)
    response.addExtension(sreg.SRegResponse.extractResponse(asked, settings["sreg"]))
    fetch = ax.FetchRequest.fromOpenIDRequest(request)
    if fetch is not None:
        fetched = ax.FetchResponse(fetch)
        for type_uri, value in settings["ax"].items():
            fetched.addValue(type_uri, value)
        response.addExtension(fetched)
    return response


class Provider(BaseHTTPRequestHandler):
    def say(self, status, headers, body):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode() if isinstance(body, str) else body)

    def do_GET(self):
        path, query = urlsplit(self.path).path, dict(parse_qsl(urlsplit(self.path).query))
        if path == "/verify":
            found = verifyReturnTo(query["realm"], query["return_to"])
            self.say(200, {}, json.dumps(found))
        elif path != "/endpoint":
            document = xrds % (server_types, base + "/endpoint")
            self.say(200, {"Content-Type": "application/xrds+xml"}, document)
        else:
            self.act(query)

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        self.act(dict(parse_qsl(self.rfile.read(length).decode(), keep_blank_values=True)))

    def act(self, query):
        request = server.decodeRequest(query)
        if request.mode == "checkid_setup":
            assert request.idSelect() and request.trustRootValid()
            response = answer(request)
        else:
            response = server.handleRequest(request)
        web = server.encodeResponse(response)
        self.say(web.code, web.headers, web.body)

    def log_message(self, *_):
        pass


http = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
base = "http://127.0.0.1:%d" % http.server_port
server = Server(MemoryStore(), base + "/endpoint")
if settings["stateless"]:
    server.negotiator = SessionNegotiator([])
print(http.server_port, flush=True)
http.serve_forever()
