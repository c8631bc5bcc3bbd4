/** `redirectUris` → `redirect-uris` */
export const kebab = (name: string): string => name.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase()

/** `redirect-uri` → `redirectUri`, the attribute under which an option's value is found. */
export const camel = (words: string): string =>
  words.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())

/** The word for one of a list. */
export const singular = (plural: string): string => plural.replace(/ies$/, 'y').replace(/s$/, '')

/** `trusted-issuers` → `trusted issuers` */
export const asWords = (name: string): string => name.replaceAll('-', ' ')

/** `authorization type` → `an authorization type`; `user` is spoken as if it began with a consonant. */
export const withArticle = (noun: string): string =>
  `${/^(?:[aeio]|u(?!se))/.test(noun) ? 'an' : 'a'} ${noun}`
