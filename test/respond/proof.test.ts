// The measure `verify` with a proof of work: who did it is free at once, by the page and by the API, and nobody else.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { it } from "node:test";
import { type Enforcing, startEnforcing } from "./enforcing.ts";

async function ask({ url }: Enforcing, key: string): Promise<Response> {
  return await fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${key}` } });
}

it("a proof of work frees whoever did the work, and nobody else", async (t) => {
  const gateway = await startEnforcing(t, { respond: { verify: { step: "proofOfWork", proofBits: 10 } } });
  const keys = [await gateway.key("acme"), await gateway.key("mate")];
  const { references } = await gateway.measure("verify", ["acme", "mate"]);
  const address = (account: string): string => `${gateway.url}/adyton/appeals/${references.get(account)}`;
  const told = (await (await fetch(address("acme"))).json()) as { proof_of_work: { bits: number } };
  assert.equal(told.proof_of_work.bits, 10);
  const page = await fetch(address("acme"), { headers: { accept: "text/html" } });
  assert.match(await page.text(), /begins with 10 zero bits/);
  let number = 0;
  const digest = (): Buffer =>
    createHash("sha256")
      .update(`${references.get("acme")}:${number}`)
      .digest();
  while (digest().readUInt16BE(0) >= 2 ** 6) number += 1;
  const send = async (account: string, proof: string): Promise<number> =>
    (await fetch(address(account), { method: "POST", body: new URLSearchParams({ proof }) })).status;
  assert.equal(await send("mate", String(number)), 400, "another's work");
  assert.equal(await send("acme", "0".repeat(65)), 400);
  assert.equal((await ask(gateway, keys[0] ?? "")).status, 403);
  assert.equal(await send("acme", String(number)), 200);
  assert.equal((await ask(gateway, keys[0] ?? "")).status, 200, "free at once");
  assert.equal((await ask(gateway, keys[1] ?? "")).status, 403);
  assert.equal(await send("acme", String(number)), 400, "there is nothing left to prove");
  const other = await startEnforcing(t);
  const key = await other.key("acme");
  const { references: theirs } = await other.measure("verify", ["acme"]);
  const form = { method: "POST", body: new URLSearchParams({ proof: "1" }) };
  assert.equal((await fetch(`${other.url}/adyton/appeals/${theirs.get("acme")}`, form)).status, 400);
  assert.equal((await ask(other, key)).status, 403, "no work is asked for here");
});
