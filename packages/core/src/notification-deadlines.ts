interface Waiting {
  readonly until: number;
  readonly giveUp: () => void;
}

/** Limits how long exchanges take, with one timer for all of them: most end long before, and each timer has its price. */
export class NotificationDeadlines {
  readonly #waiting = new Set<Waiting>();
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Infinity;

  /**
   * What the work comes to, also when it fails, or else what `late` says when it has not come to an end by then.
   * @param until by `performance.now()`
   */
  limit<T>(work: Promise<T>, until: number, otherwise: { failed: (error: unknown) => T; late: () => T }): Promise<T> {
    return new Promise((resolve) => {
      const waiting: Waiting = { until, giveUp: () => resolve(otherwise.late()) };
      this.#waiting.add(waiting);
      if (until < this.#timerAt) this.#setTimer(until);
      const end = (result: T): void => {
        this.#waiting.delete(waiting);
        resolve(result);
      };
      void work.then(end, (error: unknown) => end(otherwise.failed(error)));
    });
  }

  #setTimer(at: number): void {
    clearTimeout(this.#timer);
    this.#timerAt = at;
    // When all have ended it may still run: it keeps no process alive.
    this.#timer = setTimeout(() => this.#giveUpLate(), Math.max(0, at - performance.now())).unref();
  }

  #giveUpLate(): void {
    this.#timerAt = Infinity;
    // A timer counts whole milliseconds and may come a part of one early.
    const now = performance.now() + 1;
    let next = Infinity;
    for (const waiting of this.#waiting) {
      if (waiting.until > now) next = Math.min(next, waiting.until);
      else if (this.#waiting.delete(waiting)) waiting.giveUp();
    }
    if (next < this.#timerAt) this.#setTimer(next);
  }
}
