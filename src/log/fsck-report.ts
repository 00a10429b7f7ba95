// What fsck finds, in the form that people and programs get it.

export interface FsckProblem {
  readonly code:
    | "checkpoint"
    | "signature"
    | "timestamp"
    | "root"
    | "bundle"
    | "leaf"
    | "tile"
    | "pack"
    | "digest"
    | "key"
    | "erased"
    | "ciphertext"
    | "commitment"
    | "sequence"
    | "pairing"
    | "state";
  /** Absolute path of the bad file. */
  readonly file: string;
  /** Offset of the first bad byte, or of the smallest part that is known to be bad. Null: the file as a whole. */
  readonly offset: number | null;
  /** Leaf index it concerns, or null. */
  readonly index: number | null;
  readonly message: string;
}

export interface FsckReport {
  readonly ok: boolean;
  /** Leaves that an earlier, interrupted run had checked. */
  readonly resumedFrom: number;
  readonly size: number;
  /** Base64. */
  readonly root: string;
  readonly origin: string;
  /** False without keys: the signature could not be checked. */
  readonly signatureChecked: boolean;
  readonly checked: {
    readonly leaves: number;
    readonly tiles: number;
    /** Timestamps of the authorities that were given. */
    readonly timestamps: number;
    readonly digests: number;
    readonly commitments: number;
    /** Records whose content is destroyed. With keys each was checked to have its tombstone. */
    readonly erased: number;
  };
  /** Missing sequence numbers that the log itself declares. `log.damaged` ones are losses. */
  readonly gaps: readonly {
    writer: string;
    incarnation: number;
    from: number;
    count: number;
    act: string;
    index: number;
  }[];
  /** Opens without a close yet. */
  readonly open: number;
  readonly problemCount: number;
  readonly problems: readonly FsckProblem[];
}

/** Where the checks report. */
export type Complain = (problem: FsckProblem) => void;

/** Problems kept in a report; beyond them they are only counted. */
const MAX_PROBLEMS = 100;

/** Problems in the order in which they are told: that of the log, although parts of it are checked ahead of others. */
export class Findings {
  readonly problems: FsckProblem[] = [];
  count = 0;
  #held: FsckProblem[] = [];

  readonly complain: Complain = (problem) => {
    this.count += 1;
    if (this.problems.length < MAX_PROBLEMS) this.problems.push(problem);
  };

  /** Keeps a problem back until `release`: what lies before it in the log is not checked yet. */
  readonly hold: Complain = (problem) => {
    this.#held.push(problem);
  };

  get holdsAny(): boolean {
    return this.#held.length > 0;
  }

  release(): void {
    for (const problem of this.#held.splice(0)) this.complain(problem);
  }

  /** Goes on with what an interrupted check had found. */
  add(problems: readonly FsckProblem[], count: number): void {
    this.problems.push(...problems.slice(0, MAX_PROBLEMS - this.problems.length));
    this.count += count;
  }
}
