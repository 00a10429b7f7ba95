// Holds the labels of a world against what was served: by fleet for the harvest, by population for everybody honest.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { readLines } from "../../src/cli/lines.ts";

export type Fate = "served" | "reduced" | "refused";

/**
 * Why a part of the harvest was served in full. `unfound`: no measure was proposed about any account of the fleet yet;
 * `outside`: the fleet was found, this account was not; `deciding`: its measure waited for approval, delay and jitter;
 * `mild`: its measure was in effect and let it through.
 */
export type Loss = "unfound" | "outside" | "deciding" | "mild";

export interface FleetTally {
  readonly fleet: string;
  readonly family: string;
  readonly size: number;
  /** Exchanges of the harvest, and how each was answered. */
  readonly harvest: Readonly<Record<Fate, number>>;
  readonly served: Readonly<Record<Loss, number>>;
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
  fleets: z.record(
    z.string(),
    z.looseObject({ family: z.string(), size: z.number(), accounts: z.array(z.string()) }),
  ),
});
const labelShape = z.object({ id: z.string(), harvest: z.boolean(), fleet: z.string().nullable() });

export class Labels {
  readonly #truth: z.infer<typeof truthShape>;
  /** Fleet of each exchange that feeds a harvest. */
  readonly #harvest: ReadonlyMap<string, string>;
  readonly #fleets = new Map<string, Record<Fate, number>>();
  readonly #losses = new Map<string, Record<Loss, number>>();
  /** Accounts that a measure was proposed about, and the fleets they belong to. */
  readonly #named = new Set<string>();
  readonly #found = new Set<string>();
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

  /** A measure was proposed about these accounts, or they inherited one. */
  name(accounts: readonly string[]): void {
    for (const account of accounts) this.#named.add(account);
    for (const [fleet, truth] of Object.entries(this.#truth.fleets)) {
      if (truth.accounts.some((account) => this.#named.has(account))) this.#found.add(fleet);
    }
  }

  /** @param isMild a measure is in effect for the account, and lets the exchange through as it is */
  count(
    { id, account }: { readonly id: string; readonly account: string },
    fate: Fate,
    { isMild = false }: { isMild?: boolean } = {},
  ): void {
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
    if (fleet === undefined) return;
    of(this.#fleets, fleet)[fate] += 1;
    if (fate !== "served") return;
    const losses = this.#losses.get(fleet) ?? noLosses();
    this.#losses.set(fleet, losses);
    const isNamed = this.#named.has(account);
    losses[isMild ? "mild" : isNamed ? "deciding" : this.#found.has(fleet) ? "outside" : "unfound"] += 1;
  }

  tally(): Tally {
    const sizes = new Map<string, number>();
    for (const { population } of Object.values(this.#truth.accounts))
      sizes.set(population, (sizes.get(population) ?? 0) + 1);
    return {
      fleets: Object.entries(this.#truth.fleets).map(([fleet, { family, size }]) => ({
        ...{ fleet, family, size },
        harvest: this.#fleets.get(fleet) ?? nothing(),
        served: this.#losses.get(fleet) ?? noLosses(),
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

function noLosses(): Record<Loss, number> {
  return { unfound: 0, outside: 0, deciding: 0, mild: 0 };
}
