// Words what the link judge found: linked accounts that each work through a list.
import { type Assertion, figure, share } from "../assertion.ts";
import { type Detector, listParameter, numberParameter } from "../catalog.ts";
import {
  judgeLinks,
  type LinkableAccount,
  type ListTraffic,
  surveyLinks,
} from "../judges/linked-accounts.ts";
import { followUpRowsOf, identityOf, type Readable, type RunOptions, rowsOf, sinceText } from "./claim.ts";

export async function links(store: Readable, detector: Detector, options: RunOptions): Promise<Assertion[]> {
  const parameters = {
    maxShare: numberParameter(detector, "maxShare"),
    minWeight: numberParameter(detector, "minWeight"),
    minAccounts: numberParameter(detector, "minAccounts"),
    hourLevels: listParameter(detector, "hourLevels"),
    alikeMargin: numberParameter(detector, "alikeMargin"),
    startHours: listParameter(detector, "startHours"),
    setAside: numberParameter(detector, "setAside"),
    level: options.level,
  };
  const survey = surveyLinks(await rowsOf<LinkableAccount>(store, detector, options), parameters);
  if (survey.suspects.length === 0) return [];
  const workers = survey.suspects.flatMap((suspect) => suspect.workers);
  const traffic = await followUpRowsOf<ListTraffic>(store, detector, options, {
    statement: "traffic",
    parameters: {
      accounts: workers.map(({ account }) => account),
      wordings: workers.map(({ wording }) => BigInt(wording)),
    },
  });
  const found = judgeLinks(survey, traffic, parameters).filter(
    (cluster) => cluster.adjusted <= options.level && cluster.workers.length > 1,
  );
  return found.map((cluster) => {
    const inputs = cluster.workers.reduce((sum, worker) => sum + worker.inputs, 0);
    const oldest = cluster.workers.reduce((a, b) => (b.sinceMs < a.sinceMs ? b : a));
    return {
      ...identityOf(detector),
      accounts: cluster.workers.map((worker) => worker.account),
      pValue: cluster.adjusted,
      eValue: null,
      errorRate: `False discovery rate ${share(options.level)} over the ${survey.tested} clusters of linked accounts (Benjamini-Hochberg; p-value shown is adjusted). Null: clusters of independent customers, fitted to the other clusters and to unlinked accounts.`,
      summary: `${cluster.workers.length} of ${cluster.accounts.length} linked accounts each work through a list of their own: ${inputs} inputs, pooled.`,
      contributions: [
        { name: "links", value: cluster.links.join("; ") },
        {
          name: "list workers",
          value: `${cluster.workers.length} of ${cluster.accounts.length} over ${cluster.level} or more hours, p = ${figure(cluster.persistence)}`,
        },
        { name: "evenness of loads", value: `p = ${figure(cluster.evenness)}` },
        {
          name: "likeness of topics",
          value: `between-account share ${figure(cluster.between)}, p = ${figure(cluster.likeness)}`,
        },
        { name: "common beginning", value: `p = ${figure(cluster.start)}` },
        {
          name: "estimated take",
          value: `${inputs} distinct inputs ${sinceText(oldest.sinceMs)}`,
        },
        {
          name: "exemplars",
          value: cluster.exemplars.slice(0, 5).join(", "),
        },
      ],
      anchor: oldest.account,
    };
  });
}
