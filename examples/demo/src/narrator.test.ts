import { Narrator } from './narrator.js';

function tell(colour: boolean, tale: (narrator: Narrator) => void): string {
  let told = '';
  tale(new Narrator({ write: (text) => (told += text), colour }));
  return told;
}

const LINE = {
  from: 'phone',
  to: 'shop',
  chinese: '下单',
  english: 'orders',
  facts: [
    ['a', '1'],
    ['b', undefined],
  ],
} as const;

test('a line names both ends in both languages, and leaves out what is not known', () => {
  expect(tell(false, (narrator) => narrator.line('1', LINE))).toBe(
    '\n  1  手机 → 商户  下单\n     phone → shop: orders\n     a                 1\n',
  );
});

test('colour is for terminals only', () => {
  const tale = (narrator: Narrator): void => {
    narrator.heading('标题', 'heading');
    narrator.line('1', LINE);
    narrator.comparison({ fact: 'f', values: [['shop', 'x']], agree: true });
    narrator.verdict(true, '好', 'good');
  };
  expect(tell(false, tale)).not.toContain('\u001b');
  const coloured = tell(true, tale);
  expect(coloured).toContain('\u001b[');
  // oxlint-disable-next-line no-control-regex
  expect(coloured.replaceAll(/\u001b\[\d+m/g, '')).toBe(tell(false, tale));
});

test('a disagreement shows every value with its side', () => {
  const told = tell(false, (narrator) =>
    narrator.comparison({
      fact: 'total_fee',
      values: [
        ['shop', '1990'],
        ['wechat', '1'],
        ['phone', undefined],
      ],
      agree: false,
    }),
  );
  expect(told.split('\n').map((line) => line.trim().replaceAll(/ {2,}/g, ' '))).toEqual([
    '✗ total_fee',
    '商户 shop 1990',
    '微信 WeChat Pay 1',
    '手机 phone –',
    '',
  ]);
});

test('afterwards every exchange is one line, by its reply', () => {
  const at = new Date(2026, 0, 2, 15, 4, 5);
  const event = { number: 1, at, operation: 'open', peer: '127.0.0.1:1', outTradeNo: 'A1' };
  const told = tell(false, (narrator) => {
    narrator.event({ ...event, type: 'cashier.request' });
    narrator.event({ ...event, type: 'cashier.reply', verdict: 'LINK_EXPIRED', reason: '支付请求已失效' });
  });
  expect(told).toBe('     15:04:05  open  A1  LINK_EXPIRED  支付请求已失效\n');
});
