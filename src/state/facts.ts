// Checks what callers hand to the state: every text has a limit, so that no row can grow without one.
import { z } from "zod";
import type { AccountFacts } from "../core/account.ts";
import { StateError } from "./errors.ts";

/** The log's limit for names, which accounts become. */
const MAX_NAME_BYTES = 255;

export const fact: z.ZodType<string | null> = z.string().min(1).max(512).nullable();

/** Of an account, an organisation or a user. */
export const name: z.ZodType<string> = z
  .string()
  .min(1)
  .refine((text) => text.isWellFormed() && Buffer.byteLength(text) <= MAX_NAME_BYTES, {
    error: `expected well-formed text of at most ${MAX_NAME_BYTES} bytes`,
  })
  // biome-ignore lint/suspicious/noControlCharactersInRegex: names go into headers and terminals, so none may hold one.
  .regex(/^[^\u0000-\u001f\u007f]+$/, "expected no control characters");

const accountFacts: z.ZodType<AccountFacts> = z.object({
  account: name,
  created: z.iso.datetime().nullable(),
  plan: fact,
  payment: fact,
  emailDomain: fact,
  country: fact,
  organization: fact,
  declaredUse: fact,
});

export function parseAccountFacts(facts: AccountFacts): AccountFacts {
  return parse(accountFacts, facts, "account facts");
}

export function parseName(text: string, what: string): string {
  return parse(name, text, what);
}

const label = z.string().max(256);

export function parseLabel(text: string, what: string): string {
  return parse(label, text, what);
}

/** @throws StateError `invalid-fact`, naming the member and the kind expected, never the value. */
export function parse<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = [what, ...(issue?.path ?? [])].join(".");
  throw new StateError("invalid-fact", `${where}: ${issue?.message ?? "expected another value"}`);
}
