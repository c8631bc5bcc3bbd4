import { choice, integer, optionalColour, optionalText, optionalUrl, text } from '../kernel/settings.ts'

/** What concerns the server as a whole. */
export const settings = {
  issuer: optionalUrl(
    'The address under which people and applications reach the server, such as https://id.example.com, or https://example.com/id below a path. Every URL is built from it. Without it the server runs in development mode.',
    { fallbackText: 'http://localhost:<PORT>, in development mode' },
  ),
  port: integer(3000, 'The port to listen on.', { variable: 'PORT', minimum: 0, maximum: 65_535 }),
  listenAddress: text('::', 'The address to listen on; :: is every address of the machine.', {
    fallbackText: '::, or localhost in development mode',
  }),
  databaseUrl: optionalText(
    'postgresql://user:password@host:5432/database for PostgreSQL, or file:/path/latchkey.db for SQLite.',
    { variable: 'DATABASE_URL', secret: true, fallbackText: 'a SQLite file in the data folder' },
  ),
  dataFolder: text('data', 'Where the SQLite file and its snapshots live.'),
  keyFolder: text('keys', 'Where the master key lives; it is made there on the first start.'),
  masterKey: optionalText(
    'The master key itself, 32 bytes in base64url, instead of a file in the key folder.',
    { secret: true },
  ),
  logLevel: choice(
    ['debug', 'info', 'warn', 'error', 'silent'],
    'info',
    'The least severe log lines that are written.',
  ),
  logFormat: choice(['auto', 'json', 'pretty'], 'auto', 'auto is pretty on a terminal and JSON elsewhere.'),
  databaseSynchronous: choice(
    ['NORMAL', 'FULL'],
    'NORMAL',
    'SQLite only. A killed process loses nothing either way; in a power cut NORMAL may lose the last moment, FULL nothing.',
  ),
  databasePoolSize: integer(10, 'PostgreSQL only: connections of one process.', { minimum: 1, maximum: 500 }),
  databaseTimeoutSeconds: integer(
    5,
    'How long a statement, or the wait for a connection or transaction, may take.',
    {
      minimum: 1,
      maximum: 120,
    },
  ),
  brandName: text('Latchkey', 'The name that the hosted pages show.'),
  brandAccent: optionalColour('The colour of buttons and links, as #rrggbb.'),
  brandLogoUrl: optionalUrl('The https address of a logo for the hosted pages.'),
  samplePort: integer(3001, 'Development mode only: the port of the sample application; 0 switches it off.', {
    maximum: 65_535,
  }),
}
