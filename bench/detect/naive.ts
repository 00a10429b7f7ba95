// The naive detectors that come with the worlds, for scale, fed so that they read every line whole.
import { createReadStream, createWriteStream } from "node:fs";
import { copyFile, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import { runTool } from "./worlds.ts";

const NAMES = ["volume", "template", "infrastructure"] as const;
/** U+2028 and U+2029 in UTF-8 (e2 80 a8, e2 80 a9). A JSON text may hold them; a reader of lines may break there. */
const SEPARATORS = /[\u2028\u2029]/g;

/** Findings files of the naive detectors, by name. */
export async function baselinesOf(
  world: string,
  out: string,
): Promise<readonly { readonly name: string; readonly findings: string }[]> {
  const plain = join(out, "plain");
  await mkdir(plain, { recursive: true });
  try {
    await escapeSeparators(join(world, "exchanges.jsonl.gz"), join(plain, "exchanges.jsonl.gz"));
    await copyFile(join(world, "accounts.jsonl"), join(plain, "accounts.jsonl"));
    await runTool("baselines.mjs", ["--world", plain, "--out", out]);
  } finally {
    await rm(plain, { recursive: true, force: true });
  }
  return NAMES.map((name) => ({ name, findings: join(out, `${name}.json`) }));
}

/** The same JSON with line and paragraph separators written as escapes, gzipped as it came. */
export async function escapeSeparators(from: string, to: string): Promise<void> {
  const decoder = new TextDecoder();
  const escaped = (text: string): string =>
    text.replace(SEPARATORS, (mark) => (mark === "\u2028" ? "\\u2028" : "\\u2029"));
  await pipeline(
    createReadStream(from),
    createGunzip(),
    new Transform({
      transform: (chunk: Buffer, _encoding, done) =>
        done(null, escaped(decoder.decode(chunk, { stream: true }))),
      flush: (done) => done(null, escaped(decoder.decode())),
    }),
    createGzip({ level: 1 }),
    createWriteStream(to),
  );
}
