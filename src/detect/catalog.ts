// Reads detectors from their folders: `<family>/<name>/{detector.yaml, query.sql, guide.md, cases/*.yaml}`, some with
// further statements.
import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { z } from "zod";
import type { FindingKind } from "../core/finding.ts";
import { DetectError } from "./errors.ts";

/** Adyton's own detectors. */
export const DETECTORS_FOLDER: string = fileURLToPath(new URL("../../detectors/", import.meta.url));

const JUDGES = [
  "divergence",
  "parameter-stealing",
  "recall",
  "training-data",
  "sampling",
  "neighbourhoods",
  "numeric",
  "shared-wording",
  "linked-accounts",
  "coverage",
  "alike-accounts",
] as const;

export interface Parameter {
  readonly value: number | readonly number[];
  readonly unit: string;
  readonly reason: string;
}

/** What `detector.yaml` says. */
export interface DetectorFile {
  readonly id: string;
  readonly name: string;
  readonly version: number;
  readonly maturity: "experimental" | "stable" | "deprecated";
  readonly severity: "low" | "medium" | "high" | "critical";
  readonly kind: FindingKind;
  /** Which statistic reads the rows of the query. */
  readonly judge: (typeof JUDGES)[number];
  readonly summary: string;
  readonly nullHypothesis: string;
  readonly assumptions: readonly string[];
  readonly falsePositives: readonly string[];
  readonly knownGaps: readonly string[];
  /** MITRE ATLAS technique and NIST AI 100-2 identifier. */
  readonly atlas: string;
  readonly nist: string;
  readonly timeoutMs: number;
  /** Hours between two runs: its cost against how early it must speak. */
  readonly everyHours: number;
  readonly parameters: Readonly<Record<string, Parameter>>;
}

/** A detector, ready to run. */
export interface Detector extends DetectorFile {
  readonly folder: string;
  /** One statement. */
  readonly sql: string;
  /** Further statements by their files' names, of judges that choose from the first one's rows what to look at closely. */
  readonly followUps: Readonly<Record<string, string>>;
  readonly guide: string;
  /** Widths of last hidden layers that the operator stated, by model. */
  readonly hiddenSizes?: Readonly<Record<string, number>>;
}

const sentences: z.ZodType<readonly string[]> = z.array(z.string().min(3)).min(1);

const parameter: z.ZodType<Parameter> = z.strictObject({
  value: z.union([z.number(), z.array(z.number()).min(1)]),
  unit: z.string().min(1),
  reason: z.string().min(10),
});

const detectorFile: z.ZodType<DetectorFile> = z.strictObject({
  id: z.string().regex(/^[a-z][a-z0-9-]*$/),
  name: z.string().min(3),
  version: z.int().min(1),
  maturity: z.enum(["experimental", "stable", "deprecated"]),
  severity: z.enum(["low", "medium", "high", "critical"]),
  kind: z.enum(["account", "campaign", "probe"]),
  judge: z.enum(JUDGES),
  summary: z.string().min(10),
  nullHypothesis: z.string().min(10),
  assumptions: sentences,
  falsePositives: sentences,
  knownGaps: sentences,
  atlas: z.string().regex(/^AML\.T\d{4}(\.\d{3})?$/),
  nist: z.string().regex(/^NISTAML\.\d{2,3}$/),
  timeoutMs: z.int().min(100).max(600_000),
  everyHours: z.number().positive().max(168),
  parameters: z.record(z.string(), parameter),
});

/** All detectors below a folder, by id. @throws DetectError detector-invalid */
export async function loadDetectors(folder: string = DETECTORS_FOLDER): Promise<readonly Detector[]> {
  const detectors: Detector[] = [];
  for (const family of await foldersIn(folder)) {
    for (const name of await foldersIn(join(folder, family))) {
      detectors.push(await loadDetector(join(folder, family, name), name));
    }
  }
  return detectors.sort((a, b) => a.id.localeCompare(b.id));
}

async function loadDetector(folder: string, name: string): Promise<Detector> {
  const [yaml, sql, guide] = await Promise.all(
    ["detector.yaml", "query.sql", "guide.md"].map((file) => readPart(folder, file)),
  );
  const parsed = detectorFile.safeParse(parse(yaml ?? ""));
  if (!parsed.success) {
    throw new DetectError(
      "detector-invalid",
      `${join(folder, "detector.yaml")}: ${z.prettifyError(parsed.error)}`,
    );
  }
  if (parsed.data.id !== name) {
    throw new DetectError("detector-invalid", `expected id ${name} in ${folder}, got ${parsed.data.id}`);
  }
  const followUps: Record<string, string> = {};
  for (const file of (await readdir(folder)).sort()) {
    if (!file.endsWith(".sql") || file === "query.sql") continue;
    followUps[basename(file, ".sql")] = await readPart(folder, file);
  }
  return { ...parsed.data, folder, sql: sql ?? "", followUps, guide: guide ?? "" };
}

async function readPart(folder: string, file: string): Promise<string> {
  try {
    return await readFile(join(folder, file), "utf8");
  } catch (cause) {
    throw new DetectError("detector-invalid", `expected ${join(folder, file)} to be readable`, { cause });
  }
}

async function foldersIn(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory() && entry.name !== "cases")
      .map((entry) => entry.name)
      .sort();
  } catch (cause) {
    throw new DetectError("detector-invalid", `expected a folder of detectors at ${folder}`, { cause });
  }
}

/** A parameter that is one number. @throws DetectError detector-invalid */
export function numberParameter(detector: Detector, name: string): number {
  const value = detector.parameters[name]?.value;
  if (typeof value !== "number") {
    throw new DetectError("detector-invalid", `expected parameter ${name} of ${detector.id} to be a number`);
  }
  return value;
}

/** A parameter that is a list of numbers. @throws DetectError detector-invalid */
export function listParameter(detector: Detector, name: string): readonly number[] {
  const value = detector.parameters[name]?.value;
  if (!Array.isArray(value)) {
    throw new DetectError("detector-invalid", `expected parameter ${name} of ${detector.id} to be a list`);
  }
  return value;
}
