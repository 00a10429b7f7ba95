// Undoes the content encodings of stored bodies: the log keeps bytes as they went over the wire, its readers need text.
import {
  brotliDecompressSync,
  constants,
  gunzipSync,
  inflateRawSync,
  inflateSync,
  zstdDecompressSync,
} from "node:zlib";

/**
 * Most bytes one stored body may inflate to. Far above the largest honest answer, far below what hurts: a body of a
 * few kilobytes can be made to inflate to gigabytes.
 */
export const MAX_INFLATED_BYTES: number = 64 * 1024 * 1024;

/**
 * The bytes without one `content-encoding` (RFC 9110, section 8.4.1): gzip, deflate, br or zstd. Null for an unknown
 * encoding, bytes that are not of it, or more than the limit. A stream that was cut (an aborted answer) gives what
 * had come. It lies beside the log because it serves everything that reads stored bodies, and core does no zlib.
 */
export function decompress(
  bytes: Uint8Array,
  encoding: string,
  options: { readonly maxBytes?: number } = {},
): Uint8Array | null {
  const maxOutputLength = options.maxBytes ?? MAX_INFLATED_BYTES;
  const zlibOptions = { maxOutputLength, finishFlush: constants.Z_SYNC_FLUSH };
  try {
    switch (encoding) {
      case "gzip":
      case "x-gzip":
        return gunzipSync(bytes, zlibOptions);
      case "deflate":
        // Half of the world sends raw deflate under this name; a zlib header starts with 8 in its low four bits.
        return ((bytes[0] ?? 0) & 0x0f) === 8
          ? inflateSync(bytes, zlibOptions)
          : inflateRawSync(bytes, zlibOptions);
      case "br":
        return brotliDecompressSync(bytes, {
          maxOutputLength,
          finishFlush: constants.BROTLI_OPERATION_FLUSH,
        });
      case "zstd":
        return zstdDecompressSync(bytes, { maxOutputLength, finishFlush: constants.ZSTD_e_flush });
      default:
        return null;
    }
  } catch {
    return null;
  }
}
