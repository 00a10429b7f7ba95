// Words what the sweep judge found: who reads the output layer, and how much of it is known by now.
import { type Assertion, share } from "../assertion.ts";
import { type Detector, numberParameter } from "../catalog.ts";
import { type BiasUse, judgeSweeps, type Sweep } from "../judges/parameter-stealing.ts";
import { identityOf, type Readable, type RunOptions, rowsOf, ruleOfThree, sinceText } from "./claim.ts";

export async function sweeps(store: Readable, detector: Detector, options: RunOptions): Promise<Assertion[]> {
  const rows = await rowsOf<BiasUse>(store, detector, options);
  const stated = new Map(Object.entries(detector.hiddenSizes ?? {}));
  const judged = judgeSweeps(rows, {
    minSets: numberParameter(detector, "minSets"),
    minTokens: numberParameter(detector, "minTokens"),
    minNewShare: numberParameter(detector, "minNewShare"),
    minValues: numberParameter(detector, "minValues"),
    minSpreadSets: numberParameter(detector, "minSpreadSets"),
    minSetsAPrefix: numberParameter(detector, "minSetsAPrefix"),
    minRank: numberParameter(detector, "minRank"),
    hiddenSizeOf: (model) => stated.get(model) ?? numberParameter(detector, "hiddenSize"),
  });
  return judged.map((sweep) => ({
    ...identityOf(detector),
    accounts: sweep.accounts,
    pValue: null,
    eValue: null,
    errorRate: ruleOfThree(sweep.clean, "accounts that used token biases or long lists of log-probabilities"),
    summary: summaryOf(sweep, stated.has(sweep.model)),
    contributions: [
      {
        name: "recovered rank, at most",
        value: `${sweep.rank} of ${sweep.hiddenSize}, ${share(sweep.rank / sweep.hiddenSize)}`,
      },
      { name: "token scores revealed on one prefix", value: String(sweep.tokens) },
      { name: "token scores revealed in all", value: String(sweep.scores) },
      {
        name: "estimated take",
        value: `${sweep.queries} exchanges ${sinceText(sweep.sinceMs)}`,
      },
      { name: "exemplars", value: sweep.exemplars.join(", ") },
    ],
    anchor: sweep.prefixes[0] ?? "",
  }));
}

function summaryOf(sweep: Sweep, isStated: boolean): string {
  const size = `a hidden size of ${sweep.hiddenSize}${isStated ? "" : " (assumed)"}`;
  return `${sweep.queries} requests read scores of ${sweep.prefixes.length} prompt prefix(es) and revealed ${sweep.tokens} on one of them, ${share(sweep.progress)} of ${size}; the revealed scores have rank ${sweep.rank} at most.`;
}
