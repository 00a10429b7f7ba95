// The part of fsck that tells erased from lost: content may be missing only where a tombstone says so.
import type { Leaf } from "../core/leaf.ts";
import {
  Announced,
  type LeafSpan,
  type MissingRecord,
  mergeSpans,
  type PlacedTombstone,
  parseTombstone,
  TOMBSTONE_ACT,
} from "../core/tombstone.ts";
import type { Complain, FsckProblem } from "./fsck-report.ts";
import type { ContentState, ErasedGroup } from "./fsck-resume.ts";

/** Damaged records that may yet be explained by a tombstone further on; beyond them they are reported at once. */
const MAX_SUSPENDED = 10_000;

interface Where {
  readonly file: string;
  readonly offset: number;
}

type MissingState = Pick<ContentState, "tombstones" | "groups" | "damaged">;

export class MissingContent {
  readonly #complain: Complain;
  readonly #tombstones: PlacedTombstone[] = [];
  readonly #groups: Map<string, ErasedGroup> = new Map();
  readonly #damaged: { record: MissingRecord; problem: FsckProblem }[] = [];

  constructor(complain: Complain, from: MissingState | null = null) {
    this.#complain = complain;
    this.#tombstones.push(...(from?.tombstones ?? []));
    for (const group of from?.groups ?? []) this.#groups.set(`${group.account} ${group.keyId}`, group);
    this.#damaged.push(...(from?.damaged ?? []));
  }

  save(): MissingState {
    return { tombstones: this.#tombstones, groups: [...this.#groups.values()], damaged: this.#damaged };
  }

  /** A record that opened: a tombstone is remembered. */
  opened(leaf: Leaf, index: number, content: ReadonlyMap<string, Uint8Array>): void {
    const detail = leaf.act === TOMBSTONE_ACT ? content.get("detail") : undefined;
    const tombstone = detail === undefined ? null : parseTombstone(detail);
    if (tombstone !== null) this.#tombstones.push({ ...tombstone, index, time: leaf.time });
  }

  /** A record that is marked as erased, or whose account key was destroyed. */
  erased({ index, account, keyId }: MissingRecord, where: Where): void {
    const name = `${account} ${keyId}`;
    let group = this.#groups.get(name);
    if (group === undefined) {
      group = { account, keyId, spans: [], first: { file: where.file, offset: where.offset } };
      this.#groups.set(name, group);
    }
    const last = group.spans.at(-1);
    if (last?.[1] === index) group.spans[group.spans.length - 1] = [last[0], index + 1];
    else group.spans.push([index, index + 1]);
  }

  /** A record that is damaged: an erasure that a crash has cut short leaves such. */
  damaged(record: MissingRecord, problem: FsckProblem): void {
    if (this.#damaged.length < MAX_SUSPENDED) this.#damaged.push({ record, problem });
    else this.#complain(problem);
  }

  /** Reports what no tombstone announces; returns how many records are erased. `believe`: no tombstone can be read. */
  settle({ believe }: { believe: boolean }): number {
    const announced = new Announced(this.#tombstones);
    let erased = 0;
    for (const { record, problem } of this.#damaged) {
      if (!believe && announced.covers(record)) erased += 1;
      else this.#complain(problem);
    }
    for (const { account, keyId, spans, first } of this.#groups.values()) {
      const lost = believe ? [] : spans.flatMap((span) => unannounced(span, { account, keyId }, announced));
      for (const [from, to] of mergeSpans(lost)) {
        const message = `expected a tombstone for the missing content of records ${from} to ${to - 1}, got none`;
        this.#complain({ code: "erased", file: first.file, offset: first.offset, index: from, message });
      }
      erased += spans.reduce((sum, [from, to]) => sum + to - from, 0);
    }
    return erased;
  }
}

function unannounced(
  [from, to]: LeafSpan,
  owner: Omit<MissingRecord, "index">,
  announced: Announced,
): LeafSpan[] {
  const lost: LeafSpan[] = [];
  for (let index = from; index < to; index++)
    if (!announced.covers({ ...owner, index })) lost.push([index, index + 1]);
  return lost;
}
