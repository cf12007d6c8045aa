import type { IncomingMessage, ServerResponse } from 'node:http';
import type { EventLog, SimulatorEvent } from './events.js';
import type { HttpReply, HttpRequest } from './http-exchange.js';
import { isLoopbackHost } from './http-url.js';
import type { Notifier } from './notifier.js';
import type { OrderLedger } from './orders.js';
import { overviewPage } from './overview-page.js';
import type { PaymentDesk } from './payment-desk.js';
import type { SimulatedMerchant } from './simulated-merchant.js';
import { SimulatorError } from './simulator-error.js';

const CONTROL_PATH = '/__simulator/';
const EVENTS_PATH = `${CONTROL_PATH}events`;

const STATUS = {
  IN_PRODUCTION: 500,
  NOT_LOOPBACK: 500,
  ORDER_UNKNOWN: 404,
  ORDER_PAID: 409,
  ORDER_CLOSED: 409,
  ORDER_NOT_PAID: 409,
  STOPPED: 503,
} as const;

export interface ControlOptions {
  readonly merchant: SimulatedMerchant;
  readonly orders: OrderLedger;
  readonly notifier: Notifier;
  readonly desk: PaymentDesk;
  readonly events: EventLog;
}

/** The operator's side: JSON under `/__simulator/`, server-sent events, and the overview page at `/`. */
export class Control {
  readonly #options: ControlOptions;

  constructor(options: ControlOptions) {
    this.#options = options;
  }

  async handle(request: HttpRequest): Promise<HttpReply | undefined> {
    const { pathname } = request.url;
    if (pathname !== '/' && !pathname.startsWith(CONTROL_PATH)) return undefined;
    if (!isAddressedToLoopback(request.headers.host)) return refusal(403, 'FORBIDDEN', 'the Host is not loopback');
    const { merchant, orders, notifier } = this.#options;
    if (pathname === '/') return overviewPage(merchant, orders.list(), notifier);
    const resource = pathname.slice(CONTROL_PATH.length);
    if (request.method === 'GET') return this.#read(resource);
    if (request.method !== 'POST') return refusal(405, 'METHOD', 'use GET or POST');
    // A form on some website can post here too, but not with this content type: its browser would ask us first.
    if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
      return refusal(415, 'CONTENT_TYPE', 'send application/json');
    }
    const command = parseCommand(request.body);
    return command ? this.#carryOut(resource, command) : refusal(400, 'BODY', 'send an object with outTradeNo');
  }

  /** `GET /__simulator/events` with `Accept: text/event-stream`: every event after `Last-Event-ID`, as it happens. */
  stream(request: IncomingMessage, response: ServerResponse): boolean {
    const path = (request.url ?? '').split('?')[0];
    const wantsStream = request.method === 'GET' && request.headers.accept?.includes('text/event-stream');
    if (path !== EVENTS_PATH || !wantsStream || !isAddressedToLoopback(request.headers.host)) return false;
    const { events } = this.#options;
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.flushHeaders();
    const send = (event: SimulatorEvent): void => {
      response.write(`id: ${event.number}\ndata: ${JSON.stringify(event)}\n\n`);
    };
    const last = request.headers['last-event-id'];
    if (last !== undefined)
      events
        .list()
        .filter(({ number }) => number > Number(last))
        .forEach(send);
    response.on('close', events.subscribe(send));
    return true;
  }

  #read(resource: string): HttpReply {
    const { orders, notifier, events } = this.#options;
    if (resource === 'orders') return json(200, orders.list());
    if (resource === 'notifications') return json(200, notifier.list());
    if (resource === 'events') return json(200, events.list());
    return refusal(404, 'NOT_FOUND', 'orders, notifications and events can be read');
  }

  async #carryOut(resource: string, { outTradeNo, copies, fields }: Command): Promise<HttpReply> {
    const { desk } = this.#options;
    try {
      if (resource === 'pay') {
        const { order, told } = desk.pay(outTradeNo);
        return json(200, { order, attempts: await told });
      }
      if (resource === 'cancel') return json(200, { order: desk.cancel(outTradeNo) });
      if (resource === 'notify') return json(200, { attempts: await desk.sendAgain(outTradeNo, copies) });
      if (resource === 'forge') return json(200, { attempts: [await desk.forge(outTradeNo, { fields })] });
    } catch (error) {
      if (error instanceof SimulatorError) return refusal(STATUS[error.code], error.code, error.message);
      if (error instanceof RangeError) return refusal(400, 'RANGE', error.message);
      throw error;
    }
    return refusal(404, 'NOT_FOUND', 'pay, cancel, notify and forge can be posted');
  }
}

/** A website whose name was made to resolve to this machine still sends that name. */
function isAddressedToLoopback(host: string | undefined): boolean {
  return URL.canParse(`http://${host}`) && isLoopbackHost(new URL(`http://${host}`).hostname);
}

interface Command {
  readonly outTradeNo: string;
  readonly copies: number;
  readonly fields: Readonly<Record<string, string>>;
}

function parseCommand(body: Buffer): Command | undefined {
  let given: Partial<Record<keyof Command, unknown>> | null;
  try {
    given = JSON.parse(body.toString('utf8')) as typeof given;
  } catch {
    return undefined;
  }
  const { outTradeNo, copies = 1, fields = {} } = given ?? {};
  if (typeof outTradeNo !== 'string' || typeof copies !== 'number' || typeof fields !== 'object' || !fields)
    return undefined;
  if (!Object.values(fields).every((value) => typeof value === 'string')) return undefined;
  return { outTradeNo, copies, fields: fields as Readonly<Record<string, string>> };
}

function json(status: number, value: unknown): HttpReply {
  return { status, headers: { 'content-type': 'application/json' }, body: `${JSON.stringify(value)}\n` };
}

function refusal(status: number, code: string, message: string): HttpReply {
  return json(status, { error: { code, message } });
}
