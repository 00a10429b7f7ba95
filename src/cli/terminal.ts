// Makes text safe to print: what customers and attackers wrote must not move a cursor or reverse a line.

/** What Unicode calls control, format (bidirectional, invisible, tags), surrogate, line or paragraph separator. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Attacker-controlled text as one harmless line: each unsafe character becomes a visible `\u{…}`. */
export function printable(text: string): string {
  return text.replace(UNSAFE, (character) => {
    if (character === "\n") return "\\n";
    if (character === "\t") return "\\t";
    if (character === "\r") return "\\r";
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  });
}

/** At most `width` characters, the cut marked by an ellipsis. */
export function clip(text: string, width: number): string {
  const characters = [...text];
  return characters.length <= width ? text : `${characters.slice(0, Math.max(width - 1, 0)).join("")}…`;
}

/** JSON in which nothing can act on a terminal: unsafe characters are written as `\uXXXX`, which stays valid JSON. */
export function printableJson(value: unknown, indent = 2): string {
  const text = JSON.stringify(value, null, indent) ?? "null";
  return text.replace(UNSAFE, (unsafe) => {
    if (unsafe === "\n") return unsafe;
    return [...Array(unsafe.length).keys()]
      .map((index) => `\\u${unsafe.charCodeAt(index).toString(16).padStart(4, "0")}`)
      .join("");
  });
}
