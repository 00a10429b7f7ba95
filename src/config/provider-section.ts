// The identity provider through which people may sign in to the console (OpenID Connect).
import { isIP } from "node:net";
import { z } from "zod";
import { ROLES, type Role } from "../core/role.ts";
import { httpUrl, type SecretReference, secretReference } from "./fields.ts";

export interface ProviderConfig {
  readonly issuer: string;
  /** What people call it: the console's button says so. */
  readonly label: string;
  readonly clientId: string;
  readonly clientSecret: SecretReference | null;
  readonly scope: string;
  readonly nameClaim: string;
  readonly roleClaim: string;
  readonly roles: readonly { readonly value: string; readonly role: Role }[];
  readonly defaultRole: Role | null;
}

const claim = z.string().min(1).max(128);

/** Over plain HTTP anybody on the way could sign in as anybody. */
const issuerUrl = httpUrl.refine((text) => text.startsWith("https:") || isLoopback(new URL(text).hostname), {
  error: "expected an https:// URL (http:// only on this machine)",
});

function isLoopback(host: string): boolean {
  const address = host.replace(/^\[(.*)\]$/, "$1");
  return host === "localhost" || address === "::1" || (isIP(address) === 4 && address.startsWith("127."));
}

export const providerSection: z.ZodDefault<z.ZodNullable<z.ZodType<ProviderConfig, object>>> = z
  .strictObject({
    issuer: issuerUrl.meta({
      description: "Issuer URL of the OpenID provider; its metadata is found from there.",
    }),
    label: z
      .string()
      .min(1)
      .max(64)
      .default("single sign-on")
      .meta({ description: "What people call it; the sign-in page says “Sign in with” and this." }),
    clientId: z.string().min(1).max(512).meta({ description: "Client id that the provider gave." }),
    clientSecret: secretReference.nullable().default(null).meta({
      description: "Where the client's secret is kept. `null`: a public client, held by PKCE alone.",
    }),
    scope: z.string().min(1).max(512).default("openid email profile").meta({
      description: "Scopes that are asked for; `openid` must be among them.",
    }),
    nameClaim: claim.default("email").meta({
      description:
        "Claim that names the user here. A person stays bound to the user of their first sign-in, whatever the claim says later.",
    }),
    roleClaim: claim.default("groups").meta({
      description: "Claim that decides the role: a text or a list of texts.",
    }),
    roles: z
      .array(z.strictObject({ value: z.string().min(1).max(512), role: z.enum(ROLES) }))
      .max(200)
      .default([])
      .meta({
        description: "Which value of that claim gives which role. The highest of those that match holds.",
      }),
    defaultRole: z.enum(ROLES).nullable().default(null).meta({
      description: "Role of people for whom no value matches. `null`: they can't sign in.",
    }),
  })
  .nullable()
  .default(null)
  .meta({
    description:
      "OpenID Connect: people sign in with the organisation's own accounts. Needs `console.publicUrl`; register `<publicUrl>/api/sign-in/provider/callback` as the redirect URI.",
  });
