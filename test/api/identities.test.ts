// What administrators change through the API, what becomes of it, and what machines may do with a token.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { SignJWT } from "jose";
import { createApi } from "../../src/api/app.ts";
import { madeKey, organization, organizationPage, standing } from "../../src/api/contract/identities.ts";
import { ledgerRecords } from "../../src/api/contract/ledger.ts";
import { madeLink, madeToken, tokens, user, users } from "../../src/api/contract/people.ts";
import { END_USER_PURPOSE } from "../../src/state/end-user-keys.ts";
import { KeyDirectory } from "../../src/state/key-directory.ts";
import { openWorld, type World } from "../helpers/world.ts";
import { type Ask, asking, codeOf } from "./client.ts";

const SOON = new Date(Date.now() + 86_400_000).toISOString();
let world: World;
let admin: Ask;
let approver: Ask;

before(async () => {
  world = await openWorld();
  admin = asking(world, { cookie: await world.signIn("admin") });
  approver = asking(world, { cookie: await world.signIn("approver") });
});
after(() => world.close());

async function actsSealed(name: string): Promise<{ detail: string }[]> {
  await world.settle();
  const { items } = ledgerRecords.parse((await admin("GET", `/api/ledger/records?act=${name}`)).body);
  return items.map(({ detail }) => ({ detail: detail ?? "" }));
}

describe("organisations", () => {
  test("are recorded, listed and shown with their standing, each change an act by name", async () => {
    const made = await admin("PUT", "/api/organizations/acme", { plan: "pro", contact: "help@acme.test" });
    assert.equal(organization.parse(made.body).plan, "pro");
    await admin("PUT", "/api/accounts/acme-1", { organization: "acme", plan: "pro" });
    const declared = {
      use: "synthetic-data",
      statement: "our own tests",
      reference: "contract 7",
      until: SOON,
    };
    assert.equal((await approver("POST", "/api/organizations/acme/uses", declared)).status, 200);
    const checked = { kind: "business", status: "verified", reference: "HRB 1" };
    assert.equal((await approver("POST", "/api/organizations/acme/verifications", checked)).status, 200);
    const page = organizationPage.parse((await admin("GET", "/api/organizations?q=ACM")).body);
    assert.deepEqual([page.total, page.items[0]?.accounts], [1, 1]);
    const shown = organization.parse((await admin("GET", "/api/organizations/acme")).body);
    assert.equal(shown.declarations[0]?.until, SOON);
    assert.equal(shown.verifications[0]?.by, "user:approver");
    assert.deepEqual(
      shown.history.map(({ act }) => act),
      ["verification.recorded", "declared-use.recorded", "organization.recorded"],
    );
    assert.equal((await approver("DELETE", "/api/organizations/acme/uses/synthetic-data")).status, 200);
    const [act] = await actsSealed("declared-use.withdrawn");
    assert.match(act?.detail ?? "", /"by":"user:approver"/);
  });

  test("wrong questions get an answer that says what is wrong", async () => {
    assert.equal((await admin("GET", "/api/organizations/nobody")).status, 404);
    assert.equal((await admin("PUT", "/api/organizations/acme", { plan: 7 })).status, 400);
    assert.equal((await admin("PUT", "/api/organizations/acme", { rank: "x" })).status, 400);
    const withoutReference = { use: "synthetic-data" };
    assert.equal((await admin("POST", "/api/organizations/acme/uses", withoutReference)).status, 400);
    assert.equal((await admin("DELETE", "/api/organizations/acme/uses/theft")).status, 404);
    assert.equal((await admin("DELETE", "/api/organizations/acme/uses/research")).status, 404);
  });

  test("get keys for their users' ids: a secret that is shown once and that signs", async () => {
    const made = madeKey.parse((await admin("POST", "/api/organizations/acme/end-user-keys", {})).body);
    const secret = Buffer.from(made.secret ?? "", "base64url");
    const exp = Math.floor(Date.now() / 1000) + 600;
    const signed = await new SignJWT({ sub: "their-user", exp })
      .setProtectedHeader({ alg: "HS256", kid: made.id })
      .sign(secret);
    const endUserMaster = world.options.endUserMaster;
    assert.ok(endUserMaster !== undefined, END_USER_PURPOSE);
    const directory = await KeyDirectory.open(world.state, { endUserMaster });
    assert.equal(directory.endUsers.judge(signed, "acme").signed, true);
    assert.equal((await admin("DELETE", `/api/end-user-keys/${made.id}`)).status, 200);
    await directory.refresh();
    assert.equal(directory.endUsers.judge(signed, "acme").signed, false);
    directory.close();
    const shown = await admin("GET", "/api/organizations/acme");
    assert.ok(!shown.text.includes(made.secret ?? "?"));
  });
});

describe("accounts", () => {
  test("are changed, verified and given keys, which work and end", async () => {
    const checked = { kind: "payment", status: "verified", expiresAt: SOON };
    const after = await approver("POST", "/api/accounts/acme-1/verifications", checked);
    assert.equal(standing.parse(after.body).verifications[0]?.kind, "payment");
    const made = madeKey.parse(
      (await admin("POST", "/api/accounts/acme-1/keys", { label: "ci", expiresAt: SOON })).body,
    );
    const directory = await KeyDirectory.open(world.state);
    assert.ok("account" in directory.authenticate(made.secret ?? ""));
    assert.equal((await admin("DELETE", `/api/keys/${made.id}`)).status, 200);
    await directory.refresh();
    assert.deepEqual(directory.authenticate(made.secret ?? ""), { rejected: "revoked" });
    directory.close();
    assert.equal((await admin("PUT", "/api/accounts/acme-1", { status: "suspended" })).status, 200);
    assert.equal((await world.state.accounts.demand("acme-1")).status, "suspended");
    assert.equal((await admin("POST", "/api/accounts/nobody/keys", {})).status, 404);
    const shown = standing.parse((await admin("GET", "/api/accounts/acme-1/standing")).body);
    assert.equal(shown.history[0]?.detail, '{"status":{"from":"active","to":"suspended"}}');
  });
});

describe("people", () => {
  test("come in by a link, change role at once, and nobody shuts themselves out", async () => {
    const link = madeLink.parse((await admin("POST", "/api/users", { name: "zoe", role: "viewer" })).body);
    const session = await world.state.sessions.redeem(link.token, { lifeMs: 60_000 });
    const zoe = asking(world, { cookie: `adyton_session=${session?.token}` });
    assert.equal((await zoe("GET", "/api/users")).status, 403);
    const changed = await admin("PATCH", "/api/users/zoe", { role: "admin" });
    assert.equal(user.parse(changed.body).role, "admin");
    assert.ok(users.parse((await zoe("GET", "/api/users")).body).some(({ name }) => name === "zoe"));
    assert.equal((await zoe("PATCH", "/api/users/zoe", { disabled: true })).status, 400);
    assert.equal((await admin("PATCH", "/api/users/zoe", { disabled: true })).status, 200);
    assert.equal((await zoe("GET", "/api/users")).status, 401);
  });
});

describe("machines", () => {
  async function tokenWith(...scopes: string[]): Promise<{ ask: Ask; id: string; secret: string }> {
    const made = madeToken.parse((await admin("POST", "/api/tokens", { label: "m", scopes, days: 7 })).body);
    const { secret, token } = made;
    return { ask: asking(world, { authorization: `Bearer ${secret}` }), id: token.id, secret };
  }

  test("read metrics with a token for that, and nothing else", async () => {
    const { ask, id, secret } = await tokenWith("metrics:read");
    const metrics = await ask("GET", "/metrics");
    assert.match(metrics.text, /adyton_api_requests_total/);
    assert.ok(!metrics.text.includes(secret));
    assert.equal(codeOf(await ask("GET", "/api/findings")), "api.forbidden");
    assert.equal(codeOf(await ask("POST", "/api/tokens", {})), "api.forbidden");
    const listed = await admin("GET", "/api/tokens");
    assert.ok(!listed.text.includes(secret));
    const { items, scopes } = tokens.parse(listed.body);
    assert.notEqual(items.find((token) => token.id === id)?.usedAt, null);
    assert.ok(scopes.includes("findings:read"));
    await admin("DELETE", `/api/tokens/${id}`);
    assert.equal((await ask("GET", "/metrics")).status, 401);
  });

  test("change accounts without a cookie or the console's header, under their own name in the log", async () => {
    const { ask, id } = await tokenWith("accounts:write");
    const checked = { kind: "email", status: "verified" };
    assert.equal((await ask("POST", "/api/accounts/acme-1/verifications", checked)).status, 200);
    const acts = await actsSealed("verification.recorded");
    assert.ok(acts.some(({ detail }) => detail.includes(`"by":"token:${id}"`)));
  });

  test("get no scope that there is not", async () => {
    const wanted = { label: "m", scopes: ["users:write"], days: 7 };
    assert.equal((await admin("POST", "/api/tokens", wanted)).status, 400);
    assert.equal((await admin("POST", "/api/tokens", { ...wanted, scopes: [] })).status, 400);
    const long = { label: "m", scopes: ["metrics:read"], days: 367 };
    assert.equal((await admin("POST", "/api/tokens", long)).status, 400);
  });

  test("that guess are slowed down, and those that are right are not", async () => {
    const { secret } = await tokenWith("health:read");
    const api = await createApi({ ...world.options, clock: () => 5_000_000 });
    const good = asking({ api }, { authorization: `Bearer ${secret}` });
    const codes: (string | undefined)[] = [];
    for (let guess = 0; guess < 12; guess++) {
      const bad = asking({ api }, { authorization: `Bearer adt_guess-${guess}` });
      codes.push(codeOf(await bad("GET", "/api/health")));
    }
    assert.deepEqual(codes.slice(0, 10), Array(10).fill("api.not-signed-in"));
    assert.deepEqual(codes.slice(10), Array(2).fill("api.too-many-attempts"));
    assert.equal((await good("GET", "/api/health")).status, 200);
  });
});
