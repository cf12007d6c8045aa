/** Who orders, in the measurements over TLS. */
export const ACCOUNT = {
  appId: 'wx2421b1c4370ec43b',
  mchId: '1900000109',
  apiKey: '192006250b4c09247ec02edce69f6a2d',
};
