// Words what the recall judge found: accounts that ask for the missing parts of many passages.
import type { Assertion } from "../assertion.ts";
import { type Detector, numberParameter } from "../catalog.ts";
import { judgeRecall, type RecallUse } from "../judges/recall.ts";
import {
  cleanAccounts,
  identityOf,
  type Readable,
  type RunOptions,
  rowsOf,
  ruleOfThree,
  sinceText,
} from "./claim.ts";

export async function recall(store: Readable, detector: Detector, options: RunOptions): Promise<Assertion[]> {
  const rows = await rowsOf<RecallUse>(store, detector, options);
  const judged = judgeRecall(rows, {
    minPassages: numberParameter(detector, "minPassages"),
    minHours: numberParameter(detector, "minHours"),
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
    errorRate: ruleOfThree(clean, "accounts that asked as many questions with short answers"),
    summary: `${found.passages} different passages with a blank or a missing end were asked for, in ${found.hours} different hours, by ${found.accounts.length === 1 ? "one account" : `${found.accounts.length} accounts that share a wording and not the passages`}.`,
    contributions: [
      { name: "different passages", value: String(found.passages) },
      { name: "estimated take", value: `${found.queries} exchanges ${sinceText(found.sinceMs)}` },
      { name: "exemplars", value: found.exemplars.join(", ") },
    ],
    anchor: found.accounts[0] ?? "",
  }));
}
