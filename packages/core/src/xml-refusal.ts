import { quoted } from './errors.js';

/** Why a document is outside the dialect. */
export interface RefusedXml {
  readonly ok: false;
  /** Says the byte offset, what was expected and what was found there; nothing of a value. */
  readonly reason: string;
}

/** How much is shown of what was found where markup has to be. */
export const MARKUP_SHOWN = 40;

/**
 * What stands at a position: a piece of markup or one character, since more could be somebody's data.
 * @param shown at most so many bytes
 */
export function foundAt(input: Buffer, at: number, length: number, shown: number): string {
  if (at >= length) return 'the end';
  const following = input.toString('latin1', at, Math.min(at + shown, length));
  const [printable] = /^(?:<[!?/]?[A-Za-z_][A-Za-z0-9_.-]*|[\x20-\x7e])/.exec(following) ?? [];
  if (printable !== undefined) return quoted(printable);
  return `byte 0x${following.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

/** The position of the first byte that decoding replaces, found by halving. */
export function invalidUtf8At(input: Buffer, length: number): number {
  const repaired = Buffer.from(input.toString('utf8', 0, length));
  let same = 0;
  let different = length;
  while (different - same > 1) {
    const middle = (same + different) >> 1;
    if (input.compare(repaired, same, middle, same, middle) === 0) same = middle;
    else different = middle;
  }
  return same;
}
