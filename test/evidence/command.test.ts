// Proves the commands from a first import to a verdict: what was erased says so, and what needs two persons waits for the second.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { generateIdentity, identityToRecipient } from "age-encryption";
import { Place } from "../cli/run.ts";
import { smallWorld } from "../helpers/small-world.ts";
import { openBundle } from "./forger.ts";

let place: Place;
let caseId = "";

interface Verdict {
  readonly verdict: string;
  readonly reasons: readonly { readonly code: string }[];
  readonly proved: {
    readonly exchanges: number;
    readonly recordsErased: number;
    readonly fieldsWithheld: number;
  };
}

before(async () => {
  place = new Place();
  const world = smallWorld({ exchanges: 60, accounts: 4 });
  writeFileSync(join(place.folder, "exchanges.jsonl"), `${world.exchanges.join("\n")}\n`);
  writeFileSync(join(place.folder, "accounts.jsonl"), `${world.accounts.join("\n")}\n`);
  await place.json("import exchanges exchanges.jsonl --accounts accounts.jsonl");
  const opened = (await place.json(
    "case open --title 'Two accounts' --purpose 'find out' --authority 'terms, section 4' --custodian Ada",
  )) as { id: string };
  caseId = opened.id;
});
after(() => place.end());

async function verify(file: string, more = ""): Promise<{ code: number | null; verdict: Verdict }> {
  const { code, out } = await place.adyton(`verify ${file} --json ${more}`);
  return { code, verdict: JSON.parse(out) as Verdict };
}

test("a case is filled, exported and verified, without a server", async () => {
  await place.json(`case add ${caseId} --account acct_0 --account acct_1`);
  await place.json(`case note ${caseId} 'They take turns.' --kind hypothesis`);
  const { code, out } = await place.adyton(`case show ${caseId}`);
  assert.equal(code, 0);
  assert.match(out, /account-added {2}acct_1/);
  const exported = (await place.json(`case export ${caseId} --out one.zip`)) as { exchanges: number };
  assert.ok(exported.exchanges > 0);
  const alone = await verify("one.zip");
  assert.equal(alone.code, 5);
  assert.equal(alone.verdict.verdict, "consistent");
  const { policy } = (await place.json("log policy")) as { policy: string };
  writeFileSync(join(place.folder, "policy.txt"), policy);
  const anchored = await verify("one.zip", "--policy policy.txt");
  assert.equal(anchored.code, 0);
  assert.equal(anchored.verdict.verdict, "verified");
  assert.equal(anchored.verdict.proved.exchanges, exported.exchanges);
});

test("what was erased is shown as erased, with the entry that says when and why", async () => {
  await place.json("erase --account acct_1 --legal-basis 'GDPR article 17(1)(a)'");
  await place.json(`case export ${caseId} --out erased.zip`);
  const { code, verdict } = await verify("erased.zip", "--policy policy.txt");
  assert.deepEqual(verdict.reasons, []);
  assert.equal(code, 0);
  assert.ok(verdict.proved.recordsErased > 0);
  const { readFileSync } = await import("node:fs");
  const { files } = await openBundle(readFileSync(join(place.folder, "erased.zip")));
  const texts = [...files.values()].map((content) => new TextDecoder().decode(content));
  assert.ok(texts.some((text) => text.includes("GDPR article 17(1)(a)")));
  const report = new TextDecoder().decode(files.get("data/report/report.html"));
  const { recordsErased } = verdict.proved;
  const said = `The content of ${recordsErased} records of account acct_1 was erased on \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d UTC, on request\\. Legal basis: GDPR article 17\\(1\\)\\(a\\)\\. Record \\d+ of the log`;
  assert.ok(new RegExp(said).test(report), "the report says what was erased, when and why");
  assert.match(report, /Of \d+ exchanges it can&#39;t be told whether this holds/);
  assert.doesNotMatch(report, /\(not shown\)/);
});

test("a changed bundle is rejected with exit code 4", async () => {
  const { readFileSync } = await import("node:fs");
  const bytes = readFileSync(join(place.folder, "one.zip"));
  bytes[Math.floor(bytes.length / 2)] = (bytes[Math.floor(bytes.length / 2)] ?? 0) ^ 1;
  writeFileSync(join(place.folder, "changed.zip"), bytes);
  const { code, verdict } = await verify("changed.zip", "--policy policy.txt");
  assert.equal(code, 4);
  assert.equal(verdict.verdict, "rejected");
  const told = await place.adyton("verify changed.zip");
  assert.match(told.out, /^REJECTED/);
  assert.equal((await place.adyton("verify nowhere.zip")).code, 2);
});

test("a bundle that is encrypted to its recipient is no verdict: the command says to decrypt it", async () => {
  const recipient = await identityToRecipient(await generateIdentity());
  await place.json(`case export ${caseId} --out sealed.zip.age --recipient ${recipient}`);
  const told = await place.adyton("verify sealed.zip.age");
  assert.equal(told.code, 2);
  assert.match(told.err, /encrypted to its recipient.*age --decrypt/);
});

test("an export that needs two persons waits for the second, who must be another", async () => {
  const file = join(place.folder, "two.yaml");
  writeFileSync(file, JSON.stringify({ data: place.data, evidence: { twoPersonFor: ["export"] } }));
  const first = await place.adyton(`case export ${caseId} --out two.zip --config two.yaml`);
  assert.equal(first.code, 1);
  const request = /appr_[0-9a-z]+/.exec(first.err)?.[0] ?? "";
  assert.match(first.err, /evidence\.approval-needed/);
  const again = await place.adyton(`case export ${caseId} --out two.zip --config two.yaml`);
  assert.ok(again.err.includes(request), "asking twice makes no second request");
  const own = await place.adyton(`case approve ${request}`);
  assert.equal(own.code, 1);
  assert.match(own.err, /approval-step/);
  const { approvals } = (await place.json("case approvals --waiting")) as { approvals: { id: string }[] };
  assert.deepEqual(
    approvals.map(({ id }) => id),
    [request],
  );
});

test("a closed case takes nothing more until it is reopened", async () => {
  await place.json(`case close ${caseId} --reason 'handed over'`);
  const refused = await place.adyton(`case note ${caseId} late`);
  assert.match(refused.err, /case-closed/);
  await place.json(`case reopen ${caseId} --reason 'new finding'`);
  await place.json(`case note ${caseId} 'in time'`);
});
