// Reads the configuration: file, then environment, then command line; one strict parse; errors with file, line, column.
import { readFileSync, statSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { type Document, isMap, isScalar, LineCounter, type Node, type Pair, parseDocument } from "yaml";
import type { z } from "zod";
import { ConfigError } from "./errors.ts";
import type { SecretReference } from "./fields.ts";
import type { RespondConfig } from "./respond-section.ts";
import { type Config, configSchema } from "./schema.ts";

/** A configuration is written by hand; more than this is a mistake. */
const MAX_CONFIG_BYTES = 1024 * 1024;
const MAX_ALIASES = 100;
const STANDARD_FILE = "adyton.yaml";

type Environment = Readonly<Record<string, string | undefined>>;

/** What the environment may override: variable, path of the setting, and whether the text is a number. */
export const ENVIRONMENT_OVERRIDES: readonly {
  variable: string;
  path: readonly string[];
  number: boolean;
}[] = [
  { variable: "ADYTON_DATA", path: ["data"], number: false },
  { variable: "ADYTON_GATEWAY_HOST", path: ["gateway", "listen", "host"], number: false },
  { variable: "ADYTON_GATEWAY_PORT", path: ["gateway", "listen", "port"], number: true },
  { variable: "ADYTON_GATEWAY_WORKERS", path: ["gateway", "workers"], number: true },
  { variable: "ADYTON_CONSOLE_HOST", path: ["console", "listen", "host"], number: false },
  { variable: "ADYTON_CONSOLE_PORT", path: ["console", "listen", "port"], number: true },
  { variable: "ADYTON_DIAGNOSTICS_LEVEL", path: ["diagnostics", "level"], number: false },
];

export interface LoadOptions {
  /** Path given by --config. Without it: `$ADYTON_CONFIG`, then ./adyton.yaml where it exists, then the defaults. */
  readonly file?: string | undefined;
  readonly env?: Environment;
  /** Where relative paths start; the process's own folder by default. */
  readonly workingFolder?: string;
  /** Settings that win over file and environment, in the file's shape. */
  readonly overrides?: Readonly<Record<string, unknown>>;
}

/** The configuration file that `loadConfig` would read, or null when there is none. Throws `config-not-found`. */
export function findConfigFile(options: LoadOptions = {}): string | null {
  const { env = process.env, workingFolder = process.cwd() } = options;
  const named = options.file ?? (env["ADYTON_CONFIG"] || undefined);
  const path = resolve(workingFolder, named ?? STANDARD_FILE);
  if (statSync(path, { throwIfNoEntry: false }) !== undefined) return path;
  if (named === undefined) return null;
  throw new ConfigError("config-not-found", `expected a configuration file at ${path}, got none`);
}

/**
 * The whole configuration, defaults filled in, `data` absolute.
 * @throws ConfigError: `config-not-found`, `config-not-readable`, `config-syntax`, `config-invalid` (all problems at once, a line each).
 */
export function loadConfig(options: LoadOptions = {}): Config {
  const { env = process.env, workingFolder = process.cwd(), overrides = {} } = options;
  const file = findConfigFile(options);
  const source = file === null ? null : readDocument(file, workingFolder);
  const settings: Record<string, unknown> = source === null ? {} : source.settings();
  const origins = new Map<string, string>();
  for (const { variable, path, number } of ENVIRONMENT_OVERRIDES) {
    const text = env[variable];
    if (text === undefined || text === "") continue;
    assign(settings, path, number && /^\d+$/.test(text) ? Number(text) : text);
    origins.set(path.join("."), `environment variable ${variable}`);
  }
  merge(settings, overrides, (path) => origins.set(path, "command line"));
  const parsed = configSchema.safeParse(settings);
  if (!parsed.success) {
    const lines = parsed.error.issues.flatMap((issue) =>
      describe(issue, (path, key) => originOf(path, key, origins, source)),
    );
    throw new ConfigError("config-invalid", lines.join("\n"));
  }
  const folder = file === null ? workingFolder : dirname(file);
  const dataFolder = origins.has("data") ? workingFolder : folder;
  return locate(parsed.data, { dataFolder, secretsFolder: folder });
}

/** Makes paths absolute: the processes that read them need not share a working folder. */
function locate(
  config: Config,
  { dataFolder, secretsFolder }: { dataFolder: string; secretsFolder: string },
): Config {
  const beside = (reference: SecretReference | null): SecretReference | null =>
    reference !== null && "file" in reference ? { file: resolve(secretsFolder, reference.file) } : reference;
  const upstreams = config.gateway.upstreams.map((upstream) => ({ ...upstream, key: beside(upstream.key) }));
  return {
    ...config,
    data: resolve(dataFolder, config.data),
    gateway: { ...config.gateway, upstreams },
    store: { ...config.store, password: beside(config.store.password) },
    respond: locateRespond(config.respond, { beside, folder: secretsFolder }),
  };
}

function locateRespond(
  respond: RespondConfig,
  {
    beside,
    folder,
  }: { beside: (reference: SecretReference | null) => SecretReference | null; folder: string },
): RespondConfig {
  const { policy, redis, alerts } = respond;
  const targets = alerts.targets.map((target) => ({ ...target, secret: beside(target.secret) }));
  return {
    ...respond,
    policy: policy === null ? null : resolve(folder, policy),
    redis: redis === null ? null : { ...redis, password: beside(redis.password) },
    alerts: { ...alerts, targets },
  };
}

interface Source {
  settings(): Record<string, unknown>;
  /** `file:line:column` of the setting, or of the nearest setting around it. */
  place(path: readonly PropertyKey[], key: string | null): string;
}

function readDocument(file: string, workingFolder: string): Source {
  const name = shortest(file, workingFolder);
  let text: string;
  try {
    const { size } = statSync(file);
    if (size > MAX_CONFIG_BYTES) throw new Error(`expected at most ${MAX_CONFIG_BYTES} bytes, got ${size}`);
    text = readFileSync(file, "utf8");
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError("config-not-readable", `${name}: ${reason}`, { cause });
  }
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: true });
  const at = (offset: number): string => {
    const { line, col } = lineCounter.linePos(offset);
    return `${name}:${line}:${col}`;
  };
  const [error] = document.errors;
  if (error !== undefined)
    throw new ConfigError("config-syntax", `${at(error.pos[0])}: ${error.message}`, { cause: error });
  const root: unknown = plain(document, name);
  if (root !== null && (typeof root !== "object" || Array.isArray(root))) {
    throw new ConfigError(
      "config-invalid",
      `${at(0)}: expected settings (name: value), got another kind of document`,
    );
  }
  return {
    settings: () => ({ ...(root as Record<string, unknown> | null) }),
    place: (path, key) => at(offsetOf(document, path, key)),
  };
}

/** Aliases that multiply are refused before they fill the memory. */
function plain(document: Document.Parsed, name: string): unknown {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError("config-syntax", `${name}: ${reason}`, { cause });
  }
}

/** Where in the text the setting stands; walks up to the nearest parent that is written down. */
function offsetOf(document: Document.Parsed, path: readonly PropertyKey[], key: string | null): number {
  for (let depth = path.length; depth >= 0; depth--) {
    const node: unknown = depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true);
    if (key !== null && depth === path.length && isMap(node)) {
      const pair = node.items.find((item: Pair) => isScalar(item.key) && item.key.value === key);
      const range = isScalar(pair?.key) ? pair.key.range : undefined;
      if (range) return range[0];
    }
    const range = (node as Node | null | undefined)?.range;
    if (range) return range[0];
  }
  return 0;
}

function originOf(
  path: readonly PropertyKey[],
  key: string | null,
  origins: ReadonlyMap<string, string>,
  source: Source | null,
): string {
  const overridden = origins.get([...path, ...(key === null ? [] : [key])].join("."));
  return overridden ?? source?.place(path, key) ?? "configuration";
}

/** One line a problem. zod's messages name types and allowed values, never the value that was given. */
function describe(
  issue: z.core.$ZodIssue,
  place: (path: readonly PropertyKey[], key: string | null) => string,
): string[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map(
      (key) => `${place(issue.path, key)}: unknown setting ${[...issue.path, key].join(".")}`,
    );
  }
  const message = issue.message.replace(/^Invalid input: /, "").replace(", received ", ", got ");
  return [`${place(issue.path, null)}: ${issue.path.join(".")}: ${message}`];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function assign(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [first, ...rest] = path;
  if (first === undefined) return;
  if (rest.length === 0) {
    target[first] = value;
    return;
  }
  const inner = target[first];
  const copy: Record<string, unknown> = isRecord(inner) ? { ...inner } : {};
  target[first] = copy;
  assign(copy, rest, value);
}

function merge(
  target: Record<string, unknown>,
  from: Readonly<Record<string, unknown>>,
  overridden: (path: string) => void,
  path: readonly string[] = [],
): void {
  for (const [name, value] of Object.entries(from)) {
    if (value === undefined) continue;
    const here = [...path, name];
    if (isRecord(value)) {
      merge(target, value, overridden, here);
      continue;
    }
    assign(target, here, value);
    overridden(here.join("."));
  }
}

function shortest(file: string, workingFolder: string): string {
  const short = relative(workingFolder, file);
  return short.startsWith("..") ? file : short;
}
