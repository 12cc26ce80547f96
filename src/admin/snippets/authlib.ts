/** Authlib in a Flask app. */
import {
  keyNote,
  lines,
  pathOf,
  quoted,
  type Snippet,
  type SnippetApp,
  secretPlaceholder,
} from './snippet.ts'

const text = (app: SnippetApp) =>
  lines(
    'from authlib.integrations.flask_client import OAuth',
    'from flask import Flask, redirect, session',
    '',
    'app = Flask(__name__)',
    'app.secret_key = "<long and random, for your own cookies>"',
    '',
    'citygate = OAuth(app).register(',
    '    "citygate",',
    `    server_metadata_url=${quoted(`${app.issuer}/.well-known/openid-configuration`)},`,
    `    client_id=${quoted(app.clientId)},`,
    app.authMethod !== 'none' && `    client_secret=${quoted(secretPlaceholder)},`,
    '    client_kwargs={',
    `        "scope": ${quoted(app.scopes.join(' '))},`,
    '        "code_challenge_method": "S256",',
    `        "token_endpoint_auth_method": ${quoted(app.authMethod)},`,
    '    },',
    ')',
    '',
    '',
    '@app.get("/login")',
    'def login():',
    `    return citygate.authorize_redirect(${quoted(app.redirectUri ?? '')})`,
    '',
    '',
    `@app.get(${quoted(pathOf(app.redirectUri, '/callback'))})`,
    'def callback():',
    '    token = citygate.authorize_access_token()',
    '    session["user"] = citygate.userinfo(token=token)',
    '    return redirect("/")',
  )

export const authlib: Snippet = {
  id: 'authlib',
  title: 'Authlib · Flask',
  kinds: ['web'],
  blocks: (app) => [{ file: 'app.py', text: text(app) }],
  notes: keyNote,
}
