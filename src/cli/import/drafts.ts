// An imported exchange as the two records a gateway would have written for it.
import type { AccountFacts } from "../../core/account.ts";
import { actDraft } from "../../core/acts.ts";
import { canonicalJson } from "../../core/canonical-json.ts";
import type { NeutralExchange } from "../../core/decode/neutral.ts";
import type { CloseFigures, HeaderPairs, OpenNetwork, RecordDraft } from "../../core/record.ts";

const encoder = new TextEncoder();
const NO_HEADERS = encoder.encode("[]");

/** The neutral form knows names of headers, and the value of one; the others' values stay empty. */
export function openDraft(exchange: NeutralExchange): RecordDraft {
  const { client } = exchange;
  const names = client.headers.length > 0 || client.userAgent === null ? client.headers : ["user-agent"];
  const headers: HeaderPairs = names.map((name) => [
    name,
    name === "user-agent" ? (client.userAgent ?? "") : "",
  ]);
  const network: OpenNetwork = {
    ip: client.ip,
    asn: client.asn,
    country: client.country,
    ja4: client.ja4,
    method: "POST",
    path: exchange.endpoint,
    key: exchange.key,
  };
  return {
    kind: "open",
    exchange: exchange.id,
    account: exchange.account,
    timeMs: exchange.openedAtMs,
    fields: [
      encoder.encode(JSON.stringify(exchange.request)),
      encoder.encode(canonicalJson(headers)),
      encoder.encode(canonicalJson(network)),
    ],
  };
}

/** The answer is kept as it was told (`format: "neutral"`): the bytes it came in were never seen here. */
export function closeDraft(exchange: NeutralExchange): RecordDraft {
  const response = encoder.encode(JSON.stringify(exchange.answer));
  const figures: CloseFigures = {
    status: exchange.answer.status,
    outcome: "complete",
    code: null,
    latencyMs: exchange.closedAtMs - exchange.openedAtMs,
    firstByteMs: null,
    responseBytes: response.byteLength,
    truncated: false,
    format: "neutral",
  };
  return {
    kind: "close",
    exchange: exchange.id,
    account: exchange.account,
    timeMs: exchange.closedAtMs,
    fields: [response, NO_HEADERS, encoder.encode(canonicalJson(figures))],
  };
}

/** The act by which an account's facts become known. */
export function accountDraft(facts: AccountFacts, timeMs: number): RecordDraft {
  return actDraft(
    { act: "account.recorded", account: facts.account, detail: facts },
    { by: "import", timeMs },
  );
}
