// The sample model's vocabulary: 256 bytes and some hundred common words. Small enough to read, and any text fits.
import { Buffer } from "node:buffer";

const WORDS =
  "the of and to in a is that it for you was on are as with this be have not or by from at an which but all were " +
  "we they their one has had can will if more when what so up out about who them some than other into its only " +
  "new then these two may any like first also no time words word sentence sentences sample model built answer " +
  "your question message wrote said result number numbers tool call called text letters longest most often used " +
  "contains with prompt here reads equals Adyton deterministic real knowledge nothing know learn try I am You It " +
  "This The A In For there sum think say tells tell please ask asked says name hello Hello";

/** Pieces by id: ids 0 to 255 are single bytes, then words with the space before them, then some without. */
const PIECES: readonly string[] = [
  ...WORDS.split(" ").map((word) => ` ${word}`),
  ...[
    "The",
    "You",
    "This",
    "It",
    "I",
    "Hello",
    ", ",
    ". ",
    "...",
    "\n\n",
    ": ",
    "adyton",
    "-sample",
    "ing",
    "tion",
  ],
].filter((piece, index, all) => all.indexOf(piece) === index);

const BYTE_IDS = 256;
export const VOCABULARY_SIZE: number = BYTE_IDS + PIECES.length;

const ID_OF_PIECE: ReadonlyMap<string, number> = new Map(
  PIECES.map((piece, index) => [piece, BYTE_IDS + index]),
);
/** A word with its space, punctuation with its space, or one character. */
const CANDIDATE = /\n\n|\.\.\.|[,.:] | ?[A-Za-z]+|-sample|[\s\S]/gu;

/** Token ids of a text. Every text has one reading, and `textOf` gives it back. */
export function tokensOf(text: string): number[] {
  const ids: number[] = [];
  for (const [piece] of text.matchAll(CANDIDATE)) {
    const id = ID_OF_PIECE.get(piece);
    if (id !== undefined) ids.push(id);
    else for (const byte of Buffer.from(piece)) ids.push(byte);
  }
  return ids;
}

/** Bytes of one token. */
export function bytesOfToken(id: number): Buffer {
  return id < BYTE_IDS ? Buffer.of(id) : Buffer.from(PIECES[id - BYTE_IDS] ?? "");
}

export function textOf(ids: readonly number[]): string {
  return Buffer.concat(ids.map(bytesOfToken)).toString("utf8");
}

/**
 * How many tokens a text counts as in `usage`: its words and marks. Byte pieces would make every rare word look like
 * a dozen tokens, which no customer of a real model sees.
 */
export function countTokens(text: string): number {
  return text.match(/\w{1,8}|[^\w\s]/gu)?.length ?? 0;
}
