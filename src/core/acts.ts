// The control-plane acts that are records in the log: their names and what each one's detail says.
import type { AccountFacts } from "./account.ts";
import { canonicalJson } from "./canonical-json.ts";
import type { CaseActDetails } from "./case-acts.ts";
import type { ErasureActDetails } from "./erasure-acts.ts";
import type { IdentityActDetails } from "./identity-acts.ts";
import type { RecordDraft } from "./record.ts";
import type { ResponseActDetails } from "./response-acts.ts";
import type { Role } from "./role.ts";

/** Where an analyst stands with a finding. */
export type FindingStatus = "open" | "confirmed" | "dismissed";

/** The detail of each act. `by` (who did it) is added to every one: `cli:<system user>`, `user:<name>`, `import`, `system`. */
export interface ActDetails
  extends IdentityActDetails,
    ResponseActDetails,
    ErasureActDetails,
    CaseActDetails {
  /** An account is new, or facts about it changed: the whole facts. The store's account table is rebuilt from these. */
  "account.recorded": AccountFacts;
  "account.status-changed": { readonly from: "active" | "suspended"; readonly to: "active" | "suspended" };
  "key.created": { readonly key: string; readonly label: string; readonly expiresMs: number | null };
  "key.revoked": { readonly key: string };
  "sign-in-link.created": { readonly user: string; readonly role: Role; readonly expiresMs: number };
  "session.started": { readonly user: string; readonly role: Role };
  "session.ended": { readonly user: string };
  "user.changed": { readonly user: string; readonly role: Role; readonly disabled: boolean };
  /** Somebody looked at content in clear. */
  "content.revealed": { readonly exchange: string; readonly reason: string };
  "finding.raised": { readonly finding: string; readonly findingKind: string; readonly detector: string };
  /** A person says that accounts belong to a finding. */
  "finding.accounts-added": {
    readonly finding: string;
    readonly accounts: readonly string[];
    readonly note: string;
  };
  "finding.status-changed": {
    readonly finding: string;
    readonly from: FindingStatus;
    readonly to: FindingStatus;
    readonly note: string;
  };
}

export type ActName = keyof ActDetails;

/** An act before it is a record. */
export type Act = {
  readonly [Name in ActName]: {
    readonly act: Name;
    /** The account it concerns, under whose key the detail is encrypted; null: the installation's own. */
    readonly account: string | null;
    readonly detail: ActDetails[Name];
  };
}[ActName];

/**
 * Makes acts durable, or throws. Whoever changes a fact calls it before the change is committed, so that no change is
 * without its record. A crash between the two leaves a record of a change that was not made, never the reverse.
 */
export type ActRecorder = (acts: readonly Act[]) => Promise<void>;

/** The record of an act. Throws TypeError on a detail that JSON can't hold. */
export function actDraft(act: Act, { by, timeMs }: { by: string; timeMs: number }): RecordDraft {
  const detail = new TextEncoder().encode(canonicalJson({ ...act.detail, by }));
  return { kind: "act", act: act.act, account: act.account, timeMs, fields: [detail] };
}
