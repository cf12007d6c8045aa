import { beijingDateTime, beijingTime } from './beijing-time.js';
import { dataLine, feeOf, isOfDay, statementText, yuan, type Movement } from './statement.js';

export type FundAccount = 'Basic' | 'Operation' | 'Fees';

const HEADER =
  '记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额（元）,账户结余（元）,资金变更提交申请人,备注,业务凭证号';
const SUMMARY = '资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额';

interface Entry {
  readonly movement: Movement;
  readonly name: string;
  /** Above 0 comes in, below 0 goes out. In fen. */
  readonly amount: number;
}

/**
 * The flow of one account on one day; `undefined` when nothing moved. The account began with nothing when the simulator
 * did: the balance is that of all days until then. Payments, refunds and fees all go over the basic account.
 */
export function fundFlow(movements: readonly Movement[], day: string, account: FundAccount): string | undefined {
  if (account !== 'Basic') return undefined;
  let balance = 0;
  let number = 0;
  const lines: string[] = [];
  const moved: number[] = [];
  for (const { movement, name, amount } of movements.flatMap(entriesOf)) {
    balance += amount;
    number++;
    if (!isOfDay(movement, day)) continue;
    moved.push(amount);
    lines.push(dataLine(cellsOf({ movement, name, amount }, balance, number)));
  }
  if (lines.length === 0) return undefined;
  const [income, spending] = [moved.filter((amount) => amount > 0), moved.filter((amount) => amount < 0)];
  const totals = [moved.length, income.length, sum(income), spending.length, sum(spending)];
  const summary = totals.map((total, index) => (index % 2 === 0 && index > 0 ? yuan(Math.abs(total)) : `${total}.0`));
  return statementText([HEADER, ...lines, SUMMARY, dataLine(summary)]);
}

function entriesOf(movement: Movement): readonly Entry[] {
  const out = movement.kind === 'refund';
  const amount = out ? movement.refund.refundFee : movement.order.totalFee;
  const fee = feeOf(amount);
  const sign = out ? -1 : 1;
  const entries: Entry[] = [{ movement, name: out ? '退款' : '交易', amount: sign * amount }];
  if (fee > 0) entries.push({ movement, name: out ? '退还交易手续费' : '扣除交易手续费', amount: -sign * fee });
  return entries;
}

function cellsOf({ movement, name, amount }: Entry, balance: number, number: number): readonly string[] {
  const refund = movement.kind === 'refund' ? movement.refund : undefined;
  const day = beijingTime(movement.at).slice(0, 8);
  return [
    beijingDateTime(movement.at),
    refund?.refundId ?? movement.order.payment.transactionId,
    `99000000${day}${String(number).padStart(12, '0')}`,
    name,
    name,
    amount > 0 ? '收入' : '支出',
    yuan(Math.abs(amount)),
    yuan(balance),
    'system',
    '',
    refund?.outRefundNo ?? movement.order.outTradeNo,
  ];
}

function sum(amounts: readonly number[]): number {
  return amounts.reduce((total, amount) => total + amount, 0);
}
