// A world made by the tool beside the repository, in a store: for tests that need labelled traffic of their own recipe.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { fill, linesIn } from "../../bench/detect/fill.ts";
import { Store } from "../../src/store/store.ts";

const SHARED = fileURLToPath(new URL("../../../shared/", import.meta.url));
const CONFIGS = fileURLToPath(new URL("../detect/worlds/", import.meta.url));
const TOOL = join(SHARED, "worlds", "make-world.mjs");

/** Why tests on made worlds are skipped; false where they are not. */
export const skipWorlds: string | false = existsSync(TOOL)
  ? false
  : "the worlds beside the repository are absent";

export interface Truth {
  readonly world: { readonly start: string; readonly days: number };
  readonly accounts: Readonly<Record<string, { readonly fleet?: string; readonly group?: string }>>;
  readonly fleets: Readonly<Record<string, { readonly accounts: readonly string[] }>>;
}

/** @param config file below `test/detect/worlds` @param use gets the filled store and the labels; both are gone afterwards */
export async function inMadeWorld(
  { config, seed }: { readonly config: string; readonly seed: number },
  use: (store: Store, truth: Truth) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "adyton-world-"));
  const world = join(folder, "world");
  const options = ["--config", join(CONFIGS, config), "--data", join(SHARED, "data")];
  const made = [TOOL, ...options, "--seed", String(seed), "--out", world, "--quiet"];
  await promisify(execFile)(process.execPath, made);
  const store = await Store.openEmpty({ folder: join(folder, "store") });
  try {
    await fill(store, {
      exchanges: linesIn(join(world, "exchanges.jsonl.gz")),
      accounts: join(world, "accounts.jsonl"),
    });
    // Written by the tool that was just run.
    await use(store, JSON.parse(await readFile(join(world, "truth.json"), "utf8")) as Truth);
  } finally {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  }
}
