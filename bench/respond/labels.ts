// Holds the labels of a world against what was served: by fleet for the harvest, by population for everybody honest.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { readLines } from "../../src/cli/lines.ts";

export type Fate = "served" | "reduced" | "refused";

export interface FleetTally {
  readonly fleet: string;
  readonly family: string;
  readonly size: number;
  /** Exchanges of the harvest, and how each was answered. */
  readonly harvest: Readonly<Record<Fate, number>>;
}

export interface PopulationTally {
  readonly population: string;
  readonly accounts: number;
  readonly accountsTouched: number;
  readonly exchanges: Readonly<Record<Fate, number>>;
}

export interface Tally {
  readonly fleets: readonly FleetTally[];
  readonly populations: readonly PopulationTally[];
}

const truthShape = z.object({
  accounts: z.record(z.string(), z.looseObject({ population: z.string() })),
  fleets: z.record(z.string(), z.looseObject({ family: z.string(), size: z.number() })),
});
const labelShape = z.object({ id: z.string(), harvest: z.boolean(), fleet: z.string().nullable() });

export class Labels {
  readonly #truth: z.infer<typeof truthShape>;
  /** Fleet of each exchange that feeds a harvest. */
  readonly #harvest: ReadonlyMap<string, string>;
  readonly #fleets = new Map<string, Record<Fate, number>>();
  readonly #populations = new Map<string, Record<Fate, number>>();
  readonly #touched = new Map<string, Set<string>>();

  private constructor(truth: z.infer<typeof truthShape>, harvest: ReadonlyMap<string, string>) {
    this.#truth = truth;
    this.#harvest = harvest;
  }

  static async read(world: string): Promise<Labels> {
    const truth = truthShape.parse(JSON.parse(await readFile(join(world, "truth.json"), "utf8")));
    const harvest = new Map<string, string>();
    for await (const { lines } of readLines(join(world, "truth-exchanges.jsonl.gz"))) {
      for (const line of lines) {
        if (line === null || line === "") continue;
        const label = labelShape.parse(JSON.parse(line));
        if (label.harvest && label.fleet !== null) harvest.set(label.id, label.fleet);
      }
    }
    return new Labels(truth, harvest);
  }

  count({ id, account }: { readonly id: string; readonly account: string }, fate: Fate): void {
    const population = this.#truth.accounts[account]?.population ?? "unknown";
    if (population !== "fleet") {
      of(this.#populations, population)[fate] += 1;
      if (fate !== "served") {
        const touched = this.#touched.get(population) ?? new Set();
        this.#touched.set(population, touched.add(account));
      }
      return;
    }
    const fleet = this.#harvest.get(id);
    if (fleet !== undefined) of(this.#fleets, fleet)[fate] += 1;
  }

  tally(): Tally {
    const sizes = new Map<string, number>();
    for (const { population } of Object.values(this.#truth.accounts))
      sizes.set(population, (sizes.get(population) ?? 0) + 1);
    return {
      fleets: Object.entries(this.#truth.fleets).map(([fleet, { family, size }]) => ({
        ...{ fleet, family, size },
        harvest: this.#fleets.get(fleet) ?? nothing(),
      })),
      populations: [...this.#populations].sort().map(([population, exchanges]) => ({
        ...{ population, exchanges },
        accounts: sizes.get(population) ?? 0,
        accountsTouched: this.#touched.get(population)?.size ?? 0,
      })),
    };
  }
}

function of(map: Map<string, Record<Fate, number>>, key: string): Record<Fate, number> {
  const known = map.get(key) ?? nothing();
  map.set(key, known);
  return known;
}

function nothing(): Record<Fate, number> {
  return { served: 0, reduced: 0, refused: 0 };
}
