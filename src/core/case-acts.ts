// The acts of cases that are records in the log: the chain of custody, and second persons' approvals.
import { canonicalJson } from "./canonical-json.ts";

/** What a case is and why it may exist. */
export interface CaseHeader {
  readonly case: string;
  readonly title: string;
  readonly purpose: string;
  /** The legal basis or order under which the case is kept. */
  readonly authority: string;
  /** Who answers for it. */
  readonly custodian: string;
  readonly jurisdiction: string;
  /** Traffic Light Protocol 2.0: `CLEAR`, `GREEN`, `AMBER`, `AMBER+STRICT`, `RED`. */
  readonly tlp: string;
}

/** What can happen to a case. */
export const CASE_EVENTS = [
  "opened",
  "finding-added",
  "account-added",
  "exchange-added",
  "note",
  "hypothesis",
  "decision",
  "exported",
  "closed",
  "reopened",
] as const;

export type CaseEvent = (typeof CASE_EVENTS)[number];

/** What may need a second person, where the configuration says so. */
export const APPROVAL_ACTIONS = ["open-content", "erase", "export"] as const;

export type ApprovalAction = (typeof APPROVAL_ACTIONS)[number];

/** Details of the acts; who did it is added to every one. */
export interface CaseActDetails {
  /** One entry of a chain of custody: on what, with what tool, under which authority, with what result. */
  "case.entry": {
    readonly case: string;
    /** Counts from 1 within the case. */
    readonly number: number;
    readonly what: CaseEvent;
    readonly on: string;
    /** Name and version of the software. */
    readonly tool: string;
    readonly authority: string;
    readonly result: string;
    /** A note, hypothesis or decision in its author's words; of the first entry, the case's header. */
    readonly text?: string;
    /** SHA-256 of what the entry is about, hexadecimal. */
    readonly digest?: string;
  };
  "approval.requested": {
    readonly approval: string;
    readonly action: ApprovalAction;
    readonly subject: string;
    readonly reason: string;
  };
  "approval.decided": {
    readonly approval: string;
    readonly decision: "approved" | "refused";
    readonly note: string;
  };
}

/** The text of a case's first entry: canonical JSON of its header, so that later copies can be held against it. */
export function openingText(header: CaseHeader): string {
  const { title, purpose, authority, custodian, jurisdiction, tlp } = header;
  return canonicalJson({ case: header.case, title, purpose, authority, custodian, jurisdiction, tlp });
}
