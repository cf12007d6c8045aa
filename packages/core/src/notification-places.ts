import { WechatH5Error } from './errors.js';

/** A body takes milliseconds to read, a notification up to seconds to handle. */
const BODIES_PER_PLACE = 10;

/** How many notifications are worked on at the same time, so that a flood of them leaves the rest of the shop alive. */
export class NotificationPlaces {
  readonly #most: number;
  #taken = 0;
  readonly #reading = new Set<(error: WechatH5Error) => void>();

  constructor(most: number) {
    this.#most = most;
  }

  /**
   * A place, to be taken once the body is there and given back by {@link leave}.
   * @throws {WechatH5Error} `OVERLOADED`
   */
  enter(): void {
    if (this.#taken >= this.#most) {
      throw new WechatH5Error('OVERLOADED', `${this.#taken} notifications are being handled already`, {
        field: 'maxConcurrentNotifications',
        hint: 'FAIL was answered at once; WeChat Pay repeats. If they are genuine, onPaid is too slow: put slow work behind a queue.',
      });
    }
    this.#taken++;
  }

  /** Once for each place. */
  leave(): void {
    this.#taken--;
  }

  /**
   * A place among the bodies that are being read. Strangers can hold these without a signature, so nobody is
   * refused one: when there are too many, `giveUp` of the one that has been read the longest is called.
   * @returns gives it back
   */
  readonly enterReading = (giveUp: (error: WechatH5Error) => void): (() => void) => {
    const reading = this.#reading;
    reading.add(giveUp);
    if (reading.size > this.#most * BODIES_PER_PLACE) {
      const [oldest] = reading;
      if (oldest !== undefined) {
        reading.delete(oldest);
        oldest(tooManyBodies(reading.size));
      }
    }
    return () => void reading.delete(giveUp);
  };
}

function tooManyBodies(others: number): WechatH5Error {
  return new WechatH5Error('OVERLOADED', `${others} bodies are being read already, and this one came the longest ago`, {
    field: 'maxConcurrentNotifications',
    hint: 'Somebody opens notifications and does not send them. Limit connections per address in the proxy in front. 有大量未发送完的请求：请在前置代理中限制单个地址的连接数。',
  });
}
