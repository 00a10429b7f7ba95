// The authorisation matrix: every route of the table against nobody and every role, on a real installation.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ACCESS, mayUse, type RouteName } from "../../src/api/access.ts";
import { ROLES, type Role } from "../../src/api/contract/session.ts";
import { CSRF_HEADER } from "../../src/api/identity.ts";
import { fleetScene } from "../helpers/fleet.ts";
import { openWorld, type World } from "../helpers/world.ts";

let world: World;
const cookies = new Map<Role, string>();

before(async () => {
  world = await openWorld();
  const scene = fleetScene(Date.UTC(2026, 2, 14), { days: 1, perDay: 1 });
  await world.record(scene.exchanges, scene.facts);
  await world.state.findings.upsert(scene.findings);
  for (const role of ROLES) cookies.set(role, await world.signIn(role));
});
after(() => world.close());

const routes = Object.keys(ACCESS) as RouteName[];

function requestOf(route: RouteName, headers: Record<string, string>): Request {
  const [method = "GET", path = "/"] = route.split(" ");
  const filled = path
    .replace(":id", "does-not-exist")
    .replace(":account", "does-not-exist")
    .replace(":index", "0")
    .replace("*", "entries/000.p/1");
  const isUnsafe = method !== "GET";
  return new Request(`http://console.test${filled}`, {
    method,
    headers: {
      host: "console.test",
      ...(isUnsafe ? { "content-type": "application/json", [CSRF_HEADER]: "1" } : {}),
      ...headers,
    },
    ...(isUnsafe ? { body: "{}" } : {}),
  });
}

async function codeOf(response: Response): Promise<string | undefined> {
  const body = (await response.json().catch(() => null)) as { error?: { code?: string } } | null;
  return body?.error?.code;
}

describe("every route", () => {
  for (const route of routes) {
    const access = ACCESS[route];
    test(`${route} for nobody: ${access === "anyone" ? "admitted" : "refused"}`, async () => {
      const response = await world.api.fetch(requestOf(route, {}));
      const code = await codeOf(response);
      if (access === "anyone") assert.notEqual(code, "api.not-signed-in");
      else {
        assert.equal(response.status, 401);
        assert.equal(code, "api.not-signed-in");
      }
    });
    // Signing out ends the session that the other routes still need.
    for (const role of route === "DELETE /api/session" ? [] : ROLES) {
      const allowed = mayUse(role, access);
      test(`${route} for ${role}: ${allowed ? "admitted" : "refused"}`, async () => {
        const response = await world.api.fetch(requestOf(route, { cookie: cookies.get(role) ?? "" }));
        const code = await codeOf(response);
        if (allowed) assert.ok(code !== "api.forbidden" && code !== "api.not-signed-in", `got ${code}`);
        else {
          assert.equal(response.status, 403);
          assert.equal(code, "api.forbidden");
        }
      });
    }
  }

  test("an unknown route of the API is not the console's page", async () => {
    const response = await world.api.request("/api/nothing");
    assert.equal(response.status, 404);
    assert.equal(await codeOf(response), "api.not-found");
  });
});

describe("changes asked for by another site", () => {
  const cookie = (): string => cookies.get("admin") ?? "";
  const body = JSON.stringify({ status: "dismissed" });
  const cases: Record<string, Record<string, string>> = {
    "without the header": { "content-type": "application/json" },
    "from another origin": {
      "content-type": "application/json",
      [CSRF_HEADER]: "1",
      origin: "http://evil.test",
    },
    "that the browser calls cross-site": {
      "content-type": "application/json",
      [CSRF_HEADER]: "1",
      "sec-fetch-site": "cross-site",
    },
    "from an opaque origin": { "content-type": "application/json", [CSRF_HEADER]: "1", origin: "null" },
  };
  for (const [name, headers] of Object.entries(cases)) {
    test(`${name} are refused and change nothing`, async () => {
      const response = await world.api.request("http://console.test/api/findings/campaign-1f0c5a", {
        method: "PATCH",
        headers: { host: "console.test", cookie: cookie(), ...headers },
        body,
      });
      assert.equal(response.status, 403);
      assert.equal(await codeOf(response), "api.cross-site");
      assert.equal((await world.state.findings.demand("campaign-1f0c5a")).status, "open");
    });
  }

  test("a form's content type is refused even with the header", async () => {
    const response = await world.api.request("http://console.test/api/findings/campaign-1f0c5a", {
      method: "PATCH",
      headers: { host: "console.test", cookie: cookie(), [CSRF_HEADER]: "1", "content-type": "text/plain" },
      body,
    });
    assert.equal(await codeOf(response), "api.bad-request");
  });
});
