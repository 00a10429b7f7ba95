// The whole configuration in one strict schema: every setting with its unit, its default and the reason for it.
import { z } from "zod";
import { type EvidenceConfig, evidenceSection } from "./evidence-section.ts";
import { httpUrl, type Listen, listen, type SecretReference, secretReference, whole } from "./fields.ts";
import { type GatewayConfig, gatewaySection } from "./gateway-section.ts";
import { type LogConfig, logSection, type WitnessServiceConfig, witnessSection } from "./log-section.ts";
import { type ProviderConfig, providerSection } from "./provider-section.ts";
import { type RespondConfig, respondSection } from "./respond-section.ts";
import { type StateConfig, stateSection } from "./state-section.ts";

export interface StoreConfig {
  readonly url: string | null;
  readonly database: string;
  readonly user: string;
  readonly password: SecretReference | null;
  readonly queryTimeoutMs: number;
  readonly maxMemoryBytes: number;
}

export interface DetectConfig {
  readonly enabled: boolean;
  readonly tickMs: number;
  readonly falseDiscoveryRate: number;
  readonly declaredGateways: readonly string[];
  readonly disabledDetectors: readonly string[];
  readonly hiddenSizes: Readonly<Record<string, number>>;
  readonly embeddingModel: string | null;
}

export interface ConsoleConfig {
  readonly listen: Listen;
  readonly publicUrl: string | null;
  readonly sessionMinutes: number;
  readonly signInLinkMinutes: number;
  readonly provider: ProviderConfig | null;
}

export interface DiagnosticsConfig {
  readonly level: "fatal" | "error" | "warn" | "info" | "debug" | "trace";
}

export interface ProcessesConfig {
  readonly delayMs: number;
  readonly maxDelayMs: number;
  readonly stableAfterMs: number;
}

export interface Config {
  /** Absolute path of the data folder. */
  readonly data: string;
  readonly gateway: GatewayConfig;
  readonly log: LogConfig;
  readonly state: StateConfig;
  readonly store: StoreConfig;
  readonly detect: DetectConfig;
  readonly respond: RespondConfig;
  readonly console: ConsoleConfig;
  readonly witness: WitnessServiceConfig;
  readonly evidence: EvidenceConfig;
  readonly diagnostics: DiagnosticsConfig;
  readonly processes: ProcessesConfig;
}

const MIB = 1024 * 1024;
const identifier = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/;

const store = z.strictObject({
  url: httpUrl.nullable().default(null).meta({
    description:
      "URL of a ClickHouse server or cluster. `null`: the embedded engine in the data folder, nothing to install.",
  }),
  database: z
    .string()
    .regex(identifier)
    .default("adyton")
    .meta({ description: "Database that holds Adyton's tables." }),
  user: z
    .string()
    .min(1)
    .max(256)
    .default("default")
    .meta({ description: "ClickHouse user; unused by the embedded engine." }),
  password: secretReference.nullable().default(null).meta({
    description: "Where that user's password is kept: `{ env: NAME }` or `{ file: PATH }`.",
  }),
  queryTimeoutMs: whole(
    100,
    3_600_000,
    60_000,
    "Longest analytical query, milliseconds. A query that takes longer is cancelled and reported.",
  ),
  maxMemoryBytes: whole(256 * MIB, 1024 * 1024 * MIB, 4096 * MIB, "Most memory one query may take, bytes."),
});

const detect = z.strictObject({
  enabled: z
    .boolean()
    .default(true)
    .meta({ description: "Whether detectors run. The log is written either way." }),
  tickMs: whole(100, 3_600_000, 5000, "Time between two looks at what is new, milliseconds."),
  falseDiscoveryRate: z.number().gt(0).lt(1).default(0.01).meta({
    description:
      "Share of accusations that may be wrong, in expectation, over all accounts. One in a hundred by default: a wrong accusation harms a customer.",
  }),
  declaredGateways: z.array(z.string().min(1).max(256)).max(100_000).default([]).meta({
    description:
      "Accounts that are declared resellers or gateways: their traffic is that of many people and is judged as such.",
  }),
  disabledDetectors: z.array(z.string().min(1).max(256)).max(1000).default([]).meta({
    description: "Ids of detectors that are not run.",
  }),
  hiddenSizes: z.record(z.string().min(1).max(256), z.int().min(16).max(1_000_000)).default({}).meta({
    description:
      "Width of the last hidden layer of each model, by its name: what the meter of parameter stealing counts against. 4096 is assumed where none is stated.",
  }),
  embeddingModel: z.string().min(1).max(4096).nullable().default(null).meta({
    description:
      "Folder of a sentence model (`model.onnx` or `onnx/model.onnx`, `tokenizer.json`) that embeds messages in place of the built-in sketch. Needs `npm install onnxruntime-web @huggingface/tokenizers`, and `adyton store rebuild` whenever it changes.",
  }),
});

const consoleSection = z
  .strictObject({
    listen: listen(8788, "Where the console and the JSON API are served."),
    publicUrl: httpUrl.nullable().default(null).meta({
      description:
        "URL under which people reach the console, when a proxy stands in front. `null`: built from `listen`. An https URL makes session cookies `Secure`.",
    }),
    sessionMinutes: whole(1, 43_200, 720, "Life of a session, minutes. A working day by default."),
    signInLinkMinutes: whole(1, 1440, 15, "Life of a one-time sign-in link, minutes."),
    provider: providerSection,
  })
  .refine(({ provider, publicUrl }) => provider === null || publicUrl !== null, {
    error: "expected the URL under which people reach the console, which the provider sends them back to",
    path: ["publicUrl"],
  });

const diagnostics = z.strictObject({
  level: z.enum(["fatal", "error", "warn", "info", "debug", "trace"]).default("info").meta({
    description:
      "Least severe diagnostic message that is written. No level ever writes content, keys or salts.",
  }),
});

const processes = z.strictObject({
  delayMs: whole(
    1,
    60_000,
    100,
    "Delay before a process that died is started again, milliseconds; doubles with each early death.",
  ),
  maxDelayMs: whole(1, 600_000, 10_000, "Longest such delay, milliseconds."),
  stableAfterMs: whole(
    1,
    3_600_000,
    30_000,
    "A process that lived this long, milliseconds, starts again from the first delay.",
  ),
});

const sections = z.strictObject({
  data: z.string().min(1).max(4096).default("adyton-data").meta({
    description:
      "The data folder. A relative path starts at the configuration file's folder, or at the working folder where there is no file.",
  }),
  gateway: gatewaySection,
  log: logSection,
  state: stateSection,
  store: store.prefault({}).meta({ description: "The analytical database." }),
  detect: detect.prefault({}).meta({ description: "Detection." }),
  respond: respondSection,
  console: consoleSection.prefault({}).meta({ description: "The console and its API." }),
  witness: witnessSection,
  evidence: evidenceSection,
  diagnostics: diagnostics.prefault({}).meta({ description: "What the processes say about themselves." }),
  processes: processes.prefault({}).meta({ description: "How `adyton serve` restarts its processes." }),
});

/** Input: what a YAML file may hold. Output: `Config`, every default filled in, paths as written. */
export const configSchema: z.ZodType<Config> = sections.superRefine(({ gateway, respond }, context) => {
  const { requestTimeoutMs } = gateway.limits;
  // While a request is held, its body may wait in the connection, and the gateway's clock for slow senders runs.
  if (respond.slow.maxWaitSeconds * 1000 < requestTimeoutMs) return;
  context.addIssue({
    code: "custom",
    path: ["respond", "slow", "maxWaitSeconds"],
    message: `expected less than gateway.limits.requestTimeoutMs (${requestTimeoutMs} ms), got ${respond.slow.maxWaitSeconds} s`,
  });
});
