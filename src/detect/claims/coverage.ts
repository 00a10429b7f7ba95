// Words what the coverage judge found: an account that takes far more than its kind.
import { type Assertion, figure, share } from "../assertion.ts";
import { type Detector, numberParameter } from "../catalog.ts";
import { type AccountTake, judgeCoverage } from "../judges/coverage.ts";
import { followUpRowsOf, identityOf, type Readable, type RunOptions, rowsOf, sinceText } from "./claim.ts";

export async function coverage(
  store: Readable,
  detector: Detector,
  options: RunOptions,
): Promise<Assertion[]> {
  const rows = await rowsOf<AccountTake>(store, detector, options);
  const judged = judgeCoverage(rows, { minSingleShare: numberParameter(detector, "minSingleShare") });
  const found = judged.filter((one) => one.adjusted <= options.level);
  if (found.length === 0) return [];
  const accounts = found.map(({ take }) => take.account);
  const exemplars = await followUpRowsOf<{ account: string; exemplars: readonly string[] }>(
    store,
    detector,
    options,
    { statement: "exemplars", parameters: { accounts } },
  );
  const exemplarsOf = new Map(exemplars.map((row) => [row.account, row.exemplars]));
  return found.map((one) => ({
    ...identityOf(detector),
    accounts: [one.take.account],
    pValue: one.adjusted,
    eValue: null,
    errorRate: `False discovery rate ${share(options.level)} over ${judged.length} accounts (Benjamini-Hochberg; p-value shown is adjusted). Null: its ${one.peers} peers of as many working hours, with a Pareto tail.`,
    summary: `${one.take.singles} inputs, none asked twice, over ${one.take.hours} hours brought ${figure(one.take.tokens)} answer tokens: ${figure(one.score / Math.max(1, one.runnerUp))} times the next account of its kind.`,
    contributions: [
      {
        name: "score",
        value: `${figure(one.score)}; largest among ${one.peers} peers ${figure(one.runnerUp)}; p = ${figure(one.pValue)}`,
      },
      {
        name: "estimated take",
        value: `${one.take.singles} distinct inputs, ${figure(one.take.tokens)} tokens ${sinceText(one.take.sinceMs)}`,
      },
      { name: "exemplars", value: (exemplarsOf.get(one.take.account) ?? []).join(", ") },
    ],
    anchor: one.take.account,
  }));
}
