// Serves the built console from memory. Only files read at the start exist, so no path can lead anywhere else.
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { extname, join, relative, sep } from "node:path";

interface StaticFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly type: string;
  readonly etag: string;
  /** True for files whose name holds a hash of their content. */
  readonly isImmutable: boolean;
}

/** A console of more bytes than this is not one that we built. */
const MAX_CONSOLE_BYTES = 32 * 1024 * 1024;
/** Screens whose addresses end with a name, which may hold a dot. */
const NAMED = /^\/(?:accounts|findings|organizations)\//;
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

export class StaticFiles {
  readonly #files: ReadonlyMap<string, StaticFile>;

  private constructor(files: ReadonlyMap<string, StaticFile>) {
    this.#files = files;
  }

  /** Reads a folder whole; a missing one is empty. @throws RangeError beyond 32 MiB */
  static async read(folder: string | null): Promise<StaticFiles> {
    const files = new Map<string, StaticFile>();
    const entries =
      folder === null ? [] : await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
    let total = 0;
    for (const entry of entries) {
      const type = TYPES[extname(entry.name)];
      if (folder === null || !entry.isFile() || type === undefined) continue;
      const path = join(entry.parentPath, entry.name);
      const bytes = new Uint8Array(await readFile(path));
      total += bytes.length;
      if (total > MAX_CONSOLE_BYTES)
        throw new RangeError(`expected a console of at most ${MAX_CONSOLE_BYTES} bytes`);
      const name = `/${relative(folder, path).split(sep).join("/")}`;
      const etag = `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`;
      files.set(name, { bytes, type, etag, isImmutable: name.startsWith("/assets/") });
    }
    return new StaticFiles(files);
  }

  /** The file at a path, or the page itself for an address within the console; null when there is none. */
  answer(path: string, ifNoneMatch: string | undefined): Response | null {
    const isFile = /\.[a-z0-9]+$/.test(path) && !NAMED.test(path);
    const file = this.#files.get(path) ?? (isFile ? undefined : this.#files.get("/index.html"));
    if (file === undefined) return null;
    const headers = {
      etag: file.etag,
      "cache-control": file.isImmutable ? "public, max-age=31536000, immutable" : "no-cache",
    };
    if (ifNoneMatch === file.etag) return new Response(null, { status: 304, headers });
    return new Response(file.bytes, { headers: { ...headers, "content-type": file.type } });
  }
}
