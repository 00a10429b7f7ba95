// Who was accused though honest, one population after the other: the reading of labels, for scoring alone.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

export interface Accused {
  readonly accounts: number;
  readonly flagged: number;
}

const truth: z.ZodType<{
  readonly accounts: Readonly<
    Record<
      string,
      {
        readonly population: string;
        readonly group?: string | undefined;
        readonly fleet?: string | undefined;
      }
    >
  >;
}> = z.object({
  accounts: z.record(
    z.string(),
    z.object({
      population: z.string(),
      group: z.string().optional(),
      fleet: z.string().optional(),
    }),
  ),
});

/** Honest accounts by population, and how many of them are in any alert. */
export async function accusedByPopulation(
  world: string,
  alerts: readonly { readonly accounts: readonly string[] }[],
): Promise<Readonly<Record<string, Accused>>> {
  const { accounts } = truth.parse(JSON.parse(await readFile(join(world, "truth.json"), "utf8")));
  const flagged = new Set(alerts.flatMap((alert) => alert.accounts));
  const counts: Record<string, { accounts: number; flagged: number }> = {};
  for (const [account, { population, group, fleet }] of Object.entries(accounts)) {
    if (fleet !== undefined) continue;
    const name = populationOf(population, group ?? "");
    const count = counts[name] ?? { accounts: 0, flagged: 0 };
    counts[name] = count;
    count.accounts += 1;
    if (flagged.has(account)) count.flagged += 1;
  }
  return counts;
}

/** Groups that share something honestly are reported one by one. */
function populationOf(population: string, group: string): string {
  if (group.startsWith("tool-")) return "users of a shared tool";
  if (group.startsWith("organization-")) return "declared organisations";
  return population;
}
