// Cases and second persons' agreements. Every change is an act in the log before it counts.
import { toolName } from "../../config/version.ts";
import { LogError } from "../../log/errors.ts";
import type { Approval as StoredApproval } from "../../state/case-approvals.ts";
import type { EntryDraft, Case as StoredCase, CaseEntry as StoredEntry } from "../../state/cases.ts";
import { recordedBy } from "../acts.ts";
import {
  type Approval,
  type ApprovalList,
  approvalDecision,
  type Case,
  type CaseAddition,
  type CaseEntry,
  type CaseFile,
  type CaseList,
  caseAddition,
  caseOpening,
} from "../contract/cases.ts";
import { ApiError } from "../errors.ts";
import { isoTime, isoTimeOrNull, pathPart, readBody } from "../http.ts";
import { snapshotOf } from "../opinion.ts";
import type { ApiOptions, Handlers } from "../services.ts";

export const caseHandlers: Handlers<
  | "GET /api/cases"
  | "POST /api/cases"
  | "GET /api/cases/:id"
  | "POST /api/cases/:id/entries"
  | "GET /api/approvals"
  | "POST /api/approvals/:id/decision"
> = {
  "GET /api/cases": async (context, { state }) => {
    const answer: CaseList = { cases: (await state.cases.list()).map(viewOf) };
    return context.json(answer);
  },
  "POST /api/cases": async (context, services) => {
    const facts = await readBody(context, caseOpening);
    const { record, by } = recordedBy(context, services);
    const log = await logNow(services);
    const opened = await services.state.cases.open(facts, { by, tool: toolName(), log }, { record });
    return context.json(await fileOf(opened.id, services), 201);
  },
  "GET /api/cases/:id": async (context, services) =>
    context.json(await fileOf(pathPart(context, "id"), services)),
  "POST /api/cases/:id/entries": async (context, services) => {
    const id = pathPart(context, "id");
    const addition = await readBody(context, caseAddition);
    const { record, by } = recordedBy(context, services);
    await services.state.cases.demand(id);
    const draft = await draftOf(id, addition, services);
    await services.state.cases.add(id, draft, { by, tool: toolName() }, { record });
    return context.json(await fileOf(id, services), 201);
  },
  "GET /api/approvals": async (context, { state }) => {
    const answer: ApprovalList = { approvals: (await state.approvals.list()).map(approvalView) };
    return context.json(answer);
  },
  "POST /api/approvals/:id/decision": async (context, services) => {
    const decision = await readBody(context, approvalDecision);
    const { record, by } = recordedBy(context, services);
    const id = pathPart(context, "id");
    return context.json(
      approvalView(await services.state.approvals.decide(id, { ...decision, by }, { record })),
    );
  },
};

/** The log as it is now: what the case's first entry comes after. */
async function logNow({ log }: ApiOptions): Promise<{ size: number; checkpoint: string | null }> {
  try {
    const { size, note } = await log.checkpoint();
    return { size, checkpoint: note };
  } catch (error) {
    if (error instanceof LogError && error.code === "log.not-found") return { size: 0, checkpoint: null };
    throw error;
  }
}

/** @throws ApiError `api.bad-request` where a member is missing; StateError `finding-unknown`, `account-unknown` */
async function draftOf(
  id: string,
  { what, on, text }: CaseAddition,
  { state }: ApiOptions,
): Promise<EntryDraft> {
  const demand = (value: string | undefined, name: string): string => {
    if (value === undefined) throw new ApiError("api.bad-request", `body.${name}: expected it for ${what}`);
    return value;
  };
  switch (what) {
    case "finding-added": {
      const { finding, status } = await state.findings.demand(demand(on, "on"));
      const { body, digest } = await snapshotOf(finding);
      const result = `${finding.accounts.length} accounts; status ${status}`;
      return { what, on: finding.id, result, digest, snapshot: body };
    }
    case "account-added":
      await state.accounts.demand(demand(on, "on"));
      return { what, on: demand(on, "on"), result: "all exchanges of the account" };
    case "exchange-added":
      return { what, on: demand(on, "on"), result: "one exchange" };
    case "closed":
    case "reopened":
      return { what, on: id, result: demand(text, "text").slice(0, 1000) };
    default:
      return { what, on: on ?? id, result: `${what} written`, text: demand(text, "text") };
  }
}

async function fileOf(id: string, { state }: ApiOptions): Promise<CaseFile> {
  const found = await state.cases.demand(id);
  return { case: viewOf(found), entries: (await state.cases.entries(id)).map(entryView) };
}

function viewOf({ openedMs, updatedMs, checkpoint: _, ...rest }: StoredCase): Case {
  return { ...rest, openedAt: isoTime(openedMs), updatedAt: isoTime(updatedMs) };
}

function entryView({ atMs, digest: _, ...rest }: StoredEntry): CaseEntry {
  return { ...rest, at: isoTime(atMs) };
}

function approvalView({ requestedMs, decidedMs, usedMs: _, ...rest }: StoredApproval): Approval {
  return { ...rest, requestedAt: isoTime(requestedMs), decidedAt: isoTimeOrNull(decidedMs) };
}
