// Kinds of setting that several sections share.
import { isIP } from "node:net";
import { z } from "zod";

/** Where a server listens. Port 0 lets the operating system choose. */
export interface Listen {
  readonly host: string;
  readonly port: number;
}

/** Where a secret is kept. The configuration names the place and never holds the secret itself. */
export type SecretReference = { readonly env: string } | { readonly file: string };

/** A whole number between two named limits. */
export function whole(
  minimum: number,
  maximum: number,
  standard: number,
  description: string,
): z.ZodDefault<z.ZodNumber> {
  return z.number().int().min(minimum).max(maximum).default(standard).meta({ description });
}

export function listen(
  port: number,
  what: string,
): z.ZodPrefault<z.ZodType<Listen, { host?: string | undefined; port?: number | undefined }>> {
  return z
    .strictObject({
      host: z.string().min(1).max(255).default("127.0.0.1").meta({
        description:
          "Address or name to bind. The loopback address by default: nothing is open to a network unless you say so.",
      }),
      port: whole(0, 65_535, port, "TCP port; 0 lets the operating system choose."),
    })
    .prefault({})
    .meta({ description: what });
}

export const httpUrl: z.ZodType<string, string> = z
  .string()
  .max(2048)
  .refine((text) => isPlainHttpUrl(text), {
    error: "expected an http:// or https:// URL without a user name, password, query or fragment",
  });

function isPlainHttpUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  const http = url.protocol === "http:" || url.protocol === "https:";
  return http && url.username === "" && url.password === "" && url.search === "" && url.hash === "";
}

/** An address block such as `10.0.0.0/8`, or one address. */
export const addressBlock: z.ZodType<string, string> = z.string().refine((text) => isAddressBlock(text), {
  error: "expected an IP address or a block such as 10.0.0.0/8",
});

function isAddressBlock(text: string): boolean {
  const [address = "", prefix, ...rest] = text.split("/");
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  if (prefix === undefined) return true;
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128);
}

export const headerName: z.ZodType<string, string> = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,127}$/, "expected a header name in lower case");

export const secretReference: z.ZodType<SecretReference, SecretReference> = z.union(
  [
    z.strictObject({ env: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/) }),
    z.strictObject({ file: z.string().min(1).max(4096) }),
  ],
  { error: "expected { env: NAME } or { file: PATH }, never the secret itself" },
);
