// The headers of every answer: what a browser may do with it, which is as little as the console needs.

/**
 * Scripts, styles and requests only from here; no frames, no plugins, no forms elsewhere. `require-trusted-types-for`
 * makes Chromium refuse to turn strings into HTML; the console's one policy, `default`, allows none.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "form-action 'self'",
  "require-trusted-types-for 'script'",
  "trusted-types default",
].join("; ");

const HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": CONTENT_SECURITY_POLICY,
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
};

/** Where the console is reached over TLS, browsers keep to it for a year. */
const STRICT_TRANSPORT = "max-age=31536000";

export function applySecurityHeaders(headers: Headers, { overTls }: { overTls: boolean }): void {
  for (const [name, value] of Object.entries(HEADERS)) headers.set(name, value);
  if (overTls) headers.set("strict-transport-security", STRICT_TRANSPORT);
  if (!headers.has("cache-control")) headers.set("cache-control", "no-store");
}
