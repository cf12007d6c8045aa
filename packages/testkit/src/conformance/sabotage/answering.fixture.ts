import type { NotificationReply } from '@wechat-h5/core';
import { captureRequest, isPending, type PendingNotification } from '@wechat-h5/core/adapter';
import type { Page } from '../plain-server.fixture.js';
import { wait } from '../wire.js';
import { honest, SUCCESS, type Sabotage } from './sabotage.fixture.js';

/** Where it answers, what, and what a route may do. */
export const answeringSabotages: readonly Sabotage[] = [
  {
    does: 'compares paths to the letter',
    changes: { answers: (_, { path }, { options }) => path === new URL(options.notifyUrl).pathname },
    caughtBy: ['M01', 'M06'],
  },
  { does: 'answers every request', changes: { answers: () => true }, caughtBy: ['M02', 'M03', 'M09'] },
  {
    does: 'answers its own path wherever it is mounted',
    changes: { answers: (instance, captured, { options }) => honest.answers(instance, captured, { options }) },
    caughtBy: ['M03', 'M04', 'M05'],
  },
  {
    does: 'takes the request line for a path',
    changes: { capture: (request) => ({ ...captureRequest(request), path: request.url ?? '' }) },
    caughtBy: ['M08'],
  },
  {
    does: 'answers 201',
    changes: { send: (page, answer) => honest.send(page, { ...answer, status: 201 }) },
    caughtBy: ['N01', 'C10'],
  },
  {
    does: 'answers through the framework',
    changes: { send: (page, { status, body }) => page.answer(status, 'text/xml; charset=utf-8', body) },
    caughtBy: ['R01', 'R02', 'R03'],
  },
  { does: 'answers a second time', changes: { send: answerTwice }, caughtBy: ['R04'] },
  {
    does: 'closes every connection',
    changes: {
      send: (page, answer) => honest.send(page, { ...answer, headers: { ...answer.headers, connection: 'close' } }),
    },
    caughtBy: ['W16'],
  },
  {
    does: 'lets the route answer for itself',
    changes: { hand: (page, pending, run) => handUnheld(page, pending, run, () => {}) },
    caughtBy: ['A02', 'A03', 'A08'],
  },
  {
    does: 'acknowledges for a route that failed',
    changes: { hand: (page, pending, run) => handUnheld(page, pending, run, () => void pending.acknowledge()) },
    caughtBy: ['A04', 'A05'],
  },
  {
    does: 'takes SUCCESS back when the route fails afterwards',
    changes: {
      hand(page, pending, run) {
        run().then(
          async () => honest.send(page, await pending.reply),
          (error: Error) => page.answer(500, 'text/plain', error.message),
        );
      },
    },
    caughtBy: ['A07', 'A13'],
  },
  {
    does: 'fails a route that acknowledges twice',
    changes: {
      hand(page, pending, run) {
        let calls = 0;
        const { acknowledge } = pending;
        handChanged(page, pending, run, async () => {
          if (calls++ > 0) pending.abandon('acknowledged twice');
          else await acknowledge();
        });
      },
    },
    caughtBy: ['A09'],
  },
  {
    does: 'keeps payments for unknown orders to itself',
    changes: {
      async receive(instance, request, captured, mount) {
        const answer = await honest.receive(instance, request, captured, mount);
        return isPending(answer) && answer.order === 'unknown' ? { ...SUCCESS, body: '' } : answer;
      },
    },
    caughtBy: ['A10'],
  },
  {
    does: 'leaves a body announced that it has read',
    changes: {
      async receive(instance, request, captured, mount) {
        const announced = { ...request.headers };
        const answer = await honest.receive(instance, request, captured, mount);
        Object.assign(request.headers, announced);
        return answer;
      },
    },
    caughtBy: ['A14'],
  },
  {
    does: 'acknowledges before the order book has committed',
    changes: {
      hand(page, pending, run) {
        const { acknowledge } = pending;
        handChanged(page, pending, run, async () => {
          acknowledge().catch(() => {});
          honest.send(page, SUCCESS);
        });
      },
    },
    caughtBy: ['A12', 'A13'],
  },
];

function answerTwice({ response }: Page, { status, headers, body }: NotificationReply): void {
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const once = `HTTP/1.1 ${status} OK\r\n${head.join('')}\r\n${body}`;
  response.socket?.end(once + once);
}

/** Nothing keeps the route from answering; `fail` is what happens when it throws. */
function handUnheld(page: Page, pending: PendingNotification, run: () => Promise<void>, fail: () => void): void {
  void pending.reply.then(async (answer) => {
    // The route's own answer comes first.
    await wait(20);
    honest.send(page, answer);
  });
  run().catch(fail);
}

function handChanged(
  page: Page,
  pending: PendingNotification,
  run: () => Promise<void>,
  acknowledge: () => Promise<void>,
): void {
  const reply = pending.reply;
  Object.assign(pending, { acknowledge });
  void reply.then((answer) => honest.send(page, answer));
  run().catch(() => pending.abandon('it failed'));
}
