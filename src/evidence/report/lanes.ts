// How dark a cell of the lanes is, and which days are named above them: the same in HTML and PDF.
import type { Lane } from "./blocks.ts";

/** Days named above the lanes, at most. */
const LABELS = 12;
/** What there is at all must be seen. */
const FAINTEST = 0.12;

/** 0 for nothing to 1 for the most of all rows. */
export function shade(value: number, rows: readonly Lane[]): number {
  const most = Math.max(1, ...rows.flatMap(({ values }) => values));
  return value === 0 ? 0 : FAINTEST + (1 - FAINTEST) * (value / most);
}

/** Every how many columns one is named. */
export function labelEvery(columns: number): number {
  return Math.max(1, Math.ceil(columns / LABELS));
}
