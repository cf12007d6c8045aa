import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { SimulatorReady, SimulatorRequest } from './simulator-program.js';

/** The simulated WeChat Pay, in a process that nobody strikes. */
export class SimulatorProcess {
  readonly ready: SimulatorReady;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  #count = 0;

  private constructor(child: ChildProcess, ready: SimulatorReady) {
    this.#child = child;
    this.ready = ready;
    child.on('message', ({ id, result, error }: { id: number; result?: unknown; error?: string }) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) waiting?.resolve(result);
      else waiting?.reject(new Error(error));
    });
    child.once('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the simulator has ended'));
    });
  }

  static async start(program: string): Promise<SimulatorProcess> {
    const child = fork(program, [], { execArgv: [] });
    const [ready] = (await once(child, 'message')) as [SimulatorReady];
    return new SimulatorProcess(child, ready);
  }

  ask<T = void>(request: SimulatorRequest): Promise<T> {
    const id = ++this.#count;
    return new Promise<T>((resolve, reject) => {
      if (!this.#child.connected) return reject(new Error('the simulator has ended'));
      this.#waiting.set(id, { resolve: (result) => resolve(result as T), reject });
      this.#child.send({ id, request });
    });
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }
}
