// Proves a case's export over the API: by whom, with a second person's yes, in the log, and verified as it comes.
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createApi } from "../../src/api/app.ts";
import { CSRF_HEADER } from "../../src/api/identity.ts";
import { EXPORTS_FOLDER } from "../../src/api/routes/case-export.ts";
import { utf8 } from "../../src/core/bytes.ts";
import type { Role } from "../../src/core/role.ts";
import { memorySource } from "../../src/evidence/verify/byte-source.ts";
import { verifyBundle } from "../../src/evidence/verify/verify-bundle.ts";
import { FLEET_FINDING, fleetScene } from "../helpers/fleet.ts";
import { openWorld, sealMeanwhile, type World } from "../helpers/world.ts";

let world: World;
let api: World["api"];
let caseId = "";
let stopSealing: () => Promise<void>;
const scene = fleetScene(Date.UTC(2026, 2, 14), { days: 1, perDay: 1 });
const cookies = new Map<Role, string>();

before(async () => {
  world = await openWorld();
  const config = { ...world.options.config, evidence: { twoPersonFor: ["export"] as const } };
  api = await createApi({ ...world.options, config });
  await world.record(scene.exchanges, scene.facts);
  await world.state.findings.upsert(scene.findings);
  for (const role of ["viewer", "analyst", "approver", "admin"] as const)
    cookies.set(role, await world.signIn(role));
  stopSealing = sealMeanwhile(world);
  const opening = {
    ...{ title: "A fleet", purpose: "find out", authority: "terms, section 4" },
    ...{ custodian: "Ada", jurisdiction: "CH", tlp: "AMBER" },
  };
  const opened = (await (await ask("analyst", "/api/cases", opening)).json()) as { case: { id: string } };
  caseId = opened.case.id;
  await ask("analyst", `/api/cases/${caseId}/entries`, { what: "finding-added", on: FLEET_FINDING });
});
after(async () => {
  await stopSealing();
  await world.close();
});

async function ask(role: Role, path: string, body: unknown): Promise<Response> {
  const headers = {
    ...{ host: "console.test", cookie: cookies.get(role) ?? "" },
    ...{ "content-type": "application/json", [CSRF_HEADER]: "1" },
  };
  const request = { method: "POST", headers, body: JSON.stringify(body) };
  return await api.fetch(new Request(`http://console.test${path}`, request));
}

async function codeOf(response: Response): Promise<string | undefined> {
  return ((await response.json()) as { error?: { code?: string } }).error?.code;
}

/** The second person's yes to what waits. */
async function agree(): Promise<string> {
  const [waiting] = await world.state.approvals.list({ undecided: true });
  const id = waiting?.id ?? "";
  const decided = await ask("admin", `/api/approvals/${id}/decision`, { decision: "approved", note: "seen" });
  assert.equal(decided.status, 200);
  return id;
}

test("a bundle comes after a second person's yes, verifies, and is an entry of the custody", async () => {
  const path = `/api/cases/${caseId}/export`;
  const wanted = { reason: "order 12/26 of the district court", withhold: { network: "not asked for" } };
  assert.equal((await ask("analyst", path, wanted)).status, 403);
  const first = await ask("approver", path, wanted);
  assert.equal(first.status, 409);
  assert.equal(await codeOf(first), "api.approval-needed");
  const agreement = await agree();
  const answer = await ask("approver", path, wanted);
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get("content-disposition") ?? "", new RegExp(`"${caseId}\\.zip"`));
  const bytes = new Uint8Array(await answer.arrayBuffer());
  assert.equal(answer.headers.get("content-length"), String(bytes.length));
  const facts = await world.options.exportFacts?.();
  const verdict = await verifyBundle(memorySource(bytes), { policy: utf8(facts?.policy ?? "") });
  assert.deepEqual([verdict.verdict, verdict.reasons], ["verified", []]);
  const fleet = new Set(scene.findings.find(({ id }) => id === FLEET_FINDING)?.accounts);
  const theirs = scene.exchanges.filter(({ account }) => fleet.has(account));
  assert.equal(verdict.proved?.exchanges, theirs.length);
  assert.ok((verdict.proved?.fieldsWithheld ?? 0) > 0);
  const entry = (await world.state.cases.entries(caseId)).find(({ what }) => what === "exported");
  assert.equal(entry?.by, "user:approver");
  assert.equal(entry?.digest, answer.headers.get("x-adyton-manifest"));
  assert.equal(entry?.authority, `${wanted.reason}; second person's agreement ${agreement}`);
  assert.equal((await ask("approver", path, wanted)).status, 409, "a yes serves once");
});

test("nothing of a bundle stays on the server's disk, whether it was read or not", async () => {
  await agree();
  const answer = await ask("approver", `/api/cases/${caseId}/export`, { reason: "again", recordsOnly: true });
  assert.equal(answer.status, 200);
  await answer.body?.cancel();
  assert.deepEqual(await readdir(join(world.folder.run, EXPORTS_FOLDER)), []);
});

test("what can't be exported is said before anything is recorded", async () => {
  const path = `/api/cases/${caseId}/export`;
  assert.equal(await codeOf(await ask("approver", path, {})), "api.bad-request");
  assert.equal(
    await codeOf(await ask("approver", path, { reason: "x", withhold: { body: "y" } })),
    "api.bad-request",
  );
  assert.equal(
    await codeOf(await ask("approver", "/api/cases/case_none/export", { reason: "x" })),
    "api.not-found",
  );
  const entries = await world.state.cases.entries(caseId);
  assert.equal(entries.filter(({ what }) => what === "exported").length, 2);
});
