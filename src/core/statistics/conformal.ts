// How strange is one account among others of its kind, and how does evidence add up while it goes on asking?

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

/**
 * The same with ties broken by `chance`, uniform on (0, 1): exactly uniform under the null, which betting needs.
 */
export function smoothedPValue(score: number, calibration: readonly number[], chance: number): number {
  let above = 0;
  let ties = 1;
  for (const other of calibration) {
    if (other > score) above += 1;
    else if (other === score) ties += 1;
  }
  return (above + chance * ties) / (calibration.length + 1);
}

/**
 * e-value of a p-value: ∫₀¹ κ p^(κ-1) dκ = (1 - p + p ln p) / (p (ln p)²) (Vovk and Wang 2021, §2): expectation at
 * most 1 under the null, without a parameter to tune. About 1/(p ln²p) for small p.
 */
export function eValueOf(pValue: number): number {
  const p = Math.min(1, Math.max(pValue, 1e-300));
  const log = Math.log(p);
  if (Math.abs(log) < 1e-4) return 0.5 + log / -6;
  return (1 - p + p * log) / (p * log * log);
}

/** Exponents of the betting functions that are mixed: ε p^(ε-1) bets on small p-values, the more the smaller ε. */
const BETS = [0.1, 0.25, 0.5, 0.75, 0.9] as const;

/** Where a bettor stands: log-wealth of each betting function. Nothing else of the past is kept. */
export interface BettingState {
  readonly logWealths: readonly number[];
  readonly rounds: number;
}

export const NO_BETS: BettingState = { logWealths: BETS.map(() => 0), rounds: 0 };

/**
 * One round of betting against uniform p-values: wealth grows by ε p^(ε-1), for five ε in equal shares (conformal test
 * martingale, Vovk et al. 2003; a mixture of power martingales). Null: each p-value is, given the former ones, uniform
 * or larger. Then the wealth is a supermartingale that begins at 1, and by Ville's inequality the chance that it ever
 * reaches 1/a is at most a: one may look after every round and stop at will.
 *
 * What the null does not say: that an account asks like the average of its kind. Rounds must compare the account with
 * itself or with accounts as a whole; exchanges of one honest specialist are no independent draws from its kind.
 */
export function bet(state: BettingState, pValue: number): BettingState {
  const p = Math.min(1, Math.max(pValue, 1e-12));
  return {
    logWealths: state.logWealths.map((log, index) => {
      const exponent = BETS[index] as number;
      return log + Math.log(exponent) + (exponent - 1) * Math.log(p);
    }),
    rounds: state.rounds + 1,
  };
}

/** Wealth of the mixture: an e-value at any time. */
export function wealthOf(state: BettingState): number {
  const largest = Math.max(...state.logWealths);
  if (largest === Number.NEGATIVE_INFINITY) return 0;
  const sum = state.logWealths.reduce((total, log) => total + Math.exp(log - largest), 0);
  return Math.exp(Math.min(700, largest + Math.log(sum / state.logWealths.length)));
}
