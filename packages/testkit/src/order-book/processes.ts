import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { BookProgram } from './harness.js';
import type { Job } from './worker.js';

const running = new Set<ChildProcess>();
// Whatever ends the tests, none may outlive them.
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A process of its own that holds a book. */
export class BookProcess {
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;
  readonly #gone: Promise<unknown>;
  /** What it has committed, as it said itself. */
  readonly done: string[] = [];

  private constructor(program: BookProgram) {
    const loaders = ['-C', '@wechat-h5/source', '--import', 'tsx'];
    this.#child = spawn(process.execPath, [...loaders, join(__dirname, 'worker.ts'), JSON.stringify(program)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    running.add(this.#child);
    this.#gone = once(this.#child, 'close').finally(() => running.delete(this.#child));
    const { stdout } = this.#child;
    if (stdout === null) throw new Error('no pipe');
    this.#answers = createInterface({ input: stdout })[Symbol.asyncIterator]();
  }

  static async start(program: BookProgram): Promise<BookProcess> {
    const started = new BookProcess(program);
    await started.#answer();
    return started;
  }

  /** Starts several at the same time. */
  static startAll(program: BookProgram, count: number): Promise<BookProcess[]> {
    return Promise.all(Array.from({ length: count }, () => BookProcess.start(program)));
  }

  /** @returns what came of it; rejects with what the job threw, or when the process is gone */
  async run<T>(job: Job): Promise<T> {
    this.#child.stdin?.write(`${JSON.stringify(job)}\n`);
    const answer = await this.#answer();
    if ('error' in answer) throw new Error(String(answer['error']));
    return answer['result'] as T;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** kill -9. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#gone;
  }

  async #answer(): Promise<Record<string, unknown>> {
    for (;;) {
      const { value, done } = await this.#answers.next();
      if (done === true) throw new Error('the process is gone');
      const message = JSON.parse(value) as Record<string, unknown>;
      if (typeof message['done'] !== 'string') return message;
      this.done.push(message['done']);
    }
  }
}
