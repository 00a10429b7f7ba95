// Hostile text becomes pieces that can't act: nothing invisible or reordering is left in what is shown as text.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type Piece, visiblePieces } from "../../console/src/visible-text.ts";

const labels = (text: string): string[] =>
  visiblePieces(text).flatMap((piece) => (piece.kind === "control" ? [piece.label] : []));
const shown = (pieces: readonly Piece[]): string =>
  pieces.map((piece) => (piece.kind === "text" ? piece.text : "")).join("");

describe("visiblePieces", () => {
  test("names control characters, overrides, zero widths and tags", () => {
    assert.deepEqual(labels("\u001b[2J\u0000\u0007\u007f\u0085"), ["ESC", "NUL", "BEL", "DEL", "NEL"]);
    assert.deepEqual(labels("\u202ea\u202cb\u2066c\u2069"), ["RLO", "PDF", "LRI", "PDI"]);
    assert.deepEqual(labels("a\u200bb\ufeff\u00ad\u2028"), ["ZWSP", "BOM", "SHY", "LS"]);
    assert.deepEqual(labels("\u{e0068}\u{e0069}\u{e0020}"), ["TAG h", "TAG i", "TAG space"]);
    assert.deepEqual(labels("\ud800"), ["U+D800"]);
    assert.deepEqual(labels("\r\t"), ["CR", "HT"]);
  });

  test("counts repetitions instead of repeating", () => {
    assert.deepEqual(visiblePieces("\u0000".repeat(1000)), [
      { kind: "control", label: "NUL", title: "U+0000 control character NUL", count: 1000 },
    ]);
  });

  test("leaves honest text of many scripts, its joiners and its emoji as they are", () => {
    for (const text of ["naïve café\nline", "می‌خواهم", "क्‍ष", "👩‍💻 ❤️ 1️⃣ 🏳️‍🌈", "שלום עולם", "日本語"]) {
      assert.deepEqual(visiblePieces(text), [{ kind: "text", text }]);
    }
  });

  test("names joiners where they join nothing", () => {
    assert.deepEqual(labels("\u200d\u200d a \u200c"), ["ZWJ", "ZWNJ"]);
    assert.deepEqual(labels("a\ufe0f"), ["U+FE0F"]);
  });

  test("nothing is lost and nothing dangerous is left, for any text", () => {
    const dangerous =
      /(?!\n)[\p{Cc}\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\u{e0000}-\u{e007f}]/u;
    const unit = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom("\u202e", "\u200d", "\u001b", "\ufe0f", "a", "👩", "\u{e0041}", "\ud83d", "\n"),
    );
    fc.assert(
      fc.property(fc.array(unit), (units) => {
        const text = units.join("");
        const pieces = visiblePieces(text);
        assert.ok(!dangerous.test(shown(pieces)));
        const count = pieces.reduce(
          (sum, piece) => sum + (piece.kind === "text" ? [...piece.text].length : piece.count),
          0,
        );
        assert.equal(count, [...text].length);
      }),
      { numRuns: 500 },
    );
  });
});
