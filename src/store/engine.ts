// The only place that makes a ClickHouse client: embedded (chDB, in this process) or a server, behind one small interface.
import { randomUUID } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { type ClickHouseClient, type ClickHouseClientConfigOptions, createClient } from "@clickhouse/client";
import { createChdbConnection } from "chdb/connection";
import { bound } from "./bound-parameters.ts";
import type { EncodedRows } from "./encoded-rows.ts";
import { StoreError } from "./errors.ts";
import { insertStatement, RowsFile } from "./insert-statement.ts";

type InjectedConnection = NonNullable<ClickHouseClientConfigOptions["connection"]>;

/** Values for `{name:Type}` places in a statement. 64-bit integers beyond 2^53 go in as strings or bigint. */
export type Parameters = Readonly<Record<string, unknown>>;

export interface EngineOptions {
  /** Folder of the embedded database. Ignored when `url` is given. */
  readonly folder: string;
  /** URL of a ClickHouse server or cluster; null or absent: the embedded engine. */
  readonly url?: string | null | undefined;
  /** For a server: database (which must exist), user and password. */
  readonly database?: string | undefined;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** Most memory one statement may take, bytes (default 3 GiB). */
  readonly maxMemoryBytes?: number | undefined;
  /** Statements that may read at once (default 2). Writing always goes one at a time. */
  readonly readers?: number | undefined;
}

/** Longest a statement may take when its caller does not say, ms. */
export const DEFAULT_STATEMENT_TIMEOUT_MS = 60_000;
/** Longest time for inserts, deletes and migrations, ms: they touch as much as there is to touch. */
export const WRITE_TIMEOUT_MS = 600_000;
/** With the one that writes one thread fewer than Node's pool has, on which the embedded engine's statements wait. */
const DEFAULT_READERS = 2;
/** Pause before a statement is ended again that had not begun when it was ended first, ms. */
const END_AGAIN_MS = 50;
const DEFAULT_MAX_MEMORY_BYTES = 3 * 1024 ** 3;
/**
 * Share of that memory from which on a statement puts its groups on disk: several times slower, where it would fail
 * otherwise. The rest is for what a statement holds beside them.
 */
const SPILLED_SHARE = 0.6;

/**
 * Settings of every statement. The embedded engine keeps settings for the rest of a connection, so each statement
 * carries all of them and a connection serves one statement at a time.
 */
const SETTINGS = {
  /** Values of parameters are part of the text: lists of many thousand accounts. Before everything it must let pass. */
  max_query_size: 64 * 1024 ** 2,
  /** 64-bit integers come as strings: a hash must not lose bits to a double. */
  output_format_json_quote_64bit_integers: 1,
  date_time_input_format: "best_effort",
  /** A column that a row names and the table lacks is a programming error, not something to drop. */
  input_format_skip_unknown_fields: 0,
  session_timezone: "UTC",
} as const;

/** A statement by the name that `log_comment` gives it: the embedded engine takes no identifier from outside. */
const END_STATEMENT = "KILL QUERY WHERE Settings['log_comment'] = {name:String} ASYNC";

/** Connections to the database: one that writes and a few that read, each serving one statement at a time. */
export class Engine {
  readonly #options: EngineOptions;
  readonly #writer: Lane;
  readonly #readers: Readers;
  #closed = false;

  private constructor(options: EngineOptions, writer: Lane, readers: readonly Lane[]) {
    this.#options = options;
    this.#writer = writer;
    this.#readers = new Readers(readers);
  }

  /** @throws StoreError store.locked, store.unavailable */
  static async open(options: EngineOptions): Promise<Engine> {
    if (isEmbedded(options)) await mkdir(options.folder, { recursive: true, mode: 0o700 });
    const lanes: Lane[] = [];
    try {
      for (let index = 0; index <= (options.readers ?? DEFAULT_READERS); index += 1) {
        lanes.push(new Lane(options));
      }
      const [writer, ...readers] = lanes;
      if (writer === undefined) throw new TypeError("expected at least one connection");
      await writer.command("SELECT 1", {}, DEFAULT_STATEMENT_TIMEOUT_MS);
      if (isEmbedded(options)) await RowsFile.removeAll(options.folder); // now that nobody else has it
      return new Engine(options, writer, readers);
    } catch (error) {
      await Promise.allSettled(lanes.map((lane) => lane.close()));
      throw unavailable(error, options);
    }
  }

  /**
   * Rows of a reading statement, which the signal ends wherever it is.
   * @throws StoreError store.query-failed, store.query-timeout, store.query-ended, store.closed
   */
  async query<T>(sql: string, parameters: Parameters, timeoutMs: number, signal?: AbortSignal): Promise<T[]> {
    this.#assertOpen();
    return await this.#readers.use(async (lane) => {
      if (signal?.aborted === true) throw ended();
      const name = randomUUID();
      const finished = new AbortController();
      // Where it can't be ended (a server that forbids it) it runs to its end.
      const end = (): void => void this.#end(name, finished.signal).catch(() => {});
      signal?.addEventListener("abort", end, { once: true });
      try {
        return (await lane.run(sql, parameters, timeoutMs, name)) as T[];
      } finally {
        finished.abort();
        signal?.removeEventListener("abort", end);
      }
    });
  }

  /** On a connection of its own, because all others may be waiting for answers. Again until the statement is over. */
  async #end(name: string, finished: AbortSignal): Promise<void> {
    const lane = new Lane(this.#options);
    try {
      while (!finished.aborted) {
        await lane.command(END_STATEMENT, { name }, DEFAULT_STATEMENT_TIMEOUT_MS);
        await sleep(END_AGAIN_MS, undefined, { signal: finished }).catch(() => {});
      }
    } finally {
      await lane.close();
    }
  }

  /** A statement that changes something and returns nothing. */
  async execute(sql: string, parameters: Parameters, timeoutMs: number = WRITE_TIMEOUT_MS): Promise<void> {
    this.#assertOpen();
    await this.#writer.command(sql, parameters, timeoutMs);
  }

  /** One INSERT: it is there as a whole or not at all. @param rows of the same columns, a few; JSON lines one at a time */
  async insert(table: string, rows: readonly EncodedRows[]): Promise<void> {
    this.#assertOpen();
    if (rows.length > 0) await this.#writer.insert(table, rows);
  }

  /** Waits for what runs, then lets the database go. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.allSettled([this.#writer.close(), this.#readers.close()]);
  }

  #assertOpen(): void {
    if (this.#closed) throw new StoreError("store.closed", "expected an open store, got a closed one");
  }
}

/**
 * Connections that read. Whoever asks gets the first that is free: a short question must not wait behind a detector's
 * long one while another connection has nothing to do.
 */
class Readers {
  readonly #lanes: readonly Lane[];
  readonly #free: Lane[];
  /** Who waits for a connection, the first first. */
  readonly #waiting: ((lane: Lane) => void)[] = [];
  readonly #uses = new Set<Promise<unknown>>();

  constructor(lanes: readonly Lane[]) {
    this.#lanes = lanes;
    this.#free = [...lanes];
  }

  async use<T>(work: (lane: Lane) => Promise<T>): Promise<T> {
    const use = this.#use(work);
    this.#uses.add(use);
    try {
      return await use;
    } finally {
      this.#uses.delete(use);
    }
  }

  async #use<T>(work: (lane: Lane) => Promise<T>): Promise<T> {
    const lane = this.#free.pop() ?? (await new Promise<Lane>((resolve) => this.#waiting.push(resolve)));
    try {
      return await work(lane);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free.push(lane);
      else next(lane);
    }
  }

  /** Waits for all that asked. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#uses);
    await Promise.allSettled(this.#lanes.map((lane) => lane.close()));
  }
}

/** One connection and its queue. */
class Lane {
  readonly #client: ClickHouseClient;
  readonly #maxMemoryBytes: number;
  /** Of the embedded database; null: a server. */
  readonly #folder: string | null;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(options: EngineOptions) {
    this.#client = connect(options);
    this.#maxMemoryBytes = options.maxMemoryBytes ?? DEFAULT_MAX_MEMORY_BYTES;
    this.#folder = isEmbedded(options) ? resolve(options.folder) : null;
  }

  /** @param name by which the statement can be ended */
  run(sql: string, parameters: Parameters, timeoutMs: number, name: string): Promise<unknown[]> {
    return this.#next(async () => {
      const result = await this.#client.query({
        ...this.#statement(sql, parameters),
        format: "JSONEachRow",
        clickhouse_settings: { ...this.#settings(timeoutMs), log_comment: name },
      });
      return result.json();
    });
  }

  command(sql: string, parameters: Parameters, timeoutMs: number): Promise<unknown> {
    return this.#next(async () =>
      this.#client.command({
        ...this.#statement(sql, parameters),
        clickhouse_settings: this.#settings(timeoutMs),
      }),
    );
  }

  #statement(
    sql: string,
    parameters: Parameters,
  ): { readonly query: string; readonly query_params?: Record<string, unknown> } {
    return this.#folder === null
      ? { query: sql, query_params: { ...parameters } }
      : { query: bound(sql, parameters) };
  }

  /**
   * JSON goes as part of the statement. The settings stand in the statement itself: sent along, they would become
   * statements before it, and the embedded engine takes several statements apart character by character, rows included,
   * at three times the cost of the insert. Binary rows go as the body to a server, and through a file to the engine.
   */
  insert(table: string, rows: readonly EncodedRows[]): Promise<unknown> {
    const columns = rows[0]?.columns ?? null;
    const settings = this.#settings(WRITE_TIMEOUT_MS);
    return this.#next(async () => {
      if (columns === null || this.#folder === null) {
        const query = insertStatement(table, columns, { file: null, settings });
        const values = Readable.from(
          rows.map(({ bytes }) => bytes),
          { objectMode: false },
        );
        const { stream } = await this.#client.exec({ query, values });
        for await (const _ of stream); // empty, but a connection is free only after its answer was read
        return;
      }
      const file = await RowsFile.write(this.#folder, rows);
      try {
        const query = insertStatement(table, columns, { file: file.path, settings });
        await this.#client.command({ query });
      } finally {
        await file.remove();
      }
    });
  }

  async close(): Promise<void> {
    await this.#tail.catch(() => {});
    await this.#client.close();
  }

  #settings(timeoutMs: number): Record<string, string | number> {
    const max_execution_time = Math.max(1, Math.ceil(timeoutMs / 1000));
    return {
      ...SETTINGS,
      max_execution_time,
      max_memory_usage: String(this.#maxMemoryBytes),
      max_bytes_before_external_group_by: String(Math.floor(this.#maxMemoryBytes * SPILLED_SHARE)),
      max_bytes_before_external_sort: String(Math.floor(this.#maxMemoryBytes * SPILLED_SHARE)),
    };
  }

  #next<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#tail
      .catch(() => {})
      .then(work)
      .catch((error: unknown) => {
        throw asStoreError(error);
      });
    this.#tail = done.catch(() => {});
    return done;
  }
}

function connect(options: EngineOptions): ClickHouseClient {
  if (isEmbedded(options)) {
    const connection = createChdbConnection({ path: resolve(options.folder) });
    // chdb and the client each bundle their own copy of the same interface; TypeScript takes the copies for strangers.
    return createClient({ connection: connection as unknown as InjectedConnection });
  }
  const { url, database, user, password } = options;
  return createClient({
    ...(url === undefined || url === null ? {} : { url }),
    request_timeout: WRITE_TIMEOUT_MS,
    max_open_connections: 1,
    ...(database === undefined ? {} : { database }),
    ...(user === undefined ? {} : { username: user }),
    ...(password === undefined ? {} : { password }),
  });
}

function isEmbedded(options: EngineOptions): boolean {
  return options.url === undefined || options.url === null;
}

function unavailable(error: unknown, options: EngineOptions): StoreError {
  if (error instanceof StoreError && error.code !== "store.query-failed") return error;
  const text = `${error instanceof Error ? error.message : ""} ${causeText(error)}`;
  // The embedded engine prints its reason to stderr and hands back only that the connection failed.
  const locked = isEmbedded(options) && /lock file|CHDB_CONNECTION|create connection/i.test(text);
  return locked
    ? new StoreError("store.locked", `expected to be alone in ${options.folder}, got a folder in use`, {
        cause: error,
      })
    : new StoreError("store.unavailable", "expected a database that answers, got an error", { cause: error });
}

function causeText(error: unknown): string {
  return error instanceof Error && error.cause instanceof Error ? error.cause.message : "";
}

function asStoreError(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const type = error instanceof Error && "type" in error ? String(error.type) : "";
  if (type === "QUERY_WAS_CANCELLED") return ended(error);
  const reason = error instanceof Error ? (error.message.split("\n", 1)[0] ?? "") : String(error);
  return type === "TIMEOUT_EXCEEDED"
    ? new StoreError("store.query-timeout", `expected an answer within the time limit, got: ${reason}`, {
        cause: error,
      })
    : new StoreError("store.query-failed", `expected the statement to run, got: ${reason.slice(0, 500)}`, {
        cause: error,
      });
}

function ended(cause?: unknown): StoreError {
  return new StoreError("store.query-ended", "expected an answer, got the word that nobody waits for it", {
    cause,
  });
}
