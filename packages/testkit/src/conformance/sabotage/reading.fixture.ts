import { gunzipSync } from 'node:zlib';
import { buildXml } from '@wechat-h5/core';
import { readAll, type PlainAdapter } from '../plain-server.fixture.js';
import { wait } from '../wire.js';
import { bytes, honest, lenientFields, reply, SUCCESS, withBody, type Sabotage } from './sabotage.fixture.js';

/** How the body is read. */
export const readingSabotages: readonly Sabotage[] = [
  {
    does: 're-serialises the body, as a parser made for JSON would see it',
    changes: withBody(async (request) => {
      const fields = Object.entries(lenientFields((await readAll(request)).toString()));
      return bytes(buildXml(Object.fromEntries(fields.map(([name, value]) => [name, String(guessed(value))]))));
    }),
    caughtBy: ['N01', 'N06'],
  },
  {
    does: 'joins chunks as strings',
    changes: withBody(async (request) => {
      let text = '';
      for await (const chunk of request) text += String(chunk);
      return bytes(text);
    }),
    caughtBy: ['W01'],
  },
  {
    does: 'waits on an ended stream, and answers 202 at its deadline',
    changes: {
      async receive(instance, request, captured, mount) {
        if (!request.readableEnded) return honest.receive(instance, request, captured, mount);
        await wait(1200);
        return { ...SUCCESS, status: 202 };
      },
    },
    caughtBy: ['P03', 'P04', 'P05', 'P06', 'P07', 'P08'],
  },
  {
    does: 'takes whatever a parser left for a body that was read',
    changes: {
      async receive(instance, request, captured, mount) {
        return request.body === undefined ? honest.receive(instance, request, captured, mount) : reply('', 500);
      },
    },
    caughtBy: ['P01', 'P02'],
  },
  {
    does: 'takes text that lost bytes for the body',
    changes: withBody(async (request) => (typeof request.body === 'string' ? bytes(request.body) : readAll(request))),
    caughtBy: ['P09'],
  },
  {
    does: 'reads no body without a Content-Length',
    changes: withBody(async (request) => (request.headers['content-length'] ? readAll(request) : bytes(''))),
    caughtBy: ['W02'],
  },
  {
    does: 'knows no Expect header',
    changes: {
      async receive(instance, request, captured, mount) {
        return request.headers.expect ? reply('', 417) : honest.receive(instance, request, captured, mount);
      },
    },
    caughtBy: ['W03'],
  },
  {
    does: 'has no limit for a body',
    changes: withBody(readAll),
    caughtBy: ['W07', 'W08', 'W09'],
  },
  {
    does: 'unpacks what comes compressed',
    changes: withBody(async (request) => {
      const body = await readAll(request);
      return request.headers['content-encoding']?.toLowerCase() === 'gzip' ? gunzipSync(body) : body;
    }),
    caughtBy: ['W10'],
  },
  {
    does: 'takes what an aborted upload left for the body',
    changes: withBody(async (request) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', () => {});
      await new Promise((resolve) => request.on('close', resolve));
      return Buffer.concat(chunks);
    }),
    caughtBy: ['W04'],
  },
  {
    does: 'accepts XML that was cut short',
    changes: withBody(async (request) => {
      const text = (await readAll(request)).toString();
      return bytes(text.endsWith('</xml>') ? text : `${text}</xml>`);
    }),
    caughtBy: ['W05'],
  },
  { does: 'has a lenient HTTP parser', changes: { server: { insecureHTTPParser: true } }, caughtBy: ['W06'] },
  {
    does: 'takes a lock before the body is complete',
    changes: takingALock(),
    caughtBy: ['W11', 'W12'],
  },
  {
    does: 'reads only what calls itself XML',
    changes: withBody(async (request) =>
      request.headers['content-type']?.includes('xml') ? readAll(request) : bytes(''),
    ),
    caughtBy: ['W14'],
  },
  {
    does: 'serves every method',
    changes: {
      receive: async (instance, request) =>
        instance.handleNotification({ method: 'POST', body: await readAll(request) }),
    },
    caughtBy: ['W15'],
  },
];

function guessed(value: string): string | number {
  const trimmed = value.trim();
  return /^\d+$/.test(trimmed) ? Number(trimmed) : trimmed;
}

function takingALock(): Partial<PlainAdapter> {
  let previous = Promise.resolve();
  return withBody(async (request) => {
    const chunks: Buffer[] = [];
    request.on('error', () => {});
    const mine = previous.then(
      () => new Promise<void>((done) => request.on('end', done).on('data', (chunk: Buffer) => chunks.push(chunk))),
    );
    previous = mine;
    await mine;
    return Buffer.concat(chunks);
  });
}
