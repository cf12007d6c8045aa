import { parseRefundTime } from './beijing-time.js';
import { billInvalid, type Cells } from './bill-text.js';

/**
 * One transaction or refund of a bill. Amounts are in the smallest unit of `feeType` (fen), refunds of the old columns
 * negative where WeChat Pay writes them so. A field whose column the bill lacks, or whose cell is empty, is absent; so is
 * an amount that is no whole number of the smallest unit, or whose currency has no certain one. `raw` has every cell.
 */
export interface BillRow {
  tradeTime?: Date;
  appId?: string;
  mchId?: string;
  subMchId?: string;
  deviceInfo?: string;
  transactionId?: string;
  outTradeNo?: string;
  openId?: string;
  tradeType?: string;
  /** `SUCCESS`, `REFUND`, `REVOKED`. */
  tradeState?: string;
  bankType?: string;
  feeType?: string;
  /** What the order cost (订单金额; 总金额 before 2018). */
  totalFee?: number;
  /** What of it is settled (应结订单金额). */
  settlementTotalFee?: number;
  couponFee?: number;
  refundApplyTime?: Date;
  refundSuccessTime?: Date;
  refundId?: string;
  outRefundNo?: string;
  /** What was asked to be given back (申请退款金额; 退款金额 before 2018). */
  refundFee?: number;
  /** What of it is settled (退款金额). */
  settlementRefundFee?: number;
  couponRefundFee?: number;
  /** `ORIGINAL`, `BALANCE`, … */
  refundChannel?: string;
  refundStatus?: string;
  /** When a text contains a comma and a backtick, where it ends is not certain: then `body` is both texts and `attach` absent. */
  body?: string;
  attach?: string;
  /** What WeChat Pay charges (手续费), negative when it is given back. */
  poundageFee?: number;
  /** `0.60%` */
  rate?: string;
  rateDesc?: string;
  /** Every cell, by the text of its column's header. */
  raw: Cells;
}

/** The last line of a bill. Amounts are in fen. */
export interface BillSummary {
  /** Rows, with or without those of refunds: a bill with more or less of them is refused. */
  totalCount?: number;
  totalFee?: number;
  settlementTotalFee?: number;
  refundFee?: number;
  settlementRefundFee?: number;
  couponRefundFee?: number;
  poundageFee?: number;
  raw: Cells;
}

/** One movement of money of an account. */
export interface FundFlowRow {
  bookedAt?: Date;
  /** The transaction, refund or withdrawal behind it (微信支付业务单号). */
  businessNo?: string;
  fundFlowNo?: string;
  /** 交易, 退款, 提现, … */
  businessName?: string;
  businessType?: string;
  direction?: 'income' | 'expenditure';
  /** In fen, never negative: see `direction`. */
  amount?: number;
  /** What the account then held, in fen. */
  balance?: number;
  applicant?: string;
  remark?: string;
  voucherNo?: string;
  raw: Cells;
}

export interface FundFlowSummary {
  totalCount?: number;
  incomeCount?: number;
  incomeFee?: number;
  expenditureCount?: number;
  expenditureFee?: number;
  raw: Cells;
}

/** The kinds of cells, and the type of what each is read as. */
interface Kinds {
  text: string;
  /** Text, where `0` says that there is none. */
  number: string;
  time: Date;
  amount: number;
  count: number;
  direction: 'income' | 'expenditure';
}

type Column<Row> = {
  [Name in Exclude<keyof Row, 'raw'>]-?: {
    [Kind in keyof Kinds]: Kinds[Kind] extends NonNullable<Row[Name]> ? readonly [Name, Kind] : never;
  }[keyof Kinds];
}[Exclude<keyof Row, 'raw'>];

type Columns<Row> = Readonly<Record<string, Column<Row>>>;

const TRADE: Columns<BillRow> = {
  交易时间: ['tradeTime', 'time'],
  公众账号ID: ['appId', 'text'],
  商户号: ['mchId', 'text'],
  子商户号: ['subMchId', 'number'],
  特约商户号: ['subMchId', 'number'],
  设备号: ['deviceInfo', 'text'],
  微信订单号: ['transactionId', 'text'],
  商户订单号: ['outTradeNo', 'text'],
  用户标识: ['openId', 'text'],
  交易类型: ['tradeType', 'text'],
  交易状态: ['tradeState', 'text'],
  付款银行: ['bankType', 'text'],
  货币种类: ['feeType', 'text'],
  总金额: ['totalFee', 'amount'],
  订单金额: ['totalFee', 'amount'],
  应结订单金额: ['settlementTotalFee', 'amount'],
  代金券或立减优惠金额: ['couponFee', 'amount'],
  企业红包金额: ['couponFee', 'amount'],
  代金券金额: ['couponFee', 'amount'],
  退款申请时间: ['refundApplyTime', 'time'],
  退款成功时间: ['refundSuccessTime', 'time'],
  微信退款单号: ['refundId', 'number'],
  商户退款单号: ['outRefundNo', 'number'],
  申请退款金额: ['refundFee', 'amount'],
  退款金额: ['settlementRefundFee', 'amount'],
  代金券或立减优惠退款金额: ['couponRefundFee', 'amount'],
  企业红包退款金额: ['couponRefundFee', 'amount'],
  充值券退款金额: ['couponRefundFee', 'amount'],
  退款类型: ['refundChannel', 'text'],
  退款状态: ['refundStatus', 'text'],
  商品名称: ['body', 'text'],
  商户数据包: ['attach', 'text'],
  手续费: ['poundageFee', 'amount'],
  费率: ['rate', 'text'],
  费率备注: ['rateDesc', 'text'],
};

/** Before 2018 nothing was asked for but what was settled, and the column had the short name. */
const TRADE_BEFORE_2018: Columns<BillRow> = { ...TRADE, 退款金额: ['refundFee', 'amount'] };

const TRADE_SUMMARY: Columns<BillSummary> = {
  总交易单数: ['totalCount', 'count'],
  总交易额: ['totalFee', 'amount'],
  订单总金额: ['totalFee', 'amount'],
  应结订单总金额: ['settlementTotalFee', 'amount'],
  总退款金额: ['refundFee', 'amount'],
  申请退款总金额: ['refundFee', 'amount'],
  退款总金额: ['settlementRefundFee', 'amount'],
  总代金券或立减优惠退款金额: ['couponRefundFee', 'amount'],
  总企业红包退款金额: ['couponRefundFee', 'amount'],
  充值券退款总金额: ['couponRefundFee', 'amount'],
  手续费总金额: ['poundageFee', 'amount'],
};

const FUND_FLOW: Columns<FundFlowRow> = {
  记账时间: ['bookedAt', 'time'],
  微信支付业务单号: ['businessNo', 'text'],
  资金流水单号: ['fundFlowNo', 'text'],
  业务名称: ['businessName', 'text'],
  业务类型: ['businessType', 'text'],
  收支类型: ['direction', 'direction'],
  收支金额: ['amount', 'amount'],
  账户结余: ['balance', 'amount'],
  资金变更提交申请人: ['applicant', 'text'],
  备注: ['remark', 'text'],
  业务凭证号: ['voucherNo', 'text'],
};

const FUND_FLOW_SUMMARY: Columns<FundFlowSummary> = {
  资金流水总笔数: ['totalCount', 'count'],
  收入笔数: ['incomeCount', 'count'],
  收入金额: ['incomeFee', 'amount'],
  支出笔数: ['expenditureCount', 'count'],
  支出金额: ['expenditureFee', 'amount'],
};

/** Currencies of which a bill's two decimals certainly are the smallest unit. */
const TWO_DECIMALS = new Set(
  'CNY HKD GBP USD CAD AUD EUR NZD THB SGD RUB CHF SEK DKK NOK AED TRY MOP CZK MYR PHP QAR'.split(' '),
);

/** How the lines of one kind of bill are read. */
export interface BillShape<Row, Summary extends { totalCount?: number }> {
  row(cells: Cells): Row;
  /** @param convertible whether the amounts of all rows were read */
  summary(cells: Cells, convertible: boolean): Summary;
  /** Whether a row's amounts have a certain smallest unit. */
  isConvertible(cells: Cells): boolean;
  /** Whether the summary may leave a row out of its count. */
  isUncounted(cells: Cells): boolean;
}

export const TRADE_BILL: BillShape<BillRow, BillSummary> = {
  row: (cells) => typed(cells, '申请退款金额' in cells ? TRADE : TRADE_BEFORE_2018, isConvertible(cells)),
  summary: (cells, convertible) => typed(cells, TRADE_SUMMARY, convertible),
  isConvertible,
  // 总交易单数 is documented as the number of transactions: whether a refund is one, nobody says.
  isUncounted: (cells) => cells['交易状态'] === 'REFUND',
};

export const FUND_FLOW_BILL: BillShape<FundFlowRow, FundFlowSummary> = {
  row: (cells) => typed(cells, FUND_FLOW, true),
  summary: (cells) => typed(cells, FUND_FLOW_SUMMARY, true),
  isConvertible: () => true,
  isUncounted: () => false,
};

function isConvertible(cells: Cells): boolean {
  return TWO_DECIMALS.has(cells['货币种类'] || 'CNY');
}

function typed<Row extends { raw: Cells }>(cells: Cells, columns: Columns<Row>, convertible: boolean): Row {
  const row: Record<string, unknown> = { raw: cells };
  for (const name of Object.keys(cells)) {
    const column = Object.hasOwn(columns, name) ? (columns[name] as readonly [string, keyof Kinds]) : undefined;
    const cell = cells[name];
    if (column === undefined || cell === undefined || cell === '') continue;
    const [property, kind] = column;
    if (kind === 'amount' && !convertible) continue;
    const value = READERS[kind](cell, name);
    if (value !== undefined) row[property] = value;
  }
  return row as Row;
}

const READERS: { readonly [Kind in keyof Kinds]: (cell: string, column: string) => Kinds[Kind] | undefined } = {
  text: (cell) => cell,
  number: (cell) => (cell === '0' ? undefined : cell),
  time: (cell) => parseRefundTime(cell),
  amount: fenOf,
  // Some bills count in decimals: 45.0
  count: (cell, column) => {
    if (/^\d{1,12}(?:\.0+)?$/.test(cell)) return Number(cell);
    throw billInvalid(`${column} is no number`);
  },
  direction: (cell) => (cell === '收入' ? 'income' : cell === '支出' ? 'expenditure' : undefined),
};

/** Yuan → fen, exactly; `undefined` for a part of a fen, as fees may have. */
function fenOf(cell: string, column: string): number | undefined {
  const match = /^(-?)(\d{1,12})(?:\.(\d{1,8}))?$/.exec(cell);
  if (match === null) throw billInvalid(`${column} is no amount`);
  const [, sign, whole, decimals = ''] = match;
  if (/[1-9]/.test(decimals.slice(2))) return undefined;
  const fen = Number(whole) * 100 + Number(decimals.slice(0, 2).padEnd(2, '0'));
  // Not -0.
  return sign === '-' && fen !== 0 ? -fen : fen;
}
