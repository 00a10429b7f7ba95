// Runs the real command in a folder of its own, as a person would.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const BIN = fileURLToPath(new URL("../../bin/adyton.mjs", import.meta.url));
const TIMEOUT_MS = 60_000;
/** Compiled once for all commands of a test file: most of a short command's time is compiling. */
const COMPILE_CACHE = mkdtempSync(join(tmpdir(), "adyton-cli-compiled-"));
process.once("exit", () => rmSync(COMPILE_CACHE, { recursive: true, force: true }));

export interface Run {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A temporary folder to run commands in; removed by `end`. */
export class Place {
  readonly folder: string = mkdtempSync(join(tmpdir(), "adyton-cli-"));
  readonly data: string = join(this.folder, "adyton-data");

  /** `line` is split at spaces; words in single quotes stay together. */
  async adyton(line: string, env: Readonly<Record<string, string>> = {}): Promise<Run> {
    const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2] ?? "");
    const child = spawn(process.execPath, [BIN, ...words], {
      cwd: this.folder,
      env: { PATH: process.env["PATH"] ?? "", HOME: this.folder, NODE_COMPILE_CACHE: COMPILE_CACHE, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: TIMEOUT_MS,
    });
    let out = "";
    let err = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      err += text;
    });
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    return { code, out, err };
  }

  /** Runs a command that must succeed, and gives back its JSON. */
  async json(line: string): Promise<unknown> {
    const { code, out, err } = await this.adyton(`${line} --json`);
    if (code !== 0) throw new Error(`${line}: expected exit code 0, got ${code}: ${err}`);
    return JSON.parse(out);
  }

  end(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
