// Cuts a stored stream into its JSON messages: server-sent events (WHATWG HTML, section 9.2) and JSON lines.
import { parseJson } from "./json.ts";

/** Messages of one stream that are read; an answer with more is read up to here. */
export const MAX_MESSAGES = 200_000;

/**
 * Values of the `data` fields of server-sent events. Comments, CRLF and CR line ends, `data` over several lines, and
 * events that are not JSON (`[DONE]`) are as the standard says; a last event without its blank line is still read,
 * because the stream may have been cut.
 */
export function* eventMessages(text: string): Generator<unknown> {
  let data: string[] = [];
  let count = 0;
  for (const line of lines(text)) {
    if (line === "") {
      if (data.length > 0) {
        const value = parseJson(data.join("\n"));
        data = [];
        if (value !== undefined) yield value;
        count += 1;
        if (count >= MAX_MESSAGES) return;
      }
    } else if (line.startsWith("data:")) {
      data.push(line.charCodeAt(5) === 0x20 ? line.slice(6) : line.slice(5));
    } else if (line === "data") data.push("");
  }
  const last = data.length > 0 ? parseJson(data.join("\n")) : undefined;
  if (last !== undefined) yield last;
}

/** One value a line; lines that are not JSON (a cut last one) are left out. */
export function* lineMessages(text: string): Generator<unknown> {
  let count = 0;
  for (const line of lines(text)) {
    const value = line.trim() === "" ? undefined : parseJson(line);
    if (value === undefined) continue;
    yield value;
    count += 1;
    if (count >= MAX_MESSAGES) return;
  }
}

/** Whether text is a stream of events: told by its first field, as proxies lose content types. */
export function looksLikeEvents(text: string): boolean {
  return /^\uFEFF?\s*(?:(?:data|event|id|retry)(?::|\r|\n)|:)/.test(text);
}

function* lines(text: string): Generator<string> {
  const breaks = /\r\n|\n|\r/g;
  let from = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  for (let found = breaks.exec(text); found !== null; found = breaks.exec(text)) {
    yield text.slice(from, found.index);
    from = found.index + found[0].length;
  }
  if (from < text.length) yield text.slice(from);
}
