// Did the members of a group begin together, more than others of their kind begin at the same time?
import { countBelow } from "./ordered.ts";
import { logChoose } from "./special.ts";

export interface SharedStart {
  /** Bonferroni over all windows that were tried. */
  readonly pValue: number;
  /** Indices of the members that began in the window that speaks loudest. */
  readonly members: readonly number[];
  readonly fromMs: number;
  readonly hours: number;
}

const HOUR_MS = 3_600_000;

/**
 * Scan for a common beginning. Null: given who is in the group, its members' beginnings are exchangeable with those of
 * the others. A window opens at each member's beginning and lasts each of `windowHours`; of the remaining m - 1
 * members and o others, K begin in it, and the number of members among these is hypergeometric (Fisher's exact test,
 * one-sided). Every window tried is paid for (Bonferroni). What everybody shares, such as the beginning of the log or
 * a rush of customers, is in the others' beginnings and proves nothing. Members below three give p = 1.
 *
 * @param everybodyMs beginnings of members and others, ascending
 */
export function sharedStart(
  startsMs: readonly number[],
  everybodyMs: readonly number[],
  windowHours: readonly number[],
): SharedStart {
  const none: SharedStart = { pValue: 1, members: [], fromMs: 0, hours: 0 };
  if (startsMs.length < 3) return none;
  const ordered = [...startsMs].sort((a, b) => a - b);
  let best = none;
  let least = Number.POSITIVE_INFINITY;
  ordered.forEach((fromMs, first) => {
    for (const hours of windowHours) {
      const toMs = fromMs + hours * HOUR_MS;
      const logP = logHypergeometricTail({
        drawn: ordered.length - 1,
        hits: countBelow(ordered, toMs) - first - 1,
        marked: countBelow(everybodyMs, toMs) - countBelow(everybodyMs, fromMs) - 1,
        all: everybodyMs.length - 1,
      });
      if (logP < least) {
        least = logP;
        best = { ...none, fromMs, hours };
      }
    }
  });
  const toMs = best.fromMs + best.hours * HOUR_MS;
  return {
    ...best,
    pValue: Math.min(1, ordered.length * windowHours.length * Math.exp(least)),
    members: startsMs.flatMap((ms, index) => (ms >= best.fromMs && ms < toMs ? [index] : [])),
  };
}

export interface Drawing {
  readonly drawn: number;
  readonly hits: number;
  readonly marked: number;
  readonly all: number;
}

/** ln P(X >= hits) for X marked ones among `drawn` of `all`, of which `marked` are marked. */
export function logHypergeometricTail({ drawn, hits, marked, all }: Drawing): number {
  const least = Math.max(drawn + marked - all, 0);
  const first = Math.max(hits, least);
  if (first === least) return 0;
  const most = Math.min(drawn, marked);
  if (first > most) return Number.NEGATIVE_INFINITY;
  // Each term from the one before; beyond the mode, where hits that matter lie, they only fall.
  let [term, sum] = [1, 1];
  for (let x = first; x < most && term > sum * Number.EPSILON; x += 1) {
    term *= ((marked - x) * (drawn - x)) / ((x + 1) * (all - marked - drawn + x + 1));
    sum += term;
  }
  const logFirst = logChoose(marked, first) + logChoose(all - marked, drawn - first) - logChoose(all, drawn);
  return Math.min(0, logFirst + Math.log(sum));
}
