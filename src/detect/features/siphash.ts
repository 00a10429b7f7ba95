// SipHash-2-4: a keyed 64-bit hash that is cheap for short texts, where a call into a cryptographic library is not.

const MASK_32 = 0xffff_ffffn;

/**
 * A pseudorandom function under a 128-bit key (Aumasson and Bernstein 2012, "SipHash: a fast short-input PRF"): without
 * the key its values can neither be computed nor told from chance. 64-bit words are kept as two 32-bit halves.
 */
export class SipHash {
  readonly #key: readonly [k0Low: number, k0High: number, k1Low: number, k1High: number];

  /** @param key 16 bytes */
  constructor(key: Uint8Array) {
    if (key.length !== 16) throw new RangeError(`expected a key of 16 bytes, got ${key.length}`);
    const view = new DataView(key.buffer, key.byteOffset, 16);
    this.#key = [
      view.getInt32(0, true),
      view.getInt32(4, true),
      view.getInt32(8, true),
      view.getInt32(12, true),
    ];
  }

  /** Hash of `bytes[from..to)` as an unsigned 64-bit number. */
  of(bytes: Uint8Array, from: number, to: number): bigint {
    const [k0l, k0h, k1l, k1h] = this.#key;
    let v0l = k0l ^ 0x70736575;
    let v0h = k0h ^ 0x736f6d65;
    let v1l = k1l ^ 0x6e646f6d;
    let v1h = k1h ^ 0x646f7261;
    let v2l = k0l ^ 0x6e657261;
    let v2h = k0h ^ 0x6c796765;
    let v3l = k1l ^ 0x79746573;
    let v3h = k1h ^ 0x74656462;
    const blocks = (to - from) >> 3;
    // Whole blocks, then the last one with the length in its top byte, then the finalisation as a block of its own.
    for (let block = 0, at = from; block <= blocks + 1; block += 1, at += 8) {
      let low = 0;
      let high = 0;
      let rounds = 2;
      if (block < blocks) {
        low = word(bytes, at);
        high = word(bytes, at + 4);
      } else if (block === blocks) {
        low = partialWord(bytes, at, to);
        high = partialWord(bytes, at + 4, to) | ((to - from) << 24);
      } else {
        v2l ^= 0xff;
        rounds = 4;
      }
      v3l ^= low;
      v3h ^= high;
      for (let round = 0; round < rounds; round += 1) {
        let sum = (v0l + v1l) | 0;
        v0h = (v0h + v1h + (sum >>> 0 < v1l >>> 0 ? 1 : 0)) | 0;
        let turned = (v1h << 13) | (v1l >>> 19);
        v1l = ((v1l << 13) | (v1h >>> 19)) ^ sum;
        v1h = turned ^ v0h;
        v0l = v0h;
        v0h = sum;
        sum = (v2l + v3l) | 0;
        v2h = (v2h + v3h + (sum >>> 0 < v3l >>> 0 ? 1 : 0)) | 0;
        v2l = sum;
        turned = (v3h << 16) | (v3l >>> 16);
        v3l = ((v3l << 16) | (v3h >>> 16)) ^ v2l;
        v3h = turned ^ v2h;
        sum = (v0l + v3l) | 0;
        v0h = (v0h + v3h + (sum >>> 0 < v3l >>> 0 ? 1 : 0)) | 0;
        v0l = sum;
        turned = (v3h << 21) | (v3l >>> 11);
        v3l = ((v3l << 21) | (v3h >>> 11)) ^ v0l;
        v3h = turned ^ v0h;
        sum = (v2l + v1l) | 0;
        v2h = (v2h + v1h + (sum >>> 0 < v1l >>> 0 ? 1 : 0)) | 0;
        turned = (v1h << 17) | (v1l >>> 15);
        v1l = ((v1l << 17) | (v1h >>> 15)) ^ sum;
        v1h = turned ^ v2h;
        v2l = v2h;
        v2h = sum;
      }
      v0l ^= low;
      v0h ^= high;
    }
    const low = (v0l ^ v1l ^ v2l ^ v3l) >>> 0;
    const high = (v0h ^ v1h ^ v2h ^ v3h) >>> 0;
    return (BigInt(high) << 32n) | (BigInt(low) & MASK_32);
  }
}

function word(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

/** The bytes from `at` that lie before `to`, at most four. */
function partialWord(bytes: Uint8Array, at: number, to: number): number {
  let value = 0;
  for (let place = 0; place < 4 && at + place < to; place += 1) {
    value |= (bytes[at + place] as number) << (8 * place);
  }
  return value;
}
