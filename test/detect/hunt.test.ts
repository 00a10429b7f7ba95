// A hunt as a whole: the same look gives the same findings, a finding that grows keeps its id, a failing detector fails alone.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { CASE_START_MS, rowsOfCase } from "../../src/detect/case-rows.ts";
import { type DetectorCase, loadCases } from "../../src/detect/cases.ts";
import { type Detector, loadDetectors } from "../../src/detect/catalog.ts";
import { DetectError } from "../../src/detect/errors.ts";
import { hunt, Watch } from "../../src/detect/hunt.ts";
import { Store } from "../../src/store/store.ts";

const HOUR_MS = 3_600_000;
const detectors = await loadDetectors();

function detectorNamed(id: string): Detector {
  const found = detectors.find((detector) => detector.id === id);
  assert.ok(found, id);
  return found;
}

async function caseNamed(id: string, name: string): Promise<DetectorCase> {
  const found = (await loadCases(detectorNamed(id))).find((one) => one.name === name);
  assert.ok(found, name);
  return found;
}

describe("hunt", () => {
  let folder = "";
  let store: Store | undefined;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "adyton-hunt-"));
    store = await Store.open({ folder });
    const rows = rowsOfCase(await caseNamed("shared-wording", "hit-dealt-list"));
    for (const [table, list] of Object.entries(rows)) await store.insert(table, list);
  });

  after(async () => {
    await store?.close();
    await rm(folder, { recursive: true, force: true });
  });

  test("is deterministic, names its error rate and its reasons", async () => {
    assert.ok(store);
    const look = { store, detectors, nowMs: CASE_START_MS + 48 * HOUR_MS };
    const [first, second] = [await hunt(look), await hunt(look)];
    assert.deepEqual(first, second);
    assert.deepEqual(first.failures, []);
    assert.equal(first.findings.length, 1);
    const [finding] = first.findings;
    assert.equal(finding?.kind, "campaign");
    assert.equal(finding?.accounts.length, 12);
    const tests = detectors.filter(({ kind }) => kind !== "probe").length;
    assert.match(finding?.errorRate ?? "", new RegExp(`False discovery rate ${1 / tests} %`));
    assert.ok((finding?.pValue ?? 1) <= 0.01 / tests);
    assert.ok((finding?.contributions.length ?? 0) >= 4);
  });

  test("sees nothing of the future", async () => {
    assert.ok(store);
    const { findings } = await hunt({ store, detectors, nowMs: CASE_START_MS + 4 * HOUR_MS });
    assert.deepEqual(findings, []);
  });

  test("keeps the id and the time of a finding that does not change", async () => {
    assert.ok(store);
    const watch = new Watch({ store, detectors });
    const before48 = await watch.look(CASE_START_MS + 30 * HOUR_MS);
    const later = await watch.look(CASE_START_MS + 48 * HOUR_MS);
    assert.equal(later.findings[0]?.id, before48.findings[0]?.id);
    assert.equal(later.findings[0]?.timeMs, before48.findings[0]?.timeMs);
  });

  test("lets a detector rest between its looks, unless a person asks", async () => {
    assert.ok(store);
    const nowMs = CASE_START_MS + 5 * HOUR_MS;
    const late = { ...detectorNamed("shared-wording"), everyHours: 48 };
    const rests = new Watch({ store, detectors: [late] });
    assert.deepEqual((await rests.look(nowMs)).findings, []);
    assert.deepEqual((await rests.look(nowMs + 43 * HOUR_MS)).findings, []);
    const asked = await rests.look(nowMs + 43 * HOUR_MS, { everything: true });
    assert.equal(asked.findings.length, 1);
  });

  test("keeps the id of a finding whose accounts change, and says when they did", async () => {
    assert.ok(store);
    const nowMs = CASE_START_MS + 48 * HOUR_MS;
    const [grown] = (await hunt({ store, detectors, nowMs })).findings;
    assert.ok(grown);
    const smaller = {
      ...grown,
      id: "campaign-known",
      accounts: grown.accounts.slice(0, 7),
      timeMs: nowMs - HOUR_MS,
      firstMs: nowMs - 2 * HOUR_MS,
    };
    const [found] = (await hunt({ store, detectors, nowMs, previous: [smaller] })).findings;
    assert.equal(found?.id, "campaign-known");
    assert.equal(found?.timeMs, nowMs);
    assert.equal(found?.firstMs, nowMs - 2 * HOUR_MS);
  });

  test("goes on without a detector that fails", async () => {
    assert.ok(store);
    const broken = { ...detectorNamed("coverage"), id: "broken", sql: "SELECT * FROM no_such_table" };
    const nowMs = CASE_START_MS + 48 * HOUR_MS;
    const { findings, failures } = await hunt({ store, detectors: [broken, ...detectors], nowMs });
    assert.equal(findings.length, 1);
    assert.deepEqual(
      failures.map(({ detector, error }) => [detector, error.code]),
      [["broken", "detector-failed"]],
    );
  });
});

test("a folder that holds no proper detector is refused with its place", async () => {
  await assert.rejects(
    loadDetectors(join(tmpdir(), "adyton-no-such-folder")),
    (error: unknown) => error instanceof DetectError && error.code === "detector-invalid",
  );
});
