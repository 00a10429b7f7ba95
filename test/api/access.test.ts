// The authorisation matrix: every route of the table against nobody, every role and machines, on a real installation.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ACCESS, type RouteName, SCOPES } from "../../src/api/access.ts";
import { CSRF_HEADER } from "../../src/api/identity.ts";
import { ROLES, type Role } from "../../src/core/role.ts";
import { fleetScene } from "../helpers/fleet.ts";
import { openWorld, type World } from "../helpers/world.ts";
import { type Line, MATRIX } from "./matrix.ts";

let world: World;
const cookies = new Map<Role, string>();
const tokens = new Map<string, string>();
const LETTER: Readonly<Record<Role, string>> = { viewer: "v", analyst: "a", approver: "p", admin: "d" };
/** A token with every scope but the one that is needed is let in nowhere. */
const allBut = (scope: string): string => `all but ${scope}`;

before(async () => {
  // Time goes on with every question, so that the limits of attempts, which others test, don't stand in the way here.
  let minute = Date.now();
  world = await openWorld({ clock: () => (minute += 60_000) });
  const scene = fleetScene(Date.UTC(2026, 2, 14), { days: 1, perDay: 1 });
  await world.record(scene.exchanges, scene.facts);
  await world.state.findings.upsert(scene.findings);
  for (const role of ROLES) cookies.set(role, await world.signIn(role));
  const make = async (label: string, scopes: readonly string[]): Promise<void> => {
    const wanted = { label, scopes, creator: "user:admin", lifeMs: 86_400_000 };
    tokens.set(label, (await world.state.tokens.create(wanted)).secret);
  };
  await make("all", SCOPES);
  for (const scope of SCOPES) {
    await make(scope, [scope]);
    await make(
      allBut(scope),
      SCOPES.filter((other) => other !== scope),
    );
  }
});
after(() => world.close());

const routes = Object.keys(ACCESS) as RouteName[];

function requestOf(route: RouteName, headers: Record<string, string>): Request {
  const [method = "GET", path = "/"] = route.split(" ");
  // What is asked for does not exist: whoever is let in changes nothing.
  const filled = path
    .replace(":index", "0")
    .replace("*", "entries/000.p/1")
    .replace(/:[a-z]+/g, "does-not-exist");
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

async function ask(
  route: RouteName,
  headers: Record<string, string>,
): Promise<{ status: number; code: string }> {
  const response = await world.api.fetch(requestOf(route, headers));
  return { status: response.status, code: (await codeOf(response)) ?? "" };
}

const LET_IN = /^(?!api\.(forbidden|not-signed-in|cross-site|too-many-attempts)$)/;

async function codeOf(response: Response): Promise<string | undefined> {
  const body = (await response.json().catch(() => null)) as { error?: { code?: string } } | null;
  return body?.error?.code;
}

describe("every route", () => {
  test("has a line in the matrix, and the matrix has no other", () => {
    assert.deepEqual(Object.keys(MATRIX).sort(), [...routes].sort());
    const scopes = Object.values(MATRIX).flatMap(({ scope }) => scope ?? []);
    assert.deepEqual([...new Set(scopes)].sort(), [...SCOPES]);
  });

  for (const [route, { people, scope }] of Object.entries(MATRIX) as [RouteName, Line][]) {
    test(`${route}: ${people === "*" ? "everybody" : people}, ${scope ?? "no machine"}`, async () => {
      const nobody = await ask(route, {});
      if (people === "*") assert.match(nobody.code, LET_IN);
      else assert.deepEqual(nobody, { status: 401, code: "api.not-signed-in" });
      // Signing out ends the session that the other routes still need.
      for (const role of route === "DELETE /api/session" ? [] : ROLES) {
        const answer = await ask(route, { cookie: cookies.get(role) ?? "" });
        if (people === "*" || people.includes(LETTER[role])) assert.match(answer.code, LET_IN, role);
        else assert.deepEqual(answer, { status: 403, code: "api.forbidden" }, role);
      }
      if (people === "*") return;
      const bearer = (label: string): Record<string, string> => ({
        authorization: `Bearer ${tokens.get(label)}`,
      });
      const needed = scope ?? "";
      for (const label of scope === null ? ["all"] : [allBut(needed)])
        assert.deepEqual(await ask(route, bearer(label)), { status: 403, code: "api.forbidden" }, label);
      if (scope !== null) assert.match((await ask(route, bearer(needed))).code, LET_IN);
      // A header of a machine's makes a person's cookie worth nothing.
      const both = { cookie: cookies.get("admin") ?? "", authorization: "Bearer adt_wrong" };
      assert.deepEqual(await ask(route, both), { status: 401, code: "api.not-signed-in" });
    });
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
