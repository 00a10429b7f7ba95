// One world from its file to its score: features, looks, alerts, and the naive detectors beside it.
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { Store } from "../../src/store/store.ts";
import { fill, linesIn } from "./fill.ts";
import { type Accused, accusedByPopulation } from "./honest.ts";
import { baselinesOf } from "./naive.ts";
import { watch } from "./watch.ts";
import { type Control, makeWorld, type Score, scoreWorld, type WorldSpec } from "./worlds.ts";

export interface WorldResult {
  readonly name: string;
  readonly control: Control | null;
  readonly score: Score;
  /** Honest accounts, and those of them in any alert. */
  readonly honest: Readonly<Record<string, Accused>>;
  readonly baselines: readonly { readonly name: string; readonly score: Score }[];
  readonly exchangesASecond: number;
  readonly looks: number;
  readonly slowestLookSeconds: number;
  /** All looks together. */
  readonly lookSeconds: number;
  readonly failures: readonly string[];
}

export interface WorldRunOptions {
  readonly folder: string;
  readonly everyHours: number;
  readonly level: number;
  readonly baselines: boolean;
}

export async function runWorld(spec: WorldSpec, options: WorldRunOptions): Promise<WorldResult> {
  const { name, control } = spec;
  const world = await makeWorld(spec, join(options.folder, "worlds"));
  const out = join(options.folder, "findings", name);
  await mkdir(out, { recursive: true });
  const storeFolder = join(options.folder, "stores", name);
  const store = await Store.openEmpty({ folder: storeFolder });
  try {
    const filled = await fill(store, {
      exchanges: linesIn(join(world, "exchanges.jsonl.gz")),
      accounts: join(world, "accounts.jsonl"),
    });
    const watched = await watch(store, filled, options);
    const findings = join(out, "adyton.json");
    await watched.alerts.write(findings);
    const baselines = [];
    for (const one of options.baselines ? await baselinesOf(world, out) : [])
      baselines.push({ name: one.name, score: await scoreWorld(world, one.findings) });
    return {
      name,
      control,
      score: await scoreWorld(world, findings),
      honest: await accusedByPopulation(world, watched.alerts.alerts),
      baselines,
      exchangesASecond: filled.exchanges / filled.seconds,
      looks: watched.looks,
      slowestLookSeconds: watched.slowestSeconds,
      lookSeconds: watched.seconds,
      failures: watched.failures,
    };
  } finally {
    await store.close();
    await rm(storeFolder, { recursive: true, force: true });
  }
}
