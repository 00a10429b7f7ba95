// Words what the divergence judge found: an account that makes the model repeat itself.
import { type Assertion, figure, share } from "../assertion.ts";
import { type Detector, numberParameter } from "../catalog.ts";
import { judgeDivergence, type RepetitionUse } from "../judges/divergence.ts";
import { identityOf, type Readable, type RunOptions, rowsOf, sinceText } from "./claim.ts";

export async function divergence(
  store: Readable,
  detector: Detector,
  options: RunOptions,
): Promise<Assertion[]> {
  const rows = await rowsOf<RepetitionUse>(store, detector, options);
  const judged = judgeDivergence(rows, { minInputs: numberParameter(detector, "minInputs") });
  return judged.map(({ use, clean }) => ({
    ...identityOf(detector),
    accounts: [use.account],
    pValue: null,
    eValue: null,
    errorRate: `Signature. Of ${clean} other accounts with as many answers none trips it: at most ${share(Math.min(1, 3 / Math.max(1, clean)))} of such accounts would (95 % confidence, rule of three, accounts independent).`,
    summary: `${use.inputs} different inputs made the model say one word at least ${numberParameter(detector, "minRun")} times in a row, up to ${use.longest} times.`,
    contributions: [
      { name: "answers that run on one word", value: `${use.probes} of ${use.answers}` },
      {
        name: "estimated take",
        value: `${use.probes} exchanges, ${figure(use.tokens)} tokens ${sinceText(use.sinceMs)}`,
      },
      { name: "exemplars", value: use.exemplars.join(", ") },
    ],
    anchor: use.account,
  }));
}
