import { join } from 'node:path';
import { describeWithStores, runReadmeProgram, startRedis } from '@wechat-h5/testkit/stores';

describeWithStores(['redis'], 'the README', () => {
  test('its program runs', async () => {
    const server = await startRedis();
    const output = await runReadmeProgram(join(__dirname, '..'), { REDIS_URL: server.url });
    expect(output).toBe('0 orders are due\n');
    await server.stop();
  });
});
