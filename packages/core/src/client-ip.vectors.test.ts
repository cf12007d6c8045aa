import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClientIpResolver, type ClientIpOptions, type ClientIpRequest } from './client-ip.js';
import { isWechatH5Error } from './errors.js';

type HeaderValue = string | { prefix: string; unit: string; count: number; suffix: string };

interface Vector {
  id: string;
  name: string;
  group: string;
  remoteAddress: string | null;
  headers: [name: string, value: HeaderValue][];
  config: { trusted: string[]; hops?: number; header: string; requirePublic?: boolean; nat64?: boolean };
  expected: string | null;
  expectedError?: string;
  why: string;
}

const vectors = JSON.parse(readFileSync(join(__dirname, 'client-ip.vectors.json'), 'utf8')) as Vector[];

test('the table is whole', () => {
  expect(vectors).toHaveLength(75);
  expect(new Set(vectors.map(({ id }) => id)).size).toBe(75);
  expect(vectors.every(({ expected, expectedError }) => (expected === null) !== (expectedError === undefined))).toBe(
    true,
  );
});

describe.each(vectors)('$id $group: $name', (vector) => {
  const outcome = vector.expected ?? vector.expectedError;

  test(`resolve: ${outcome}`, () => {
    expect(resolved(vector)).toBe(outcome);
  });

  test(`explain: ${outcome}`, () => {
    const options = optionsOf(vector);
    if (vector.expectedError?.startsWith('TRUST_')) {
      expect(() => createClientIpResolver(options)).toThrow(expect.objectContaining({ code: outcome }));
      return;
    }
    const { clientIp, error, suggestion } = createClientIpResolver(options).explain(requestOf(vector));
    expect(clientIp?.ip ?? error?.code).toBe(outcome);
    if (error) expect(error.hint).toContain(suggestion?.line);
  });
});

function resolved(vector: Vector): string {
  try {
    return createClientIpResolver(optionsOf(vector)).resolve(requestOf(vector)).ip;
  } catch (error) {
    if (isWechatH5Error(error)) return error.code;
    throw error;
  }
}

function optionsOf({ config }: Vector): ClientIpOptions {
  const options: ClientIpOptions = {
    trust: config.hops === undefined ? config.trusted : { hops: config.hops },
    header: config.header,
    nonPublic: config.requirePublic ? 'reject' : 'allow',
    ipv6: 'send',
  };
  if (config.nat64 !== undefined) options.nat64 = config.nat64;
  return options;
}

function requestOf({ remoteAddress, headers }: Vector): ClientIpRequest {
  return {
    remoteAddress: remoteAddress ?? undefined,
    rawHeaders: headers.flatMap(([name, value]) => [name, typeof value === 'string' ? value : expanded(value)]),
  };
}

function expanded({ prefix, unit, count, suffix }: Exclude<HeaderValue, string>): string {
  return prefix + unit.repeat(count) + suffix;
}
