// The forms in which an alert leaves: Adyton's JSON, OCSF, a Slack message, a line of syslog. Pure functions.
import { createHmac } from "node:crypto";
import type { Alert } from "../../state/alerts.ts";

/** Standard Webhooks 1.0: the scheme and the three headers that receivers' libraries check. */
const SIGNATURE_SCHEME = "v1";
/** RFC 5424, table 1: log audit. */
const FACILITY = 13;
/** RFC 5424, table 2. */
const SYSLOG_SEVERITY: Readonly<Record<string, number>> = { high: 1, medium: 4, low: 5 };
/** OCSF: severity_id of the base event. */
const OCSF_SEVERITY: Readonly<Record<string, number>> = { high: 4, medium: 3, low: 2 };
/** OCSF: status_id of a finding. */
const [NEW, IN_PROGRESS, RESOLVED] = [1, 2, 4];
/** Slack cuts longer texts itself, in the middle of anything. */
const MAX_SLACK_CHARACTERS = 2900;
/** RFC 5424 section 6.1: receivers take at least 480 octets and should take 2048; most take 8 KiB. */
const MAX_SYSLOG_BYTES = 8192;

/** Adyton's own JSON. */
export function adytonBody(alert: Alert): string {
  return JSON.stringify({
    type: `adyton.${alert.event}`,
    timestamp: isoTime(alert.createdMs),
    data: alert.body,
  });
}

/** OCSF 1.3 Detection Finding (class 2004): created for what begins, updated for what follows, closed for an end. */
export function ocsfBody(alert: Alert): string {
  const { event, subject, body, createdMs } = alert;
  const isEnd = /\.(lifted|rejected|expired)$/.test(event);
  const isUnderWay = /\.(approved|in-effect)$/.test(event);
  const activity = isEnd ? 3 : event === "finding.raised" ? 1 : 2;
  const technique = typeof body["technique"] === "string" ? body["technique"] : null;
  return JSON.stringify({
    activity_id: activity,
    category_uid: 2,
    class_uid: 2004,
    type_uid: 200_400 + activity,
    time: createdMs,
    severity_id: OCSF_SEVERITY[severityOf(alert)] ?? 2,
    status_id: isEnd ? RESOLVED : isUnderWay ? IN_PROGRESS : NEW,
    message: textOf(alert),
    finding_info: {
      uid: typeof body["finding"] === "string" ? body["finding"] : subject,
      title: textOf(alert),
      types: [event],
      created_time: createdMs,
      ...(technique === null
        ? {}
        : { attacks: [{ version: "ATLAS", technique: { uid: technique, name: technique } }] }),
    },
    metadata: { version: "1.3.0", uid: alert.id, product: { name: "Adyton", vendor_name: "Adyton" } },
    unmapped: body,
  });
}

/** What Slack's incoming webhooks and their likes take: plain text in one block, so that nothing in it is markup. */
export function slackBody(alert: Alert): string {
  const text = textOf(alert).slice(0, MAX_SLACK_CHARACTERS);
  const lines = ["finding", "verdict", "appeal", "detector", "measure", "account"].flatMap((name) => {
    const value = alert.body[name];
    return typeof value === "string" ? [`${name} ${value}`] : [];
  });
  const blocks = [text, lines.join("\n")].filter((part) => part !== "");
  return JSON.stringify({
    text: escapeSlack(text),
    blocks: blocks.map((part) => ({
      type: "section",
      text: { type: "plain_text", text: part, emoji: false },
    })),
  });
}

/**
 * One message of RFC 5424, without framing: header, structured data with the event, the text. Control characters are
 * taken out, so that no text can begin a second message.
 */
export function syslogMessage(alert: Alert, { hostname }: { hostname: string }): string {
  const priority = FACILITY * 8 + (SYSLOG_SEVERITY[severityOf(alert)] ?? 5);
  const header = `<${priority}>1 ${isoTime(alert.createdMs)} ${printable(hostname, 255)} adyton - ${printable(alert.event, 32)}`;
  const data = `[adyton@32473 id="${parameter(alert.id)}" subject="${parameter(alert.subject)}"]`;
  // A byte order mark says that the text is UTF-8 (section 6.4).
  const message = `${header} ${data} \ufeff${withoutControls(textOf(alert))}`;
  return cut(message, MAX_SYSLOG_BYTES);
}

/** The headers that prove who sent the body, and when: `HMAC-SHA256(secret, id.timestamp.body)`. */
export function signature(
  body: string,
  { id, timestampSeconds, secret }: { id: string; timestampSeconds: number; secret: string | null },
): Record<string, string> {
  const headers: Record<string, string> = {
    "webhook-id": id,
    "webhook-timestamp": String(timestampSeconds),
  };
  if (secret === null) return headers;
  // Secrets of Standard Webhooks are base64 after a prefix; any other text is the key as it is.
  const key = secret.startsWith("whsec_") ? Buffer.from(secret.slice(6), "base64") : Buffer.from(secret);
  const mac = createHmac("sha256", key).update(`${id}.${timestampSeconds}.${body}`).digest("base64");
  headers["webhook-signature"] = `${SIGNATURE_SCHEME},${mac}`;
  return headers;
}

function textOf({ body, event }: Alert): string {
  return typeof body["text"] === "string" ? body["text"] : event;
}

function severityOf({ body }: Alert): string {
  return typeof body["severity"] === "string" ? body["severity"] : "low";
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

function escapeSlack(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** PRINTUSASCII of RFC 5424. */
function printable(text: string, length: number): string {
  return text.replace(/[^\x21-\x7e]/g, "").slice(0, length) || "-";
}

function parameter(text: string): string {
  return withoutControls(text).replace(/["\\\]]/g, "\\$&");
}

function withoutControls(text: string): string {
  return text.replace(/\p{Cc}+/gu, " ").toWellFormed();
}

function cut(text: string, bytes: number): string {
  const encoded = Buffer.from(text);
  if (encoded.length <= bytes) return text;
  // A character that was cut in two becomes a replacement character, which is dropped.
  return encoded
    .subarray(0, bytes)
    .toString("utf8")
    .replace(/\ufffd+$/, "");
}
