// The guarantee under fire: processes die by SIGKILL at random moments under load, and no answer that a client has
// in full is missing from the log, the log is sound, and the store equals one derived anew.
import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import { Agent, createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { featuresOf } from "../../src/cli/features.ts";
import { Pump } from "../../src/cli/pump.ts";
import { DataFolder } from "../../src/config/data-folder.ts";
import { Keyring } from "../../src/log/keyring.ts";
import { Ledger } from "../../src/log/ledger.ts";
import { SealedLog } from "../../src/log/sealed-log.ts";
import { Store } from "../../src/store/store.ts";
import { freePort } from "../helpers/free-port.ts";
import {
  adyton,
  type RunningInstallation,
  removeFolder,
  startInstallation,
  temporaryFolder,
} from "../helpers/installation.ts";
import { storeDigests } from "../helpers/store-digests.ts";

const CRASHES = Number(process.env["ADYTON_CRASHES"] ?? 200);
const CLIENTS = 12;
/** Bounds the load: no client sends more than this, whatever happens. */
const MAX_REQUESTS_A_CLIENT = 100_000;
const TEST_TIMEOUT_MS = 900_000;

/** Answers depend on the question alone, come in several pieces, and take a moment: crashes find them half-way. */
async function startUpstream(): Promise<Server> {
  const server = createServer((incoming, outgoing) => {
    const hash = createHash("sha256");
    incoming.on("data", (chunk: Buffer) => hash.update(chunk));
    incoming.on("end", async () => {
      const seed = hash.digest("hex");
      outgoing.writeHead(200, { "content-type": "application/json" });
      outgoing.write(
        `{"id":"${seed}","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant",`,
      );
      await sleep(Number.parseInt(seed.slice(0, 2), 16) / 16);
      outgoing.end(`"content":"${seed.repeat(8)}"}}],"usage":{"prompt_tokens":9,"completion_tokens":90}}`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

interface Received {
  readonly question: string;
  readonly answer: string;
}

/** One call; null when it did not come back whole. */
function ask(url: string, key: string, agent: Agent, question: string): Promise<Received | null> {
  return new Promise((resolve) => {
    const outgoing = request(
      `${url}/v1/chat/completions`,
      {
        method: "POST",
        agent,
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      },
      (incoming) => {
        let answer = "";
        incoming.setEncoding("utf8").on("data", (text: string) => {
          answer += text;
        });
        incoming.once("end", () => {
          const isWhole = incoming.complete && incoming.statusCode === 200;
          resolve(isWhole ? { question, answer } : null);
        });
        incoming.once("error", () => resolve(null));
        incoming.once("close", () => resolve(null));
      },
    );
    outgoing.once("error", () => resolve(null));
    outgoing.setTimeout(20_000, () => outgoing.destroy());
    outgoing.end(question);
  });
}

async function loadUntil(
  stop: AbortSignal,
  installation: RunningInstallation,
  key: string,
  received: Received[],
): Promise<void> {
  const client = async (index: number): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let count = 0; count < MAX_REQUESTS_A_CLIENT && !stop.aborted; count++) {
      const content = `client ${index} question ${count} ${randomUUID()}`;
      const question = JSON.stringify({ model: "m", messages: [{ role: "user", content }] });
      const answer = await ask(installation.welcome.gateway, key, agent, question);
      if (answer !== null) received.push(answer);
      else await sleep(20); // a worker is being started again
    }
    agent.destroy();
  };
  await Promise.all(Array.from({ length: CLIENTS }, (_, index) => client(index)));
}

/**
 * Kills workers and the ledger at random moments; returns how often each was hit. A machine that needs long to start
 * workers again gets fewer kills a minute: there is more than one answer for each, so that there is something to lose.
 */
async function crash(
  installation: RunningInstallation,
  times: number,
  received: readonly Received[],
): Promise<Map<string, number>> {
  const hits = new Map<string, number>();
  const killed = new Set<number>();
  let done = 0;
  const deadline = Date.now() + TEST_TIMEOUT_MS - 120_000;
  while (done < times) {
    assert.ok(Date.now() < deadline, `only ${done} of ${times} crashes happened in time`);
    await sleep(30 + Math.random() * 400);
    if (received.length <= done + 1) continue;
    const up = [...(await installation.parts())].filter(
      ([name, pid]) => /^(gateway|ledger)/.test(name) && !killed.has(pid),
    );
    const chosen = up[Math.floor(Math.random() * up.length)];
    if (chosen === undefined) continue;
    const [name, pid] = chosen;
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      continue; // it was gone before its status said so
    }
    killed.add(pid);
    hits.set(name, (hits.get(name) ?? 0) + 1);
    done += 1;
  }
  return hits;
}

/** The last kill may have been the ledger's: what it had not sealed waits in the segments, for any next start. */
async function sealRest(folder: string): Promise<void> {
  const keys = await Keyring.open({ folder });
  const ledger = await Ledger.open({ folder, keys });
  while ((await ledger.step()).sealed > 0);
  ledger.close();
  keys.close();
}

/** Every exchange in the log: question to the answer on record. */
async function exchangesInLog(folder: string): Promise<Map<string, { answer: string; outcome: string }>> {
  const keys = await Keyring.open({ folder });
  const log = await SealedLog.open({ folder, keys });
  const questions = new Map<string, string>();
  const found = new Map<string, { answer: string; outcome: string }>();
  for await (const { leaf, content } of log.records(0, await log.size())) {
    if (leaf.exchange === undefined || content === null) continue;
    if (leaf.kind === "open")
      questions.set(leaf.exchange, Buffer.from(content.get("request") ?? []).toString());
    if (leaf.kind !== "close") continue;
    const question = questions.get(leaf.exchange);
    assert.ok(question !== undefined, `the close of ${leaf.exchange} comes before its open`);
    assert.ok(!found.has(question), "an exchange is closed once");
    const { outcome } = JSON.parse(Buffer.from(content.get("figures") ?? []).toString()) as {
      outcome: string;
    };
    found.set(question, { answer: Buffer.from(content.get("response") ?? []).toString(), outcome });
  }
  await log.close();
  keys.close();
  return found;
}

test(`${CRASHES} crashes under load lose nothing that a client received`, {
  timeout: TEST_TIMEOUT_MS,
}, async (t) => {
  const folder = await temporaryFolder("crash");
  const upstream = await startUpstream();
  const { port } = upstream.address() as AddressInfo;
  const installation = await startInstallation(folder, {
    gateway: {
      listen: { port: await freePort() },
      workers: 2,
      upstreams: [{ name: "echo", family: "openai", url: `http://127.0.0.1:${port}` }],
    },
    console: { listen: { port: await freePort() } },
    log: { segmentBytes: 1024 * 1024 },
    processes: { delayMs: 10, maxDelayMs: 50, stableAfterMs: 1000 },
    diagnostics: { level: "fatal" },
    detect: { enabled: false },
  });
  try {
    const made = await adyton([
      "keys",
      "create",
      "--account",
      "crash",
      "--json",
      "--config",
      installation.configFile,
    ]);
    assert.equal(made.code, 0, made.err);
    const { secret } = JSON.parse(made.out) as { secret: string };
    const stop = new AbortController();
    const received: Received[] = [];
    const loading = loadUntil(stop.signal, installation, secret, received);
    const hits = await crash(installation, CRASHES, received);
    stop.abort();
    await loading;
    assert.equal(await installation.stop(), 0, installation.diagnostics());
    t.diagnostic(`${received.length} answers received; crashes: ${JSON.stringify([...hits])}`);
    assert.ok(received.length > CRASHES, `expected real load, got ${received.length} answers`);

    await sealRest(installation.folder);
    const recorded = await exchangesInLog(installation.folder);
    const missing = received.filter(({ question, answer }) => recorded.get(question)?.answer !== answer);
    assert.deepEqual(
      missing.slice(0, 3),
      [],
      `${missing.length} answers are not in the log as they were received`,
    );

    const fsck = await adyton(["log", "fsck", "--config", installation.configFile]);
    assert.equal(fsck.code, 0, fsck.out + fsck.err);
    await storeEqualsRebuild(installation, received.length);
  } finally {
    installation.process.kill("SIGKILL");
    upstream.close();
    await removeFolder(folder);
  }
});

/** What grew batch by batch between crashes is what a rebuild derives in one go. */
async function storeEqualsRebuild(
  { folder, configFile }: RunningInstallation,
  answers: number,
): Promise<void> {
  await catchUp(folder);
  const grown = await storeDigests(new DataFolder(folder).store);
  const rebuilt = await adyton(["store", "rebuild", "--config", configFile]);
  assert.equal(rebuilt.code, 0, rebuilt.err);
  assert.deepEqual(await storeDigests(new DataFolder(folder).store), grown);
  const rows = grown.find(({ table }) => table === "exchange_features")?.rows ?? 0;
  assert.ok(rows >= answers, `expected at least ${answers} exchanges in the store, got ${rows}`);
}

/** The analyst stops before the ledger seals the last acts; the next start would take them in. */
async function catchUp(folder: string): Promise<void> {
  const keys = await Keyring.open({ folder });
  const log = await SealedLog.open({ folder, keys });
  const store = await Store.open({ folder: new DataFolder(folder).store });
  await new Pump({ log, store, features: featuresOf(keys) }).drain();
  await store.close();
  log.close();
  keys.close();
}
