// The log as anyone may read it (C2SP tlog-tiles over HTTP): checkpoint, tiles and entry bundles, which hold no content.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ApiError } from "./errors.ts";
import type { Handlers } from "./services.ts";

/** `tile/<level>/<index>[.p/<width>]` and `tile/entries/…`; the index in groups of three digits, all but the last with x. */
const TILE_PATH = /^\/log\/(tile\/(?:entries|\d{1,2})\/(?:x\d{3}\/)*\d{3}(?:\.p\/\d{1,3})?)$/;
/** A tile never changes once it is written. */
const FOREVER = "public, max-age=31536000, immutable";

/** What `src/log/timestamp-files.ts` writes: stamped checkpoints, stamps, and the lists of renewals. */
const TIMESTAMP_PATH = /^\/log\/(timestamps\/[A-Za-z0-9_-]{1,64}(?:\.[A-Za-z0-9_-]{1,64}){1,2})$/;

export const logFileHandlers: Handlers<
  "GET /log/checkpoint" | "GET /log/checkpoint.cosigned" | "GET /log/timestamps/*" | "GET /log/tile/*"
> = {
  "GET /log/checkpoint.cosigned": async (_context, { folder }) => {
    const bytes = await read(folder.cosignedCheckpoint);
    return answer(bytes, "text/plain; charset=utf-8", "no-cache");
  },
  "GET /log/timestamps/*": async (context, { folder }) => {
    const path = TIMESTAMP_PATH.exec(context.req.path)?.[1];
    if (path === undefined) throw new ApiError("api.not-found", "expected the path of a timestamp");
    const type = path.endsWith(".tsr") ? "application/timestamp-reply" : "text/plain; charset=utf-8";
    return answer(await read(join(folder.log, path)), type, "no-cache");
  },
  "GET /log/checkpoint": async (_context, { folder }) => {
    const bytes = await read(folder.checkpoint);
    return answer(bytes, "text/plain; charset=utf-8", "no-cache");
  },
  "GET /log/tile/*": async (context, { folder }) => {
    const path = TILE_PATH.exec(context.req.path)?.[1];
    if (path === undefined) throw new ApiError("api.not-found", "expected the path of a tile");
    return answer(await read(join(folder.log, path)), "application/octet-stream", FOREVER);
  },
};

function answer(bytes: Uint8Array<ArrayBuffer>, type: string, caching: string): Response {
  // Public by design: witnesses and monitors read it from anywhere.
  return new Response(bytes, {
    headers: { "content-type": type, "cache-control": caching, "access-control-allow-origin": "*" },
  });
}

async function read(path: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (cause) {
    throw new ApiError("api.not-found", "the log has no such file", { cause });
  }
}
