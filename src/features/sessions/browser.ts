import { type Browser, longestUserAgent } from '../../kernel/http.ts'

/** The table of browsers is large and seldom needed, so it is read when somebody asks first. */
export async function describeBrowser(userAgent: string): Promise<Browser> {
  const text = userAgent.slice(0, longestUserAgent).trim()
  if (text === '') return {}
  const { default: bowser } = await import('bowser')
  const { browser, os } = bowser.parse(text)
  return { ...(browser.name && { browser: browser.name }), ...(os.name && { system: os.name }) }
}
