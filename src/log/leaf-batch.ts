// The leaves of one step of the ledger on their way to disk: entries, tiles and content, before anything is committed.
import { encodeLeaf, type Leaf } from "../core/leaf.ts";
import type { PackWriter } from "./content-pack.ts";
import { settleAll } from "./disk.ts";
import type { IndexRow } from "./exchange-index.ts";
import type { Keyring } from "./keyring.ts";
import type { SealedFrame } from "./sealing.ts";
import type { TreeWriter } from "./tree-writer.ts";

/** Leaves after which writing begins while the step goes on sealing. A step of a ledger that keeps up has fewer. */
const WRITE_EVERY_LEAVES = 2_048;

interface Targets {
  readonly keys: Keyring;
  readonly tree: TreeWriter;
  readonly packs: PackWriter;
}

export class LeafBatch {
  readonly rows: IndexRow[] = [];
  readonly #targets: Targets;
  readonly #begun: Promise<void>[] = [];
  readonly #from: number;
  #written: number;

  constructor(targets: Targets) {
    this.#targets = targets;
    this.#from = targets.tree.size;
    this.#written = targets.tree.size;
  }

  get count(): number {
    return this.#targets.tree.size - this.#from;
  }

  /** Adds a leaf in memory. Throws LogError `log.key-store-failed`. */
  add(leaf: Leaf, frame: SealedFrame | null): void {
    const { tree, packs } = this.#targets;
    const index = tree.append(encodeLeaf(leaf));
    if (frame !== null) packs.append(index, frame);
    this.rows.push(...indexRows(leaf, index));
    if (tree.size - this.#written < WRITE_EVERY_LEAVES) return;
    this.#written = tree.size;
    this.#write({ whole: true });
  }

  /**
   * Writes and syncs what was added. Until the caller commits, a crash leaves files that nothing refers to, and the next
   * load removes them.
   */
  async flush(): Promise<void> {
    this.#write({ whole: false });
    await this.settle();
  }

  /** Waits for what was begun, also after an error: nothing may still be writing when the next load cleans up. */
  async settle(): Promise<void> {
    await settleAll(this.#begun.splice(0));
  }

  /** `whole`: only bundles, tiles and packs to which nothing will be added. */
  #write(options: { whole: boolean }): void {
    const { keys, tree, packs } = this.#targets;
    keys.save(); // content must never be durable before its key is
    for (const writing of [packs.flush(options), tree.flush(options)]) {
      writing.catch(() => {}); // thrown by whoever settles
      this.#begun.push(writing);
    }
  }
}

export function indexRows(leaf: Leaf, index: number): IndexRow[] {
  if (leaf.exchange === undefined) return [];
  return [{ exchange: leaf.exchange, leaf: index, closes: leaf.kind !== "open" }];
}
