// People and machines that use the API: users, one-time links, tokens, and the ways to sign in.
import { z } from "zod";
import { ROLES, type Role } from "../../core/role.ts";
import { all, count, maybeText, maybeTime, type Page, type Paging, paging, time } from "./common.ts";

/** Longest life of a token, days. */
export const TOKEN_DAYS_MAX = 366;

export interface User {
  name: string;
  role: Role;
  createdAt: string;
  disabledAt: string | null;
}
const userFields = z.object({
  name: z.string(),
  role: z.enum(ROLES),
  createdAt: time,
  disabledAt: maybeTime,
});
export const user: z.ZodType<User> = userFields;
export const users: z.ZodType<User[]> = z.array(userFields);

/** Makes the user where new, and a one-time link that signs them in. */
export type NewUser = { name: string; role: Role };
export const newUser: z.ZodType<NewUser> = z.strictObject({
  name: z.string().trim().min(1).max(255),
  role: z.enum(ROLES),
});
/** Shown once: the token belongs behind `/sign-in#token=`. */
export type MadeLink = { token: string; expiresAt: string };
export const madeLink: z.ZodType<MadeLink> = z.object({ token: z.string(), expiresAt: time });

export type UserPatch = { role?: Role | undefined; disabled?: boolean | undefined };
export const userPatch: z.ZodType<UserPatch> = z.strictObject({
  role: z.enum(ROLES).optional(),
  disabled: z.boolean().optional(),
});

export interface Token {
  id: string;
  label: string;
  scopes: string[];
  creator: string;
  createdAt: string;
  expiresAt: string;
  revokedAt: string | null;
  usedAt: string | null;
}
const tokenFields = z.object({
  ...all(z.string(), "id", "label", "creator"),
  ...all(time, "createdAt", "expiresAt"),
  ...all(maybeTime, "revokedAt", "usedAt"),
  scopes: z.array(z.string()),
});
export const token: z.ZodType<Token> = tokenFields;
/** `scopes`: every scope that there is to give. */
export type Tokens = Page<Token> & { scopes: string[] };
export const tokens: z.ZodType<Tokens> = z.object({
  items: z.array(tokenFields),
  ...all(count, "total", "page", "limit"),
  scopes: z.array(z.string()),
});
export type TokensQuery = Paging;
export const tokensQuery: z.ZodType<TokensQuery> = z.object(paging);

export type NewToken = { label: string; scopes: string[]; days: number };
export const newToken: z.ZodType<NewToken> = z.strictObject({
  label: z.string().trim().min(1).max(256),
  scopes: z.array(z.string().max(100)).min(1).max(100),
  days: z.number().int().min(1).max(TOKEN_DAYS_MAX),
});
/** `secret` is shown once. */
export type MadeToken = { secret: string; token: Token };
export const madeToken: z.ZodType<MadeToken> = z.object({ secret: z.string(), token: tokenFields });

/** Ways to sign in besides a one-time link. `provider`: what people call the identity provider; null: there is none. */
export type SignInWays = { provider: string | null };
export const signInWays: z.ZodType<SignInWays> = z.object({ provider: maybeText });
