import { parseBeijingTime } from './beijing-time.js';
import { CURRENCIES, rateExists, rateOf } from './exchange-rates.js';
import { checkFields, MALFORMED, matches, oneOf, type FieldRule } from './field-rules.js';
import type { Operation, OperationContext } from './operation.js';
import { feeOf, movementsOf, type Movement } from './statement.js';
import { beijingDay } from './statement-day.js';
import type { Fields } from './wire-fields.js';

const DAY_FIELD: FieldRule = {
  required: true,
  max: 8,
  check: (value) => (parseBeijingTime(`${value}000000`) ? undefined : MALFORMED),
};
const RATE_FIELDS: Readonly<Record<string, FieldRule>> = {
  sub_mch_id: { max: 32 },
  fee_type: { required: true, max: 16, check: oneOf(...CURRENCIES) },
  date: DAY_FIELD,
};
const SETTLEMENT_FIELDS: Readonly<Record<string, FieldRule>> = {
  sub_mch_id: { max: 32 },
  usetag: { required: true, max: 1, check: oneOf('1', '2') },
  offset: { required: true, max: 10, check: matches(/^\d+$/) },
  limit: { required: true, max: 2, check: matches(/^[1-9]\d?$/) },
  date_start: DAY_FIELD,
  date_end: DAY_FIELD,
};
const NEXT_DAY = 24 * 3_600_000;

/** The rate by which the payer's wallet is charged. */
export const queryExchangeRate: Operation = (fields, context) => {
  const refusal = checkFields(RATE_FIELDS, fields, context);
  if (refusal) return refusal;
  const { fee_type: currency = '', date = '' } = fields;
  if (!rateExists(date, context.now)) return { code: 'PARAM_ERROR', description: `date${MALFORMED}` };
  return {
    code: 'SUCCESS',
    fields: { fee_type: currency, rate_time: date, rate: String(rateOf(currency)) },
  };
};

/** One settlement for each day and currency, paid out on the next day. */
export const querySettlement: Operation = (fields, context) => {
  const refusal = checkFields(SETTLEMENT_FIELDS, fields, context);
  if (refusal) return refusal;
  const { usetag, date_start: from = '', date_end: to = '' } = fields;
  const batches = batchesOf(context).filter(
    ({ day, settled }) => settled === (usetag === '1') && day >= from && day <= to,
  );
  const offset = Number(fields['offset']);
  const page = batches.slice(offset, offset + Number(fields['limit']));
  return {
    code: 'SUCCESS',
    fields: { record_num: String(page.length), ...Object.assign({}, ...page.map(recordFields)) },
  };
};

interface Batch {
  readonly day: string;
  readonly settlementDay: string;
  readonly settled: boolean;
  readonly currency: string;
  readonly movements: readonly Movement[];
}

function batchesOf({ orders, refunds, now }: OperationContext): readonly Batch[] {
  const groups = new Map<string, Movement[]>();
  for (const movement of movementsOf(orders.list(), refunds.list())) {
    const key = `${beijingDay(movement.at)} ${movement.order.feeType}`;
    groups.set(key, [...(groups.get(key) ?? []), movement]);
  }
  return [...groups].map(([key, movements]) => {
    const [day = '', currency = ''] = key.split(' ');
    const settlementDay = beijingDay(new Date((movements[0] as Movement).at.getTime() + NEXT_DAY));
    return { day, settlementDay, settled: settlementDay <= beijingDay(now), currency, movements };
  });
}

/** Those of the `n`-th record on the page, from 0. */
function recordFields({ day, settlementDay, settled, currency, movements }: Batch, n: number): Fields {
  const paid = sum(movements.map((one) => (one.kind === 'payment' ? one.order.totalFee : 0)));
  const refunded = sum(movements.map((one) => (one.kind === 'refund' ? one.refund.refundFee : 0)));
  const net = paid - refunded;
  const due = net - feeOf(net);
  const fields: Fields = {
    fbatchno: `99${day}${currency}`,
    date_settlement: settlementDay,
    date_start: day,
    date_end: day,
    settlement_fee: String(settled ? due : 0),
    unsettlement_fee: String(settled ? 0 : due),
    settlementfee_type: currency,
    pay_fee: String(paid),
    refund_fee: String(refunded),
    pay_net_fee: String(net),
    poundage_fee: String(feeOf(net)),
  };
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [`${name}_${n}`, value]));
}

function sum(amounts: readonly number[]): number {
  return amounts.reduce((total, amount) => total + amount, 0);
}
