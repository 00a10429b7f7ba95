// Cases as the console sees them: what is investigated, the chain of custody, and second persons' agreements.
import { z } from "zod";
import { count, maybeText, maybeTime, time } from "./common.ts";

export type CaseStatus = "open" | "closed";
export const TLP_MARKINGS = ["CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"] as const;
/** What people add to a case in the console. */
export const ADDITIONS = [
  "finding-added",
  "account-added",
  "exchange-added",
  "note",
  "hypothesis",
  "decision",
  "closed",
  "reopened",
] as const;

export type Case = {
  id: string;
  title: string;
  purpose: string;
  authority: string;
  custodian: string;
  jurisdiction: string;
  tlp: string;
  status: CaseStatus;
  openedAt: string;
  updatedAt: string;
  /** Records in the log when it was opened. */
  logSize: number;
  entries: number;
};
const caseShape: z.ZodType<Case> = z.object({
  id: z.string(),
  title: z.string(),
  purpose: z.string(),
  authority: z.string(),
  custodian: z.string(),
  jurisdiction: z.string(),
  tlp: z.string(),
  status: z.enum(["open", "closed"]),
  openedAt: time,
  updatedAt: time,
  logSize: count,
  entries: count,
});

export type CaseEntry = {
  number: number;
  at: string;
  by: string;
  what: string;
  on: string;
  tool: string;
  authority: string;
  result: string;
  text: string | null;
};
const entryShape: z.ZodType<CaseEntry> = z.object({
  number: count,
  at: time,
  by: z.string(),
  what: z.string(),
  on: z.string(),
  tool: z.string(),
  authority: z.string(),
  result: z.string(),
  text: maybeText,
});

export type CaseList = { cases: Case[] };
export const caseList: z.ZodType<CaseList> = z.object({ cases: z.array(caseShape) });

export type CaseFile = { case: Case; entries: CaseEntry[] };
export const caseFile: z.ZodType<CaseFile> = z.object({ case: caseShape, entries: z.array(entryShape) });

export type CaseOpening = {
  title: string;
  purpose: string;
  authority: string;
  custodian: string;
  jurisdiction: string;
  tlp: (typeof TLP_MARKINGS)[number];
};
const line = (most: number): z.ZodString => z.string().trim().min(1).max(most);
export const caseOpening: z.ZodType<CaseOpening> = z.strictObject({
  title: line(200),
  purpose: line(2000),
  authority: line(500),
  custodian: line(200),
  jurisdiction: line(200),
  tlp: z.enum(TLP_MARKINGS),
});

/** `on`: the finding, account or exchange; the reason, where a case is closed or reopened. `text`: a person's words. */
export type CaseAddition = {
  what: (typeof ADDITIONS)[number];
  on?: string | undefined;
  text?: string | undefined;
};
export const caseAddition: z.ZodType<CaseAddition> = z.strictObject({
  what: z.enum(ADDITIONS),
  on: line(512).optional(),
  text: z.string().trim().min(1).max(20_000).optional(),
});

/** Fields of exchanges that a bundle may keep back. */
export const EXPORT_FIELDS = ["request", "response", "headers", "network", "figures"] as const;

/** What is exported, and why; the answer is the bundle itself. */
export type CaseExport = {
  /** For the custody, and for whoever must agree. */
  reason: string;
  /** Only exchanges opened from here on, and before there. */
  since?: string | undefined;
  until?: string | undefined;
  /** Fields that are kept back, each with the reason that the bundle gives. */
  withhold?: Partial<Record<(typeof EXPORT_FIELDS)[number], string>> | undefined;
  /** age public keys; none: the bundle is in clear. */
  recipients?: string[] | undefined;
  recordsOnly?: boolean | undefined;
};
export const caseExport: z.ZodType<CaseExport> = z.strictObject({
  reason: line(2000),
  since: time.optional(),
  until: time.optional(),
  withhold: z.partialRecord(z.enum(EXPORT_FIELDS), line(500)).optional(),
  recipients: z.array(line(200)).max(20).optional(),
  recordsOnly: z.boolean().optional(),
});

export type Approval = {
  id: string;
  action: string;
  subject: string;
  reason: string;
  requestedBy: string;
  requestedAt: string;
  decision: "approved" | "refused" | null;
  decidedBy: string | null;
  decidedAt: string | null;
  note: string | null;
};
export const approval: z.ZodType<Approval> = z.object({
  id: z.string(),
  action: z.string(),
  subject: z.string(),
  reason: z.string(),
  requestedBy: z.string(),
  requestedAt: time,
  decision: z.enum(["approved", "refused"]).nullable(),
  decidedBy: maybeText,
  decidedAt: maybeTime,
  note: maybeText,
});
export type ApprovalList = { approvals: Approval[] };
export const approvalList: z.ZodType<ApprovalList> = z.object({ approvals: z.array(approval) });

export type ApprovalDecision = { decision: "approved" | "refused"; note: string };
export const approvalDecision: z.ZodType<ApprovalDecision> = z.strictObject({
  decision: z.enum(["approved", "refused"]),
  note: z.string().trim().max(2000),
});
