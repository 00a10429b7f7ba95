// Opens that wait in memory for their close, by leaf index: an array, since their indexes lie close together.
//
// Not a Map: one that many short-lived values pass through rebuilds its table over and over, each old table points to the
// next, and V8's young collection then takes what has left for living and copies it about.

/** What each record costs besides its content. */
const RECORD_BYTES = 1024;

interface Waiting {
  readonly index: number;
  readonly content: ReadonlyMap<string, Uint8Array> | null;
}

export class WaitingOpens<Open extends Waiting> {
  readonly #maxBytes: number;
  #records: (Open | undefined)[] = [];
  /** Leaf index of the first place. */
  #base = 0;
  /** Places before this one are empty. */
  #head = 0;
  #bytes = 0;

  /** Beyond `maxBytes` the oldest are forgotten. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Indexes must ascend; call `clear` before going back. */
  add(open: Open): void {
    if (this.#records.length === 0) this.#base = open.index;
    while (this.#records.length < open.index - this.#base) this.#records.push(undefined);
    this.#records[open.index - this.#base] = open;
    this.#bytes += sizeOf(open);
    while (this.#bytes > this.#maxBytes) this.#drop(this.#head);
    this.#compact();
  }

  /** Removes and returns the open at a leaf index; undefined when it is not here. */
  take(index: number): Open | undefined {
    const at = index - this.#base;
    const record = this.#records[at];
    if (record !== undefined) this.#drop(at);
    return record;
  }

  clear(): void {
    this.#records = [];
    this.#head = 0;
    this.#bytes = 0;
  }

  #drop(at: number): void {
    const record = this.#records[at];
    if (record !== undefined) this.#bytes -= sizeOf(record);
    this.#records[at] = undefined;
    while (this.#head < this.#records.length && this.#records[this.#head] === undefined) this.#head += 1;
  }

  /** Gives empty places at the front back, half of all at a time. */
  #compact(): void {
    if (this.#head < 1024 || this.#head * 2 < this.#records.length) return;
    this.#records = this.#records.slice(this.#head);
    this.#base += this.#head;
    this.#head = 0;
  }
}

function sizeOf(record: Waiting): number {
  let bytes = RECORD_BYTES;
  for (const field of record.content?.values() ?? []) bytes += field.byteLength;
  return bytes;
}
