// Small facts that processes leave for each other, such as where the console listens or how far detection came.
import type { z } from "zod";
import { canonicalJson } from "../core/canonical-json.ts";
import { StateError } from "./errors.ts";
import { parseName } from "./facts.ts";
import { StatePart } from "./part.ts";

/** A setting is small; what is larger belongs in a table of its own. */
const MAX_SETTING_CHARACTERS = 64 * 1024;

export class Settings extends StatePart {
  /** The value if it is there and has the shape; else null. */
  async get<T>(name: string, shape: z.ZodType<T>): Promise<T | null> {
    const row = await this.db
      .selectFrom("settings")
      .select("value")
      .where("name", "=", name)
      .executeTakeFirst();
    if (row === undefined) return null;
    const parsed = shape.safeParse(JSON.parse(row.value));
    return parsed.success ? parsed.data : null;
  }

  /** Any JSON value. @throws StateError `invalid-fact` */
  async set(name: string, setting: unknown): Promise<void> {
    const value = canonicalJson(setting);
    if (value.length > MAX_SETTING_CHARACTERS) {
      throw new StateError(
        "invalid-fact",
        `setting ${name}: expected at most ${MAX_SETTING_CHARACTERS} characters`,
      );
    }
    const updated_ms = this.now();
    await this.db
      .insertInto("settings")
      .values({ name: parseName(name, "setting"), value, updated_ms })
      .onConflict((conflict) => conflict.column("name").doUpdateSet({ value, updated_ms }))
      .execute();
  }
}
