// Times on checkpoints: obtained from a real authority, kept, checked, renewed; and what a rewritten log looks like to them.
import assert from "node:assert/strict";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { NODE_DISK } from "../../src/log/disk.ts";
import { fsck } from "../../src/log/fsck.ts";
import { type TimestampAuthority, timestampAuthorities } from "../../src/log/timestamp-client.ts";
import { TimestampFiles } from "../../src/log/timestamp-files.ts";
import { Timestamping, type TimestampingOptions } from "../../src/log/timestamping.ts";
import { type AuthorityKey, OPENSSL_MISSING, TestAuthority } from "../helpers/timestamp-authority.ts";
import { type Bench, bench, exchanges, sealAll } from "./helper.ts";

const DAY_MS = 86_400_000;
const options = { skip: OPENSSL_MISSING };

type Answer = Parameters<TestAuthority["serve"]>[0];

/** A running authority as the configuration names it. */
async function authority(
  t: TestContext,
  { name, days, key, answer }: { name: string; days?: number; key?: AuthorityKey; answer?: Answer },
): Promise<TimestampAuthority & { requests(): number }> {
  const made = TestAuthority.make({ ...(days && { days }), ...(key && { key }) });
  const server = await made.serve(answer);
  t.after(async () => {
    await server.close();
    made.remove();
  });
  const roots = join(made.folder, "root.pem");
  const [one] = await timestampAuthorities([{ name, url: server.url, roots, certificates: null }]);
  assert.ok(one !== undefined);
  return { ...one, requests: server.requests };
}

async function grow({ writer, ledger }: Bench, from: number, to: number): Promise<void> {
  const w = await writer();
  await exchanges(w, from, to);
  await w.close();
  const l = await ledger();
  await sealAll(l);
  l.close();
}

async function stamping(
  t: TestContext,
  made: Bench,
  authorities: readonly TimestampAuthority[],
  more: Partial<TimestampingOptions> = {},
): Promise<{ timestamping: Timestamping; files: TimestampFiles; errors: string[] }> {
  const log = await made.log();
  t.after(() => log.close());
  const errors: string[] = [];
  const files = new TimestampFiles(NODE_DISK, join(made.folder, "log", "timestamps"));
  const limits = { everyMs: 1000, timeoutMs: 60_000, renewBeforeMs: 30 * DAY_MS };
  const onError = (error: { code: string }): void => void errors.push(error.code);
  return {
    timestamping: new Timestamping({ log, files, authorities, onError, ...limits, ...more }),
    files,
    errors,
  };
}

test(
  "every authority stamps each new checkpoint once; a restart goes on; fsck verifies",
  options,
  async (t) => {
    const made = await bench(t);
    await grow(made, 0, 3);
    const both = [await authority(t, { name: "one" }), await authority(t, { name: "two" })];
    let now = Date.now();
    const { timestamping, files, errors } = await stamping(t, made, both, { clock: () => now });
    const first = await timestamping.step();
    assert.deepEqual([first.size, first.stamps, first.failing, errors], [6, 2, {}, []]);
    now += 10_000;
    await timestamping.step();
    assert.deepEqual(
      both.map((one) => one.requests()),
      [1, 1],
      "the log did not grow",
    );
    await grow(made, 3, 5);
    assert.equal((await timestamping.step()).size, 10);
    const names = (await files.list()).map(({ file }) => file);
    assert.deepEqual(names, ["6.one.tsr", "6.two.tsr", "10.one.tsr", "10.two.tsr"]);
    const again = await stamping(t, made, both, { clock: () => now });
    assert.deepEqual([(await again.timestamping.step()).stamps, both[0]?.requests()], [4, 2]);
    const { folder, keys } = made;
    const report = await fsck({ folder, keys, authorities: both });
    assert.deepEqual([report.problems, report.checked.timestamps], [[], 4]);

    const path = join(folder, "log", "timestamps", "6.one.tsr");
    const good = await readFile(path);
    await writeFile(path, await readFile(join(folder, "log", "timestamps", "10.one.tsr")));
    const exchanged = await fsck({ folder, keys, authorities: both });
    assert.deepEqual(
      exchanged.problems.map(({ code, file }) => [code, file]),
      [["timestamp", path]],
    );
    await writeFile(path, good);
  },
);

test(
  "answers that are no good timestamps are not kept, and the authority is asked again later",
  options,
  async (t) => {
    const made = await bench(t);
    await grow(made, 0, 2);
    const earlier: Uint8Array[] = [];
    let round = 0;
    const one = await authority(t, {
      name: "one",
      answer: (response) => {
        round += 1;
        earlier.push(response);
        if (round === 1) return 503;
        if (round === 2) return response.subarray(0, 100);
        if (round === 3) return new Uint8Array(100_000);
        if (round === 4) return earlier[0] ?? 500; // a right one, to another request
        return response;
      },
    });
    let now = Date.now();
    const { timestamping, files, errors } = await stamping(t, made, [one], { clock: () => now });
    for (let failures = 1; failures <= 4; failures++) {
      const status = await timestamping.step();
      assert.deepEqual(
        [status.stamps, status.failures, status.failing],
        [0, failures, { one: "log.timestamp-failed" }],
      );
      await timestamping.step();
      assert.equal(one.requests(), failures, "it is left alone for a while");
      now += 2 * 3_600_000;
    }
    assert.equal(errors.length, 4);
    assert.deepEqual(await files.list(), []);
    assert.deepEqual([(await timestamping.step()).stamps, timestamping.status.failing], [1, {}]);
    const stranger = await authority(t, { name: "stranger" });
    const mixed = { ...stranger, roots: one.roots };
    const other = await stamping(t, made, [mixed]);
    assert.deepEqual((await other.timestamping.step()).failing, { stranger: "log.timestamp-failed" });
  },
);

test("stamps are stamped again before their certificate lapses, all by one", options, async (t) => {
  const made = await bench(t);
  await grow(made, 0, 2);
  const short = await authority(t, { name: "short", days: 40 });
  const long = await authority(t, { name: "long", days: 3650 });
  let now = Date.now();
  const clock = (): number => now;
  const { timestamping, files } = await stamping(t, made, [short], { clock });
  await timestamping.step();
  await grow(made, 2, 4);
  now += 2000;
  await timestamping.step();
  now += 5 * DAY_MS;
  assert.equal((await timestamping.step()).stamps, 2, "35 days are enough");
  now += 6 * DAY_MS; // 29 days are left
  const renewing = await stamping(t, made, [long, short], { clock, everyMs: 300 * DAY_MS });
  await renewing.timestamping.step();
  const renewals = (await files.list()).filter(({ size }) => size === null);
  assert.deepEqual(
    renewals.map(({ file }) => file),
    [`renewal-${now}.long.tsr`],
  );
  const list = new TextDecoder().decode(await files.read(`renewal-${now}.list`));
  assert.match(
    list,
    /^[0-9a-f]{128} {2}4\.short\.tsr\n[0-9a-f]{128} {2}8\.long\.tsr\n[0-9a-f]{128} {2}8\.short\.tsr\n$/,
  );
  now += 2 * 3_600_000;
  await renewing.timestamping.step();
  const restarted = await stamping(t, made, [long, short], { clock, everyMs: 300 * DAY_MS });
  await restarted.timestamping.step();
  assert.equal((await files.list()).filter(({ size }) => size === null).length, 1, "once is enough");
  const { folder, keys } = made;
  assert.deepEqual((await fsck({ folder, keys, authorities: [short, long] })).problems, []);
  await rm(join(folder, "log", "timestamps", "8.note"));
  const report = await fsck({ folder, keys, authorities: [short, long] });
  assert.deepEqual(
    report.problems.map(({ code }) => code),
    ["timestamp", "timestamp"],
  );
});

test(
  "stamps are stamped again before an algorithm behind them falls, by an authority that does without it",
  options,
  async (t) => {
    const made = await bench(t);
    await grow(made, 0, 2);
    const weak = await authority(t, { name: "weak", key: "rsa" });
    const strong = await authority(t, { name: "strong", key: "P-384" });
    const fallsMs = Date.parse("2031-01-01");
    let now = Date.now();
    const clock = (): number => now;
    const retireMs = new Map([["rsa-2048", fallsMs] as const]);
    const { timestamping, files } = await stamping(t, made, [weak, strong], { clock, retireMs });
    assert.equal((await timestamping.step()).stamps, 2);
    now = fallsMs - 31 * DAY_MS;
    assert.equal((await timestamping.step()).stamps, 2, "a month is enough");
    now = fallsMs - 29 * DAY_MS;
    await timestamping.step();
    const renewals = (): Promise<string[]> =>
      files.list().then((all) => all.filter(({ size }) => size === null).map(({ file }) => file));
    assert.deepEqual(await renewals(), [`renewal-${now}.strong.tsr`, `renewal-${now}.weak.tsr`]);
    const [renewal] = (await files.list()).filter(
      ({ file }) => file.endsWith("strong.tsr") && file.startsWith("r"),
    );
    assert.ok(renewal !== undefined);
    const { verified } = await files.check(renewal, [strong]);
    assert.deepEqual([...verified.algorithms].sort(), ["p-384", "sha256", "sha512"]);
    const again = await stamping(t, made, [weak, strong], { clock, retireMs });
    await again.timestamping.step();
    assert.equal(
      (await renewals()).length,
      2,
      "what is renewed is not renewed again, after a restart either",
    );
    const { folder, keys } = made;
    assert.deepEqual((await fsck({ folder, keys, authorities: [weak, strong] })).problems, []);
  },
);
