// A monitor over HTTP: growth is consistent, an older checkpoint is stale, another history is kept as a contradiction.
import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, normalize } from "node:path";
import { type TestContext, test } from "node:test";
import { openCheckpoint } from "../../src/core/checkpoint.ts";
import { LogError } from "../../src/log/errors.ts";
import { Keyring } from "../../src/log/keyring.ts";
import { Ledger } from "../../src/log/ledger.ts";
import { Monitor } from "../../src/log/monitor.ts";
import { LogWriter } from "../../src/log/writer.ts";
import { type Bench, bench, exchanges, sealAll } from "./helper.ts";

async function grow({ writer, ledger }: Bench, from: number, to: number): Promise<void> {
  const w = await writer();
  await exchanges(w, from, to);
  await w.close();
  const l = await ledger();
  await sealAll(l);
  l.close();
}

/** Serves the public part of whatever folder `place.root` is. */
async function serve(t: TestContext, place: { root: string }): Promise<string> {
  const server = createServer((request, response) => {
    readFile(join(place.root, normalize(request.url ?? "/"))).then(
      (bytes) => response.end(bytes),
      () => response.writeHead(404).end(),
    );
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/log/`;
}

test("a log is followed over restarts, and what contradicts it is kept as both signed notes", async (t) => {
  const made = await bench(t);
  const folder = await mkdtemp(join(tmpdir(), "adyton-monitor-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const place = { root: made.folder };
  const url = await serve(t, place);
  const keys = made.keys.verifierKeys();
  const look = async (): Promise<string> => {
    const monitor = await Monitor.open({
      folder: join(folder, "memory"),
      url,
      trust: { keys },
      timeoutMs: 30_000,
    });
    try {
      const observation = await monitor.look();
      if (observation.verdict !== "contradiction") return `${observation.verdict} ${observation.size}`;
      const [first = "", second = ""] = (await readFile(observation.evidence, "utf8")).split(
        /\n=== [a-z-]+ ===\n\n/,
      );
      for (const note of [first, second])
        assert.ok(!("fault" in openCheckpoint(Buffer.from(note), { keys })), "both are signed by the log");
      assert.ok(monitor.contradictions().length > 0);
      return `${observation.reason} ${observation.size}`;
    } finally {
      monitor.close();
    }
  };
  const failed = (error: unknown): boolean =>
    error instanceof LogError && error.code === "log.monitor-failed";
  await assert.rejects(look(), failed);
  await grow(made, 0, 20);
  assert.equal(await look(), "first 40");
  assert.equal(await look(), "unchanged 40");
  const fork = join(folder, "fork");
  await cp(made.folder, fork, { recursive: true });
  await grow(made, 20, 300);
  assert.equal(await look(), "consistent 600");
  place.root = fork;
  // The newest tree's tiles are not there, so nothing is proved by an old checkpoint.
  await assert.rejects(look(), failed);
  await cp(join(made.folder, "log", "checkpoint"), join(folder, "newest"));
  place.root = made.folder;
  await cp(join(fork, "log", "checkpoint"), join(made.folder, "log", "checkpoint"));
  assert.equal(await look(), "stale 40");
  await cp(join(folder, "newest"), join(made.folder, "log", "checkpoint"));

  // The same keys sign another history: of the same length, and a longer one.
  const forkKeys = await Keyring.open({ folder: fork });
  t.after(() => forkKeys.close());
  const other: Bench = {
    ...made,
    folder: fork,
    keys: forkKeys,
    writer: () => LogWriter.open({ folder: fork, keys: forkKeys, writer: "gateway-0", segmentBytes: 65_536 }),
    ledger: () => Ledger.open({ folder: fork, keys: forkKeys }),
  };
  await grow(other, 20, 300);
  place.root = fork;
  assert.equal(await look(), "other-root 600");
  await grow(other, 300, 310);
  assert.equal(await look(), "no-consistency 620");
  place.root = made.folder;
  await grow(made, 300, 301);
  assert.equal(await look(), "consistent 602", "the honest history is still the one that is remembered");
  await rm(join(made.folder, "log", "tile", "0"), { recursive: true });
  await grow(other, 310, 311);
  await cp(join(fork, "log", "checkpoint"), join(made.folder, "log", "checkpoint"));
  await assert.rejects(look(), failed);
});
