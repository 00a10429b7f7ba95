// Verdicts, appeals and the policy over the API: what is asked, what is refused, and what the log keeps.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { createApi } from "../../src/api/app.ts";
import { apiError } from "../../src/api/contract/common.ts";
import * as contract from "../../src/api/contract/response.ts";
import { policyHash, STANDARD_POLICY } from "../../src/respond/policy.ts";
import { openWorld, type World } from "../helpers/world.ts";

describe("response over the API", () => {
  let world: World;
  let cookie = "";
  let changes = 0;

  before(async () => {
    world = await openWorld({
      response: {
        ...{ mode: "enforce", policy: STANDARD_POLICY, hash: policyHash(STANDARD_POLICY) },
        effectiveMs: () => Date.now() + 60_000,
        changed: async () => {
          changes += 1;
        },
      },
    });
    cookie = await world.signIn("approver");
  });
  after(() => world.close());

  async function call(method: string, path: string, body?: object, api = world.api): Promise<Response> {
    return await api.request(path, {
      method,
      headers: { cookie, "x-adyton-console": "1", "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  async function proposal(accounts: readonly string[] = ["acme", "mate"]): Promise<string> {
    const { id } = await world.state.verdicts.propose({
      ...{ measure: "quarantine", reason: "unusual-use", shadow: false, lifeMs: 86_400_000, inheritLimit: 5 },
      ...{ accounts, by: "system", finding: "campaign-1", detector: "campaign/test" },
    });
    return id;
  }

  it("shows the policy, lists by status, finding and account, and shows one with its steps", async () => {
    const policy = contract.policyInForce.parse(await (await call("GET", "/api/policy")).json());
    assert.deepEqual(
      [policy.mode, policy.hash, policy.rules.length],
      ["enforce", policyHash(STANDARD_POLICY), 3],
    );
    const id = await proposal(["listed"]);
    for (const query of [
      "status=live",
      "status=proposed",
      "finding=campaign-1",
      "account=listed",
      "measure=quarantine",
    ]) {
      const page = contract.verdictPage.parse(await (await call("GET", `/api/verdicts?${query}`)).json());
      assert.ok(
        page.items.some((item) => item.id === id),
        query,
      );
    }
    const none = contract.verdictPage.parse(await (await call("GET", "/api/verdicts?account=nobody")).json());
    assert.equal(none.total, 0);
    const one = contract.verdict.parse(await (await call("GET", `/api/verdicts/${id}`)).json());
    assert.deepEqual(
      one.members.map(({ account }) => account),
      ["listed"],
    );
    assert.deepEqual(
      one.history.map(({ step }) => step),
      ["proposed"],
    );
    assert.equal((await call("GET", "/api/verdicts/v_nothing")).status, 404);
  });

  it("takes decisions with a reason, once, and tells the gateways", async () => {
    const id = await proposal();
    const path = `/api/verdicts/${id}/decision`;
    assert.equal((await call("POST", path, { decision: "approve", note: " " })).status, 400);
    assert.equal((await call("POST", path, { decision: "ban", note: "x" })).status, 400);
    const before = changes;
    const approved = contract.verdict.parse(
      await (await call("POST", path, { decision: "approve", note: "one hand" })).json(),
    );
    assert.equal(approved.status, "approved");
    assert.ok(Date.parse(approved.effectiveAt ?? "") > Date.now(), "the policy's delay");
    assert.equal(approved.history.at(-1)?.by, "user:approver");
    const again = await call("POST", path, { decision: "approve", note: "again" });
    assert.equal(again.status, 409);
    assert.equal(apiError.parse(await again.json()).error.code, "api.conflict");
    const release = { account: "acme", note: "known" };
    assert.equal((await call("POST", `/api/verdicts/${id}/release`, release)).status, 200);
    assert.equal((await call("POST", `/api/verdicts/${id}/release`, release)).status, 409);
    assert.equal((await call("POST", path, { decision: "lift", note: "over", wrong: true })).status, 200);
    assert.equal(changes - before, 3);
    await world.settle();
    const acts = await (await call("GET", "/api/ledger/records?act=verdict&limit=50")).text();
    for (const act of ["verdict.approved", "verdict.released", "verdict.lifted"])
      assert.ok(acts.includes(act), act);
  });

  it("answers appeals once", async () => {
    const id = await proposal(["pleading"]);
    await world.state.verdicts.approve(id, { by: "user:ada", note: "seen", effectiveMs: 0 });
    const [member] = await world.state.verdicts.members(id);
    const { id: appeal } = await world.state.appeals.file(member?.reference ?? "", "It was a mistake.");
    const page = contract.appealPage.parse(await (await call("GET", "/api/appeals?status=open")).json());
    assert.deepEqual(
      page.items.map(({ statement }) => statement),
      ["It was a mistake."],
    );
    const path = `/api/appeals/${appeal}/decision`;
    assert.equal((await call("POST", path, { outcome: "granted", reason: "" })).status, 400);
    const answer = contract.appeal.parse(
      await (await call("POST", path, { outcome: "refused", reason: "We looked again." })).json(),
    );
    assert.equal(answer.status, "refused");
    assert.equal((await call("POST", path, { outcome: "granted", reason: "After all." })).status, 409);
    assert.equal(
      (await call("POST", "/api/appeals/a_none/decision", { outcome: "granted", reason: "x" })).status,
      404,
    );
  });

  it("decides nothing where no response runs", async () => {
    const { response: _none, ...options } = world.options;
    const api = await createApi(options);
    const id = await proposal(["idle"]);
    const refused = await call(
      "POST",
      `/api/verdicts/${id}/decision`,
      { decision: "approve", note: "x" },
      api,
    );
    assert.equal(refused.status, 503);
    assert.equal((await world.state.verdicts.demand(id)).status, "proposed");
  });
});
