// How a detector reads while others write: what an erasure overtook is read again, and the end of a run ends its statement.
import type { Store } from "../store/store.ts";
import type { Readable } from "./claims/claim.ts";
import { DetectError } from "./errors.ts";

/** What detection needs of a store. */
export type Source = Readable & Partial<Pick<Store, "erasures">>;

/** Requests to erase come one by one; a long row of them must not keep a detector reading for ever. */
const MAX_ATTEMPTS = 3;

/**
 * Runs `work` over what the store holds. Taking in goes on beside it: a statement sees whole inserts and nothing beyond
 * its present. But rows that were read before an account was erased, and become a claim after it, would bring its name
 * back for as long as the claim stands: then all is read again.
 * @throws what `work` throws; DetectError detector-overtaken
 */
export async function reading<T>(
  source: Source,
  work: (store: Readable) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work(asOfNow(source, signal));
    } catch (error) {
      const isOvertaken = error instanceof DetectError && error.code === "detector-overtaken";
      if (!isOvertaken || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}

/** The source, as long as no account is erased from it. */
function asOfNow(source: Source, signal: AbortSignal | undefined): Readable {
  const { erasures } = source;
  return {
    query: async <T>(...[sql, parameters, options]: Parameters<Readable["query"]>): Promise<T[]> => {
      const rows = await source.query<T>(sql, parameters, { ...options, signal });
      if (source.erasures === erasures) return rows;
      throw new DetectError("detector-overtaken", "expected no erasure while rows were read, got one");
    },
  };
}
