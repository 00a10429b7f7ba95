// The analyst takes in, ticks and runs detectors beside one another, and what fails or lasts in one holds up no other.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { pino } from "pino";
import type { LiveHunter } from "../../src/cli/hunter.ts";
import type { Step } from "../../src/cli/pump.ts";
import { Analysis, type AnalysisOptions } from "../../src/cli/serve/analysis.ts";
import type { Finding } from "../../src/core/finding.ts";
import type { Detector } from "../../src/detect/catalog.ts";
import { Watch } from "../../src/detect/hunt.ts";
import { Store } from "../../src/store/store.ts";
import {
  CLAIMED_MS,
  detectorNamed,
  endlessDetector,
  fillWithJoiners,
  JOINED_MS,
} from "../helpers/campaign-with-joiners.ts";

const DEADLINE_MS = 30_000;
const wording = await detectorNamed("shared-wording", { everyHours: 100 });
const endless = await endlessDetector();
const NOTHING_NEW: Step = { exchanges: 0, accounts: 0, erased: 0, failed: 0, position: 0, size: 0 };

async function until(holds: () => boolean, what: string): Promise<void> {
  const deadlineMs = performance.now() + DEADLINE_MS;
  while (!holds()) {
    assert.ok(performance.now() < deadlineMs, `expected ${what}`);
    await sleep(5);
  }
}

function hunterOf(watch: Watch): LiveHunter {
  return {
    isDue: (nowMs) => watch.isDue(nowMs),
    run: (nowMs, options) => watch.run(nowMs, options),
    tick: async (nowMs) => (await watch.tick(nowMs)).findings,
  };
}

/** Takes one row in at every step. */
function rowByRow(store: Store): AnalysisOptions["pump"] {
  return {
    step: async () => {
      const from = await store.position();
      const row = {
        leaf: from,
        exchange: `taken-${from}`,
        account: "somebody",
        time: "2026-01-01T00:00:00Z",
      };
      await store.insertBatch({ rows: { exchange_features: [row] }, position: from + 1 });
      return { ...NOTHING_NEW, exchanges: 1, position: from + 1, size: from + 1 };
    },
  };
}

interface Running {
  readonly analysis: Analysis;
  readonly ended: Promise<void>;
  readonly stop: () => void;
  /** What was kept last. */
  readonly kept: () => readonly string[];
}

/** A test that fails ends its loops too. */
const stops: AbortController[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop.abort();
});

function start(options: Partial<AnalysisOptions> & Pick<AnalysisOptions, "pump" | "hunter">): Running {
  const stop = new AbortController();
  stops.push(stop);
  let kept: readonly Finding[] = [];
  const analysis = new Analysis({
    keep: async (findings) => {
      kept = findings;
    },
    tickMs: 0,
    clock: () => CLAIMED_MS,
    log: pino({ enabled: false }),
    signal: stop.signal,
    ...options,
  });
  const ended = analysis.run();
  return { analysis, ended, stop: () => stop.abort(), kept: () => kept.flatMap(({ accounts }) => accounts) };
}

async function filledStore(t: TestContext): Promise<Store> {
  const folder = await mkdtemp(join(tmpdir(), "adyton-analysis-"));
  const store = await Store.open({ folder });
  t.after(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });
  await fillWithJoiners(store);
  return store;
}

function watchOf(store: Store, detectors: readonly Detector[]): LiveHunter {
  return hunterOf(new Watch({ store, detectors }));
}

test("a detector that never ends holds up neither taking in nor ticks nor the end", async (t) => {
  const store = await filledStore(t);
  let nowMs = CLAIMED_MS;
  const hunter = watchOf(store, [wording, endless]);
  const { analysis, ended, stop, kept } = start({ pump: rowByRow(store), hunter, clock: () => nowMs });
  await until(() => kept().length === 12, "the campaign, as soon as its detector ended");
  const { exchangesTaken } = analysis.counters;
  nowMs = JOINED_MS;
  await until(() => kept().includes("joiner-2"), "who joined it");
  await until(() => analysis.counters.exchangesTaken >= exchangesTaken + 3, "exchanges taken in");
  assert.equal(analysis.counters.runs, 0, "the run is under way");
  assert.ok(analysis.counters.hunts >= 2);
  const askedMs = performance.now();
  // Expected at once: it may be refused before the loops have ended.
  const refused = assert.rejects(analysis.hunt(), { name: "AbortError" });
  stop();
  await ended;
  assert.ok(performance.now() - askedMs < DEADLINE_MS);
  await refused;
  assert.equal(analysis.counters.failures, 0);
  assert.equal(await store.position(), analysis.counters.exchangesTaken);
});

test("what a run finds is kept as it ends, however far apart ticks are", async (t) => {
  const store = await filledStore(t);
  const pump = { step: async () => NOTHING_NEW };
  const hunter = watchOf(store, [wording]);
  const { ended, stop, kept } = start({ pump, hunter, tickMs: 100 * DEADLINE_MS });
  await until(() => kept().length === 12, "the campaign");
  stop();
  await ended;
});

test("a person's hunt runs every detector and says what stands then; findings are kept one look at a time", async (t) => {
  const store = await filledStore(t);
  let [atOnce, most] = [0, 0];
  const keep = async (): Promise<void> => {
    atOnce += 1;
    most = Math.max(most, atOnce);
    await sleep(1);
    atOnce -= 1;
  };
  const hunter = watchOf(store, [wording]);
  const running = start({ pump: rowByRow(store), hunter, keep, clock: () => JOINED_MS });
  const found = await Promise.all([running.analysis.hunt(), running.analysis.hunt()]);
  for (const findings of found) assert.ok(findings[0]?.accounts.includes("joiner-1"));
  await until(() => running.analysis.counters.hunts >= 4, "ticks besides");
  const { runs, runMs, huntMs } = running.analysis.counters;
  assert.ok(runs >= 2 && runMs > 0 && huntMs > 0);
  running.stop();
  await running.ended;
  assert.equal(most, 1);
});

test("what was taken in during a run is looked at by the next tick, and nothing new is no reason for one", async () => {
  const run = Promise.withResolvers<number>();
  let [ticks, runs, steps] = [0, 0, 0];
  let next: Step = NOTHING_NEW;
  const pump = {
    step: async () => {
      steps += 1;
      const step = next;
      next = NOTHING_NEW;
      return step;
    },
  };
  const hunter: LiveHunter = {
    isDue: () => runs === 0,
    run: () => {
      runs += 1;
      return run.promise;
    },
    tick: async () => {
      ticks += 1;
      return [];
    },
  };
  const { ended, stop } = start({ pump, hunter, clock: () => performance.now() });
  await until(() => ticks >= 2, "ticks while the run is under way");
  next = { ...NOTHING_NEW, exchanges: 1 };
  const before = ticks;
  await until(() => ticks > before && next === NOTHING_NEW, "a tick with what is new");
  run.resolve(1);
  await until(() => steps > 6, "steps");
  const [settled, stepsThen] = [ticks, steps];
  await until(() => steps >= stepsThen + 3, "steps without anything new");
  assert.ok(ticks <= settled + 1, "one for the run's results at most");
  assert.equal(runs, 1);
  stop();
  await ended;
});

test("a failing step stops no tick, and a failing tick is tried again and stops no step", async () => {
  let [ticks, steps] = [0, 0];
  const hunter: LiveHunter = { isDue: () => false, run: async () => 0, tick: async () => [] };
  const noLog = start({
    hunter,
    pump: { step: () => Promise.reject(new Error("the log can't be read")) },
    keep: async () => {
      ticks += 1;
    },
  });
  await until(() => ticks === 1, "a tick");
  noLog.stop();
  await noLog.ended;
  assert.equal(noLog.analysis.counters.failures, 1);

  const noState = start({
    hunter,
    pump: {
      step: async () => {
        steps += 1;
        return NOTHING_NEW;
      },
    },
    keep: async () => {
      ticks += 1;
      if (ticks === 2) throw new Error("the state can't be written");
    },
  });
  await until(() => ticks === 3 && steps >= 2, "the tick again");
  noState.stop();
  await noState.ended;
  assert.deepEqual([noState.analysis.counters.failures, noState.analysis.counters.hunts], [1, 1]);
});
