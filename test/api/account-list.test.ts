// Lists of accounts over the API: what comes in, what a dry run says of it, what is refused, and what leaves again.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { SCOPES } from "../../src/api/access.ts";
import { type ImportReport, importReport, MAX_LIST_BYTES } from "../../src/api/contract/account-list.ts";
import { ledgerRecords } from "../../src/api/contract/ledger.ts";
import { CSRF_HEADER } from "../../src/api/identity.ts";
import { KeyDirectory } from "../../src/state/key-directory.ts";
import { openWorld, type World } from "../helpers/world.ts";
import { asking } from "./client.ts";

let world: World;
let cookie: string;
before(async () => {
  world = await openWorld();
  cookie = await world.signIn("admin");
});
after(() => world.close());

async function post(query: string, body: string, headers: Record<string, string> = {}): Promise<Response> {
  return await world.api.request(`http://console.test/api/account-list?${query}`, {
    method: "POST",
    headers: {
      ...{ host: "console.test", cookie, [CSRF_HEADER]: "1", "content-type": "text/csv" },
      ...{ "content-length": String(Buffer.byteLength(body)), ...headers },
    },
    body,
  });
}

const report = async (response: Response): Promise<ImportReport> => importReport.parse(await response.json());
const hash = (text: string): string => createHash("sha256").update(text).digest("hex");

async function acts(name: string): Promise<string[]> {
  await world.settle();
  const ask = asking(world, { cookie });
  const { items } = ledgerRecords.parse((await ask("GET", `/api/ledger/records?act=${name}`)).body);
  return items.map(({ detail }) => detail ?? "");
}

describe("a list of accounts", () => {
  const csv = [
    "account,organization,country,created",
    "list-1,List Ltd,DE,",
    "list-2,,,2026-01-31T10:00:00Z",
    `${"x".repeat(201)},,,`,
    "list-2,,FR,",
    "list-3,,,yesterday",
    `list-4,${"o".repeat(600)},,`,
    "list-1,List Ltd,DE,",
    "",
  ].join("\n");

  test("tells in a dry run what it does then, and which lines are wrong and why", async () => {
    const before = await world.state.accounts.count();
    const would = await report(await post("format=csv&dryRun=true", csv));
    assert.equal(await world.state.accounts.count(), before, "nothing changed");
    assert.deepEqual(await acts("accounts.imported"), []);
    const did = await report(await post("format=csv", csv));
    assert.deepEqual({ ...would, dryRun: false }, did);
    assert.deepEqual([did.rows, did.created, did.changed, did.rejected], [7, 2, 0, 3]);
    assert.deepEqual(
      did.rejections.map(({ line }) => line),
      [4, 6, 7],
    );
    assert.ok(did.rejections.every(({ reason }) => !reason.includes("yesterday") && !reason.includes("ooo")));
    const { country, created } = await world.state.accounts.demand("list-2");
    assert.deepEqual([country, created], ["FR", "2026-01-31T10:00:00.000Z"]);
    assert.ok(await world.state.organizations.get("List Ltd"));
    const [act] = await acts("accounts.imported");
    assert.match(act ?? "", /"by":"user:admin".*"created":2/);
    assert.equal((await acts("account.recorded")).length, 2, "each account has its own record");
    const again = await report(await post("format=csv", csv));
    assert.deepEqual([again.created, again.changed], [0, 0], "nothing is made twice");
  });

  test("that is damaged, of another form or too long is refused as a whole, and says where", async () => {
    const before = await world.state.accounts.count();
    const refusals: readonly (readonly [query: string, body: string, message: RegExp])[] = [
      ["format=csv", 'account\nfresh-1\n"never closed\n', /line \d+: expected quotes/],
      ["format=csv", "account,plan\nfresh-2,pro\nfresh-3\n", /line 3: expected as many fields/],
      ["format=csv", "account,rank\nfresh-4,1\n", /line 1: expected columns.*"rank" as column 2/],
      [
        "format=csv",
        "sk-someones-secret,plan\nx,y\n",
        /line 1: expected columns.*something else as column 1/,
      ],
      ["format=litellm", "key,user\nx,y\n", /none named token/],
      ["format=xml", "account\nfresh-5\n", /query.format/],
      ["format=csv&colour=red", "account\nfresh-6\n", /query/],
    ];
    for (const [query, body, message] of refusals) {
      const response = await post(query, body);
      const text = await response.text();
      assert.equal(response.status, 400, query);
      assert.match((JSON.parse(text) as { error: { message: string } }).error.message, message);
      assert.ok(!text.includes("someones-secret"));
    }
    assert.equal((await post("format=csv", "account\n", { "content-type": "text/plain" })).status, 400);
    assert.equal((await post("format=jsonl", "account\n")).status, 400);
    const long = `account\n${"a".repeat(MAX_LIST_BYTES)}`;
    assert.equal((await post("format=csv", long)).status, 413);
    assert.equal(await world.state.accounts.count(), before);
  });

  test("is not read before its sender is known, and without its length only as far as other bodies", async () => {
    const large = `account\n${"a\n".repeat(50_000)}`;
    assert.equal((await post("format=csv", large, { cookie: "" })).status, 401);
    const body = new ReadableStream({
      start: (controller) => {
        controller.enqueue(new TextEncoder().encode(large));
        controller.close();
      },
    });
    const response = await world.api.request("http://console.test/api/account-list?format=csv", {
      ...{ method: "POST", body, duplex: "half" },
      headers: { host: "console.test", cookie, [CSRF_HEADER]: "1", "content-type": "text/csv" },
    });
    assert.equal(response.status, 413);
  });

  test("of more than a thousand accounts comes in whole", async () => {
    const lines = Array.from({ length: 2500 }, (_, index) =>
      JSON.stringify({ account: `many-${index % 2400}` }),
    );
    const headers = { "content-type": "application/x-ndjson" };
    const would = await report(await post("format=jsonl&dryRun=true", lines.join("\n"), headers));
    const did = await report(await post("format=jsonl", lines.join("\r\n"), headers));
    assert.deepEqual({ ...would, dryRun: false }, did);
    assert.deepEqual([did.rows, did.created, did.rejected], [2500, 2400, 0]);
  });
});

describe("LiteLLM's table", () => {
  const rows = [
    "token,key_alias,user_id,expires,blocked",
    `${hash("sk-one")},one,lite-1,,f`,
    `${hash("sk-two")},two,lite-1,,t`,
    `${hash("sk-one")},again,lite-1,,f`,
    `${hash("sk-long")},three,${"u".repeat(300)},,f`,
    `${hash("sk-old")},four,lite-2,1960-01-01,f`,
    "sk-in-clear,five,lite-3,,f",
  ].join("\n");

  test("brings its keys, leaves out what is blocked, and repeats no secret", async () => {
    const would = await report(await post("format=litellm&keys=true&dryRun=true", rows));
    const response = await post("format=litellm&keys=true", rows);
    const text = await response.text();
    assert.ok(!text.includes("sk-in-clear"));
    const did = importReport.parse(JSON.parse(text));
    assert.deepEqual({ ...would, dryRun: false }, did);
    const { created, keysAdopted, keysKnown, keysBlocked } = did;
    assert.deepEqual([created, keysAdopted, keysKnown, keysBlocked, did.rejected], [1, 1, 1, 1, 3]);
    const directory = await KeyDirectory.open(world.state);
    assert.ok("account" in directory.authenticate("sk-one"));
    assert.deepEqual(directory.authenticate("sk-two"), { rejected: "malformed" });
    directory.close();
    assert.equal((await acts("key.created")).length, 1);
    const again = await report(await post("format=litellm&keys=true", rows));
    assert.deepEqual([again.keysAdopted, again.keysKnown], [0, 2]);
  });
});

describe("all accounts", () => {
  test("leave as CSV and JSON lines that come in again, and the log says who took them", async () => {
    await world.state.accounts.ensure({
      ...(await world.state.accounts.demand("list-1")),
      account: "=cmd|'/C'!A1",
    });
    const ask = asking(world, { cookie });
    const csv = await ask("GET", "/api/account-list");
    assert.match(csv.headers.get("content-disposition") ?? "", /attachment; filename="accounts.csv"/);
    assert.match(csv.text, /^'=cmd/m, "no formula for a spreadsheet");
    const lines = await ask("GET", "/api/account-list?format=jsonl");
    assert.equal(lines.text.trimEnd().split("\n").length, await world.state.accounts.count());
    const back = await report(await post("format=csv&dryRun=true", csv.text));
    assert.deepEqual([back.created, back.changed, back.rejected], [0, 0, 0]);
    const exported = await acts("accounts.exported");
    assert.equal(exported.length, 2);
    assert.match(exported[0] ?? "", /"by":"user:admin"/);
  });

  test("are a machine's with a scope of its own", async () => {
    assert.ok(SCOPES.includes("account-list:read") && SCOPES.includes("account-list:write"));
    const { secret } = await world.state.tokens.create({
      ...{ label: "billing", scopes: ["account-list:write"], creator: "user:admin", lifeMs: 60_000 },
    });
    const authorization = `Bearer ${secret}`;
    const taken = await report(
      await post("format=csv", "account\nby-machine\n", { cookie: "", authorization }),
    );
    assert.equal(taken.created, 1);
    assert.equal((await asking(world, { authorization })("GET", "/api/account-list")).status, 403);
  });
});
