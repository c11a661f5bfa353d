// A certified OpenID provider in the place of Entra, configured through its documented settings alone.
//
// It speaks Entra's claims and lies at Entra's addresses, /{tenant}/v2.0. Everything else is its own: pages, codes,
// PKCE, rotation of refresh tokens, sign-out. Each line on standard output is a JSON event; the first is "listening".

import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { Provider } from 'oidc-provider';

const { TENANT, CLIENT, PEOPLE, CERTIFICATE_FILE, KEY_FILE } = process.env;
const client = JSON.parse(CLIENT);
const people = JSON.parse(PEOPLE);
const mount = `/${TENANT}/v2.0`;

const say = (event, more = {}) => console.log(JSON.stringify({ event, ...more }));

const signingKey = () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256' };
};

const server = createServer({ cert: readFileSync(CERTIFICATE_FILE), key: readFileSync(KEY_FILE) });
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
const { port } = server.address();

const provider = new Provider(`https://localhost:${port}${mount}`, {
  clients: [client],
  jwks: { keys: [signingKey()] },
  findAccount: (_ctx, id) => people[id] && ({
    accountId: id,
    // Entra's claims, of which this library knows none. It leaves out `nbf`, which Entra always sends.
    claims: () => ({ ...people[id], sub: id, tid: TENANT, ver: '2.0', nbf: Math.floor(Date.now() / 1000) }),
  }),
  claims: {
    openid: ['sub', 'tid', 'oid', 'ver', 'nbf', 'groups', 'roles'],
    profile: ['name', 'preferred_username'],
    email: ['email'],
  },
  // As at Entra, the claims are in the ID token; there is no need to ask for them.
  conformIdTokenClaims: false,
  scopes: ['openid', 'offline_access', 'User.Read'],
  extraTokenClaims: () => ({ tid: TENANT }),
  pkce: { required: () => true },
  rotateRefreshToken: true,
  clientAuthMethods: ['client_secret_post', 'private_key_jwt'],
  features: { devInteractions: { enabled: true }, rpInitiatedLogout: { enabled: true } },
});

provider.use(async (ctx, next) => {
  ctx.mountPath = mount;
  // OpenID Connect has people agree to being acted for while they are away, and only when the request says so. Entra
  // does not wait to be told.
  if (ctx.path === '/auth') ctx.query = { prompt: 'consent', ...ctx.query };
  await next();
});

provider.on('refresh_token.saved', (token) => say('refresh_token.saved', { token: token.jti }));
provider.on('refresh_token.consumed', (token) => say('refresh_token.consumed', { token: token.jti }));
provider.on('grant.error', (_ctx, error) => say('grant.error', { error: error.error, detail: error.error_detail }));
provider.on('grant.revoked', () => say('grant.revoked'));
provider.on('grant.success', (ctx) => say('grant.success', { grant: ctx.oidc.params.grant_type, by: ctx.oidc.client.clientAuthMethod }));
provider.on('end_session.success', () => say('end_session.success'));
provider.on('server_error', (_ctx, error) => say('server_error', { error: String(error.stack) }));

const answer = provider.callback();
server.on('request', (request, response) => {
  if (!request.url.startsWith(`${mount}/`)) {
    response.writeHead(404).end();
    return;
  }
  request.url = request.url.slice(mount.length);
  answer(request, response);
});
say('listening', { port });
