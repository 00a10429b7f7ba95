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
