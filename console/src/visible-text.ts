// Splits hostile text into what can be shown as it is and what must be shown by name, so that nothing in it acts.

export type Piece =
  | { readonly kind: "text"; readonly text: string }
  /** A character that would be invisible or would move others: shown as a labelled token. */
  | { readonly kind: "control"; readonly label: string; readonly title: string; readonly count: number };

const C0 =
  "NUL SOH STX ETX EOT ENQ ACK BEL BS HT LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US".split(
    " ",
  );

/** Names of the characters that reorder, hide or join text (Unicode 16, chapters 9 and 23). */
const NAMED: Readonly<Record<number, readonly [label: string, name: string]>> = {
  127: ["DEL", "delete"],
  133: ["NEL", "next line"],
  173: ["SHY", "soft hyphen"],
  847: ["CGJ", "combining grapheme joiner"],
  1564: ["ALM", "Arabic letter mark"],
  6158: ["MVS", "Mongolian vowel separator"],
  8203: ["ZWSP", "zero width space"],
  8204: ["ZWNJ", "zero width non-joiner"],
  8205: ["ZWJ", "zero width joiner"],
  8206: ["LRM", "left-to-right mark"],
  8207: ["RLM", "right-to-left mark"],
  8232: ["LS", "line separator"],
  8233: ["PS", "paragraph separator"],
  8234: ["LRE", "left-to-right embedding"],
  8235: ["RLE", "right-to-left embedding"],
  8236: ["PDF", "pop directional formatting"],
  8237: ["LRO", "left-to-right override"],
  8238: ["RLO", "right-to-left override"],
  8288: ["WJ", "word joiner"],
  8294: ["LRI", "left-to-right isolate"],
  8295: ["RLI", "right-to-left isolate"],
  8296: ["FSI", "first strong isolate"],
  8297: ["PDI", "pop directional isolate"],
  65279: ["BOM", "zero width no-break space"],
  12644: ["HF", "Hangul filler"],
};

// Controls, formatting characters, lone surrogates, separators, and whatever fonts leave invisible; but the line feed.
const SUSPECT = /(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;
/** What a joiner or an emoji variation selector may legitimately stand between. */
const JOINABLE = /(?:[\p{L}\p{M}\p{Extended_Pictographic}\p{Emoji_Modifier}]|\ufe0f)$/u;
const JOINED = /^[\p{L}\p{M}\p{Extended_Pictographic}]/u;

/** The pieces of `text` in order; adjacent equal controls are counted together. */
export function visiblePieces(text: string): Piece[] {
  const pieces: Piece[] = [];
  let shownTo = 0;
  for (const match of text.matchAll(SUSPECT)) {
    const at = match.index;
    const [character] = match;
    if (isLegitimate(text, at, character)) continue;
    if (at > shownTo) pieces.push({ kind: "text", text: text.slice(shownTo, at) });
    shownTo = at + character.length;
    const control = describe(character.codePointAt(0) ?? 0);
    const before = pieces.at(-1);
    if (before?.kind === "control" && before.label === control.label) {
      pieces[pieces.length - 1] = { ...before, count: before.count + 1 };
    } else {
      pieces.push({ kind: "control", ...control, count: 1 });
    }
  }
  if (shownTo < text.length) pieces.push({ kind: "text", text: text.slice(shownTo) });
  return pieces;
}

/** Joiners inside words of scripts that need them and inside emoji stay: naming them would make honest text unreadable. */
function isLegitimate(text: string, at: number, character: string): boolean {
  const before = text.slice(Math.max(0, at - 2), at);
  if (character === "\ufe0f") return /[\p{Extended_Pictographic}#*0-9]$/u.test(before);
  if (character !== "\u200c" && character !== "\u200d") return false;
  return JOINABLE.test(before) && JOINED.test(text.slice(at + 1, at + 3));
}

function describe(code: number): { label: string; title: string } {
  const hex = `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
  const control = C0[code];
  if (control !== undefined) return { label: control, title: `${hex} control character ${control}` };
  const named = NAMED[code];
  if (named !== undefined) return { label: named[0], title: `${hex} ${named[1]}` };
  // Tag characters spell hidden ASCII; say which.
  if (code >= 0xe0020 && code <= 0xe007e) {
    const letter = String.fromCharCode(code - 0xe0000);
    return {
      label: `TAG ${letter === " " ? "space" : letter}`,
      title: `${hex} tag character, an invisible "${letter}"`,
    };
  }
  return { label: hex, title: `${hex} invisible or control character` };
}
