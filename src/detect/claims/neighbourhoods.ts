// Words what the judge of neighbourhoods found: an account that asks for small changes of each of many texts.
import { type Assertion, figure, share } from "../assertion.ts";
import { type Detector, numberParameter } from "../catalog.ts";
import {
  type GroupOwner,
  judgeNeighbourhoods,
  suspectsOf,
  type VersionUse,
} from "../judges/neighbourhoods.ts";
import {
  followUpRowsOf,
  identityOf,
  type Readable,
  type RunOptions,
  rowsOf,
  ruleOfThree,
  sinceText,
} from "./claim.ts";

export async function neighbourhoods(
  store: Readable,
  detector: Detector,
  options: RunOptions,
): Promise<Assertion[]> {
  const parameters = {
    minVersions: numberParameter(detector, "minVersions"),
    minGroups: numberParameter(detector, "minGroups"),
    minHours: numberParameter(detector, "minHours"),
    minStar: numberParameter(detector, "minStar"),
  };
  const owners = await rowsOf<GroupOwner>(store, detector, options);
  const accounts = suspectsOf(owners, parameters);
  if (accounts.length === 0) return [];
  const rows = await followUpRowsOf<VersionUse>(store, detector, options, {
    statement: "versions",
    parameters: { accounts },
  });
  const judged = judgeNeighbourhoods(rows, owners.length, parameters);
  return judged.map((found) => ({
    ...identityOf(detector),
    accounts: [found.account],
    pValue: null,
    eValue: null,
    errorRate: ruleOfThree(found.clean, "accounts that ask much, and some of it nearly twice,"),
    summary: `${found.versions} small changes of ${found.texts} texts were asked for, each text's within a day, begun in ${found.hours} different hours.`,
    contributions: [
      { name: "versions a text, on average", value: figure(found.versions / found.texts) },
      {
        name: "order of versions",
        value: `distance of neighbours in time over that of all: ${figure(found.star)} (1: round a centre; drafts: 0.3 and less)`,
      },
      { name: "with log-probabilities", value: share(found.scored) },
      { name: "estimated take", value: `${found.versions} exchanges ${sinceText(found.sinceMs)}` },
      { name: "exemplars", value: found.exemplars.join(", ") },
    ],
    anchor: found.account,
  }));
}
