import { parseIpAddress } from './ip-address.js';

const MINUTE_MS = 60_000;
/** More addresses than this within a minute is an attack from everywhere: the oldest are forgotten. */
const MAX_ADDRESSES = 20_000;

interface Bucket {
  tokens: number;
  at: number;
}

/** So many orders a minute from one address, and that many at once: one token bucket for each. */
export class OrderRate {
  readonly #perMinute: number;
  readonly #now: () => number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(perMinute: number, now: () => number = () => performance.now()) {
    this.#perMinute = perMinute;
    this.#now = now;
  }

  /** @returns 0: go ahead; otherwise in how many seconds, rounded up, to come again */
  take(ip: string): number {
    const key = networkOf(ip);
    const now = this.#now();
    const { tokens, at } = this.#buckets.get(key) ?? { tokens: this.#perMinute, at: now };
    const refilled = Math.min(this.#perMinute, tokens + ((now - at) / MINUTE_MS) * this.#perMinute);
    const granted = refilled >= 1;
    // Taken out and put back: the map's order is that of the last visit.
    this.#buckets.delete(key);
    this.#buckets.set(key, { tokens: granted ? refilled - 1 : refilled, at: now });
    this.#forget(now);
    return granted ? 0 : Math.ceil(((1 - refilled) * MINUTE_MS) / this.#perMinute / 1000);
  }

  /** Whoever has not come for a minute has a full bucket again: as if never seen. */
  #forget(now: number): void {
    for (const [key, { at }] of this.#buckets) {
      if (this.#buckets.size <= MAX_ADDRESSES && now - at < MINUTE_MS) return;
      this.#buckets.delete(key);
    }
  }
}

/** One subscriber has a whole /64 of IPv6. */
function networkOf(ip: string): string {
  const address = parseIpAddress(ip);
  return address?.family === 6 ? `${address.groups.slice(0, 4).join(':')}::/64` : ip;
}
