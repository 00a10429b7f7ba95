// The policy: which findings lead to which measure, as data that is checked, versioned by its hash, and shown.
import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { parseDocument } from "yaml";
import { z } from "zod";
import { canonicalJson } from "../core/canonical-json.ts";
import type { FindingKind } from "../core/finding.ts";
import { MEASURES, type Measure, REASON_CODES, type ReasonCode, rankOf } from "../core/measure.ts";
import { RespondError } from "./errors.ts";

/** What a finding must be for a rule to speak. Everything that is said must hold. */
export interface Condition {
  readonly kinds: readonly FindingKind[] | null;
  /** Ids of detectors, or their beginnings up to a slash. */
  readonly detectors: readonly string[] | null;
  /** The p-value at most; an e-value e counts as 1/e (Markov's inequality: P(E >= e) <= 1/e under the null). */
  readonly pAtMost: number | null;
  /** Accounts at least. */
  readonly accountsAtLeast: number | null;
  /** Exchanges that the accounts were served, at least. */
  readonly exchangesAtLeast: number | null;
  /** Tokens of answers that the accounts were served, at least. */
  readonly tokensAtLeast: number | null;
  /** Whether an analyst must have confirmed the finding. */
  readonly confirmed: boolean;
}

/** A weaker measure that holds while a proposal waits for its approver. */
export interface UntilDecided {
  readonly measure: "reduce" | "slow";
  /** It ends by itself after so long, whether or not anybody decided. */
  readonly hours: number;
}

export interface Rule {
  readonly id: string;
  readonly when: Condition;
  readonly measure: Measure;
  readonly reason: ReasonCode;
  /** `approver`: a person decides; `none`: it takes effect by itself. */
  readonly approval: "approver" | "none";
  /** What holds until then; null: nothing. */
  readonly untilDecided: UntilDecided | null;
  readonly days: number;
  /** How many accounts may join the campaign later and inherit the measure without a further decision. */
  readonly inheritUpTo: number;
}

export interface Policy {
  readonly version: 1;
  /** From approval to effect, minutes: a uniform draw between both, one for the whole campaign. */
  readonly delayMinutes: { readonly least: number; readonly most: number };
  /** Accounts and organisations with whom something was agreed: no rule names them. */
  readonly exempt: { readonly accounts: readonly string[]; readonly organizations: readonly string[] };
  /** In order: the first that holds decides. */
  readonly rules: readonly Rule[];
}

const MAX_POLICY_BYTES = 1024 * 1024;
const MAX_RULES = 200;
const MAX_EXEMPT = 100_000;
const name = z.string().min(1).max(512);
const atLeast = z.number().int().min(1).max(Number.MAX_SAFE_INTEGER).nullable().default(null);

const condition = z.strictObject({
  kinds: z
    .array(z.enum(["account", "campaign", "probe"]))
    .min(1)
    .nullable()
    .default(null),
  detectors: z.array(name).min(1).max(1000).nullable().default(null),
  pAtMost: z.number().gt(0).max(1).nullable().default(null),
  accountsAtLeast: atLeast,
  exchangesAtLeast: atLeast,
  tokensAtLeast: atLeast,
  confirmed: z.boolean().default(false),
});

const rule = z
  .strictObject({
    id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/),
    when: condition.prefault({}),
    measure: z.enum(MEASURES),
    reason: z.enum(REASON_CODES).default("unusual-use"),
    approval: z.enum(["approver", "none"]).default("approver"),
    untilDecided: z
      .strictObject({ measure: z.enum(["reduce", "slow"]), hours: z.number().min(1).max(336).default(48) })
      .nullable()
      .default(null),
    days: z.number().int().min(1).max(3650).default(30),
    inheritUpTo: z.number().int().min(0).max(1_000_000).default(1000),
  })
  .refine(
    ({ untilDecided, measure, approval }) =>
      untilDecided === null || (approval === "approver" && rankOf(untilDecided.measure) < rankOf(measure)),
    {
      path: ["untilDecided"],
      error: "expected a weaker measure than the rule's, which an approver decides on",
    },
  );

const minutes = z.number().min(0).max(43_200);
const policySchema: z.ZodType<Policy, unknown> = z
  .strictObject({
    version: z.literal(1),
    delayMinutes: z
      .strictObject({ least: minutes, most: minutes })
      .refine(({ least, most }) => least <= most, { error: "expected least to be no more than most" })
      .default({ least: 5, most: 60 }),
    exempt: z
      .strictObject({
        accounts: z.array(name).max(MAX_EXEMPT).default([]),
        organizations: z.array(name).max(MAX_EXEMPT).default([]),
      })
      .prefault({}),
    rules: z.array(rule).max(MAX_RULES),
  })
  .superRefine(({ rules }, context) => {
    const seen = new Set<string>();
    for (const [index, { id }] of rules.entries()) {
      if (seen.has(id))
        context.addIssue({
          code: "custom",
          path: ["rules", index, "id"],
          message: "expected an id used once",
        });
      seen.add(id);
    }
  });

/**
 * What holds where the operator says nothing. A campaign is quarantined once an approver agrees; a probe, which is
 * nearly certain, loses what only a prober needs; one account alone is watched: a single customer who looks odd is
 * more often odd than a thief.
 */
export const STANDARD_POLICY: Policy = policySchema.parse({
  version: 1,
  rules: [
    {
      id: "campaign",
      when: { kinds: ["campaign"], pAtMost: 0.01, accountsAtLeast: 3 },
      measure: "quarantine",
    },
    { id: "probe", when: { kinds: ["probe"] }, measure: "reduce" },
    { id: "watch", measure: "observe", approval: "none" },
  ],
});

/** SHA-256 of the canonical form: the version under which verdicts and the log name it. */
export function policyHash(policy: Policy): string {
  return createHash("sha256").update(canonicalJson(policy)).digest("hex");
}

/**
 * `name`: the file, for messages.
 * @throws RespondError `respond.policy-syntax`, `respond.policy-invalid` (every problem, a line each)
 */
export function parsePolicy(text: string, name: string = "the policy"): Policy {
  const document = parseDocument(text, { prettyErrors: true, uniqueKeys: true });
  const [error] = document.errors;
  if (error !== undefined)
    throw new RespondError("respond.policy-syntax", `${name}: ${error.message}`, { cause: error });
  const parsed = policySchema.safeParse(document.toJS({ maxAliasCount: 100 }));
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map(({ path, message }) =>
    [name, path.join("."), message].filter(Boolean).join(": "),
  );
  throw new RespondError("respond.policy-invalid", lines.join("\n"));
}

/** The configured policy, or the standard one. @throws RespondError */
export async function loadPolicy(file: string | null): Promise<Policy> {
  if (file === null) return STANDARD_POLICY;
  let text: string;
  try {
    const { size } = await stat(file);
    if (size > MAX_POLICY_BYTES) throw new Error(`expected at most ${MAX_POLICY_BYTES} bytes, got ${size}`);
    text = await readFile(file, "utf8");
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new RespondError("respond.policy-not-readable", `expected a policy at ${file}, got: ${reason}`, {
      cause,
    });
  }
  return parsePolicy(text, file);
}
