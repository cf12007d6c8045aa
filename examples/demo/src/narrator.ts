import type { SimulatorEvent } from '@wechat-h5/simulator';
import type { Comparison, Side } from './comparison.js';

/** Where lines go, and whether colour may go with them. */
export interface Terminal {
  readonly write: (text: string) => void;
  readonly colour: boolean;
}

/** The simulator also plays somebody who is not WeChat Pay. */
export type Speaker = Side | 'forger';

/** One message of the payment, as whoever got it wrote it down. */
export interface Line {
  readonly from: Speaker;
  readonly to: Speaker;
  readonly chinese: string;
  readonly english: string;
  readonly facts: readonly (readonly [name: string, value: string | number | undefined])[];
}

const NAMES: Readonly<Record<Speaker, readonly [chinese: string, english: string]>> = {
  phone: ['手机', 'phone'],
  shop: ['商户', 'shop'],
  wechat: ['微信', 'WeChat Pay'],
  forger: ['伪造者', 'forger'],
};
const INDENT = ' '.repeat(5);
const NAME_WIDTH = 18;
const LONGEST_VALUE = 44;

/** Tells the payment in a terminal, Chinese first, English beside it. */
export class Narrator {
  readonly #terminal: Terminal;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  heading(chinese: string, english: string): void {
    this.#print('', `${this.#paint(1, chinese)}  ${english}`);
  }

  remark(chinese: string, english: string): void {
    this.#print(`${INDENT}${this.#paint(2, `${chinese} ${english}`)}`);
  }

  address(side: Side, address: string, remark = ''): void {
    this.#print(
      `${INDENT}${padded(NAMES[side].join(' '), NAME_WIDTH)}${address}${this.#paint(2, remark && `  ${remark}`)}`,
    );
  }

  /** @param step the number in the guide, or a mark for what is not in it */
  line(step: string, { from, to, chinese, english, facts }: Line): void {
    const way = `${NAMES[from][0]} → ${NAMES[to][0]}`;
    const englishWay = `${NAMES[from][1]} → ${NAMES[to][1]}`;
    this.#print('', `${this.#paint(32, step.padStart(3))}  ${this.#paint(1, `${way}  ${chinese}`)}`);
    this.#print(`${INDENT}${englishWay}: ${english}`);
    for (const [name, value] of facts) {
      if (value !== undefined) this.#print(`${INDENT}${this.#paint(36, padded(name, NAME_WIDTH))}${value}`);
    }
  }

  comparison({ fact, values, agree }: Comparison): void {
    const mark = agree ? this.#paint(32, '✓') : this.#paint(31, '✗');
    const [[, value] = []] = values;
    const sides = [...new Set(values.map(([side]) => NAMES[side].join(' ')))].join(' = ');
    this.#print(`  ${mark}  ${padded(fact, 30)}${agree ? `${clipped(value)}  ${this.#paint(2, sides)}` : ''}`);
    if (agree) return;
    for (const [side, seen] of values) this.#print(`${INDENT}${padded(NAMES[side].join(' '), 30)}${seen ?? '–'}`);
  }

  verdict(good: boolean, chinese: string, english: string): void {
    this.#print('', this.#paint(good ? 32 : 31, `${chinese}  ${english}`));
  }

  /** What happens while nobody tells a story: each exchange with WeChat Pay in one line, by how it ended. */
  event({ at, type, operation, outTradeNo, verdict, reason }: SimulatorEvent): void {
    if (!type.endsWith('.reply')) return;
    const words = [operation, outTradeNo, verdict, reason].filter((word) => word !== undefined);
    this.#print(`${INDENT}${this.#paint(2, at.toTimeString().slice(0, 8))}  ${words.join('  ')}`);
  }

  #print(...lines: string[]): void {
    for (const line of lines) this.#terminal.write(`${line}\n`);
  }

  #paint(code: number, text: string): string {
    return this.#terminal.colour && text !== '' ? `\u001b[${code}m${text}\u001b[0m` : text;
  }
}

/** Of a long value the end: that is where links differ. */
function clipped(value = ''): string {
  return value.length > LONGEST_VALUE ? `…${value.slice(1 - LONGEST_VALUE)}` : value;
}

/** Chinese characters and their punctuation take two columns. */
function padded(text: string, width: number): string {
  const columns = [...text].reduce(
    (sum, character) => sum + (/[\u2e80-\u9fff\uff00-\uff60]/.test(character) ? 2 : 1),
    0,
  );
  return text + ' '.repeat(Math.max(1, width - columns));
}
