import { expect, it } from 'vitest'
import { asWords, withArticle } from '../../src/cli/words.ts'

it.each([
  ['authorization type', 'an authorization type'],
  ['invitation', 'an invitation'],
  ['user', 'a user'],
  ['client', 'a client'],
  ['trusted issuer', 'a trusted issuer'],
])('a %s is spoken of as %s', (noun, spoken) => {
  expect(withArticle(noun)).toBe(spoken)
})

it('names are written as words', () => {
  expect(asWords('authorization-types')).toBe('authorization types')
})
