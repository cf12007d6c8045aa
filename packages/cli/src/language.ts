export type Language = 'en' | 'zh';

/** One text in both languages. */
export interface Text {
  readonly en: string;
  readonly zh: string;
}

/** Chinese where the system speaks Chinese, English everywhere else. In the order that POSIX gives the variables. */
export function languageOf(env: NodeJS.ProcessEnv): Language {
  const locale = env['LC_ALL'] || env['LC_MESSAGES'] || env['LANG'] || '';
  return /^zh/i.test(locale) ? 'zh' : 'en';
}
