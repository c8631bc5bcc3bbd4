import type { PageSample } from './page-samples.ts'

const createdAt = new Date('2026-03-03T23:05:00Z')
const mail = {
  id: '0b6f5f0e-5a3e-4c0c-9a53-0f6f4f1f2d3c',
  to: 'ada@example.com',
  subject: 'Your code to sign in to Acme Notes',
  text: 'Type this code where you are signing in.\n\n    271828\n\n-- \nLatchkey · http://localhost:3000\n',
  html: '<!doctype html><title>Mail</title><p>Type this code where you are signing in.</p>',
  createdAt,
}

/** The inbox of development mode, empty and with mails of all kinds. */
export const inboxSamples: readonly PageSample[] = [
  { name: 'inbox-empty', template: 'inbox/list', model: { mails: [] } },
  {
    name: 'inbox',
    template: 'inbox/list',
    model: {
      mails: [
        mail,
        { ...mail, to: `${'a'.repeat(64)}@${'b'.repeat(60)}.example.com`, subject: 'x'.repeat(200) },
      ],
    },
  },
  {
    name: 'inbox-mail',
    template: 'inbox/mail',
    model: {
      mail: {
        ...mail,
        code: '271828',
        link: `http://localhost:3000/link/email-codes?token=${'k3Yz'.repeat(11)}`,
      },
      frameUrl: 'about:blank',
    },
  },
]
