// Makes and scores labelled worlds with the tools that come with them; labels stay in those tools.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";

/** Beside the repository; the benchmark says so and skips worlds where it is absent. */
const SHARED = fileURLToPath(new URL("../../../shared/", import.meta.url));
const TOOLS: string = join(SHARED, "worlds");
const DATA = join(SHARED, "data");

export const CONTROLS = ["no-attack", "shuffle-infrastructure", "shuffle-prompts"] as const;
export type Control = (typeof CONTROLS)[number];

export interface WorldSpec {
  /** Number of the development configuration. */
  readonly config: number;
  readonly seed: number;
  readonly control: Control | null;
}

export function hasWorlds(): boolean {
  return existsSync(join(TOOLS, "make-world.mjs"));
}

export function nameOf({ config, seed, control }: WorldSpec): string {
  return `dev-${config}-${seed}${control === null ? "" : `-${control}`}`;
}

/** The world's folder below `folder`; made when it is not there yet. */
export async function makeWorld(spec: WorldSpec, folder: string): Promise<string> {
  const out = join(folder, nameOf(spec));
  if (existsSync(join(out, "exchanges.jsonl.gz"))) return out;
  await mkdir(folder, { recursive: true });
  const config = join(TOOLS, "configs", `dev-${spec.config}.json`);
  const control = spec.control === null ? [] : [`--${spec.control}`];
  await run("make-world.mjs", [
    ...["--config", config, "--data", DATA, "--seed", String(spec.seed), "--out", out],
    ...control,
  ]);
  return out;
}

/** NDJSON of the streamed big world. */
export function streamWorld(
  exchanges: number,
  accounts: { readonly benign: number; readonly attackers: number },
): {
  readonly lines: NodeJS.ReadableStream;
  readonly done: Promise<void>;
} {
  const child = spawn(
    process.execPath,
    [
      join(TOOLS, "make-world.mjs"),
      ...["--scale-exchanges", String(exchanges), "--stdout", "--data", DATA, "--seed", "1"],
      ...["--benign-accounts", String(accounts.benign), "--attacker-accounts", String(accounts.attackers)],
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const done = new Promise<void>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) =>
      code === 0 ? resolve() : reject(new Error(`make-world ended with ${code}`)),
    );
  });
  return { lines: child.stdout, done };
}

export interface Fleet {
  readonly family: string;
  readonly size: number;
  readonly mixing: number;
  readonly detected: boolean;
  readonly leaked_share: number;
  readonly account_recall: number | null;
  readonly purity: number | null;
}

/** What the worlds' own scorer says. */
export interface Score {
  readonly fleets: readonly Fleet[];
  readonly overall: {
    readonly findings_by_kind: Readonly<
      Record<string, { readonly findings: number; readonly false: number }>
    >;
    readonly benign_flagged: number;
    readonly benign_accounts: number;
    readonly benign_flagged_by_population: Readonly<
      Record<string, { readonly accounts: number; readonly flagged: number }>
    >;
  };
}

const counts: z.ZodType<{ accounts: number; flagged: number }> = z.object({
  accounts: z.number(),
  flagged: z.number(),
});
const score: z.ZodType<Score> = z.object({
  fleets: z.array(
    z.object({
      family: z.string(),
      size: z.number(),
      mixing: z.number(),
      detected: z.boolean(),
      leaked_share: z.number(),
      account_recall: z.number().nullable(),
      purity: z.number().nullable(),
    }),
  ),
  overall: z.object({
    findings_by_kind: z.record(z.string(), z.object({ findings: z.number(), false: z.number() })),
    benign_flagged: z.number(),
    benign_accounts: z.number(),
    benign_flagged_by_population: z.record(z.string(), counts),
  }),
});

export async function scoreWorld(world: string, findings: string): Promise<Score> {
  const text = await run("score.mjs", ["--world", world, "--findings", findings, "--json"]);
  const [first] = z.object({ worlds: z.array(score) }).parse(JSON.parse(text)).worlds;
  if (first === undefined) throw new TypeError("expected a score, got none");
  return first;
}

/** Findings files of the naive detectors that come with the worlds, by name. */
export async function baselinesOf(
  world: string,
  out: string,
): Promise<readonly { name: string; findings: string }[]> {
  await mkdir(out, { recursive: true });
  await run("baselines.mjs", ["--world", world, "--out", out]);
  return ["volume", "template", "infrastructure"].map((name) => ({
    name,
    findings: join(out, `${name}.json`),
  }));
}

async function run(tool: string, options: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [join(TOOLS, tool), ...options], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  if (code !== 0) throw new Error(`${tool} ended with ${code}`);
  return Buffer.concat(chunks).toString("utf8");
}
