/** What a User-Agent header tells; what it does not tell is left out. */
export interface Browser {
  readonly browser?: string
  readonly system?: string
}

const longestUserAgent = 256

/** The table of browsers is large and seldom needed, so it is read when somebody asks first. */
export async function describeBrowser(userAgent: string): Promise<Browser> {
  const text = userAgent.slice(0, longestUserAgent).trim()
  if (text === '') return {}
  const { default: bowser } = await import('bowser')
  const { browser, os } = bowser.parse(text)
  return { ...(browser.name && { browser: browser.name }), ...(os.name && { system: os.name }) }
}
