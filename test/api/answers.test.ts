// What the API answers, checked against the contract's schemas, on real records that went through log and store.
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { z } from "zod";
import { createApi } from "../../src/api/app.ts";
import * as accountsContract from "../../src/api/contract/accounts.ts";
import * as commonContract from "../../src/api/contract/common.ts";
import * as exchangesContract from "../../src/api/contract/exchanges.ts";
import * as findingsContract from "../../src/api/contract/findings.ts";
import * as ledgerContract from "../../src/api/contract/ledger.ts";
import * as operationsContract from "../../src/api/contract/operations.ts";
import { CSRF_HEADER } from "../../src/api/identity.ts";
import { parseProof } from "../../src/core/proof.ts";
import { Keyring } from "../../src/log/keyring.ts";
import { LogWriter } from "../../src/log/writer.ts";
import { FLEET_FINDING, fleetScene, HOSTILE_EXCHANGE, HOSTILE_PROMPT } from "../helpers/fleet.ts";
import { openWorld, type World } from "../helpers/world.ts";

const scene = fleetScene(Date.UTC(2026, 2, 14), { days: 3, perDay: 3 });
let world: World;
let analyst: string;

before(async () => {
  world = await openWorld();
  await world.record(scene.exchanges, scene.facts);
  await world.state.findings.upsert(scene.findings);
  analyst = await world.signIn("analyst");
});
after(() => world.close());

async function get<T>(schema: z.ZodType<T>, path: string): Promise<T> {
  const response = await world.api.request(path, { headers: { cookie: analyst } });
  assert.equal(response.status, 200, `${path}: ${await response.clone().text()}`);
  return schema.parse(await response.json());
}

async function change(method: string, path: string, body: unknown, api = world.api): Promise<Response> {
  const headers = { cookie: analyst, "content-type": "application/json", [CSRF_HEADER]: "1" };
  return await api.request(path, { method, headers, body: JSON.stringify(body) });
}

async function codeOf(response: Response): Promise<string> {
  return commonContract.apiError.parse(await response.json()).error.code;
}

describe("findings", () => {
  test("are listed, filtered, sorted and paged", async () => {
    const all = await get(findingsContract.findingPage, "/api/findings");
    assert.deepEqual(
      all.items.map(({ id }) => id),
      [FLEET_FINDING, "account-77b2", "probe-0d41"],
    );
    const probes = await get(findingsContract.findingPage, "/api/findings?kind=probe");
    assert.deepEqual(
      probes.items.map(({ id }) => id),
      ["probe-0d41"],
    );
    const second = await get(
      findingsContract.findingPage,
      "/api/findings?sort=accounts&direction=asc&limit=1&page=3",
    );
    assert.deepEqual(
      second.items.map(({ id }) => id),
      [FLEET_FINDING],
    );
    assert.equal(second.total, 3);
    assert.equal((await get(findingsContract.findingPage, "/api/findings?q=logit")).total, 1);
  });

  test("a wrong filter is a clear refusal", async () => {
    const response = await world.api.request("/api/findings?kind=nonsense", { headers: { cookie: analyst } });
    assert.equal(response.status, 400);
    assert.equal(await codeOf(response), "api.bad-request");
  });

  test("one finding carries its take, series, members and exemplars from the store", async () => {
    const finding = await get(findingsContract.finding, `/api/findings/${FLEET_FINDING}`);
    const served = scene.exchanges.filter(({ account }) => scene.fleet.includes(account));
    assert.equal(finding.accounts, scene.fleet.length);
    assert.equal(finding.take.exchanges, served.length);
    const tokens = served.reduce((sum, { answer }) => sum + (answer.usage?.completionTokens ?? 0), 0);
    assert.equal(finding.take.completionTokens, tokens);
    assert.equal(
      finding.series.buckets.reduce((sum, { exchanges }) => sum + exchanges, 0),
      served.length,
    );
    assert.deepEqual(finding.members.map(({ account }) => account).sort(), [...scene.fleet].sort());
    assert.ok(finding.exemplars.length > 0);
    assert.ok(finding.exemplars.every(({ account }) => scene.fleet.includes(account)));
    assert.match(finding.errorRate, /1 in 100/);
  });

  test("a decision is kept, and is an act in the log with its note", async () => {
    const response = await change("PATCH", "/api/findings/account-77b2", {
      status: "confirmed",
      note: "Seen it.",
    });
    const finding = findingsContract.finding.parse(await response.json());
    assert.deepEqual(
      [finding.status, finding.note, finding.decidedBy],
      ["confirmed", "Seen it.", "user:analyst"],
    );
    await world.settle();
    const { items } = await get(ledgerContract.ledgerRecords, "/api/ledger/records?act=finding");
    const detail = JSON.parse(
      items.find(({ act }) => act === "finding.status-changed")?.detail ?? "null",
    ) as object;
    assert.deepEqual(detail, {
      by: "user:analyst",
      finding: "account-77b2",
      from: "open",
      note: "Seen it.",
      to: "confirmed",
    });
  });

  test("a decision on an unknown finding is not found", async () => {
    const response = await change("PATCH", "/api/findings/none", { status: "confirmed" });
    assert.equal(response.status, 404);
  });
});

describe("accounts", () => {
  test("are listed by activity, with facts and open findings", async () => {
    const { items, total } = await get(
      accountsContract.accountPage,
      "/api/accounts?sort=exchanges&limit=200",
    );
    assert.equal(total, scene.facts.length);
    const counts = items.map(({ exchanges }) => exchanges);
    assert.deepEqual(
      counts,
      [...counts].sort((a, b) => b - a),
    );
    const first = items.find(({ account }) => account === scene.fleet[1]);
    assert.equal(first?.openFindings, 1);
    assert.equal(first?.country, "NL");
  });

  test("are found by part of the name or the organisation, in both orders", async () => {
    for (const sort of ["account", "created", "exchanges", "last"]) {
      const { items } = await get(accountsContract.accountPage, `/api/accounts?q=TEAWOOD&sort=${sort}`);
      assert.deepEqual(
        items.map(({ account }) => account),
        ["acct_teawood"],
      );
    }
  });

  test("an account without exchanges is listed last by activity", async () => {
    const lonely = {
      ...(scene.facts[0] as (typeof scene.facts)[0]),
      account: "acct_new",
      organization: "newcomers",
    };
    await world.record([], [lonely]);
    const { items } = await get(accountsContract.accountPage, "/api/accounts?sort=last&limit=200");
    assert.deepEqual(
      [items.at(-1)?.account, items.at(-1)?.lastAt, items.at(-1)?.exchanges],
      ["acct_new", null, 0],
    );
  });

  test("one account has facts, figures, keys without secrets, series and findings", async () => {
    const name = scene.fleet[0] ?? "";
    const { secret, id } = await world.state.keys.create({ account: name, label: "laptop" });
    const response = await world.api.request(`/api/accounts/${name}`, { headers: { cookie: analyst } });
    const text = await response.text();
    const account = accountsContract.account.parse(JSON.parse(text));
    assert.ok(!text.includes(secret));
    assert.deepEqual(
      account.keys.map((key) => [key.id, key.label]),
      [[id, "laptop"]],
    );
    assert.equal(account.figures.exchanges, scene.exchanges.filter((each) => each.account === name).length);
    assert.equal(account.findings.length, 2);
    assert.equal(account.facts.emailDomain, "mail.example");
  });

  test("exchanges of an account come newest first and page", async () => {
    const path = `/api/accounts/${scene.fleet[0]}/exchanges`;
    const all = await get(exchangesContract.exchangePage, `${path}?limit=200`);
    const times = all.items.map(({ openedAt }) => openedAt);
    assert.deepEqual(times, [...times].sort().reverse());
    const second = await get(exchangesContract.exchangePage, `${path}?limit=2&page=2`);
    assert.deepEqual(second.items, all.items.slice(2, 4));
    assert.equal((await get(exchangesContract.exchangePage, `${path}?ending=failed`)).total, 0);
  });

  test("an unknown account is not found", async () => {
    const response = await world.api.request("/api/accounts/nobody", { headers: { cookie: analyst } });
    assert.equal(response.status, 404);
  });
});

describe("revealing content", () => {
  test("metadata shows none of it", async () => {
    const response = await world.api.request(`/api/exchanges/${HOSTILE_EXCHANGE}`, {
      headers: { cookie: analyst },
    });
    const text = await response.text();
    const exchange = exchangesContract.exchange.parse(JSON.parse(text));
    assert.ok(!text.includes("script") && !text.includes("203.0.113"));
    assert.ok(exchange.openIndex !== null && exchange.closeIndex !== null && exchange.tookMs !== null);
  });

  test("takes a reason", async () => {
    for (const body of [{}, { reason: "" }, { reason: "   short   " }, { reason: "x".repeat(501) }]) {
      const response = await change("POST", `/api/exchanges/${HOSTILE_EXCHANGE}/reveal`, body);
      assert.equal(response.status, 400, JSON.stringify(body));
    }
  });

  test("gives the content, and the look is a record that can be found and proved", async () => {
    const reason = "Triage of the campaign finding";
    const response = await change("POST", `/api/exchanges/${HOSTILE_EXCHANGE}/reveal`, { reason });
    const content = exchangesContract.revealed.parse(await response.json());
    assert.deepEqual(content.messages, [{ role: "user", text: HOSTILE_PROMPT }]);
    assert.match(content.answer?.text ?? "", /^Let us see/);
    assert.match(content.origin.ip ?? "", /^203\.0\.113\./);
    await world.settle();
    const found = await get(
      ledgerContract.ledgerRecords,
      "/api/ledger/records?act=content.revealed&kind=act",
    );
    const [look] = found.items;
    assert.deepEqual(JSON.parse(look?.detail ?? "null"), {
      by: "user:analyst",
      exchange: HOSTILE_EXCHANGE,
      reason,
    });
    assert.deepEqual([look?.writer, look?.sequence], [content.act.writer, content.act.sequence]);
    const proof = await get(ledgerContract.ledgerProof, `/api/ledger/records/${look?.index}`);
    assert.ok(parseProof(proof.proof) !== null);
    assert.equal(JSON.parse(proof.leaf).act, "content.revealed");
  });

  test("gives nothing when the look can't be recorded", async () => {
    const reason = "The disk is gone, so this must fail";
    const keys = await Keyring.open({ folder: world.folder.root });
    const writer = await LogWriter.open({
      folder: world.folder.root,
      writer: "gone",
      keys,
      segmentBytes: 1024 * 1024,
    });
    await writer.close();
    await keys.close();
    const closed = await createApi({ ...world.options, writer });
    const response = await change("POST", `/api/exchanges/${HOSTILE_EXCHANGE}/reveal`, { reason }, closed);
    assert.equal(response.status, 503);
    const text = await response.text();
    assert.equal(commonContract.apiError.parse(JSON.parse(text)).error.code, "api.log-unavailable");
    assert.ok(!text.includes("alert"));
  });

  test("an exchange that is not sealed is a conflict", async () => {
    const response = await change("POST", "/api/exchanges/unknown/reveal", { reason: "Looking for a ghost" });
    assert.equal(response.status, 409);
    assert.equal(await codeOf(response), "api.not-sealed");
  });
});

describe("the ledger", () => {
  test("shows its head, verified, and its writers", async () => {
    const ledger = await get(ledgerContract.ledger, "/api/ledger");
    assert.equal(ledger.signatureValid, true);
    assert.equal(ledger.size, await world.log.size());
    assert.equal(ledger.storePosition, ledger.size);
    assert.ok(ledger.writers.some(({ name }) => name === "gateway-0"));
    assert.match(ledger.checkpoint ?? "", new RegExp(`^${ledger.origin}\n${ledger.size}\n`));
  });

  test("records go back from the newest without gaps", async () => {
    const seen: number[] = [];
    let before: number | null = null;
    do {
      const path: string = `/api/ledger/records?limit=37${before === null ? "" : `&before=${before}`}`;
      const { items, nextBefore } = await get(ledgerContract.ledgerRecords, path);
      seen.push(...items.map(({ index }) => index));
      before = nextBefore;
    } while (before !== null);
    const size = await world.log.size();
    assert.deepEqual(
      seen,
      Array.from({ length: size }, (_, index) => size - 1 - index),
    );
  });

  test("cosigned checkpoints and timestamps are served where there are any", async () => {
    const { witnesses, timestamps } = await get(ledgerContract.ledger, "/api/ledger");
    assert.deepEqual([witnesses, timestamps], [{ cosigned: [], quorum: 0, quorumSize: 0 }, []]);
    for (const path of [
      "/log/checkpoint.cosigned",
      "/log/timestamps/6.tsa.tsr",
      "/log/timestamps/..%2Fcheckpoint",
    ])
      assert.equal((await world.api.request(path)).status, 404);
    const folder = world.options.folder.timestamps;
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "6.tsa.tsr"), "stamp");
    const served = await world.api.request("/log/timestamps/6.tsa.tsr");
    assert.deepEqual(
      [await served.text(), served.headers.get("content-type")],
      ["stamp", "application/timestamp-reply"],
    );
  });

  test("a record's proof verifies against the published checkpoint", async () => {
    const { proof, leaf } = await get(ledgerContract.ledgerProof, "/api/ledger/records/5");
    const parsed = parseProof(proof);
    assert.ok(parsed !== null);
    const checkpoint = await (await world.api.request("/log/checkpoint")).text();
    assert.equal(parsed.checkpoint, checkpoint);
    assert.deepEqual(new TextDecoder().decode(parsed.extra ?? new Uint8Array()), leaf);
  });

  test("tiles are served to anyone and for ever; nothing else of the folder is", async () => {
    const size = await world.log.size();
    const whole = size >= 256;
    const tile = whole ? "/log/tile/entries/000" : `/log/tile/entries/000.p/${size}`;
    const response = await world.api.request(tile);
    assert.equal(response.status, 200);
    assert.match(response.headers.get("cache-control") ?? "", /immutable/);
    for (const path of [
      "/log/tile/../../keys/installation.key",
      "/log/tile/%2e%2e/%2e%2e/state.sqlite",
      "/log/tile/0/999",
    ]) {
      assert.notEqual((await world.api.request(path)).status, 200, path);
    }
  });

  test("a record beyond the end is not found", async () => {
    for (const index of ["99999999", "-1", "1.5", "x"]) {
      const response = await world.api.request(`/api/ledger/records/${index}`, {
        headers: { cookie: analyst },
      });
      assert.equal(response.status, 404, index);
    }
  });
});

describe("operations", () => {
  test("metrics are Prometheus text and say how the log is", async () => {
    const response = await world.api.request("/metrics", { headers: { cookie: analyst } });
    const text = await response.text();
    assert.match(text, new RegExp(`^adyton_log_sealed_records ${await world.log.size()}$`, "m"));
    assert.match(text, /^adyton_component_healthy\{name="acts"\} 1$/m);
    assert.ok(
      text
        .split("\n")
        .every((line) => line === "" || line.startsWith("#") || /^[a-z_]+(\{.*\})? [\d.e+-]+$/.test(line)),
    );
  });

  test("an ill component shows in health", async () => {
    const components = () => [{ name: "gateway-0", ok: false, message: "serves without a log" }];
    const api = await createApi({ ...world.options, components });
    const response = await api.request("/api/health", { headers: { cookie: analyst } });
    assert.equal(operationsContract.health.parse(await response.json()).status, "degraded");
  });

  test("a hunt runs where detection runs, and is refused elsewhere", async () => {
    assert.equal(await codeOf(await change("POST", "/api/hunt", {})), "api.not-available");
    const api = await createApi({ ...world.options, hunt: async () => scene.findings.slice(0, 1) });
    const response = await change("POST", "/api/hunt", {}, api);
    const result = operationsContract.huntResult.parse(await response.json());
    assert.deepEqual(
      result.raised.map(({ id }) => id),
      [FLEET_FINDING],
    );
  });
});
