// When accounts of a group began: for whom that is known, and who only happened to begin with the others.
import { countBelow } from "../../core/statistics/ordered.ts";
import { logHypergeometricTail, type SharedStart } from "../../core/statistics/shared-start.ts";

/** What is known of an account's time in the window that a detector reads. */
export interface Presence {
  readonly sinceMs: number;
  /** Different days (UTC) on which it sent anything. */
  readonly days: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Chance at which somebody who had worked before, as often as since, would not have been seen before. */
const UNSEEN_CHANCE = 0.1;

/**
 * Whether an account's first exchange in the window is its beginning: it came after the settling time, and somebody who
 * works on as many of the days would hardly have stayed away on all days before. Who comes rarely may have come before.
 *
 * @param firstMs when the first of all accounts was seen
 */
export function isNewcomer(
  { sinceMs, days }: Presence,
  {
    firstMs,
    nowMs,
    settlingHours,
  }: { readonly firstMs: number; readonly nowMs: number; readonly settlingHours: number },
): boolean {
  if (sinceMs < firstMs + settlingHours * HOUR_MS) return false;
  const share = Math.min(1, days / Math.max(1, Math.ceil((nowMs - sinceMs) / DAY_MS)));
  return (1 - share) ** ((sinceMs - firstMs) / DAY_MS) <= UNSEEN_CHANCE;
}

/**
 * Those of `together` without passengers. Whom a standing claim accuses made the window; who else of the group began in
 * it may be there by chance. They stay only if they, by themselves, began in it more often than list workers do
 * (Fisher's exact test of this one window).
 */
export function withoutPassengers<T extends Presence>(
  together: readonly T[],
  context: {
    /** Members of the group whose beginnings are known. */
    readonly known: readonly T[];
    readonly window: Pick<SharedStart, "fromMs" | "hours">;
    readonly isAccused: (account: T) => boolean;
    /** Beginnings of all whom no standing claim accuses, ascending. */
    readonly unaccusedMs: readonly number[];
    readonly level: number;
  },
): readonly T[] {
  const { known, window, isAccused, unaccusedMs, level } = context;
  const accused = together.filter(isAccused);
  const hits = together.length - accused.length;
  if (hits === 0 || accused.length === 0) return together;
  const toMs = window.fromMs + window.hours * HOUR_MS;
  const logP = logHypergeometricTail({
    drawn: known.length - known.filter(isAccused).length,
    hits,
    marked: countBelow(unaccusedMs, toMs) - countBelow(unaccusedMs, window.fromMs),
    all: unaccusedMs.length,
  });
  return Math.exp(logP) <= level ? together : accused;
}
