// The acts about identities that are records in the log: organisations, what was verified, what was declared, machines' tokens.
import type {
  DeclaredUse,
  EndUserAlgorithm,
  OrganizationFacts,
  SubjectKind,
  VerificationKind,
  VerificationStatus,
} from "./identity.ts";

/** Details of the acts; who did it is added to every one. */
export interface IdentityActDetails {
  /** An organisation is new, or facts about it changed: the whole facts. */
  "organization.recorded": OrganizationFacts;
  /** A list of accounts was taken in; each account and key in it has an act of its own. */
  "accounts.imported": {
    readonly format: string;
    readonly rows: number;
    readonly created: number;
    readonly changed: number;
    readonly rejected: number;
    readonly keysAdopted: number;
    readonly keysKnown: number;
    readonly keysBlocked: number;
  };
  /** Somebody took the whole list of accounts away. */
  "accounts.exported": { readonly format: string; readonly accounts: number };
  "verification.recorded": {
    readonly subjectKind: SubjectKind;
    readonly subject: string;
    readonly verification: VerificationKind;
    readonly status: VerificationStatus;
    readonly reference: string;
    readonly expiresMs: number | null;
  };
  "declared-use.recorded": {
    readonly subjectKind: SubjectKind;
    readonly subject: string;
    readonly use: DeclaredUse;
    readonly statement: string;
    readonly reference: string;
    readonly untilMs: number | null;
  };
  "declared-use.withdrawn": {
    readonly subjectKind: SubjectKind;
    readonly subject: string;
    readonly use: DeclaredUse;
  };
  "end-user-key.created": {
    readonly key: string;
    readonly organization: string;
    readonly algorithm: EndUserAlgorithm;
    readonly label: string;
    readonly expiresMs: number | null;
  };
  "end-user-key.revoked": { readonly key: string; readonly organization: string };
  "token.created": {
    readonly token: string;
    readonly label: string;
    readonly scopes: readonly string[];
    readonly expiresMs: number;
  };
  "token.revoked": { readonly token: string };
  /** A person of an identity provider signed in for the first time and is this user from now on. */
  "user.bound": { readonly user: string; readonly issuer: string; readonly subject: string };
}
