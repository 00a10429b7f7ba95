// Are two samples from one distribution?

/**
 * Two-sample Kolmogorov-Smirnov test: p-value of equality by the asymptotic distribution with Stephens' correction
 * (1970). Good from about eight values a side; ties make it conservative. Two empty samples are equal.
 */
export function kolmogorovSmirnov(a: readonly number[], b: readonly number[]): number {
  if (a.length === 0 || b.length === 0) return 1;
  const first = [...a].sort((x, y) => x - y);
  const second = [...b].sort((x, y) => x - y);
  let i = 0;
  let j = 0;
  let distance = 0;
  while (i < first.length && j < second.length) {
    const at = Math.min(first[i] ?? 0, second[j] ?? 0);
    while (i < first.length && (first[i] ?? 0) <= at) i += 1;
    while (j < second.length && (second[j] ?? 0) <= at) j += 1;
    distance = Math.max(distance, Math.abs(i / first.length - j / second.length));
  }
  const size = Math.sqrt((a.length * b.length) / (a.length + b.length));
  const lambda = (size + 0.12 + 0.11 / size) * distance;
  if (lambda < 0.2) return 1;
  let sum = 0;
  for (let k = 1; k <= 100; k += 1) sum += (k % 2 === 1 ? 2 : -2) * Math.exp(-2 * k * k * lambda * lambda);
  return Math.min(1, Math.max(0, sum));
}
