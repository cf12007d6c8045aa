import type { ServerResponse } from 'node:http';
import {
  buildXml,
  parseXml,
  sign,
  type Merchant,
  type NotificationReply,
  type WechatH5,
  type WechatH5Options,
} from '@wechat-h5/core';
import { sendReply } from '@wechat-h5/core/adapter';
import { readAll, type PlainAdapter } from '../plain-server.fixture.js';
import { bytes, fresh, honest, lenientFields, reply, SUCCESS, withBody, type Sabotage } from './sabotage.fixture.js';

/** What is believed, and how often onPaid runs. */
export const believingSabotages: readonly Sabotage[] = [
  {
    does: 'accepts a notification without a sign',
    changes: believing('SIGN_MISSING', (fields) => fields),
    caughtBy: ['N03'],
  },
  {
    does: 'accepts any sign',
    changes: believing('SIGN_INVALID', (fields) => fields),
    caughtBy: ['N02', 'N04', 'A11'],
  },
  {
    does: 'serves whoever mch_id names',
    changes: believing('MERCHANT_UNKNOWN', (fields, { mchId }) => ({ ...fields, mch_id: mchId })),
    caughtBy: ['N11', 'M07'],
  },
  {
    does: 'reads XML as browsers read HTML',
    changes: withBody(async (request) => bytes(buildXml(lenientFields((await readAll(request)).toString())))),
    caughtBy: ['N06', 'N07', 'N08'],
  },
  {
    does: 'takes an empty body for a probe',
    changes: {
      async receive(instance, request, captured, mount) {
        return request.headers['content-length'] === '0' ? SUCCESS : honest.receive(instance, request, captured, mount);
      },
    },
    caughtBy: ['N05'],
  },
  {
    does: 'takes the amount from the notification itself',
    changes: {
      async receive(_, request, { method }, { options }) {
        const body = await readAll(request);
        const totalFee = Number(lenientFields(body.toString())['total_fee']);
        return fresh({ ...options, findOrder: async () => ({ totalFee }) }).handleNotification({ method, body });
      },
    },
    caughtBy: ['N09', 'N10'],
  },
  {
    does: 'stumbles over a byte order mark',
    changes: withBody(async (request) => {
      const body = await readAll(request);
      return body[0] === 0xef ? bytes('') : body;
    }),
    caughtBy: ['N12'],
  },
  {
    does: 'forgets await',
    changes: {
      async receive(instance, request, captured, mount) {
        void honest.receive(instance, request, captured, mount);
        return SUCCESS;
      },
    },
    caughtBy: ['N13', 'N14', 'N15'],
  },
  {
    does: 'tells the sender what went wrong',
    changes: tellingErrors(),
    caughtBy: ['N14'],
  },
  {
    does: 'keeps FAIL to itself, and the one that has run out of time waits',
    changes: {
      send: ({ response }, reply) => sendUnlessFail(response, reply),
      hand({ response }, pending, run) {
        void pending.reply.then((reply) => sendUnlessFail(response, reply));
        void run();
      },
    },
    caughtBy: ['N16', 'A06'],
  },
  { does: 'remembers nothing', changes: { instance: fresh }, caughtBy: ['N17', 'N18', 'W13', 'A01'] },
  {
    does: 'turns nobody away',
    changes: { instance: (options) => fresh({ ...options, maxConcurrentNotifications: 1_000_000 }) },
    caughtBy: ['N19'],
  },
  {
    does: 'does not say who sent a notification',
    changes: {
      receive: (instance, request, captured, mount) =>
        honest.receive(instance, request, { ...captured, rawHeaders: [] }, mount),
    },
    caughtBy: ['N20'],
  },
];

/** A verifier that does not mind one kind of refusal: it puts the message right, and signs it. */
function believing(
  code: string,
  mend: (fields: Record<string, string>, merchant: Merchant) => Record<string, string>,
): Partial<PlainAdapter> {
  return {
    async receive(instance, request, captured, mount) {
      const body = await readAll(request);
      const merchant = mount.options.merchant as Merchant;
      let believed: Uint8Array = body;
      try {
        instance.verifyNotification(body);
      } catch (error) {
        if ((error as { code: string }).code === code)
          believed = bytes(signed(mend(parseXml(body), merchant), merchant));
      }
      Object.assign(request, { rawBody: believed });
      return honest.receive(instance, request, captured, mount);
    },
  };
}

function signed(message: Record<string, string>, { apiKey }: Merchant): string {
  const { sign: _, ...fields } = message;
  return buildXml({ ...fields, sign: sign(fields, apiKey as string) });
}

function tellingErrors(): Partial<PlainAdapter> {
  let told = '';
  const instances = new WeakMap<WechatH5Options, WechatH5>();
  return {
    instance(options) {
      const known = instances.get(options);
      if (known) return known;
      const made = fresh({
        ...options,
        async onPaid(payment, context) {
          try {
            await options.onPaid?.(payment, context);
          } catch (error) {
            told = (error as Error).message;
            throw error;
          }
        },
      });
      instances.set(options, made);
      return made;
    },
    send: (page, answer) => honest.send(page, told === '' ? answer : reply(told)),
  };
}

function sendUnlessFail(response: ServerResponse, answer: NotificationReply): void {
  if (!answer.body.includes('FAIL')) sendReply(response, answer);
}
