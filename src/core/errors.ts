// The base of every error Adyton throws on purpose: a stable code for programs, a sentence for people.

/**
 * One subclass a folder, with a closed union of codes. `message` has the form "expected X, got Y" or says what to do;
 * it never holds content, keys or salts. Every code is listed in docs/errors.md (a test holds the two together).
 */
export class AdytonError<Code extends string = string> extends Error {
  readonly code: Code;

  constructor(code: Code, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}
