// Many questions at once: which of them may be answered "yes" so that few of the yeses are wrong.

/**
 * Benjamini and Hochberg (1995): indices of rejected hypotheses, false discovery rate at most `level` when p-values of
 * true nulls are independent or positively dependent (PRDS).
 */
export function benjaminiHochberg(pValues: readonly number[], level: number): number[] {
  const order = pValues.map((_, index) => index).sort((a, b) => at(pValues, a) - at(pValues, b));
  let last = -1;
  order.forEach((index, rank) => {
    if (at(pValues, index) <= (level * (rank + 1)) / pValues.length) last = rank;
  });
  return order.slice(0, last + 1).sort((a, b) => a - b);
}

/** Benjamini-Hochberg adjusted p-values: the smallest level at which each hypothesis would be rejected. */
export function adjustedPValues(pValues: readonly number[]): number[] {
  const order = pValues.map((_, index) => index).sort((a, b) => at(pValues, b) - at(pValues, a));
  const adjusted = new Array<number>(pValues.length).fill(1);
  let least = 1;
  order.forEach((index, fromEnd) => {
    const rank = pValues.length - fromEnd;
    least = Math.min(least, (at(pValues, index) * pValues.length) / rank);
    adjusted[index] = least;
  });
  return adjusted;
}

/**
 * e-BH (Wang and Ramdas 2022): indices rejected so that the false discovery rate is at most `level` under any
 * dependence between the e-values.
 */
export function eBenjaminiHochberg(eValues: readonly number[], level: number): number[] {
  const order = eValues.map((_, index) => index).sort((a, b) => at(eValues, b) - at(eValues, a));
  let last = -1;
  order.forEach((index, rank) => {
    if (at(eValues, index) >= eValues.length / (level * (rank + 1))) last = rank;
  });
  return order.slice(0, last + 1).sort((a, b) => a - b);
}

/** Bonferroni over a handful of p-values for one claim: valid under any dependence. */
export function smallestOf(pValues: readonly number[]): number {
  return Math.min(1, pValues.length * Math.min(1, ...pValues));
}

function at(values: readonly number[], index: number): number {
  return values[index] ?? Number.NaN;
}
