// How strange is one of several that should be alike?

/**
 * Conformal p-value (Vovk et al. 2005; Bates et al. 2023): (1 + calibration scores at least as large) / (n + 1).
 * Null: the tested score is exchangeable with the calibration scores. Then P(p ≤ a) ≤ a for every a, whatever the
 * scores' law; p-values that share a calibration set are PRDS, so Benjamini-Hochberg holds. Never below 1/(n+1): to
 * reject k of m at level α takes n ≥ m/(αk) - 1 calibration accounts, and no cleverness in the score changes that.
 *
 * Contamination: each calibration account that is no null can only raise p. With a share ε of them above every null,
 * p is at least ε: rejections stop where α k/m < ε. Validity is never lost, power is.
 */
export function conformalPValue(score: number, calibration: readonly number[]): number {
  let atLeast = 1;
  for (const other of calibration) if (other >= score) atLeast += 1;
  return atLeast / (calibration.length + 1);
}
