// Signing in and out: one-time links, the cookie's guards, limits on guessing, and what the log keeps of it.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createApi } from "../../src/api/app.ts";
import { CSRF_HEADER } from "../../src/api/identity.ts";
import { openWorld, type World } from "../helpers/world.ts";

let world: World;
before(async () => {
  world = await openWorld();
});
after(() => world.close());

const UNSAFE = { "content-type": "application/json", [CSRF_HEADER]: "1" };

function signIn(api: World["api"], token: string): Promise<Response> {
  return Promise.resolve(
    api.request("/api/session", { method: "POST", headers: UNSAFE, body: JSON.stringify({ token }) }),
  );
}

describe("a sign-in link", () => {
  test("works once, and its session is a guarded cookie", async () => {
    const token = await world.link("analyst", "ada");
    const response = await signIn(world.api, token);
    assert.equal(response.status, 200);
    assert.deepEqual(((await response.json()) as { user: object }).user, { name: "ada", role: "analyst" });
    const cookie = response.headers.get("set-cookie") ?? "";
    for (const guard of ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=3"])
      assert.ok(cookie.includes(guard), cookie);
    assert.ok(!cookie.includes(token), "the link's token must not be the session's");
    const again = await signIn(world.api, token);
    assert.equal(again.status, 401);
    assert.equal(((await again.json()) as { error: { code: string } }).error.code, "api.sign-in-refused");
  });

  test("signs out for good", async () => {
    const response = await signIn(world.api, await world.link("viewer", "vera"));
    const cookie = (response.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
    assert.equal((await world.api.request("/api/session", { headers: { cookie } })).status, 200);
    const out = await world.api.request("/api/session", { method: "DELETE", headers: { ...UNSAFE, cookie } });
    assert.equal(out.status, 200);
    assert.match(out.headers.get("set-cookie") ?? "", /adyton_session=;/);
    assert.equal((await world.api.request("/api/session", { headers: { cookie } })).status, 401);
  });

  test("leaves acts in the log that name the user and hold no token", async () => {
    await world.settle();
    const acts: string[] = [];
    const details: string[] = [];
    for await (const { leaf, content } of world.log.records(0, await world.log.size())) {
      if (leaf.act?.startsWith("session.")) acts.push(leaf.act);
      details.push(new TextDecoder().decode(content?.get("detail") ?? new Uint8Array()));
    }
    assert.deepEqual([...new Set(acts)].sort(), ["session.ended", "session.started"]);
    assert.ok(details.some((detail) => detail.includes('"user":"vera"')));
    assert.ok(details.every((detail) => !detail.includes("token")));
  });
});

describe("guards", () => {
  test("over TLS the cookie is Secure and bound to the host", async () => {
    const { console: given, evidence, log } = world.options.config;
    const config = { evidence, log, console: { ...given, publicUrl: "https://adyton.example" } };
    const api = await createApi({ ...world.options, config });
    const response = await signIn(api, await world.link("viewer", "tess"));
    const cookie = response.headers.get("set-cookie") ?? "";
    assert.match(cookie, /^__Host-adyton_session=/);
    assert.match(cookie, /; Secure/);
    assert.match(response.headers.get("strict-transport-security") ?? "", /max-age=/);
  });

  test("guessing is limited, and the limit passes", async () => {
    let nowMs = Date.now();
    const api = await createApi({ ...world.options, clock: () => nowMs });
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 12; attempt += 1)
      statuses.push((await signIn(api, "A".repeat(43))).status);
    assert.deepEqual(statuses, [...Array(10).fill(401), 429, 429]);
    nowMs += 60_001;
    assert.equal((await signIn(api, "A".repeat(43))).status, 401);
  });

  test("an identity given by other means needs no cookie and names itself in acts", async () => {
    const identity = {
      name: "root",
      role: "admin",
      actor: "cli:root",
      expiresMs: null,
      scopes: null,
    } as const;
    const api = await createApi({ ...world.options, identityOf: () => identity });
    const response = await api.request("/api/session");
    assert.deepEqual(await response.json(), { user: { name: "root", role: "admin" }, expiresAt: null });
  });

  test("every answer carries the security headers and a request id", async () => {
    for (const path of ["/api/session", "/api/nothing", "/health", "/findings", "/log/checkpoint"]) {
      const { headers } = await world.api.request(path);
      const policy = headers.get("content-security-policy") ?? "";
      for (const directive of [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "form-action 'self'",
        "require-trusted-types-for 'script'",
      ]) {
        assert.ok(policy.includes(directive), `${path}: expected ${directive}, got ${policy}`);
      }
      assert.ok(!policy.includes("unsafe"), policy);
      assert.equal(headers.get("x-content-type-options"), "nosniff");
      assert.match(headers.get("x-request-id") ?? "", /^[0-9a-f-]{36}$/);
    }
  });

  test("a body beyond the limit is refused", async () => {
    const response = await signIn(world.api, "x".repeat(70_000));
    assert.equal(response.status, 413);
    assert.equal(((await response.json()) as { error: { code: string } }).error.code, "api.body-too-large");
  });
});
