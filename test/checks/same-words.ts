/** Texts that are the same in English and in these languages; anything else that is the same was not translated. */
export const sameAsEnglish: Readonly<Record<string, readonly string[]>> = {
  Code: ['de', 'fr', 'nl'],
  Description: ['fr'],
  'Error: {title} · {brand}': ['es'],
  Name: ['de'],
  Password: ['it'],
  Status: ['de', 'nl', 'pl', 'pt-BR'],
}
