import { WechatH5Error } from './errors.js';
import { shutDown } from './gateway-errors.js';

/** How many calls may wait for their turn. More would only be late. */
const MAX_WAITING = 1000;
/** Refusals that arrive within this time tell of one and the same excess. */
const ONE_EXCESS_MS = 1000;
/** From a standstill back to the full rate. */
const RECOVERY_MS = 60_000;
/** What calls in the background leave to the others. */
const RESERVED = 0.2;

interface Waiting {
  readonly deadline: number;
  readonly go: () => void;
  readonly refuse: (error: WechatH5Error) => void;
}

/**
 * A token bucket: so many calls a second, and a second's worth at once. Halved when WeChat Pay says that there were too
 * many, and grown back little by little (additive increase, multiplicative decrease).
 */
export class CallRate {
  readonly #most: number;
  readonly #now: () => number;
  #rate: number;
  #tokens: number;
  #refilledAt: number;
  #slowedAt = -Infinity;
  #waiting: Waiting[] = [];
  #background: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;
  #ended: 'nobody' | 'background' | 'everybody' = 'nobody';

  constructor(perSecond: number, now: () => number = () => performance.now()) {
    this.#most = perSecond;
    this.#rate = perSecond;
    this.#tokens = perSecond;
    this.#now = now;
    this.#refilledAt = now();
  }

  /** Calls a second, right now. */
  get perSecond(): number {
    this.#refill();
    return this.#rate;
  }

  /** What of it calls in the background may take. */
  get backgroundPerSecond(): number {
    return this.perSecond * (1 - RESERVED);
  }

  /**
   * Waits for a turn; first come, first served. Calls in the background come after all others, and leave them a fifth.
   * @param deadline on the clock of `performance.now()`
   * @throws {WechatH5Error} `RATE_LIMITED` when the turn would not come in time: at once where that is known.
   *   `GATEWAY_UNREACHABLE` after {@link end}
   */
  async turn(deadline: number, { isBackground = false } = {}): Promise<void> {
    this.#refill();
    const queue = isBackground ? this.#background : this.#waiting;
    const ahead = this.#waiting.length + (isBackground ? this.#background.length : 0);
    const kept = isBackground ? this.#reserve() : 0;
    if (ahead === 0 && this.#tokens >= 1 + kept) {
      this.#tokens--;
      return;
    }
    if (this.#ended === 'everybody' || (isBackground && this.#ended === 'background')) throw shutDown();
    const wait = (ahead + 1 + kept - this.#tokens) * (1000 / this.#rate);
    if (queue.length >= MAX_WAITING || this.#now() + wait > deadline) throw rateLimited(this.#rate);
    await new Promise<void>((go, refuse) => {
      queue.push({ deadline, go, refuse });
      this.#schedule();
    });
  }

  /** Who waits is refused, and who would have to wait from now on: calls in the background, or all. */
  end(whom: 'background' | 'everybody'): void {
    this.#ended = whom;
    const refused = this.#background.splice(0);
    if (whom === 'everybody') refused.push(...this.#waiting.splice(0));
    for (const { refuse } of refused) refuse(shutDown());
    if (this.#waiting.length > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** WeChat Pay refused a call for its frequency. */
  halve(): void {
    this.#refill();
    if (this.#now() - this.#slowedAt < ONE_EXCESS_MS) return;
    this.#slowedAt = this.#now();
    this.#rate = Math.max(Math.min(1, this.#most), this.#rate / 2);
    this.#tokens = 0;
  }

  #refill(): void {
    const elapsed = Math.max(0, this.#now() - this.#refilledAt);
    this.#refilledAt += elapsed;
    this.#rate = Math.min(this.#most, this.#rate + (elapsed / RECOVERY_MS) * this.#most);
    this.#tokens = Math.min(Math.max(1, this.#rate), this.#tokens + (elapsed / 1000) * this.#rate);
  }

  /** Never more than there can be: at the lowest rate there is nothing to keep. */
  #reserve(): number {
    return Math.min(RESERVED * this.#rate, Math.max(1, this.#rate) - 1);
  }

  #schedule(): void {
    const [first = this.#background[0]] = this.#waiting;
    if (this.#timer !== undefined || first === undefined) return;
    const needed = this.#waiting.length > 0 ? 1 : 1 + this.#reserve();
    const next = Math.min((needed - this.#tokens) * (1000 / this.#rate), first.deadline - this.#now());
    this.#timer = setTimeout(() => this.#serve(), Math.max(1, Math.ceil(next)));
  }

  #serve(): void {
    this.#timer = undefined;
    this.#refill();
    this.#waiting = this.#inTime(this.#waiting);
    this.#background = this.#inTime(this.#background);
    while (this.#waiting.length > 0 && this.#tokens >= 1) {
      this.#tokens--;
      this.#waiting.shift()?.go();
    }
    while (this.#waiting.length === 0 && this.#background.length > 0 && this.#tokens >= 1 + this.#reserve()) {
      this.#tokens--;
      this.#background.shift()?.go();
    }
    this.#schedule();
  }

  /** The rate may have been halved since they were let in. */
  #inTime(calls: Waiting[]): Waiting[] {
    const now = this.#now();
    return calls.filter((call) => {
      if (call.deadline > now) return true;
      call.refuse(rateLimited(this.#rate));
      return false;
    });
  }
}

export function rateLimited(perSecond: number): WechatH5Error {
  return new WechatH5Error(
    'RATE_LIMITED',
    `The call would have had to wait longer than its deadline: ${perSecond.toFixed(1)} calls a second may be made`,
    {
      field: 'http.callsPerSecond',
      hint:
        'Nothing was sent: call again later. If your quota is higher, raise http.callsPerSecond; after FREQUENCY_LIMITED the rate is halved and recovers within a minute. ' +
        '请求未发送，请稍后重试；若配额更高，请调大 http.callsPerSecond。',
    },
  );
}
