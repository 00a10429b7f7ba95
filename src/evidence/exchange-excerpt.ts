// What the report and the timeline say of one exchange: who, when, from where, and the beginnings of what was said.
import { isObject } from "./verify/shapes.ts";
import { inputOf } from "./verify/statistics.ts";

export interface OpenFacts {
  readonly input: string | null;
  readonly model: string | null;
  readonly ip: string | null;
  readonly path: string | null;
}

export interface CloseFacts {
  readonly status: number | null;
  readonly outcome: string | null;
  readonly answer: string | null;
  /** Taken over from another system's records, not written while it happened; null where what says so is not shown. */
  readonly imported: boolean | null;
}

function parsed(bytes: Uint8Array | undefined): unknown {
  if (bytes === undefined) return null;
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null; // a body may be anything
  }
}

const textOrNull = (value: unknown): string | null => (typeof value === "string" ? value : null);

/** Fields that are withheld or erased are absent in `values`. */
export function openFacts(values: ReadonlyMap<string, Uint8Array>): OpenFacts {
  const request = parsed(values.get("request"));
  const network = parsed(values.get("network"));
  return {
    input: inputOf(request) ?? null,
    model: isObject(request) ? textOrNull(request["model"]) : null,
    ip: isObject(network) ? textOrNull(network["ip"]) : null,
    path: isObject(network) ? textOrNull(network["path"]) : null,
  };
}

export function closeFacts(values: ReadonlyMap<string, Uint8Array>): CloseFacts {
  const figures = parsed(values.get("figures"));
  return {
    status: isObject(figures) && typeof figures["status"] === "number" ? figures["status"] : null,
    outcome: isObject(figures) ? textOrNull(figures["outcome"]) : null,
    answer: answerOf(parsed(values.get("response"))),
    imported: isObject(figures) ? figures["format"] === "neutral" : null,
  };
}

/** The text of an answer that is one JSON body, in the usual forms; null for streams, which the records hold in full. */
function answerOf(response: unknown): string | null {
  if (!isObject(response)) return null;
  const [choice] = Array.isArray(response["choices"]) ? (response["choices"] as unknown[]) : [];
  const message = isObject(choice) ? choice["message"] : response["message"];
  const content = isObject(message) ? message["content"] : (response["content"] ?? response["text"]);
  if (Array.isArray(content)) {
    const [first] = content as unknown[];
    return isObject(first) ? textOrNull(first["text"]) : null;
  }
  return textOrNull(content);
}
