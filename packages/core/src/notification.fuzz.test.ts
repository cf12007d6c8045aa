import { createWechatH5, isWechatH5Error, type Notification, type WechatH5ErrorCode } from './index.js';
import { GENUINE, MERCHANTS, NO_NOTIFICATIONS } from './genuine-notifications.fixture.js';
import { MUTATIONS, Random } from './notification-mutations.fixture.js';

/** 200,000, and in the nightly run ten million. `FUZZ_SEED` and `FUZZ_CASE` repeat one case of a run. */
const NIGHTLY = process.env['NIGHTLY'] === '1';
const CASES = NIGHTLY ? 10_000_000 : 200_000;
const SEED = Number(process.env['FUZZ_SEED'] ?? (NIGHTLY ? Date.now() % 1_000_000 : 20_140_903));
const ONLY_CASE = process.env['FUZZ_CASE'];

/** Every code with which `verifyNotification` says that it refuses. */
const REFUSALS: readonly WechatH5ErrorCode[] = [
  'XML_INVALID',
  'RETURN_CODE_FAIL',
  'MERCHANT_UNKNOWN',
  'MERCHANT_MISMATCH',
  'SIGN_MISSING',
  'SIGN_MALFORMED',
  'SIGN_TYPE_REFUSED',
  'SIGN_INVALID',
  'FIELD_MISSING',
  'FIELD_INVALID',
  'FIELD_AMBIGUOUS',
  'REFUND_UNDECIPHERABLE',
];

const wechatH5 = createWechatH5({ merchant: MERCHANTS, notifyUrl: 'https://pay.example.com/notify' });

/**
 * All that a notification says, as one text. An empty field says nothing: it is not signed, and to us it is absent.
 * Of a refund hint only what was decrypted counts: what stands around it proves nothing and nothing is decided by it.
 */
function meaningOf(notification: Notification): string {
  const { raw, ...typed } = notification;
  const fields = Object.entries(raw).filter(([, value]) => value !== '');
  fields.sort(([a], [b]) => (a < b ? -1 : 1));
  if (notification.type === 'refund-hint') return JSON.stringify([notification.type, fields]);
  return JSON.stringify([Object.entries(typed).sort(([a], [b]) => (a < b ? -1 : 1)), fields]);
}

interface Parent {
  body: Buffer;
  /** `undefined`: it is refused. */
  meaning: string | undefined;
}

const genuine: Parent[] = Object.values(GENUINE).map((body) => {
  const bytes = Buffer.from(body);
  return { body: bytes, meaning: meaningOf(wechatH5.verifyNotification(bytes)) };
});
const strangers: Parent[] = Object.values(NO_NOTIFICATIONS).map((body) => ({
  body: Buffer.from(body),
  meaning: undefined,
}));
// Jest asks for a hundred frames of every error, a sixth of the time that this test takes.
Error.stackTraceLimit = 0;

const parents = [...genuine, ...strangers];
const names = Object.keys(MUTATIONS);

interface Case {
  mutations: string[];
  parents: [Parent, Parent];
  body: Buffer;
}

/** Each case has a seed of its own, so that one can be repeated alone. */
function caseOf(number: number): Case {
  const random = new Random(Math.imul(SEED, 2_654_435) + number);
  const [parent, other] = [random.of(parents), random.of(parents)];
  const mutations: string[] = [];
  let { body } = parent;
  for (let n = random.of([1, 1, 1, 2, 4]); n > 0 && body.length > 0; n--) {
    const name = random.of(names);
    mutations.push(name);
    body = MUTATIONS[name]!(body, other.body, random);
  }
  return { mutations, parents: [parent, other], body };
}

test('there are more than twenty genuine shapes, and each is accepted', () => {
  expect(genuine.length).toBeGreaterThanOrEqual(20);
  expect(new Set(genuine.map(({ body }) => body.toString())).size).toBe(genuine.length);
});

test.each(Object.entries(NO_NOTIFICATIONS))('no notification: %s', (_name, body) => {
  expect(() => wechatH5.verifyNotification(body)).toThrow(expect.objectContaining({ name: 'WechatH5Error' }));
});

test(
  `D28: of ${CASES.toLocaleString('en')} mutated bodies none is accepted with another meaning`,
  () => {
    const refused = new Map<string, number>(REFUSALS.map((code) => [code, 0]));
    let unchanged = 0;
    let hints = 0;
    const [first, last] = ONLY_CASE === undefined ? [0, CASES] : [Number(ONLY_CASE), Number(ONLY_CASE) + 1];
    for (let number = first; number < last; number++) {
      const { mutations, parents: from, body } = caseOf(number);
      let notification: Notification;
      try {
        notification = wechatH5.verifyNotification(body);
      } catch (error) {
        if (!isWechatH5Error(error)) throw failure(number, mutations, body, error);
        refused.set(error.code, (refused.get(error.code) ?? 0) + 1);
        continue;
      }
      const meaning = meaningOf(notification);
      if (from.some((parent) => parent.meaning === meaning)) unchanged++;
      // The cipher has no integrity: that is why a hint is worth a refundquery and nothing else.
      else if (notification.type === 'refund-hint') hints++;
      else throw failure(number, mutations, body, meaning);
    }
    const counts = [...refused].map(([code, count]) => `  ${code.padEnd(24)}${count}`).join('\n');
    process.stdout.write(
      `Seed ${SEED}: ${last - first} bodies grown from ${parents.length} shapes by ${names.length} mutations\n` +
        `${counts}\n  ${'same meaning'.padEnd(24)}${unchanged}\n  ${'refund hint, altered'.padEnd(24)}${hints}\n`,
    );
    expect([...refused.keys()]).toEqual(REFUSALS);
    if (ONLY_CASE === undefined) expect([...refused].filter(([, count]) => count === 0)).toEqual([]);
    // A fuzzer that never gets through tests nothing behind the signature.
    if (ONLY_CASE === undefined) expect(unchanged).toBeGreaterThan(CASES / 100);
  },
  NIGHTLY ? 7_200_000 : 300_000,
);

function failure(number: number, mutations: string[], body: Buffer, got: unknown): Error {
  const how = `FUZZ_SEED=${SEED} FUZZ_CASE=${number} (${mutations.join(', ')})`;
  return new Error(`${how}\nbody, base64: ${body.toString('base64')}\ngot: ${String(got)}`, { cause: got });
}
