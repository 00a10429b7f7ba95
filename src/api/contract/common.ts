// What the shapes of every subject have in common: kinds of field, pages, and how the API says no.
import { z } from "zod";

/** Longest page of any list, in rows. */
export const PAGE_ROWS_MAX = 200;
/** Deepest page of any list: a person who needs more than this narrows the filter instead. */
export const PAGE_MAX = 1_000;

export type Direction = "asc" | "desc";

export const time: z.ZodType<string> = z.iso.datetime();
export const count: z.ZodType<number> = z.number().int().nonnegative();
export const optionalText: z.ZodOptional<z.ZodString> = z.string().max(200).optional();
export const maybeText: z.ZodType<string | null> = z.string().nullable();
export const maybeTime: z.ZodType<string | null> = time.nullable();
export const maybeCount: z.ZodType<number | null> = count.nullable();
/** Several fields of one type. The cast is sound: `fromEntries` makes exactly the names it is given. */
export const all = <Name extends string, Type>(type: Type, ...names: Name[]): Record<Name, Type> =>
  Object.fromEntries(names.map((name) => [name, type])) as Record<Name, Type>;

/** What a client asks of a list. Query strings arrive as text, hence the coercions. */
export type Paging = { page: number; limit: number };
export const paging: Record<keyof Paging, z.ZodDefault<z.ZodCoercedNumber>> = {
  page: z.coerce.number().int().min(1).max(PAGE_MAX).default(1),
  limit: z.coerce.number().int().min(1).max(PAGE_ROWS_MAX).default(50),
};
export const direction: z.ZodDefault<z.ZodType<Direction, Direction>> = z
  .enum(["asc", "desc"])
  .default("desc");

export type Page<Item> = { items: Item[]; total: number; page: number; limit: number };
export const pageOf = <Item>(item: z.ZodType<Item>): z.ZodType<Page<Item>> =>
  z.object({ items: z.array(item), total: count, page: count, limit: count });

export type ApiErrorBody = { error: { code: string; message: string; requestId: string } };
export const apiError: z.ZodType<ApiErrorBody> = z.object({
  error: z.object({ code: z.string(), message: z.string(), requestId: z.string() }),
});
