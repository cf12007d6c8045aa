import type { Problem } from '@wechat-h5/core';
import type { Simulator } from '@wechat-h5/simulator';
import { startProxy, type Endpoint } from '@wechat-h5/testkit/proxies';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SHOP, VISITOR } from './addresses.js';
import type { Outcome, SetUp } from './set-up.js';
import { SHAPES, type Shape, type ShapeName } from './shapes.js';
import { DOCTOR_SECRET, startShop, type ShopAnswer } from './shop.js';
import { Visitor, type HeaderLine } from './visitor.js';

/** What one shape came to. */
export interface Cell {
  readonly outcome: Outcome;
  /** What the guide's sample code makes of the same requests; `undefined` when they did not reach the application. */
  readonly guideSample: Outcome | undefined;
}

/** What one order came to. */
export interface Order {
  readonly outcome: Outcome;
  /** What the shop answered; `undefined` when the request did not reach it. */
  readonly answer: ShopAnswer | undefined;
  /** Whether the request went over a connection that had carried one before. */
  readonly reused: boolean;
}

/** A running deployment. */
export interface Deployment {
  /** What `onProblem` was told. */
  readonly problems: readonly Problem[];
  /** How many connections the application has been asked for. */
  connections(): number;
  /** Sends a shape; `right` when every one of its orders is, else what the first of the others came to. */
  send(shape: ShapeName): Promise<Cell>;
  /** Places one order and reads at the simulator which address went over the wire. */
  order(headers: readonly HeaderLine[], visitor?: Visitor): Promise<Order>;
  /** What the doctor's page, asked as curl would ask it, tells somebody who sends these headers. */
  doctor(headers: readonly HeaderLine[]): Promise<Diagnosis>;
  stop(): Promise<void>;
}

/** The part of the doctor's report that matters here. */
export interface Diagnosis {
  readonly verdict: string;
  readonly clientIp: {
    readonly clientIp?: { readonly ip: string };
    readonly suggestion?: { readonly line: string };
  };
  readonly checklist: readonly { readonly server: string; readonly look: string }[];
}

let orders = 0;

/**
 * Starts the application and the real servers in front of it.
 * @throws {Error} when one of them does not start, with what it said
 */
export async function deploy(setUp: SetUp, simulator: Simulator): Promise<Deployment> {
  const folder = mkdtempSync(join(tmpdir(), 'wechat-h5-shop-'));
  const ends: (() => void | Promise<void>)[] = [() => rmSync(folder, { recursive: true, force: true })];
  const stop = async (): Promise<void> => {
    for (const end of ends.splice(0).toReversed()) await end();
  };
  try {
    const listen = { unix: join(folder, 'shop.sock'), 'dual-stack': `::ffff:${SHOP}`, ipv4: SHOP }[
      setUp.socket ?? 'ipv4'
    ];
    const shop = await startShop({ simulator, clientIp: setUp.clientIp, listen, trustProxy: setUp.trustProxy });
    ends.push(() => shop.stop());
    const doors: (Endpoint | string)[] = [shop.address];
    for (const [index, { software, file, address, loadBalancer }] of [...setUp.hops.entries()].toReversed()) {
      const proxy = await startProxy({
        software,
        file: `examples/proxies/${file}`,
        address,
        next: doors[0] as Endpoint | string,
        loadBalancer: loadBalancer ?? setUp.hops[index - 1]?.address,
      });
      ends.push(() => proxy.stop());
      doors.unshift(proxy);
    }
    const door = doors[setUp.entry ?? 0] as Endpoint;
    const place = (visitor: Visitor, headers: readonly HeaderLine[]): Promise<Order> =>
      placeOrder(simulator, door, visitor, headers);
    return {
      problems: shop.problems,
      connections: shop.connections,
      send: (name) => sendShape(SHAPES[name], place),
      async order(headers, visitor) {
        const other = visitor ?? new Visitor(VISITOR);
        const order = await place(other, headers);
        if (visitor === undefined) other.leave();
        return order;
      },
      async doctor(headers) {
        const visitor = new Visitor(VISITOR);
        const login = `Basic ${Buffer.from(`doctor:${DOCTOR_SECRET}`).toString('base64')}`;
        const { body } = await visitor.send('GET', door, '/wechat-h5/doctor', [['Authorization', login], ...headers]);
        visitor.leave();
        return JSON.parse(body) as Diagnosis;
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function sendShape(
  { requests }: Shape,
  place: (visitor: Visitor, headers: readonly HeaderLine[]) => Promise<Order>,
): Promise<Cell> {
  const visitors = new Map([...new Set(requests.map(({ from }) => from))].map((from) => [from, new Visitor(from)]));
  const outcomes: Outcome[] = [];
  const guideSamples: Outcome[] = [];
  try {
    for (const { from, headers } of requests) {
      const { outcome, answer } = await place(visitors.get(from) as Visitor, headers);
      outcomes.push(outcome);
      if (answer !== undefined) guideSamples.push(judged(answer.guideSample, from));
    }
  } finally {
    for (const visitor of visitors.values()) visitor.leave();
  }
  const worst = (all: readonly Outcome[]): Outcome | undefined => all.find((outcome) => outcome !== 'right') ?? all[0];
  return { outcome: worst(outcomes) as Outcome, guideSample: worst(guideSamples) };
}

async function placeOrder(
  simulator: Simulator,
  door: Endpoint,
  visitor: Visitor,
  headers: readonly HeaderLine[],
): Promise<Order> {
  const outTradeNo = `PROXIES${String(++orders).padStart(8, '0')}`;
  const { status, body, reused } = await visitor.send('POST', door, `/orders/${outTradeNo}`, headers);
  const sent = simulator.orders.get(outTradeNo)?.spbillCreateIp;
  if (status !== 201 && status !== 500) return { outcome: `HTTP ${status}`, answer: undefined, reused };
  // Express's own page for an error that is not the library's is no JSON.
  const answer = body.startsWith('{') ? (JSON.parse(body) as ShopAnswer) : undefined;
  const refused = answer?.error?.code;
  const outcome = sent === undefined ? refused : refused === undefined ? judged(sent, visitor.address) : undefined;
  if (answer === undefined || outcome === undefined) {
    throw new Error(`The simulator has ${sent} for ${outTradeNo}, and the shop answered HTTP ${status} ${body}`);
  }
  return { outcome, answer, reused };
}

function judged(address: string, visitor: string): Outcome {
  return address === visitor ? 'right' : `sent ${address}`;
}
