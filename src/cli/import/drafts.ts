// An imported exchange as the two records a gateway would have written for it.
import { Buffer } from "node:buffer";
import type { AccountFacts } from "../../core/account.ts";
import { actDraft } from "../../core/acts.ts";
import type { NeutralExchange } from "../../core/decode/neutral.ts";
import type { CloseFigures, HeaderPairs, OpenNetwork, RecordDraft } from "../../core/record.ts";

const NO_HEADERS = Buffer.from("[]");

/**
 * Canonical JSON (RFC 8785) of facts whose members stand in alphabetical order below and whose texts are well-formed:
 * there the plain form is the canonical one, at a tenth of the cost.
 */
function canonical(facts: OpenNetwork | CloseFigures | HeaderPairs): Uint8Array {
  return Buffer.from(JSON.stringify(facts));
}

/** The neutral form knows names of headers, and the value of one; the others' values stay empty. */
export function openDraft(exchange: NeutralExchange): RecordDraft {
  const { client } = exchange;
  const names = client.headers.length > 0 || client.userAgent === null ? client.headers : ["user-agent"];
  const headers: HeaderPairs = names.map((name) => [
    name,
    name === "user-agent" ? (client.userAgent ?? "") : "",
  ]);
  const network: OpenNetwork = {
    asn: client.asn,
    country: client.country,
    ip: client.ip,
    ja4: client.ja4,
    key: exchange.key,
    method: "POST",
    path: exchange.endpoint,
  };
  return {
    kind: "open",
    exchange: exchange.id,
    account: exchange.account,
    timeMs: exchange.openedAtMs,
    fields: [Buffer.from(JSON.stringify(exchange.request)), canonical(headers), canonical(network)],
  };
}

/** The answer is kept as it was told (`format: "neutral"`): the bytes it came in were never seen here. */
export function closeDraft(exchange: NeutralExchange): RecordDraft {
  const response = Buffer.from(JSON.stringify(exchange.answer));
  const figures: CloseFigures = {
    code: null,
    firstByteMs: null,
    format: "neutral",
    latencyMs: exchange.closedAtMs - exchange.openedAtMs,
    outcome: "complete",
    responseBytes: response.byteLength,
    status: exchange.answer.status,
    truncated: false,
  };
  return {
    kind: "close",
    exchange: exchange.id,
    account: exchange.account,
    timeMs: exchange.closedAtMs,
    fields: [response, NO_HEADERS, canonical(figures)],
  };
}

/** The act by which an account's facts become known. */
export function accountDraft(facts: AccountFacts, timeMs: number): RecordDraft {
  return actDraft(
    { act: "account.recorded", account: facts.account, detail: facts },
    { by: "import", timeMs },
  );
}
