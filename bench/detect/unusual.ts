// Measures the ranking of accounts: when a harvest by one account comes to the front, and how strange honest ones ever look.
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { rankStored } from "../../src/detect/unusual/rank-stored.ts";
import { Store } from "../../src/store/store.ts";
import { fill, linesIn } from "./fill.ts";
import { makeWorld, type WorldSpec } from "./worlds.ts";

const HOUR_MS = 3_600_000;
/** As far as a person looks down a list, with at least so much evidence. */
const FRONT = { places: 10, eValue: 2 } as const;
/** By Ville's inequality at most 1/x of all honest accounts ever reach x. */
const VALUES = [2, 5, 10, 20] as const;

export interface Harvester {
  readonly world: string;
  readonly family: string;
  /** Share of the harvest served at the first look with it in front; null: never. */
  readonly inFrontAt: number | null;
  /** Looks with it in front, of those after a twentieth of the harvest. */
  readonly inFrontLooks: number;
  readonly looks: number;
}

export interface UnusualResult {
  readonly world: string;
  readonly harvesters: readonly Harvester[];
  readonly honest: number;
  /** Honest accounts whose largest e-value over all looks reaches each of `VALUES`. */
  readonly reached: readonly number[];
  /** Accounts that e-BH rejected, over all looks. */
  readonly rejected: number;
  readonly looks: number;
  readonly secondsALook: number;
}

const truthFile = z.object({
  accounts: z.record(z.string(), z.object({ fleet: z.string().optional() })),
  fleets: z.record(z.string(), z.object({ family: z.string(), size: z.number() })),
});
const truthLine = z.object({ time: z.string(), fleet: z.string().nullish(), harvest: z.boolean() });

/** One world from its file on, looked at every `everyHours`. */
export async function runUnusual(
  spec: WorldSpec,
  options: { readonly folder: string; readonly everyHours: number; readonly level: number },
): Promise<UnusualResult> {
  const world = await makeWorld(spec, join(options.folder, "worlds"));
  const { accounts, fleets } = truthFile.parse(JSON.parse(await readFile(join(world, "truth.json"), "utf8")));
  const harvests = await harvestTimes(world);
  const folder = join(options.folder, "stores", `unusual-${spec.name}`);
  const store = await Store.openEmpty({ folder });
  try {
    const { firstMs, lastMs } = await fill(store, {
      exchanges: linesIn(join(world, "exchanges.jsonl.gz")),
      accounts: join(world, "accounts.jsonl"),
    });
    const largest = new Map<string, number>();
    const places = new Map<string, { readonly share: number; readonly isFront: boolean }[]>();
    let [looks, rejected] = [0, 0];
    const beganMs = performance.now();
    const everyMs = options.everyHours * HOUR_MS;
    for (let nowMs = Math.ceil(firstMs / everyMs) * everyMs; nowMs < lastMs + everyMs; nowMs += everyMs) {
      const ranking = await rankStored(store, { nowMs, level: options.level });
      looks += 1;
      rejected += ranking.rejected;
      ranking.accounts.forEach(({ account, eValue }, index) => {
        const fleet = accounts[account]?.fleet;
        if (fleet === undefined) largest.set(account, Math.max(largest.get(account) ?? 0, eValue));
        else if (fleets[fleet]?.size === 1) {
          const times = harvests.get(fleet) ?? [];
          const share = times.filter((ms) => ms < nowMs).length / Math.max(1, times.length);
          const isFront = index < FRONT.places && eValue >= FRONT.eValue;
          places.set(fleet, [...(places.get(fleet) ?? []), { share, isFront }]);
        }
      });
    }
    return {
      world: spec.name,
      harvesters: [...places].map(([fleet, seen]) => {
        const later = seen.filter(({ share }) => share > 0.05);
        return {
          world: spec.name,
          family: fleets[fleet]?.family ?? "",
          inFrontAt: seen.find(({ isFront }) => isFront)?.share ?? null,
          inFrontLooks: later.filter(({ isFront }) => isFront).length,
          looks: later.length,
        };
      }),
      honest: largest.size,
      reached: VALUES.map((value) => [...largest.values()].filter((one) => one >= value).length),
      rejected,
      looks,
      secondsALook: (performance.now() - beganMs) / 1000 / looks,
    };
  } finally {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** When each fleet's harvest was served. */
async function harvestTimes(world: string): Promise<Map<string, number[]>> {
  const times = new Map<string, number[]>();
  const known = (fleet: string): number[] => {
    const list = times.get(fleet) ?? [];
    times.set(fleet, list);
    return list;
  };
  for await (const lines of linesIn(join(world, "truth-exchanges.jsonl.gz"))) {
    for (const line of lines) {
      const { time, fleet, harvest } = truthLine.parse(JSON.parse(line));
      if (harvest && fleet != null) known(fleet).push(Date.parse(time));
    }
  }
  return times;
}

export function printUnusual(results: readonly UnusualResult[]): void {
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  console.log("| world | harvest by one account | among the first ten from | looks among them, after 5 % |");
  console.log("|---|---|---|---|");
  for (const { world, family, inFrontAt, inFrontLooks, looks } of results.flatMap((one) => one.harvesters))
    console.log(
      `| ${world} | ${family} | ${inFrontAt === null ? "never" : percent(inFrontAt)} | ${inFrontLooks} of ${looks} |`,
    );
  const honest = results.reduce((sum, one) => sum + one.honest, 0);
  const reached = VALUES.map((value, at) => {
    const count = results.reduce((sum, one) => sum + (one.reached[at] ?? 0), 0);
    return `e ${value}: ${percent(count / Math.max(1, honest))}`;
  });
  console.log(
    `\n${honest} honest accounts in ${results.length} worlds; at some look they reach ${reached.join(", ")}.`,
  );
  console.log(`e-BH rejected ${results.reduce((sum, one) => sum + one.rejected, 0)} accounts at all looks.`);
}
