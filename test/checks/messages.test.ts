import { expect, it } from 'vitest'
import { checkMessages } from './messages.ts'
import { plantTree, repository } from './tree.ts'

const english = {
  'page.home': 'Home',
  'page.count': '{count, plural, one {# page} other {# pages}}',
  'codes.name': 'Code',
  'codes.name-hint': 'A code that {brand} sends you.',
  'problem.codes.wrong': 'Wrong code.',
  'problem.codes.too_short': 'Too short.',
  'notice.code-added': 'A code was added.',
  'mail.code.subject': 'Your code',
  'mail.code.text': 'Here it is.',
  'factor.code': 'Send a code',
}
const german = {
  'page.home': 'Start',
  'page.count': '{count, plural, one {# Seite} other {# Seiten}}',
  'codes.name': 'Code',
  'codes.name-hint': 'Ein Code, den {brand} Ihnen schickt.',
  'problem.codes.wrong': 'Falscher Code.',
  'problem.codes.too_short': 'Zu kurz.',
  'notice.code-added': 'Ein Code ist hinzugekommen.',
  'mail.code.subject': 'Ihr Code',
  'mail.code.text': 'Hier ist er.',
  'factor.code': 'Code schicken',
}
type Words = Readonly<Record<string, string>>
const source = `
export const enrolment = { label: 'codes.name' }
export const wrong = () => new AppError('codes.wrong', 400, 'Wrong.', { field: 'code' })
const refused = (code) => invalidInput(\`codes.\${code}\`, '…', { field: 'code' })
export const short = () => refused('too_short')
export const told = (db) => notices.tell(db, { userId, what: 'code-added' })
export const sent = (db) => mail.send({ to, template: 'code' }, db)
export const factor = { name: 'code', offers: 'second' }
`
const template = `<h1><%= t('page.home') %></h1><%= asset('codes.js') %><p><%= t('page.count', { count: 2 }) %></p>`

interface Planted {
  readonly en?: Words
  readonly de?: Words
  readonly files?: Words
}

const check = ({ en = english, de = german, files = {} }: Planted): readonly string[] =>
  checkMessages(
    plantTree({
      'views/messages/en/codes.json': JSON.stringify(en),
      'views/messages/de/codes.json': JSON.stringify(de),
      'views/codes/show.eta': template,
      'src/features/codes/index.ts': source,
      ...files,
    }),
  ).faults

const without = (words: Words, key: string): Words =>
  Object.fromEntries(Object.entries(words).filter(([each]) => each !== key))

it('finds nothing where every message is there, used and translated', () => {
  expect(check({})).toEqual([])
})

it('reads this repository', () => {
  expect(checkMessages(repository).summary).toMatch(/^\d{3,} messages in \d+ languages$/)
})

it.each([
  ['a template', 'page.home', 'views/codes/show.eta names page.home'],
  ['an enrolment', 'codes.name', 'src/features/codes/index.ts:2 names codes.name'],
  [
    'a refusal beside a field',
    'problem.codes.wrong',
    'src/features/codes/index.ts:3 names problem.codes.wrong',
  ],
  ['a notice', 'notice.code-added', 'src/features/codes/index.ts:6 names notice.code-added'],
  ['a mail', 'mail.code.text', 'src/features/codes/index.ts:7 names mail.code.text'],
  ['a factor', 'factor.code', 'src/features/codes/index.ts:8 names factor.code'],
])('finds what %s lacks', (_, key, fault) => {
  expect(check({ en: without(english, key), de: without(german, key) })).toEqual([
    `${fault}, which is no message`,
  ])
})

it.each([
  ["{ key: 'page.nowhere' }", 'a text'],
  ["{ title: found ? 'page.home' : 'page.nowhere' }", 'either branch of a title'],
  ["t('page.nowhere')", 'a translation'],
])('finds what is missing for %s: %s', (expression) => {
  const files = { 'src/pages/a.ts': `export const a = ${expression}\n` }
  expect(check({ files })).toEqual(['src/pages/a.ts:1 names page.nowhere, which is no message'])
})

it('finds what is missing of a table of messages', () => {
  const files = { 'src/pages/a.ts': `const a: Record<string, MessageKey> = { home: 'page.nowhere' }\n` }
  expect(check({ files })).toHaveLength(1)
})

it('asks for a button where a mail has a link, and for no text where it brings its own', () => {
  const sent = (mail: string) => ({
    'src/features/codes/mails.ts': `mail.send({ to, template: 'code', ${mail} })\n`,
  })
  expect(check({ files: sent('link') })).toEqual([
    'src/features/codes/mails.ts:1 names mail.code.button, which is no message',
  ])
  const bare = { en: without(english, 'mail.code.text'), de: without(german, 'mail.code.text') }
  expect(check({ ...bare, files: sent("text: { key: 'page.home' }") })).toEqual([
    'src/features/codes/index.ts:7 names mail.code.text, which is no message',
  ])
})

it('knows the words of what happened, which the audit entries name', () => {
  const event = { 'event.codes.refused.failed': 'Refused' }
  const files = { 'src/features/codes/audit.ts': "audit.record({ action: 'codes.refused', outcome })\n" }
  const de = { ...german, 'event.codes.refused.failed': 'Abgewiesen' }
  expect(check({ en: { ...english, ...event }, de, files })).toEqual([])
  expect(check({ en: { ...english, ...event }, de })).toHaveLength(1)
})

it('finds a message that nobody uses', () => {
  const left = { 'page.left-over': 'Left over' }
  expect(check({ en: { ...english, ...left }, de: { ...german, 'page.left-over': 'Übrig' } })).toEqual([
    'views/messages/en/codes.json: page.left-over is used nowhere',
  ])
})

const place = 'views/messages/de/codes.json: '

it.each([
  ['a missing one', without(german, 'page.home'), 'page.home is missing'],
  ['one that is not in English', { ...german, 'page.more': 'Mehr' }, 'page.more is not in English'],
  ['one that is still English', { ...german, 'page.home': 'Home' }, 'page.home is still in English; '],
  [
    'a lost placeholder',
    { ...german, 'codes.name-hint': 'Ein Code.' },
    'codes.name-hint takes {} instead of {brand}',
  ],
  [
    'another placeholder',
    { ...german, 'codes.name-hint': '{Brand}' },
    'codes.name-hint takes {Brand} instead of {brand}',
  ],
  ['a broken one', { ...german, 'page.count': '{count, plural, one {# Seite}' }, 'page.count is malformed: '],
  [
    'a plural that the language has not',
    { ...german, 'page.count': '{count, plural, one {#} few {#} other {#}}' },
    'page.count has the plural few, which de has not',
  ],
  [
    'a plural that the language needs',
    { ...german, 'page.count': '{count, plural, other {# Seiten}}' },
    'page.count lacks the plural one',
  ],
  ['markup', { ...german, 'page.home': '<b>Start</b>' }, 'page.home holds markup'],
  ['an entity', { ...german, 'page.home': 'Start&nbsp;' }, 'page.home holds markup'],
  ['an empty one', { ...german, 'page.home': ' ' }, 'page.home is empty, or has spaces around it'],
])('finds in a language %s', (_, de, fault) => {
  expect(check({ de })).toEqual([expect.stringContaining(place + fault)])
})

it('finds a control whose name does not hold what it shows', () => {
  const named = (shown: string, name: string) => ({ 'codes.drop': shown, 'codes.drop-named': name })
  const files = { 'views/codes/drop.eta': `<%= t('codes.drop') %><%= t('codes.drop-named') %>` }
  const planted = {
    en: { ...english, ...named('Remove', 'Remove {brand}') },
    de: { ...german, ...named('Entfernen', '{brand} löschen') },
    files,
  }
  expect(check(planted)).toEqual([
    expect.stringContaining(`${place}codes.drop-named does not say “Entfernen”`),
  ])
})

it('knows the plurals of each language', () => {
  const files = {
    'views/messages/pl/codes.json': JSON.stringify({
      ...german,
      'page.count': '{count, plural, one {# strona} few {# strony} other {# strony}}',
    }),
  }
  expect(check({ files }).filter((fault) => fault.includes('page.count'))).toEqual([
    'views/messages/pl/codes.json: page.count lacks the plural many',
  ])
})

it('finds a key that one file gives twice, and one that two files give', () => {
  const files = {
    'views/messages/de/codes.json': JSON.stringify(german, null, 2).replace(
      '{',
      '{\n  "page.home": "Anfang",',
    ),
  }
  expect(check({ files })).toEqual([`${place}page.home is given once more`])
  const more = { 'views/messages/de/more.json': '{ "page.home": "Anfang" }' }
  expect(check({ files: more })).toEqual([
    'views/messages/de/more.json: page.home is given once more, after codes.json',
  ])
})

it.each([
  ['{', 'it is no JSON'],
  ['[]', 'it is no object of messages'],
  ['{ "page.more": 1 }', 'page.more is no text'],
])('finds a file that holds no messages: %s', (content, fault) => {
  const files = { 'views/messages/de/more.json': content }
  expect(check({ files })).toEqual([expect.stringContaining(`views/messages/de/more.json: ${fault}`)])
})

it('finds a message in another file than in English, and a folder without a tag', () => {
  const files = {
    'views/messages/de/codes.json': JSON.stringify(without(german, 'page.home')),
    'views/messages/de/more.json': '{ "page.home": "Start" }',
  }
  expect(check({ files })).toEqual([
    'views/messages/de/more.json: page.home belongs into codes.json, where it is in English',
  ])
  const faults = check({ files: { 'views/messages/de_AT/codes.json': JSON.stringify(german) } })
  expect(faults).toContain('views/messages/de_AT is not named by a BCP 47 tag')
})

it('says so where there are no messages at all', () => {
  expect(checkMessages(plantTree({})).faults).toEqual(['views/messages/en is missing'])
})
