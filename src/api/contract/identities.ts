// Identities beyond the accounts' lists: organisations, facts that people change, what was verified and declared, keys.
import { z } from "zod";
import {
  DECLARED_USES,
  type DeclaredUse,
  END_USER_ALGORITHMS,
  type EndUserAlgorithm,
  VERIFICATION_KINDS,
  VERIFICATION_STATUSES,
  type VerificationKind,
  type VerificationStatus,
} from "../../core/identity.ts";
import {
  all,
  count,
  type Direction,
  maybeText,
  maybeTime,
  optionalText,
  type Page,
  type Paging,
  pageOf,
  paging,
  time,
} from "./common.ts";

export { DECLARED_USES, type DeclaredUse, VERIFICATION_KINDS, VERIFICATION_STATUSES };

/** Absent: stays as it is. Null: is forgotten. */
const told = z.string().trim().min(1).max(512).nullable().optional();
const shortText = z.string().trim().max(256).default("");
const longText = z.string().trim().max(2000).default("");
const until = time.nullable().default(null);

export interface OrganizationsQuery extends Paging {
  q?: string | undefined;
  direction: Direction;
}
export const organizationsQuery: z.ZodType<OrganizationsQuery> = z.object({
  q: optionalText,
  direction: z.enum(["asc", "desc"]).default("asc"),
  ...paging,
});

type Told = string | null | undefined;
export interface OrganizationPut {
  plan?: Told;
  country?: Told;
  emailDomain?: Told;
  contact?: Told;
}
export const organizationPut: z.ZodType<OrganizationPut> = z.strictObject({
  plan: told,
  country: told,
  emailDomain: told,
  contact: told,
});

export interface AccountPut extends Omit<OrganizationPut, "contact"> {
  payment?: Told;
  organization?: Told;
  status?: "active" | "suspended" | undefined;
}
export const accountPut: z.ZodType<AccountPut> = z.strictObject({
  plan: told,
  payment: told,
  emailDomain: told,
  country: told,
  organization: told,
  status: z.enum(["active", "suspended"]).optional(),
});

export interface VerificationBody {
  kind: VerificationKind;
  status: VerificationStatus;
  reference: string;
  expiresAt: string | null;
}
export const verificationBody: z.ZodType<VerificationBody> = z.strictObject({
  kind: z.enum(VERIFICATION_KINDS),
  status: z.enum(VERIFICATION_STATUSES),
  reference: longText,
  expiresAt: until,
});

export interface DeclarationBody {
  use: DeclaredUse;
  statement: string;
  reference: string;
  until: string | null;
}
export const declarationBody: z.ZodType<DeclarationBody> = z.strictObject({
  use: z.enum(DECLARED_USES),
  statement: longText,
  reference: longText,
  until,
});

export type KeyBody = { label: string; expiresAt: string | null };
export const keyBody: z.ZodType<KeyBody> = z.strictObject({ label: shortText, expiresAt: until });

/** `publicKey`: PEM of an Ed25519 key; null: a shared secret is made. */
export type EndUserKeyBody = KeyBody & { publicKey: string | null };
export const endUserKeyBody: z.ZodType<EndUserKeyBody> = z.strictObject({
  label: shortText,
  expiresAt: until,
  publicKey: z.string().max(1024).nullable().default(null),
});

export interface OrganizationSummary {
  organization: string;
  plan: string | null;
  country: string | null;
  emailDomain: string | null;
  contact: string | null;
  accounts: number;
  updatedAt: string;
}
const summary = {
  ...all(maybeText, "plan", "country", "emailDomain", "contact"),
  organization: z.string(),
  accounts: count,
  updatedAt: time,
};
export const organizationPage: z.ZodType<Page<OrganizationSummary>> = pageOf(z.object(summary));

export interface Standing {
  verifications: {
    kind: VerificationKind;
    status: VerificationStatus;
    reference: string;
    at: string;
    expiresAt: string | null;
    by: string;
  }[];
  declarations: {
    use: DeclaredUse;
    statement: string;
    reference: string;
    at: string;
    until: string | null;
    withdrawnAt: string | null;
    by: string;
  }[];
  /** Newest first; `detail` is JSON. */
  history: { at: string; by: string; act: string; detail: string }[];
}
const verification = z.object({
  ...all(z.string(), "reference", "by"),
  kind: z.enum(VERIFICATION_KINDS),
  status: z.enum(VERIFICATION_STATUSES),
  at: time,
  expiresAt: maybeTime,
});
const declaration = z.object({
  ...all(z.string(), "statement", "reference", "by"),
  ...all(maybeTime, "until", "withdrawnAt"),
  use: z.enum(DECLARED_USES),
  at: time,
});
const standingFields = {
  verifications: z.array(verification),
  declarations: z.array(declaration),
  history: z.array(z.object({ ...all(z.string(), "by", "act", "detail"), at: time })),
};
export const standing: z.ZodType<Standing> = z.object(standingFields);

/** A key without its secret, which nobody can read again. */
export interface EndUserKey {
  id: string;
  algorithm: EndUserAlgorithm;
  label: string;
  createdAt: string;
  expiresAt: string | null;
  revokedAt: string | null;
}
const endUserKeyFields = z.object({
  ...all(z.string(), "id", "label"),
  ...all(maybeTime, "expiresAt", "revokedAt"),
  algorithm: z.enum(END_USER_ALGORITHMS),
  createdAt: time,
});
export const endUserKey: z.ZodType<EndUserKey> = endUserKeyFields;

export interface Organization extends OrganizationSummary, Standing {
  recordedAt: string;
  endUserKeys: EndUserKey[];
}
export const organization: z.ZodType<Organization> = z.object({
  ...summary,
  ...standingFields,
  recordedAt: time,
  endUserKeys: z.array(endUserKeyFields),
});

/** Shown once. `secret` is null where the tenant keeps its own private key. */
export type MadeKey = { id: string; secret: string | null };
export const madeKey: z.ZodType<MadeKey> = z.object({ id: z.string(), secret: maybeText });
