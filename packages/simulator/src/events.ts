/** What the simulator recorded of one message that reached or left one of its own sockets. */
export interface SimulatorEvent {
  /** 1, 2, 3 … in the order of recording. */
  readonly number: number;
  readonly at: Date;
  /**
   * - `gateway.request`, `gateway.reply`: the merchant's server called `/pay/…` and was answered.
   * - `cashier.request`, `cashier.reply`: a browser opened the middle page, or pressed something on the cashier.
   * - `notification.request`, `notification.reply`: a notification left for `notify_url`; what came back, or that nothing did.
   */
  readonly type:
    | 'gateway.request'
    | 'gateway.reply'
    | 'cashier.request'
    | 'cashier.reply'
    | 'notification.request'
    | 'notification.reply';
  /** `unifiedorder`, `orderquery`, `closeorder`, `refundquery`…; `open`, `cashier`, `pay`, `insufficient`, `leave`, `cancel`, `account`, `outcome`; `notify`. */
  readonly operation: string;
  /** The other end: an address and port for what reached us, the URL for what we sent. */
  readonly peer: string;
  /** The order concerned, also where the message names it by another number. */
  readonly outTradeNo?: string;
  /** When the message is about one refund. */
  readonly outRefundNo?: string;
  /** The message's XML fields as strings, or the form's or query's; absent when there was nothing to read. */
  readonly fields?: Readonly<Record<string, string>>;
  /** HTTP status of a reply; absent when the connection was dropped or failed. */
  readonly status?: number;
  /**
   * How the message was judged. Gateway reply: `SUCCESS` or the official error code. Cashier reply: `OK` or the code
   * of the refusal. Notification request: `payment`, `refund` or `forged`; its reply: `acknowledged` or `refused`.
   */
  readonly verdict?: string;
  /** Why, in words, when it is not plain success. */
  readonly reason?: string;
}

export type NewEvent = Omit<SimulatorEvent, 'number' | 'at'>;

/** The running record of the simulator's traffic; the oldest are forgotten beyond 10,000. */
export interface SimulatorEvents {
  list(): readonly SimulatorEvent[];
  /** Calls `listener`, which must not throw, for every event from now on. Returns the function that ends the subscription. */
  subscribe(listener: (event: SimulatorEvent) => void): () => void;
}

const KEPT_EVENTS = 10_000;

export class EventLog implements SimulatorEvents {
  readonly #now: () => Date;
  readonly #listeners = new Set<(event: SimulatorEvent) => void>();
  #events: SimulatorEvent[] = [];
  #count = 0;

  constructor(now: () => Date) {
    this.#now = now;
  }

  record(event: NewEvent): void {
    const recorded: SimulatorEvent = Object.freeze({ number: ++this.#count, at: this.#now(), ...event });
    this.#events.push(recorded);
    // Trimmed in blocks: cutting one off the front of a long array for every event would cost more than it frees.
    if (this.#events.length >= KEPT_EVENTS * 2) this.#events = this.#events.slice(-KEPT_EVENTS);
    for (const listener of this.#listeners) listener(recorded);
  }

  list(): readonly SimulatorEvent[] {
    return this.#events.slice(-KEPT_EVENTS);
  }

  subscribe(listener: (event: SimulatorEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
