// What `adyton hunt` and `adyton detectors` do.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Finding } from "../../core/finding.ts";
import { figure } from "../../detect/assertion.ts";
import { type Detector, loadDetectors } from "../../detect/catalog.ts";
import { DetectError } from "../../detect/errors.ts";
import { Watch } from "../../detect/hunt.ts";
import { type CaseResult, runCases } from "../../detect/run-cases.ts";
import { comparePool, type Measure, type PoolComparison } from "../../detect/sketch/pool.ts";
import { type Take, takeOf } from "../../detect/take.ts";
import { StoreError } from "../../store/errors.ts";
import { Store } from "../../store/store.ts";
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import { openHunter } from "../hunter.ts";
import { timeText } from "../output.ts";
import { withChanges, withState } from "../with-state.ts";
import { withStore } from "../with-store.ts";

/** Most earlier findings that a look knows; the newest. */
const MAX_PREVIOUS = 1_000;
/** Most looks of one backtest: a year by the hour. */
const MAX_LOOKS = 8_784;

/** @param atMs null: now, and what is found is kept. @throws StoreError `store.locked` while a server holds the store */
export async function huntNow(context: Context, atMs: number | null): Promise<void> {
  const findings = await withStore(context, (store) =>
    withChanges(context, async ({ state, record }) => {
      const { items } = await state.findings.list({ limit: MAX_PREVIOUS });
      const hunter = await openHunter({
        store,
        config: context.config.detect,
        previous: atMs === null ? items.map(({ finding }) => finding) : [],
        onFailure: (detector, error) =>
          context.output.note(`${detector}: ${error.message}: ${String(error.cause)}`),
      });
      const found = await hunter(atMs ?? Date.now());
      if (atMs === null) await state.findings.upsert(found, { record });
      return found;
    }),
  );
  printFindings(context, findings);
}

function printFindings({ output }: Context, findings: readonly Finding[]): void {
  output.result({ findings }, () => {
    if (findings.length === 0) output.line("Nothing was found.");
    else {
      output.table(findings, [
        { title: "finding", cell: ({ id }) => id },
        { title: "detector", cell: ({ detector }) => detector },
        { title: "accounts", cell: ({ accounts }) => accounts.length, right: true },
        { title: "p", cell: ({ pValue }) => (pValue == null ? null : pValue.toExponential(1)), right: true },
        { title: "since", cell: ({ timeMs }) => timeText(timeMs) },
        { title: "summary", cell: ({ summary }) => summary, width: 100 },
      ]);
    }
  });
}

/** @throws StateError when there is no such finding */
export async function explain(context: Context, id: string): Promise<void> {
  const { finding } = await withState(context, ({ state }) => state.findings.demand(id));
  const detector = (await loadDetectors()).find((one) => one.id === finding.detector);
  const { output } = context;
  const method =
    detector === undefined
      ? null
      : {
          version: detector.version,
          nullHypothesis: detector.nullHypothesis,
          assumptions: detector.assumptions,
          falsePositives: detector.falsePositives,
          guide: detector.guide,
        };
  const stored = await storedOf(context, finding);
  const { take, pool } = stored === "locked" ? { take: stored, pool: null } : stored;
  output.result({ finding, method, take, pool }, () => {
    output.pairs([
      ["finding", finding.id],
      ["kind", finding.kind],
      ["detector", finding.detector],
      ["technique", finding.technique],
      ["accounts", finding.accounts.length],
      ["p-value", finding.pValue ?? null],
      ["last changed", timeText(finding.timeMs)],
    ]);
    for (const text of ["", finding.summary, finding.errorRate, ""]) output.line(text);
    output.pairs(finding.contributions.map(({ name, value }) => [name, value] as const));
    output.line();
    if (take === "locked") output.line("The take is counted in the store, which a running server holds.");
    else if (take !== null) output.pairs(takePairs(take));
    if (pool !== null) printPool(output, pool);
    if (method === null) return;
    output.line(`\nNull hypothesis: ${method.nullHypothesis.trim()}`);
    for (const assumption of method.assumptions) output.line(`Assumes: ${assumption}`);
    for (const error of method.falsePositives) output.line(`Known false positive: ${error}`);
    output.line(`\n${method.guide.trim()}`);
  });
}

/** What the store says of a finding's accounts until now; "locked" while a server holds it. */
async function storedOf(
  context: Context,
  { accounts }: Finding,
): Promise<{ readonly take: Take | null; readonly pool: PoolComparison | null } | "locked"> {
  try {
    const now = Date.now();
    return await withStore(context, async (store) => ({
      take: await takeOf(store, accounts, now),
      pool: await comparePool(store, accounts, now),
    }));
  } catch (error) {
    if (error instanceof StoreError && error.code === "store.locked") return "locked";
    throw error;
  }
}

/** Described, not claimed: the accounts were picked by a detector. */
function printPool(output: Context["output"], pool: PoolComparison): void {
  output.line(
    `\nRead as one, beside 199 pools of ${pool.members} of ${pool.others} other accounts (how it stands out, not its error rate):`,
  );
  output.table(pool.measures, [
    { title: "measure", cell: ({ name }) => MEASURE_NAMES[name] ?? name },
    { title: "these", cell: ({ value }) => figure(value), right: true },
    { title: "others", cell: ({ usual }) => figure(usual), right: true },
    { title: "p", cell: ({ pValue }) => figure(pValue), right: true },
  ]);
}

const MEASURE_NAMES: Readonly<Partial<Record<Measure["name"], string>>> = {
  unseenInputs: "chance that the next input is new",
  skeletonRepetition: "exchanges a skeleton",
  nearPairs: "share of pairs that are near",
  cells: "cells of the space of texts",
  rhythm: "daily rhythm, 0 to 1",
  followUpShare: "share of follow-ups",
  enrichment: "capabilities sought (ln Bayes factor)",
  distance: "distance of mean features (kernel Fisher)",
};

function takePairs({ atLeast, atMost, sinceMs, untilMs, exemplars }: Take): [string, string][] {
  return [
    ["taken, exchanges", `${atLeast.exchanges} to ${atMost.exchanges}`],
    ["taken, answer tokens", `${atLeast.tokens} to ${atMost.tokens}`],
    ["taken, distinct skeletons", `${atLeast.skeletons} to ${atMost.skeletons}`],
    ["between", `${timeText(sinceMs)} and ${timeText(untilMs)}`],
    ["lower bound", "first turns asked once; upper bound: everything served to these accounts"],
    ["exemplars", exemplars.join(", ")],
  ];
}

export async function list({ output }: Context): Promise<void> {
  const detectors = await loadDetectors();
  output.result({ detectors: detectors.map(publicFacts) }, () => {
    output.table(detectors, [
      { title: "detector", cell: ({ id }) => id },
      { title: "kind", cell: ({ kind }) => kind },
      { title: "version", cell: ({ version }) => version, right: true },
      { title: "maturity", cell: ({ maturity }) => maturity },
      { title: "severity", cell: ({ severity }) => severity },
      { title: "technique", cell: ({ atlas }) => atlas },
      { title: "name", cell: ({ name }) => name },
    ]);
  });
}

export async function show({ output }: Context, id: string): Promise<void> {
  const detector = await demand(id);
  output.result(publicFacts(detector), () => {
    output.line(`${detector.name} (${detector.id}, version ${detector.version}, ${detector.maturity})`);
    output.line(detector.summary.trim());
    output.line(`\nNull hypothesis: ${detector.nullHypothesis.trim()}`);
    for (const text of detector.assumptions) output.line(`Assumes: ${text}`);
    for (const text of detector.falsePositives) output.line(`Known false positive: ${text}`);
    for (const text of detector.knownGaps) output.line(`Known gap: ${text}`);
    output.line();
    output.table(Object.entries(detector.parameters), [
      { title: "parameter", cell: ([name]) => name },
      { title: "value", cell: ([, { value }]) => (Array.isArray(value) ? value.join(", ") : Number(value)) },
      { title: "unit", cell: ([, { unit }]) => unit },
      { title: "reason", cell: ([, { reason }]) => reason, width: 100 },
    ]);
  });
}

function publicFacts({ folder: _folder, sql: _sql, guide: _guide, ...facts }: Detector): object {
  return facts;
}

/** @throws DetectError detector-unknown */
async function demand(id: string): Promise<Detector> {
  const detector = (await loadDetectors()).find((one) => one.id === id);
  if (detector === undefined)
    throw new DetectError("detector-unknown", `expected an installed detector, got ${id}`);
  return detector;
}

/** @throws CliError check-failed when a case does not hold; DetectError */
export async function testCases({ output }: Context, id: string | null): Promise<void> {
  const detectors = id === null ? await loadDetectors() : [await demand(id)];
  const folder = await mkdtemp(join(tmpdir(), "adyton-cases-"));
  const store = await Store.open({ folder });
  const results: CaseResult[] = [];
  try {
    for (const detector of detectors) results.push(...(await runCases(store, detector)));
  } finally {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  }
  output.result({ cases: results }, () => {
    output.table(results, [
      { title: "", cell: ({ passed }) => (passed ? "ok" : "FAILED") },
      { title: "detector", cell: ({ detector }) => detector },
      { title: "case", cell: ({ name }) => name },
      { title: "difference", cell: ({ difference }) => difference, width: 100 },
    ]);
  });
  const failed = results.filter((result) => !result.passed).length;
  if (failed > 0) throw new CliError("check-failed", `${failed} of ${results.length} cases do not hold`);
}

export async function backtest(
  context: Context,
  id: string,
  { sinceMs, everyMs }: { readonly sinceMs: number; readonly everyMs: number },
): Promise<void> {
  // Each look is a run: the detector's own pace is for live traffic.
  const detector = { ...(await demand(id)), everyHours: 0 };
  const endMs = Date.now();
  if (sinceMs >= endMs || (endMs - sinceMs) / everyMs > MAX_LOOKS) {
    throw new CliError(
      "usage",
      `expected between one and ${MAX_LOOKS} looks; choose --since and --every accordingly`,
    );
  }
  const alerts = await withStore(context, async (store) => {
    const last = await store.query<{ ms: number }>(
      "SELECT toFloat64(toUnixTimestamp64Milli(max(time))) AS ms FROM exchange_features",
    );
    const untilMs = Math.min(endMs, (last[0]?.ms ?? 0) + everyMs);
    const watch = new Watch({
      store,
      detectors: [detector],
      level: context.config.detect.falseDiscoveryRate,
    });
    const told: Finding[] = [];
    const progress = context.output.progress("looking", Math.max(1, untilMs - sinceMs));
    for (let nowMs = sinceMs; nowMs <= untilMs; nowMs += everyMs) {
      const { findings, failures } = await watch.look(nowMs);
      for (const { error } of failures) throw error;
      told.push(...findings.filter((finding) => finding.timeMs === nowMs));
      progress.update(nowMs - sinceMs);
    }
    progress.end();
    return told;
  });
  printFindings(context, alerts);
}
