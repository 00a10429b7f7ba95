// Stands in for node:buffer in a browser: the well-known package, with the one encoding that it lacks.
import { Buffer as PackagedBuffer } from "buffer/";

const { from } = PackagedBuffer;
const packagedToString = PackagedBuffer.prototype.toString;

function fromUrlSafe(text: string): string {
  return text.replaceAll("-", "+").replaceAll("_", "/");
}

function toUrlSafe(text: string): string {
  return text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

PackagedBuffer.from = ((value: unknown, encoding?: unknown, ...rest: unknown[]) =>
  encoding === "base64url"
    ? Reflect.apply(from, PackagedBuffer, [fromUrlSafe(String(value)), "base64"])
    : Reflect.apply(from, PackagedBuffer, [value, encoding, ...rest])) as typeof from;

PackagedBuffer.prototype.toString = function (this: PackagedBuffer, encoding?: string, ...rest: number[]) {
  return encoding === "base64url"
    ? toUrlSafe(Reflect.apply(packagedToString, this, ["base64", ...rest]) as string)
    : (Reflect.apply(packagedToString, this, [encoding, ...rest]) as string);
} as typeof packagedToString;

export { PackagedBuffer as Buffer };
