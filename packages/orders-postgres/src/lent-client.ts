import type { PoolClient } from 'pg';

/**
 * A client for as long as its transaction lasts. A handler may go on after its run was given up; what it writes then
 * would be committed at once, by a connection that is back in the pool.
 * @param beforeQuery called before every statement
 * @returns the client, and what ends the loan: from then on whatever is called throws
 */
export function lend(client: PoolClient, beforeQuery: () => void): { tx: PoolClient; end: () => void } {
  let isOver = false;
  const tx = new Proxy(client, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        if (isOver) throw new Error('The transaction of this run of the handler has ended');
        if (name === 'query') beforeQuery();
        return Reflect.apply(value, target, args);
      };
    },
  });
  return { tx, end: () => void (isOver = true) };
}
