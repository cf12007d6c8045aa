/** A client of ioredis, also a cluster of it. */
export interface IoredisLike {
  call(command: string, ...args: (string | number)[]): Promise<unknown>;
}

/** A client of redis (node-redis). */
export interface NodeRedisLike {
  sendCommand(words: string[]): Promise<unknown>;
}

/** Either of them: only what is used is asked for. */
export type RedisClient = IoredisLike | NodeRedisLike;

export type Command = (command: string, ...args: string[]) => Promise<unknown>;

/**
 * One way to send a command, whichever client it is. It gives up after `timeoutMs`: clients keep commands for as long as
 * the server is away.
 */
export function commandOf(client: RedisClient, timeoutMs: number): Command {
  // ioredis has a sendCommand, too, which takes something else.
  const send: Command =
    'call' in client
      ? (command, ...args) => client.call(command, ...args)
      : (command, ...args) => client.sendCommand([command, ...args]);
  return async (command, ...args) => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`Redis did not answer within ${timeoutMs} ms`)), timeoutMs);
    });
    try {
      return await Promise.race([send(command, ...args), late]);
    } finally {
      clearTimeout(timer);
    }
  };
}
