// A real PostgreSQL of its own for a test file: Debian's, on a loopback port, in a temporary folder, gone afterwards.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chownSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import pg from "pg";
import { ensureSystemPackages } from "../../scripts/system-packages.ts";
import { EMBEDDED_STATE, type StateConfig } from "../../src/config/state-section.ts";
import { freePort } from "./free-port.ts";

export interface TestPostgres {
  /** An empty database, and the settings that lead to it. */
  database(): Promise<StateConfig>;
  /** One statement as the database's owner, in the database of `config`. */
  execute(config: StateConfig, statement: string): Promise<void>;
  /** Like a crash: connections break and new ones are refused, until `start`. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Stops it and removes its folder. */
  close(): Promise<void>;
}

const USER = "adyton_test";
const START_TIMEOUT_MS = 120_000;
const START_ATTEMPTS = 5;
const POLL_MS = 50;

export async function startPostgres(): Promise<TestPostgres> {
  ensureSystemPackages();
  const folder = mkdtempSync(join(tmpdir(), "adyton-postgres-"));
  const password = randomBytes(12).toString("hex");
  const passwordFile = join(folder, "password");
  writeFileSync(passwordFile, password, { mode: 0o600 });
  const cluster = new Cluster(folder, password);
  cluster.initialise(passwordFile);
  await cluster.start();
  let count = 0;
  return {
    database: async () => {
      count += 1;
      const name = `test_${count}`;
      await cluster.execute("postgres", `create database ${name}`);
      const url = `postgres://${USER}@127.0.0.1:${cluster.port}/${name}`;
      return { ...EMBEDDED_STATE, url, password: { file: passwordFile }, tls: "off" };
    },
    execute: (config, statement) => cluster.execute(new URL(config.url ?? "").pathname.slice(1), statement),
    stop: () => cluster.stop(),
    start: () => cluster.start(),
    close: async () => {
      await cluster.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

class Cluster {
  readonly #folder: string;
  readonly #password: string;
  /** PostgreSQL refuses to run as root: then it runs as nobody. */
  readonly #owner: { uid: number; gid: number } | null = ownerOf();
  #process: ChildProcess | null = null;
  port = 0;

  constructor(folder: string, password: string) {
    this.#folder = folder;
    this.#password = password;
  }

  initialise(passwordFile: string): void {
    if (this.#owner !== null)
      for (const path of [this.#folder, passwordFile]) chownSync(path, this.#owner.uid, this.#owner.gid);
    const [command, args] = this.#command("initdb", [
      ...["-D", join(this.#folder, "data"), "-U", USER, "-E", "UTF8", "--locale=C.UTF-8"],
      ...["--no-sync", "-A", "scram-sha-256", `--pwfile=${passwordFile}`],
    ]);
    const made = spawnSync(command, args, { encoding: "utf8", cwd: this.#folder });
    if (made.status !== 0) throw new Error(`expected initdb to succeed, got: ${made.stderr || made.error}`);
  }

  /** A port that was free may be taken before the server binds it: then another is tried. A restart keeps its port. */
  async start(): Promise<void> {
    const isRestart = this.port !== 0;
    for (let attempt = 1; ; attempt++) {
      if (!isRestart) this.port = await freePort();
      if (await this.#run()) return;
      if (attempt === START_ATTEMPTS) throw new Error("expected PostgreSQL to start, got an early exit");
    }
  }

  async #run(): Promise<boolean> {
    const settings = [`port=${this.port}`, "listen_addresses=127.0.0.1", "unix_socket_directories="];
    const quick = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=60"];
    const [command, args] = this.#command("postgres", [
      ...["-D", join(this.#folder, "data")],
      ...[...settings, ...quick].flatMap((setting) => ["-c", setting]),
    ]);
    // When this process is killed, the server gets the signal that ends it too.
    const server = spawn("setpriv", ["--pdeathsig", "INT", command, ...args], {
      cwd: this.#folder,
      stdio: ["ignore", "ignore", "ignore"],
    });
    this.#process = server;
    const deadlineMs = Date.now() + START_TIMEOUT_MS;
    while (server.exitCode === null && server.signalCode === null) {
      const answers = await this.execute("postgres", "select 1").then(
        () => true,
        () => false,
      );
      if (answers) return true;
      if (Date.now() > deadlineMs) throw new Error("expected PostgreSQL to answer, got none in time");
      await setTimeout(POLL_MS);
    }
    return false;
  }

  async stop(): Promise<void> {
    const server = this.#process;
    this.#process = null;
    if (server === null || server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, "exit");
    server.kill("SIGINT"); // its "fast" shutdown: connections are ended
    await ended;
  }

  async execute(database: string, statement: string): Promise<void> {
    const client = new pg.Client({
      host: "127.0.0.1",
      port: this.port,
      user: USER,
      password: this.#password,
      database,
    });
    client.on("error", () => {});
    try {
      await client.connect();
      await client.query(statement);
    } finally {
      await client.end().catch(() => {});
    }
  }

  #command(program: string, args: readonly string[]): [string, string[]] {
    const path = programPath(program);
    if (this.#owner === null) return [path, [...args]];
    const { uid, gid } = this.#owner;
    return ["setpriv", [`--reuid=${uid}`, `--regid=${gid}`, "--clear-groups", path, ...args]];
  }
}

/** Debian keeps the server's programs off the PATH, a folder a version. */
function programPath(program: string): string {
  const found = globSync(`/usr/lib/postgresql/*/bin/${program}`).sort();
  const path = found.at(-1);
  if (path === undefined || !existsSync(path))
    throw new Error(`expected PostgreSQL's ${program}; apt-get install -y postgresql`);
  return path;
}

function ownerOf(): { uid: number; gid: number } | null {
  if (process.getuid?.() !== 0) return null;
  const line = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((each) => each.startsWith("nobody:"));
  const [, , uid = "65534", gid = "65534"] = line?.split(":") ?? [];
  return { uid: Number(uid), gid: Number(gid) };
}
