// The settings of response: whether measures are enforced, how they reach the gateways, budgets, appeals and alerts.
import { z } from "zod";
import { VERIFICATION_KINDS, type VerificationKind } from "../core/identity.ts";
import { httpUrl, type SecretReference, secretReference, whole } from "./fields.ts";

/** What a budget counts. The first three are counted by the gateway, the others measured in the analytical store. */
export type BudgetUnit =
  | "requests"
  | "inputTokens"
  | "outputTokens"
  | "distinctPrompts"
  | "logprobEntries"
  | "embeddingCells";

export type BudgetScope = "endUser" | "account" | "organization" | "campaign" | "global";

export interface BudgetConfig {
  readonly name: string;
  readonly scope: BudgetScope;
  readonly unit: BudgetUnit;
  /** Length of the window, seconds. */
  readonly windowSeconds: number;
  /** How much in a window; null: from `copyShare`. */
  readonly limit: number | null;
  /** Share of what a copy of the model needs, by the extraction model of docs/response.md; null: `limit` counts. */
  readonly copyShare: number | null;
}

export type TargetModel = "chat" | "capability" | "classifier" | "embedding" | "outputLayer";

/** What frees an account under the measure `verify`: a person's word, a verification of that kind, or work. */
export type VerifyStep = "contact" | "proofOfWork" | VerificationKind;

export interface RedisConfig {
  readonly url: string;
  readonly password: SecretReference | null;
  readonly timeoutMs: number;
}

export type AlertKind = "webhook" | "slack" | "syslog";

export interface AlertTarget {
  readonly name: string;
  readonly kind: AlertKind;
  readonly url: string;
  readonly secret: SecretReference | null;
  /** File of the authorities that a `tls:` receiver's certificate may come from; null: the well-known ones. */
  readonly ca: string | null;
  readonly format: "adyton" | "ocsf";
  /** Beginnings of the events it is told; empty: all. */
  readonly events: readonly string[];
}

export interface RespondConfig {
  readonly mode: "shadow" | "enforce";
  readonly policy: string | null;
  readonly redis: RedisConfig | null;
  readonly pollMs: number;
  readonly budgets: readonly BudgetConfig[];
  readonly target: { readonly kind: TargetModel; readonly hiddenSize: number; readonly vocabulary: number };
  readonly onRedisFailure: "closed" | "open" | "localShare";
  readonly gateways: number;
  readonly slow: {
    readonly requests: number;
    readonly windowSeconds: number;
    readonly maxWaitSeconds: number;
  };
  readonly verify: {
    readonly step: VerifyStep;
    readonly instructions: string | null;
    readonly url: string | null;
    readonly proofBits: number;
  };
  readonly appeals: { readonly publicUrl: string | null; readonly contact: string | null };
  readonly alerts: {
    readonly targets: readonly AlertTarget[];
    readonly maxAttempts: number;
    readonly timeoutMs: number;
  };
}

const budget = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,62}$/)
      .meta({ description: "Short name for diagnostics: lower-case letters, digits and hyphens." }),
    scope: z.enum(["endUser", "account", "organization", "campaign", "global"]).meta({
      description:
        "Who shares it: one user whom a tenant names in a signed `adyton-end-user`, one account, all accounts of an organisation, all accounts of a live verdict, everybody. `endUser` counts requests and tokens only, and without Redis within a day at most.",
    }),
    unit: z
      .enum([
        "requests",
        "inputTokens",
        "outputTokens",
        "distinctPrompts",
        "logprobEntries",
        "embeddingCells",
      ])
      .meta({
        description:
          "What is counted. Requests and tokens are counted by the gateway; distinct prompts, log-probability entries and cells of the embedding space are measured in the analytical store at each tick.",
      }),
    windowSeconds: whole(1, 366 * 86_400, 86_400, "Length of the window, seconds: from a second to a year."),
    limit: z.number().int().min(1).max(Number.MAX_SAFE_INTEGER).nullable().default(null).meta({
      description: "How much in a window. `null`: from `copyShare`.",
    }),
    copyShare: z.number().gt(0).max(100).nullable().default(null).meta({
      description:
        "The limit as a share of what a copy of the model needs (docs/response.md): 0.05 is a twentieth. `null`: `limit` counts.",
    }),
  })
  .superRefine(({ limit, copyShare }, context) => {
    if ((limit === null) === (copyShare === null))
      context.addIssue({ code: "custom", path: ["limit"], message: "expected either limit or copyShare" });
  });

const redisUrl = z
  .string()
  .max(2048)
  .refine((text) => isRedisUrl(text), {
    error: "expected a redis:// or rediss:// URL without a password; name that in `password`",
  });

function isRedisUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, password } = new URL(text);
  return (protocol === "redis:" || protocol === "rediss:") && password === "";
}

const alertTarget = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/)
    .meta({ description: "Short name, used once." }),
  kind: z.enum(["webhook", "slack", "syslog"]).meta({
    description:
      "`webhook`: JSON over HTTPS, signed; `slack`: a message that Slack and its likes understand; `syslog`: RFC 5424 over TLS, TCP or UDP.",
  }),
  url: z
    .string()
    .max(2048)
    .refine((text) => URL.canParse(text) && /^(https?|tls|tcp|udp):$/.test(new URL(text).protocol), {
      error: "expected an http://, https://, tls://host:port, tcp://host:port or udp://host:port URL",
    })
    .meta({
      description: "Where alerts go. Syslog over `tls://` (RFC 5425) uses port 6514 where none is given.",
    }),
  secret: secretReference.nullable().default(null).meta({
    description:
      "Where the webhook's signing secret is kept. `null`: not signed. Receivers check `webhook-signature` (docs/response.md).",
  }),
  ca: z.string().min(1).max(4096).nullable().default(null).meta({
    description:
      "PEM file of the authority that signed a `tls://` receiver's certificate. `null`: the well-known ones.",
  }),
  format: z.enum(["adyton", "ocsf"]).default("adyton").meta({
    description: "Form of the JSON: Adyton's own, or OCSF (Detection Finding).",
  }),
  events: z
    .array(z.string().regex(/^[a-z.-]{1,64}$/))
    .max(50)
    .default([])
    .meta({
      description: "Beginnings of the events it is told, such as `verdict` or `appeal.filed`. Empty: all.",
    }),
});

const alerts = z.strictObject({
  targets: z.array(alertTarget).max(20).default([]).meta({ description: "Who is told." }),
  maxAttempts: whole(
    1,
    50,
    10,
    "Attempts before an alert is given up (a dead letter, `adyton alerts list`).",
  ),
  timeoutMs: whole(100, 60_000, 5000, "Longest attempt, milliseconds."),
});

export const respondSection: z.ZodType<RespondConfig, object | undefined> = z
  .strictObject({
    mode: z.enum(["shadow", "enforce"]).default("shadow").meta({
      description:
        "`shadow`: measures are computed and shown, nothing is enforced. `enforce`: approved measures hold.",
    }),
    policy: z.string().min(1).max(4096).nullable().default(null).meta({
      description:
        "File of the policy (YAML or JSON). `null`: the standard policy, which `adyton policy show` prints.",
    }),
    redis: z
      .strictObject({
        url: redisUrl.meta({ description: "Such as redis://host:6379/0; rediss:// is TLS." }),
        password: secretReference.nullable().default(null).meta({
          description: "Where the password is kept. `null`: none.",
        }),
        timeoutMs: whole(
          10,
          60_000,
          500,
          "Longest answer, milliseconds; after it Redis counts as gone for this request.",
        ),
      })
      .nullable()
      .default(null)
      .meta({
        description:
          "Valkey or Redis that several gateways share for budgets and for the news of verdicts. `null`: one machine.",
      }),
    pollMs: whole(
      20,
      60_000,
      200,
      "Time between two looks of a gateway worker for new verdicts, milliseconds. The news over Redis comes before it.",
    ),
    budgets: z.array(budget).max(50).default([]).meta({
      description: "Limits sized to extraction. Empty: none, because no limit fits every model.",
    }),
    target: z
      .strictObject({
        kind: z
          .enum(["chat", "capability", "classifier", "embedding", "outputLayer"])
          .default("capability")
          .meta({
            description:
              "What a copy would be of, for budgets by `copyShare`; docs/response.md has the table.",
          }),
        hiddenSize: whole(1, 1_000_000, 4096, "Width of the model's last layer."),
        vocabulary: whole(1, 100_000_000, 128_000, "Tokens of its vocabulary, or classes of a classifier."),
      })
      .prefault({})
      .meta({ description: "The model that budgets by `copyShare` protect." }),
    onRedisFailure: z.enum(["closed", "open", "localShare"]).default("localShare").meta({
      description:
        "Budgets while Redis is gone: `closed` refuses what is budgeted, `open` admits it, `localShare` gives each gateway worker its share of the limit.",
    }),
    gateways: whole(
      1,
      10_000,
      1,
      "Gateway workers over all machines that share the budgets: the divisor of `localShare`.",
    ),
    slow: z
      .strictObject({
        requests: whole(
          1,
          1_000_000,
          6,
          "Requests in a window under the measure `slow`, evenly spread: 6 a minute are one every ten seconds.",
        ),
        windowSeconds: whole(1, 86_400, 60, "Length of that window, seconds."),
        maxWaitSeconds: whole(
          0,
          300,
          30,
          "Longest a request is held until its turn, seconds; what would wait longer is refused with `retry-after`. Less than `gateway.limits.requestTimeoutMs`. 0: nothing is held.",
        ),
      })
      .prefault({})
      .meta({ description: "The pace that all accounts of one verdict share under the measure `slow`." }),
    verify: z
      .strictObject({
        step: z
          .enum(["contact", "proofOfWork", ...VERIFICATION_KINDS])
          .default("contact")
          .meta({
            description:
              "What frees an account under the measure `verify`. `contact`: a person (`adyton verdicts release`). A kind of verification: recording it as verified, by API, console or `adyton accounts verify`. `proofOfWork`: a proof sent to the appeal page, which costs whoever runs many accounts.",
          }),
        url: httpUrl.nullable().default(null).meta({
          description: "Where the customer takes the step, such as a sign-in or payment page. `null`: none.",
        }),
        proofBits: whole(
          8,
          40,
          22,
          "Leading zero bits that a proof of work has: each further one doubles the work. 22 take a processor some seconds.",
        ),
        instructions: z.string().min(1).max(1000).nullable().default(null).meta({
          description:
            "What the customer is asked to do under the measure `verify`. `null`: to do the computation on the appeal page, for `proofOfWork`; else to contact the operator.",
        }),
      })
      .prefault({})
      .meta({ description: "The step that the operator defines." }),
    appeals: z
      .strictObject({
        publicUrl: httpUrl.nullable().default(null).meta({
          description:
            "URL under which customers reach the gateway, for links to the appeal page. `null`: the path alone is told.",
        }),
        contact: z.string().min(1).max(320).nullable().default(null).meta({
          description: "Mail address or telephone shown on the appeal page. `null`: none.",
        }),
      })
      .prefault({})
      .meta({ description: "How customers object." }),
    alerts: alerts.prefault({}).meta({ description: "Who is told of findings, verdicts and appeals." }),
  })
  .prefault({})
  .superRefine(({ budgets, redis, alerts: { targets } }, context) => {
    onlyOnce(budgets, ["budgets"], context);
    for (const [index, budget] of budgets.entries()) {
      if (budget.scope !== "endUser" || isCountedAtTheGateway(budget, { hasRedis: redis !== null })) continue;
      const message = "expected a unit and a window that gateways count: the store knows no end users";
      context.addIssue({ code: "custom", path: ["budgets", index, "scope"], message });
    }
    onlyOnce(targets, ["alerts", "targets"], context);
  })
  .meta({ description: "Response: measures, budgets, appeals, alerts." });

/** What a customer under `verify` is asked to do. */
export function instructionsOf({ step, instructions }: RespondConfig["verify"]): string {
  if (instructions !== null) return instructions;
  return step === "proofOfWork"
    ? "Please let a computer of yours do the small computation that the appeal page describes."
    : "Please contact the operator of this service to confirm who uses this account.";
}

const COUNTED: ReadonlySet<string> = new Set(["requests", "inputTokens", "outputTokens"]);
/** Without Redis a counter lives in a process's memory: what is to last longer than a day is measured in the store. */
const LONGEST_IN_MEMORY_SECONDS = 86_400;

/** Whether the gateway counts this budget; else the analyst measures it in the store at each tick. */
export function isCountedAtTheGateway(
  { unit, windowSeconds }: Pick<BudgetConfig, "unit" | "windowSeconds">,
  { hasRedis }: { hasRedis: boolean },
): boolean {
  return COUNTED.has(unit) && (hasRedis || windowSeconds <= LONGEST_IN_MEMORY_SECONDS);
}

function onlyOnce(
  items: readonly { readonly name: string }[],
  path: string[],
  context: z.core.$RefinementCtx,
): void {
  const seen = new Set<string>();
  for (const [index, { name }] of items.entries()) {
    if (seen.has(name))
      context.addIssue({
        code: "custom",
        path: [...path, index, "name"],
        message: "expected a name used once",
      });
    seen.add(name);
  }
}
