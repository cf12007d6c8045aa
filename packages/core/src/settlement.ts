import { formatTime, parseTime } from './beijing-time.js';
import { currency } from './currency.js';
import { WechatH5Error } from './errors.js';
import type { Gateway } from './gateway.js';
import type { Merchants } from './merchant.js';
import { refusalOf } from './order-refusals.js';
import { callRepeating } from './repeat.js';
import { oneOf, refused, refuseUnknown, shown } from './request-fields.js';

interface Whose {
  /** Needed once there are several merchants. */
  mchId?: string;
  subMchId?: string;
  appId?: string;
}

/** Which settlements a call is about. */
export interface SettlementRef extends Whose {
  /** What was settled with the merchant, or what is still to be. */
  state: 'settled' | 'unsettled';
  /** First and last day, `yyyyMMdd` in UTC+8. */
  dateStart: string;
  dateEnd: string;
  /** How many records to pass over. Default 0. */
  offset?: number;
  /** How many records to list. Default 10. */
  limit?: number;
}

/** One settlement. Amounts are in the smallest unit of `settlementFeeType`, days `yyyyMMdd`. */
export interface Settlement {
  batchNo?: string;
  dateSettlement?: string;
  dateStart?: string;
  dateEnd?: string;
  settlementFee?: number;
  unsettlementFee?: number;
  settlementFeeType?: string;
  /** What was paid, what of it was given back, and the difference. */
  payFee?: number;
  refundFee?: number;
  payNetFee?: number;
  /** What WeChat Pay charges. */
  poundageFee?: number;
}

export interface SettlementQuery {
  settlements: Settlement[];
  /** As WeChat Pay says it. */
  recordNum: number;
  raw: Readonly<Record<string, string>>;
}

export interface ExchangeRateRef extends Whose {
  /** ISO 4217: the currency that orders are priced in. */
  feeType: string;
  /** `yyyyMMdd` in UTC+8. There is one rate a day, from 10:00. */
  date: string;
}

/** What one unit of `feeType` costs in CNY. */
export interface ExchangeRate {
  feeType: string;
  /** Times 10^8: 650000000 for 6.5. */
  rate: number;
  /** As WeChat Pay writes it (`rate_time`). */
  rateTime: string;
  raw: Readonly<Record<string, string>>;
}

const TEXTS = [
  ['batchNo', 'fbatchno'],
  ['dateSettlement', 'date_settlement'],
  ['dateStart', 'date_start'],
  ['dateEnd', 'date_end'],
  ['settlementFeeType', 'settlementfee_type'],
] as const;

const AMOUNTS = [
  ['settlementFee', 'settlement_fee'],
  ['unsettlementFee', 'unsettlement_fee'],
  ['payFee', 'pay_fee'],
  ['refundFee', 'refund_fee'],
  ['payNetFee', 'pay_net_fee'],
  ['poundageFee', 'poundage_fee'],
] as const;

/**
 * Asks what was settled with a merchant of the Global platform (`settlementquery`).
 * @throws {WechatH5Error} `ORDER_FIELD_INVALID`, `GATEWAY_REFUSED` with `errCode`, `GATEWAY_*`, `RETURN_CODE_FAIL`
 */
export async function querySettlement(
  ref: SettlementRef,
  { gateway, merchants }: { gateway: Gateway; merchants: Merchants },
): Promise<SettlementQuery> {
  if (typeof ref !== 'object' || ref === null)
    throw refused('usetag', 'is missing', 'Pass { state, dateStart, dateEnd }.');
  refuseUnknown(
    ref,
    { ...WHOSE, state: true, dateStart: true, dateEnd: true, offset: true, limit: true },
    'a settlement query',
  );
  const state = oneOf('usetag', ref.state, ['settled', 'unsettled']);
  const fields = {
    usetag: state === 'settled' ? '1' : '2',
    offset: whole('offset', ref.offset ?? 0, 0),
    limit: whole('limit', ref.limit ?? 10, 1),
    date_start: calendarDay('date_start', ref.dateStart),
    date_end: calendarDay('date_end', ref.dateEnd),
  };
  if (fields.date_end < fields.date_start) {
    throw refused(
      'date_end',
      `is ${fields.date_end}, before ${fields.date_start}`,
      'Give the last day, or the first one again.',
    );
  }
  const subject = `settlements ${Object.values(fields).join(' ')}`;
  const { raw, refusal } = await callRepeating(gateway, '/pay/settlementquery', merchants.named(ref), fields, subject);
  if (refusal !== undefined) throw refusalOf('settlementquery', refusal);
  const recordNum = raw['record_num'] ?? '';
  if (!/^[0-9]{1,6}$/.test(recordNum)) throw replyInvalid('record_num');
  return { settlements: settlementsOf(raw), recordNum: Number(recordNum), raw };
}

/**
 * Asks for the rate of a currency (`queryexchagerate`) on the Global platform.
 * @throws {WechatH5Error} `ORDER_FIELD_INVALID`, `GATEWAY_REFUSED` with `errCode`, `GATEWAY_*`, `RETURN_CODE_FAIL`
 */
export async function queryExchangeRate(
  ref: ExchangeRateRef,
  { gateway, merchants, now }: { gateway: Gateway; merchants: Merchants; now: () => Date },
): Promise<ExchangeRate> {
  if (typeof ref !== 'object' || ref === null) throw refused('fee_type', 'is missing', 'Pass { feeType, date }.');
  refuseUnknown(ref, { ...WHOSE, feeType: true, date: true }, 'an exchange rate query');
  const fields = { fee_type: currency('fee_type', ref.feeType), date: calendarDay('date', ref.date) };
  const today = formatTime(now(), 'date').slice(0, 8);
  if (fields.date > today)
    throw refused('date', `is ${fields.date}, and today is ${today} (UTC+8)`, 'Ask for today or earlier.');
  const subject = `rate ${fields.fee_type} ${fields.date}`;
  const { raw, refusal } = await callRepeating(gateway, '/pay/queryexchagerate', merchants.named(ref), fields, subject);
  if (refusal !== undefined) throw refusalOf('queryexchagerate', refusal);
  if (raw['fee_type'] !== fields.fee_type) throw replyInvalid('fee_type');
  if (!/^[1-9][0-9]{0,14}$/.test(raw['rate'] ?? '')) throw replyInvalid('rate');
  return { feeType: fields.fee_type, rate: Number(raw['rate']), rateTime: raw['rate_time'] ?? '', raw };
}

const WHOSE = { mchId: true, subMchId: true, appId: true } as const;

/** One record has plain names or `_0`, several have `_$n`; the pages show both. */
function settlementsOf(raw: Readonly<Record<string, string>>): Settlement[] {
  const indices = new Set(
    Object.keys(raw).flatMap(
      (name) => /^(?:fbatchno|settlement_fee|unsettlement_fee)((?:_[0-9]{1,4})?)$/.exec(name)?.[1] ?? [],
    ),
  );
  return [...indices]
    .sort((a, b) => Number(a.slice(1)) - Number(b.slice(1)))
    .map((index) => {
      const settlement: Settlement = {};
      for (const [ours, official] of TEXTS) {
        const value = raw[`${official}${index}`];
        if (value) settlement[ours] = value;
      }
      for (const [ours, official] of AMOUNTS) {
        const value = raw[`${official}${index}`] ?? '';
        if (/^-?[0-9]{1,15}$/.test(value)) settlement[ours] = Number(value);
      }
      return settlement;
    });
}

function calendarDay(field: string, value: unknown): string {
  if (typeof value === 'string' && /^\d{8}$/.test(value) && parseTime(`${value}000000`) !== undefined) return value;
  throw refused(field, `is ${shown(value)}`, "Give a day as 'yyyyMMdd', such as '20261122'. 日期格式为 yyyyMMdd。");
}

function whole(field: string, value: unknown, least: number): string {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= 2_147_483_647)
    return String(value);
  throw refused(field, `is ${shown(value)}`, `Give an integer from ${least}.`);
}

function replyInvalid(field: string): WechatH5Error {
  return new WechatH5Error('GATEWAY_REPLY_INVALID', `The reply has no ${field} that can be used`, {
    field,
    hint: 'It was not believed. Query again.',
  });
}
