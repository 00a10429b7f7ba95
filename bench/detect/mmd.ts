// The protocol of the MMD paper (arXiv 2606.05725) on public prompt sets, with the features and the statistic of Adyton.
import { readNeutralExchange } from "../../src/core/decode/neutral.ts";
import { type Interval, shareInterval } from "../../src/core/statistics/binomial-interval.ts";
import { generator } from "../../src/core/statistics/generator.ts";
import {
  fisherDistance,
  type Reference,
  referenceOf,
  scaledMmd,
} from "../../src/core/statistics/mean-embedding.ts";
import { rowsOf } from "../../src/detect/features/rows.ts";
import { addFeatures, FEATURE_LENGTH, featureWeights } from "../../src/detect/sketch/account-sketch.ts";
import type { Figure } from "./figures.ts";
import { attackSets, honestGroups, shuffled } from "./mmd-data.ts";

/** Attackers' shares of a window, and the detection rates the paper reaches at 1,500 and (nearest size) 200 queries. */
const SHARES = [0.05, 0.1, 0.25, 0.5, 1] as const;
const PAPER: Readonly<Record<number, readonly number[]>> = {
  1500: [0.59, 0.936, 1, 1, 1],
  250: [0.016, 0.272, 0.872, 1, Number.NaN],
};
const FALSE_POSITIVES = 0.003;
const WINDOWS = [1500, 250] as const;
/** Share of the honest pool that reference and calibration are made of; the test windows come from the rest. */
const TRAINING = 0.66;
/**
 * Null draws: so many inner splits, so many windows of each. The largest of 1,000 is the limit: with 95 % confidence no
 * more than 0.3 % of null windows lie beyond it (Wilks 1941; 1 - 0.997^1000 = 0.95), as far as draws are independent.
 */
const INNER_SPLITS = 20;
const WINDOWS_A_SPLIT = 50;
const TEST_WINDOWS = 100;
/** Windows of each attack set, share and split. */
const ATTACK_WINDOWS = 5;

/** How the honest pool is cut: prompt by prompt as the paper does, or conversations whole, which is harder. */
type Split = "prompts" | "conversations";
type Statistic = "fisher" | "mmd";
const STATISTICS: Readonly<Record<Statistic, typeof fisherDistance>> = {
  fisher: fisherDistance,
  mmd: scaledMmd,
};

export interface MmdResult {
  readonly split: Split;
  readonly window: number;
  readonly statistic: Statistic;
  readonly falsePositives: { readonly hits: number; readonly of: number };
  /** Windows of this size that fit into the test pool without overlap: all that an interval may count, a split. */
  readonly independent: number;
  readonly splits: number;
  /** Detection rate at each of `SHARES`, over all sets that are large enough, and each set's. */
  readonly rates: readonly { readonly hits: number; readonly of: number }[];
  readonly sets: Readonly<Record<string, readonly (number | null)[]>>;
}

type Vector = Float64Array;

/** Deterministic in `seed`. */
export async function runMmd(options: {
  readonly seed: number;
  readonly splits: number;
}): Promise<MmdResult[]> {
  const random = generator(options.seed);
  const honest = (await honestGroups(random)).map((group) => group.map(vectorOf));
  const attacks = (await attackSets(random)).map(({ name, prompts }) => ({
    name,
    vectors: prompts.map(vectorOf),
  }));
  const results: MmdResult[] = [];
  for (const split of ["prompts", "conversations"] as const) {
    const pool = split === "prompts" ? honest.flat().map((vector) => [vector]) : honest;
    const tallies = WINDOWS.flatMap((window) =>
      (Object.keys(STATISTICS) as Statistic[]).map((statistic) => new Tally(split, window, statistic)),
    );
    for (let round = 0; round < options.splits; round += 1) measure(pool, attacks, tallies, random);
    results.push(...tallies.map((tally) => tally.result(options.splits)));
  }
  return results;
}

/** One cut of the pool: reference and null from the training part, windows from the other. */
function measure(
  pool: readonly (readonly Vector[])[],
  attacks: readonly { readonly name: string; readonly vectors: readonly Vector[] }[],
  tallies: readonly Tally[],
  random: () => number,
): void {
  const [training, test] = cut(pool, TRAINING, random);
  const reference = referenceOf(training.flat());
  const fresh = test.flat();
  for (const window of WINDOWS) {
    const mine = tallies.filter((tally) => tally.window === window);
    const nulls = nullDraws(training, window, random);
    for (const tally of mine) {
      const draws = nulls.map((one) => tally.statisticOf(one.window, one.reference));
      tally.begin(Math.max(...draws), fresh.length);
    }
    for (let i = 0; i < TEST_WINDOWS; i += 1) {
      const drawn = sumOf(draw(fresh, window, random));
      for (const tally of mine) tally.honest(drawn, reference);
    }
    for (const { name, vectors } of attacks) {
      SHARES.forEach((share, at) => {
        const hostile = Math.round(share * window);
        if (hostile > vectors.length) return;
        for (let i = 0; i < ATTACK_WINDOWS; i += 1) {
          const drawn = sumOf([...draw(vectors, hostile, random), ...draw(fresh, window - hostile, random)]);
          for (const tally of mine) tally.attack(name, at, drawn, reference);
        }
      });
    }
  }
}

/**
 * The null repeats the whole procedure inside the training part: part of it plays the reference, the rest the pool that
 * windows come from, so that pools differ from each other as the test pool will from the reference.
 */
function nullDraws(
  training: readonly (readonly Vector[])[],
  window: number,
  random: () => number,
): { readonly window: Drawn; readonly reference: Reference }[] {
  return Array.from({ length: INNER_SPLITS }, () => {
    const [inner, rest] = cut(training, TRAINING, random);
    const reference = referenceOf(inner.flat()); // its spread too: windows must be new to it, as test windows are
    const pool = rest.flat();
    return Array.from({ length: WINDOWS_A_SPLIT }, () => ({
      window: sumOf(draw(pool, window, random)),
      reference,
    }));
  }).flat();
}

interface Drawn {
  readonly sum: Vector;
  readonly count: number;
}

class Tally {
  readonly split: Split;
  readonly window: number;
  readonly statistic: Statistic;
  #limit = 0;
  #independent = 0;
  readonly #honest = { hits: 0, of: 0 };
  readonly #rates = SHARES.map(() => ({ hits: 0, of: 0 }));
  readonly #sets = new Map<string, { hits: number; of: number }[]>();

  constructor(split: Split, window: number, statistic: Statistic) {
    this.split = split;
    this.window = window;
    this.statistic = statistic;
  }

  statisticOf(drawn: Drawn, reference: Reference): number {
    return STATISTICS[this.statistic](drawn, reference);
  }

  begin(limit: number, testPrompts: number): void {
    this.#limit = limit;
    this.#independent = testPrompts / this.window;
  }

  honest(drawn: Drawn, reference: Reference): void {
    this.#honest.of += 1;
    if (this.statisticOf(drawn, reference) > this.#limit) this.#honest.hits += 1;
  }

  attack(name: string, at: number, drawn: Drawn, reference: Reference): void {
    const hit = this.statisticOf(drawn, reference) > this.#limit ? 1 : 0;
    const set = this.#sets.get(name) ?? SHARES.map(() => ({ hits: 0, of: 0 }));
    this.#sets.set(name, set);
    for (const count of [set[at], this.#rates[at]]) {
      if (count === undefined) continue;
      count.of += 1;
      count.hits += hit;
    }
  }

  result(splits: number): MmdResult {
    const rate = ({ hits, of }: { hits: number; of: number }): number | null => (of === 0 ? null : hits / of);
    return {
      split: this.split,
      window: this.window,
      statistic: this.statistic,
      falsePositives: this.#honest,
      independent: this.#independent,
      splits,
      rates: this.#rates,
      sets: Object.fromEntries([...this.#sets].map(([name, counts]) => [name, counts.map(rate)])),
    };
  }
}

const KEYS = { secret: Buffer.from("for benchmarks on public prompts") };

/** A prompt's features as the product derives them: through the exchange that carries it. */
function vectorOf(prompt: string): Vector {
  const read = readNeutralExchange(
    JSON.stringify({
      id: "x",
      time: "2026-01-05T00:00:00Z",
      account: "a",
      endpoint: "/v1/chat/completions",
      request: { model: "m", messages: [{ role: "user", content: prompt }] },
      response: { status: 200, text: "" },
    }),
  );
  if (!("value" in read)) throw new TypeError(`expected an exchange, got ${read.reason}`);
  const [row] = rowsOf({ ...read.value, outcome: "complete" }, KEYS).exchange_features;
  const sums = new Int32Array(FEATURE_LENGTH);
  addFeatures(row, sums);
  return Float64Array.from(sums, (value, i) => value * (featureWeights[i] as number));
}

/** Two parts, groups whole, the first with about `share` of the prompts. */
function cut<T>(groups: readonly (readonly T[])[], share: number, random: () => number): [T[][], T[][]] {
  const total = groups.reduce((sum, group) => sum + group.length, 0);
  const parts: [T[][], T[][]] = [[], []];
  let given = 0;
  for (const group of shuffled(groups, random)) {
    parts[given < share * total ? 0 : 1].push([...group]);
    given += group.length;
  }
  return parts;
}

/** Different ones: a window never holds a prompt twice. */
function draw(pool: readonly Vector[], count: number, random: () => number): Vector[] {
  const taken = new Set<number>();
  while (taken.size < Math.min(count, pool.length)) taken.add(Math.floor(random() * pool.length));
  return [...taken].map((index) => pool[index] as Vector);
}

function sumOf(vectors: readonly Vector[]): Drawn {
  const sum = new Float64Array(FEATURE_LENGTH);
  for (const vector of vectors)
    for (let i = 0; i < FEATURE_LENGTH; i += 1) sum[i] = (sum[i] as number) + (vector[i] as number);
  return { sum, count: vectors.length };
}

/** Lines beside the paper's figures. Those of the Fisher distance on the paper's own split are the promise. */
export function mmdFigures(results: readonly MmdResult[]): Figure[] {
  return results.flatMap((one) => {
    const promised = one.window === 1500 && one.statistic === "fisher" && one.split === "prompts";
    const paper = PAPER[one.window] ?? [];
    const rates = one.rates.map(({ hits, of }) => (of === 0 ? Number.NaN : hits / of));
    const { hits, of } = one.falsePositives;
    const name = `${one.statistic === "fisher" ? "kernel Fisher" : "MMD"}, ${one.window} queries, cut by ${one.split}`;
    const show = (list: readonly number[]): string =>
      list.map((value) => (Number.isNaN(value) ? "-" : value.toFixed(3))).join(" / ");
    return [
      {
        name: `${name}: found at 5, 10, 25, 50, 100 %`,
        target: `${one.window === 250 ? "paper, 200: " : "paper: "}${show(paper)}`,
        measured: show(rates),
        met: promised ? rates.every((rate, at) => !(rate < (paper[at] ?? 0))) : null,
      },
      {
        name: `${name}: false positives`,
        target: "0.3 %",
        measured: `${((100 * hits) / of).toFixed(2)} % (${hits} of ${of} windows; ${one.independent.toFixed(1)} independent a cut, ${one.splits} cuts: interval of independent ones ${intervalText(independentInterval(one))})`,
        met: promised ? hits <= FALSE_POSITIVES * of : null,
      },
    ];
  });
}

function independentInterval({ falsePositives: { hits, of }, independent, splits }: MmdResult): Interval {
  const windows = Math.max(1, Math.floor(independent * splits));
  return shareInterval(Math.round((hits / of) * windows), windows);
}

function intervalText({ from, to }: Interval): string {
  return `${(100 * from).toFixed(1)} to ${(100 * to).toFixed(1)} %`;
}

export function printSets(results: readonly MmdResult[]): void {
  for (const one of results.filter((result) => result.statistic === "fisher")) {
    console.log(`\nfound by set, ${one.window} queries, cut by ${one.split}: 5, 10, 25, 50, 100 %`);
    for (const [name, rates] of Object.entries(one.sets))
      console.log(
        `  ${name.padEnd(20)} ${rates.map((rate) => (rate === null ? "   -" : rate.toFixed(2))).join("  ")}`,
      );
  }
}
