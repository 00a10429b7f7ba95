// People who use console and API: who they are here and what they may do.
import type { Selectable } from "kysely";
import { z } from "zod";
import { ROLES, type Role } from "../core/role.ts";
import type { Recorded } from "./accounts.ts";
import { StateError } from "./errors.ts";
import { parse } from "./facts.ts";
import { StatePart } from "./part.ts";
import type { UsersTable } from "./schema.ts";

export interface User {
  readonly name: string;
  readonly role: Role;
  readonly createdMs: number;
  readonly disabledMs: number | null;
}

const role: z.ZodType<Role> = z.enum(ROLES);

/** Users by name. A disabled user's sessions end at once. */
export class Users extends StatePart {
  async get(name: string): Promise<User | null> {
    const row = await this.db.selectFrom("users").selectAll().where("name", "=", name).executeTakeFirst();
    return row === undefined ? null : fromRow(row);
  }

  /** In the order of names; at most 1000. */
  async list(): Promise<User[]> {
    return (await this.db.selectFrom("users").selectAll().orderBy("name").limit(1000).execute()).map(fromRow);
  }

  /** Changes role or disables; sessions follow at once. @throws StateError `user-unknown` */
  async update(
    name: string,
    change: { role?: Role; disabled?: boolean },
    { record }: Recorded = {},
  ): Promise<User> {
    return await this.db.transaction().execute(async (transaction) => {
      const row = await transaction
        .selectFrom("users")
        .selectAll()
        .where("name", "=", name)
        .executeTakeFirst();
      if (row === undefined)
        throw new StateError("user-unknown", `expected a known user, got ${JSON.stringify(name)}`);
      const before = fromRow(row);
      const disabled = change.disabled ?? before.disabledMs !== null;
      const after: User = {
        ...before,
        role: parse(role, change.role ?? before.role, "role"),
        disabledMs: disabled ? (before.disabledMs ?? this.now()) : null,
      };
      await transaction
        .updateTable("users")
        .set({ role: after.role, disabled_ms: after.disabledMs })
        .where("name", "=", name)
        .execute();
      await record?.([
        { act: "user.changed", account: null, detail: { user: name, role: after.role, disabled } },
      ]);
      return after;
    });
  }
}

function fromRow(row: Selectable<UsersTable>): User {
  return {
    name: row.name,
    role: role.parse(row.role),
    createdMs: Number(row.created_ms),
    disabledMs: row.disabled_ms === null ? null : Number(row.disabled_ms),
  };
}
