// Do accounts take turns, as those behind one load balancer do, or does each come when it likes?
import { type Breathe, withoutRest } from "./breathe.ts";
import { generator } from "./generator.ts";

export interface Turns {
  /** Monte Carlo p-value of "the accounts come independently of each other". */
  readonly pValue: number;
  /** Share of the other accounts that came between two visits of one: 1 in turn, one half at random. */
  readonly between: number;
  /** The same of each account; NaN for those that never came back. */
  readonly each: readonly number[];
}

export interface TurnOptions {
  /** Each account's visits are moved together by up to this, ms. */
  readonly shiftMs: number;
  /** When all visits of all accounts are known: between the two. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Moves to try at most. */
  readonly draws: number;
  /** Least share of the others between two visits for which moves are tried at all. */
  readonly least: number;
  readonly breathe?: Breathe;
}

/** Draws that reach what was seen after which no more are needed: p is known to a fifth of itself. */
const ENOUGH_REACHED = 20;

/**
 * Tests a round-robin. Of each return of an account, *between* is how many others came since its last visit (the stack
 * distance of Mattson et al. 1970), and *present* how many had come and were to come again. Statistic: the sum of what between exceeds
 * half of present by, which is what independent accounts of equal rates have on average.
 *
 * Null: the accounts' visits are independent of each other, and the law of each account's visits stays the same when all
 * of them are moved by one amount of at most twice `shiftMs`. Habits, timers and limits of one a day are within the null:
 * they move as a whole. Each account is moved by an amount of its own, uniform within `shiftMs` on either side; the visits
 * as they came count as such a move of a hidden original (Harrison, Amarasingham and Truccolo 2015), so that under the
 * null they and the moves are exchangeable and the p-value is exact. Draws end when enough reached what was seen (Besag
 * and Clifford 1991); others have a turn meanwhile.
 *
 * @param visits of each account, ms, ascending; at least one of each
 */
export async function takingTurns(
  visits: readonly (readonly number[])[],
  options: TurnOptions,
): Promise<Turns> {
  const { shiftMs, draws, least } = options;
  const accounts = visits.length;
  const within = { fromMs: options.fromMs + 2 * shiftMs, toMs: options.toMs - 2 * shiftMs };
  const seen = roundsOf(inOrder(visits, [], within), accounts, Number.NEGATIVE_INFINITY);
  const total = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0);
  const found = {
    between: total(seen.between) / total(seen.present),
    each: Array.from(seen.between, (sum, account) => sum / (seen.present[account] ?? 0)),
  };
  if (!(found.between >= least)) return { ...found, pValue: 1 };
  const random = generator(1);
  const uniform = (): number => (2 * random() - 1) * shiftMs;
  const hidden = visits.map(uniform);
  const breathe = options.breathe ?? withoutRest;
  let reached = 0;
  for (let draw = 1; draw <= draws; draw += 1) {
    const rest = breathe();
    if (rest !== undefined) await rest;
    const by = hidden.map((original) => uniform() - original);
    if (roundsOf(inOrder(visits, by, within), accounts, seen.excess).excess >= seen.excess) reached += 1;
    if (reached === ENOUGH_REACHED) return { ...found, pValue: reached / draw };
  }
  return { ...found, pValue: (reached + 1) / (draws + 1) };
}

/**
 * Visits in order of time, as one number each for the fast sort: whole milliseconds and the account. Milliseconds since
 * 1970 times a thousand accounts are still whole.
 * @param by what each account's visits are moved by, ms
 */
function inOrder(
  visits: readonly (readonly number[])[],
  by: readonly number[],
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): Float64Array {
  const order: number[] = [];
  for (const [account, own] of visits.entries()) {
    const shift = by[account] ?? 0;
    for (const ms of own) {
      const moved = ms + shift;
      if (moved >= fromMs && moved < toMs) order.push(Math.floor(moved) * visits.length + account);
    }
  }
  return Float64Array.from(order).sort();
}

/** @param enough an excess; once it can't be reached any more the count ends, with what could still be reached */
function roundsOf(
  order: Float64Array,
  accounts: number,
  enough: number,
): { readonly between: Float64Array; readonly present: Float64Array; readonly excess: number } {
  /** Accounts by their last visit, newest first. */
  const recent: number[] = [];
  const between = new Float64Array(accounts);
  const present = new Float64Array(accounts);
  const most = (accounts - 1) / 2;
  const left = new Uint32Array(accounts);
  for (const visit of order) left[visit % accounts] = (left[visit % accounts] ?? 0) + 1;
  // What all returns could add up to; each takes off what it lacks.
  let excess = order.length * most;
  for (const visit of order) {
    const account = visit % accounts;
    const since = recent.indexOf(account);
    if (since < 0) excess -= most;
    else {
      recent.splice(since, 1);
      between[account] = (between[account] ?? 0) + since;
      present[account] = (present[account] ?? 0) + recent.length;
      excess -= most - (since - recent.length / 2);
    }
    if (excess < enough) break;
    // Who comes no more is not waited for.
    left[account] = (left[account] ?? 0) - 1;
    if (left[account] !== 0) recent.unshift(account);
  }
  return { between, present, excess };
}
