// What a gateway knows when the shared state is away: the copy on its disk, whose it is, how old, and how it goes on from there.
import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { lastKnownOf } from "../../src/cli/serve/state-source.ts";
import { loadConfig } from "../../src/config/load.ts";
import { unknownAccount } from "../../src/core/account.ts";
import { Keyring } from "../../src/log/keyring.ts";
import { KeyDirectory } from "../../src/state/key-directory.ts";
import { LastKnown, type LastKnownOptions } from "../../src/state/last-known.ts";
import { State } from "../../src/state/state.ts";
import { VerdictTable } from "../../src/state/verdict-table.ts";
import { freePort } from "../helpers/free-port.ts";
import { removeFolder, startInstallation, temporaryFolder } from "../helpers/installation.ts";
import { startPostgres, type TestPostgres } from "../helpers/postgres.ts";
import { json, startUpstream } from "../helpers/upstream.ts";

const HOUR_MS = 3_600_000;
const WAIT_MS = 240_000;

let postgres: TestPostgres;
before(async () => {
  postgres = await startPostgres();
});
after(() => postgres.close());

/** Puts a measure on accounts, in force at once. */
async function quarantine(state: State, accounts: readonly string[]): Promise<string> {
  const { id } = await state.verdicts.propose({
    ...{ measure: "quarantine", reason: "unusual-use", shadow: false, lifeMs: HOUR_MS, inheritLimit: 0 },
    ...{ accounts, by: "user:ada" },
  });
  await state.verdicts.approve(id, { by: "user:ada", note: "for a test", effectiveMs: 0 });
  return id;
}

describe("the copy", () => {
  interface Scene {
    readonly state: State;
    readonly clock: { nowMs: number };
    readonly folder: string;
    kept(change?: Partial<LastKnownOptions>): LastKnown;
    open(kept: LastKnown, maxAgeMs?: number): Promise<State | null>;
  }

  async function scene(t: TestContext): Promise<Scene> {
    const root = await mkdtemp(join(tmpdir(), "adyton-last-known-"));
    const clock = { nowMs: Date.UTC(2026, 2, 4) };
    const now = (): number => clock.nowMs;
    const state = await State.open({ folder: root, config: await postgres.database(), now });
    t.after(async () => {
      await state.close();
      await rm(root, { recursive: true, force: true });
    });
    const folder = join(root, "last-known");
    let opened = 0;
    return {
      state,
      clock,
      folder,
      kept: (change = {}) =>
        new LastKnown({
          folder,
          key: Buffer.from("a key made for this test"),
          place: "here",
          now,
          ...change,
        }),
      open: async (kept, maxAgeMs = HOUR_MS) => {
        opened += 1;
        const found = await kept.open(join(root, `opened-${opened}`), { maxAgeMs });
        if (found !== null) t.after(() => found.state.close());
        return found?.state ?? null;
      },
    };
  }

  it("authenticates and enforces as the state does, and holds nobody's facts", async (t) => {
    const { state, folder, kept, open, clock } = await scene(t);
    await state.accounts.ensureAll([
      { ...unknownAccount("acme"), organization: "Acme", payment: "card_77", emailDomain: "acme.example" },
      unknownAccount("fleet-1"),
    ]);
    const { secret } = await state.keys.create({ account: "acme", label: "production line" });
    const gone = await state.keys.create({ account: "acme", label: "old" });
    await state.keys.revoke(gone.key.id);
    await quarantine(state, ["fleet-1"]);
    await state.budgetStops.replace("daily", [{ scope: "account:acme", untilMs: clock.nowMs + HOUR_MS }]);
    const keeper = kept();
    await keeper.keep(state);

    const copy = await open(kept());
    assert.ok(copy !== null);
    const now = (): number => clock.nowMs;
    const directory = await KeyDirectory.open(copy, { now, refreshMs: HOUR_MS });
    const table = await VerdictTable.open(copy, { now, refreshMs: HOUR_MS });
    t.after(() => directory.close());
    t.after(() => table.close());
    const principal = directory.authenticate(secret);
    assert.ok("account" in principal && principal.account === "acme" && principal.organization === "Acme");
    assert.deepEqual(directory.authenticate(gone.secret), { rejected: "revoked" });
    assert.equal(table.of("fleet-1")?.measure, "quarantine");
    assert.equal(table.spentUntil("daily", "account:acme"), clock.nowMs + HOUR_MS);

    const [name = ""] = (await readdir(folder)).filter((one) => one.endsWith(".sqlite"));
    assert.equal((await stat(join(folder, name))).mode & 0o777, 0o600);
    const bytes = await readFile(join(folder, name), "latin1");
    for (const fact of ["card_77", "acme.example", "production line"]) assert.ok(!bytes.includes(fact), fact);

    // What has happened since is read from the state itself, from where the copy ends.
    const { secret: later } = await state.keys.create({ account: "acme", label: "later" });
    await quarantine(state, ["fleet-2"]);
    directory.follow(state);
    table.follow(state);
    await directory.refresh();
    await table.refresh();
    assert.ok("account" in directory.authenticate(later));
    assert.equal(table.of("fleet-2")?.measure, "quarantine");
    await keeper.keep(state);
    assert.equal((await readdir(folder)).length, 1, "the copy before it is gone");
  });

  it("is believed only whole, ours, of this state, and young enough", async (t) => {
    const { state, clock, folder, kept, open } = await scene(t);
    const keeper = kept();
    await keeper.keep(state);
    assert.equal(await open(kept({ key: Buffer.from("another key") })), null);
    assert.equal(await open(kept({ place: "elsewhere" })), null);
    clock.nowMs += HOUR_MS + 1;
    assert.equal(await open(kept()), null, "too old");
    await keeper.keep(state);
    assert.notEqual(await open(kept()), null, "an unchanged state that answers makes it young again");
    const [name = ""] = await readdir(folder);
    const file = join(folder, name);
    const bytes = await readFile(file);
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
    await writeFile(file, bytes);
    assert.equal(await open(kept()), null, "a bit is another");
    assert.equal(await open(kept({ folder: join(folder, "nowhere") })), null);
  });
});

it("a gateway that is started again while PostgreSQL is away serves customers and refuses who is in quarantine", {
  timeout: 480_000,
}, async (t) => {
  const shared = await postgres.database();
  const upstream = await startUpstream(json({ object: "list", data: [] }));
  t.after(() => upstream.close());
  const folder = await temporaryFolder("last-known");
  t.after(() => removeFolder(folder));
  const installation = await startInstallation(folder, {
    state: shared,
    gateway: {
      ...{ listen: { port: await freePort() }, workers: 1 },
      upstreams: [{ name: "model", family: "openai", url: upstream.url }],
    },
    console: { listen: { port: await freePort() } },
    respond: { mode: "enforce" },
    detect: { enabled: false },
  });
  t.after(() => installation.process.kill("SIGKILL"));
  const outside = await temporaryFolder("last-known-state");
  t.after(() => removeFolder(outside));
  const state = await State.open({ folder: outside, config: shared });
  t.after(() => state.close());
  await state.accounts.ensureAll([unknownAccount("customer"), unknownAccount("member")]);
  const { secret: customer } = await state.keys.create({ account: "customer", label: "live" });
  const { secret: member } = await state.keys.create({ account: "member", label: "live" });
  const verdict = await quarantine(state, ["member"]);
  const [known] = await state.verdicts.members(verdict);

  const config = loadConfig({ file: installation.configFile });
  const keys = await Keyring.open({ folder: config.data });
  const copy = lastKnownOf(config, keys);
  // A copy may be taken between the proposal and its approval.
  await until("the approved verdict in the copy", async () => {
    const found = await copy?.open(join(outside, "copy"), { maxAgeMs: HOUR_MS });
    const held = await found?.state.verdicts.get(verdict);
    await found?.state.close();
    return held?.status === "approved" || held?.status === "in-effect";
  });
  await keys.close();

  const ask = async (key: string, path = "/v1/models"): Promise<number | null> => {
    const headers = { authorization: `Bearer ${key}`, connection: "close" };
    return await fetch(`${installation.welcome.gateway}${path}`, { headers }).then(
      ({ status }) => status,
      () => null,
    );
  };
  await until("the quarantine", async () => (await ask(member)) === 403);
  await postgres.stop();
  assert.deepEqual([await ask(customer), await ask(member)], [200, 403], "the last known verdicts hold");
  const before = await workerOf(config.data);
  process.kill(before, "SIGKILL");
  await until("another worker", async () => (await workerOf(config.data)) !== before);
  await until("an answer", async () => (await ask(customer)) === 200);
  assert.equal(await ask(member), 403);
  assert.equal(await ask("sk-nobody"), 401);
  // What a customer would read or write is the state's, and the copy has half of it.
  assert.equal(await ask(customer, `/adyton/appeals/${known?.reference}`), 503);

  await postgres.start();
  await until("the state", async () => {
    const lifted = await state.verdicts.lift(verdict, { by: "user:ada", note: "over" }).catch(() => null);
    return lifted !== null || (await state.verdicts.get(verdict).catch(() => null))?.status === "lifted";
  });
  await until("the end of the measure", async () => (await ask(member)) === 200);
  await until("the page", async () => (await ask(customer, `/adyton/appeals/${known?.reference}`)) === 200);
});

/** Process id of the gateway worker, as the supervisor says. */
async function workerOf(data: string): Promise<number> {
  const text = await readFile(join(data, "run", "processes.json"), "utf8");
  const { processes } = JSON.parse(text) as { processes: { name: string; pid: number | null }[] };
  return processes.find(({ name }) => name === "gateway-0")?.pid ?? 0;
}

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + WAIT_MS;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`expected ${what} within ${WAIT_MS} ms`);
    await sleep(100);
  }
}
