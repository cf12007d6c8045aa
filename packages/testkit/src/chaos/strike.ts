import { setTimeout as sleep } from 'node:timers/promises';
import { isQuick, type Blow, type PlannedOrder } from './plan.js';
import type { Counts } from './report.js';
import type { ShopProcess } from './shop-process.js';

/** A moment in a shop: a notification was sent to it, or its handler has come so far. */
export interface Moment {
  readonly shop: ShopProcess;
  readonly what: string;
  readonly outTradeNo: string;
  readonly attempt: number;
}

export type Watched = (moment: Moment) => void;

export interface Scene {
  readonly shops: readonly ShopProcess[];
  readonly orders: ReadonlyMap<string, PlannedOrder>;
  readonly watched: Set<Watched>;
  readonly random: () => number;
  readonly counts: Counts;
  readonly crashStore: (() => Promise<void>) | undefined;
  /** WeChat Pay sends the notification of a paid order again. */
  readonly repeat: (outTradeNo: string) => Promise<unknown>;
}

/** How long a blow waits for its moment. */
const PATIENCE_MS = 4000;
/** How long another shop may take to take over. */
const HEIR_MS = 8000;

export async function strike(blow: Blow, scene: Scene): Promise<void> {
  if (blow.type === 'kill') return kill(blow.at, scene);
  if (blow.type === 'stop') return stop(blow.at, scene);
  if (blow.type === 'deploy') return deploy(scene);
  if (scene.crashStore === undefined) return;
  scene.counts.restarts++;
  await scene.crashStore();
}

async function kill(at: string, scene: Scene): Promise<void> {
  let victim: ShopProcess | undefined;
  if (at !== 'any') {
    const moment = await next(scene, PATIENCE_MS, ({ what, shop }) => what === at && strikeAt(shop, 'SIGKILL'));
    victim = moment?.shop;
  }
  victim ??= scene.shops[Math.floor(scene.random() * scene.shops.length)];
  scene.counts.kills++;
  await victim?.kill();
  await victim?.start();
}

async function deploy(scene: Scene): Promise<void> {
  const shop = scene.shops[Math.floor(scene.random() * scene.shops.length)];
  scene.counts.deployments++;
  await shop?.deploy();
  await shop?.start();
}

/** In the handler, until another shop runs it: then the first one wakes up and goes on as if nothing had happened. */
async function stop(at: string, scene: Scene): Promise<void> {
  const moment = await next(scene, PATIENCE_MS, ({ what, shop, outTradeNo }) => {
    const order = scene.orders.get(outTradeNo);
    return what === at && order !== undefined && isQuick(order) && strikeAt(shop, 'SIGSTOP');
  });
  if (moment === undefined) return;
  scene.counts.stops++;
  const { shop, outTradeNo, attempt } = moment;
  let isTaken = false;
  const heir = next(scene, HEIR_MS, (one) => {
    isTaken ||= one.what === 'start' && one.outTradeNo === outTradeNo && one.attempt > attempt && one.shop !== shop;
    return isTaken;
  });
  const until = performance.now() + HEIR_MS;
  while (!isTaken && performance.now() < until) {
    // One answer may take as long as WeChat Pay waits.
    void scene.repeat(outTradeNo).catch(() => {});
    await Promise.race([heir, sleep(250)]);
  }
  shop.goOn();
}

/** At once: a moment is over in milliseconds. */
function strikeAt(shop: ShopProcess, signal: 'SIGKILL' | 'SIGSTOP'): true {
  if (signal === 'SIGSTOP') shop.stop();
  else void shop.kill();
  return true;
}

/** The next moment that fits; `undefined`: none came in time. */
async function next(
  { watched }: Scene,
  patience: number,
  fits: (moment: Moment) => boolean,
): Promise<Moment | undefined> {
  return new Promise((resolve) => {
    const end = (moment: Moment | undefined): void => {
      clearTimeout(timer);
      watched.delete(watch);
      resolve(moment);
    };
    const watch: Watched = (moment) => {
      if (fits(moment)) end(moment);
    };
    const timer = setTimeout(() => end(undefined), patience);
    watched.add(watch);
  });
}
