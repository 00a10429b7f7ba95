// Judges who probes a classifier with numbers: inputs that are small changes of each other, many times over.

import { fitRobust, fittedUpperTail, type GroupCount } from "../../core/statistics/beta-binomial.ts";
import { benjaminiHochberg } from "../../core/statistics/multiple-testing.ts";
import { pradaDistances, squaredDistance } from "../../core/statistics/prada.ts";
import { shapiroWilk } from "../../core/statistics/shapiro-wilk.ts";
import { starRatio } from "../../core/statistics/star.ts";

/** A row of the query: one account's requests to one model, in order of time. */
export interface NumericUse {
  readonly account: string;
  readonly target: string;
  readonly timesMs: readonly number[];
  readonly exchanges: readonly string[];
  /** Of each request, the sketches of its inputs one after the other, and the class of each input or none. */
  readonly sketches: readonly (readonly number[])[];
  readonly classes: readonly (readonly number[])[];
}

export interface NumericParameters {
  /** Numbers of a sketch. */
  readonly dimensions: number;
  /** Inputs of an account that are looked at, the newest. */
  readonly maxInputs: number;
  /** Two inputs are near when their distance is at most this share of the account's median distance. */
  readonly nearShare: number;
  /** Near-equal inputs that make a neighbourhood, if PRADA's statistic says so too, and if it does not. */
  readonly minFew: number;
  readonly minMany: number;
  /** PRADA's statistic below which distances are those of made inputs. */
  readonly maxW: number;
  readonly minGroups: number;
  readonly minStar: number;
  /** A neighbourhood is asked within so long, and not later. */
  readonly sittingMs: number;
  /** Share of groups under the null that are left out of its fit. */
  readonly setAside: number;
}

export interface NumericProbe {
  readonly account: string;
  readonly target: string;
  readonly inputs: number;
  /** Inputs with a near one before them, and neighbourhoods that they make. */
  readonly near: number;
  readonly neighbourhoods: number;
  /** Shapiro and Wilk's W of PRADA's distances; NaN when there are too few. */
  readonly w: number;
  /** null: the accounts are too few for a rejection; neighbourhoods and W speak as a signature. */
  readonly pValue: number | null;
  /** Accounts with as many numeric inputs. */
  readonly peers: number;
  readonly exemplars: readonly string[];
  readonly sinceMs: number;
}

interface Input {
  readonly point: readonly number[];
  readonly label: number;
  readonly timeMs: number;
  readonly exchange: string;
}

/**
 * SEAT's count of near pairs (Zhang, Chen and Wagner 2021) at a distance relative to the account's own spread, as a
 * share of its inputs against that of all accounts: beta-binomial, fitted robustly, Benjamini-Hochberg over accounts.
 * What passes must also consist of neighbourhoods: closed (asked within a day, and none later), standing round a centre
 * (a signal that drifts or rests does neither), and many. PRADA's W below its published threshold halves their size, or
 * stands in for a rejection where accounts are few: then the claim is a signature.
 */
export function judgeNumeric(
  rows: readonly NumericUse[],
  options: { readonly parameters: NumericParameters; readonly level: number },
): NumericProbe[] {
  const { parameters, level } = options;
  const tested = rows.map((use) => testOf(use, parameters));
  const counts: GroupCount[] = tested.map(({ near, inputs }) => ({
    hits: near,
    size: Math.max(1, inputs.length - 1),
  }));
  const fit = fitRobust(counts, { setAside: parameters.setAside });
  const pValues = counts.map((count) => fittedUpperTail(count, fit));
  const rejected = new Set(benjaminiHochberg(pValues, level));
  return tested.flatMap((test, at) => {
    const use = rows[at];
    const isOdd = rejected.has(at);
    const isMade = test.w < parameters.maxW;
    if (use === undefined || (!isOdd && !isMade)) return [];
    const least = isOdd && isMade ? parameters.minFew : parameters.minMany;
    const groups = test.groups.filter((group) => isNeighbourhood(group, least, parameters));
    if (groups.length < parameters.minGroups) return [];
    const exemplars = new Set(groups.flatMap((group) => group.slice(0, 1).map((input) => input.exchange)));
    return [
      {
        ...{ account: use.account, target: use.target, inputs: test.inputs.length },
        ...{ near: test.near, neighbourhoods: groups.length, w: test.w },
        pValue: isOdd ? (pValues[at] ?? 1) : null,
        peers: rows.length - 1,
        exemplars: [...exemplars].slice(0, 4),
        sinceMs: groups[0]?.[0]?.timeMs ?? 0,
      },
    ];
  });
}

function isNeighbourhood(group: readonly Input[], least: number, parameters: NumericParameters): boolean {
  if (group.length < least) return false;
  if ((group.at(-1)?.timeMs ?? 0) - (group[0]?.timeMs ?? 0) >= parameters.sittingMs) return false;
  return starRatio(group.map(({ point }) => point)) >= parameters.minStar;
}

interface Tested {
  readonly inputs: readonly Input[];
  readonly near: number;
  readonly groups: readonly (readonly Input[])[];
  readonly w: number;
}

function testOf(use: NumericUse, parameters: NumericParameters): Tested {
  const inputs = inputsOf(use, parameters);
  const limit = parameters.nearShare ** 2 * medianSquaredDistance(inputs);
  const groups: Input[][] = [];
  let near = 0;
  for (const input of inputs) {
    // To the first of a group: a walk leaves its leader behind, versions don't.
    const group = groups.find(
      ([leader]) => leader !== undefined && squaredDistance(leader.point, input.point) <= limit,
    );
    if (group === undefined) groups.push([input]);
    else if (group.some(({ point }) => squaredDistance(point, input.point) > 0)) {
      near += 1;
      group.push(input);
    }
  }
  return { inputs, near, groups, w: shapiroWilk(pradaDistances(inputs)) };
}

function inputsOf(use: NumericUse, { dimensions, maxInputs }: NumericParameters): Input[] {
  const inputs = use.sketches.flatMap((sketch, at) => {
    const labels = use.classes[at] ?? [];
    return Array.from({ length: Math.floor(sketch.length / dimensions) }, (_, place) => ({
      point: sketch.slice(place * dimensions, (place + 1) * dimensions),
      label: labels[place] ?? 0,
      timeMs: use.timesMs[at] ?? 0,
      exchange: use.exchanges[at] ?? "",
    }));
  });
  return inputs.slice(-maxInputs);
}

/** Pairs that are looked at for the median: each input with one at a fixed stride, which no order of asking favours. */
const STRIDES = [7, 31, 127] as const;

function medianSquaredDistance(inputs: readonly Input[]): number {
  const distances = STRIDES.flatMap((stride) =>
    inputs.map(({ point }, at) =>
      squaredDistance(point, inputs[(at + stride) % inputs.length]?.point ?? point),
    ),
  ).sort((a, b) => a - b);
  return distances[distances.length >> 1] ?? 0;
}
