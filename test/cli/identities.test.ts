// Proves what the commands about organisations, tokens and lists of accounts do, run as a person runs them.
import assert from "node:assert/strict";
import { createHash, generateKeyPairSync } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, beforeEach, describe, test } from "node:test";
import { KeyDirectory } from "../../src/state/key-directory.ts";
import { State } from "../../src/state/state.ts";
import { Place } from "./run.ts";

let place: Place;
const places: Place[] = [];
beforeEach(() => {
  place = new Place();
  places.push(place);
});
after(() => {
  for (const old of places) old.end();
});

const write = (name: string, text: string): void => writeFileSync(join(place.folder, name), text);
type Made = Record<string, unknown> & { id: string; secret: string | null };

describe("organisations and what is known of them", () => {
  test("are told, verified, declared and shown with their history", async () => {
    await place.json("organizations set acme --plan pro --contact trust@acme.test");
    await place.json("organizations verify acme business --reference 'HRB 1'");
    const refused = await place.adyton("organizations declare acme synthetic-data");
    assert.equal(refused.code, 1);
    assert.match(refused.err, /invalid-fact.*agreement/);
    await place.json("organizations declare acme synthetic-data --reference 'contract 7' --until 2027-12-31");
    await place.json("organizations withdraw acme synthetic-data");
    const { out } = await place.adyton("organizations history acme");
    for (const text of ["business", "HRB 1", "declared-use.withdrawn", "organization.recorded", "cli:"])
      assert.ok(out.includes(text), text);
    const [row] = (await place.json("organizations list")) as Record<string, unknown>[];
    assert.equal(row?.["plan"], "pro");
    assert.equal((await place.adyton("organizations show nobody")).code, 1);
  });

  test("get keys for end users, with our secret or their own", async () => {
    await place.json("organizations set acme");
    const shared = (await place.json("organizations key create acme --label web")) as Made;
    assert.match(shared.secret ?? "", /^[A-Za-z0-9_-]{43}$/);
    const pair = generateKeyPairSync("ed25519");
    write("public.pem", pair.publicKey.export({ type: "spki", format: "pem" }).toString());
    write("private.pem", pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString());
    const own = (await place.json("organizations key create acme --public-key public.pem")) as Made;
    assert.equal(own.secret, null);
    const wrong = await place.adyton("organizations key create acme --public-key private.pem");
    assert.match(wrong.err, /invalid-fact/);
    assert.ok(!wrong.err.includes("PRIVATE"));
    const { out } = await place.adyton("organizations show acme --json");
    assert.ok(!out.includes(shared.secret ?? "?"));
    await place.json(`organizations key revoke ${shared.id}`);
  });
});

describe("tokens", () => {
  test("are printed once, listed without their secret, and end", async () => {
    const made = (await place.json("tokens create --label grafana --scope metrics:read")) as Made;
    assert.match(made.secret ?? "", /^adt_/);
    const { out } = await place.adyton("tokens list");
    assert.match(out, /grafana +active +metrics:read/);
    assert.ok(!out.includes(made.secret ?? "?"));
    await place.json(`tokens revoke ${made.id}`);
    assert.match((await place.adyton("tokens list")).out, /revoked/);
    const strange = await place.adyton("tokens create --label x --scope users:write");
    assert.equal(strange.code, 2);
    assert.match(strange.err, /expected some of account-list:read, account-list:write, accounts:read/);
    assert.ok(((await place.json("tokens scopes")) as string[]).includes("findings:read"));
  });
});

describe("lists of accounts", () => {
  test("come from CSV and leave as CSV and JSON lines, the same again", async () => {
    const rows = ['acme-1,"Acme, Ltd",DE', "=cmd|'/C'!A1,,", "plain,,FR", ",x,y", "late,,"];
    write("in.csv", `\ufeffaccount,organization,country\r\n${rows.join("\r\n")}\r\n`);
    const run = await place.adyton("accounts import in.csv --json");
    assert.equal(run.code, 3, run.err);
    const counts = JSON.parse(run.out) as { created: number; rejections: { line: number }[] };
    assert.equal(counts.created, 4);
    assert.deepEqual(
      counts.rejections.map(({ line }) => line),
      [5],
    );
    assert.ok(await place.json("organizations show 'Acme, Ltd'"));
    await place.json("accounts export out.csv");
    const csv = readFileSync(join(place.folder, "out.csv"), "utf8");
    assert.match(csv, /^'=cmd/m, "no formula for a spreadsheet");
    await place.json("accounts export out.jsonl --format jsonl");
    const other = new Place();
    places.push(other);
    writeFileSync(join(other.folder, "out.csv"), csv);
    await other.json("accounts import out.csv");
    await other.json("accounts export again.jsonl --format jsonl");
    const lines = readFileSync(join(place.folder, "out.jsonl"), "utf8");
    assert.equal(readFileSync(join(other.folder, "again.jsonl"), "utf8"), lines);
    assert.equal(lines.split("\n").length, 5);
    const taken = await place.adyton("accounts export out.csv");
    assert.equal(taken.code, 2, "an export overwrites nothing");
  });

  test("of a wrong form are refused as a whole", async () => {
    write("strange.csv", "account,rank\na,1\n");
    assert.match((await place.adyton("accounts import strange.csv")).err, /expected columns.*rank/);
    write("cut.csv", 'account\n"never closed\n');
    assert.equal((await place.adyton("accounts import cut.csv")).code, 1);
    assert.equal((await place.adyton("accounts import none.csv")).code, 2);
  });

  test("come with LiteLLM's keys, which go on working", async () => {
    const secret = "sk-made-for-tests-0123456789";
    const blocked = "sk-blocked-made-for-tests";
    const hash = (text: string): string => createHash("sha256").update(text).digest("hex");
    const header =
      "token,key_name,key_alias,spend,expires,models,user_id,team_id,blocked,created_at,organization_id";
    write(
      "tokens.csv",
      [
        header,
        `${hash(secret)},sk-...6789,batch,1.5,,"{gpt-x}",u-1,t-1,f,2026-01-31 10:00:00.123,acme`,
        `${hash(blocked)},sk-...ests,,0,2020-01-01 00:00:00,{},,t-2,t,2026-01-31 10:00:00,`,
        `sk-in-clear,x,,0,,{},u-3,,f,2026-01-31 10:00:00,`,
        "",
      ].join("\n"),
    );
    const run = await place.adyton("accounts import tokens.csv --format litellm --keys --json");
    assert.equal(run.code, 3);
    assert.ok(!run.out.includes("sk-in-clear") && !run.err.includes("sk-in-clear"));
    const { created, keysAdopted } = JSON.parse(run.out) as { created: number; keysAdopted: number };
    assert.deepEqual([created, keysAdopted], [2, 1]);
    const line = {
      token: hash("sk-third"),
      user_id: "u-9",
      expires: null,
      created_at: "2026-02-01T00:00:00Z",
    };
    write("tokens.jsonl", `${JSON.stringify(line)}\n`);
    await place.json("accounts import tokens.jsonl --format litellm --keys");
    const state = await State.open({ folder: place.data });
    const directory = await KeyDirectory.open(state);
    const principal = directory.authenticate(secret);
    assert.ok("account" in principal && principal.account === "u-1" && principal.organization === "acme");
    assert.deepEqual(directory.authenticate(blocked), { rejected: "malformed" });
    assert.ok("account" in directory.authenticate("sk-third"));
    assert.equal((await state.accounts.demand("u-1")).created, "2026-01-31T10:00:00.123Z");
    directory.close();
    await state.close();
  });
});
