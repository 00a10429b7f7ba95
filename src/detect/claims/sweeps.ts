// Words what the sweep judge found: token biases rotated over one prompt.
import { type Assertion, share } from "../assertion.ts";
import { type Detector, numberParameter } from "../catalog.ts";
import { type BiasUse, judgeSweeps } from "../judges/parameter-stealing.ts";
import { identityOf, type Readable, type RunOptions, rowsOf, sinceText } from "./claim.ts";

export async function sweeps(store: Readable, detector: Detector, options: RunOptions): Promise<Assertion[]> {
  const rows = await rowsOf<BiasUse>(store, detector, options);
  const judged = judgeSweeps(rows, {
    minSets: numberParameter(detector, "minSets"),
    minTokens: numberParameter(detector, "minTokens"),
    minNewShare: numberParameter(detector, "minNewShare"),
    hiddenSize: numberParameter(detector, "hiddenSize"),
  });
  return judged.map((sweep) => ({
    ...identityOf(detector),
    accounts: sweep.accounts,
    pValue: null,
    eValue: null,
    errorRate: `Signature. Of ${sweep.clean} other accounts that used token biases in the window none trips it: at most ${share(Math.min(1, 3 / Math.max(1, sweep.clean)))} of such accounts would (95 % confidence, rule of three, accounts independent).`,
    summary: `${sweep.queries} requests rotated token biases over ${sweep.prefixes.length} prompt prefix(es) and revealed ${sweep.tokens} token scores on one of them, ${share(sweep.progress)} of a hidden size of ${numberParameter(detector, "hiddenSize")}.`,
    contributions: [
      { name: "token scores revealed on one prefix", value: String(sweep.tokens) },
      { name: "upper bound of the recovered rank", value: String(sweep.rank) },
      {
        name: "estimated take",
        value: `${sweep.queries} exchanges ${sinceText(sweep.sinceMs)}`,
      },
      { name: "exemplars", value: sweep.exemplars.join(", ") },
    ],
    anchor: sweep.prefixes[0] ?? "",
  }));
}
