import { join } from 'node:path';
import { describeWithStores, runReadmeProgram, startPostgres } from '@wechat-h5/testkit/stores';

describeWithStores(['postgres'], 'the README', () => {
  test('its program runs', async () => {
    const server = await startPostgres();
    const output = await runReadmeProgram(join(__dirname, '..'), { DATABASE_URL: server.url });
    expect(output).toBe('0 orders are due\n');
    await server.stop();
  });
});
