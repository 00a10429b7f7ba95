// Lines that could not be read: counted, the first of them told with file, line and reason, none passed over in silence.

/** Rejected lines that are told one by one; the rest are only counted. */
const MAX_DETAILED = 20;

export interface Rejection {
  readonly file: string;
  readonly line: number;
  readonly reason: string;
}

export class Rejections {
  readonly #tell: (text: string) => void;
  readonly #first: Rejection[] = [];
  #count = 0;

  constructor(tell: (text: string) => void) {
    this.#tell = tell;
  }

  get count(): number {
    return this.#count;
  }

  /** The first ones, in order. */
  get first(): readonly Rejection[] {
    return this.#first;
  }

  add(rejection: Rejection): void {
    this.#count += 1;
    if (this.#first.length < MAX_DETAILED) {
      this.#first.push(rejection);
      this.#tell(`${rejection.file}:${rejection.line}: ${rejection.reason}; line skipped`);
    } else if (this.#count === MAX_DETAILED + 1) this.#tell("further malformed lines are only counted");
  }
}
