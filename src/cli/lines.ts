// Reads a file of lines, plain or gzipped, as a stream: JSON lines may hold U+2028, so only a line feed ends a line.
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { pipeline, type Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { CliError } from "./errors.ts";

/** Longest line that is read, bytes; a longer one is handed out as null. */
export const MAX_LINE_BYTES: number = 64 * 1024 * 1024;
const CHUNK_BYTES = 1024 * 1024;
const LINE_FEED = 0x0a;

/** Lines in batches, each with the number of its first line (from 1). A null stands for a line that is too long. */
export interface LineBatch {
  readonly firstLine: number;
  readonly lines: readonly (string | null)[];
  /** Bytes of the file read so far (compressed, where it is), for progress. */
  readonly fileBytes: number;
}

/**
 * Every line of a file without its end. Whether it is gzipped is told by its first bytes, not by its name.
 * @throws CliError `usage` when there is no such file, `input-damaged` when it can't be read to its end
 */
export async function* readLines(
  path: string,
  options: { readonly maxLineBytes?: number } = {},
): AsyncGenerator<LineBatch> {
  const maxLineBytes = options.maxLineBytes ?? MAX_LINE_BYTES;
  const gzipped = await startsLikeGzip(path);
  const file = createReadStream(path, { highWaterMark: CHUNK_BYTES });
  const source: Readable = gzipped
    ? pipeline(file, createGunzip({ chunkSize: CHUNK_BYTES }), () => {})
    : file;
  let rest: Buffer[] = [];
  let restBytes = 0;
  let firstLine = 1;
  for await (const chunk of readable(source, path)) {
    const lines: (string | null)[] = [];
    let from = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, from)) {
      lines.push(lineOf(rest, restBytes, chunk.subarray(from, end), maxLineBytes));
      rest = [];
      restBytes = 0;
      from = end + 1;
    }
    restBytes += chunk.length - from;
    // What is too long anyway is counted, not kept.
    rest = restBytes > maxLineBytes ? [] : [...rest, chunk.subarray(from)];
    if (lines.length > 0) yield { firstLine, lines, fileBytes: file.bytesRead };
    firstLine += lines.length;
  }
  if (restBytes > 0) {
    const lines = [lineOf(rest, restBytes, Buffer.alloc(0), maxLineBytes)];
    yield { firstLine, lines, fileBytes: file.bytesRead };
  }
}

async function* readable(source: Readable, path: string): AsyncGenerator<Buffer> {
  try {
    yield* source as AsyncIterable<Buffer>;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CliError("input-damaged", `expected to read ${path} to its end, got: ${reason}`, { cause });
  }
}

function lineOf(
  rest: readonly Buffer[],
  restBytes: number,
  last: Buffer,
  maxLineBytes: number,
): string | null {
  if (restBytes + last.length > maxLineBytes) return null;
  const bytes = rest.length === 0 ? last : Buffer.concat([...rest, last]);
  const end = bytes.at(-1) === 0x0d ? bytes.length - 1 : bytes.length;
  return bytes.toString("utf8", 0, end);
}

async function startsLikeGzip(path: string): Promise<boolean> {
  try {
    const file = await open(path, "r");
    try {
      const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(2), length: 2, position: 0 });
      return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
    } finally {
      await file.close();
    }
  } catch (cause) {
    const reason = cause instanceof Error && "code" in cause ? String(cause.code) : "unreadable";
    throw new CliError("usage", `expected a file that can be read, got ${path} (${reason})`, { cause });
  }
}
