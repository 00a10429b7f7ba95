// Words what the divergence judge found: an account that makes the model repeat itself.
import { type Assertion, figure } from "../assertion.ts";
import { type Detector, numberParameter } from "../catalog.ts";
import { judgeDivergence, type RepetitionUse } from "../judges/divergence.ts";
import { identityOf, type Readable, type RunOptions, rowsOf, ruleOfThree, sinceText } from "./claim.ts";

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
    errorRate: ruleOfThree(clean, "accounts with as many answers"),
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
