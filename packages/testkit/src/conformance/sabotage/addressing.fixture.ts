import type { IncomingMessage } from 'node:http';
import { bindToRequest, captureRequest } from '@wechat-h5/core/adapter';
import { fresh, type Sabotage } from './sabotage.fixture.js';

/** Whose address it is. */
export const addressingSabotages: readonly Sabotage[] = [
  {
    does: 'believes ctx.ip: the left-most address, whoever wrote it',
    changes: {
      capture(request) {
        const leftMost = String(request.headers['x-forwarded-for'] ?? '')
          .split(',')[0]
          ?.trim();
        return leftMost
          ? { ...captureRequest(request), remoteAddress: leftMost, rawHeaders: [] }
          : captureRequest(request);
      },
    },
    caughtBy: ['C01', 'C02', 'C03', 'C04', 'N20'],
  },
  {
    does: 'sends whatever clientIp it is given',
    changes: { instance: (options) => fresh({ ...options, allowExplicitClientIp: true }) },
    caughtBy: ['C05'],
  },
  {
    does: 'never sends a clientIp that it is given',
    changes: { instance: (options) => fresh({ ...options, allowExplicitClientIp: false }) },
    caughtBy: ['C06'],
  },
  {
    does: 'finds the address of every visitor at once',
    changes: {
      bind(instance, captured) {
        const bound = bindToRequest(instance, captured);
        void bound.clientIp;
        return bound;
      },
    },
    caughtBy: ['C07'],
  },
  {
    does: 'takes a UNIX socket for a peer that has gone',
    changes: {
      capture: (request) => ({ ...captureRequest(request), remoteAddress: request.socket.remoteAddress ?? '' }),
    },
    caughtBy: ['C08'],
  },
  {
    does: 'asks the socket only when the address is wanted',
    changes: {
      // Without the socket: asked once, it would remember.
      capture: (request) => ({
        ...captureRequest(Object.create(request, { socket: { value: {} } }) as IncomingMessage),
        get remoteAddress() {
          return request.socket.remoteAddress ?? '';
        },
      }),
    },
    caughtBy: ['C09'],
  },
];
