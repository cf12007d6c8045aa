import type { IncomingMessage, ServerResponse } from 'node:http';
import { COMMAND_NAMES, CommandFormatError, commandNamed, parseGiven } from './control-commands.js';
import { Dashboard, type DashboardOptions } from './dashboard.js';
import type { SimulatorEvent } from './events.js';
import type { HttpReply, HttpRequest } from './http-exchange.js';
import { isLoopbackHost } from './http-url.js';
import { SimulatorError, type SimulatorErrorCode } from './simulator-error.js';

const CONTROL_PATH = '/__simulator/';
const EVENTS_PATH = `${CONTROL_PATH}events`;

const STATUS: Readonly<Record<SimulatorErrorCode, number>> = {
  IN_PRODUCTION: 500,
  NOT_LOOPBACK: 500,
  ORDER_UNKNOWN: 404,
  ORDER_PAID: 409,
  ORDER_CLOSED: 409,
  ORDER_NOT_PAID: 409,
  REFUND_UNKNOWN: 404,
  REFUND_EXISTS: 409,
  REFUND_EXCEEDS: 409,
  REFUND_LIMIT: 409,
  REFUND_PROCESSING: 409,
  REFUND_SETTLED: 409,
  STOPPED: 503,
};

/** The operator's side: JSON under `/__simulator/`, server-sent events, and the dashboard at `/`. */
export class Control {
  readonly #options: DashboardOptions;
  readonly #dashboard: Dashboard;

  constructor(options: DashboardOptions) {
    this.#options = options;
    this.#dashboard = new Dashboard(options);
  }

  async handle(request: HttpRequest): Promise<HttpReply | undefined> {
    const { pathname } = request.url;
    if (pathname !== '/' && !pathname.startsWith(CONTROL_PATH)) return undefined;
    if (!isAddressedToLoopback(request.headers.host)) return refusal(403, 'FORBIDDEN', 'the Host is not loopback');
    this.#options.refundDesk.settleDue();
    if (pathname === '/') return this.#dashboard.handle(request);
    const resource = pathname.slice(CONTROL_PATH.length);
    if (request.method === 'GET') return this.#read(resource);
    if (request.method !== 'POST') return refusal(405, 'METHOD', 'use GET or POST');
    // A form on some website can post here too, but not with this content type: its browser would ask us first.
    if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
      return refusal(415, 'CONTENT_TYPE', 'send application/json');
    }
    return this.#carryOut(resource, request.body);
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
    const { orders, refunds, notifier, events } = this.#options;
    if (resource === 'orders') return json(200, orders.list());
    if (resource === 'refunds') return json(200, refunds.list());
    if (resource === 'notifications') return json(200, notifier.list());
    if (resource === 'events') return json(200, events.list());
    return refusal(404, 'NOT_FOUND', 'orders, refunds, notifications and events can be read');
  }

  async #carryOut(name: string, body: Buffer): Promise<HttpReply> {
    const command = commandNamed(name);
    if (!command) return refusal(404, 'NOT_FOUND', `these can be posted: ${COMMAND_NAMES.join(', ')}`);
    try {
      return json(200, await command(parseGiven(body), this.#options));
    } catch (error) {
      if (error instanceof CommandFormatError) return refusal(400, 'BODY', error.message);
      if (error instanceof RangeError) return refusal(400, 'RANGE', error.message);
      if (error instanceof SimulatorError) return refusal(STATUS[error.code], error.code, error.message);
      throw error;
    }
  }
}

/** A website whose name was made to resolve to this machine still sends that name. */
function isAddressedToLoopback(host: string | undefined): boolean {
  return URL.canParse(`http://${host}`) && isLoopbackHost(new URL(`http://${host}`).hostname);
}

function json(status: number, value: unknown): HttpReply {
  return { status, headers: { 'content-type': 'application/json' }, body: `${JSON.stringify(value)}\n` };
}

function refusal(status: number, code: string, message: string): HttpReply {
  return json(status, { error: { code, message } });
}
