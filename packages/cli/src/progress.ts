import type { Language } from './language.js';
import type { Terminal } from './terminal.js';

const WIDTH = 24;
const BLOCK = 6;
const EVERY_MS = 100;

/**
 * A bar on a terminal's stderr, for work whose end nobody knows: how long a bill is, WeChat Pay does not say. It moves
 * while rows come and while they do not. Nothing is written where stderr is no terminal.
 */
export class Progress {
  readonly #stderr: Terminal['stderr'];
  readonly #language: Language;
  readonly #began = performance.now();
  readonly #timer: NodeJS.Timeout | undefined;
  #rows = 0;
  #step = 0;

  constructor({ stderr, env }: Terminal, language: Language, wanted: boolean) {
    this.#stderr = stderr;
    this.#language = language;
    if (!wanted || stderr.isTTY !== true || env['TERM'] === 'dumb') return;
    this.#draw();
    this.#timer = setInterval(() => this.#draw(), EVERY_MS);
  }

  /** Counts what passes. */
  async *over<Item>(items: AsyncIterable<Item>): AsyncGenerator<Item, void, undefined> {
    for await (const item of items) {
      this.#rows += 1;
      yield item;
    }
  }

  /** How many rows have passed. */
  get rows(): number {
    return this.#rows;
  }

  /** Clears the line: what is written next stands in its place. */
  end(): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#stderr.write('\r\x1b[K');
  }

  #draw(): void {
    const room = WIDTH - BLOCK;
    // There and back.
    const at = room - Math.abs((this.#step++ % (2 * room)) - room);
    const bar = `${' '.repeat(at)}${'█'.repeat(BLOCK)}${' '.repeat(room - at)}`;
    const rows = this.#rows.toLocaleString('en');
    const seconds = Math.floor((performance.now() - this.#began) / 1000);
    const text = this.#language === 'zh' ? `${rows} 行  ${seconds} 秒` : `${rows} rows  ${seconds} s`;
    const line = `[${bar}] ${text}`;
    this.#stderr.write(`\r${line.slice(0, (this.#stderr.columns ?? 80) - 1)}\x1b[K`);
  }
}
