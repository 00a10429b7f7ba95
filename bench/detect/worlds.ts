// Makes and scores labelled worlds with the tools that come with them; labels stay in those tools.
import { spawn } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";

/** Beside the repository; the benchmark says so and skips worlds where it is absent. */
const BESIDE = fileURLToPath(new URL("../../../shared/", import.meta.url));
/** The tools run only under their real name: called through a symbolic link they do nothing and report success. */
const SHARED = existsSync(BESIDE) ? realpathSync(BESIDE) : BESIDE;
const TOOLS = join(SHARED, "worlds");
/** Folder of the public material that the worlds are made of. */
export const DATA: string = join(SHARED, "data");

export const CONTROLS = ["shuffle-infrastructure", "shuffle-prompts"] as const;
/** What a world is made without. */
export type Control = "no-attack" | (typeof CONTROLS)[number];

export interface WorldSpec {
  readonly name: string;
  readonly control: Control | null;
  /** How to make it, or where it is already. */
  readonly source: { readonly config: number; readonly seed: number } | { readonly folder: string };
}

export function hasWorlds(): boolean {
  return existsSync(join(TOOLS, "make-world.mjs"));
}

/** A world of one of the development configurations. */
export function devWorld(config: number, seed: number, control: Control | null): WorldSpec {
  const name = `dev-${config}-${seed}${control === null ? "" : `-${control}`}`;
  return { name, control, source: { config, seed } };
}

/** Worlds that were made before, one a folder below `folder`. */
export async function madeWorlds(folder: string): Promise<WorldSpec[]> {
  const specs: WorldSpec[] = [];
  for (const name of (await readdir(folder)).sort()) {
    const text = await readFile(join(folder, name, "truth.json"), "utf8").catch(() => null);
    if (text === null || !existsSync(join(folder, name, "stats.json"))) continue;
    const { flags } = madeWorld.parse(JSON.parse(text)).world;
    const control = flags.noAttack
      ? "no-attack"
      : flags.shuffleInfrastructure
        ? "shuffle-infrastructure"
        : flags.shufflePrompts
          ? "shuffle-prompts"
          : null;
    specs.push({ name, control, source: { folder: join(folder, name) } });
  }
  return specs;
}

const madeWorld = z.object({
  world: z.object({
    flags: z.object({
      noAttack: z.boolean(),
      shuffleInfrastructure: z.boolean(),
      shufflePrompts: z.boolean(),
    }),
  }),
});

/** The world's folder, below `folder` if it has none yet; made when it is not there. A broken-off making is begun anew. */
export async function makeWorld({ name, control, source }: WorldSpec, folder: string): Promise<string> {
  if ("folder" in source) return source.folder;
  const out = join(folder, name);
  if (existsSync(join(out, "stats.json"))) return out;
  await mkdir(folder, { recursive: true });
  const config = join(TOOLS, "configs", `dev-${source.config}.json`);
  await runTool("make-world.mjs", [
    ...["--config", config, "--data", DATA, "--seed", String(source.seed), "--out", out],
    ...(control === null ? [] : [`--${control}`]),
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
  const text = await runTool("score.mjs", ["--world", world, "--findings", findings, "--json"]);
  const [first] = z.object({ worlds: z.array(score) }).parse(JSON.parse(text)).worlds;
  if (first === undefined) throw new TypeError("expected a score, got none");
  return first;
}

/** What a tool that comes with the worlds prints. */
export async function runTool(tool: string, options: readonly string[]): Promise<string> {
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
