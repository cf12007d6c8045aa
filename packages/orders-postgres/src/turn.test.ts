import { nextTurn } from '@wechat-h5/core/order-book';
import { describeWithStores } from '@wechat-h5/testkit/stores';
import { serverOfBlock } from './store.fixture.js';

const MCH_ID = '1900000109';

describeWithStores(['postgres'], 'turns', () => {
  const { server, books } = serverOfBlock();

  // The statement computes what the function does elsewhere. In seconds, so that no slow machine tells them apart.
  test.each([
    ['long free', -86_400, 0.5, 0],
    ['free again in ten minutes, at one in ten', 600, 0.1, 0],
    ['free again in 40 s', 40, 1, 60],
    ['free again in 40 s, and no time', 40, 1, 20],
    ['free again in 40 s, and far ahead', 40, 100, 60],
    ['of a clock that was a day ahead', 86_400, 100, 0],
  ])('are those of nextTurn: %s', async (_what, freeIn, perSecond, within) => {
    const { book, schema } = await books.create(server.url);
    const table = `${schema}.wechat_h5_turn`;
    server.query(`INSERT INTO ${table} VALUES ('${MCH_ID}', now() + interval '${freeIn} seconds')`);
    const options = { perSecond, withinMs: within * 1000 };
    const waitMs = await book.turn(MCH_ID, options);
    const turn = nextTurn(freeIn * 1000, 0, options);
    expect(waitMs === undefined).toBe(turn === undefined);
    if (turn === undefined || waitMs === undefined) return;
    expect(Math.abs(waitMs - turn.waitMs)).toBeLessThan(10_000);
    const freeAt = Number(server.query(`SELECT extract(epoch FROM free_at - now()) FROM ${table}`));
    expect(Math.abs(freeAt - turn.freeAt / 1000)).toBeLessThan(10);
  });
});
