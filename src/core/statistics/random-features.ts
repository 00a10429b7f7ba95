// Features whose sums are all that a kernel test needs: sums of any accounts can be pooled and compared.
import { generator } from "./generator.ts";

/** Coordinates a vector may have, and frequencies drawn for each bandwidth: the size of one Hadamard matrix. */
const SIZE = 64;
const LOG_SIZE = 6;
/** Cosines are kept as whole numbers of this size, so that sums are exact and merging is associative. */
export const FEATURE_SCALE = 100;
/** Phases are looked up; the error of a step (0.0015 rad) is far below that of the rounding to whole numbers. */
const PHASES = 4_096;
const TURN = 2 * Math.PI;
/** Projections whose signs name a cell: 256 of them. */
const CELL_BITS = 8;
export const CELLS: number = 2 ** CELL_BITS;

const WAVES: Int8Array = Int8Array.from({ length: PHASES }, (_, i) =>
  Math.round(FEATURE_SCALE * Math.cos((TURN * i) / PHASES)),
);

export interface RandomFeatureOptions {
  /** Bandwidths σ of Gaussian kernels exp(-|x-y|²/2σ²) of unit vectors; 64 frequencies are drawn for each. */
  readonly bandwidths: readonly number[];
  /** Equal seeds give equal features: only such sums may be merged or compared. */
  readonly seed: number;
}

interface Block {
  readonly signs: Int8Array;
  readonly scales: Float64Array;
}

/**
 * Random Fourier features (Rahimi and Recht 2007) of unit vectors in at most 64 dimensions, for an equal mixture of
 * Gaussian kernels. Frequencies come from the structured transform S H D₃ H D₂ H D₁ (Fastfood: Le, Sarlós and Smola
 * 2013; three sign flips: Yu et al. 2016) with rows scaled to χ-distributed lengths: three fast Hadamard transforms a
 * bandwidth, and no matrix is stored. Each frequency gives a cosine and a sine, so every vector has the same feature
 * length. Inner products of features estimate the kernel with standard error about 1/√(64 × bandwidths).
 *
 * Owns scratch memory: one instance serves one thread.
 */
export class RandomFeatures {
  /** Length of a sum: 128 numbers a bandwidth. */
  readonly length: number;
  readonly #blocks: readonly Block[];
  readonly #work: Float64Array = new Float64Array(SIZE);

  constructor({ bandwidths, seed }: RandomFeatureOptions) {
    const random = generator(seed);
    this.length = 2 * SIZE * bandwidths.length;
    this.#blocks = bandwidths.map((bandwidth) => ({
      signs: Int8Array.from({ length: 3 * SIZE }, () => (random() < 0.5 ? -1 : 1)),
      // Rows of H D H D H D have length 64^(3/2); a Gaussian row has a χ-distributed one.
      scales: Float64Array.from(
        { length: SIZE },
        () => (chi(random) * PHASES) / (bandwidth * TURN * SIZE ** 1.5),
      ),
    }));
  }

  /**
   * Adds the features of one vector (of any length; it is normalised, and zero stays zero) to `sums` from `at` on.
   * Returns the cell the vector lies in, from 0 to 255: signs of eight projections (Charikar 2002), so that vectors at
   * angle θ share a cell with probability (1 - θ/π)^8.
   */
  add(vector: ArrayLike<number>, sums: Int32Array, at = 0): number {
    const count = Math.min(vector.length, SIZE);
    let square = 0;
    for (let i = 0; i < count; i += 1) square += (vector[i] as number) ** 2;
    const unit = square === 0 ? 0 : 1 / Math.sqrt(square);
    const work = this.#work;
    let to = at;
    let cell = 0;
    for (const [index, { signs, scales }] of this.#blocks.entries()) {
      work.fill(0);
      for (let i = 0; i < count; i += 1) work[i] = (vector[i] as number) * unit * (signs[i] as number);
      hadamard(work);
      for (let i = 0; i < SIZE; i += 1) work[i] = (work[i] as number) * (signs[SIZE + i] as number);
      hadamard(work);
      for (let i = 0; i < SIZE; i += 1) work[i] = (work[i] as number) * (signs[2 * SIZE + i] as number);
      hadamard(work);
      if (index === 0) for (let i = 0; i < CELL_BITS; i += 1) cell |= ((work[i] as number) < 0 ? 1 : 0) << i;
      for (let i = 0; i < SIZE; i += 1) {
        const phase = Math.round((work[i] as number) * (scales[i] as number));
        sums[to] = (sums[to] as number) + (WAVES[phase & (PHASES - 1)] as number);
        sums[to + 1] = (sums[to + 1] as number) + (WAVES[(phase - PHASES / 4) & (PHASES - 1)] as number);
        to += 2;
      }
    }
    return cell;
  }
}

/** In place, unnormalised: H H = 64. */
function hadamard(work: Float64Array): void {
  for (let step = 0; step < LOG_SIZE; step += 1) {
    const half = 1 << step;
    for (let pair = 0; pair < SIZE / 2; pair += 1) {
      const i = ((pair & ~(half - 1)) << 1) | (pair & (half - 1));
      const a = work[i] as number;
      const b = work[i + half] as number;
      work[i] = a + b;
      work[i + half] = a - b;
    }
  }
}

/** Length of a Gaussian vector of 64 coordinates: a sum of 32 exponentials is half its square. */
function chi(random: () => number): number {
  let sum = 0;
  for (let i = 0; i < SIZE / 2; i += 1) sum -= 2 * Math.log(1 - random());
  return Math.sqrt(sum);
}
