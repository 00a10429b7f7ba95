// Proves what only a shared database can do wrong: another's lock, a server that is gone, an order by language.
import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import pg from "pg";
import { unknownAccount } from "../../src/core/account.ts";
import { KeyDirectory } from "../../src/state/key-directory.ts";
import { State } from "../../src/state/state.ts";
import { Place } from "../cli/run.ts";
import { startPostgres, type TestPostgres } from "../helpers/postgres.ts";

const folder = "/nonexistent/adyton-data"; // PostgreSQL needs none
const PATIENCE_MS = 120_000;
let server: TestPostgres;

before(async () => {
  server = await startPostgres();
});
after(() => server?.close());

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + PATIENCE_MS;
  while (!(await isSo())) {
    assert.ok(performance.now() < giveUpAt, "expected it in time");
    await setTimeout(20);
  }
}

describe("the shared database", () => {
  test("lets writers wait for each other, and says so when one waits too long", async () => {
    const config = { ...(await server.database()), busyTimeoutMs: 50 };
    const holder = await State.open({ folder, config });
    const impatient = await State.open({ folder, config });
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let holds = false;
    const record = async (): Promise<void> => {
      holds = true;
      await held;
    };
    const slow = holder.accounts.ensure(unknownAccount("slow"), { record });
    await until(() => holds);
    await assert.rejects(impatient.accounts.ensure(unknownAccount("quick")), { code: "state-busy" });
    assert.equal(await impatient.accounts.get("slow"), null, "reading goes on meanwhile");
    release();
    assert.equal((await slow).isNew, true);
    assert.equal((await impatient.accounts.ensure(unknownAccount("quick"))).isNew, true);
    await holder.close();
    await impatient.close();
  });

  test("puts names in the order of their bytes, as the embedded one does", async () => {
    const config = await server.database();
    const state = await State.open({ folder, config });
    const names = ["b", "a", "B", "é", "Z", "_", "aa", "A"];
    await state.accounts.ensureAll(names.map((name) => unknownAccount(name)));
    const listed = (await state.accounts.list()).map(({ account }) => account);
    assert.deepEqual(
      listed,
      [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
    );
    await state.close();
  });

  test("that goes away is reported; gateways keep what they know and catch up by themselves", async () => {
    const config = await server.database();
    const state = await State.open({ folder, config });
    await state.accounts.ensure(unknownAccount("acme"));
    const { id, secret } = await state.keys.create({ account: "acme" });
    const failures: unknown[] = [];
    const directory = await KeyDirectory.open(state, {
      refreshMs: 20,
      onFailure: (error) => failures.push(error),
    });
    await server.stop();
    await until(() => failures.length > 0);
    assert.ok("account" in directory.authenticate(secret));
    await assert.rejects(state.keys.revoke(id), { code: "state-unavailable" });
    await assert.rejects(State.open({ folder, config }), { code: "state-unavailable" });
    await server.start();
    await until(() =>
      state.keys.revoke(id).then(
        () => true,
        () => false,
      ),
    );
    await until(() => "rejected" in directory.authenticate(secret));
    directory.close();
    await state.close();
  });

  test("of a newer version, with a wrong password or without TLS where it is demanded, is refused", async () => {
    const config = await server.database();
    await (await State.open({ folder, config })).close();
    await server.execute(
      config,
      "insert into kysely_migration (name, timestamp) values ('999-later', '2027')",
    );
    await assert.rejects(State.open({ folder, config }), { code: "state-newer" });
    process.env["ADYTON_TEST_WRONG_PASSWORD"] = "wrong-password";
    const wrong = { ...config, password: { env: "ADYTON_TEST_WRONG_PASSWORD" } };
    await assert.rejects(State.open({ folder, config: wrong }), (error: Error) => {
      assert.ok("code" in error && error.code === "state-open-failed");
      assert.ok(!error.message.includes("wrong-password"));
      return true;
    });
    await assert.rejects(State.open({ folder, config: { ...config, tls: "verify" } }), {
      code: "state-open-failed",
    });
  });

  test("is one state for installations that share it, from the command line too", async () => {
    const place = new Place();
    const other = new Place();
    const state = await server.database();
    for (const { folder } of [place, other])
      writeFileSync(join(folder, "adyton.yaml"), JSON.stringify({ state }));
    const made = (await place.json("keys create --account acme-1")) as { secret: string };
    await place.json("organizations set acme");
    const show = "organizations show acme";
    assert.deepEqual(await other.json(show), await place.json(show));
    const gateway = await State.open({ folder: other.data, config: state });
    const directory = await KeyDirectory.open(gateway);
    assert.ok("account" in directory.authenticate(made.secret));
    directory.close();
    await gateway.close();
    assert.ok(!existsSync(join(place.data, "state.sqlite")), "nothing is kept twice");
    place.end();
    other.end();
  });

  test("refuses text that it can't hold as a wrong value", async () => {
    const state = await State.open({ folder, config: await server.database() });
    await state.accounts.ensure(unknownAccount("acme"));
    await assert.rejects(state.keys.create({ account: "acme", label: "a\u0000b" }), { code: "invalid-fact" });
    await state.close();
  });

  test("leaves other clients' settings alone: big numbers stay text to them", async () => {
    const state = await State.open({ folder, config: await server.database() });
    assert.equal(typeof pg.types.getTypeParser(20)("1"), "string");
    await state.close();
  });
});
