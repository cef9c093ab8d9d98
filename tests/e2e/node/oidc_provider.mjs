// A real OpenID Connect provider, as an organisation has one: prints its issuer and runs until it is ended.
// Arguments: where browsers are sent back to, and where after signing out.

import { createServer } from "node:http";
import Provider from "oidc-provider";

const [redirectUri, afterwards] = process.argv.slice(2);
const server = createServer();
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const issuer = `http://localhost:${server.address().port}`;

function claimsOf(name) {
  return {
    sub: `subject-of-${name}`,
    email: `${name}@example.org`,
    email_verified: name !== "mallory",
    name: name.toUpperCase(),
    groups: name === "ada" ? ["ai-audit"] : ["choir"],
  };
}

const provider = new Provider(issuer, {
  clients: [{
    client_id: "primeur",
    client_secret: "a-secret-of-the-provider",
    redirect_uris: [redirectUri],
    post_logout_redirect_uris: [afterwards],
  }],
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name", "groups"] },
  cookies: { keys: ["of-a-test"] },
  features: { devInteractions: { enabled: true }, rpInitiatedLogout: { enabled: true } },
  findAccount: (_context, name) => ({ accountId: name, claims: () => claimsOf(name) }),
  pkce: { required: () => true },
});
server.on("request", provider.callback());
console.log(issuer);
