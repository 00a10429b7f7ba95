// One world from its file to its score: features, looks, alerts, and the naive detectors beside it.
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { Store } from "../../src/store/store.ts";
import { fill, linesIn } from "./fill.ts";
import { watch } from "./watch.ts";
import { baselinesOf, makeWorld, nameOf, type Score, scoreWorld, type WorldSpec } from "./worlds.ts";

export interface WorldResult extends WorldSpec {
  readonly name: string;
  readonly score: Score;
  readonly baselines: readonly { readonly name: string; readonly score: Score }[];
  readonly exchangesASecond: number;
  readonly looks: number;
  readonly slowestLookSeconds: number;
  readonly failures: readonly string[];
}

export interface WorldRunOptions {
  readonly folder: string;
  readonly everyHours: number;
  readonly level: number;
  readonly baselines: boolean;
}

export async function runWorld(spec: WorldSpec, options: WorldRunOptions): Promise<WorldResult> {
  const name = nameOf(spec);
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
    // Comparison only: their reader stops at a line separator (U+2028) inside a prompt.
    const naive = options.baselines
      ? await baselinesOf(world, out).catch((error: unknown) => {
          console.error(`no naive detectors for ${name}: ${String(error)}`);
          return [];
        })
      : [];
    const baselines = [];
    for (const one of naive) baselines.push({ name: one.name, score: await scoreWorld(world, one.findings) });
    return {
      ...spec,
      name,
      score: await scoreWorld(world, findings),
      baselines,
      exchangesASecond: filled.exchanges / filled.seconds,
      looks: watched.looks,
      slowestLookSeconds: watched.slowestSeconds,
      failures: watched.failures,
    };
  } finally {
    await store.close();
    await rm(storeFolder, { recursive: true, force: true });
  }
}
