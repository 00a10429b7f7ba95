// The words for who a customer is and what is known of them: organisations, verifications, declared uses.

/** What identity facts are about. */
export type SubjectKind = "account" | "organization";

/** What the operator's own systems know of an organisation. All but its name may be unknown. */
export interface OrganizationFacts {
  readonly organization: string;
  readonly plan: string | null;
  /** ISO 3166-1 alpha-2. */
  readonly country: string | null;
  readonly emailDomain: string | null;
  /** Whom to reach before a measure: an address or a reference into the operator's own systems. */
  readonly contact: string | null;
}

/**
 * What was checked. `identity`: a person's papers; `business`: a register; `agreement`: a signed contract;
 * `reauthentication`: whoever holds the account signed in again, with more than a password.
 */
export type VerificationKind =
  | "email"
  | "domain"
  | "phone"
  | "payment"
  | "identity"
  | "business"
  | "agreement"
  | "reauthentication";
export const VERIFICATION_KINDS: readonly [VerificationKind, ...VerificationKind[]] = [
  "email",
  "domain",
  "phone",
  "payment",
  "identity",
  "business",
  "agreement",
  "reauthentication",
];

export type VerificationStatus = "verified" | "failed" | "withdrawn";
export const VERIFICATION_STATUSES: readonly [VerificationStatus, ...VerificationStatus[]] = [
  "verified",
  "failed",
  "withdrawn",
];

/**
 * What a customer said they do, where it looks like what detectors look for. `synthetic-data` means by agreement, so it
 * needs the agreement's reference; `gateway` and `reseller` pass on the traffic of many people.
 */
export type DeclaredUse =
  | "application"
  | "evaluation"
  | "research"
  | "synthetic-data"
  | "gateway"
  | "reseller";
export const DECLARED_USES: readonly [DeclaredUse, ...DeclaredUse[]] = [
  "application",
  "evaluation",
  "research",
  "synthetic-data",
  "gateway",
  "reseller",
];

/** How a tenant signs the ids of its own users. */
export type EndUserAlgorithm = "HS256" | "EdDSA";
export const END_USER_ALGORITHMS: readonly [EndUserAlgorithm, EndUserAlgorithm] = ["HS256", "EdDSA"];
