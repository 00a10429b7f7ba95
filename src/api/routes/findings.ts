// Findings: the list, one with its evidence and its take, and the analyst's decision.
import type { FindingEntry } from "../../state/findings.ts";
import { recordedBy, recorderFor } from "../acts.ts";
import { exemplarsOf, figuresOf, membersOf, seriesOf } from "../analysis.ts";
import type { Page } from "../contract/common.ts";
import {
  FINDING_ACCOUNTS_MAX,
  type Finding,
  type FindingSummary,
  findingAddition,
  findingPatch,
  findingsQuery,
} from "../contract/findings.ts";
import { graphOf } from "../finding-graph.ts";
import { isoTime, pathPart, readBody, readQuery } from "../http.ts";
import type { ApiOptions, Handlers } from "../services.ts";

export const findingHandlers: Handlers<
  | "GET /api/findings"
  | "GET /api/findings/:id"
  | "GET /api/findings/:id/graph"
  | "PATCH /api/findings/:id"
  | "POST /api/findings/:id/accounts"
> = {
  "GET /api/findings": async (context, { state }) => {
    const { page, limit, q: text, ...query } = readQuery(context, findingsQuery);
    const { items, total } = await state.findings.list({ ...query, text, limit, offset: (page - 1) * limit });
    const answer: Page<FindingSummary> = { items: items.map(summaryOf), total, page, limit };
    return context.json(answer);
  },
  "GET /api/findings/:id": async (context, options) => {
    const entry = await options.state.findings.demand(pathPart(context, "id"));
    return context.json(await whole(entry, options));
  },
  "GET /api/findings/:id/graph": async (context, { state, store }) => {
    const { finding } = await state.findings.demand(pathPart(context, "id"));
    return context.json(await graphOf(store, finding));
  },
  "PATCH /api/findings/:id": async (context, options) => {
    const { status: to, note } = await readBody(context, findingPatch);
    const { actor: by } = context.get("identity");
    const record = recorderFor(by, options);
    const entry = await options.state.findings.setStatus(
      pathPart(context, "id"),
      { to, by, note },
      { record },
    );
    return context.json(await whole(entry, options));
  },
  "POST /api/findings/:id/accounts": async (context, options) => {
    const { accounts, note } = await readBody(context, findingAddition);
    const { record, by } = recordedBy(context, options);
    const told = { accounts, by, note };
    const entry = await options.state.findings.addAccounts(pathPart(context, "id"), told, { record });
    return context.json(await whole(entry, options));
  },
};

export function summaryOf({ finding, status }: FindingEntry): FindingSummary {
  return {
    id: finding.id,
    kind: finding.kind,
    detector: finding.detector,
    status,
    firstRaisedAt: isoTime(finding.firstMs ?? finding.timeMs),
    raisedAt: isoTime(finding.timeMs),
    accounts: finding.accounts.length,
    summary: finding.summary,
    technique: finding.technique,
    pValue: finding.pValue ?? null,
    eValue: finding.eValue ?? null,
  };
}

async function whole(entry: FindingEntry, { state, store }: ApiOptions): Promise<Finding> {
  const { finding } = entry;
  const { accounts } = finding;
  const figures = await figuresOf(store, accounts);
  const [series, seen, exemplars, history] = await Promise.all([
    seriesOf(store, accounts, figures),
    membersOf(store, accounts, FINDING_ACCOUNTS_MAX),
    exemplarsOf(store, accounts),
    state.findings.history(finding.id),
  ]);
  const decision = history.findLast((event) => event.from !== null);
  const { exchanges, promptTokens, completionTokens, skeletons } = figures;
  return {
    ...summaryOf(entry),
    errorRate: finding.errorRate,
    contributions: finding.contributions.map(({ name, value }) => ({ name, value })),
    members: [...seen, ...unseen(accounts, seen)].slice(0, FINDING_ACCOUNTS_MAX),
    take: { exchanges, promptTokens, completionTokens, skeletons },
    series,
    exemplars,
    note: decision?.note || null,
    decidedAt: decision === undefined ? null : isoTime(decision.atMs),
    decidedBy: decision?.by ?? null,
  };
}

/** Named accounts of which the store has no exchange: they must not vanish from the finding. */
function unseen(accounts: readonly string[], seen: Finding["members"]): Finding["members"] {
  const known = new Set(seen.map(({ account }) => account));
  const nothing = { exchanges: 0, promptTokens: 0, completionTokens: 0, firstAt: null, lastAt: null };
  return accounts.filter((account) => !known.has(account)).map((account) => ({ account, ...nothing }));
}
