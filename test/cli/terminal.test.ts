// Proves that nothing printed can act on a terminal, and that tables line up.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { durationMs, momentMs } from "../../src/cli/duration.ts";
import { Output } from "../../src/cli/output.ts";
import { clip, printable, printableJson } from "../../src/cli/terminal.ts";

/** Every character that Unicode calls control, format, surrogate, line or paragraph separator, but the line feed. */
const ACTS = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
const text = fc.string({ unit: "binary", maxLength: 40 });

function captured(json = false): { output: Output; out: () => string; err: () => string } {
  const parts = { out: "", err: "" };
  const stream = (name: "out" | "err"): { write(text: string): void } => ({
    write: (part) => {
      parts[name] += part;
    },
  });
  const streams = { out: stream("out"), err: stream("err"), errIsTerminal: true };
  return { output: new Output({ json, streams }), out: () => parts.out, err: () => parts.err };
}

describe("printable", () => {
  test("leaves nothing that acts, whatever it is given", () => {
    fc.assert(fc.property(text, (any) => assert.doesNotMatch(printable(any), ACTS)));
    for (let code = 0; code <= 0x10ffff; code++) {
      const character = String.fromCodePoint(code);
      if (ACTS.test(character)) assert.doesNotMatch(printable(character), ACTS, code.toString(16));
    }
  });

  test("leaves readable text as it is, and names what it takes away", () => {
    assert.equal(printable("Grüße, 世界 👋"), "Grüße, 世界 👋");
    assert.equal(printable("a\u001b[31mb\r\n\u202ec"), "a\\u{1b}[31mb\\r\\n\\u{202e}c");
  });

  test("as JSON says the same, and acts no more", () => {
    fc.assert(
      fc.property(fc.record({ key: text, list: fc.array(text) }, { noNullPrototype: true }), (value) => {
        const written = printableJson(value);
        assert.deepEqual(JSON.parse(written), value);
        assert.doesNotMatch(written.replaceAll("\n", ""), ACTS);
      }),
    );
  });

  test("clips by characters, not by halves of them", () => {
    assert.equal(clip("abcdef", 4), "abc…");
    assert.equal(clip("👋👋👋", 2), "👋…");
    assert.equal(clip("👋👋", 2), "👋👋");
  });
});

describe("output", () => {
  test("a table lines up, wide characters included, and a hostile cell stays in its row", () => {
    const { output, out } = captured();
    output.table(
      [
        { name: "世界", count: 7 },
        { name: "a\nb", count: 1234 },
      ],
      [
        { title: "name", cell: ({ name }) => name },
        { title: "count", cell: ({ count }) => count, right: true },
        { title: "none", cell: () => null },
      ],
    );
    assert.equal(out(), "name  count  none\n世界      7  –\na\\nb   1234  –\n");
  });

  test("a result is JSON or text, never both; notes are for people", () => {
    const json = captured(true);
    json.output.result({ a: 1 }, () => json.output.line("text"));
    json.output.note("remark");
    assert.deepEqual([JSON.parse(json.out()), json.err()], [{ a: 1 }, ""]);
    const plain = captured();
    plain.output.result({ a: 1 }, () => plain.output.line("text"));
    plain.output.note("remark");
    assert.deepEqual([plain.out(), plain.err()], ["text\n", "remark\n"]);
  });

  test("a bar is drawn on a terminal, and wiped", () => {
    const { output, out, err } = captured();
    const progress = output.progress("importing", 200);
    progress.update(50);
    progress.update(51);
    progress.end();
    assert.equal(out(), "");
    assert.equal(err(), `\r\u001b[Kimporting ${"█".repeat(6)}${"░".repeat(18)} 25 %\r\u001b[K`);
    const quiet = captured(true);
    quiet.output.progress("importing", 200).update(50);
    assert.equal(quiet.err(), "");
  });
});

describe("times on the command line", () => {
  test("are read in the ways people write them", () => {
    assert.equal(durationMs("90d"), 90 * 86_400_000);
    assert.equal(durationMs("30m"), 1_800_000);
    assert.equal(momentMs("2027-01-31", 0), Date.UTC(2027, 0, 31));
    assert.equal(momentMs("12h", 1000), 43_201_000);
    for (const wrong of ["", "d", "-1d", "1.5h", "90", "tomorrow", "2027-13-01"]) {
      assert.throws(() => momentMs(wrong, 0), { code: "usage" }, wrong);
    }
  });
});
