import { createWechatH5, explainResultCode, isWechatH5Error, optionsFromEnv } from '@wechat-h5/core';

const pay = createWechatH5(optionsFromEnv());
const [, , outTradeNo, day] = process.argv;

const { tradeState, payment } = await pay.queryOrder({ outTradeNo });
if (tradeState === 'SUCCESS') {
  const { refundId } = await pay.refund({
    outTradeNo,
    outRefundNo: `${outTradeNo}-1`, // after a timeout: the same again, never another one
    totalFee: payment.totalFee,
    refundFee: 990,
    refundDesc: 'sold out',
  });
  console.log(`refund ${refundId} is on its way`);
}
for await (const { outRefundNo, refundStatus, refundFee } of pay.listRefunds({ outTradeNo })) {
  console.log(outRefundNo, refundStatus, refundFee);
}

const bill = pay.downloadBill(day);
try {
  for await (const row of bill) console.log(row.outTradeNo, row.tradeState, row.totalFee, row.refundFee);
  const { totalCount, totalFee } = await bill.summary; // without it the bill is not whole
  console.log(`${totalCount} rows, ${totalFee} fen`);
} catch (error) {
  if (!isWechatH5Error(error) || error.errCode === undefined) throw error;
  const { meaning, retry } = explainResultCode(error.errCode, { operation: 'downloadbill' });
  console.log(`${error.code}: ${meaning.en} retry: ${retry}`);
}
