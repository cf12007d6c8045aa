import { BLOCK_BYTES } from './req-info.js';

/** A `req_info` and what is known to stand in it. */
export interface SealedText {
  readonly text: string;
  readonly reqInfo: string;
}

/** In alphabetical order all numbers of a refund end here, and its status comes after. */
const END_OF_NUMBERS = '</refund_id>';

/**
 * Makes, without any key, a `req_info` that nobody enciphered: the blocks of `front` with its numbers and amount,
 * then those of `back` with its status, total and transaction. Who knows the layout and how long the numbers are
 * knows where to cut.
 *
 * @throws {RangeError} when the numbers before the cut end in different places of a block
 */
export function splice(front: SealedText, back: SealedText): string {
  const frontEnd = endOfNumbers(front);
  const shift = endOfNumbers(back) - frontEnd;
  if (shift % BLOCK_BYTES !== 0) {
    throw new RangeError('the two do not fit: out_trade_no, out_refund_no and refund_fee must be equally long in both');
  }
  const cut = Math.ceil(frontEnd / BLOCK_BYTES) * BLOCK_BYTES;
  const blocks = [
    Buffer.from(front.reqInfo, 'base64').subarray(0, cut),
    Buffer.from(back.reqInfo, 'base64').subarray(cut + shift),
  ];
  return Buffer.concat(blocks).toString('base64');
}

function endOfNumbers({ text }: SealedText): number {
  return Buffer.from(text, 'utf8').indexOf(END_OF_NUMBERS) + END_OF_NUMBERS.length;
}
