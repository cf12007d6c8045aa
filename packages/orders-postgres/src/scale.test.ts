import { encodeOrder, transition, type OrderRecord } from '@wechat-h5/core/order-book';
import { applyAll, claim, dueSince, intend, newKey, paid } from '@wechat-h5/testkit/order-book';
import { describeWithStores } from '@wechat-h5/testkit/stores';
import type { PoolClient } from 'pg';
import { columnsOf, keyOf, statementsFor } from './statements.js';
import { serverOfBlock } from './store.fixture.js';

interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Shared Hit Blocks': number;
  readonly 'Shared Read Blocks': number;
  readonly Plans?: readonly Plan[];
}

const SIZES = [2000, 40_000];
/** A tree that is twenty times as large is one page higher at most, and what takes ten orders goes down four to six for each. */
const HIGHER = 60;

describeWithStores(['postgres'], 'a large table', () => {
  const { server, books } = serverOfBlock();

  test('S11: what is due, a claim and a group of changes touch as many blocks as in a small one, by an index', async () => {
    const { book, schema } = await books.create(server.url);
    const sql = statementsFor(`"${schema}".`);
    const pool = books.pool({ connectionString: server.url });
    const settled = await sample([{ type: 'complete', attempt: 1 }]);
    const waiting = await sample([]);

    /** The shape of a shop's table: nearly all of it is settled, and one order in a hundred is due. */
    const fill = async (from: number, to: number): Promise<void> => {
      const text = (order: OrderRecord): string => encodeOrder(order).replaceAll(order.key.outTradeNo, '@');
      await pool.query(
        `INSERT INTO ${schema}.wechat_h5_order (mch_id, sub_mch_id, out_trade_no, state, delivery, due_at, version, position, record)
         SELECT $1, '', 'N' || i, 'PAID', 'DONE', CASE WHEN i % 100 = 0 THEN now() - i * interval '1 s' END, $2, 'N' || i,
           replace(CASE WHEN i % 100 = 0 THEN $4 ELSE $3 END, '@', 'N' || i)::json
         FROM generate_series($5::int, $6::int) AS s (i)`,
        [settled.key.mchId, settled.version, text(settled), text(waiting), from, to],
      );
      await pool.query(`VACUUM ANALYZE ${schema}.wechat_h5_order`);
    };
    async function sample(more: Parameters<typeof applyAll>[2]): Promise<OrderRecord> {
      const key = newKey();
      const { order } = await applyAll(book, key, [intend(key), paid(key), claim, ...more]);
      if (order === undefined) throw new Error('no order');
      return order;
    }
    const blocks = async (text: string, values: unknown[], isKept = false): Promise<number> => {
      const client = await pool.connect();
      await client.query('BEGIN');
      const asked = isKept ? await kept(client, text, values) : { text, values };
      const { rows } = await client.query<{ 'QUERY PLAN': { Plan: Plan }[] }>(
        `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${asked.text}`,
        asked.values,
      );
      // The next one finds the same.
      await client.query('ROLLBACK');
      client.release();
      const plan = rows[0]?.['QUERY PLAN'][0]?.Plan;
      if (plan === undefined) throw new Error('no plan');
      expect(scanned(plan)).not.toContain('wechat_h5_order');
      return plan['Shared Hit Blocks'] + plan['Shared Read Blocks'];
    };
    const measured: Record<string, number>[] = [];
    for (const [index, size] of SIZES.entries()) {
      await fill(index === 0 ? 1 : (SIZES[index - 1] ?? 0) + 1, size);
      const { order: next = waiting } = transition(waiting, waiting.key, dueSince(1), new Date());
      const values = [...columnsOf(next, encodeOrder(next)), '2000'];
      const was = encodeOrder(waiting);
      const many = [...values.slice(0, 11).map((value) => [value]), '2000', [waiting.version], [was], [], []];
      measured.push({
        latest: await blocks(sql.take('DESC'), [10, 60_000]),
        oldest: await blocks(sql.take('ASC'), [10, 60_000]),
        read: await blocks(sql.read, keyOf(waiting.key)),
        readMany: await blocks(
          sql.readMany,
          keyOf(waiting.key).map((value) => [value]),
        ),
        updateOnly: await blocks(sql.updateOnly, [...values, waiting.version, was]),
        updateMany: await blocks(sql.updateMany, many),
        latestKept: await blocks(sql.take('DESC'), [10, 60_000], true),
        oldestKept: await blocks(sql.take('ASC'), [10, 60_000], true),
        readKept: await blocks(sql.read, keyOf(waiting.key), true),
        updateOnlyKept: await blocks(sql.updateOnly, [...values, waiting.version, was], true),
      });
    }
    const [small = {}, large = {}] = measured;
    for (const [what, count] of Object.entries(large)) {
      expect(count).toBeGreaterThan(2);
      expect({ what, isBounded: count <= (small[what] ?? 0) + HIGHER, count }).toMatchObject({ isBounded: true });
    }
  });
});

/** A statement as the server may plan one that it keeps: once, for whatever it will be asked for. */
async function kept(client: PoolClient, text: string, values: readonly unknown[]) {
  const given = values.map((value) =>
    value === null || value === undefined ? 'NULL' : client.escapeLiteral(String(value)),
  );
  await client.query(`SET LOCAL plan_cache_mode = force_generic_plan; DEALLOCATE ALL; PREPARE kept AS ${text}`);
  return { text: `EXECUTE kept (${given.join(', ')})`, values: [] };
}

/** The tables that are read from end to end. */
function scanned(plan: Plan): (string | undefined)[] {
  const below = (plan.Plans ?? []).flatMap(scanned);
  return plan['Node Type'] === 'Seq Scan' ? [plan['Relation Name'], ...below] : below;
}
