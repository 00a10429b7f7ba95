// Sends one alert to one target, once: what fails is told, and somebody else decides whether to try again.
import { createSocket } from "node:dgram";
import { readFile } from "node:fs/promises";
import { connect, isIP } from "node:net";
import { hostname } from "node:os";
import { connect as connectTls } from "node:tls";
import type { AlertTarget } from "../../config/respond-section.ts";
import type { Alert } from "../../state/alerts.ts";
import { adytonBody, ocsfBody, signature, slackBody, syslogMessage } from "./formats.ts";

/** RFC 5425 section 4.1. */
const SYSLOG_TLS_PORT = 6514;

export interface SendOptions {
  readonly timeoutMs: number;
  /** The target's signing secret, read once; null: not signed. */
  readonly secret: string | null;
  readonly nowMs: number;
}

/** @throws Error that says why: a status, a refused connection, a timeout. Never the target's answer, which is hostile. */
export async function send(target: AlertTarget, alert: Alert, options: SendOptions): Promise<void> {
  const url = new URL(target.url);
  if (target.kind !== "syslog") {
    await post(url, target, alert, options);
    return;
  }
  const message = Buffer.from(syslogMessage(alert, { hostname: hostname() }));
  if (url.protocol === "udp:") await sendDatagram(url, message);
  else await sendStream(url, target.ca, message, options);
}

async function post(
  url: URL,
  target: AlertTarget,
  alert: Alert,
  { timeoutMs, secret, nowMs }: SendOptions,
): Promise<void> {
  const body = bodyOf(target, alert);
  const timestampSeconds = Math.floor(nowMs / 1000);
  // The alert's id stays the same over attempts: a receiver can tell a repetition from a second event.
  const proof = target.kind === "webhook" ? signature(body, { id: alert.id, timestampSeconds, secret }) : {};
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", "user-agent": "adyton", ...proof },
    body,
    // A redirection would carry the alert to where the operator did not send it.
    redirect: "error",
    signal: AbortSignal.timeout(timeoutMs),
  });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`expected a status of 200 to 299, got ${response.status}`);
}

function bodyOf({ kind, format }: AlertTarget, alert: Alert): string {
  if (kind === "slack") return slackBody(alert);
  return format === "ocsf" ? ocsfBody(alert) : adytonBody(alert);
}

/**
 * RFC 6587 section 3.4.1, and RFC 5425 over TLS: the length in octets, a space, the message. Over TLS the receiver's
 * certificate must name the host, and nothing is sent to one that it does not hold for.
 */
async function sendStream(
  url: URL,
  ca: string | null,
  message: Buffer,
  { timeoutMs }: SendOptions,
): Promise<void> {
  const authority = ca === null ? {} : { ca: await readFile(ca) };
  await new Promise<void>((resolve, reject) => {
    const host = url.hostname.replace(/^\[|\]$/g, "");
    const isTls = url.protocol === "tls:";
    const socket = isTls
      ? connectTls({ ...authority, ...nameOf(host), host, port: Number(url.port || SYSLOG_TLS_PORT) })
      : connect({ host, port: Number(url.port) });
    // The whole attempt, whatever a receiver sends meanwhile to keep the connection busy.
    const timer = setTimeout(
      () => socket.destroy(new Error(`expected an end within ${timeoutMs} ms`)),
      timeoutMs,
    );
    socket.once("error", reject);
    socket.once(isTls ? "secureConnect" : "connect", () => {
      socket.end(Buffer.concat([Buffer.from(`${message.length} `), message]));
    });
    // Syslog has no answer: that the receiver's side took it to the end is as much as can be known.
    socket.resume().once("close", (hadError) => {
      clearTimeout(timer);
      if (!hadError) resolve();
    });
  });
}

/** The name asked for in the handshake; an address is none (RFC 6066 section 3). */
function nameOf(host: string): { servername?: string } {
  return isIP(host) === 0 ? { servername: host } : {};
}

async function sendDatagram(url: URL, message: Buffer): Promise<void> {
  const socket = createSocket(url.hostname.startsWith("[") ? "udp6" : "udp4");
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      const host = url.hostname.replace(/^\[|\]$/g, "");
      socket.send(message, Number(url.port), host, (error) => (error === null ? resolve() : reject(error)));
    });
  } finally {
    socket.close();
  }
}
