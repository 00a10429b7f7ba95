// Proves cases over the API: opened, filled, closed; and content that needs two persons stays shut until the second agrees.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createApi } from "../../src/api/app.ts";
import { CSRF_HEADER } from "../../src/api/identity.ts";
import type { Role } from "../../src/core/role.ts";
import { FLEET_FINDING, fleetScene } from "../helpers/fleet.ts";
import { openWorld, type World } from "../helpers/world.ts";

let world: World;
let api: World["api"];
const scene = fleetScene(Date.UTC(2026, 2, 14), { days: 1, perDay: 1 });
const cookies = new Map<Role, string>();

before(async () => {
  world = await openWorld();
  const config = { ...world.options.config, evidence: { twoPersonFor: ["open-content"] as const } };
  api = await createApi({ ...world.options, config });
  await world.record(scene.exchanges, scene.facts);
  await world.state.findings.upsert(scene.findings);
  for (const role of ["viewer", "analyst", "approver"] as const) cookies.set(role, await world.signIn(role));
});
after(() => world.close());

async function ask<T>(
  role: Role,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; answer: T }> {
  const headers = {
    host: "console.test",
    cookie: cookies.get(role) ?? "",
    "content-type": "application/json",
    [CSRF_HEADER]: "1",
  };
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  const response = await api.fetch(new Request(`http://console.test${path}`, { method, headers, ...sent }));
  return { status: response.status, answer: (await response.json()) as T };
}

interface CaseFile {
  readonly case: { readonly id: string; readonly status: string; readonly logSize: number };
  readonly entries: readonly { readonly what: string; readonly by: string; readonly text: string | null }[];
}
interface Refusal {
  readonly error: { readonly code: string; readonly message: string };
}

const OPENING = {
  title: "A fleet",
  purpose: "find out",
  authority: "terms, section 4",
  custodian: "Ada",
  jurisdiction: "CH",
  tlp: "AMBER",
};

test("a case is opened, filled and closed, each step under its doer's name", async () => {
  const opened = await ask<CaseFile>("analyst", "POST", "/api/cases", OPENING);
  assert.equal(opened.status, 201);
  const { id, logSize } = opened.answer.case;
  assert.equal(logSize, await world.log.size());
  const path = `/api/cases/${id}/entries`;
  await ask("analyst", "POST", path, { what: "finding-added", on: FLEET_FINDING });
  await ask("analyst", "POST", path, { what: "hypothesis", text: "<b>one buyer</b>" });
  const closed = await ask<CaseFile>("analyst", "POST", path, { what: "closed", text: "handed over" });
  assert.equal(closed.answer.case.status, "closed");
  assert.deepEqual(
    closed.answer.entries.map(({ what, by }) => [what, by]),
    ["opened", "finding-added", "hypothesis", "closed"].map((what) => [what, "user:analyst"]),
  );
  assert.equal(closed.answer.entries[2]?.text, "<b>one buyer</b>");
  const late = await ask<Refusal>("analyst", "POST", path, { what: "note", text: "late" });
  assert.equal(late.answer.error.code, "api.conflict");
  const [snapshot] = await world.state.cases.findings(id);
  assert.match(snapshot?.body ?? "", /"opinion":/);
  const { answer } = await ask<{ cases: { id: string }[] }>("viewer", "GET", "/api/cases");
  assert.deepEqual(
    answer.cases.map((one) => one.id),
    [id],
  );
});

test("what does not exist, or lacks what it needs, is refused", async () => {
  const { answer } = await ask<CaseFile>("analyst", "POST", "/api/cases", OPENING);
  const path = `/api/cases/${answer.case.id}/entries`;
  for (const [body, status] of [
    [{ what: "finding-added", on: "nobody" }, 404],
    [{ what: "account-added", on: "nobody" }, 404],
    [{ what: "finding-added" }, 400],
    [{ what: "note" }, 400],
    [{ what: "opened", text: "again" }, 400],
  ] as const)
    assert.equal((await ask("analyst", "POST", path, body)).status, status, JSON.stringify(body));
  assert.equal((await ask("viewer", "GET", "/api/cases/case_nobody")).status, 404);
});

test("content that needs two persons is shown once after the second has agreed", async () => {
  const exchange = scene.exchanges[0]?.id ?? "";
  const path = `/api/exchanges/${exchange}/reveal`;
  const reason = { reason: "court order" };
  const first = await ask<Refusal>("analyst", "POST", path, reason);
  assert.equal(first.status, 409);
  assert.equal(first.answer.error.code, "api.approval-needed");
  const { answer } = await ask<{ approvals: { id: string; subject: string }[] }>(
    "analyst",
    "GET",
    "/api/approvals",
  );
  assert.deepEqual(
    answer.approvals.map(({ subject }) => subject),
    [exchange],
  );
  const decide = `/api/approvals/${answer.approvals[0]?.id}/decision`;
  const decision = { decision: "approved", note: "seen" };
  assert.equal((await ask("analyst", "POST", decide, decision)).status, 403);
  assert.equal((await ask("approver", "POST", decide, decision)).status, 200);
  assert.equal((await ask("approver", "POST", decide, decision)).status, 409);
  assert.equal((await ask("analyst", "POST", path, reason)).status, 200);
  assert.equal((await ask("analyst", "POST", path, reason)).status, 409);
});
