// What a text looks like beside its words: length, marks, figures, lines. Sums of it over any accounts can be compared.

/** Numbers of a shape, each a byte from 0 to `SHAPE_UNIT`. */
export const SHAPE_DIMENSIONS = 16;
export const SHAPE_UNIT = 100;
/** Characters that are read; longer texts look at their beginnings. */
const READ_CHARS = 3_200;
/** The first eight numbers are a soft histogram of length: its first step is at 16 characters, the last at 6,900. */
const LENGTH_STEPS = 8;
const SHORTEST_LOG2 = 4;
const STEPS_A_DOUBLING = 0.8;

/**
 * Stylometry that needs no language: log-length (eight soft steps), then square roots of the shares of figures, upper
 * case, marks and characters beyond ASCII, then lines, a question mark at the end, white space, and mean word length.
 * One pass over at most 3,200 characters.
 */
export function shapeOf(text: string): number[] {
  const shape = new Array<number>(SHAPE_DIMENSIONS).fill(0);
  const step = Math.min(
    LENGTH_STEPS - 1.001,
    Math.max(0, (Math.log2(1 + text.length) - SHORTEST_LOG2) * STEPS_A_DOUBLING),
  );
  const low = Math.floor(step);
  shape[low] = 1 - (step - low);
  shape[low + 1] = step - low;
  const counts = countsOf(text);
  const read = Math.max(1, Math.min(text.length, READ_CHARS));
  const share = (count: number, scale: number): number => Math.min(1, Math.sqrt((scale * count) / read));
  shape[8] = share(counts.figures, 4);
  shape[9] = share(counts.upper, 5);
  shape[10] = share(counts.marks, 4);
  shape[11] = share(counts.beyond, 4);
  shape[12] = Math.min(1, Math.log2(1 + counts.lines) / 5);
  shape[13] = text.trimEnd().endsWith("?") ? 1 : 0;
  shape[14] = share(counts.blanks, 2);
  shape[15] = Math.min(1, (read - counts.blanks) / (counts.words + 1) / 10);
  return shape.map((value) => Math.round(SHAPE_UNIT * value));
}

interface Counts {
  figures: number;
  upper: number;
  marks: number;
  beyond: number;
  lines: number;
  blanks: number;
  words: number;
}

function countsOf(text: string): Counts {
  const counts: Counts = { figures: 0, upper: 0, marks: 0, beyond: 0, lines: 1, blanks: 0, words: 0 };
  const end = Math.min(text.length, READ_CHARS);
  let inside = false;
  for (let i = 0; i < end; i += 1) {
    const code = text.charCodeAt(i);
    if (code <= 32) {
      counts.blanks += 1;
      if (code === 10) counts.lines += 1;
      inside = false;
      continue;
    }
    if (!inside) counts.words += 1;
    inside = true;
    if (code > 127) counts.beyond += 1;
    else if (code >= 97 && code <= 122) continue;
    else if (code >= 65 && code <= 90) counts.upper += 1;
    else if (code >= 48 && code <= 57) counts.figures += 1;
    else counts.marks += 1;
  }
  return counts;
}
