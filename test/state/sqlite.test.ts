// Proves what only the embedded database can do wrong: another process's lock, a full disk, a file that is none.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, test } from "node:test";
import { sql } from "kysely";
import { EMBEDDED_STATE } from "../../src/config/state-section.ts";
import { unknownAccount } from "../../src/core/account.ts";
import { State } from "../../src/state/state.ts";

let folder = "";
let state: State;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "adyton-state-"));
  state = await State.open({ folder });
});
afterEach(async () => {
  await state.close();
  rmSync(folder, { recursive: true, force: true });
});

const acme = { ...unknownAccount("acme"), plan: "pro", country: "DE", created: "2026-01-31T00:00:00.000Z" };

describe("the embedded database", () => {
  test("of a newer version, and a file that is none, are refused", async () => {
    const file = new DatabaseSync(join(folder, "state.sqlite"));
    file.exec("insert into kysely_migration (name, timestamp) values ('999-later', '2027')");
    file.close();
    await assert.rejects(State.open({ folder }), { code: "state-newer" });
    await assert.rejects(State.open({ folder: "/dev/null/x" }), { code: "state-open-failed" });
  });

  test("that another process holds is busy, and nothing is changed", async () => {
    const impatient = await State.open({ folder, config: { ...EMBEDDED_STATE, busyTimeoutMs: 20 } });
    const holder = new DatabaseSync(join(folder, "state.sqlite"));
    holder.exec("begin immediate");
    await assert.rejects(impatient.accounts.ensure(acme), { code: "state-busy" });
    assert.equal(await impatient.accounts.get("acme"), null, "reading goes on meanwhile");
    holder.exec("rollback");
    holder.close();
    assert.equal((await impatient.accounts.ensure(acme)).isNew, true);
    await impatient.close();
  });

  test("that is full or damaged says so", async () => {
    const small = new DatabaseSync(join(folder, "state.sqlite"));
    const pages = Number(small.prepare("pragma page_count").get()?.["page_count"]);
    small.close();
    await sql`pragma max_page_count = ${sql.raw(String(pages))}`.execute(state.database);
    const many = Array.from({ length: 2000 }, (_, index) => unknownAccount(`account-${index}`));
    await assert.rejects(state.accounts.ensureAll(many), { code: "state-full" });
    assert.equal(await state.accounts.count(), 0);
    const other = join(folder, "other");
    mkdirSync(other);
    writeFileSync(join(other, "state.sqlite"), "this is no database, however long one looks at it");
    await assert.rejects(State.open({ folder: other }), { code: "state-open-failed" });
  });

  test("is its owner's alone", () => {
    assert.equal(statSync(join(folder, "state.sqlite")).mode & 0o077, 0);
  });
});
