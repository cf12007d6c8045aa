import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, ListenOptions } from 'node:net';
import type { INestApplication, NestApplicationOptions, Type } from '@nestjs/common';
import { NestFactory, type AbstractHttpAdapter } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import express from 'express';
import { fastify } from 'fastify';

const { version } = jest.requireActual<{ version: string }>('@nestjs/core/package.json');

/** Of the Nest that these tests run with: 11 or 12. */
export const NEST_MAJOR = Number.parseInt(version, 10);

/** A middleware in Connect's style. */
export type Connect = (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => void;

/** What stands in front of all of Nest, in the platform's own application. */
export interface Front {
  middleware?: readonly Connect[];
  trustProxy?: boolean;
  /** Called when a reply is out; what it returns is thrown into the platform's handling of errors. */
  lateError?: (() => Error) | undefined;
  /** Lets a route read a body of any type itself. */
  unparsed?: boolean;
  /** Marks every request as one that a route and a mount have passed on; Fastify knows no such thing. */
  passing?: boolean;
  /** Reads a body of any type as text, behind Nest's middleware. */
  textBehind?: boolean;
}

export interface Platform {
  readonly name: 'express' | 'fastify';
  adapter(front?: Front): AbstractHttpAdapter;
}

export const PLATFORMS: readonly Platform[] = [
  {
    name: 'express',
    adapter({ middleware = [], trustProxy = false, lateError, passing = false } = {}) {
      const server = express();
      const pass: Connect = (_request, _response, next) => next();
      server.set('trust proxy', trustProxy).set('etag', 'strong');
      if (lateError) {
        server.use((_request, response, next) => {
          response.on('finish', () => next(lateError()));
          next();
        });
      }
      if (passing) server.all(/.*/, pass).use(/.*/, pass);
      for (const one of middleware) server.use(one);
      return new ExpressAdapter(server);
    },
  },
  {
    name: 'fastify',
    adapter({ middleware = [], trustProxy = false, lateError, unparsed = false, textBehind = false } = {}) {
      const instance = fastify({
        trustProxy,
        forceCloseConnections: true,
        routerOptions: { ignoreTrailingSlash: true },
      });
      for (const one of middleware) {
        instance.addHook('onRequest', (request, reply, done) => one(request.raw, reply.raw, done as () => void));
      }
      if (lateError) instance.addHook('onResponse', (_request, _reply, done) => done(lateError()));
      if (textBehind) {
        instance.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
      }
      if (unparsed) instance.addContentTypeParser('*', (_request, body, done) => done(null, body));
      return new FastifyAdapter(instance as never);
    },
  },
];

/** An application that is not initialised yet; throws where Nest would end the process. */
export function createApp(
  root: Type,
  adapter: AbstractHttpAdapter,
  options: NestApplicationOptions = {},
): Promise<INestApplication> {
  return NestFactory.create(root, adapter, { logger: false, abortOnError: false, ...options });
}

/** @returns the port, 0 on a UNIX socket */
export async function listen(
  app: INestApplication,
  where: ListenOptions | string = { port: 0, host: '127.0.0.1' },
): Promise<number> {
  await app.init();
  await (app.getHttpAdapter().getInstance() as { ready?: () => Promise<void> }).ready?.();
  const server = app.getHttpServer() as Server;
  server.listen(where);
  await once(server, 'listening');
  return typeof where === 'string' ? 0 : (server.address() as AddressInfo).port;
}
