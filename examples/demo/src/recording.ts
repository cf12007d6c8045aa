export interface Waiting {
  /** Which of the matching items: 1, the first, unless given. */
  readonly count?: number;
  /** Milliseconds. Default 10,000. */
  readonly within?: number;
}

/** What one side saw, in the order in which it saw it. */
export class Recording<Item> {
  readonly #items: Item[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #subscribers = new Set<(item: Item) => void>();
  #failure: Error | undefined;

  add(item: Item): void {
    this.#items.push(item);
    for (const subscriber of this.#subscribers) subscriber(item);
    this.#look();
  }

  /** Nothing will be added any more, and whoever waits is told why. */
  fail(reason: Error): void {
    this.#failure ??= reason;
    this.#look();
  }

  list(): readonly Item[] {
    return [...this.#items];
  }

  /** Calls `subscriber` with everything that is recorded from now on. */
  subscribe(subscriber: (item: Item) => void): void {
    this.#subscribers.add(subscriber);
  }

  /**
   * The first item that matches, now or as soon as it is recorded.
   *
   * @param what for the error's message
   * @throws {Error} when there is none in time, or never will be
   */
  when(what: string, matches: (item: Item) => boolean, { count = 1, within = 10_000 }: Waiting = {}): Promise<Item> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
      };
      const look = (): void => {
        const found = this.#items.filter(matches)[count - 1];
        if (found === undefined && this.#failure === undefined) return;
        end();
        if (found === undefined) reject(this.#failure as Error);
        else resolve(found);
      };
      const timer = setTimeout(() => {
        end();
        reject(new Error(`not within ${within} ms: ${what}`));
      }, within);
      this.#waiting.add(look);
      look();
    });
  }

  #look(): void {
    for (const look of this.#waiting) look();
  }
}
