// Makes the browser refuse every string that would become HTML, so that no bug in this page can turn a prompt into markup.

interface PolicyFactory {
  createPolicy(name: string, rules: { createHTML(text: string): string }): unknown;
}

/**
 * The server's policy allows one policy, named "default". It lets the empty string through, with which React Aria
 * clears its announcements to screen readers, and throws at everything else.
 */
export function lockDownHtml(): void {
  const factory = (globalThis as { trustedTypes?: PolicyFactory }).trustedTypes;
  factory?.createPolicy("default", {
    createHTML(text) {
      if (text === "") return text;
      throw new TypeError("expected no HTML from a string, got some");
    },
  });
}
