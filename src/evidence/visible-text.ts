// Text that somebody else wrote, made safe to look at: what would hide, reorder or delete shows its code instead.

/** Controls but tab and line feed, format characters (bidirectional overrides, zero width, tags), unassigned, private. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** One line, at most `most` characters. */
export function visible(text: string, most = 300): string {
  const short = text.length > most * 2 ? text.slice(0, most * 2) : text;
  const shown = short
    .toWellFormed()
    .replace(/[\t\n]+/g, " ")
    .replace(INVISIBLE, (character) => `⟨U+${codeOf(character)}⟩`)
    .trim();
  const characters = [...shown];
  return characters.length > most || short !== text ? `${characters.slice(0, most).join("")} …` : shown;
}

function codeOf(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** For HTML text and attributes in double quotes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
