import { randomFillSync } from 'node:crypto';

const NONCES = Buffer.alloc(16 * 256);
let next = NONCES.byteLength;

/** 32 hexadecimal characters from the system's generator, drawn in batches because each draw is a system call. */
export function nonce(): string {
  if (next === NONCES.byteLength) {
    randomFillSync(NONCES);
    next = 0;
  }
  next += 16;
  return NONCES.toString('hex', next - 16, next);
}
