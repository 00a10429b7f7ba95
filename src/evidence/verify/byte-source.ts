// Where a bundle's bytes come from: a file handle in Node, a Blob in a browser, or memory.

/** Random access to bytes that don't change meanwhile. */
export interface ByteSource {
  readonly size: number;
  /** Exactly `length` bytes from `offset`, or fewer where the source ends before. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

export function memorySource(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    read: async (offset, length) => bytes.subarray(offset, offset + length),
  };
}

/** A bundle is gone through in a few places at once: its records, their proofs, and now and then a file in between. */
const WINDOWS = 4;
const WINDOW_BYTES: number = 4 * 1024 * 1024;

/**
 * The same bytes in few large reads: asking a browser for each of a bundle's many small files takes far longer than
 * checking them. What it hands out must not be changed.
 */
export function readingAhead(source: ByteSource): ByteSource {
  let windows: { readonly offset: number; readonly bytes: Uint8Array }[] = [];
  return {
    size: source.size,
    read: async (offset, length) => {
      if (length > WINDOW_BYTES) return await source.read(offset, length);
      const end = Math.min(offset + length, source.size);
      const known = windows.find((one) => one.offset <= offset && end <= one.offset + one.bytes.length);
      const window = known ?? { offset, bytes: await source.read(offset, WINDOW_BYTES) };
      windows = [window, ...windows.filter((one) => one !== window)].slice(0, WINDOWS);
      return window.bytes.subarray(offset - window.offset, offset - window.offset + length);
    },
  };
}
