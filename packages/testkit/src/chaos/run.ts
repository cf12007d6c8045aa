import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Balancer } from './balancer.js';
import { check, type Violation } from './checker.js';
import type { History, LedgerEntry, StoredOrder } from './history.js';
import { readLedger } from './ledger.js';
import { attachOf, planOf, refundsOf, type PlannedOrder, type PlanSize } from './plan.js';
import { bundlePrograms, type Patch } from './programs.js';
import { reportOf, type Counts } from './report.js';
import { ShopProcess } from './shop-process.js';
import type { SimulatorRecord } from './simulator-program.js';
import { SimulatorProcess } from './simulator-process.js';
import type { ChaosStore, RunningStore } from './stores.js';
import { strike, type Watched } from './strike.js';
import type { OrderStanding, ShopReport } from './shop-program.js';

export interface ChaosOptions extends PlanSize {
  readonly store: ChaosStore;
  readonly patches?: readonly Patch[];
  /** How long everything may take to settle when the last blow has fallen. */
  readonly settleMs: number;
}

export interface ChaosResult {
  readonly history: History;
  readonly violations: readonly Violation[];
  readonly report: string;
}

const SHOPS = ['A', 'B', 'C'];
const LEASE_MS = 1000;
/** Of shop C, where the store's clock decides. */
const WRONG_CLOCK_MS = 10_000;
/** Between two orders. */
const PACE_MS = 200;
/** How late a notification is that is late. */
const LATE_MS = 3000;
/** How often the notification of an order comes that nobody knows, at least. */
const STRAYS = 4;
/** How often the store is used by others before the last look. */
const LATER = 60;

/** Runs three shops, WeChat Pay and a store, strikes them, waits until all is settled, and looks at what the witnesses say. */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const folder = mkdtempSync(join(tmpdir(), 'wechat-h5-chaos-'));
  const ends: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
  try {
    return await new Run(options, folder, ends).run();
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

class Run {
  readonly #options: ChaosOptions;
  readonly #folder: string;
  readonly #ends: (() => unknown)[];
  readonly #plan: ReturnType<typeof planOf>;
  readonly #orders: ReadonlyMap<string, PlannedOrder>;
  readonly #watched = new Set<Watched>();
  readonly #counts: Counts = { kills: 0, stops: 0, restarts: 0, deployments: 0 };
  #shops: readonly ShopProcess[] = [];

  constructor(options: ChaosOptions, folder: string, ends: (() => unknown)[]) {
    this.#options = options;
    this.#folder = folder;
    this.#ends = ends;
    this.#plan = planOf(options);
    this.#orders = new Map(this.#plan.orders.map((order) => [order.outTradeNo, order]));
  }

  async run(): Promise<ChaosResult> {
    const startedAt = performance.now();
    const { store: kind, patches, settleMs } = this.#options;
    const programs = await bundlePrograms(this.#folder, kind.book, patches);
    const store = await kind.start(this.#folder);
    this.#ends.push(() => store.stop());
    const simulator = await SimulatorProcess.start(programs.simulator);
    this.#ends.push(() => simulator.end());
    const balancer = await Balancer.start(
      (outTradeNo) => this.#receivers(this.#orders.get(outTradeNo)?.copies ?? 1),
      ({ name }, outTradeNo) => this.#see(this.#named(name), 'notification', outTradeNo, 0),
    );
    this.#ends.push(() => balancer.close());
    const { merchant, url } = simulator.ready;
    const settings = { merchant, gateway: url, notifyUrl: balancer.url, leaseMs: LEASE_MS };
    this.#shops = SHOPS.map(
      (name, index) =>
        new ShopProcess(name, {
          folder: this.#folder,
          program: programs.shop,
          // One of them reaches the store another way, if there is one.
          settings: { ...settings, book: (index === 1 && store.otherOptions) || store.options },
          clockOffset: kind.hasClock && index === 2 ? WRONG_CLOCK_MS : 0,
          onReport: (shop, report) => this.#report(shop, report),
        }),
    );
    this.#ends.push(() => Promise.all(this.#shops.map((shop) => shop.kill())));
    const [first, ...others] = this.#shops;
    await first?.start(true);
    await Promise.all(others.map((shop) => shop.start()));

    await Promise.all([this.#trade(simulator, store), this.#strikeAll(simulator, store)]);
    await this.#settled(settleMs);
    // The day goes on.
    for (let n = 0; n < LATER; n++) store.disturb?.();
    await this.#repeatAll(simulator);
    await balancer.idle();

    const record = await simulator.ask<SimulatorRecord>({ do: 'record' });
    await Promise.all(this.#shops.map((shop) => shop.kill()));
    const history = this.#history(record, balancer, store, merchant);
    const violations = check(history);
    const seconds = (performance.now() - startedAt) / 1000;
    return { history, violations, report: reportOf(this.#options, history, violations, this.#counts, seconds) };
  }

  /** Orders come at a steady pace; each is placed, and paid, by somebody who does not give up. */
  async #trade(simulator: SimulatorProcess, store: RunningStore): Promise<void> {
    const buyers: Promise<void>[] = [];
    for (const order of this.#plan.orders) {
      buyers.push(this.#buy(order, simulator));
      store.disturb?.();
      await sleep(PACE_MS);
    }
    await Promise.all(buyers);
  }

  async #buy(order: PlannedOrder, simulator: SimulatorProcess): Promise<void> {
    const { outTradeNo, totalFee, handler, lane } = order;
    if (lane === 'unknown') return this.#stray(outTradeNo, simulator);
    if (lane === 'late') await simulator.ask({ do: 'cut', operation: 'unifiedorder', outTradeNo });
    const place = (): Promise<unknown> =>
      this.#persist('/order', { outTradeNo, totalFee, attach: attachOf(handler) }, 'ORDER_PAID');
    await Promise.all(order.placedTwice ? [place(), place()] : [place()]);
    if (lane === 'forged') await this.#forge(outTradeNo, simulator);
    const lateMs = lane === 'late' ? LATE_MS : 0;
    await simulator.ask({ do: 'pay', outTradeNo, lose: lane === 'lost' || lane === 'button', lateMs });
    if (lane === 'refunded') await this.#refund(order, simulator);
    if (lane !== 'asked' && lane !== 'button') return;
    const ask = (): Promise<unknown> => this.#persist('/confirm', { outTradeNo });
    await Promise.all([ask(), ask()]);
  }

  /** All at once, each at two shops; of the first one no answer comes. */
  async #refund(order: PlannedOrder, simulator: SimulatorProcess): Promise<void> {
    const { outTradeNo, totalFee } = order;
    await simulator.ask({ do: 'cut', operation: 'refund', outTradeNo });
    const ask = (refund: object): Promise<void> =>
      this.#persist('/refund', { outTradeNo, totalFee, ...refund }, 'REFUND_EXCEEDED');
    await Promise.all(refundsOf(order).flatMap((refund) => [ask(refund), ask(refund)]));
  }

  /** Somebody else with the same merchant number takes payments. */
  async #stray(outTradeNo: string, simulator: SimulatorProcess): Promise<void> {
    const like = this.#plan.orders.find(({ lane }) => lane === 'notified')?.outTradeNo ?? '';
    const until = performance.now() + this.#options.settleMs;
    // Each may come while all shops or the store are away: until one is kept.
    for (let n = 0; performance.now() < until; n++) {
      await simulator.ask({ do: 'stray', outTradeNo, like }).catch(() => {});
      await sleep(500);
      if (n + 1 < STRAYS) continue;
      if ((await this.#standings())?.some((one) => one.outTradeNo === outTradeNo)) return;
    }
  }

  /** The forgery has to arrive before the payment does: it is sent until a shop has taken note of it. */
  async #forge(outTradeNo: string, simulator: SimulatorProcess): Promise<void> {
    for (let tries = 0; tries < 20; tries++) {
      // An order that could not be placed cannot be paid, either.
      await simulator.ask({ do: 'forge', outTradeNo }).catch(() => {});
      const standing = (await this.#standings())?.find((one) => one.outTradeNo === outTradeNo);
      if (standing?.state === 'QUARANTINED' || standing?.state === 'PAID') return;
      await sleep(200);
    }
  }

  /** At any shop that is up, until one does it. */
  async #persist(path: string, body: object, isFineToo?: string): Promise<void> {
    const until = performance.now() + this.#options.settleMs;
    for (;;) {
      const [shop] = this.#receivers(1);
      try {
        if (shop === undefined) throw new Error('no shop is up');
        await this.#named(shop.name).ask(path, body);
        return;
      } catch (error) {
        if (isFineToo !== undefined && (error as Error).message === isFineToo) return;
        if (performance.now() > until) return;
        await sleep(250);
      }
    }
  }

  async #strikeAll(simulator: SimulatorProcess, store: RunningStore): Promise<void> {
    const { blows, random, orders } = this.#plan;
    const gap = (orders.length * PACE_MS) / (blows.length + 1);
    for (const blow of blows) {
      await sleep(gap * (0.3 + random() * 0.4));
      await strike(blow, {
        shops: this.#shops,
        orders: this.#orders,
        watched: this.#watched,
        random,
        counts: this.#counts,
        crashStore: store.crash,
        repeat: (outTradeNo) => simulator.ask({ do: 'repeat', outTradeNo, copies: 1 }),
      });
    }
  }

  /** Until every order is where it belongs. If they never get there, the checker says so. */
  async #settled(settleMs: number): Promise<void> {
    const until = performance.now() + settleMs;
    while (performance.now() < until) {
      const standings = new Map((await this.#standings())?.map((one) => [one.outTradeNo, one]));
      const isSettled = this.#plan.orders.every(({ outTradeNo, lane }) => {
        const standing = standings.get(outTradeNo);
        if (lane === 'forged') return standing?.state === 'QUARANTINED';
        if (lane === 'unknown') return standing?.state === 'ORPHAN';
        return standing?.delivery === 'DONE' && standing.openRefunds === 0;
      });
      if (isSettled) return;
      await sleep(300);
    }
  }

  /** What was settled stays settled, however often it is told. */
  async #repeatAll(simulator: SimulatorProcess): Promise<void> {
    for (const { outTradeNo } of this.#plan.orders) {
      // Never paid: a payer gave up on a shop that did not answer.
      await simulator.ask({ do: 'repeat', outTradeNo, copies: 2 }).catch(() => {});
    }
  }

  async #standings(): Promise<readonly OrderStanding[] | undefined> {
    const [shop] = this.#receivers(1);
    if (shop === undefined) return undefined;
    return this.#named(shop.name)
      .ask<OrderStanding[]>('/orders')
      .catch(() => undefined);
  }

  /** Some of the shops that are up, each of them once. */
  #receivers(count: number): readonly { readonly name: string; readonly port: number }[] {
    const up = this.#shops.filter(({ isUp }) => isUp);
    const chosen: ShopProcess[] = [];
    while (chosen.length < count && up.length > 0)
      chosen.push(...up.splice(Math.floor(this.#plan.random() * up.length), 1));
    return chosen.map(({ name, port }) => ({ name, port }));
  }

  #named(name: string): ShopProcess {
    const shop = this.#shops.find((one) => one.name === name);
    if (shop === undefined) throw new Error(`no shop is called ${name}`);
    return shop;
  }

  #report(shop: ShopProcess, report: ShopReport): void {
    if (report.what !== 'ready') this.#see(shop, report.what, report.outTradeNo, report.attempt);
  }

  #see(shop: ShopProcess, what: string, outTradeNo: string, attempt: number): void {
    for (const watched of this.#watched) watched({ shop, what, outTradeNo, attempt });
  }

  #history(
    simulator: SimulatorRecord,
    balancer: Balancer,
    store: RunningStore,
    { mchId, apiKey }: { mchId: string; apiKey: string },
  ): History {
    const ledgers: LedgerEntry[] = [];
    const texts = this.#shops.flatMap(({ errors }) => errors);
    for (const { name, ledgers: paths } of this.#shops) {
      for (const [process, path] of paths.entries()) {
        const { text, entries } = readLedger(path);
        texts.push(text);
        ledgers.push(...entries.map((entry) => ({ shop: name, process, entry })));
      }
    }
    const records = this.#plan.orders.map(({ outTradeNo }) => [outTradeNo, store.stored(mchId, outTradeNo)] as const);
    texts.push(...records.map(([, record]) => record ?? ''));
    return {
      planned: this.#plan.orders,
      simulator,
      answers: balancer.answers,
      ledgers,
      stored: new Map(
        records
          .map(([number, text]) => [number, text && (JSON.parse(text) as StoredOrder)] as const)
          .map(([number, record]) => [number, record === '' ? undefined : record]),
      ),
      effects: store.effects(),
      leaseMs: LEASE_MS,
      crashes: this.#shops.flatMap(({ crashes }) => crashes),
      texts,
      secret: apiKey,
    };
  }
}
