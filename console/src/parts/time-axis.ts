// Where a graph's time goes: from bucket numbers and moments to places across, and the ticks under them.
import type { FindingGraph } from "../../../src/api/contract/finding-graph.ts";

const TICKS_MAX = 8;
/** A moment at most this far beyond the last bucket, as a share of the whole, is still drawn in its place. */
const REACH = 0.25;
const HOUR = 3_600;
const DAY = 86_400;
const STEPS_SECONDS: readonly number[] = [
  ...[60, 300, 900, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR],
  ...[1, 2, 7, 14, 30, 91, 365, 3_650, 36_500].map((days) => days * DAY),
];

export interface TimeAxis {
  /** Width in buckets: everything across is counted in these. */
  readonly width: number;
  /** Where the finding was raised, and whether it lies within what is drawn. */
  readonly raised: number;
  readonly raisedSide: "before" | "within" | "after";
  readonly ticks: readonly { readonly at: number; readonly seconds: number }[];
}

/** The axis of a graph that has at least one bucket. */
export function timeAxis({ from, bucketSeconds, buckets, raisedAt }: FindingGraph): TimeAxis {
  const fromSeconds = Date.parse(from) / 1000;
  const place = (seconds: number): number => (seconds - fromSeconds) / bucketSeconds;
  const raised = place(Date.parse(raisedAt) / 1000);
  const width = raised > buckets && raised <= buckets * (1 + REACH) ? raised * 1.01 : buckets;
  const step =
    STEPS_SECONDS.find((seconds) => (width * bucketSeconds) / seconds <= TICKS_MAX) ?? width * bucketSeconds;
  const ticks: { at: number; seconds: number }[] = [];
  for (
    let seconds = Math.ceil(fromSeconds / step) * step;
    place(seconds) <= width && ticks.length <= TICKS_MAX;
    seconds += step
  )
    ticks.push({ at: place(seconds), seconds });
  const raisedSide = raised < 0 ? "before" : raised > width ? "after" : "within";
  return { width, raised: Math.min(width, Math.max(0, raised)), raisedSide, ticks };
}
