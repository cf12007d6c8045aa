import { randomBytes } from 'node:crypto';
import type { ReceiptLine } from '@wechat-h5/core';

/** The goods: what a payer shows at the pier. */
export interface Ticket {
  readonly code: string;
  readonly outTradeNo: string;
  readonly transactionId: string;
}

/** Issues tickets and finds them again. A real shop keeps them in its database, unique by transaction id. */
export class TicketOffice {
  readonly #issued: Ticket[] = [];

  /** Once for each payment: the caller is `onPaid`, which runs exactly once to success. */
  issue(payment: { readonly outTradeNo: string; readonly transactionId: string }): Ticket {
    const ticket: Ticket = {
      code: randomBytes(4).toString('hex').toUpperCase(),
      outTradeNo: payment.outTradeNo,
      transactionId: payment.transactionId,
    };
    this.#issued.push(ticket);
    return ticket;
  }

  find(outTradeNo: string): Ticket | undefined {
    return this.#issued.find((ticket) => ticket.outTradeNo === outTradeNo);
  }

  /** What a payer reads once the ticket is there. */
  receipt(outTradeNo: string): readonly ReceiptLine[] {
    const ticket = this.find(outTradeNo);
    return ticket === undefined ? [] : [{ zh: '票码', en: 'Ticket', value: ticket.code }];
  }

  /** Every ticket, in the order of issue. */
  get issued(): readonly Ticket[] {
    return this.#issued;
  }
}
