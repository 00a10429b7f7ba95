// Who may run which command: the data folder's owner all of them, nobody else any that reads or changes it.
import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { program } from "../../src/cli/main.ts";
import { unknownAccount } from "../../src/core/account.ts";
import { Keyring } from "../../src/log/keyring.ts";
import { State } from "../../src/state/state.ts";

const CANARY = "canary-account";

/**
 * Every command. Null: it needs no data folder, so anybody may run it. Else the arguments with which it would do its
 * work for the owner, and with which it must do nothing and tell nothing to anybody else.
 */
const COMMANDS: Readonly<Record<string, string | null>> = {
  serve: "",
  "accounts list": "",
  "accounts unusual": "",
  "accounts show": CANARY,
  "accounts add": "new",
  "accounts suspend": CANARY,
  "accounts resume": CANARY,
  "accounts verify": `${CANARY} email`,
  "accounts declare": `${CANARY} research`,
  "accounts withdraw": `${CANARY} research`,
  "accounts history": CANARY,
  "accounts import": "/dev/null",
  "accounts export": "/dev/null",
  "keys create": `--account ${CANARY}`,
  "keys revoke": "k_1",
  "keys list": "",
  "organizations list": "",
  "organizations show": "acme",
  "organizations set": "acme",
  "organizations key create": "acme",
  "organizations key revoke": "eu_1",
  "organizations verify": "acme email",
  "organizations declare": "acme research",
  "organizations withdraw": "acme research",
  "organizations history": "acme",
  hunt: "",
  "findings list": "",
  "findings show": "f",
  "findings decide": "f confirmed",
  "findings add": `f ${CANARY} --note n`,
  "case open": "--title t --purpose p --authority a --custodian c",
  "case close": "c --reason r",
  "case reopen": "c --reason r",
  "case add": "c --exchange x",
  "case note": "c text",
  "case list": "",
  "case show": "c",
  "case approvals": "",
  "case approve": "r",
  "case export": "c --out /dev/null",
  verify: null,
  "policy check": null,
  "policy show": null,
  "policy test": "",
  "verdicts list": "",
  "verdicts show": "v",
  "verdicts approve": "v --note n",
  "verdicts reject": "v --note n",
  "verdicts lift": "v --note n",
  "verdicts release": `v ${CANARY} --note n`,
  "verdicts propose": `--account ${CANARY} --measure observe --note n`,
  "verdicts precision": "",
  "appeals list": "",
  "appeals grant": "a --reason r",
  "appeals refuse": "a --reason r",
  "alerts list": "",
  "alerts retry": "a",
  "alerts test": null,
  budgets: null,
  "detectors list": null,
  "detectors show": null,
  "detectors test": null,
  "detectors backtest": null,
  "sign-in": "",
  "users list": "",
  "users role": "ada viewer",
  "users disable": "ada",
  "tokens create": "--label l --scope metrics:read",
  "tokens revoke": "t_1",
  "tokens list": "",
  "tokens scopes": null,
  "import exchanges": "/dev/null",
  replay: null,
  "log fsck": "",
  "log show": "",
  "log prove": "0",
  "log verify-proof": null,
  "log policy": "",
  "log monitor": null,
  "log rotate-keys": "",
  "log init-token": null,
  erase: `--account ${CANARY} --legal-basis contract`,
  "hold place": `--account ${CANARY} --authority a --reference r --reason r`,
  "hold extend": "h --authority a --until 2030-01-01",
  "hold release": "h --authority a --reason r",
  "hold list": "",
  "witness serve": null,
  "witness key": null,
  "witness show": null,
  "store status": "",
  "store rebuild": "",
  "config check": null,
  "config print": null,
  doctor: null,
};

function leaves(command: Command, path: readonly string[]): string[] {
  if (command.commands.length === 0) return [path.join(" ")];
  return command.commands.flatMap((inner) => leaves(inner, [...path, inner.name()]));
}

let folder = "";
let data = "";
before(async () => {
  folder = mkdtempSync(join(tmpdir(), "adyton-authority-"));
  chmodSync(folder, 0o755);
  data = join(folder, "data");
  const state = await State.open({ folder: data });
  await state.accounts.ensure(unknownAccount(CANARY));
  await state.close();
  await (await Keyring.open({ folder: data })).close();
});
after(() => {
  chmodSync(data, 0o700);
  rmSync(folder, { recursive: true, force: true });
});

interface Outcome {
  readonly line: readonly string[];
  readonly code: number;
  readonly said: string;
}

async function asStranger(lines: readonly (readonly string[])[]): Promise<Outcome[] | string> {
  const outcomes: Outcome[] = [];
  let skipped: string | null = null;
  const child = fork(fileURLToPath(new URL("stranger-child.ts", import.meta.url)), {
    cwd: folder,
    env: { PATH: process.env["PATH"] ?? "", HOME: folder },
  });
  child.on("message", (message: Outcome | { skipped: string }) => {
    if ("skipped" in message) skipped = message.skipped;
    else outcomes.push(message);
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.send({ lines, owner: nobody() });
  await ended;
  return skipped ?? outcomes;
}

/** Root may read everything, so it becomes nobody; anybody else is shut out of the folder as its owner. */
function nobody(): { uid: number; gid: number } | null {
  if (process.getuid?.() !== 0) return null;
  const line = readFileSync("/etc/passwd", "utf8").split("\n");
  const [, , uid = "65534", gid = "65534"] =
    line.find((each) => each.startsWith("nobody:"))?.split(":") ?? [];
  return { uid: Number(uid), gid: Number(gid) };
}

function contents(): string[] {
  return readdirSync(data, { recursive: true, encoding: "utf8" })
    .map((name) => {
      const { mtimeMs, size } = statSync(join(data, name));
      return `${name} ${size} ${mtimeMs}`;
    })
    .sort();
}

test("every command has a line, and the table has no other", () => {
  assert.deepEqual(Object.keys(COMMANDS).sort(), leaves(program(), []).sort());
});

test("a stranger to the data folder learns and changes nothing, by any command", {
  timeout: 300_000,
}, async (t) => {
  const lines = Object.entries(COMMANDS).flatMap(([name, rest]) =>
    rest === null
      ? []
      : [[...name.split(" "), ...rest.split(" ").filter((word) => word !== ""), "--data", data]],
  );
  const before = contents();
  if (process.getuid?.() !== 0) chmodSync(data, 0);
  const outcomes = await asStranger(lines);
  chmodSync(data, 0o700);
  if (typeof outcomes === "string") {
    t.skip(outcomes);
    return;
  }
  assert.equal(outcomes.length, lines.length);
  for (const { line, code, said } of outcomes) {
    const what = `${line.join(" ")}: ${said}`;
    assert.ok(code !== 0 && code !== 2, what); // 2 would be a wrong line in the table
    const told = said
      .replaceAll(data, "")
      .split("\n")
      .filter((text) => !text.startsWith("adyton: "));
    assert.ok(!told.some((text) => text.includes(CANARY)), what);
    assert.match(said, /denied|EACCES|EPERM|state-open-failed/i, what);
  }
  assert.deepEqual(contents(), before);
});
