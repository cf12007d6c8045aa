import { createServer, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { parseXml } from '@wechat-h5/core';

// Bills as WeChat Pay writes them: https://pay.weixin.qq.com/doc/v2/merchant/4011985040
export const HEADER =
  '交易时间,公众账号ID,商户号,微信订单号,商户订单号,交易状态,货币种类,应结订单金额,商品名称,商户数据包,手续费,费率,订单金额';
export const ROWS = [
  '`2026-08-01 10:00:00,`wx2421b1c4370ec43b,`10000100,`4200000001202608010000000001,`TEA-1,`SUCCESS,`CNY,`19.90,`茶 "绿", 100 g,`,`0.12000,`0.60%,`19.90',
  '`2026-08-01 11:00:00,`wx2421b1c4370ec43b,`10000100,`4200000001202608010000000002,`TEA-2,`SUCCESS,`CNY,`0.01,`=1+1,`@a,`0.00000,`0.60%,`0.01',
];
export const SUMMARY = ['总交易单数,应结订单总金额,手续费总金额,订单总金额', '`2,`19.91,`0.12000,`19.91'];
const BILL = `\uFEFF${[HEADER, ...ROWS, ...SUMMARY].join('\r\n')}\r\n`;
export const FUND_FLOW = [
  '记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,备注,业务凭证号',
  '`2026-08-01 10:00:01,`4200000001202608010000000001,`4200000002,`交易,`交易,`收入,`19.90,`100.00,`system,`缺省,`TEA-1',
  '资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额',
  '`1,`1,`19.90,`0,`0.00',
].join('\r\n');

type Answer = (response: ServerResponse, fields: Record<string, string>, path: string) => void;

/** A gateway that has bills, and nothing else. */
export class BillGateway {
  static readonly bill: Answer = (response, { tar_type }) =>
    void response.end(tar_type === 'GZIP' ? gzipSync(BILL) : BILL);

  /** Answers every request until it is replaced. */
  answer: Answer = BillGateway.bill;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => this.answer(response, parseXml(Buffer.concat(chunks)), request.url ?? ''));
    }).listen(0, '127.0.0.1');
  }

  static async open(): Promise<BillGateway> {
    const gateway = new BillGateway();
    await once(gateway.#server, 'listening');
    return gateway;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
