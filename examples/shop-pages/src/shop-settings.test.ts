import { shopSettings } from './shop-settings.js';

test.each<[string, NodeJS.ProcessEnv, object, string]>([
  ['nothing set', {}, { port: 3000, publicUrl: 'http://127.0.0.1:3000' }, 'http://127.0.0.1:3000/wechat/notify'],
  [
    'a public shop on a port of its own',
    { PORT: '8080', PUBLIC_URL: 'https://pay.example.com' },
    { port: 8080, publicUrl: 'https://pay.example.com' },
    'https://pay.example.com/wechat/notify',
  ],
  [
    'a notify URL of another domain',
    { WECHAT_PAY_NOTIFY_URL: 'https://example.com/paid' },
    { port: 3000 },
    'https://example.com/paid',
  ],
])('%s', (_name, environment, settings, notifyUrl) => {
  expect(shopSettings(environment)).toMatchObject({ ...settings, wechatH5: { notifyUrl } });
});

test('a problem is printed with what to change', () => {
  const complain = jest.spyOn(console, 'error').mockImplementation(() => {});
  try {
    const problem = { type: 'refused', code: 'SIGN_INVALID', message: 'no key fits', hint: 'Compare it.' } as const;
    shopSettings({}).wechatH5?.onProblem?.({ ...problem, error: new Error() as never });
    expect(complain).toHaveBeenCalledWith('refused SIGN_INVALID: no key fits. Compare it.');
  } finally {
    complain.mockRestore();
  }
});
