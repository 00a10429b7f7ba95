// Names of exchanges: random, so that two gateways never agree on one and nobody guesses another's.
import { randomFillSync } from "node:crypto";

const ID_BYTES = 16;
/** Random bytes are drawn for many ids at once: one call of the system for 256 requests. */
const POOL_BYTES = ID_BYTES * 256;

/** Makes ids `ex_` + 22 base64url characters (128 random bits). */
export class ExchangeIds {
  readonly #pool: Buffer = Buffer.allocUnsafeSlow(POOL_BYTES);
  #at = POOL_BYTES;

  next(): string {
    if (this.#at === POOL_BYTES) {
      randomFillSync(this.#pool);
      this.#at = 0;
    }
    const from = this.#at;
    this.#at += ID_BYTES;
    return `ex_${this.#pool.toString("base64url", from, this.#at)}`;
  }
}

const VALID_REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/;

/** The client's own request id when it is one that any log and header can carry, else null. */
export function validRequestId(value: string | string[] | undefined): string | null {
  return typeof value === "string" && VALID_REQUEST_ID.test(value) ? value : null;
}
