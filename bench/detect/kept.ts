// Keeps each world's result beside the world, so that a benchmark that was broken off goes on where it stood.
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** What a result depends on, besides the world: another byte in there, and kept results are measured anew. */
const MEASURED = ["src/core", "src/detect", "src/store", "src/cli/hunter.ts", "detectors", "bench/detect"];

/** A digest of the code whose behaviour is measured; `more` are further folders that it depends on. */
export async function digestOfCode(more: readonly string[] = []): Promise<string> {
  const digest = createHash("sha256");
  for (const part of [...MEASURED, ...more]) {
    const files = part.endsWith(".ts") ? [""] : (await readdir(join(ROOT, part), { recursive: true })).sort();
    for (const file of files) {
      const bytes = await readFile(join(ROOT, part, file)).catch(() => null);
      if (bytes !== null) digest.update(`${part}/${file}\u0000${bytes.length}\u0000`).update(bytes);
    }
  }
  return digest.digest("hex").slice(0, 16);
}

export class KeptResults<Result> {
  readonly #folder: string;
  readonly #key: string;

  /** @param key names everything that a result depends on besides its world */
  constructor(folder: string, key: string) {
    this.#folder = folder;
    this.#key = key;
  }

  /** The result of a world measured under the same key, or null. */
  async read(name: string): Promise<Result | null> {
    const text = await readFile(this.#pathOf(name), "utf8").catch(() => null);
    if (text === null) return null;
    const kept = JSON.parse(text) as { readonly key: string; readonly result: Result }; // our own file
    return kept.key === this.#key ? kept.result : null;
  }

  /** The file is whole or it is the former one. */
  async write(name: string, result: Result): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const path = this.#pathOf(name);
    await writeFile(`${path}.new`, `${JSON.stringify({ key: this.#key, result }, null, 1)}\n`);
    await rename(`${path}.new`, path);
  }

  #pathOf(name: string): string {
    return join(this.#folder, `${name}.json`);
  }
}
