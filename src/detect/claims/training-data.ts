// Words what the judge of training data found: accounts that have tasks made up for another model.
import { type Assertion, figure } from "../assertion.ts";
import { type Detector, numberParameter } from "../catalog.ts";
import { judgeTrainingData, type TemplateUse } from "../judges/training-data.ts";
import {
  cleanAccounts,
  identityOf,
  type Readable,
  type RunOptions,
  rowsOf,
  ruleOfThree,
  sinceText,
} from "./claim.ts";

export async function trainingData(
  store: Readable,
  detector: Detector,
  options: RunOptions,
): Promise<Assertion[]> {
  const rows = await rowsOf<TemplateUse>(store, detector, options);
  const judged = judgeTrainingData(rows, {
    minInputs: numberParameter(detector, "minInputs"),
    minHours: numberParameter(detector, "minHours"),
    minSharedDays: numberParameter(detector, "minSharedDays"),
    minOnceShare: numberParameter(detector, "minOnceShare"),
    maxOverlap: numberParameter(detector, "maxOverlap"),
  });
  if (judged.length === 0) return [];
  const clean = await cleanAccounts(store, detector, options, {
    guilty: judged.flatMap(({ accounts }) => accounts),
  });
  return judged.map((found) => ({
    ...identityOf(detector),
    accounts: found.accounts,
    pValue: null,
    eValue: null,
    errorRate: ruleOfThree(clean, "accounts that asked as many questions"),
    summary: `Tasks for another model to be trained on were made up under one template: ${found.inputs} different inputs in ${found.hours} different hours, by ${found.accounts.length === 1 ? "one account" : `${found.accounts.length} accounts`}.`,
    contributions: [
      { name: "different inputs", value: String(found.inputs) },
      {
        name: "estimated take",
        value: `${found.queries} exchanges, ${figure(found.tokens)} tokens ${sinceText(found.sinceMs)}`,
      },
      { name: "exemplars", value: found.exemplars.join(", ") },
    ],
    anchor: found.accounts[0] ?? "",
  }));
}
