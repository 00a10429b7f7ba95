// From the wire to the sealed log and back: what was asked and answered is there, and in clear it is nowhere.
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fsck } from "../../src/log/fsck.ts";
import { Keyring } from "../../src/log/keyring.ts";
import { Ledger } from "../../src/log/ledger.ts";
import { SealedLog, type SealedRecord } from "../../src/log/sealed-log.ts";
import { stallAfter, streamed } from "../helpers/upstream.ts";
import { call, RawClient } from "./client.ts";
import { start, UPSTREAM_KEY, until } from "./harness.ts";

const CHAT = "/v1/chat/completions";
const QUESTION = JSON.stringify({
  model: "m",
  user: "acct_somebody",
  messages: [{ role: "user", content: "zebra-question" }],
});
const EVENTS = ["data: zebra-answer\n\n", "data: [DONE]\n\n"];

test("exchanges are sealed with their bytes; neither they nor any key lie on the disk in clear", async (t) => {
  const h = await start(t, { upstream: streamed(EVENTS) });
  const whole = await call(h.port, {
    path: CHAT,
    headers: { authorization: `Bearer ${h.key}` },
    body: QUESTION,
  });
  assert.equal(whole.complete, true);
  h.upstream.behave = stallAfter(["data: half\n\n"]);
  const leaving = new RawClient(h.port);
  leaving.post(CHAT, h.key, QUESTION);
  await until(() => leaving.text.includes("half"));
  leaving.socket.destroy();
  await until(() => h.log.durableCloses === 2);

  const keys = await Keyring.open({ folder: h.folder });
  const ledger = await Ledger.open({ folder: h.folder, keys });
  for (let tries = 0; tries < 100; tries += 1) {
    const { sealed } = await ledger.step();
    if (sealed === 0 && tries > 0) break;
    await delay(5);
  }
  const log = await SealedLog.open({ folder: h.folder, keys });
  const records: SealedRecord[] = [];
  for await (const record of log.records(0, await log.size())) records.push(record);
  log.close();
  ledger.close();
  assert.deepEqual(
    records.map(({ leaf }) => leaf.kind),
    ["open", "close", "open", "close"],
  );
  const [open, close, , aborted] = records;
  assert.equal(text(open, "request"), QUESTION);
  assert.equal(open?.account, "acct_test", "the body's user is no identity");
  assert.equal(text(close, "response"), EVENTS.join(""));
  assert.equal(close?.leaf.exchange, open?.leaf.exchange);
  assert.equal(JSON.parse(text(aborted, "figures")).outcome, "aborted");
  assert.equal(text(aborted, "response"), "data: half\n\n");

  const report = await fsck({ folder: h.folder, keys });
  assert.deepEqual(report.problems, []);
  keys.close();
  for (const path of await filesBelow(h.folder)) {
    const bytes = await readFile(path);
    for (const secret of ["zebra", h.key, UPSTREAM_KEY])
      assert.ok(!bytes.includes(secret), `${secret} in ${path}`);
  }
});

function text(record: SealedRecord | undefined, field: string): string {
  return Buffer.from(record?.content?.get(field) ?? []).toString();
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
