// Words what the sampling judge found: accounts that draw many answers to each of many prompts.
import { type Assertion, figure } from "../assertion.ts";
import { type Detector, numberParameter } from "../catalog.ts";
import { judgeSampling, type SamplingUse } from "../judges/sampling.ts";
import { identityOf, type Readable, type RunOptions, rowsOf, ruleOfThree, sinceText } from "./claim.ts";

export async function sampling(
  store: Readable,
  detector: Detector,
  options: RunOptions,
): Promise<Assertion[]> {
  const rows = await rowsOf<SamplingUse>(store, detector, options);
  const judged = judgeSampling(rows, {
    minPrompts: numberParameter(detector, "minPrompts"),
    minHours: numberParameter(detector, "minHours"),
    minOwnPrompts: numberParameter(detector, "minOwnPrompts"),
    minShare: numberParameter(detector, "minShare"),
  });
  return judged.map((found) => ({
    ...identityOf(detector),
    accounts: found.accounts,
    pValue: null,
    eValue: null,
    errorRate: ruleOfThree(found.clean, "accounts that draw more than one answer to several prompts"),
    summary: `${found.samples} answers were drawn to ${found.prompts} prompts, at least ${numberParameter(detector, "minSamples")} to each at one sitting and none later, begun in ${found.hours} different hours.`,
    contributions: [
      { name: "answers a prompt, on average", value: figure(found.samples / found.prompts) },
      { name: "hours in which a prompt was begun", value: String(found.hours) },
      {
        name: "estimated take",
        value: `${found.samples} answers, ${figure(found.tokens)} tokens ${sinceText(found.sinceMs)}`,
      },
      { name: "exemplars", value: found.exemplars.join(", ") },
    ],
    anchor: found.accounts[0] ?? "",
  }));
}
