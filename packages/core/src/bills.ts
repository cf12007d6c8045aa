import { formatTime, parseTime } from './beijing-time.js';
import { FUND_FLOW_BILL, TRADE_BILL, type BillShape } from './bill-rows.js';
import type { BillRow, BillSummary, FundFlowRow, FundFlowSummary } from './bill-rows.js';
import { billInvalid, readBill } from './bill-text.js';
import { isWechatH5Error, WechatH5Error } from './errors.js';
import type { Download } from './gateway-download.js';
import type { DownloadPath } from './gateway-endpoints.js';
import type { Gateway } from './gateway.js';
import type { KnownMerchant, Merchants } from './merchant.js';
import { PAUSES_MS } from './repeat.js';
import { oneOf, refused, refuseUnknown, shown } from './request-fields.js';
import { rowOf, type Operation } from './result-codes.js';

export interface WhoseBill {
  /** Needed once there are several merchants. */
  mchId?: string;
  subMchId?: string;
  appId?: string;
  /** Whether WeChat Pay packs the bill. Default true; either way rows come out. */
  gzip?: boolean;
}

export interface BillOptions extends WhoseBill {
  /** `ALL` (default), only `SUCCESS` (payments), only `REFUND`, or `RECHARGE_REFUND`. */
  billType?: 'ALL' | 'SUCCESS' | 'REFUND' | 'RECHARGE_REFUND';
}

export interface FundFlowOptions extends WhoseBill {
  /** Whose movements: the `Basic` account (default), `Operation` or `Fees`. */
  accountType?: 'Basic' | 'Operation' | 'Fees';
}

/**
 * A bill that is read while it arrives: `for await (const row of bill)`, once. Breaking off closes the connection.
 *
 * Nothing in a bill is signed. The rows are all of it only when the `summary` has come.
 */
export interface Bill<Row = BillRow, Summary = BillSummary> extends AsyncIterable<Row> {
  /**
   * The bill's last line, once every row was read and their number is the one it counts. Asked for without reading the
   * rows, it reads and drops them. Rejects with the error of the rows, and with `BILL_INCOMPLETE` when their reading was
   * broken off.
   */
  readonly summary: Promise<Summary>;
}

/** What a summary says of the rows. */
interface Counted {
  totalCount?: number;
}

export interface BillParts {
  gateway: Gateway;
  merchants: Merchants;
  now: () => Date;
}

/**
 * The transactions and refunds of a day (`downloadbill`).
 * @param day `yyyyMMdd` in UTC+8: yesterday or earlier, at most three months ago; yesterday's is there from about 10:00
 * @throws {WechatH5Error} `ORDER_FIELD_INVALID` at once. While it is read: `BILL_NOT_FOUND`, `BILL_NOT_READY`,
 *   `BILL_INVALID`, `BILL_INCOMPLETE`, `RETURN_CODE_FAIL` with `errCode`, `GATEWAY_*`
 * @see https://pay.weixin.qq.com/doc/v2/merchant/4011985040
 */
export function downloadBill(day: string, options: BillOptions, parts: BillParts): Bill {
  requireOptions(options);
  refuseUnknown(options, { billType: true, ...WHOSE_BILL }, 'the options of a bill');
  const type = options.billType ?? 'ALL';
  return billOf(TRADE_BILL, '/pay/downloadbill', day, options, parts, {
    bill_type: oneOf('bill_type', type, ['ALL', 'SUCCESS', 'REFUND', 'RECHARGE_REFUND']),
  });
}

/**
 * The movements of money of a day (`downloadfundflow`): always signed with HMAC-SHA256, over mutual TLS.
 * @throws {WechatH5Error} as {@link downloadBill}, and `CERTIFICATE_MISSING`
 * @see https://pay.weixin.qq.com/doc/v2/merchant/4011985040
 */
export function downloadFundFlow(
  day: string,
  options: FundFlowOptions,
  parts: BillParts,
): Bill<FundFlowRow, FundFlowSummary> {
  requireOptions(options);
  refuseUnknown(options, { accountType: true, ...WHOSE_BILL }, 'the options of a fund flow');
  const type = options.accountType ?? 'Basic';
  return billOf(FUND_FLOW_BILL, '/pay/downloadfundflow', day, options, parts, {
    account_type: oneOf('account_type', type, ['Basic', 'Operation', 'Fees']),
  });
}

/** Its names. */
export const WHOSE_BILL = { mchId: true, subMchId: true, appId: true, gzip: true } as const;

function billOf<Row, Summary extends Counted>(
  shape: BillShape<Row, Summary>,
  path: DownloadPath,
  day: string,
  options: WhoseBill,
  { gateway, merchants, now }: BillParts,
  business: Record<string, string>,
): Bill<Row, Summary> {
  const bill_date = billDay(day, now());
  const merchant = merchants.named(options);
  const fields = { bill_date, ...business, ...(options.gzip === false ? {} : { tar_type: 'GZIP' }) };
  return new DownloadedBill(shape, () => open(gateway, path, merchant, fields, now));
}

function requireOptions(options: unknown): void {
  if (typeof options === 'object' && options !== null) return;
  throw refused('options', `is ${shown(options)}`, 'Pass an object as the second argument, or nothing at all.');
}

export const DAY_MS = 86_400_000;
const TEN_THE_NEXT_DAY_MS = DAY_MS + 10 * 3_600_000;

/** Milliseconds since a day (`yyyyMMdd`) began in UTC+8. */
export function billAge(day: string, now: Date): number {
  return now.getTime() - (parseTime(`${day}000000`)?.getTime() ?? 0);
}

function billDay(day: unknown, now: Date): string {
  const midnight = typeof day === 'string' && /^\d{8}$/.test(day) ? parseTime(`${day}000000`) : undefined;
  if (midnight === undefined) {
    throw refused(
      'bill_date',
      `is ${shown(day)}`,
      "Give a day as 'yyyyMMdd', such as '20261122'. 账单日期格式为 yyyyMMdd。",
    );
  }
  const today = formatTime(now, 'bill_date').slice(0, 8);
  if (String(day) >= today) {
    throw refused(
      'bill_date',
      `is ${String(day)}, and today is ${today} (UTC+8)`,
      'There are bills up to yesterday. 只能下载昨天及以前的账单。',
    );
  }
  // No three months have more days than this.
  if (billAge(String(day), now) > 93 * DAY_MS) {
    throw refused('bill_date', `is ${String(day)}`, 'Bills go back three months. 只能下载三个月以内的账单。');
  }
  return String(day);
}

async function open(
  gateway: Gateway,
  path: DownloadPath,
  merchant: KnownMerchant,
  fields: Record<string, string>,
  now: () => Date,
): Promise<Download> {
  const operation = path.slice(path.lastIndexOf('/') + 1) as Operation;
  for (let tried = 0; ; tried++) {
    try {
      return await gateway.download(path, merchant, fields);
    } catch (error) {
      const { errCode, errCodeDes } = isWechatH5Error(error) ? error : {};
      if (errCode === undefined && errCodeDes === undefined) throw error;
      const row = refusalRow(operation, errCode, errCodeDes);
      const pauseMs = PAUSES_MS[tried];
      if (row.retry !== 'same-parameters' || pauseMs === undefined) {
        throw explained(error as WechatH5Error, row, fields['bill_date'] ?? '', now());
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}

/** Bills have numbers beside texts, fund flows codes, and pages differ: what a code does not tell, its text does. */
function refusalRow(operation: Operation, errCode = '', text = ''): ReturnType<typeof rowOf> {
  const byCode = rowOf(errCode, { operation, text });
  return byCode.type === 'unknown' ? rowOf(text.toUpperCase().replace(/\s+/g, '_'), { operation }) : byCode;
}

function explained(error: WechatH5Error, row: ReturnType<typeof rowOf>, day: string, now: Date): WechatH5Error {
  if (row.type === 'unknown') return error;
  // Before ten o'clock "no bill" may only mean that it is not made yet.
  const code = row.error === 'BILL_NOT_FOUND' && billAge(day, now) < TEN_THE_NEXT_DAY_MS ? 'BILL_NOT_READY' : row.error;
  const { message, errCode, errCodeDes } = error;
  return new WechatH5Error(code ?? error.code, message, {
    ...(code === undefined ? {} : { field: 'bill_date' }),
    ...(errCode === undefined ? {} : { errCode }),
    ...(errCodeDes === undefined ? {} : { errCodeDes }),
    hint: `${row.meaning.en} ${row.action.en} ${row.meaning.zh}${row.action.zh}`,
    cause: error,
  });
}

/** Fewer rows than there are were lost on the way, and more were not there: no bill to reconcile with. */
function checkCount(counted: number | undefined, { read, uncounted }: { read: number; uncounted: number }): void {
  if (counted === undefined || counted === read || counted === read - uncounted) return;
  const problem = `its summary counts ${counted} rows, and ${read} were read`;
  if (counted < read) throw billInvalid(problem);
  throw new WechatH5Error('BILL_INCOMPLETE', `The bill is not whole: ${problem}`, {
    hint: 'Drop what was read and download it again. 账单行数与汇总不符，请重新下载。',
  });
}

class DownloadedBill<Row, Summary extends Counted> implements Bill<Row, Summary> {
  readonly #shape: BillShape<Row, Summary>;
  readonly #open: () => Promise<Download>;
  readonly #summary: Promise<Summary>;
  #resolve: (summary: Summary) => void = () => {};
  #reject: (error: unknown) => void = () => {};
  #isRead = false;

  constructor(shape: BillShape<Row, Summary>, opener: () => Promise<Download>) {
    this.#shape = shape;
    this.#open = opener;
    this.#summary = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Whoever reads the rows hears of the error there.
    this.#summary.catch(() => {});
  }

  get summary(): Promise<Summary> {
    // `const { summary } = bill` may stand before the loop that reads the rows.
    queueMicrotask(() => {
      if (!this.#isRead) void this.#drain();
    });
    return this.#summary;
  }

  [Symbol.asyncIterator](): AsyncGenerator<Row, void, undefined> {
    if (this.#isRead) {
      throw new WechatH5Error('BILL_INCOMPLETE', 'The rows of this bill are read already', {
        hint: 'A bill is read once, while it arrives: download it again.',
      });
    }
    this.#isRead = true;
    return this.#rows();
  }

  async #drain(): Promise<void> {
    try {
      for await (const _ of this) continue;
    } catch {
      // The summary has rejected with it.
    }
  }

  async *#rows(): AsyncGenerator<Row, void, undefined> {
    let convertible = true;
    const rows = { read: 0, uncounted: 0 };
    try {
      const { body } = await this.#open();
      // Leaving this loop, however that happens, destroys the body.
      for await (const { type, cells } of readBill(body)) {
        if (type === 'summary') {
          const summary = this.#shape.summary(cells, convertible);
          checkCount(summary.totalCount, rows);
          this.#resolve(summary);
        } else {
          rows.read++;
          if (this.#shape.isUncounted(cells)) rows.uncounted++;
          convertible &&= this.#shape.isConvertible(cells);
          yield this.#shape.row(cells);
        }
      }
    } catch (error) {
      this.#reject(error);
      throw error;
    } finally {
      // Of no effect once it is settled.
      this.#reject(
        new WechatH5Error('BILL_INCOMPLETE', 'The reading of the bill was broken off before its summary', {
          hint: 'The summary is the last line: read all rows first. 汇总行在账单末尾，请先读完所有明细。',
        }),
      );
    }
  }
}
