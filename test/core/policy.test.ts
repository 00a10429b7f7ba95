// tlog-policy: the specification's example, every rule of the grammar, and quorums.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { utf8 } from "../../src/core/bytes.ts";
import { openCheckpointByPolicy } from "../../src/core/checkpoint.ts";
import { rootOf } from "../../src/core/merkle.ts";
import { formatNote } from "../../src/core/note.ts";
import {
  formatPolicy,
  MAX_POLICY_BYTES,
  type Policy,
  parsePolicy,
  policyName,
  satisfiesQuorum,
} from "../../src/core/policy.ts";
import { formatTreeHead } from "../../src/core/tree-head.ts";
import { ED25519_COSIGNATURE, ED25519_NOTE, ML_DSA_44_COSIGNATURE } from "../../src/core/verifier-key.ts";
import { testSigner } from "../helpers/note-signer.ts";

const log = testSigner("example.com/log", ED25519_NOTE);
const logMlDsa = testSigner("example.com/log", ML_DSA_44_COSIGNATURE);
const X = ["X1", "X2", "X3"].map((name) => testSigner(`x.example/${name}`, ED25519_COSIGNATURE));
const Y = ["Y1", "Y2", "Y3"].map((name) => testSigner(`y.example/${name}`, ML_DSA_44_COSIGNATURE));

/** The example of the specification, with keys. */
const EXAMPLE = `log ${log.vkey}
log ${logMlDsa.vkey}\thttps://log.example/

${X.map(({ vkey }, i) => `witness X${i + 1} ${vkey}`).join("\n")}
  # two of three, by one organisation
group X-witnesses 2 X1 X2 X3

${Y.map(({ vkey }, i) => ` witness Y${i + 1} ${vkey} https://y${i}.example/ \t`).join("\n")}
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
`;

function policyOf(text: string): Policy {
  const policy = parsePolicy(Buffer.from(text));
  assert.ok(!("fault" in policy), JSON.stringify(policy));
  return policy;
}

test("the example's quorum is two of X and one of Y", () => {
  const policy = policyOf(EXAMPLE);
  assert.deepEqual([policy.logs.length, policy.witnesses.length, policy.groups.length], [2, 6, 3]);
  assert.deepEqual([policy.logs[1]?.url, policy.witnesses[0]?.url], ["https://log.example/", null]);
  const holds = (...names: string[]): boolean => satisfiesQuorum(policy, new Set(names));
  assert.deepEqual(
    [holds("X1", "X3", "Y2"), holds("X1", "Y1", "Y2", "Y3"), holds("X1", "X2", "X3"), holds()],
    [true, false, false, false],
  );
});

const head = formatTreeHead({ origin: "example.com/log", size: 1, root: rootOf([Buffer.alloc(32, 1)]) });
const checkpoint = (...signers: ReturnType<typeof testSigner>[]): Uint8Array =>
  utf8(
    formatNote(
      head,
      signers.map((signer) => signer.sign(head)),
    ),
  );

test("a checkpoint is judged by its log, then by its witnesses", () => {
  const policy = policyOf(EXAMPLE);
  const [x1, x2] = X;
  const [y1] = Y;
  const other = testSigner("example.com/other", ED25519_NOTE);
  const strange = testSigner("x.example/X1", ED25519_COSIGNATURE);
  assert.ok(x1 !== undefined && x2 !== undefined && y1 !== undefined);
  const opened = openCheckpointByPolicy(checkpoint(logMlDsa, x1, y1, x2, strange), policy);
  assert.ok(!("fault" in opened));
  assert.deepEqual(opened.witnesses, ["X1", "X2", "Y1"]);
  const faults: [bytes: Uint8Array, policy: Policy, fault: string][] = [
    [checkpoint(log, x1, x2), policy, "below-quorum"],
    [checkpoint(log, x1, strange, y1), policy, "below-quorum"],
    [checkpoint(x1, x2, y1), policy, "no-trusted-signature"],
    [checkpoint(other, x1, x2, y1), policy, "no-trusted-signature"],
    [checkpoint(other), policyOf(`log ${other.vkey}\nquorum none\n`), "wrong-origin"],
  ];
  for (const [bytes, by, fault] of faults) assert.deepEqual(openCheckpointByPolicy(bytes, by), { fault });
  const none = openCheckpointByPolicy(checkpoint(log, x1), policyOf(`log ${log.vkey}\nquorum none`));
  assert.ok(!("fault" in none) && none.witnesses.length === 0);
});

test("what the grammar forbids is refused with its line", () => {
  const w = X.map(({ vkey }, i) => `witness w${i} ${vkey}\n`).join("");
  const cases: [text: string, fault: string, line: number][] = [
    ["", "no-quorum", 0],
    ["quorum none\nquorum none\n", "quorum-twice", 2],
    ["quorum w0\n", "unknown-name", 1],
    ["quorum none extra\n", "malformed-line", 1],
    ["trust everyone\n", "unknown-keyword", 1],
    ["quorum\u0001 none\n", "control-character", 1],
    ["quorum none\r\n", "control-character", 1],
    ["log example.com/log+00000000+AAAA\n", "malformed-key", 1],
    [`log ${X[0]?.vkey}\n`, "wrong-key-type", 1],
    [`witness w ${log.vkey}\n`, "wrong-key-type", 1],
    [`witness w\n`, "malformed-line", 1],
    [`log ${log.vkey} url more\n`, "malformed-line", 1],
    [`log ${log.vkey}\nlog ${log.vkey} url\n`, "duplicate-key", 2],
    [`${w}witness again ${X[0]?.vkey}\n`, "duplicate-key", 4],
    [`${w}witness w0 ${Y[0]?.vkey}\n`, "duplicate-name", 4],
    [`witness none ${Y[0]?.vkey}\n`, "duplicate-name", 1],
    [`${w}group w0 any w1\n`, "duplicate-name", 4],
    [`${w}group g any\n`, "malformed-line", 4],
    [`${w}group g any none\n`, "unknown-name", 4],
    [`${w}group g any g\n`, "unknown-name", 4],
    [`${w}group g any w0 w0\n`, "member-twice", 4],
    [`${w}group g any w0\ngroup h any w0 w1\n`, "member-twice", 5],
    [`${w}group g 0 w0\n`, "bad-threshold", 4],
    [`${w}group g 3 w0 w1\n`, "bad-threshold", 4],
    [`${w}group g 01 w0 w1\n`, "bad-threshold", 4],
    [`${w}group g constructor w0 w1\n`, "bad-threshold", 4],
    ["#".repeat(MAX_POLICY_BYTES + 1), "too-long", 0],
  ];
  for (const [text, fault, line] of cases)
    assert.deepEqual(parsePolicy(Buffer.from(text, "latin1")), { fault, line }, text.slice(0, 80));
});

test("names are opaque octets, and comments may be in any script", () => {
  const policy = policyOf(`# Zeugin, 証人, \xff\nwitness Zeugin-ä ${X[0]?.vkey}\nquorum Zeugin-ä\n`);
  assert.equal(policyName(policy.quorum ?? ""), "Zeugin-ä");
  const kelvin = parsePolicy(Buffer.from(`witness K ${X[0]?.vkey}\nquorum \u212a\n`));
  assert.deepEqual(kelvin, { fault: "unknown-name", line: 2 });
});

test("32 logs, witnesses and groups are read, deep or wide; far more are refused", () => {
  const signers = Array.from({ length: 32 }, (_, i) => testSigner(`w.example/${i}`, ED25519_COSIGNATURE));
  const logs = signers.map((_, i) => `log ${testSigner(`log.example/${i}`, ED25519_NOTE).vkey}`);
  const witnesses = signers.map(({ vkey }, i) => `witness w${i} ${vkey}`);
  const groups = signers.map((_, i) => `group g${i} all w${i}${i === 0 ? "" : ` g${i - 1}`}`);
  const policy = policyOf([...logs, ...witnesses, ...groups, "quorum g31"].join("\n"));
  const all = policy.witnesses.map(({ name }) => name);
  assert.ok(satisfiesQuorum(policy, new Set(all)));
  assert.ok(!satisfiesQuorum(policy, new Set(all.slice(1))));
  const many = Array.from(
    { length: 257 },
    (_, i) => `witness w${i} ${testSigner(`w.example/${i}`, ED25519_COSIGNATURE).vkey}`,
  );
  assert.deepEqual(parsePolicy(Buffer.from(many.join("\n"))), { fault: "too-many-entries", line: 257 });
});

test("a policy that we print is one that we read, and counts a witness with two keys once", () => {
  const [x1, x2] = X;
  const [y1] = Y;
  assert.ok(x1 !== undefined && x2 !== undefined && y1 !== undefined);
  const witnesses = [
    { name: "first", vkeys: [x1.vkey, y1.vkey], url: "https://first.example" },
    { name: "second", vkeys: [x2.vkey], url: "https://second.example" },
  ];
  const policy = policyOf(formatPolicy({ logs: [{ vkey: log.vkey, url: null }], witnesses, quorum: 2 }));
  const holds = (...names: string[]): boolean => satisfiesQuorum(policy, new Set(names));
  assert.deepEqual([holds("first/1", "second"), holds("first/1", "first/2")], [true, false]);
  const none = policyOf(formatPolicy({ logs: [{ vkey: log.vkey, url: "u" }], witnesses, quorum: 0 }));
  assert.equal(none.quorum, null);
});

test("the parser never throws, and more witnesses never lose a quorum", () => {
  const policy = policyOf(EXAMPLE);
  const names = policy.witnesses.map(({ name }) => name);
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.subarray(names),
      fc.subarray(names),
      (bytes, some, more) => {
        parsePolicy(bytes);
        parsePolicy(Buffer.concat([Buffer.from(EXAMPLE), bytes]));
        if (satisfiesQuorum(policy, new Set(some)))
          assert.ok(satisfiesQuorum(policy, new Set([...some, ...more])));
      },
    ),
  );
});
