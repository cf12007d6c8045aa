import { PRODUCT } from '@wechat-h5-examples/shop-pages';
import type { SimulatorEvent } from '@wechat-h5/simulator';
import { compare, RETURN_PATH, type Comparison, type Standing } from './comparison.js';
import type { Narrator } from './narrator.js';
import { PhoneBrowser, type ShownPage } from './phone-browser.js';
import type { Waiting } from './recording.js';
import type { RunningShop, ShopRequest } from './shop-server.js';
import type { RunningSimulator } from './simulator-process.js';

export interface Journey {
  readonly shop: RunningShop;
  readonly simulator: RunningSimulator;
  readonly narrator: Narrator;
  /** From which of this machine's addresses the phone connects. */
  readonly phoneAddress: string;
  /** How long to wait for any one message. Default 10,000 ms. */
  readonly patience?: number;
}

/**
 * Makes one whole payment as a phone would, along the ten steps of WeChat Pay's guide, and tells each message from the
 * record of whoever received it. Between steps 4 and 5 a forged notification is sent.
 *
 * @returns both records, held against each other
 * @throws {Error} when a message does not come, or a page does not offer what a payer needs
 */
export async function makePayment(journey: Journey): Promise<readonly Comparison[]> {
  const { shop, simulator, phoneAddress } = journey;
  const phone = new PhoneBrowser(phoneAddress);
  const cashier = await order(journey, phone);
  const [{ outTradeNo = '' } = {}] = simulator.events.list().filter(({ operation }) => operation === 'unifiedorder');
  await forge(journey, outTradeNo);
  const afterForgery: Standing = {
    tradeState: (await simulator.order(outTradeNo))?.tradeState,
    tickets: shop.tickets().length,
  };
  const outcome = await pay(journey, phone, cashier);
  await findOut(journey, phone, outcome);
  return compare({
    wechat: { events: simulator.events.list(), order: await simulator.order(outTradeNo) },
    shop: {
      notifyPath: shop.notifyPath,
      price: PRODUCT.price,
      requests: shop.requests.list(),
      replies: shop.replies.list(),
      problems: shop.problems.list(),
      tickets: shop.tickets(),
    },
    phone: phone.received.list(),
    afterForgery,
  });
}

/** Steps 1 to 4. */
async function order(journey: Journey, phone: PhoneBrowser): Promise<ShownPage> {
  const { shop, narrator } = journey;
  const product = shown(await phone.open(`${shop.url}/`));
  const cashier = shown(await phone.press(product, /Pay/));

  narrator.line('1', {
    from: 'shop',
    to: 'phone',
    chinese: '商品页',
    english: 'the product',
    facts: [
      ['page', product.heading],
      ['button', product.forms[0]?.button],
    ],
  });
  const asked = await heardByShop(journey, '/pay');
  narrator.line('', {
    from: 'phone',
    to: 'shop',
    chinese: '用户下单，使用微信支付',
    english: 'the payer orders and chooses WeChat Pay',
    facts: [
      [asked.method, asked.path],
      ['from', asked.from],
    ],
  });
  const ordered = await heardByWechat(journey, 'gateway.request', 'unifiedorder');
  narrator.line('2', {
    from: 'shop',
    to: 'wechat',
    chinese: '统一下单',
    english: 'the shop places the order (unifiedorder)',
    facts: pick(ordered, 'out_trade_no', 'total_fee', 'spbill_create_ip', 'trade_type', 'notify_url'),
  });
  const placed = await shop.replies.when('the reply to unifiedorder', () => true, waiting(journey));
  narrator.line('3', {
    from: 'wechat',
    to: 'shop',
    chinese: '返回支付跳转链接 mweb_url',
    english: 'the link to the middle page comes back',
    facts: [
      ['mweb_url', placed.fields['mweb_url']],
      ['prepay_id', placed.fields['prepay_id']],
    ],
  });
  const sent = await phone.received.when(
    'the redirect to mweb_url',
    ({ url }) => url.endsWith('/pay'),
    waiting(journey),
  );
  narrator.line('', {
    from: 'shop',
    to: 'phone',
    chinese: '跳转，并附上回跳地址 redirect_url',
    english: 'off to the link, with the way back as redirect_url',
    facts: [[String(sent.status), sent.location]],
  });
  const opened = await heardByWechat(journey, 'cashier.request', 'open');
  narrator.line('4', {
    from: 'phone',
    to: 'wechat',
    chinese: '打开中间页，校验域名与终端 IP',
    english: 'the middle page checks domain and address',
    facts: [
      ['from', opened.peer],
      ['Referer', opened.fields?.['referer']],
    ],
  });
  narrator.line('', {
    from: 'wechat',
    to: 'phone',
    chinese: '收银台',
    english: 'the cashier',
    facts: [
      [String(cashier.status), cashier.title],
      ['buttons', cashier.forms.map(({ button }) => button).join(' | ')],
    ],
  });
  return cashier;
}

/** What nobody ordered: somebody claims, without the merchant's key, that the order is paid. */
async function forge(journey: Journey, outTradeNo: string): Promise<void> {
  const { shop, simulator, narrator } = journey;
  await simulator.forge(outTradeNo);
  const forged = await heardByShop(journey, shop.notifyPath);
  narrator.line('!', {
    from: 'forger',
    to: 'shop',
    chinese: '伪造的支付通知',
    english: 'a notification that WeChat Pay never sent',
    facts: ['out_trade_no', 'transaction_id', 'total_fee', 'sign'].map((name) => [name, forged.fields[name]]),
  });
  const answered = await heardByWechat(journey, 'notification.reply', 'notify');
  const problem = await shop.problems.when('the problem of the forgery', () => true, waiting(journey));
  narrator.line('!', {
    from: 'shop',
    to: 'forger',
    chinese: '拒绝，什么也没有改变，并报告给商户',
    english: 'refused, nothing changes, and the merchant is told',
    facts: [
      ['answer', `${answered.verdict} (${answered.reason})`],
      ['onProblem', `${problem.type} ${problem.code}: ${problem.message}`],
    ],
  });
}

/** Step 5, between pressing the button and the way back. */
async function pay(journey: Journey, phone: PhoneBrowser, cashier: ShownPage): Promise<ShownPage> {
  const { shop, narrator } = journey;
  const outcome = shown(await phone.press(cashier, /Pay/));
  const pressed = await heardByWechat(journey, 'cashier.request', 'pay');
  narrator.line('5', {
    from: 'phone',
    to: 'wechat',
    chinese: '用户确认支付',
    english: 'the payer pays',
    facts: [['from', pressed.peer]],
  });
  const notified = await heardByShop(journey, shop.notifyPath, 2);
  narrator.line('', {
    from: 'wechat',
    to: 'shop',
    chinese: '异步通知支付结果',
    english: 'the notification',
    facts: ['out_trade_no', 'transaction_id', 'total_fee', 'time_end'].map((name) => [name, notified.fields[name]]),
  });
  const answered = await heardByWechat(journey, 'notification.reply', 'notify', 2);
  narrator.line('', {
    from: 'shop',
    to: 'wechat',
    chinese: '验签、核对金额、发货后应答',
    english: 'verified, compared with the order, delivered, then acknowledged',
    facts: [['answer', `${answered.verdict} (HTTP ${answered.status}, ${answered.reason})`]],
  });
  return outcome;
}

/** Steps 6 to 10. */
async function findOut(journey: Journey, phone: PhoneBrowser, outcome: ShownPage): Promise<void> {
  const { simulator, narrator } = journey;
  const back = shown(await phone.follow(outcome, /Done/));
  const returned = await heardByShop(journey, RETURN_PATH);
  narrator.line('6', {
    from: 'phone',
    to: 'shop',
    chinese: '用户返回商户页面',
    english: 'the payer comes back',
    facts: [[returned.method, returned.url]],
  });
  narrator.line('7', {
    from: 'shop',
    to: 'phone',
    chinese: '引导用户主动查询支付结果',
    english: 'the page asks the payer to check, and asks nobody by itself',
    facts: [
      ['page', back.heading],
      ['button', back.forms[0]?.button],
      ['orderquery', `${queries(simulator)}`],
    ],
  });
  const result = shown(await phone.press(back, /I have paid/));
  const checked = await heardByShop(journey, RETURN_PATH, 2);
  narrator.line('8', {
    from: 'phone',
    to: 'shop',
    chinese: '用户点击查询',
    english: 'the payer presses the button',
    facts: [
      [checked.method, checked.path],
      ['order', new URL(checked.url).searchParams.get('order') ?? undefined],
    ],
  });
  const asked = queries(simulator);
  narrator.line('9', {
    from: 'shop',
    to: 'wechat',
    chinese: asked === 0 ? '已收到通知，无需查单' : '没有收到通知，调用查单接口',
    english: asked === 0 ? 'the notification has come, nothing is asked' : 'no notification yet, so orderquery',
    facts: [['orderquery', `${asked}`]],
  });
  narrator.line('10', {
    from: 'shop',
    to: 'phone',
    chinese: '展示最终支付结果',
    english: 'the final result',
    facts: [
      ['state', result.state],
      ['page', result.heading],
      ['ticket', /票码 Ticket (\S+)/.exec(result.text)?.[1]],
    ],
  });
}

/** @throws {Error} when the page is about something that went wrong */
function shown(page: ShownPage): ShownPage {
  if (page.status === 200) return page;
  throw new Error(`${page.url.href} showed ${page.status}: ${page.heading}`);
}

function waiting({ patience }: Journey, count = 1): Waiting {
  return { count, ...(patience !== undefined && { within: patience }) };
}

function heardByShop(journey: Journey, path: string, count?: number): Promise<ShopRequest> {
  const { requests } = journey.shop;
  return requests.when(`${path} at the shop`, (request) => request.path === path, waiting(journey, count));
}

function heardByWechat(
  journey: Journey,
  type: SimulatorEvent['type'],
  operation: string,
  count?: number,
): Promise<SimulatorEvent> {
  return journey.simulator.events.when(
    `${type} ${operation} at WeChat Pay`,
    (event) => event.type === type && event.operation === operation,
    waiting(journey, count),
  );
}

function queries(simulator: RunningSimulator): number {
  return simulator.events
    .list()
    .filter(({ type, operation }) => type === 'gateway.request' && operation === 'orderquery').length;
}

function pick(
  { fields }: SimulatorEvent,
  ...names: readonly string[]
): readonly (readonly [string, string | undefined])[] {
  return names.map((name) => [name, fields?.[name]]);
}
