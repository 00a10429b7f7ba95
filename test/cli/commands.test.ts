// Proves what the real command prints, changes, logs and returns, run as a person runs it.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, beforeEach, describe, test } from "node:test";
import { z } from "zod";
import type { Finding } from "../../src/core/finding.ts";
import { Keyring } from "../../src/log/keyring.ts";
import { Ledger } from "../../src/log/ledger.ts";
import { SealedLog } from "../../src/log/sealed-log.ts";
import { KeyDirectory } from "../../src/state/key-directory.ts";
import { State } from "../../src/state/state.ts";
import { Place, type Run } from "./run.ts";

let place: Place;
const places: Place[] = [];
beforeEach(() => {
  place = new Place();
  places.push(place);
});
after(() => {
  for (const old of places) old.end();
});

async function withState<T>(use: (state: State) => Promise<T>): Promise<T> {
  const state = await State.open({ folder: place.data });
  try {
    return await use(state);
  } finally {
    await state.close();
  }
}

/** The acts in the log, sealed and opened again: name, account and detail of each. */
async function acts(): Promise<{ act: string; account: string | null; detail: Record<string, unknown> }[]> {
  const keys = await Keyring.open({ folder: place.data });
  const ledger = await Ledger.open({ folder: place.data, keys });
  const log = await SealedLog.open({ folder: place.data, keys });
  try {
    await ledger.step();
    const found = [];
    for await (const { leaf, account, content } of log.records(0, await log.size())) {
      const detail = JSON.parse(new TextDecoder().decode(content?.get("detail")));
      found.push({ act: leaf.act ?? "", account, detail });
    }
    return found;
  } finally {
    log.close();
    ledger.close();
    keys.close();
  }
}

function failed(run: Run, code: number, line: RegExp): void {
  assert.equal(run.code, code, run.err);
  assert.equal(run.out, "");
  assert.match(run.err, line);
  assert.doesNotMatch(run.err, /\n\s+at /, "a stack is for ADYTON_DEBUG=1");
}

describe("adyton keys", () => {
  test("a key is made for a new account, works, is listed without its secret, and is revoked", async () => {
    const made = await place.adyton("keys create --account acme --label 'batch jobs' --expires 90d");
    assert.equal(made.code, 0, made.err);
    const secret = made.out.trim();
    assert.match(secret, /^ady_[A-Za-z0-9_-]{49}$/);
    assert.match(made.err, /only time/);

    const [key] = z
      .array(z.object({ id: z.string(), label: z.string() }))
      .parse(await place.json("keys list"));
    assert.equal(key?.label, "batch jobs");
    const authenticate = (): Promise<object> =>
      withState(async (state) => {
        const keys = await KeyDirectory.open(state);
        keys.close();
        return keys.authenticate(secret);
      });
    assert.deepEqual(await authenticate(), { account: "acme", key: key?.id, organization: null });

    const listed = await place.adyton("keys list --account acme");
    assert.match(listed.out, /k_[0-9a-f]{18} +acme +active/);
    assert.ok(!listed.out.includes(secret));

    assert.equal((await place.adyton(`keys revoke ${key?.id}`)).out, `Revoked ${key?.id} of acme.\n`);
    assert.deepEqual(await authenticate(), { rejected: "revoked" });

    const written = await acts();
    assert.deepEqual(
      written.map(({ act, account }) => [act, account]),
      ["account.recorded", "key.created", "key.revoked"].map((act) => [act, "acme"]),
    );
    assert.match(String(written[1]?.detail["by"]), /^cli:\S+$/);
    assert.equal(written[1]?.detail["label"], "batch jobs");
    assert.ok(!JSON.stringify(written).includes(secret));
  });

  test("what can't be is one clear line and its exit code", async () => {
    failed(await place.adyton("keys create"), 2, /^adyton: usage: required option '--account <account>'/);
    failed(await place.adyton("keys create --account a --expires soon"), 2, /^adyton: usage: expected a day/);
    failed(
      await place.adyton("keys list --limit 0"),
      2,
      /^adyton: usage: expected a whole number from 1 to 1000/,
    );
    failed(await place.adyton("keys revoke k_none"), 1, /^adyton: key-unknown: /);
  });
});

describe("adyton accounts", () => {
  test("are added, told more about, listed, shown, suspended", async () => {
    await place.adyton("accounts add acme --plan pro --created 2026-01-31");
    const again = await place.adyton("accounts add acme --organization 'Acme Ltd' --country DE");
    assert.equal(again.out, "Known; facts updated: acme\n");
    const shown = z.looseObject({}).parse(await place.json("accounts show acme"));
    assert.equal(shown["plan"], "pro");
    assert.equal(shown["created"], "2026-01-31T00:00:00.000Z");
    assert.equal(shown["organization"], "Acme Ltd");
    assert.match((await place.adyton("accounts list")).out, /acme +active +2026-01-31 +pro +DE +Acme Ltd/);
    assert.equal((await place.adyton("accounts suspend acme")).out, "acme is suspended.\n");
    assert.match((await place.adyton("accounts show acme")).out, /^status +suspended$/m);
    failed(await place.adyton("accounts show nobody"), 1, /^adyton: account-unknown: .*nobody/);
  });
});

/** Characters that can act on a terminal. */
const ACTS = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
const hostile = "\u001b[2J\u202egnp.exe\u0007 <script>alert(1)</script>\nsecond line\u200b";

describe("adyton findings", () => {
  const finding: Finding = {
    id: "f_1",
    kind: "campaign",
    detector: "reuse/skeleton",
    accounts: ["acme", `b${"\u202e"}olt`],
    timeMs: Date.UTC(2026, 0, 2, 3, 4, 5),
    eValue: 1234,
    errorRate: "false discovery rate 1 %",
    technique: "AML.T0024.002",
    summary: hostile,
    contributions: [{ name: "shared skeletons", value: "12" }],
  };

  test("are listed, shown and decided, and what attackers wrote can't act on a terminal", async () => {
    await withState((state) => state.findings.upsert([finding]));
    const listed = await place.adyton("findings list --status open");
    assert.match(listed.out, /f_1 +2026-01-02 03:04:05Z +campaign +open +2 +reuse\/skeleton/);
    const shown = await place.adyton("findings show f_1");
    for (const { out } of [listed, shown]) {
      assert.doesNotMatch(out.replaceAll("\n", ""), ACTS);
    }
    assert.match(shown.out, /\\u\{1b\}\[2J\\u\{202e\}gnp\.exe/);

    const run = await place.adyton("findings show f_1 --json");
    assert.doesNotMatch(run.out.replaceAll("\n", ""), ACTS);
    assert.equal(
      z.object({ finding: z.looseObject({ summary: z.string() }) }).parse(JSON.parse(run.out)).finding
        .summary,
      hostile,
    );

    const decided = await place.adyton("findings decide f_1 dismissed --note 'agreed evaluation'");
    assert.equal(decided.out, "f_1 is dismissed.\n");
    assert.match((await place.adyton("findings show f_1")).out, /cli:\S+ +dismissed +agreed evaluation/);
    assert.deepEqual(
      (await acts()).map(({ act, detail }) => [act, detail["to"], detail["note"]]),
      [["finding.status-changed", "dismissed", "agreed evaluation"]],
    );
    failed(await place.adyton("findings decide f_1 perhaps"), 1, /^adyton: invalid-fact: status/);
    failed(await place.adyton("findings show f_2"), 1, /^adyton: finding-unknown: /);
  });
});

describe("adyton sign-in", () => {
  test("prints a link whose token signs in once, with the role", async () => {
    const { out } = await place.adyton("sign-in --user ada --role analyst");
    const [, token = ""] =
      /^http:\/\/127\.0\.0\.1:8788\/sign-in#token=([A-Za-z0-9_-]{43})\n$/.exec(out) ?? [];
    await withState(async (state) => {
      const started = await state.sessions.redeem(token, { lifeMs: 1000 });
      assert.equal(started?.session.role, "analyst");
      assert.equal(await state.sessions.redeem(token, { lifeMs: 1000 }), null);
    });
    const [made, ...more] = await acts();
    assert.deepEqual([made?.act, made?.detail["user"], more.length], ["sign-in-link.created", "ada", 0]);
    assert.ok(!JSON.stringify(made).includes(token));
  });
});

describe("adyton users", () => {
  test("are listed, change roles and are shut out", async () => {
    await place.adyton("sign-in --user ada --role analyst");
    assert.equal((await place.adyton("users role ada viewer")).out, "ada is viewer.\n");
    assert.equal((await place.adyton("users disable ada")).out, "ada is disabled.\n");
    assert.match((await place.adyton("users list")).out, /^ada +viewer +disabled/m);
    failed(await place.adyton("users role ada king"), 1, /^adyton: invalid-fact: role/);
    failed(await place.adyton("users disable bob"), 1, /^adyton: user-unknown: /);
  });
});

describe("adyton config", () => {
  test("check names file, line and column, with exit code 78", async () => {
    writeFileSync(join(place.folder, "adyton.yaml"), "gateway:\n  listen:\n    prot: 1\n");
    failed(
      await place.adyton("config check"),
      78,
      /^adyton: config-invalid: adyton\.yaml:3:5: unknown setting gateway\.listen\.prot\n$/,
    );
    failed(await place.adyton("keys list"), 78, /^adyton: config-invalid: /);
    failed(await place.adyton("config check --config absent.yaml"), 78, /^adyton: config-not-found: /);
  });

  test("print is a configuration that says the same", async () => {
    const first = await place.adyton("config print");
    assert.equal(first.code, 0, first.err);
    writeFileSync(join(place.folder, "printed.yaml"), first.out);
    const second = await place.adyton("config print --config printed.yaml");
    assert.equal(second.out, first.out);
    assert.equal((await place.adyton("config check --config printed.yaml")).code, 0);
  });
});

describe("adyton doctor", () => {
  const report = z.object({
    healthy: z.boolean(),
    checks: z.array(
      z.object({ name: z.string(), status: z.enum(["ok", "warn", "fail"]), advice: z.string() }),
    ),
  });

  test("looks at the machine and touches nothing", async () => {
    const { checks } = report.parse(await place.json("doctor"));
    const status = new Map(checks.map((check) => [check.name, check.status]));
    for (const name of ["runtime", "data folder", "key files", "analytical engine"])
      assert.equal(status.get(name), "ok", name);
    assert.deepEqual(readdirSync(place.folder), []);
    for (const check of checks) assert.equal(check.advice === "", check.status === "ok", check.name);
  });

  test("tells a running installation from one that has ended", async () => {
    mkdirSync(join(place.data, "run"), { recursive: true, mode: 0o700 });
    const file = join(place.data, "run", "processes.json");
    const processes = [
      { name: "ledger", state: "ready" },
      { name: "analyst", state: "waiting-to-restart" },
    ];
    writeFileSync(file, JSON.stringify({ supervisor: process.pid, processes }));
    assert.match((await place.adyton("doctor")).out, /^warn +processes +analyst is waiting-to-restart$/m);
    const { pid } = spawnSync(process.execPath, ["--version"]);
    writeFileSync(file, JSON.stringify({ supervisor: pid, processes }));
    assert.match((await place.adyton("doctor")).out, /^ok +processes +adyton serve is not running/m);
  });

  test("fails with exit code 4 when others may read the keys", async () => {
    mkdirSync(join(place.data, "keys"), { recursive: true });
    writeFileSync(join(place.data, "keys", "installation.key"), "key made for a test");
    chmodSync(join(place.data, "keys", "installation.key"), 0o644);
    const run = await place.adyton("doctor");
    assert.equal(run.code, 4, run.err);
    assert.match(run.out, /^FAIL +key files/m);
    assert.match(run.out, /chmod 600/);
  });
});

describe("the command itself", () => {
  test("help is exit code 0, a wrong call 2, and a stack is printed on demand only", async () => {
    const help = await place.adyton("--help");
    assert.equal(help.code, 0);
    assert.match(help.out, /Exit codes:/);
    failed(await place.adyton("frob"), 2, /^adyton: usage: unknown command 'frob'/);
    failed(await place.adyton("keys list --frob"), 2, /^adyton: usage: unknown option '--frob'/);
    const traced = await place.adyton("accounts show nobody", { ADYTON_DEBUG: "1" });
    assert.match(traced.err, /\n\s+at /);
  });

  test("global options stand before or after, and the environment names the data folder", async () => {
    const elsewhere = join(place.folder, "elsewhere");
    assert.equal((await place.adyton(`--json --data ${elsewhere} accounts add acme`)).code, 0);
    const after = await place.adyton(`accounts list --data ${elsewhere} --json`);
    const env = await place.adyton("accounts list --json", { ADYTON_DATA: elsewhere });
    assert.equal(z.array(z.looseObject({})).parse(JSON.parse(after.out)).length, 1);
    assert.equal(env.out, after.out);
  });

  test("a data folder that can't be made is one line", async () => {
    failed(await place.adyton("accounts list --data /dev/null/x"), 1, /^adyton: state-open-failed: /);
  });
});
