// From what a writer wrote to leaves: digests, pairing of opens with closes, interruptions and gaps.
import type { Leaf } from "../core/leaf.ts";
import { FIELDS } from "../core/record.ts";
import { INSTALLATION_PSEUDONYM, pseudonymText } from "./keyring.ts";
import type { OpenExchanges } from "./open-exchanges.ts";
import type { SealedFrame } from "./sealing.ts";
import type { TailEvent } from "./writer-tail.ts";

export interface LeafContext {
  readonly node: string;
  readonly writer: string;
  readonly open: OpenExchanges;
  /** Index that the next leaf will get. */
  nextIndex(): number;
  /** Appends a leaf with the frame its content comes from, so that `nextIndex` moves on. */
  emit(leaf: Leaf, frame: SealedFrame | null): void;
  /** Time of leaves that have no frame. */
  readonly nowMs: number;
}

const iso = (timeMs: number): string => new Date(timeMs).toISOString();

function frameLeaf(
  frame: SealedFrame,
  incarnation: number,
  context: LeafContext,
  open: number | undefined,
): Leaf {
  const commit: Record<string, string> = {};
  for (const [i, field] of FIELDS[frame.kind].entries()) commit[field] = frame.commitments[i] ?? "";
  // Assigned one by one: spreading objects that are mostly empty takes longer than all the rest.
  const leaf: { -readonly [Member in keyof Leaf]: Leaf[Member] } = {
    v: 1,
    kind: frame.kind,
    node: context.node,
    writer: context.writer,
    incarnation,
    seq: frame.sequence,
    time: iso(frame.timeMs),
    commit,
    digest: frame.digest,
    bytes: frame.sealed.length,
  };
  if (frame.kind === "act") leaf.act = frame.name;
  else leaf.exchange = frame.name;
  if (!frame.pseudonym.equals(INSTALLATION_PSEUDONYM)) leaf.account = pseudonymText(frame.pseudonym);
  if (open !== undefined) leaf.open = open;
  return leaf;
}

function interrupt(
  context: LeafContext,
  incarnation: number,
  opens: readonly { exchange: string; leaf: number; sequence: number }[],
): void {
  for (const { exchange, leaf, sequence } of opens) {
    const { node, writer, nowMs } = context;
    const base = { v: 1, kind: "interrupted", node, writer, incarnation, seq: sequence } as const;
    context.emit({ ...base, time: iso(nowMs), exchange, open: leaf }, null);
  }
}

/** The leaf of a sealed frame, and before it that of an interruption which it shows. */
export function emitFrame(frame: SealedFrame, incarnation: number, context: LeafContext): void {
  const { open, writer } = context;
  if (frame.kind === "close") {
    const opened = open.take(writer, incarnation, frame.name)?.leaf;
    context.emit(frameLeaf(frame, incarnation, context, opened), frame);
    return;
  }
  if (frame.kind === "open") {
    // The same exchange opened twice without a close between: the first can no longer get one.
    const former = open.take(writer, incarnation, frame.name);
    if (former !== null) interrupt(context, incarnation, [former]);
    open.add(writer, incarnation, {
      exchange: frame.name,
      leaf: context.nextIndex(),
      sequence: frame.sequence,
    });
  }
  context.emit(frameLeaf(frame, incarnation, context, undefined), frame);
}

/** The leaves of an event that brought no frame. */
export function emitEvent(event: Exclude<TailEvent, { type: "frame" }>, context: LeafContext): void {
  const { incarnation } = event;
  if (event.type === "final") {
    interrupt(context, incarnation, context.open.takeAll(context.writer, incarnation));
    return;
  }
  const { node, writer, nowMs } = context;
  const act = event.declared ? "log.write-failed" : "log.damaged";
  const base = { v: 1, kind: "act", node, writer, incarnation, seq: event.from } as const;
  context.emit({ ...base, time: iso(nowMs), act, gap: event.count }, null);
}
