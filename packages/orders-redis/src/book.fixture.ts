import { Redis } from 'ioredis';
import { createClient } from 'redis';
import type { RedisClient } from './client.js';
import { RedisOrderBook } from './redis-order-book.js';

export interface Connected {
  readonly client: RedisClient;
  end(): void;
}

/** A connected client of either library. */
export async function connect(library: 'ioredis' | 'redis', url: string): Promise<Connected> {
  if (library === 'ioredis') {
    const client = new Redis(url);
    client.on('error', () => {});
    return { client, end: () => client.disconnect() };
  }
  const client = createClient({ url });
  client.on('error', () => {});
  await client.connect();
  return { client, end: () => void client.destroy() };
}

/** For processes of the contract suite. */
export async function openBook({
  url = '',
  prefix = '',
  library,
}: Readonly<Record<string, string>>): Promise<RedisOrderBook> {
  const { client } = await connect(library === 'redis' ? 'redis' : 'ioredis', url);
  return new RedisOrderBook({ client, prefix });
}
