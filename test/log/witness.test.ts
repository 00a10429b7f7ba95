// The witness over HTTP: every status of the specification, forks kept as proof, memory that outlives the process.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { formatAddCheckpoint, MAX_ADD_CHECKPOINT_BYTES } from "../../src/core/add-checkpoint.ts";
import { utf8 } from "../../src/core/bytes.ts";
import { openCheckpoint } from "../../src/core/checkpoint.ts";
import { consistencyRanges, leafHash, rootOf } from "../../src/core/merkle.ts";
import { formatNote } from "../../src/core/note.ts";
import { formatTreeHead } from "../../src/core/tree-head.ts";
import {
  ED25519_COSIGNATURE,
  ED25519_NOTE,
  ML_DSA_44_COSIGNATURE,
  parseVerifierKey,
  type VerifierKey,
} from "../../src/core/verifier-key.ts";
import { Witness } from "../../src/log/witness.ts";
import { startWitnessServer } from "../../src/log/witness-server.ts";
import { type TestSigner, testSigner } from "../helpers/note-signer.ts";

const ORIGIN = "example.com/log";
const signer = testSigner(ORIGIN, ED25519_NOTE);
const postQuantum = testSigner(ORIGIN, ML_DSA_44_COSIGNATURE);
const COMMAND = join(import.meta.dirname, "../../bin/adyton.mjs");

/** A log in memory; `fork` decides from which entry on its history is another. */
class MemoryLog {
  readonly #hashes: Uint8Array[];
  constructor(size: number, fork = Number.POSITIVE_INFINITY) {
    this.#hashes = Array.from({ length: size }, (_, i) => leafHash(utf8(`${i < fork ? "a" : "b"} ${i}`)));
  }
  note(size: number, signers: readonly TestSigner[] = [signer]): string {
    const text = formatTreeHead({ origin: ORIGIN, size, root: rootOf(this.#hashes.slice(0, size)) });
    return formatNote(
      text,
      signers.map((each) => each.sign(text)),
    );
  }
  proof(first: number, second: number): Uint8Array[] {
    if (first === 0) return [];
    return consistencyRanges(first, second).map(({ start, end }) => rootOf(this.#hashes.slice(start, end)));
  }
  body(first: number, second: number): Uint8Array {
    return formatAddCheckpoint({
      oldSize: first,
      proof: this.proof(first, second),
      checkpoint: utf8(this.note(second)),
    });
  }
}

const honest = new MemoryLog(40);
const forked = new MemoryLog(40, 12);

interface Running {
  readonly url: string;
  readonly witness: Witness;
  readonly folder: string;
  post(body: Uint8Array | string): Promise<{ status: number; type: string | null; text: string }>;
}

async function temporary(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "adyton-witness-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function post(url: string, body: Uint8Array | string): ReturnType<Running["post"]> {
  const answer = await fetch(`${url}/add-checkpoint`, {
    method: "POST",
    body: typeof body === "string" ? body : Buffer.from(body),
  });
  return { status: answer.status, type: answer.headers.get("content-type"), text: await answer.text() };
}

async function start(t: TestContext, logs: readonly VerifierKey[] = [signer.key]): Promise<Running> {
  const folder = await temporary(t);
  const witness = await Witness.open({ folder, name: "witness.example/w", logs });
  const server = await startWitnessServer({ witness, host: "127.0.0.1", port: 0 });
  t.after(async () => {
    await server.close();
    witness.close();
  });
  const url = `http://127.0.0.1:${server.port}`;
  return { url, witness, folder, post: (body) => post(url, body) };
}

function cosigners(note: string, keys: readonly VerifierKey[]): number[] {
  const opened = openCheckpoint(utf8(note), { keys, origin: ORIGIN });
  assert.ok(!("fault" in opened), JSON.stringify(opened));
  return opened.verified.map(({ key, timeSeconds }) => {
    assert.ok(key.type === ED25519_NOTE || (timeSeconds ?? 0) > 0);
    return key.type;
  });
}

test("a log that grows is cosigned with both keys, and monitors get what was cosigned", async (t) => {
  const { post, witness, url } = await start(t, [signer.key, postQuantum.key]);
  const hash = createHash("sha256").update(ORIGIN).digest("hex");
  assert.equal((await fetch(`${url}/${hash}/checkpoint`)).status, 404);
  for (const [first, second] of [
    [0, 0],
    [0, 7],
    [7, 7],
    [7, 8],
    [8, 40],
  ] as const) {
    const { status, text } = await post(honest.body(first, second));
    assert.equal(status, 200);
    const types = cosigners(honest.note(second) + text, witness.keys);
    assert.deepEqual(types, [ED25519_COSIGNATURE, ML_DSA_44_COSIGNATURE]);
  }
  const served = await fetch(`${url}/${hash}/checkpoint`);
  assert.equal(served.status, 200);
  assert.deepEqual(cosigners(await served.text(), [signer.key, ...witness.keys]), [
    ED25519_NOTE,
    ED25519_COSIGNATURE,
    ML_DSA_44_COSIGNATURE,
  ]);
  assert.deepEqual(witness.contradictions(), []);
});

test("each refusal has the status that the specification gives it", async (t) => {
  const { post, url } = await start(t);
  assert.equal((await post(honest.body(0, 20))).status, 200);
  const request = (oldSize: number, note: string, proof: readonly Uint8Array[] = []): Uint8Array =>
    formatAddCheckpoint({ oldSize, proof, checkpoint: utf8(note) });
  const stranger = testSigner("example.com/other", ED25519_NOTE);
  const impostor = testSigner(ORIGIN, ED25519_NOTE);
  const text = formatTreeHead({ origin: "example.com/other", size: 1, root: leafHash(utf8("x")) });
  const nothing = formatTreeHead({ origin: ORIGIN, size: 0, root: leafHash(utf8("x")) });
  const cases: [name: string, body: Uint8Array | string, status: number][] = [
    ["no request", "hello", 400],
    [
      "old size with a leading zero",
      Buffer.from(honest.body(20, 30)).toString().replace("old 20", "old 020"),
      400,
    ],
    ["64 proof lines", request(20, honest.note(30), Array(64).fill(Buffer.alloc(32))), 400],
    ["a proof line that is no hash", `old 20\nAAAA\n\n${honest.note(30)}`, 400],
    ["no checkpoint", "old 0\n\nhello\n", 400],
    ["an old size beyond the checkpoint", request(31, honest.note(30)), 400],
    ["an unknown log", request(0, formatNote(text, [stranger.sign(text)])), 404],
    ["a key that is not trusted", request(20, honest.note(30, [impostor])), 403],
    [
      "a wrong signature",
      honest.body(20, 30).map((byte, i, all) => (i === all.length - 10 ? (byte === 65 ? 66 : 65) : byte)),
      403,
    ],
    ["an old size that is not ours", honest.body(7, 30), 409],
    ["an old size of zero", honest.body(0, 30), 409],
    ["a proof of something else", request(20, honest.note(30), honest.proof(19, 30)), 422],
    ["no proof", request(20, honest.note(30)), 422],
    ["a proof where nothing is to be proved", request(20, honest.note(20), honest.proof(7, 20)), 422],
  ];
  for (const [name, body, status] of cases) {
    const answer = await post(body);
    assert.equal(answer.status, status, name);
    if (status !== 409) continue;
    assert.deepEqual([answer.type, answer.text], ["text/x.tlog.size", "20\n"]);
  }
  const fresh = await start(t);
  assert.equal((await fresh.post(request(0, formatNote(nothing, [signer.sign(nothing)])))).status, 422);
  assert.equal((await fresh.post(request(0, honest.note(30), honest.proof(7, 30)))).status, 422);
  assert.equal((await fetch(`${url}/add-checkpoint`)).status, 405);
  assert.equal((await fetch(`${url}/other`)).status, 404);
  const large = await fetch(`${url}/add-checkpoint`, {
    method: "POST",
    body: new Uint8Array(MAX_ADD_CHECKPOINT_BYTES + 1),
  });
  assert.equal(large.status, 413);
  assert.equal((await post(honest.body(20, 30))).status, 200, "refusals leave no trace");
});

test("a fork under the same key is refused, and both checkpoints are kept as proof", async (t) => {
  const { post, witness } = await start(t);
  assert.equal((await post(honest.body(0, 20))).status, 200);
  assert.equal((await post(forked.body(20, 20))).status, 422);
  assert.equal((await post(forked.body(20, 30))).status, 422);
  assert.equal((await post(forked.body(7, 20))).status, 409);
  assert.equal((await post(forked.body(20, 30))).status, 422);
  assert.equal((await post(honest.body(20, 21))).status, 200);
  const kept = witness.contradictions();
  assert.deepEqual(
    kept.map(({ size, reason }) => [size, reason]),
    [
      [20, "other-root"],
      [30, "no-consistency"],
    ],
  );
  for (const { known, submitted } of kept) {
    assert.deepEqual(cosigners(known, [signer.key]), [ED25519_NOTE]);
    assert.deepEqual(cosigners(submitted.slice(submitted.indexOf("\n\n") + 2), [signer.key]), [ED25519_NOTE]);
  }
});

test("of requests that race from the same size, one wins, and the head never goes back", async (t) => {
  const { post, witness } = await start(t);
  assert.equal((await post(honest.body(0, 10))).status, 200);
  const sizes = [11, 40, 12, 30, 13, 25];
  const answers = await Promise.all(sizes.map((size) => post(honest.body(10, size))));
  const won = sizes.filter((_, i) => answers[i]?.status === 200);
  assert.equal(won.length, 1);
  for (const [i, answer] of answers.entries())
    if (sizes[i] !== won[0]) assert.deepEqual([answer.status, answer.text], [409, `${won[0]}\n`]);
  assert.equal(witness.heads()[0]?.size, won[0]);
});

test("the command serves, stops in good order, and remembers: a fork is refused after a restart", {
  timeout: 120_000,
}, async (t) => {
  const folder = await temporary(t);
  const config = join(folder, "adyton.yaml");
  await writeFile(
    config,
    `data: data\nwitness:\n  name: witness.example/w\n  listen: { port: 0 }\n  logs: ["${signer.vkey}"]\n`,
  );
  const adyton = (...args: string[]): ReturnType<typeof spawn> =>
    spawn(process.execPath, [COMMAND, "--config", config, "--json", "witness", ...args], {
      stdio: ["ignore", "pipe", "inherit"],
    });
  const said = async (child: ReturnType<typeof spawn>): Promise<Record<string, unknown>> => {
    let text = "";
    for await (const part of child.stdout ?? []) {
      text += part;
      try {
        return JSON.parse(text) as Record<string, unknown>;
      } catch {
        // not yet whole
      }
    }
    throw new Error(`expected JSON, got ${text}`);
  };
  const policy = join(folder, "policy.txt");
  await writeFile(policy, `log ${signer.vkey}\nquorum none\n`);
  const first = adyton("serve");
  const { url, keys } = await said(first);
  assert.equal((await post(String(url), honest.body(0, 20))).status, 200);
  // A client that never ends its request must not hold the process.
  const slow = connect(Number(new URL(String(url)).port), "127.0.0.1");
  slow.on("error", () => {});
  slow.write("POST /add-checkpoint HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nold");
  await once(slow, "connect");
  first.kill("SIGTERM");
  assert.deepEqual((await once(first, "exit"))[0], 0);

  const second = adyton("serve", "--policy", policy);
  const again = await said(second);
  assert.deepEqual(again["keys"], keys);
  assert.equal((await post(String(again["url"]), forked.body(20, 30))).status, 422);
  assert.equal((await post(String(again["url"]), forked.body(0, 12))).status, 409);
  second.kill("SIGKILL");
  await once(second, "exit");
  const show = adyton("show");
  const shown = (await said(show)) as { heads: { size: number }[]; contradictions: { size: number }[] };
  await once(show, "exit");
  assert.deepEqual([shown.heads[0]?.size, shown.contradictions[0]?.size, show.exitCode], [20, 30, 4]);
  const printed = (await said(adyton("key")))["keys"] as string[];
  assert.deepEqual(printed, keys);
  assert.ok(printed.every((vkey) => parseVerifierKey(vkey)?.name === "witness.example/w"));
  const secret = await readFile(join(folder, "data/witness/witness.key"), "utf8");
  assert.ok(printed.every((vkey) => !secret.includes(vkey)));
});
