// The log's port to the file system: few calls, so that a test can fail or kill at each of them.
import {
  close,
  fdatasync,
  fsync,
  ftruncate,
  mkdir,
  open,
  read,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writevSync,
} from "node:fs";
import { dirname } from "node:path";

/** All paths absolute. Errors are Node's own, with `code`. */
export interface Disk {
  open(path: string, flags: "r" | "r+" | "wx+" | "w+"): Promise<number>;
  close(file: number): Promise<void>;
  /** Bytes read, 0 at the end. */
  read(file: number, target: Uint8Array, position: number): Promise<number>;
  /** Hands all bytes to the page cache at once, synchronously; durable only after `datasync`. */
  write(file: number, parts: readonly Uint8Array[], position: number): void;
  datasync(file: number): Promise<void>;
  truncate(file: number, bytes: number): Promise<void>;
  /** Makes names in a folder (created, renamed, removed) durable. */
  syncFolder(path: string): Promise<void>;
  /** Recursive, mode 0700. The topmost folder it made, or null when all were there. */
  mkdir(path: string): Promise<string | null>;
  rename(from: string, to: string): Promise<void>;
  /** Recursive; nothing to remove is no error. */
  remove(path: string): Promise<void>;
  /** Names in a folder, sorted; empty when it is missing. */
  list(path: string): Promise<string[]>;
  /** Whole file, or null when it is missing. */
  readFile(path: string): Promise<Buffer | null>;
  /** Length in bytes, or null when it is missing. */
  size(path: string): Promise<number | null>;
}

type Callback<T> = (error: NodeJS.ErrnoException | null, value: T) => void;

function promised<T>(start: (done: Callback<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, value) => (error === null || error === undefined ? resolve(value) : reject(error)));
  });
}

async function orNull<T>(promise: Promise<T>): Promise<T | null> {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR"))
      return null;
    throw error;
  }
}

function writeAll(file: number, parts: readonly Uint8Array[], position: number): void {
  let written = writevSync(file, parts, position);
  let at = position + written;
  // Nearly always everything went at once; after a short write go on part by part.
  for (const part of parts) {
    if (written >= part.length) {
      written -= part.length;
      continue;
    }
    let rest = part.subarray(written);
    written = 0;
    while (rest.length > 0) {
      const count = writevSync(file, [rest], at);
      at += count;
      rest = rest.subarray(count);
    }
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await promised<number>((done) => open(path, "r", done));
  try {
    await promised<void>((done) => fsync(folder, done as Callback<void>));
  } finally {
    await promised<void>((done) => close(folder, done as Callback<void>));
  }
}

/** The real file system. New files get mode 0600. */
export const NODE_DISK: Disk = {
  open: (path, flags) => promised((done) => open(path, flags, 0o600, done)),
  close: (file) => promised((done) => close(file, done as Callback<void>)),
  read: (file, target, position) => promised((done) => read(file, target, 0, target.length, position, done)),
  write: writeAll,
  datasync: (file) => promised((done) => fdatasync(file, done as Callback<void>)),
  truncate: (file, bytes) => promised((done) => ftruncate(file, bytes, done as Callback<void>)),
  syncFolder,
  mkdir: async (path) =>
    (await promised<string | undefined>((done) =>
      mkdir(path, { recursive: true, mode: 0o700 }, done as Callback<string | undefined>),
    )) ?? null,
  rename: (from, to) => promised((done) => rename(from, to, done as Callback<void>)),
  remove: (path) => promised((done) => rm(path, { recursive: true, force: true }, done as Callback<void>)),
  list: async (path) => ((await orNull(promised<string[]>((done) => readdir(path, done)))) ?? []).sort(),
  readFile: (path) => orNull(promised<Buffer>((done) => readFile(path, done))),
  size: async (path) =>
    (await orNull(promised<{ size: number }>((done) => stat(path, done as Callback<{ size: number }>))))
      ?.size ?? null,
};

/**
 * Waits for all of them, then throws the first error. Unlike Promise.all it leaves no straggler behind that could still
 * put an old file in place while the recovery from the error is already writing the new one.
 */
export async function settleAll(promises: readonly Promise<unknown>[]): Promise<void> {
  for (const result of await Promise.allSettled(promises))
    if (result.status === "rejected") throw result.reason;
}

/** Makes a folder and makes its name durable, up to the first folder that was there before. */
export async function makeFolder(disk: Disk, path: string): Promise<void> {
  const first = await disk.mkdir(path);
  if (first === null) return;
  for (let made = path; made.length >= first.length; made = dirname(made))
    await disk.syncFolder(dirname(made));
}

/** Writes a file so that after a crash there is either the old one or the new one. The folder must exist. */
export async function replaceFile(
  disk: Disk,
  path: string,
  bytes: Uint8Array,
  options: { syncFolder: boolean } = { syncFolder: true },
): Promise<void> {
  const temporary = `${path}.new`;
  const file = await disk.open(temporary, "w+");
  try {
    disk.write(file, [bytes], 0);
    await disk.datasync(file);
  } finally {
    await disk.close(file);
  }
  await disk.rename(temporary, path);
  if (options.syncFolder) await disk.syncFolder(dirname(path));
}

/** Fills `target` from `position`; returns the bytes that were there. */
export async function readFully(
  disk: Disk,
  file: number,
  target: Uint8Array,
  position: number,
): Promise<number> {
  let filled = 0;
  while (filled < target.length) {
    const count = await disk.read(file, target.subarray(filled), position + filled);
    if (count === 0) break;
    filled += count;
  }
  return filled;
}
