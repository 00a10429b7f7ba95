// `adyton replay` on the real log and store: every tick sees everything before it and nothing after it.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Hunter } from "../../src/cli/hunter.ts";
import { Output } from "../../src/cli/output.ts";
import { FindingsFile } from "../../src/cli/replay/findings-file.ts";
import { type ReplaySummary, replay } from "../../src/cli/replay/run.ts";
import { DataFolder } from "../../src/config/data-folder.ts";
import { loadConfig } from "../../src/config/load.ts";
import { AdytonError } from "../../src/core/errors.ts";
import type { Store } from "../../src/store/store.ts";
import { smallWorld } from "../helpers/small-world.ts";

const HOUR_MS = 3_600_000;
const SEEN = `
SELECT toUInt32(count()) AS exchanges, toUnixTimestamp64Milli(max(time)) AS newest,
  (SELECT toUInt32(count()) FROM account_facts) AS accounts
FROM exchange_features`;

let root = "";
before(async () => {
  root = await mkdtemp(join(tmpdir(), "adyton-replay-test-"));
});
after(() => rm(root, { recursive: true, force: true }));

interface Look {
  readonly nowMs: number;
  readonly exchanges: number;
  readonly newestMs: number;
  readonly accounts: number;
}

async function run(
  name: string,
  looks: Look[],
): Promise<{
  summary: ReplaySummary;
  findings: unknown;
  exchanges: readonly string[];
  accounts: readonly string[];
}> {
  const { exchanges, accounts } = smallWorld({ exchanges: 400, accounts: 150 });
  const path = (file: string): string => join(root, `${name}-${file}`);
  await writeFile(path("world.jsonl"), exchanges.join("\n"));
  await writeFile(path("accounts.jsonl"), accounts.join("\n"));
  const openHunter = async ({ store }: { store: Pick<Store, "query"> }): Promise<Hunter> => {
    return async (nowMs) => {
      const [seen] = await store.query<{ exchanges: number; newest: string; accounts: number }>(SEEN);
      assert.ok(seen !== undefined);
      looks.push({
        nowMs,
        exchanges: seen.exchanges,
        newestMs: Number(seen.newest),
        accounts: seen.accounts,
      });
      const all = await store.query<{ account: string }>(
        "SELECT DISTINCT account FROM exchange_features ORDER BY account",
      );
      return [
        {
          id: "everybody",
          kind: "campaign",
          detector: "test",
          accounts: all.map(({ account }) => account),
          timeMs: nowMs,
          pValue: 0.5,
          errorRate: "",
          technique: null,
          summary: "",
          contributions: [],
        },
      ];
    };
  };
  const folder = await DataFolder.create(join(root, name));
  const config = loadConfig({ env: {}, overrides: { data: folder.root } });
  const output = new Output({ json: true });
  const options = { accounts: path("accounts.jsonl"), findings: path("out.json"), tick: HOUR_MS, openHunter };
  const summary = await replay({ config, folder, output }, path("world.jsonl"), options);
  return { summary, findings: JSON.parse(await readFile(path("out.json"), "utf8")), exchanges, accounts };
}

test("every tick sees what had ended by then, and nothing later", { timeout: 120_000 }, async () => {
  const looks: Look[] = [];
  const { summary, findings, exchanges, accounts } = await run("ticks", looks);
  assert.equal(summary.exchanges, 400);
  assert.equal(summary.ticks, looks.length);
  const born = new Map(
    accounts.map((line) => [String(JSON.parse(line).account), Date.parse(JSON.parse(line).created)]),
  );
  for (const line of exchanges) {
    const { account, time } = JSON.parse(line) as { account: string; time: string };
    born.set(account, Math.min(born.get(account) ?? 0, Date.parse(time)));
  }
  const ends = exchanges.map((line) => {
    const { time, latency_ms } = JSON.parse(line) as { time: string; latency_ms: number };
    return Date.parse(time) + latency_ms;
  });
  for (const { nowMs, exchanges: seen, newestMs, accounts: known } of looks) {
    assert.equal(nowMs % HOUR_MS, 0);
    assert.ok(newestMs < nowMs);
    assert.equal(seen, ends.filter((end) => end <= nowMs).length);
    assert.equal(known, [...born.values()].filter((at) => at <= nowMs).length);
  }
  assert.equal(looks.at(-1)?.exchanges, 400);
  assert.ok((looks[0]?.accounts ?? 999) < (looks.at(-1)?.accounts ?? 0));
  const { findings: alerts } = findings as { findings: { id: string; time: string; accounts: string[] }[] };
  assert.ok(alerts.length >= 1 && alerts.length <= looks.length);
  assert.equal(alerts[0]?.time, new Date(looks[0]?.nowMs ?? 0).toISOString());
});

test("two replays see the same, and a folder with a log is refused", { timeout: 120_000 }, async () => {
  const [first, second]: [Look[], Look[]] = [[], []];
  await run("same-1", first);
  await run("same-2", second);
  assert.deepEqual(first, second);
  await assert.rejects(run("same-1", []), (error) => error instanceof AdytonError && error.code === "usage");
});

test("an alert is told when it is new and when its accounts change", () => {
  const file = new FindingsFile();
  const finding = (...accounts: string[]): { id: string; kind: "campaign"; accounts: string[] } => ({
    id: "c",
    kind: "campaign",
    accounts,
  });
  file.add(0, [finding("a", "b")]);
  file.add(1000, [finding("b", "a")]);
  file.add(2000, [{ ...finding("b", "a", "z"), pValue: 0.01, eValue: null }]);
  assert.deepEqual(file.alerts, [
    { id: "c", time: "1970-01-01T00:00:00.000Z", kind: "campaign", accounts: ["a", "b"] },
    { id: "c", time: "1970-01-01T00:00:02.000Z", kind: "campaign", accounts: ["b", "a", "z"], p: 0.01 },
  ]);
  assert.equal(file.findings, 1);
});
