// Recognises the event with which a stream says that it is complete, so that it is held until the record is durable:
// SDKs stop reading there, before HTTP's own end.
import type { Route } from "./routes.ts";

const NONE: readonly Buffer[] = [];
const CHAT: readonly Buffer[] = [Buffer.from("data: [DONE]"), Buffer.from("data:[DONE]")];
const RESPONSES: readonly Buffer[] = ["completed", "failed", "incomplete"].map((how) =>
  Buffer.from(`event: response.${how}`),
);
const MESSAGES: readonly Buffer[] = [Buffer.from("event: message_stop")];
const OLLAMA: readonly Buffer[] = [Buffer.from('"done":true')];

/** The byte sequences that end a stream of this route. */
export function terminalMarks(route: Route): readonly Buffer[] {
  switch (route.family) {
    case "openai":
      return route.path === "/v1/responses" ? RESPONSES : CHAT;
    case "anthropic":
      return MESSAGES;
    case "ollama":
      return OLLAMA;
    default:
      return NONE;
  }
}

/**
 * True when the chunk holds one of the marks. A mark inside content does no harm: the chunk waits for the next one.
 * A mark split over two chunks goes unseen; then only HTTP's own end is held.
 */
export function isTerminal(chunk: Buffer, marks: readonly Buffer[]): boolean {
  for (const mark of marks) if (chunk.includes(mark)) return true;
  return false;
}
