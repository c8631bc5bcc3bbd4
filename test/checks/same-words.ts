/** Texts that are the same in English and in these languages; anything else that is the same was not translated. */
export const sameAsEnglish: Readonly<Record<string, readonly string[]>> = {
  Administrator: ['pl'],
  Application: ['fr'],
  Applications: ['fr'],
  Browser: ['de', 'it', 'nl'],
  Code: ['de', 'fr', 'nl'],
  Description: ['fr'],
  'Error: {title} · {brand}': ['es'],
  Link: ['de', 'it', 'nl', 'pl', 'pt-BR'],
  Name: ['de'],
  No: ['es', 'it'],
  Passkeys: ['de', 'nl'],
  Password: ['it'],
  Status: ['de', 'nl', 'pl', 'pt-BR'],
  Website: ['de', 'nl'],
  passkey: ['it', 'nl'],
  password: ['it'],
}
