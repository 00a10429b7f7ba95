// A frame: one record in clear, as it lies inside a batch of a write-ahead segment. docs/log-format.md lists every byte.
import type { Buffer } from "node:buffer";

/** Largest frame, and so largest record: a request or answer body with its headers. */
export const MAX_FRAME_BYTES: number = 64 * 1024 * 1024;

const KIND_AT = 4;
const NAME_LENGTH_AT = 5;
const TIME_AT = 6;
const NAME_AT = 12;

/** Frames carry these; `interrupted` leaves have no frame. */
const FRAME_KINDS = ["open", "close", "act"] as const;
export type FrameKind = (typeof FRAME_KINDS)[number];

/** A frame as read. `plain` is a view into what was read. */
export interface Frame {
  readonly kind: FrameKind;
  readonly sequence: number;
  readonly timeMs: number;
  /** Exchange id, or the act's name. */
  readonly name: string;
  /** Account id and openings: what the record's own key will encrypt. */
  readonly plain: Buffer;
}

export interface FrameHead {
  readonly kind: FrameKind;
  readonly timeMs: number;
  readonly name: string;
  readonly nameBytes: number;
}

/** Length of a frame whose record has `plainBytes` of plaintext. */
export function frameBytes(nameBytes: number, plainBytes: number): number {
  return NAME_AT + nameBytes + plainBytes;
}

/** Writes everything but the plaintext at `at`; returns where the plaintext begins. */
export function writeFrameHead(target: Buffer, at: number, head: FrameHead, length: number): number {
  target.writeUInt32BE(length, at);
  target[at + KIND_AT] = FRAME_KINDS.indexOf(head.kind) + 1;
  target[at + NAME_LENGTH_AT] = head.nameBytes;
  target.writeUIntBE(head.timeMs, at + TIME_AT, 6);
  return at + NAME_AT + writeText(target, at + NAME_AT, head.name, head.nameBytes);
}

/** Longer text is worth the call of a native function. */
const SHORT_CHARACTERS = 48;

/** Writes text as UTF-8, which takes `bytes` bytes; returns them. Text that has as many characters is ASCII. */
export function writeText(target: Buffer, at: number, text: string, bytes: number): number {
  if (text.length !== bytes) target.write(text, at, "utf8");
  else if (bytes > SHORT_CHARACTERS) target.write(text, at, "latin1");
  else for (let i = 0; i < bytes; i++) target[at + i] = text.charCodeAt(i);
  return bytes;
}

/** Reads the frames of a decrypted batch, or null when the bytes are no sequence of `count` frames. */
export function readFrames(plain: Buffer, count: number, firstSequence: number): Frame[] | null {
  const frames: Frame[] = [];
  let at = 0;
  while (at < plain.length) {
    const frame = readFrame(plain, at, firstSequence + frames.length);
    if (frame === null) return null;
    frames.push(frame.frame);
    at = frame.end;
  }
  return frames.length === count ? frames : null;
}

function readFrame(plain: Buffer, at: number, sequence: number): { frame: Frame; end: number } | null {
  if (plain.length < at + NAME_AT) return null;
  const end = at + plain.readUInt32BE(at);
  const kind = FRAME_KINDS[(plain[at + KIND_AT] ?? 0) - 1];
  const nameEnd = at + NAME_AT + (plain[at + NAME_LENGTH_AT] ?? 0);
  if (kind === undefined || nameEnd > end || end > plain.length) return null;
  const frame = {
    kind,
    sequence,
    timeMs: plain.readUIntBE(at + TIME_AT, 6),
    name: plain.toString("utf8", at + NAME_AT, nameEnd),
    plain: plain.subarray(nameEnd, end),
  };
  return { frame, end };
}
