import { type Setting, variableOf } from '../kernel/settings.ts'
import { sections } from './sections.ts'

interface Entry {
  readonly section: string
  readonly variable: string
  readonly setting: Setting<unknown>
}

/** Of the chapters that are called otherwise than their section. */
const titles: Readonly<Partial<Record<keyof typeof sections, string>>> = {
  host: 'HTTP',
  tls: 'TLS',
  mtls: 'Certificates of clients',
  provider: 'Tokens and sessions',
  outbox: 'Deliveries',
  account: 'Account pages',
  policy: 'What must be proven to sign in',
  emailCodes: 'Codes by e-mail',
  addresses: 'E-mail addresses',
  registrations: 'Registration',
  terms: 'Terms of use',
  setup: 'Set-up',
  throttle: 'Throttling',
  departures: 'Leaving',
  trustedDevices: 'Trusted browsers',
}

/** `signingKeys` becomes "Signing keys". */
const titleOf = (section: string): string => {
  const words = section.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
  return words.charAt(0).toUpperCase() + words.slice(1)
}

const entries: readonly Entry[] = Object.entries(sections).flatMap(([section, settings]) =>
  Object.entries(settings as Readonly<Record<string, Setting<unknown>>>).map(([key, setting]) => ({
    section,
    variable: variableOf(section, key, setting),
    setting,
  })),
)

const shownDefault = ({ fallback, fallbackText }: Setting<unknown>): string => {
  if (fallbackText !== undefined) return fallbackText
  if (fallback === undefined) return 'nothing'
  if (Array.isArray(fallback)) return fallback.length === 0 ? 'nothing' : fallback.join(',')
  return String(fallback)
}

/** docs/configuration.md */
export function configurationPage(): string {
  const chapters = (Object.keys(sections) as readonly (keyof typeof sections)[]).map((section) => {
    const rows = entries
      .filter((entry) => entry.section === section)
      .map(({ variable, setting }) => {
        const secret = setting.secret
          ? ` Secret; \`${variable}_FILE\` names a file that holds it instead.`
          : ''
        return `| \`${variable}\` | ${setting.type.replaceAll('|', '\\|')} | ${shownDefault(setting)} | ${setting.documentation}${secret} |`
      })
    return [
      `## ${titles[section] ?? titleOf(section)}`,
      '',
      '| Variable | Type | Default | Meaning |',
      '| --- | --- | --- | --- |',
      ...rows,
    ].join('\n')
  })
  return `${['# Configuration', introduction, ...chapters].join('\n\n')}\n`
}

const introduction =
  'Made from the settings in the code by `npm run docs`. Settings are environment variables; none is needed to try the server. A wrong value or an unknown `LATCHKEY_` name stops the start with a message that names it.'

/** .env.example */
export function environmentExample(): string {
  const blocks = entries.map(
    ({ variable, setting }) =>
      `# ${setting.documentation}\n# ${setting.type}; default: ${shownDefault(setting)}\n#${variable}=`,
  )
  return `# Made by npm run docs. Start with these: node --env-file=.env src/launch.mjs serve\n\n${blocks.join('\n\n')}\n`
}
